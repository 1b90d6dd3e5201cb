"""Negative controls: what belongs to a clip is taken from a clip of another person, so that nothing of it can fit."""

import numpy as np

from ifdd.errors import InputError


def other_clips(members: np.ndarray, count: int, seed: int) -> np.ndarray:
    """For each of n clips another one, `count` times: permutations (count, n) in which nobody gets a clip of their own.

    `members` (n,) are the persons' indexes. With a person who has more than half of the clips no such permutation exists; then
    a clip gets any clip but itself.
    Raises: InputError for fewer than two clips.
    """
    n = len(members)
    if n < 2:
        raise InputError("a control with other clips needs at least two; pass more clips")
    rng = np.random.default_rng([seed, 331])
    most = int(np.bincount(members).max())
    least = most if 2 * most <= n else 1
    rows = np.empty((count, n), np.int64)
    for row in rows:
        # persons one after the other, in an order of their own: turned by as many clips as the largest has, all are others
        order = np.lexsort((rng.random(n), rng.permutation(members.max() + 1)[members]))
        row[order] = np.roll(order, int(rng.integers(least, n - least + 1)))
    return rows

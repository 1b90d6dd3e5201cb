"""Negative controls: what belongs to a clip is taken from another one, so that nothing of it can fit."""

from collections.abc import Sequence
from hashlib import sha256

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


def drawn_clips(ids: Sequence[str], rows: np.ndarray, pool: np.ndarray, members: np.ndarray, count: int, seed: int) -> np.ndarray:
    """For each of `rows` (n,) up to `count` clips of `pool` (m,), rows too: (count, n), drawn by the seed and the clip's id.

    So what a clip is given does not change with the other clips asked. `ids` and `members`, the persons' indexes, are of all
    rows. Clips of other people; where the pool has none, any clip but itself. Where one has fewer than `count`, all get so few.

    >>> drawn_clips(["a", "b", "c"], np.array([0, 1]), np.arange(3), np.array([0, 0, 1]), 4, 0).tolist()
    [[2, 2]]
    """
    found = []
    for row in rows:
        others = pool[members[pool] != members[row]]
        others = others if len(others) else pool[pool != row]
        rng = np.random.default_rng([seed, 347, *sha256(ids[row].encode()).digest()])
        found.append(rng.permutation(others)[:count])
    return np.stack([own[: min(map(len, found))] for own in found], axis=1)


def dealt_clips(n: int, count: int, seed: int) -> np.ndarray:
    """All clips dealt anew, `count` times: permutations (count, n), where who a person is must be lost as well.

    `other_clips` keeps a person's clips together, so that another one's, who is as easily recognised, stand for them.
    """
    rng = np.random.default_rng([seed, 337])
    return np.stack([rng.permutation(n) for _ in range(count)])


def distance_to_others(places: np.ndarray, members: np.ndarray, seed: int, shuffles: int = 5) -> float:
    """How far places (n, steps) are from those of other people's clips, mean over steps and clips; NaN for one clip."""
    if len(places) < 2:
        return float("nan")
    return float(np.abs(places[other_clips(members, shuffles, seed)] - places).mean())

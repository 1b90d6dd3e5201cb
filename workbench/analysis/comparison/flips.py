"""Which clips do two models call differently, from what to what?"""

from collections.abc import Sequence

import numpy as np

from workbench.analysis.comparison.results import Flips


def find_flips(
    first: np.ndarray,
    second: np.ndarray,
    probs_first: np.ndarray,
    probs_second: np.ndarray,
    labels: np.ndarray,
    clip_ids: Sequence[str],
) -> Flips:
    """List the clips whose predicted class (n,) differs, in the order of the clips; inputs as `comparison.compare` checks them.

    `probs_*` are (n, C), or the predictions themselves where nothing else is known.

    >>> old, new, true = np.array([0, 1, 1]), np.array([0, 0, 1]), np.array([0, 0, 1])
    >>> found = find_flips(old, new, old, new, true, ["a", "b", "c"])
    >>> found.clip_ids, found.kinds
    (('b',), ('gained',))
    """
    rows = np.flatnonzero(first != second)
    p_first, p_second = (
        p[rows, labels[rows]].astype(float) if p.ndim == 2 else np.full(len(rows), np.nan) for p in (probs_first, probs_second)
    )
    return Flips(rows, tuple(clip_ids[row] for row in rows.tolist()), labels[rows], first[rows], second[rows], p_first, p_second)

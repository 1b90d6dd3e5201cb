"""How much do the two branches share? Debiased CKA, with an interval from leaving groups out."""

import numpy as np
from numpy.typing import ArrayLike

from ifdd.errors import InputError
from workbench.analysis.disentanglement.results import DependenceResult
from workbench.results.bootstrap import group_members, jackknife
from workbench.results.controls import other_clips
from workbench.results.provenance import record

FEWEST = 4


def dependence(y_d: ArrayLike, y_s: ArrayLike, *, groups: ArrayLike | None = None) -> DependenceResult:
    """Debiased linear CKA of features (n, …), each flattened; the 95 % interval is a jackknife over groups.

    Of few groups the interval is wide (Student's t, m − 1); it stays within [−1, 1], as any CKA.

    Source: Kornblith et al. 2019 (CKA); Song et al. 2012 (unbiased HSIC); Murphy et al. 2024 (why debias: with fewer clips than
    dimensions plain CKA is near 1 for unrelated features).

    Raises:
        InputError: shapes that do not fit, undefined or constant features, or fewer than four clips.

    >>> features = np.random.default_rng(0).normal(size=(12, 3))
    >>> round(dependence(features, 2 * features).cka.value, 3)
    1.0
    """
    first, second = (_centred(name, values) for name, values in (("y_d", y_d), ("y_s", y_s)))
    n = len(first)
    if len(second) != n:
        raise InputError(f"y_d has {n} clips, y_s {len(second)}; pass the same clips")
    if n < FEWEST:
        raise InputError(f"{n} clips are too few for CKA; pass at least {FEWEST}")
    k, m = first @ first.T, second @ second.T
    members = group_members(groups, n)

    def cka(rows: np.ndarray) -> float:
        return _cka(k[np.ix_(rows, rows)], m[np.ix_(rows, rows)]) if len(rows) >= FEWEST else float("nan")

    interval = jackknife(cka, members, -1, 1)
    other = other_clips(members, 1, 0)[0]
    null = _cka(k, m[np.ix_(other, other)])
    return DependenceResult(interval, null, n, record("dependence", {}, {"y_d": first, "y_s": second}))


def _centred(name: str, values: ArrayLike) -> np.ndarray:
    array = np.asarray(values, np.float64)
    array = array.reshape(len(array), -1)
    if not np.isfinite(array).all():
        raise InputError(f"{name} holds NaN or infinity; drop those clips")
    if not np.ptp(array, axis=0).any():
        raise InputError(f"{name} is the same for every clip; CKA is undefined")
    return array - array.mean(0)


def _cka(k: np.ndarray, m: np.ndarray) -> float:
    norm = _hsic(k, k) * _hsic(m, m)
    return float(_hsic(k, m) / np.sqrt(norm)) if norm > 0 else float("nan")


def _hsic(k: np.ndarray, m: np.ndarray) -> float:
    """Unbiased estimate of HSIC from two Gram matrices (n, n); their diagonals take no part."""
    n = len(k)
    k, m = k - np.diag(np.diag(k)), m - np.diag(np.diag(m))
    trace = (k * m).sum()  # both symmetric
    sums = k.sum() * m.sum() / ((n - 1) * (n - 2))
    cross = 2 * (k.sum(0) @ m.sum(0)) / (n - 2)
    return float((trace + sums - cross) / (n * (n - 3)))

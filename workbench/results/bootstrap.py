"""Intervals over groups: clips of one person are drawn, or left out, together, since they are not independent."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from ifdd.metrics import students_t
from workbench.results.checks import check_groups
from workbench.results.interval import Interval

BOUNDS = (0.025, 0.975)


def group_members(groups: ArrayLike | None, n: int) -> np.ndarray:
    """Index (n,) of each clip's group, 0 upwards; without groups each clip is one.

    Raises: InputError for another length, or a missing name.
    """
    if groups is None:
        return np.arange(n)
    return np.unique(check_groups(groups, n), return_inverse=True)[1].reshape(-1)


def rows_of_groups(members: np.ndarray) -> list[np.ndarray]:
    """Rows of each group, ascending; one pass however many groups there are."""
    return np.split(np.argsort(members, kind="stable"), np.cumsum(np.bincount(members))[:-1])


def draw_weights(members: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """How often each clip counts (resamples, n) when whole groups are drawn with replacement."""
    count = int(members.max()) + 1
    draws = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=resamples)
    return draws[:, members].astype(np.float64)


def mean_interval(values: np.ndarray, weights: np.ndarray) -> Interval:
    """Mean of the finite values (n,) and its 95 % interval from drawn weights (resamples, n); no bounds for one group alone."""
    known = np.isfinite(values)
    if not known.any():
        return Interval(float("nan"), float("nan"), float("nan"))
    kept, total = values[known], weights[:, known].sum(1)
    means = (weights[:, known] @ kept)[total > 0] / total[total > 0]
    if weights.min() == weights.max():  # there was one group to draw
        return Interval(float(kept.mean()), float("nan"), float("nan"))
    low, high = np.quantile(means, BOUNDS)
    return Interval(float(kept.mean()), float(low), float(high))


def spread(value: float, samples: np.ndarray) -> Interval:
    """An estimate with the 95 % percentile interval of its bootstrap samples; undefined samples are left out."""
    known = samples[np.isfinite(samples)]
    if not known.size:
        return Interval(value, float("nan"), float("nan"))
    low, high = np.quantile(known, BOUNDS)
    return Interval(value, float(low), float(high))


def jackknife(measure: Callable[[np.ndarray], float], members: np.ndarray, low: float, high: float) -> Interval:
    """`measure` of all rows with its 95 % interval within [low, high], from leaving each of m groups out: Student's t, m − 1.

    `measure` is given the rows; where it is undefined without some group there are no bounds.
    """
    value, count = measure(np.arange(len(members))), int(members.max()) + 1
    left_out = np.array([measure(np.flatnonzero(members != group)) for group in range(count)]) if count > 1 else np.empty(0)
    return _from_left_out(value, left_out, low, high)


def jackknife_of_sums(
    measure: Callable[[np.ndarray], np.ndarray], terms: np.ndarray, members: np.ndarray, low: float, high: float
) -> Interval:
    """`jackknife` of what depends on sums over rows alone, in one pass however many groups there are.

    `terms` (n, …): what each row adds; `measure`: sums (m, …) → values (m,).
    """
    count = int(members.max()) + 1
    sums = np.zeros((count, *terms.shape[1:]))
    np.add.at(sums, members, terms)
    total = sums.sum(0)
    return _from_left_out(float(measure(total[None])[0]), measure(total - sums) if count > 1 else np.empty(0), low, high)


def _from_left_out(value: float, left_out: np.ndarray, low: float, high: float) -> Interval:
    """From the values without each group; no bounds where there is one group, or one is undefined."""
    count = len(left_out)
    if count < 2 or not np.isfinite(left_out).all():
        return Interval(value, float("nan"), float("nan"))
    error = np.sqrt((count - 1) / count * np.square(left_out - left_out.mean()).sum())
    wide = students_t(count - 1) * error
    return Interval(value, *np.clip([value - wide, value + wide], low, high).tolist())

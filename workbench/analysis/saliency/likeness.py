"""How alike are two maps of one clip? Rank correlation of the signed maps, structural similarity of what is shown of them."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import uniform_filter
from scipy.stats import rankdata

from ifdd.errors import InputError
from workbench.analysis.saliency.results import Similarity
from workbench.results.bootstrap import draw_weights, group_members, mean_interval

WINDOW = 7
C1, C2 = 0.01**2, 0.03**2
"""Constants of SSIM for pictures in [0, 1] (Wang et al. 2004)."""


def similarity(
    name: str, first: ArrayLike, second: ArrayLike, *, groups: ArrayLike | None = None, resamples: int = 1000, seed: int = 0
) -> Similarity:
    """Compare signed maps (n, T, h, w) clip by clip; whole groups are drawn for the intervals.


    Raises:
        InputError: shapes that differ, or undefined maps.

    Source: Adebayo et al. 2018; Wang et al. 2004, eq. 13.

    >>> maps = np.arange(16.0).reshape(1, 1, 4, 4)
    >>> similarity("upside down", maps, -maps).rank.value  # |ρ|: the same places
    1.0
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if a.shape != b.shape or a.ndim != 4:
        raise InputError(f"maps of shapes {a.shape} and {b.shape} cannot be compared; both must be (clips, T, h, w)")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise InputError("maps hold NaN or infinity; look for a diverged model")
    draws = draw_weights(group_members(groups, len(a)), resamples, seed)
    rank = np.array([abs(rank_correlation(*pair)) for pair in zip(a, b, strict=True)])
    likeness = np.array([ssim(_shown(x), _shown(y)) for x, y in zip(a, b, strict=True)])
    return Similarity(name, mean_interval(rank, draws), mean_interval(likeness, draws))


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's ρ of two arrays of one shape; NaN if one is constant."""
    x, y = (rankdata(values.ravel()) for values in (a, b))
    x, y = x - x.mean(), y - y.mean()
    scale = np.sqrt((x @ x) * (y @ y))
    return float(x @ y / scale) if scale > 0 else float("nan")


def ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Structural similarity of pictures (T, h, w) in [0, 1], mean over windows of up to 7 × 7 (Wang et al. 2004, eq. 13)."""
    window = min(WINDOW, *a.shape[1:])
    margin = window // 2

    def local(values: np.ndarray) -> np.ndarray:
        means = uniform_filter(values, (0, window, window), mode="nearest")
        height, width = values.shape[1:]
        return np.asarray(means[:, margin : height - (window - 1 - margin), margin : width - (window - 1 - margin)])

    mean_a, mean_b = local(a), local(b)
    var_a, var_b = local(a * a) - mean_a**2, local(b * b) - mean_b**2
    both = local(a * b) - mean_a * mean_b
    above = (2 * mean_a * mean_b + C1) * (2 * both + C2)
    return float((above / ((mean_a**2 + mean_b**2 + C1) * (var_a + var_b + C2))).mean())


def _shown(values: np.ndarray) -> np.ndarray:
    positive = np.maximum(values, 0)
    peak = positive.max()
    return positive / peak if peak > 0 else positive

"""Where does a split read, and does that follow the clip? From places and reading weights alone.

- occupancy: which feature frames each group reads, class by class;
- awareness: do the places differ more between clips than between copies of one clip that show the same?
- agreement: does the dynamic group read where the picture changes?
"""

import numpy as np
from numpy.typing import ArrayLike

from ifdd.errors import InputError
from workbench.analysis.splits.results import Awareness, MotionAgreement, Occupancy
from workbench.results.bootstrap import BOUNDS, draw_weights, group_members, mean_interval, spread
from workbench.results.checks import check_finite, check_labels
from workbench.results.interval import Interval

RESAMPLES = 1000
SHUFFLES = 20
STILL = 1e-6
"""Feature frames: places with a smaller standard deviation do not depend on the clip, but for rounding."""


def occupancy(
    weights_D: np.ndarray,
    weights_S: np.ndarray,
    labels: ArrayLike,
    label_names: tuple[str, ...],
    *,
    groups: ArrayLike | None = None,
    seed: int = 0,
) -> Occupancy:
    """Class-wise occupancy of reading weights (n, K, T').

    Raises: InputError for shapes or labels that do not fit.
    """
    dynamic, static = (check_finite(w, 3, name).sum(1) for w, name in ((weights_D, "weights_D"), (weights_S, "weights_S")))
    y = check_labels(labels, len(dynamic), len(label_names))
    codes = np.eye(len(label_names))[y]  # (n, classes)
    draws = draw_weights(group_members(groups, len(y)), RESAMPLES, seed)
    means, bounds = zip(*(_by_class(array, codes, draws) for array in (dynamic, static)), strict=True)
    rng = np.random.default_rng(seed)
    lean = dynamic - static
    null = [_between_share(lean, rng.permutation(codes)) for _ in range(SHUFFLES)]
    return Occupancy(
        label_names, codes.sum(0).astype(np.int64), means[0], bounds[0], means[1], bounds[1],
        _between_share(lean, codes), float(np.mean(null)),
    )  # fmt: skip


def awareness(places: np.ndarray, *, groups: ArrayLike | None = None, seed: int = 0) -> Awareness:
    """Variance of places (n clips, copies, steps) between clips against within the copies of a clip.

    Raises: InputError for fewer than two clips or copies, or places that are not finite.
    Source: Shrout and Fleiss 1979, ICC(1, 1), with the sums of squares of all steps added.
    """
    array = check_finite(places, 3, "places")
    n, copies, _ = array.shape
    if n < 2 or copies < 2:
        raise InputError(f"places are of {n} clips and {copies} copies; between and within need two of each")
    middle = array.mean(1)  # (n, steps)
    inner = ((array - middle[:, None]) ** 2).sum(1) / (copies - 1)  # (n, steps)
    draws = draw_weights(group_members(groups, n), RESAMPLES, seed)

    def variances(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Components (rows, steps) between and within, for weights (rows, n) of the clips."""
        total = weights.sum(1, keepdims=True)
        mean = weights @ middle / total
        outer = (weights @ middle**2 / total - mean**2) * total / np.maximum(total - 1, 1)
        within = weights @ inner / total
        return outer - within / copies, within

    between, within = (part[0] for part in variances(np.ones((1, n))))
    if np.sqrt(max(between.sum() + within.sum(), 0)) < STILL:
        icc = Interval(float("nan"), float("nan"), float("nan"))
    else:
        b, w = (part.sum(1) for part in variances(draws))
        with np.errstate(invalid="ignore", divide="ignore"):
            samples = b / (b + w)
        icc = spread(
            float(between.sum() / (between.sum() + within.sum())), samples if draws.min() != draws.max() else samples[:0]
        )
    apart, astray = (float(np.sqrt(max(part.mean(), 0))) for part in (between, within))
    return Awareness(icc, apart, astray, between, within, n, copies)


def motion_agreement(
    weights_D: np.ndarray, weights_S: np.ndarray, energy: np.ndarray, *, groups: ArrayLike | None = None, seed: int = 0
) -> MotionAgreement:
    """Agreement of reading weights (n, K, T') with motion energy (n, T'); clips where either is flat are left out.

    Raises: InputError for shapes that do not fit or values that are not finite.
    """
    dynamic, static = (check_finite(w, 3, name) for w, name in ((weights_D, "weights_D"), (weights_S, "weights_S")))
    power = check_finite(energy, 2, "energy")
    n, steps, frames = dynamic.shape
    if power.shape != (n, frames):
        raise InputError(f"energy has shape {power.shape}; pass ({n}, {frames}), one number for each feature frame")
    lean = (dynamic - static).sum(1)
    draws = draw_weights(group_members(groups, n), RESAMPLES, seed)
    found = _correlations(lean, power)
    rng = np.random.default_rng(seed)
    others = [(np.arange(n) + shift) % n for shift in rng.permutation(np.arange(1, n))[:SHUFFLES]] if n > 1 else []
    null = [_correlations(lean, power[other]) for other in others]
    relative = power / np.maximum(power.mean(1, keepdims=True), 1e-12)
    read = [np.where(power.max(1) > 0, (w.sum(1) * relative).sum(1) / steps, np.nan) for w in (dynamic, static)]
    return MotionAgreement(
        correlation=mean_interval(found, draws),
        null=float(np.nanmean(null)) if null and np.isfinite(null).any() else float("nan"),
        energy_D=mean_interval(read[0], draws),
        energy_S=mean_interval(read[1], draws),
        clips=int(np.isfinite(found).sum()),
    )


def moved(before: np.ndarray, after: np.ndarray, *, groups: ArrayLike | None = None, seed: int = 0) -> Interval:
    """How far places (n, steps) move from `before` to `after`, in feature frames, mean over steps and clips."""
    draws = draw_weights(group_members(groups, len(before)), RESAMPLES, seed)
    return mean_interval(np.abs(after - before).mean(1), draws)


def _by_class(array: np.ndarray, codes: np.ndarray, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means (classes, T') of an array (n, T') and their 95 % bounds (2, classes, T')."""
    with np.errstate(invalid="ignore", divide="ignore"):
        means = codes.T @ array / codes.sum(0)[:, None]
        samples = np.einsum("rn,nc,nt->rct", draws, codes, array, optimize=True) / (draws @ codes)[:, :, None]
    bounds = np.full((2, *means.shape), np.nan)
    if draws.min() < draws.max():
        for c in np.flatnonzero(codes.any(0)):
            drawn = samples[:, c]
            bounds[:, c] = np.quantile(drawn[np.isfinite(drawn).all(1)], BOUNDS, axis=0)
    return means, bounds


def _between_share(array: np.ndarray, codes: np.ndarray) -> float:
    """η²: sum of squares between classes over the total, over all columns."""
    centred = array - array.mean(0)
    total = (centred**2).sum()
    if total < len(array) * STILL**2:
        return float("nan")
    sizes = np.maximum(codes.sum(0), 1)[:, None]
    return float((sizes * (codes.T @ centred / sizes) ** 2).sum() / total)


def _correlations(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Pearson's r (n,) of the rows of two arrays (n, T'); NaN where one is flat."""
    a, b = (array - array.mean(1, keepdims=True) for array in (a, b))
    scale = np.sqrt((a**2).sum(1) * (b**2).sum(1))
    return np.divide((a * b).sum(1), scale, out=np.full(len(a), np.nan), where=scale > 1e-12)

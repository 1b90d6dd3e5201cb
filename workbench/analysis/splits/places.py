"""Where does a split read, and does that follow the clip? From places and reading weights alone.

- occupancy: which feature frames each group reads, class by class;
- awareness: do the places differ more between clips than between copies of one clip that show the same?
- agreement: does the dynamic group read where the picture changes?
"""

import numpy as np
from numpy.typing import ArrayLike

from ifdd.errors import InputError
from workbench.analysis.embedding.quality import shuffled
from workbench.analysis.splits.results import Awareness, MotionAgreement, Occupancy
from workbench.results.bootstrap import BOUNDS, draw_weights, group_members, jackknife_of_sums, mean_interval, spread
from workbench.results.checks import check_finite, check_labels
from workbench.results.controls import other_clips
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

    Raises:
        InputError: shapes or labels that do not fit.

    >>> reads = np.tile([[[0.0, 1, 0, 0], [0, 0, 0, 1]]], (4, 1, 1))  # 4 clips, 2 steps that read frames 1 and 3
    >>> occupancy(reads, 1 - reads, [0, 0, 1, 1], ("sad", "happy")).dynamic.tolist()
    [[0.0, 1.0, 0.0, 1.0], [0.0, 1.0, 0.0, 1.0]]
    """
    dynamic, static = (check_finite(w, 3, name).sum(1) for w, name in ((weights_D, "weights_D"), (weights_S, "weights_S")))
    y = check_labels(labels, len(dynamic), len(label_names))
    codes = np.eye(len(label_names))[y]  # (n, classes)
    members = group_members(groups, len(y))
    draws = draw_weights(members, RESAMPLES, seed)
    means, bounds = zip(*(_by_class(array, codes, draws) for array in (dynamic, static)), strict=True)
    rng = np.random.default_rng(seed)
    lean = dynamic - static
    lean -= lean.mean(0)  # squares of centred values lose no digits to the mean's
    null = [_share_between(_terms(lean, np.eye(len(label_names))[shuffled(y, members, rng)]).sum(0)) for _ in range(SHUFFLES)]
    share = jackknife_of_sums(_share_between, _terms(lean, codes), members, 0, 1)
    return Occupancy(
        label_names=label_names,
        counts=codes.sum(0).astype(np.int64),
        dynamic=means[0],
        dynamic_bounds=bounds[0],
        static=means[1],
        static_bounds=bounds[1],
        class_share=share,
        class_null=float(np.mean(null)),
    )


def awareness(places: np.ndarray, *, groups: ArrayLike | None = None, seed: int = 0) -> Awareness:
    """Variance of places (n clips, copies, steps) between clips against within the copies of a clip.

    Raises:
        InputError: fewer than two clips or copies, or places that are not finite.

    Source: Shrout and Fleiss 1979, ICC(1, 1), with the sums of squares of all steps added.

    >>> clips = np.array([[1.0, 3], [2, 4], [0, 5]])  # 3 clips, 2 steps
    >>> awareness(np.stack([clips, clips], 1)).icc.value  # copies are read at the same places
    1.0
    """
    array = check_finite(places, 3, "places")
    n, copies, _ = array.shape
    if n < 2 or copies < 2:
        raise InputError(
            f"places are of {n} clips and {copies} copies; between and within need two of each; give two clips or more"
        )
    middle = array.mean(1)  # (n, steps)
    inner = ((array - middle[:, None]) ** 2).sum(1) / (copies - 1)  # (n, steps)
    members = group_members(groups, n)
    draws = draw_weights(members, RESAMPLES, seed)

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
    null = np.mean([_icc(_mixed(array, members, seed + i)) for i in range(SHUFFLES)]) if np.isfinite(icc.value) else np.nan
    told = _icc(np.repeat(array[:, :1], copies, 1))
    return Awareness(icc, float(null), told, apart, astray, between, within, n, copies)


def _mixed(places: np.ndarray, members: np.ndarray, seed: int) -> np.ndarray:
    """Places (n, copies, steps) whose copies are each of another person's clip."""
    others = other_clips(members, places.shape[1] - 1, seed)
    return np.stack([places[:, 0], *(places[other, i] for i, other in enumerate(others, 1))], 1)


def _icc(places: np.ndarray) -> float:
    """ICC(1, 1) of places (n, copies, steps), all steps together; NaN for places that never move."""
    n, copies, _ = places.shape
    middle = places.mean(1)
    within = ((places - middle[:, None]) ** 2).sum() / (copies - 1) / n
    between = middle.var(0, ddof=1).sum() - within / copies
    return float(between / (between + within)) if np.sqrt(max(between + within, 0)) >= STILL else float("nan")


def motion_agreement(
    weights_D: np.ndarray, weights_S: np.ndarray, energy: np.ndarray, *, groups: ArrayLike | None = None, seed: int = 0
) -> MotionAgreement:
    """Agreement of reading weights (n, K, T') with motion energy (n, T'); clips where either is flat are left out.

    Raises:
        InputError: shapes that do not fit or values that are not finite.

    >>> reads = np.tile([[[0.0, 1, 0, 0], [0, 0, 0, 1]]], (4, 1, 1))  # 4 clips, 2 steps that read frames 1 and 3
    >>> found = motion_agreement(reads, 1 - reads, np.tile([0.0, 1, 0, 1], (4, 1)))
    >>> round(found.correlation.value, 3), found.energy_D.value
    (1.0, 2.0)
    """
    dynamic, static = (check_finite(w, 3, name) for w, name in ((weights_D, "weights_D"), (weights_S, "weights_S")))
    power = check_finite(energy, 2, "energy")
    n, _, frames = dynamic.shape
    if power.shape != (n, frames):
        raise InputError(f"energy has shape {power.shape}; pass ({n}, {frames}), one number for each feature frame")
    lean = (dynamic - static).sum(1)
    members = group_members(groups, n)
    draws = draw_weights(members, RESAMPLES, seed)
    found = _correlations(lean, power)
    others = list(other_clips(members, SHUFFLES, seed)) if n > 1 else []
    most = np.zeros((n, frames))
    np.put_along_axis(most, np.argsort(power, axis=1, kind="stable")[:, frames // 2 :], 1.0, 1)
    relative = power / np.maximum(power.mean(1, keepdims=True), 1e-12)

    def read(weights: np.ndarray, of: np.ndarray) -> np.ndarray:
        """Energy `of` (n, T') clips where frames are read by weights (n, T'); NaN without motion."""
        return np.where(of.max(1) > 0, (weights * of).sum(1) / weights.sum(1), np.nan)

    def of_group(weights: np.ndarray, told: np.ndarray) -> tuple[Interval, float, float]:
        null = _mean([read(weights, relative[other]) for other in others])
        return mean_interval(read(weights, relative), draws), null, _mean([read(told, relative)])

    by_d, by_s = of_group(dynamic.sum(1), most), of_group(static.sum(1), 1 - most)
    null, told = _mean([_correlations(lean, power[other]) for other in others]), _mean([_correlations(2 * most - 1, power)])
    return MotionAgreement(mean_interval(found, draws), null, told, *by_d, *by_s, int(np.isfinite(found).sum()))


def _mean(rows: list[np.ndarray]) -> float:
    """Mean of what is defined."""
    values = np.concatenate(rows) if rows else np.empty(0)
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


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


def _terms(array: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """What each row (n, T') adds to the sums that η² is made of (n, classes, 2 + T'): one, its squares, its values; by class."""
    added = np.concatenate([np.ones((len(array), 1)), (array**2).sum(1, keepdims=True), array], 1)
    return codes[:, :, None] * added[:, None]


def _share_between(sums: np.ndarray) -> np.ndarray:
    """η² (…) from sums (…, classes, 2 + T') of `_terms`: sum of squares between classes over the total, over all columns."""
    sizes, values = sums[..., 0], sums[..., 2:]
    n = sizes.sum(-1)
    middle = (values.sum(-2) ** 2).sum(-1) / n
    total = sums[..., 1].sum(-1) - middle
    between = ((values**2).sum(-1) / np.maximum(sizes, 1)).sum(-1) - middle
    return np.divide(between, total, out=np.full(np.shape(total), np.nan), where=total >= n * STILL**2)


def _correlations(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Pearson's r (n,) of the rows of two arrays (n, T'); NaN where one is flat."""
    a, b = (array - array.mean(1, keepdims=True) for array in (a, b))
    scale = np.sqrt((a**2).sum(1) * (b**2).sum(1))
    return np.divide((a * b).sum(1), scale, out=np.full(len(a), np.nan), where=scale > 1e-12)

"""Does the split read the frames in which the emotion happens? Scored where the truth is known for every frame.

A feature frame t has d_t = Σ_k w_D[k, t] and s_t = Σ_k w_S[k, t]: how much the dynamic and how much the static group reads it.
Within each clip d_t, s_t and d_t − s_t, each by itself, are compared with a truth binarised at a quarter of the clip's maximum
(area under the ROC curve, average precision); clips are averaged, intervals come from a bootstrap over groups. The difference
alone is no answer: it falls below a half as well where D reads the emotion's frames often and S still more often.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment

from ifdd.errors import InputError
from workbench.analysis.disentanglement.results import GROUPS, OTHERS, TARGETS, Group, SplitQualityResult, SplitScore
from workbench.results.bootstrap import draw_weights, group_members, mean_interval
from workbench.results.controls import other_clips
from workbench.results.interval import Interval
from workbench.results.provenance import record

TOLD = "told"
THRESHOLD = 0.25
"""A frame shows the emotion (or its movement) above this share of the clip's maximum."""

SHUFFLES = 5
"""How often each clip is given the places of another one, for the null."""


def split_quality(
    weights_D: ArrayLike,
    weights_S: ArrayLike,
    truth: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    levels: ArrayLike | None = None,
    frame_difference: ArrayLike | None = None,
    offset_range: float = 2,
    resamples: int = 1000,
    seed: int = 0,
) -> SplitQualityResult:
    """Score reading weights (n, K, T') of both groups against the true intensity (n, F), F a multiple of T'.

    `motion` is the mean |dI/dt| within a feature frame, `intensity` the mean I. Readers beside the model: the model at the places
    of other people's clips (the null), even-odd, half-way (1/2, 5/2, …, both groups), uniform, middle (the nearer to the clip's
    middle, the more: what position alone tells), random offsets within `offset_range` feature frames, the K frames with the
    largest `frame_difference` (n, T') if given; an oracle that knows the active frames and reads, within the same range, those
    with D and the others with S; and one that is told the K largest frames and reads them with D wherever they lie (as the
    recipes with `control: {places: truth}`).
    `levels` (n,) names a nuisance level of each clip, for rows of their own; `groups` (n,) persons, drawn whole.

    Source: Hanley and McNeil 1982 (area under the ROC curve).

    Raises:
        InputError: shapes that do not fit, weights that are not finite, or no clip with an emotion.

    >>> reads = np.tile([[[0.0, 1, 0, 0], [0, 0, 0, 1]]], (4, 1, 1))  # 4 clips, 2 steps that read frames 1 and 3
    >>> found = split_quality(reads, 1 - reads, np.tile([0.0, 1, 0, 1], (4, 1)))
    >>> found.score("model").auroc.value, found.intensity_D.value
    (1.0, 1.0)
    """
    dynamic, static, intensity = _checked(weights_D, weights_S, truth)
    n, _, steps = dynamic.shape
    per_frame = intensity.reshape(n, steps, -1)
    truths = {"intensity": per_frame.mean(2), "motion": _motion(intensity, steps)}
    active = intensity.max(1) > 0
    if not active.any():
        raise InputError("truth is zero in every clip; pass clips that show an emotion (neutral clips are left out)")
    members = group_members(groups, n)
    draws = draw_weights(members, resamples, seed)
    named = np.full(n, "all") if levels is None else np.asarray(levels).astype(str)
    if named.shape != (n,):
        raise InputError(f"levels has shape {named.shape} for {n} clips; pass one level for each clip")
    rng = np.random.default_rng([seed, 1])
    own = dynamic.sum(1), static.sum(1)
    others = other_clips(members, SHUFFLES, seed) if n > 1 else np.empty((0, n), np.int64)
    scores = []
    told = {}
    for target in TARGETS:
        told[target] = _told(truths[target], rng)
        readers = {"model": own} | _references(n, steps, truths[target], offset_range, rng) | {TOLD: told[target]}
        if frame_difference is not None:
            largest = _largest(np.asarray(frame_difference, np.float64), n, steps)
            readers["largest difference"] = largest, -largest
        for reader, group, auroc, ap in _areas(readers, own, others, truths[target], active):
            for level in ["all", *([] if levels is None else sorted(set(named)))]:
                inside = np.ones(n, bool) if level == "all" else named == level
                first, second = (mean_interval(np.where(inside, column, np.nan), draws) for column in (auroc, ap))
                scores.append(SplitScore(reader, group, target, level, first, second, int((np.isfinite(auroc) & inside).sum())))
    share = truths["intensity"] / np.maximum(truths["intensity"].max(1, keepdims=True), 1e-12)

    def read(weight: np.ndarray, of: np.ndarray | None = None) -> Interval:
        """Mean intensity where frames (n, T') are read by `weight`, of the clips themselves or of `of` (r, n)."""
        total = np.maximum(weight.sum(1), 1e-12)
        found = (weight * share).sum(1) / total if of is None else ((weight[of] * share).sum(2) / total[of]).mean(0)
        return mean_interval(np.where(active, found, np.nan), draws)

    reference = {"uniform": read(np.ones((n, steps)))}
    for i, name in enumerate("DS"):
        if len(others):
            reference[f"{name}, {OTHERS}"] = read(own[i], others)
        reference[f"{name}, {TOLD}"] = read(told["intensity"][i])
    return SplitQualityResult(
        scores=tuple(scores),
        occupancy_D=own[0].mean(0),
        occupancy_S=own[1].mean(0),
        intensity_D=read(own[0]),
        intensity_S=read(own[1]),
        intensity_reference=reference,
        clips=n,
        without=int((~active).sum()),
        provenance=record(
            "split_quality",
            {"threshold": THRESHOLD, "offset_range": offset_range, "resamples": resamples, "seed": seed},
            {"weights_D": dynamic, "weights_S": static, "truth": intensity},
        ),
    )


_Reading = tuple[np.ndarray, np.ndarray]
"""How much D and S read each feature frame, (n, T') each."""


def _references(n: int, steps: int, truth: np.ndarray, limit: float, rng: np.random.Generator) -> dict[str, _Reading]:
    """Readers that do not depend on the model."""
    odd, middle = np.tile(np.arange(steps) % 2.0, (n, 1)), np.tile(-np.abs(np.arange(steps) - (steps - 1) / 2), (n, 1))
    between = np.tile(np.arange(0.5, steps - 0.5, 2), (n, 1))
    places = {"half-way": (between, between), "random": _random(n, steps, limit, rng), "oracle": _oracle(truth, limit)}
    return {
        "even-odd": (odd, 1 - odd),
        "uniform": (np.ones((n, steps)), np.ones((n, steps))),
        "middle": (middle, -middle),
    } | {name: (_read(dynamic, steps), _read(static, steps)) for name, (dynamic, static) in places.items()}


def _areas(
    readers: Mapping[str, _Reading], own: _Reading, others: np.ndarray, truth: np.ndarray, active: np.ndarray
) -> list[tuple[str, Group, np.ndarray, np.ndarray]]:
    """Reader, group, AUROC and average precision (n,) each."""
    found: list[tuple[str, Group, np.ndarray, np.ndarray]] = []
    for reader, (dynamic, static) in readers.items():
        for group, values in zip(GROUPS, (dynamic, static, dynamic - static), strict=True):
            found.append((reader, group, *_by_clip(values, truth, active)))
    for group, values in zip(GROUPS, (own[0], own[1], own[0] - own[1]), strict=True):
        if len(others):
            auroc, ap = zip(*(_by_clip(values[other], truth, active) for other in others), strict=True)
            found.append((OTHERS, group, np.mean(auroc, 0), np.mean(ap, 0)))
    return found


def _told(truth: np.ndarray, rng: np.random.Generator) -> _Reading:
    """The larger half of a clip's frames (n, T') with D, the others with S; equal ones are drawn."""
    order = np.lexsort((rng.random(truth.shape), truth), axis=1)
    largest = np.zeros(truth.shape)
    np.put_along_axis(largest, order[:, truth.shape[1] // 2 :], 1.0, 1)
    return largest, 1 - largest


def _checked(weights_D: ArrayLike, weights_S: ArrayLike, truth: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    dynamic, static, intensity = (np.asarray(array, np.float64) for array in (weights_D, weights_S, truth))
    if dynamic.ndim != 3 or dynamic.shape != static.shape or len(dynamic) < 1:
        raise InputError(f"weights have shapes {dynamic.shape} and {static.shape}; pass (clips, K, T') for both groups")
    steps = dynamic.shape[2]
    if intensity.ndim != 2 or len(intensity) != len(dynamic) or intensity.shape[1] % steps:
        raise InputError(
            f"truth has shape {intensity.shape} for {len(dynamic)} clips of {steps} feature frames; "
            f"pass intensities (clips, F) with F a multiple of {steps}"
        )
    for name, array in (("weights_D", dynamic), ("weights_S", static), ("truth", intensity)):
        if not np.isfinite(array).all():
            raise InputError(f"{name} holds NaN or infinity; drop those clips")
    return dynamic, static, intensity


def _motion(intensity: np.ndarray, steps: int) -> np.ndarray:
    """Mean |dI/dt| (n, T') of intensities (n, F), per frame of F."""
    return np.abs(np.gradient(intensity, axis=1)).reshape(len(intensity), steps, -1).mean(2)


def _by_clip(values: np.ndarray, truth: np.ndarray, active: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """AUROC and average precision (n,) each, as scikit-learn has them; NaN where a clip's frames are all active or none is.

    All clips at once, by comparing every pair of frames: a call of scikit-learn for each clip costs a thousand times as much.
    """
    shown = truth > THRESHOLD * truth.max(1, keepdims=True)
    scored = active & shown.any(1) & ~shown.all(1)
    gap = values[:, :, None] - values[:, None, :]  # [i, t, u]: how far frame t is above frame u
    wins = (gap > 0) + 0.5 * (gap == 0)
    found, others = shown.sum(1), (~shown).sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        auroc = np.einsum("nt,ntu,nu->n", shown, wins, ~shown) / (found * others)
        reached = gap <= 0  # u is retrieved by the time t is
        precision = (reached * shown[:, None, :]).sum(2) / reached.sum(2)
        ap = (precision * shown).sum(1) / found
    return np.where(scored, auroc, np.nan), np.where(scored, ap, np.nan)


def _read(position: np.ndarray, steps: int) -> np.ndarray:
    distance = np.abs(position[:, :, None] - np.arange(steps))
    return np.clip(1 - distance, 0, 1).sum(1)


def _random(n: int, steps: int, limit: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    offsets = rng.uniform(-limit, limit, (2, n, steps // 2))
    dynamic, static = (np.arange(first, steps, 2) + offset for first, offset in zip((1, 0), offsets, strict=True))
    return np.clip(dynamic, 0, steps - 1), np.clip(static, 0, steps - 1)


def _oracle(truth: np.ndarray, limit: float) -> tuple[np.ndarray, np.ndarray]:
    """Whole frames (n, K) that each group would read if it knew the active frames: all that are in reach, and no others."""
    steps = truth.shape[1]
    shown = truth > THRESHOLD * truth.max(1, keepdims=True)
    chosen = []
    for first, active in ((1, shown), (0, ~shown)):
        distance = np.abs(np.arange(first, steps, 2)[:, None] - np.arange(steps))
        positions = np.empty((len(truth), steps // 2))
        for i, wanted in enumerate(active):
            gain = np.where(distance <= limit, wanted + 1.0, -10.0) - 1e-3 * distance
            match = linear_sum_assignment(gain, maximize=True)[1]  # each frame once: as many as possible are covered
            spare = ~wanted[match]
            match[spare] = gain[spare].argmax(1)  # steps that are left over read a wanted frame again
            positions[i] = match
        chosen.append(positions)
    return chosen[0], chosen[1]


def _largest(difference: np.ndarray, n: int, steps: int) -> np.ndarray:
    if difference.shape != (n, steps):
        raise InputError(f"frame_difference has shape {difference.shape}; pass ({n}, {steps}), one number for each feature frame")
    rank = difference.argsort(1).argsort(1)
    return np.where(rank >= steps - steps // 2, 1.0, -1.0)

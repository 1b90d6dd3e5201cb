"""Does the split read the frames in which the emotion happens? Scored where the truth is known for every frame.

A feature frame t gets s_t = Σ_k w_D[k, t] − Σ_k w_S[k, t]: how much more the dynamic group reads it than the static one. Within
each clip s_t is compared with a truth binarised at a quarter of the clip's maximum (area under the ROC curve, average
precision); clips are averaged, intervals come from a bootstrap over groups.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment

from ifdd.errors import InputError
from workbench.analysis._clusters import draw_weights, group_members, mean_interval
from workbench.analysis._result import Result
from workbench.analysis.metrics import Interval
from workbench.provenance import Provenance, record

Target = Literal["intensity", "motion"]
TARGETS: tuple[Target, ...] = ("intensity", "motion")
THRESHOLD = 0.25
"""A frame shows the emotion (or its movement) above this share of the clip's maximum."""


@dataclass(frozen=True, eq=False)
class SplitScore(Result):
    """How well one reader finds the frames of one truth; `clips` are those whose frames are neither all nor none active."""

    reader: str
    target: Target
    level: str
    auroc: Interval
    ap: Interval
    clips: int


@dataclass(frozen=True, eq=False)
class SplitQualityResult(Result):
    """Scores of the model and of the readers to compare it with.

    `occupancy_D`, `occupancy_S` (T',): mean reading weight of each feature frame. `without` clips have no emotion to find
    (neutral); `intensity_D`: mean true intensity where the dynamic group reads, as a share of the clip's maximum.
    """

    scores: tuple[SplitScore, ...]
    occupancy_D: np.ndarray
    occupancy_S: np.ndarray
    intensity_D: Interval
    intensity_S: Interval
    clips: int
    without: int
    provenance: Provenance

    def score(self, reader: str = "model", target: Target = "intensity", level: str = "all") -> SplitScore:
        """One row. Raises: InputError for one that is not there."""
        for row in self.scores:
            if (row.reader, row.target, row.level) == (reader, target, level):
                return row
        raise InputError(
            f"no score of {reader}, {target}, {level}; readers: {', '.join(dict.fromkeys(r.reader for r in self.scores))}"
        )


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

    `motion` is the mean |dI/dt| within a feature frame, `intensity` the mean I. Readers beside the model: even-odd, uniform,
    middle (the nearer to the clip's middle, the more: what position alone tells), random offsets within `offset_range` feature
    frames, the K frames with the largest `frame_difference` (n, T') if given, and an oracle that knows the active frames and
    reads, within the same range, those with D and the others with S.
    `levels` (n,) names a nuisance level of each clip, for rows of their own.
    Raises: InputError for shapes that do not fit, weights that are not finite, or no clip with an emotion.
    """
    dynamic, static, intensity = _checked(weights_D, weights_S, truth)
    n, _, steps = dynamic.shape
    per_frame = intensity.reshape(n, steps, -1)
    truths = {"intensity": per_frame.mean(2), "motion": _motion(intensity, steps)}
    active = intensity.max(1) > 0
    if not active.any():
        raise InputError("truth is zero in every clip; pass clips that show an emotion (neutral clips are left out)")
    draws = draw_weights(group_members(groups, n), resamples, seed)
    named = np.full(n, "all") if levels is None else np.asarray(levels).astype(str)
    if named.shape != (n,):
        raise InputError(f"levels has shape {named.shape} for {n} clips; pass one level for each clip")
    rng = np.random.default_rng([seed, 1])
    scores = []
    for target in TARGETS:
        readers = {
            "model": dynamic.sum(1) - static.sum(1),
            "even-odd": np.tile(np.where(np.arange(steps) % 2, 1.0, -1.0), (n, 1)),
            "uniform": np.zeros((n, steps)),
            "middle": np.tile(-np.abs(np.arange(steps) - (steps - 1) / 2), (n, 1)),
            "random": _score_of(*_random(n, steps, offset_range, rng), steps),
            "oracle": _score_of(*_oracle(truths[target], offset_range), steps),
        }
        if frame_difference is not None:
            readers["largest difference"] = _largest(np.asarray(frame_difference, np.float64), n, steps)
        for reader, values in readers.items():
            auroc, ap = _by_clip(values, truths[target], active)
            for level in ["all", *([] if levels is None else sorted(set(named)))]:
                inside = np.ones(n, bool) if level == "all" else named == level
                first, second = (mean_interval(np.where(inside, column, np.nan), draws) for column in (auroc, ap))
                scores.append(SplitScore(reader, target, level, first, second, int((np.isfinite(auroc) & inside).sum())))
    share = truths["intensity"] / np.maximum(truths["intensity"].max(1, keepdims=True), 1e-12)
    read = {name: np.where(active, (w.mean(1) * share).sum(1), np.nan) for name, w in (("D", dynamic), ("S", static))}
    return SplitQualityResult(
        scores=tuple(scores),
        occupancy_D=dynamic.sum(1).mean(0),
        occupancy_S=static.sum(1).mean(0),
        intensity_D=mean_interval(read["D"], draws),
        intensity_S=mean_interval(read["S"], draws),
        clips=n,
        without=int((~active).sum()),
        provenance=record(
            "split_quality",
            {"threshold": THRESHOLD, "offset_range": offset_range, "resamples": resamples, "seed": seed},
            {"weights_D": dynamic, "weights_S": static, "truth": intensity},
        ),
    )


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


def _score_of(position_D: np.ndarray, position_S: np.ndarray, steps: int) -> np.ndarray:
    """s_t (n, T') of positions (n, K) in feature frames, read by linear interpolation."""
    return _read(position_D, steps) - _read(position_S, steps)


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

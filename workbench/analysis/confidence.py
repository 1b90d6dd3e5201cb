"""How sure is the model, and is it right to be? Densities of the class probabilities, and calibration."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ifdd.errors import InputError
from workbench.analysis._inputs import check_labels, check_names, check_probabilities
from workbench.analysis._result import Result
from workbench.provenance import Provenance, record

MIN_BANDWIDTH = 1e-4
MIN_SPREAD = 1e-8
"""Standard deviation below which all values count as equal: float32 probabilities differ by more."""


@dataclass(frozen=True, eq=False)
class Density(Result):
    """Probabilities of one class over one set of clips, and their density on [0, 1].

    `density` (G,) per unit of probability on the result's grid, and `bandwidth` (standard deviation of the kernel, in
    units of probability), are None where the values allow no density: fewer than two, or all equal.
    """

    values: np.ndarray  # (n,) the probabilities themselves, for the rug
    rows: np.ndarray  # (n,) which clips they belong to
    density: np.ndarray | None
    bandwidth: float | None

    @property
    def n(self) -> int:
        """Number of clips."""
        return len(self.values)


@dataclass(frozen=True, eq=False)
class ClassConfidence(Result):
    """Probability of one class, for the clips of that class (positives) and for all others (negatives)."""

    name: str
    positives: Density
    negatives: Density


@dataclass(frozen=True, eq=False)
class ConfidenceResult(Result):
    """Per-class confidence densities of one model on n clips."""

    grid: np.ndarray  # (G,) from 0 to 1
    classes: tuple[ClassConfidence, ...]
    notes: tuple[str, ...]
    provenance: Provenance

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the model."""
        return tuple(item.name for item in self.classes)


@dataclass(frozen=True, eq=False)
class CalibrationResult(Result):
    """Reliability of the winning class over bins of confidence, and calibration errors.

    A bin holds confidences above its lower and up to its upper edge. `mean_confidence` and `accuracy` of an empty bin
    are NaN. `ece` is the expected calibration error of the winning class; `classwise_ece` (C,) that of every class.
    """

    n: int
    label_names: tuple[str, ...]
    edges: np.ndarray  # (bins + 1,)
    counts: np.ndarray  # (bins,)
    mean_confidence: np.ndarray  # (bins,)
    accuracy: np.ndarray  # (bins,)
    ece: float
    classwise_ece: np.ndarray  # (C,)
    provenance: Provenance

    @property
    def caption(self) -> str:
        """One sentence: n, both calibration errors, number of bins."""
        return (
            f"n = {self.n}; expected calibration error {self.ece:.3f}, "
            f"mean over classes {self.classwise_ece.mean():.3f} ({len(self.counts)} bins)"
        )


def density(
    probs: ArrayLike,
    labels: ArrayLike,
    label_names: Sequence[str] | None = None,
    bandwidth: float | None = None,
    grid: int = 512,
) -> ConfidenceResult:
    """Estimate, one class against the rest, how the predicted probability of that class is distributed.

    Gaussian kernel density on [0, 1], reflected at both ends, so that it integrates to 1 there and no mass leaks out.
    Without `bandwidth`, each curve takes Scott's rule, s·n^(-1/5), but never less than one step of the grid.

    Args:
        probs: (n, C) softmax probabilities.
        labels: (n,) true class indexes.
        label_names: one name per class.
        bandwidth: standard deviation of the kernel for every curve, in units of probability, at least 0.0001.
        grid: number of points; made finer where `bandwidth` is below one step.

    Raises:
        InputError: rows that are no probabilities, labels that do not fit, a bandwidth or grid out of range.

    Source: the per-class confidence figure of the IFDD paper (Fig. 5); Silverman 1986, section 2.10 (reflection).
    """
    p = check_probabilities(probs)
    y = check_labels(labels, len(p), p.shape[1])
    names = check_names(label_names, p.shape[1])
    if grid < 16:
        raise InputError(f"grid {grid} is too coarse; use 16 points or more")
    if bandwidth is not None and not (np.isfinite(bandwidth) and bandwidth >= MIN_BANDWIDTH):
        raise InputError(f"bandwidth {bandwidth:g} is not usable; pass {MIN_BANDWIDTH:g} or more, or none for Scott's rule")
    if bandwidth is not None:
        grid = max(grid, int(np.ceil(1 / bandwidth)) + 1)
    points = np.linspace(0.0, 1.0, grid)
    notes: list[str] = []
    classes = []
    for c, name in enumerate(names):
        own = y == c
        if not own.any():
            notes.append(f"{name}: no clip has this label")
        sides = [
            _density(p[:, c], rows, points, bandwidth, f"{name}, {side}", notes)
            for side, rows in (("positives", own), ("negatives", ~own))
        ]
        classes.append(ClassConfidence(name, *sides))
    settings = {"bandwidth": bandwidth if bandwidth is not None else "scott", "grid": grid, "label_names": list(names)}
    return ConfidenceResult(
        points, tuple(classes), tuple(notes), record("confidence.density", settings, {"probs": p, "labels": y})
    )


def _density(
    p: np.ndarray, chosen: np.ndarray, points: np.ndarray, bandwidth: float | None, what: str, notes: list[str]
) -> Density:
    rows = np.flatnonzero(chosen)
    values = p[rows]
    spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    if spread < MIN_SPREAD:
        if len(values):
            notes.append(f"{what}: no density from {'one clip' if len(values) == 1 else 'equal values'} (n = {len(values)})")
        return Density(values, rows, None, None)
    if bandwidth is None:
        step = float(points[1])
        bandwidth = spread * len(values) ** -0.2
        if bandwidth < step:
            notes.append(f"{what}: bandwidth raised from {bandwidth:.2g} to {step:.2g}, one step of the grid")
            bandwidth = step
    return Density(values, rows, reflected_kde(values, points, bandwidth), bandwidth)


def reflected_kde(values: np.ndarray, points: np.ndarray, bandwidth: float) -> np.ndarray:
    """Gaussian kernel density of `values` (n,) in [0, 1] at `points` (G,) in [0, 1], reflected at 0 and 1; (G,).

    f(x) = mean over values v of Σ_m φ_h(x - 2m - v) + φ_h(x - 2m + v): every image of v in the two mirrors.
    """
    bandwidth = min(bandwidth, 4.0)  # from here on the sum is uniform to machine precision
    reach = 8 * bandwidth  # a kernel beyond it adds less than 1e-14
    last = int(np.ceil((reach + 1) / 2))
    total = np.zeros(len(points))
    for block in np.array_split(values, -(-len(values) // 4096)):  # bounds the memory at 4096 × G
        for m in range(-last, last + 1):
            for image in (2 * m + block, 2 * m - block):
                image = image[(image > -reach) & (image < 1 + reach)]
                if image.size:
                    total += np.exp(-0.5 * ((points[None] - image[:, None]) / bandwidth) ** 2).sum(axis=0)
    return total / (len(values) * bandwidth * np.sqrt(2 * np.pi))


def calibration(
    probs: ArrayLike, labels: ArrayLike, bins: int = 15, label_names: Sequence[str] | None = None
) -> CalibrationResult:
    """Compare how sure the model is with how often it is right.

    Args:
        probs: (n, C) softmax probabilities.
        labels: (n,) true class indexes.
        bins: number of bins of equal width on [0, 1].
        label_names: one name per class.

    Raises:
        InputError: rows that are no probabilities, labels that do not fit, no bins.

    Source: Guo et al. 2017 (expected calibration error of the winning class); Kull et al. 2019 (class-wise).
    """
    p = check_probabilities(probs)
    y = check_labels(labels, len(p), p.shape[1])
    names = check_names(label_names, p.shape[1])
    if bins < 1:
        raise InputError(f"bins is {bins}; use 1 or more")
    edges = np.linspace(0.0, 1.0, bins + 1)
    counts, confidence, accuracy = _reliability(p.max(axis=1), p.argmax(axis=1) == y, edges)
    classwise = [_calibration_error(*_reliability(p[:, c], y == c, edges)) for c in range(p.shape[1])]
    return CalibrationResult(
        n=len(p),
        label_names=names,
        edges=edges,
        counts=counts,
        mean_confidence=confidence,
        accuracy=accuracy,
        ece=_calibration_error(counts, confidence, accuracy),
        classwise_ece=np.array(classwise),
        provenance=record("confidence.calibration", {"bins": bins, "label_names": list(names)}, {"probs": p, "labels": y}),
    )


def _reliability(confidence: np.ndarray, hit: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count, mean confidence and share of hits in each bin (low, high]; a confidence of 0 falls in the first."""
    bins = len(edges) - 1
    where = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    counts = np.bincount(where, minlength=bins)
    known = np.where(counts > 0, counts, np.nan)
    return counts, np.bincount(where, confidence, bins) / known, np.bincount(where, hit, bins) / known


def _calibration_error(counts: np.ndarray, confidence: np.ndarray, accuracy: np.ndarray) -> float:
    filled = counts > 0
    return float((counts[filled] * np.abs(accuracy[filled] - confidence[filled])).sum() / counts.sum())

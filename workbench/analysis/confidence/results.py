"""What measures of confidence return; no computing here."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workbench.results.interval import Interval
from workbench.results.provenance import Provenance
from workbench.results.result import Result

Binning = Literal["mass", "width"]


@dataclass(frozen=True)
class CalibrationOptions:
    """Bins of confidence and the seed of all draws, as `confidence.calibration` takes them."""

    bins: int | None = None
    binning: Binning | None = None
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Density(Result):
    """Probabilities of one class over one set of clips, and their density on [0, 1].

    `density` (G,) per unit of probability on the result's grid, and `bandwidth` (standard deviation of the kernel, in
    units of probability), are None where the values allow no density: fewer than two, or all equal.
    """

    values: np.ndarray  # (n,) the probabilities themselves, for the rug
    rows: NDArray[np.int64]  # (n,) which clips they belong to
    density: np.ndarray | None
    bandwidth: float | None

    @property
    def n(self) -> int:
        """Number of clips."""
        return len(self.values)


@dataclass(frozen=True, eq=False)
class ClassConfidence(Result):
    """Probability of one class, for the clips of that class (positives) and for all others (negatives).

    `overlap` is the area under both densities at one bandwidth, the wider of the two, from 0 (apart) to 1 (equal); so few clips
    of one and the same kind would have `overlap_null`. Both are None where a density is. `separation` is the probability that a
    positive has more than a negative, ties by halves (the area under the ROC curve): 0.5 is chance, 1 apart; None where a side
    has no clip. `separation_interval` is the same with its 95 % interval, no value where it is None.
    """

    name: str
    positives: Density
    negatives: Density
    overlap: float | None
    overlap_null: float | None
    separation: float | None
    separation_interval: Interval


@dataclass(frozen=True, eq=False)
class ConfidenceResult(Result):
    """Per-class confidence densities of one model on n clips; `units` says what the intervals of the separation are over."""

    grid: np.ndarray  # (G,) from 0 to 1
    classes: tuple[ClassConfidence, ...]
    notes: tuple[str, ...]
    provenance: Provenance
    units: str = ""

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the model."""
        return tuple(item.name for item in self.classes)

    @property
    def table(self) -> list[dict[str, object]]:
        """One row per class: n and bandwidth of both sides, overlap, separation with its interval."""
        rows: list[dict[str, object]] = []
        for item in self.classes:
            row: dict[str, object] = {
                "class": item.name,
                "overlap": item.overlap,
                "overlap null": item.overlap_null,
                "separation": item.separation,
                "separation low": _bound(item.separation_interval.low),
                "separation high": _bound(item.separation_interval.high),
            }
            for side, part in (("positives", item.positives), ("negatives", item.negatives)):
                row |= {f"n {side}": part.n, f"bandwidth {side}": part.bandwidth}
            rows.append(row)
        return rows


def _bound(value: float) -> float | None:
    return None if value != value else value  # NaN is not itself


@dataclass(frozen=True, eq=False)
class CalibrationResult(Result):
    """Reliability of the winning class over bins of confidence, and calibration errors.

    A bin holds confidences above its lower and up to its upper edge: `binning` "mass" gives each as many clips as the ties allow,
    "width" the same width. `mean_confidence` and `accuracy` of an empty bin are NaN; `accuracy_bounds` is the 95 % interval of
    `ifdd.metrics`. `ece` is the expected calibration error of the winning class, with an interval over persons; a perfectly
    calibrated model would have `ece_null` on average of so many clips. `classwise_ece` (C,) is that of every class.
    """

    n: int
    label_names: tuple[str, ...]
    edges: np.ndarray  # (bins + 1,)
    counts: np.ndarray  # (bins,)
    mean_confidence: np.ndarray  # (bins,)
    accuracy: np.ndarray  # (bins,)
    accuracy_bounds: np.ndarray  # (bins, 2)
    binning: Binning
    ece: float
    ece_interval: Interval
    ece_null: float
    classwise_ece: np.ndarray  # (C,)
    units: str
    notes: tuple[str, ...]
    provenance: Provenance

    @property
    def caption(self) -> str:
        """One sentence: n, both calibration errors, what a perfect model would have, number and kind of bins."""
        return (
            f"n = {self.n}; expected calibration error {self.ece_interval.text('.3f')} {self.units}; "
            f"a perfectly calibrated model would have {self.ece_null:.3f}; "
            f"mean over classes {self.classwise_ece.mean():.3f} ({len(self.counts)} bins of equal {self.binning})"
        )


@dataclass(frozen=True, eq=False)
class ScalingResult(Result):
    """Calibration of n clips before and after all logits are divided by one temperature, fitted on other clips.

    Accuracy does not change. `nll` (mean −log p of the true class, nats) and `brier` (mean squared distance to the true class,
    0 to 2) judge probabilities without bins; each is (before, after).
    """

    temperature: float
    n_fit: int
    before: CalibrationResult
    after: CalibrationResult
    nll: tuple[float, float]
    brier: tuple[float, float]
    provenance: Provenance

    @property
    def caption(self) -> str:
        """One sentence: temperature, what it was fitted on, and each figure before and after."""
        return (
            f"temperature {self.temperature:.3f} from {self.n_fit} validation clips; on {self.before.n} others ECE "
            f"{self.before.ece:.3f} → {self.after.ece:.3f}, NLL {self.nll[0]:.3f} → {self.nll[1]:.3f}, "
            f"Brier {self.brier[0]:.3f} → {self.brier[1]:.3f}"
        )


@dataclass(frozen=True, eq=False)
class AmbiguityResult(Result):
    """Votes against probabilities, for the n clips that have votes; `rows` says which clips those are.

    Entropies are divided by log C: 0 is one class, 1 all alike. `divergence` is KL(votes ‖ model) in nats, `distance` the total
    variation in [0, 1]. `support` is the share of votes that the predicted class has; per bin of confidence it is `mean_support`,
    and `soft_ece` is the calibration error against it instead of against one true class; a perfect model of clips with one vote
    each would have `soft_ece_null`.
    """

    label_names: tuple[str, ...]
    n_without_votes: int
    rows: NDArray[np.int64]  # (n,)
    vote_entropy: np.ndarray  # (n,)
    model_entropy: np.ndarray  # (n,)
    divergence: np.ndarray  # (n,)
    distance: np.ndarray  # (n,)
    support: np.ndarray  # (n,)
    correlation: Interval  # Spearman, of the entropies
    edges: np.ndarray  # (bins + 1,)
    counts: np.ndarray  # (bins,)
    mean_confidence: np.ndarray  # (bins,)
    mean_support: np.ndarray  # (bins,)
    soft_ece: float
    soft_ece_interval: Interval
    soft_ece_null: float
    notes: tuple[str, ...]
    provenance: Provenance

    @property
    def n(self) -> int:
        """Number of clips with votes."""
        return len(self.rows)

    @property
    def caption(self) -> str:
        """One sentence: n, rank correlation of the entropies, mean support, error against the votes."""
        return (
            f"n = {self.n}; rank correlation of the entropies {self.correlation.text()}, the predicted class has "
            f"{100 * self.support.mean():.1f} % of the votes, calibration error against the votes "
            f"{self.soft_ece_interval.text('.3f')}"
        )


@dataclass(frozen=True, eq=False)
class CalibrationReport(Result):
    """All that is known of how sure one model is of n clips.

    `scaling` is None where no validation clips were given, `votes` where the manifest has no votes.
    """

    calibration: CalibrationResult
    confidence: ConfidenceResult
    scaling: ScalingResult | None
    votes: AmbiguityResult | None
    notes: tuple[str, ...]
    provenance: Provenance

    @property
    def curves(self) -> dict[str, CalibrationResult]:
        """What a reliability diagram shows, by name: the model as it is, or before and after scaling."""
        if self.scaling is None:
            return {"as it is": self.calibration}
        return {"before": self.scaling.before, f"after, T = {self.scaling.temperature:.2f}": self.scaling.after}

    @property
    def captions(self) -> tuple[str, ...]:
        """One sentence for each of its parts."""
        return tuple(part.caption for part in (self.calibration, self.scaling, self.votes) if part is not None)

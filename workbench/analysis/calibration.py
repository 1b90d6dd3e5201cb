"""Is the model right as often as it is sure? Reliability, calibration errors, and a temperature fitted on validation clips."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import log_softmax, softmax

from ifdd.errors import InputError
from workbench.analysis._inputs import check_labels, check_names, check_probabilities, check_scores
from workbench.analysis._result import Result
from workbench.provenance import Provenance, record

TINY = float(np.finfo(np.float32).tiny)


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
    counts, confidence, accuracy = reliability(p.max(axis=1), p.argmax(axis=1) == y, edges)
    classwise = [calibration_error(*reliability(p[:, c], y == c, edges)) for c in range(p.shape[1])]
    return CalibrationResult(
        n=len(p),
        label_names=names,
        edges=edges,
        counts=counts,
        mean_confidence=confidence,
        accuracy=accuracy,
        ece=calibration_error(counts, confidence, accuracy),
        classwise_ece=np.array(classwise),
        provenance=record("confidence.calibration", {"bins": bins, "label_names": list(names)}, {"probs": p, "labels": y}),
    )


def reliability(confidence: np.ndarray, hit: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count, mean confidence and mean of `hit` (n,) in each bin (low, high]; a confidence of 0 falls in the first."""
    bins = len(edges) - 1
    where = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    counts = np.bincount(where, minlength=bins)
    known = np.where(counts > 0, counts, np.nan)
    return counts, np.bincount(where, confidence, bins) / known, np.bincount(where, hit, bins) / known


def calibration_error(counts: np.ndarray, confidence: np.ndarray, accuracy: np.ndarray) -> float:
    """Mean distance between confidence and accuracy of the bins, weighted by their counts; all (bins,)."""
    filled = counts > 0
    return float((counts[filled] * np.abs(accuracy[filled] - confidence[filled])).sum() / counts.sum())


def temperature_scaling(
    fit_logits: ArrayLike,
    fit_labels: ArrayLike,
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    bins: int = 15,
    label_names: Sequence[str] | None = None,
) -> ScalingResult:
    """Fit a temperature on validation clips (m, C) and measure what it does to others (n, C).

    Raises: InputError as `fit_temperature` and `calibration`, and for another number of classes.
    Source: Guo et al. 2017, section 4.2.
    """
    temperature = fit_temperature(fit_logits, fit_labels)
    z = check_scores(logits, "logits")
    width = np.asarray(fit_logits).shape[1]
    if z.shape[1] != width:
        raise InputError(f"the temperature was fitted on {width} classes, these clips have {z.shape[1]}; use one model")
    y = check_labels(labels, len(z), z.shape[1])
    probs = [softmax(z, axis=1), softmax(z / temperature, axis=1)]
    before, after = (calibration(p, y, bins, label_names) for p in probs)
    one_hot = np.eye(z.shape[1])[y]
    inputs = {"fit_logits": np.asarray(fit_logits), "fit_labels": np.asarray(fit_labels), "logits": z, "labels": y}
    return ScalingResult(
        temperature=temperature,
        n_fit=len(np.asarray(fit_logits)),
        before=before,
        after=after,
        nll=(negative_log_likelihood(z, y), negative_log_likelihood(z / temperature, y)),
        brier=(float(np.square(probs[0] - one_hot).sum(1).mean()), float(np.square(probs[1] - one_hot).sum(1).mean())),
        provenance=record("calibration.temperature_scaling", {"bins": bins}, inputs, ["scipy"]),
    )


def fit_temperature(logits: ArrayLike, labels: ArrayLike) -> float:
    """Temperature T > 0 for which softmax(logits / T) has the highest likelihood; logits (n, C), class indexes (n,).

    The likelihood is concave in 1/T, so its slope has one root at most, which is bracketed and found to 1e-10. Logarithms of
    probabilities do as well as logits, see `log_probabilities`.

    Raises: InputError for values that are not finite, labels that do not fit, and where no temperature is best: all clips right
        (T → 0), or the true class no more likely than chance (T → ∞).
    """
    z = check_scores(logits, "logits")
    y = check_labels(labels, len(z), z.shape[1])
    z = z - z.max(axis=1, keepdims=True)
    true = z[np.arange(len(z)), y]
    if not np.ptp(z, axis=1).any():
        raise InputError(f"all classes have equal logits in all {len(z)} clips; a temperature changes nothing")
    if not true.any():
        raise InputError(
            f"all {len(z)} validation clips are right, so any smaller temperature fits better; take more or harder clips"
        )
    if (true - z.mean(axis=1)).mean() <= 1e-12 * np.abs(z).max():
        raise InputError(
            f"on these {len(z)} validation clips the true class is no more likely than chance, so no temperature helps; "
            "look at the labels and their order"
        )

    def slope(log_beta: float) -> float:
        beta = np.exp(log_beta)
        return float((true - (softmax(beta * z, axis=1) * z).sum(1)).mean())

    low, high = -1.0, 1.0
    while slope(low) <= 0:
        low *= 2
    while slope(high) >= 0:
        high *= 2
    return float(np.exp(-brentq(slope, low, high, xtol=1e-10)))


def log_probabilities(probs: ArrayLike) -> np.ndarray:
    """Probabilities (n, C) as logits; a probability that float32 rounded to 0 becomes its smallest number."""
    return np.log(np.maximum(check_probabilities(probs), TINY))


def negative_log_likelihood(logits: np.ndarray, labels: np.ndarray) -> float:
    """Mean −log p of the true class, in nats; logits (n, C), class indexes (n,)."""
    return float(-log_softmax(logits, axis=1)[np.arange(len(labels)), labels].mean())

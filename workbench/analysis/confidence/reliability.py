"""Is the model right as often as it is sure? Reliability, calibration errors, and a temperature fitted on validation clips."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import log_softmax, softmax

from ifdd.errors import InputError
from ifdd.metrics import Units, count_units, estimate_share
from workbench.analysis.confidence.results import Binning, CalibrationOptions, CalibrationResult, ScalingResult
from workbench.results.checks import check_labels, check_names, check_probabilities, check_scores
from workbench.results.interval import Interval
from workbench.results.provenance import record

BINS, PER_BIN = 15, 20
"""Bins of many clips, and clips that a bin should hold where there are few."""
DRAWS = 500
MANY = 10_000
"""Clips beyond which the error of a perfectly calibrated model needs no draws."""
DEFAULT = CalibrationOptions()
TINY = float(np.finfo(np.float32).tiny)


def calibration(
    probs: ArrayLike,
    labels: ArrayLike,
    bins: int | None = None,
    label_names: Sequence[str] | None = None,
    *,
    binning: Binning | None = None,
    groups: ArrayLike | None = None,
    seed: int = 0,
) -> CalibrationResult:
    """Compare how sure the model is with how often it is right.

    Args:
        probs: (n, C) softmax probabilities.
        labels: (n,) true class indexes.
        bins: number of bins; by default 15, and with fewer than 300 clips so many that each holds about 20.
        label_names: one name per class.
        binning: "mass" or "width"; by default equal width where `bins` is given or 1,500 clips are, else equal mass.
        groups: (n,) e.g. the person of each clip, as in `metrics.summary`.
        seed: of the bootstrap over persons, and of the draws of a perfectly calibrated model.

    Raises:
        InputError: rows that are no probabilities, labels that do not fit, no bins.

    Source: Guo et al. 2017 (expected calibration error of the winning class); Kull et al. 2019 (class-wise); Nguyen and O'Connor
    2015 (equal mass); Bröcker and Smith 2007 (what a reliable forecast would give).

    >>> found = calibration([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.8, 0.2]], [0, 0, 1, 1], bins=2)
    >>> found.counts.tolist(), round(found.ece, 3)
    ([0, 4], 0.0)
    """
    p = check_probabilities(probs)
    y = check_labels(labels, len(p), p.shape[1])
    names = check_names(label_names, p.shape[1])
    sure, hit = p.max(axis=1), p.argmax(axis=1) == y
    edges, binning = choose_edges(sure, bins, binning)
    counts, confidence, accuracy = reliability(sure, hit, edges)
    each = (choose_edges(p[:, c], bins, binning)[0] for c in range(p.shape[1]))
    classwise = [calibration_error(*reliability(p[:, c], y == c, own)) for c, own in enumerate(each)]
    units = count_units(None if groups is None else np.asarray(groups), len(p))
    ece = calibration_error(counts, confidence, accuracy)
    drawn, null = error_draws(sure, hit.astype(float), edges, units, seed)
    settings = {"bins": len(counts), "binning": binning, "seed": seed, "grouped": units.persons, "label_names": list(names)}
    return CalibrationResult(
        n=len(p),
        label_names=names,
        edges=edges,
        counts=counts,
        mean_confidence=confidence,
        accuracy=accuracy,
        accuracy_bounds=bin_bounds(sure, hit, edges, units),
        binning=binning,
        ece=ece,
        ece_interval=error_interval(ece, drawn),
        ece_null=null,
        classwise_ece=np.array(classwise),
        units=str(units),
        notes=units.notes,
        provenance=record("confidence.calibration", settings, {"probs": p, "labels": y}, ["scipy"]),
    )


def choose_edges(confidence: np.ndarray, bins: int | None, binning: Binning | None) -> tuple[np.ndarray, Binning]:
    """Edges (bins + 1,) from 0 to 1, and their kind: see `calibration`. Ties may leave fewer bins of equal mass.

    Raises: InputError for no bins, or a kind that is not known.
    """
    if bins is not None and bins < 1:
        raise InputError(f"bins is {bins}; use 1 or more")
    if binning is None:
        binning = "width" if bins is not None or len(confidence) >= 100 * BINS else "mass"
    if binning not in ("mass", "width"):
        raise InputError(f"unknown binning {binning!r}; use mass or width")
    if bins is None:
        bins = min(BINS, max(2, len(confidence) // PER_BIN))
    if binning == "width":
        return np.linspace(0.0, 1.0, bins + 1), binning
    ordered = np.sort(confidence)
    last = (np.arange(1, bins) * len(ordered)) // bins - 1
    inner = np.unique(ordered[last[last >= 0]])  # a bin ends with, and holds, the last clip of its share
    return np.concatenate([[0.0], inner[(inner > 0) & (inner < ordered[-1])], [1.0]]), binning


def bin_bounds(confidence: np.ndarray, hit: np.ndarray, edges: np.ndarray, units: Units) -> np.ndarray:
    """95 % interval (bins, 2) of the accuracy in each bin, over the persons in it; NaN for an empty one."""
    where = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, len(edges) - 2)
    bounds = np.full((len(edges) - 1, 2), np.nan)
    for b in np.unique(where):
        inside = where == b
        own = np.unique(units.index[inside], return_inverse=True)[1]
        part = Units(own, int(own.max()) + 1, units.persons, ())
        bounds[b] = estimate_share(hit[inside], part).bounds
    return bounds


def error_draws(confidence: np.ndarray, hit: np.ndarray, edges: np.ndarray, units: Units, seed: int) -> tuple[np.ndarray, float]:
    """Calibration errors (draws,) of persons drawn again, and the mean error of a model that is right as often as it says."""
    bins = len(edges) - 1
    where = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    rng = np.random.default_rng(seed)
    gaps = np.zeros((units.count, bins))
    np.add.at(gaps, (units.index, where), hit - confidence)
    times = rng.multinomial(units.count, np.full(units.count, 1 / units.count), size=DRAWS if units.count > 1 else 0)
    sizes = np.bincount(units.index, minlength=units.count)
    drawn = np.abs(times @ gaps).sum(axis=1) / np.maximum(times @ sizes, 1)
    if len(hit) > MANY:  # the number of hits in a bin is normal: the mean of |N(0, v)| is √(2v/π)
        return drawn, float(np.sqrt(2 / np.pi * np.bincount(where, confidence * (1 - confidence), bins)).sum() / len(hit))
    perfect = (rng.random((DRAWS, len(hit))) < confidence) - confidence
    null = np.abs(perfect @ np.eye(bins)[where]).sum(axis=1).mean() / len(hit)
    return drawn, float(null)


def error_interval(value: float, drawn: np.ndarray) -> Interval:
    """An error with its 95 % interval, at least 0. Drawn errors are too large by about as much as the error itself is.

    Twice the value minus the quantiles. Source: Davison and Hinkley 1997, section 5.2 (basic bootstrap).
    """
    if not drawn.size:
        return Interval(value, float("nan"), float("nan"))
    low, high = 2 * value - np.quantile(drawn, (0.975, 0.025))
    return Interval(value, float(max(low, 0.0)), float(min(max(high, value), 1.0)))


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
    options: CalibrationOptions = DEFAULT,
    *,
    label_names: Sequence[str] | None = None,
    groups: ArrayLike | None = None,
) -> ScalingResult:
    """Fit a temperature on validation clips (m, C) and measure what it does to others (n, C).

    Raises:
        InputError: as `fit_temperature` and `calibration`, and for another number of classes.

    Source: Guo et al. 2017, section 4.2.

    >>> validation = [[2.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 0.0]], [0, 0, 1, 1]
    >>> round(temperature_scaling(*validation, [[1.0, 0.0], [0.0, 1.0]], [0, 1]).temperature, 2)  # right in 3 of 4: 2 / log 3
    1.82
    """
    temperature = fit_temperature(fit_logits, fit_labels)
    z = check_scores(logits, "logits")
    width = np.asarray(fit_logits).shape[1]
    if z.shape[1] != width:
        raise InputError(f"the temperature was fitted on {width} classes, these clips have {z.shape[1]}; use one model")
    y = check_labels(labels, len(z), z.shape[1])
    probs = [softmax(z, axis=1), softmax(z / temperature, axis=1)]
    before, after = (
        calibration(p, y, options.bins, label_names, binning=options.binning, groups=groups, seed=options.seed) for p in probs
    )
    one_hot = np.eye(z.shape[1])[y]
    inputs = {"fit_logits": np.asarray(fit_logits), "fit_labels": np.asarray(fit_labels), "logits": z, "labels": y}
    return ScalingResult(
        temperature=temperature,
        n_fit=len(np.asarray(fit_logits)),
        before=before,
        after=after,
        nll=(negative_log_likelihood(z, y), negative_log_likelihood(z / temperature, y)),
        brier=(float(np.square(probs[0] - one_hot).sum(1).mean()), float(np.square(probs[1] - one_hot).sum(1).mean())),
        provenance=record("calibration.temperature_scaling", asdict(options), inputs, ["scipy"]),
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

"""How sure is the model? Densities of the class probabilities, positives against negatives."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.stats import rankdata

from ifdd.errors import InputError
from ifdd.metrics import Units, count_units, students_t
from workbench.analysis.confidence.results import ClassConfidence, ConfidenceResult, Density
from workbench.results.checks import check_labels, check_names, check_probabilities
from workbench.results.interval import NOT_KNOWN, Interval
from workbench.results.provenance import record

MIN_BANDWIDTH = 1e-4
DEALS = 50
"""How often the clips are dealt anew for what an overlap would be if there were nothing to tell apart."""
CELLS = 4096
"""More values than this are counted in so many cells of [0, 1]: an eighth of the least bandwidth, below what a picture shows."""
MIN_SPREAD = 1e-8
"""Standard deviation below which all values count as equal: float32 probabilities differ by more."""


def density(
    probs: ArrayLike,
    labels: ArrayLike,
    label_names: Sequence[str] | None = None,
    bandwidth: float | None = None,
    grid: int = 512,
    *,
    groups: ArrayLike | None = None,
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
        groups: (n,) e.g. the person of each clip, as in `metrics.summary`: what the intervals of the separation are over.

    Raises:
        InputError: rows that are no probabilities, labels that do not fit, a bandwidth or grid out of range.

    Source: the per-class confidence figure of the IFDD paper (Fig. 5); Silverman 1986, section 2.10 (reflection); Inman and
    Bradley 1989 (overlap); DeLong et al. 1988 and Obuchowski 1997 (separation with its interval).

    >>> found = density([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.8, 0.2]], [0, 0, 1, 1], ["happy", "sad"])
    >>> found.classes[0].separation
    0.75
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
    units = count_units(None if groups is None else np.asarray(groups), len(p))
    rng = np.random.default_rng(0)
    deals = np.stack([np.arange(len(p)), *(rng.permutation(len(p)) for _ in range(DEALS))])
    told: dict[str, list[str]] = {}
    classes = []
    for c, name in enumerate(names):
        own = y == c
        if not own.any():
            told.setdefault(": no clip has this label", []).append(name)
        sides = []
        for side, rows in (("positives", own), ("negatives", ~own)):
            found, remark = _density(p[:, c], rows, points, bandwidth)
            sides.append(found)
            if remark:
                told.setdefault(f", {side}: {remark}", []).append(name)
        positives, negatives = sides
        apart = separation(positives.values, negatives.values) if min(positives.n, negatives.n) > 1 else None
        bounds = separation_interval(positives, negatives, units)
        shared = _overlap(positives, negatives, points, deals)
        classes.append(ClassConfidence(name, positives, negatives, *shared, apart, bounds))
    settings = {
        "bandwidth": bandwidth if bandwidth is not None else "scott",
        "grid": grid,
        "grouped": units.persons,
        "label_names": list(names),
    }
    inputs = {"probs": p, "labels": y} | ({"groups": units.index} if units.persons else {})
    source = record("confidence.density", settings, inputs)
    return ConfidenceResult(points, tuple(classes), _told(told), source, str(units))


def _density(p: np.ndarray, chosen: np.ndarray, points: np.ndarray, bandwidth: float | None) -> tuple[Density, str]:
    """The density of some clips, and what has to be said of it, or why there is none."""
    rows = np.flatnonzero(chosen)
    values = p[rows]
    spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    if spread < MIN_SPREAD:
        why = {0: "", 1: "no density and no AUC from one clip (n = 1)"}.get(len(values), "no density from equal values")
        return Density(values, rows, None, None), why
    remark = ""
    if bandwidth is None:
        step = float(points[1])
        bandwidth = spread * len(values) ** -0.2
        if bandwidth < step:
            remark = f"bandwidth by Scott's rule raised to {step:.2g}, one step of the grid"
            bandwidth = step
    return Density(values, rows, reflected_kde(values, points, bandwidth), bandwidth), remark


def _told(remarks: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Remark → classes, as notes: one line for all classes that one holds for."""
    return tuple(f"{', '.join(names)}{remark}" for remark, names in remarks.items())


def _overlap(positives: Density, negatives: Density, points: np.ndarray, deals: np.ndarray) -> tuple[float | None, float | None]:
    """Area under both densities at one bandwidth, and its mean when the clips are dealt to the two sides at random.

    `deals` (1 + DEALS, n) are orders of the clips, the first as they are: the foremost are the positives.
    """
    if positives.bandwidth is None or negatives.bandwidth is None:
        return None, None
    bandwidth = max(positives.bandwidth, negatives.bandwidth)
    sides = deals < positives.n
    places, cells = _cells(np.concatenate([positives.values, negatives.values]))
    own = sides if cells is None else np.stack([np.bincount(cells[side], minlength=len(places)) for side in sides])
    every = np.ones(len(places)) if cells is None else np.bincount(cells, minlength=len(places))
    *first, whole = _kernels(np.vstack([own, every]), places, points, bandwidth)
    shared = np.minimum(np.array(first) / positives.n, (whole - first) / negatives.n)
    areas = np.minimum(np.trapezoid(shared, points, axis=1), 1.0)
    return float(areas[0]), float(areas[1:].mean())


def _cells(values: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Values (n,) in [0, 1] as they are, and None; many of them as the centres (CELLS,), and the cell (n,) of each value."""
    if len(values) <= CELLS:
        return values, None
    return (np.arange(CELLS) + 0.5) / CELLS, np.minimum((values * CELLS).astype(int), CELLS - 1)


def _kernels(counts: np.ndarray, values: np.ndarray, points: np.ndarray, bandwidth: float) -> np.ndarray:
    """Densities (S, G) of values (n,), as in `reflected_kde`, summed over each as often as `counts` (S, n) says.

    Between two mirrors a kernel is a series of cosines (Poisson's sum formula), which ends where a term is below the last digit:
    Σ_m φ_h(x − 2m − v) + φ_h(x − 2m + v) = 1 + 2 Σ_k exp(−(kπh)²/2) cos(kπv) cos(kπx).
    """
    last = int(np.ceil(np.sqrt(-2 * np.log(np.finfo(float).eps / 2)) / (np.pi * bandwidth)))
    total = np.repeat(counts.sum(axis=1, dtype=float)[:, None], len(points), axis=1)
    for k in np.array_split(np.arange(1, last + 1), -(-last // 256)):  # bounds the memory at 256 × n
        terms = 2 * np.exp(-0.5 * (k * np.pi * bandwidth) ** 2)
        total += (counts @ np.cos(np.pi * np.outer(values, k))) * terms @ np.cos(np.pi * np.outer(k, points))
    return np.maximum(total, 0.0)


def separation(positives: np.ndarray, negatives: np.ndarray) -> float | None:
    """Probability that a positive (n,) exceeds a negative (m,), ties by halves; None if either has no value.

    Source: Mann and Whitney 1947; Hanley and McNeil 1982 (equals the area under the ROC curve).

    >>> separation(np.array([0.9, 0.6]), np.array([0.3, 0.6]))
    0.875
    """
    n, m = len(positives), len(negatives)
    if not n or not m:
        return None
    ranks = rankdata(np.concatenate([positives, negatives]))
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))


def separation_interval(positives: Density, negatives: Density, units: Units) -> Interval:
    """`separation` with its 95 % interval over persons or clips; no value where a side has no clip, no bounds for one of them.

    Bounds are the values θ that differ from it by no more than t standard errors, those that θ itself would have (Newcombe 2006,
    method 5). Persons of several clips widen or narrow them by how much more, or less, their clips vary together than one by one
    (DeLong et al. 1988; Obuchowski 1997), with t for so many persons.
    """
    value = separation(positives.values, negatives.values)
    if value is None:
        return NOT_KNOWN
    n, m = positives.n, negatives.n
    ranks = rankdata(np.concatenate([positives.values, negatives.values]))
    exceeds = (ranks[:n] - rankdata(positives.values)) / m  # share of the negatives below each positive, ties by halves
    exceeded = 1 - (ranks[n:] - rankdata(negatives.values)) / n
    rows = np.concatenate([positives.rows, negatives.rows])
    parts = np.concatenate([(exceeds - value) / n, (exceeded - value) / m])
    persons = [len(np.unique(units.index[side.rows])) for side in (positives, negatives)]
    if min(persons) < 2:
        return Interval(value, float("nan"), float("nan"))
    alone, together = np.square(parts).sum(), np.square(np.bincount(units.index[rows], parts)).sum()
    few = len(np.unique(units.index[rows]))
    wider = max(float(together / alone) * few / (few - 1), 0.5) if units.persons and alone > 0 else 1.0
    t = students_t(min(persons) - 1 if units.persons else np.inf)
    more = (n + m) / 2 - 1

    def beyond(theta: float) -> float:
        variance = theta * (1 - theta) * (1 + more * ((1 - theta) / (2 - theta) + theta / (1 + theta))) / (n * m)
        return (value - theta) ** 2 - t**2 * wider * variance

    inner = min(max(value, 1e-9), 1 - 1e-9)  # at 0 and at 1 nothing is beyond, for no value varies there
    low = brentq(beyond, 0.0, inner) if value > 0 else 0.0
    high = brentq(beyond, inner, 1.0) if value < 1 else 1.0
    return Interval(value, float(low), float(high))


def reflected_kde(values: np.ndarray, points: np.ndarray, bandwidth: float) -> np.ndarray:
    """Gaussian kernel density of `values` (n,) in [0, 1] at `points` (G,) in [0, 1], reflected at 0 and 1; (G,).

    f(x) = mean over values v of Σ_m φ_h(x - 2m - v) + φ_h(x - 2m + v): every image of v in the two mirrors.
    """
    places, cells = _cells(values)
    counts = np.ones(len(places)) if cells is None else np.bincount(cells, minlength=len(places))
    total: np.ndarray = _kernels(counts[None], places, points, bandwidth)[0]
    return total / len(values)

"""How sure is the model? Densities of the class probabilities, positives against negatives."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from ifdd.errors import InputError
from workbench.analysis.confidence.results import ClassConfidence, ConfidenceResult, Density
from workbench.results.checks import check_labels, check_names, check_probabilities
from workbench.results.provenance import record

MIN_BANDWIDTH = 1e-4
DEALS = 50
"""How often the clips are dealt anew for what an overlap would be if there were nothing to tell apart."""
MIN_SPREAD = 1e-8
"""Standard deviation below which all values count as equal: float32 probabilities differ by more."""


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

    Source: the per-class confidence figure of the IFDD paper (Fig. 5); Silverman 1986, section 2.10 (reflection); Inman and
    Bradley 1989 (overlap).

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
        classes.append(ClassConfidence(name, positives, negatives, *_overlap(positives, negatives, points), apart))
    settings = {"bandwidth": bandwidth if bandwidth is not None else "scott", "grid": grid, "label_names": list(names)}
    return ConfidenceResult(
        points, tuple(classes), _told(told), record("confidence.density", settings, {"probs": p, "labels": y})
    )


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


def _overlap(positives: Density, negatives: Density, points: np.ndarray) -> tuple[float | None, float | None]:
    """Area under both densities at one bandwidth, and its mean when the clips are dealt to the two sides at random."""
    if positives.bandwidth is None or negatives.bandwidth is None:
        return None, None
    bandwidth = max(positives.bandwidth, negatives.bandwidth)
    values = np.concatenate([positives.values, negatives.values])
    rng = np.random.default_rng(0)
    sides = np.stack([np.arange(len(values)) < positives.n, *(rng.permutation(len(values)) < positives.n for _ in range(DEALS))])
    first = np.zeros((len(sides), len(points)))
    whole = np.zeros(len(points))
    for rows in np.array_split(np.arange(len(values)), -(-len(values) // 1024)):  # bounds the memory at 1024 × G
        kernels = _kernels(values[rows], points, bandwidth)
        first += sides[:, rows] @ kernels
        whole += kernels.sum(axis=0)
    shared = np.minimum(first / positives.n, (whole - first) / negatives.n)
    areas = np.minimum(np.trapezoid(shared, points, axis=1), 1.0)
    return float(areas[0]), float(areas[1:].mean())


def _kernels(values: np.ndarray, points: np.ndarray, bandwidth: float) -> np.ndarray:
    """Density (n, G) of each single value, as in `reflected_kde`."""
    bandwidth = min(bandwidth, 4.0)
    total = np.zeros((len(values), len(points)))
    last = int(np.ceil((8 * bandwidth + 1) / 2))
    for m in range(-last, last + 1):
        for images in (2 * m + values, 2 * m - values):
            if ((images > -8 * bandwidth) & (images < 1 + 8 * bandwidth)).any():
                total += np.exp(-0.5 * ((points[None] - images[:, None]) / bandwidth) ** 2)
    return total / (bandwidth * np.sqrt(2 * np.pi))


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

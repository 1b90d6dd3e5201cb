"""One variant trained with several seeds: its WAR and UAR, and how far it is from another one, over persons and seeds.

Two things are drawn: whom a model meets, and how its training went. The variance of the seeds' part is s²/m; the persons' part is
that of `ifdd.metrics`, of the hits averaged over seeds, less what the seeds' part holds already (Cameron et al. 2011). Student's
t has degrees of freedom between m − 1 and those of the persons, by the share that seeds have in the variance. With three seeds
that is a wide interval, as it should be. "Above in every seed" is no finding: three seeds of equal models agree in sign one time
in four. Coverage: benchmarks/interval_coverage.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from ifdd.errors import InputError
from ifdd.metrics import Estimate, Estimates, Units, count_units, estimate, spread, students_t
from workbench.analysis.comparison.results import SeedDifference, SeedScore
from workbench.analysis.performance.scores import difference, interval
from workbench.results.checks import check_labels
from workbench.results.interval import Interval


@dataclass(frozen=True)
class Spread:
    """Variance of a mean over seeds, s²/m, and how much of it is that seeds differ otherwise from person to person."""

    variance: float
    of_persons: float
    freedom: float


def over_seeds(predicted: Sequence[ArrayLike], labels: ArrayLike, *, groups: ArrayLike | None = None) -> SeedScore:
    """Predicted classes (n,) of each seed and the true ones (n,) → mean scores with 95 % intervals over persons and seeds.

    One seed alone has the interval over persons, as `metrics.summary`. `groups` (n,) as there.

    Raises:
        InputError: no seed or no clip, or lengths that differ.

    >>> found = over_seeds([[0, 1, 1, 0], [0, 1, 0, 0]], [0, 1, 0, 0])
    >>> found.war.value, found.ranked
    (0.875, False)
    """
    truth = _checked_truth(labels)
    hits = _hits(predicted, truth)
    units = count_units(None if groups is None else np.asarray(groups), len(truth))
    found = _over_both(hits, truth, units)
    each = _scores(hits, truth)[1]
    return SeedScore(len(truth), interval(found[0]), interval(found[1]), tuple(float(value) for value in each))


def difference_over_seeds(
    first: Sequence[ArrayLike],
    second: Sequence[ArrayLike],
    labels: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    paired: bool = True,
) -> SeedDifference:
    """Second minus first variant: predicted classes (n,) of each seed of both, on the same clips, with 95 % intervals.

    `paired`: seed i of one belongs to seed i of the other, as where both start from the same backbone or shuffle the clips alike;
    the spread is then that of the differences, else that of each (Welch).

    Source: Welch 1947.

    Raises:
        InputError: as `over_seeds`, and for pairs of other numbers of seeds.

    >>> difference_over_seeds([[0, 1, 1, 0], [0, 1, 1, 0]], [[0, 1, 0, 0], [0, 1, 0, 0]], [0, 1, 0, 0]).war.value
    0.25
    """
    truth = _checked_truth(labels)
    hits = [_hits(predicted, truth) for predicted in (first, second)]
    if paired and len(hits[0]) != len(hits[1]):
        raise InputError(f"{len(hits[0])} and {len(hits[1])} seeds make no pairs; pass as many of each, or paired=False")
    units = count_units(None if groups is None else np.asarray(groups), len(truth))
    if paired:
        found, each = _over_both(hits[1] - hits[0], truth, units), _scores(hits[1] - hits[0], truth)[1]
    else:
        found, each = _apart(hits[0], hits[1], truth, units), np.empty(0)
    return SeedDifference(len(truth), difference(found[0]), difference(found[1]), tuple(float(value) for value in each))


def mean_over_seeds(values: Sequence[float], half_widths: Sequence[float] = ()) -> Interval:
    """Mean of one figure per seed (m,) with its 95 % interval; no bounds for one seed.

    Without `half_widths` it is Student's t, m − 1 degrees of freedom, and says nothing of other persons. With those of the
    seeds' 95 % intervals over the same persons (of the seeds that have one) both are joined by the rule of `over_seeds`; what the
    seeds' spread holds of the persons already is not known and stays, so that the interval is rather too wide.
    Raises: InputError for no value.
    """
    array, halves = np.asarray(values, np.float64), np.asarray(half_widths, np.float64)
    if array.ndim != 1 or not array.size:
        raise InputError(f"values has shape {array.shape}; pass one number for each seed")
    mean = float(array.mean())
    if len(array) < 2:
        return Interval(mean, float("nan"), float("nan"))
    certain = Estimate(mean, 0.0, np.inf, mean)
    persons = replace(certain, variance=float(np.mean((halves / certain.t) ** 2))) if halves.size else certain
    found = _together(persons, Spread(float(array.var(ddof=1)) / len(array), 0.0, len(array) - 1.0))
    half = found.t * float(np.sqrt(found.variance))
    return Interval(mean, mean - half, mean + half)


def _checked_truth(labels: ArrayLike) -> np.ndarray:
    truth = check_labels(labels, len(np.asarray(labels)))
    if not len(truth):
        raise InputError("no clip to score; pass the true class of at least one")
    return truth


def _hits(predicted: Sequence[ArrayLike], truth: np.ndarray) -> np.ndarray:
    """Whether each seed has each clip right, (seeds, n) float64."""
    if not len(predicted):
        raise InputError("no predictions; pass those of at least one seed")
    guesses = [check_labels(array, len(truth), what=f"predictions of seed {i}") for i, array in enumerate(predicted)]
    return (np.stack(guesses) == truth).astype(np.float64)


def _scores(hits: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """WAR and UAR (seeds,), or differences of them."""
    classes = np.eye(truth.max() + 1)[truth]
    classes = classes[:, classes.any(0)]
    return hits.mean(1), (hits @ classes / classes.sum(0)).mean(1)


def _weights(truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weight (n,) that each clip has in WAR and in UAR."""
    sizes = np.bincount(truth)
    return np.full(len(truth), 1 / len(truth)), 1 / (sizes[truth] * np.count_nonzero(sizes))


def _over_both(hits: np.ndarray, truth: np.ndarray, units: Units) -> tuple[Estimate, Estimate]:
    """WAR and UAR of hits (seeds, n), or of differences of them, over persons and seeds."""
    found = _of_persons(hits.mean(0), truth, units)
    spreads = _of_seeds(hits, truth, units)
    return _together(found.war, spreads[0]), _together(found.uar, spreads[1])


def _apart(first: np.ndarray, second: np.ndarray, truth: np.ndarray, units: Units) -> tuple[Estimate, Estimate]:
    """Second minus first, whose seeds are no pairs: the persons are the same, the seeds are not."""
    found = _of_persons(second.mean(0) - first.mean(0), truth, units)
    war, uar = (_welch(*both) for both in zip(_of_seeds(first, truth, units), _of_seeds(second, truth, units), strict=True))
    return _together(found.war, war), _together(found.uar, uar)


def _of_persons(hits: np.ndarray, truth: np.ndarray, units: Units) -> Estimates:
    return estimate(hits, truth, int(truth.max()) + 1, units)


def _of_seeds(hits: np.ndarray, truth: np.ndarray, units: Units) -> tuple[Spread, Spread]:
    """How WAR and UAR of the seeds (m, n) spread; nothing for one seed."""
    m = len(hits)
    if m < 2:
        return Spread(0.0, 0.0, np.inf), Spread(0.0, 0.0, np.inf)
    apart = hits - hits.mean(0)  # what a seed changes, clip by clip
    found = []
    for scores, weights, strata in zip(_scores(hits, truth), _weights(truth), (np.zeros_like(truth), truth), strict=True):
        sizes = np.maximum(np.bincount(strata), 1)
        residuals = [row - (np.bincount(strata, row) / sizes)[strata] for row in apart]
        of_persons = sum(spread(weights, row, units.index)[0] for row in residuals) / (m * (m - 1))
        found.append(Spread(float(scores.var(ddof=1)) / m, of_persons, m - 1.0))
    return found[0], found[1]


def _welch(first: Spread, second: Spread) -> Spread:
    """Two independent spreads as one."""
    parts = (first, second)
    below = sum(part.variance**2 / part.freedom for part in parts)
    variance, of_persons = (sum(getattr(part, name) for part in parts) for name in ("variance", "of_persons"))
    return Spread(variance, of_persons, variance**2 / below if below > 0 else np.inf)


def _together(persons: Estimate, seeds: Spread) -> Estimate:
    """The estimate over persons with what seeds add, as readers and cases are added in radiology (Hillis 2007).

    Two seeds tell next to nothing of how seeds spread: squares of half widths add, each with its own t (Banerjee 1961), which
    holds the truth too often rather than too seldom.
    """
    own = max(persons.variance - seeds.of_persons, 0.0)
    variance = own + seeds.variance
    if variance <= 1e-12:
        return persons
    if seeds.variance == 0:  # one seed, or seeds of equal scores
        return replace(persons, variance=own)
    if seeds.freedom < 2:
        added = seeds.variance * (students_t(seeds.freedom) / persons.t) ** 2
        return replace(persons, variance=own + added)
    # Satterthwaite (1946), as there, but the seeds' share is not squared: of seeds that agree by chance the share comes out too
    # small, and with its square intervals of 140 persons held the truth in 90 to 97 %
    share = seeds.variance / variance
    return replace(persons, variance=variance, freedom=1 / (share / seeds.freedom + (1 - share) ** 2 / persons.freedom))

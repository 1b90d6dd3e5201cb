"""How good predictions are: WAR, UAR, recall per class, confusion, and the one kind of interval around them.

An interval says what other persons would give. A score is a weighted mean of hits; its variance comes from the sums of the
residuals of each person, so that clips of one person count as alike as they are (Liang and Zeger 1986), each sum stretched by the
person's share of the clips (Bell and McCaffrey 2002). The bounds are Wilson's for the number of independent clips that have this
variance (Korn and Graubard 1998; Dean and Pagano 2015), with Student's t for so many persons of equal size. For independent clips
that is Wilson's interval itself. Closed form: no draws and no seed. Coverage: benchmarks/interval_coverage.py.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtrit  # what scipy.stats.t.ppf calls; scipy.stats alone takes a second to import

from ifdd.data.persons import person_ids
from ifdd.errors import InputError

LEVEL = 0.95
Bounds = tuple[float, float]
_NAMELESS = "nameless clip "
_NONE = 1e-12  # a variance below it is rounding


@dataclass(frozen=True, eq=False)
class Units:
    """What counts as one observation: a person with all clips. `index` (n,) says which one a clip belongs to, of `count`.

    Where persons are not known each clip is a unit (`persons` False); `notes` say so, and what else was assumed.
    """

    index: np.ndarray
    count: int
    persons: bool
    notes: tuple[str, ...]

    def __str__(self) -> str:
        return f"over {self.count} persons" if self.persons else f"over {self.count} clips, taken as independent"


def name_persons(persons: Sequence[Any] | np.ndarray) -> np.ndarray:
    """Name (n,) of each clip's person, as `person_ids` has it; a clip whose person is not known gets a name of its own."""
    return np.array([name or f"{_NAMELESS}{i}" for i, name in enumerate(person_ids(persons).tolist())], dtype=str)


def count_units(persons: Sequence[Any] | np.ndarray | None, n: int) -> Units:
    """The one rule of what is independent, for n clips: persons; a clip that names none is a person of its own.

    Clips alone count where no person is named, or one alone is: nothing then says how much persons differ.
    Raises: InputError for another number of names than clips.
    """
    clips = np.arange(n)
    if persons is None:
        return Units(clips, n, False, ("persons are not known: the intervals take clips as independent",))
    if len(persons) != n:
        raise InputError(f"persons has {len(persons)} names for {n} clips; pass one for each clip")
    unique, index = np.unique(name_persons(persons), return_inverse=True)
    nameless = sum(name.startswith(_NAMELESS) for name in unique.tolist())
    if nameless == n:
        return Units(clips, n, False, ("no clip names a person: the intervals take clips as independent",))
    if len(unique) == 1:
        told = "all clips are of one person: the intervals take clips as independent and say nothing of other persons"
        return Units(clips, n, False, (told,))
    notes = (f"{nameless} of {n} clips name no person: each counts as a person of its own",) if nameless else ()
    return Units(index.reshape(-1), len(unique), True, notes)


@dataclass(frozen=True)
class Estimate:
    """A share, or a difference of two, with the variance of its error and the degrees of freedom behind that variance.

    `inner` is the share moved away from 0 and 1 where all clips agree, so that a variance belongs to it.
    """

    value: float
    variance: float
    freedom: float
    inner: float

    @property
    def t(self) -> float:
        """Student's t at the two-sided 95 % level."""
        return students_t(self.freedom)

    @property
    def bounds(self) -> Bounds:
        """95 % interval of a share, by Wilson's formula; NaN where there is nothing to measure."""
        if np.isnan(self.value):
            return float("nan"), float("nan")
        z = self.t**2 * self.variance / (self.inner * (1 - self.inner))  # t² over the number of independent clips
        centre = (self.value + z / 2) / (1 + z)
        half = float(np.sqrt(z * self.value * (1 - self.value) + z**2 / 4)) / (1 + z)
        return max(centre - half, 0.0), min(centre + half, 1.0)

    @property
    def difference_bounds(self) -> Bounds:
        """95 % interval of a difference of two shares, in [−1, 1]: symmetric, by Student's t."""
        half = self.t * float(np.sqrt(self.variance))
        return max(self.value - half, -1.0), min(self.value + half, 1.0)


@dataclass(frozen=True)
class Estimates:
    """WAR, UAR, and the recall of each class (NaN where it does not occur)."""

    war: Estimate
    uar: Estimate
    recalls: tuple[Estimate, ...]


def estimate(right: np.ndarray, target: np.ndarray, classes: int, units: Units) -> Estimates:
    """Estimates from hits `right` (n,) in [0, 1] and class indexes (n,).

    Where the persons do not differ at all, as in a class that is all right, the variance is that of as many clips as there are
    persons, at the share (hits + ½)/(persons + 1): a count of none does not mean that there are none.
    """
    n = len(target)
    order = np.lexsort((right, target, units.index))  # with exact sums: the last digit does not depend on the order of the clips
    right, target, index = np.asarray(right, np.float64)[order], target[order], units.index[order]
    war = math.fsum(right) / n
    variance, freedom = spread(np.full(n, 1 / n), right - war, index)
    whole = Estimate(war, variance, freedom, war) if variance > _NONE else _all_alike(war, units.count)

    occurring = np.unique(target)
    weights, residuals, extra = np.zeros(n), np.zeros(n), 0.0
    recalls = [Estimate(np.nan, np.nan, np.nan, np.nan)] * classes
    for c in occurring:
        own = target == c
        share = own / own.sum()
        recall = math.fsum(right[own]) / int(own.sum())
        residuals[own] = right[own] - recall
        weights += share / len(occurring)
        variance, freedom = spread(share, np.where(own, right - recall, 0.0), index)
        recalls[c] = Estimate(recall, variance, freedom, recall)
        if variance <= _NONE:
            recalls[c] = _all_alike(recall, len(np.unique(index[own])))
            extra += recalls[c].variance / len(occurring) ** 2
    variance, freedom = spread(weights, residuals, index)
    mean, inner = (float(np.mean([getattr(recalls[c], name) for c in occurring])) for name in ("value", "inner"))
    return Estimates(whole, Estimate(mean, variance + extra, freedom, inner), tuple(recalls))


def spread(weights: np.ndarray, residuals: np.ndarray, index: np.ndarray) -> tuple[float, float]:
    """Variance of Σ weight · residual over units, and its degrees of freedom; all (n,), the weights sum to 1.

    The degrees of freedom are those of so many persons of equal size, infinite if no person has two clips.
    """
    sums, leverage, clips = (np.bincount(index, values) for values in (weights * residuals, weights, weights > 0))
    several = (clips > 1) & (leverage < 1 - 1e-12)
    variance = math.fsum(np.square(sums) / np.where(several, 1 - leverage, 1.0))
    alike = math.fsum(np.square(leverage)) - math.fsum(np.square(weights))
    return variance, max(1 / alike - 1, 1.0) if alike > 1e-12 else np.inf


@dataclass(frozen=True, eq=False)
class Metrics:
    """Result on n clips of known classes.

    `confusion` (classes, classes) counts clips, true class by row; `estimates` hold the 95 % intervals, over `units`.
    `constant_guess` is what always answering the most frequent class would score.
    """

    labels: tuple[str, ...]
    confusion: np.ndarray
    estimates: Estimates
    units: Units

    @property
    def intervals(self) -> dict[str, Bounds]:
        """95 % intervals of WAR and UAR."""
        return {"WAR": self.estimates.war.bounds, "UAR": self.estimates.uar.bounds}

    @property
    def n(self) -> int:
        """Number of clips."""
        return int(self.confusion.sum())

    @property
    def WAR(self) -> float:
        """Weighted average recall, which is accuracy."""
        return war(self.confusion)

    @property
    def UAR(self) -> float:
        """Unweighted average recall: the mean over the classes that occur."""
        return uar(self.confusion)

    @property
    def recall(self) -> np.ndarray:
        """(classes,) recall; NaN for a class that does not occur."""
        return recall(self.confusion)

    @property
    def constant_guess(self) -> dict[str, float]:
        """WAR and UAR of always answering the most frequent class."""
        counts = self.confusion.sum(1)
        return {"WAR": float(counts.max() / counts.sum()), "UAR": float(1 / (counts > 0).sum())}

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; a class that does not occur has a count of 0 and no recall."""
        counts = self.confusion.sum(1).tolist()
        recalls = {
            label: found for label, found in zip(self.labels, self.estimates.recalls, strict=True) if found.value == found.value
        }
        return {
            "n": self.n,
            "WAR": self.WAR,
            "UAR": self.UAR,
            "intervals": {name: list(bounds) for name, bounds in self.intervals.items()},
            "recall": {label: found.value for label, found in recalls.items()},
            "recall_intervals": {label: list(found.bounds) for label, found in recalls.items()},
            "counts": dict(zip(self.labels, counts, strict=True)),
            "constant_guess": self.constant_guess,
            "confusion": self.confusion.tolist(),
            "intervals_over": str(self.units),
            "notes": list(self.units.notes),
        }


def evaluate(
    probabilities: np.ndarray,
    target: np.ndarray,
    labels: Sequence[str],
    *,
    groups: Sequence[str] | None = None,
) -> Metrics:
    """Score probabilities (n, classes) against class indexes (n,).

    `groups` (n,) names the person of each clip, see `count_units`.
    Raises: InputError for shapes that do not fit, no clips, NaN, or a class index outside of `labels`.
    """
    probabilities, target = np.asarray(probabilities), np.asarray(target)
    if probabilities.shape != (len(target), len(labels)) or not len(target):
        raise InputError(
            f"probabilities of shape {probabilities.shape} do not fit {len(target)} clips of {len(labels)} classes; "
            "metrics need one row for each clip, and at least one"
        )
    if np.isnan(probabilities).any():
        raise InputError(f"the prediction of clip {int(np.isnan(probabilities).any(1).argmax())} holds NaN")
    if target.min() < 0 or target.max() >= len(labels):
        raise InputError(f"class indexes run from {target.min()} to {target.max()}; there are {len(labels)} labels")
    guess = probabilities.argmax(1)
    confusion = count_pairs(target, guess, len(labels))
    units = count_units(groups, len(target))
    return Metrics(tuple(labels), confusion, estimate(guess == target, target, len(labels), units), units)


def count_pairs(target: np.ndarray, guess: np.ndarray, classes: int) -> np.ndarray:
    """Confusion matrix (K, K): how many clips are of the class of the row, and taken for that of the column.

    >>> count_pairs(np.array([0, 0, 1]), np.array([0, 1, 1]), 2)
    array([[1, 1],
           [0, 1]])
    """
    return np.bincount(target * classes + guess, minlength=classes**2).reshape(classes, classes)


def students_t(freedom: float) -> float:
    """Student's t at the two-sided 95 % level.

    >>> round(students_t(2), 3)
    4.303
    """
    return float(stdtrit(freedom, (1 + LEVEL) / 2))


def war(confusion: np.ndarray) -> float:
    """Accuracy of a confusion matrix (true class by row)."""
    return float(np.trace(confusion) / confusion.sum())


def uar(confusion: np.ndarray) -> float:
    """Mean recall of the classes that occur."""
    return float(np.nanmean(recall(confusion)))


def recall(confusion: np.ndarray) -> np.ndarray:
    """Recall of each class; NaN where the class does not occur."""
    counts = confusion.sum(1)
    return np.divide(np.diag(confusion), counts, out=np.full(len(counts), np.nan), where=counts > 0)


def _all_alike(share: float, persons: int) -> Estimate:
    """A share, or a difference, of persons who do not differ: each is one observation; half a hit and half a miss are added."""
    inner = (abs(share) * persons + 0.5) / (persons + 1)
    return Estimate(share, inner * (1 - inner) / persons, np.inf, inner)

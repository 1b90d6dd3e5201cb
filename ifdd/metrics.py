"""How good predictions are: WAR, UAR, recall per class, confusion, and the one kind of interval around them.

An interval says what other persons would give. A score is a weighted mean of hits; its variance comes from the sums of the
residuals of each person, so that clips of one person count as alike as they are (Liang and Zeger 1986), each sum stretched by the
person's share of the clips (Bell and McCaffrey 2002). The bounds are Wilson's for the number of independent clips that have this
variance (Korn and Graubard 1998; Dean and Pagano 2015), with Student's t for so many persons of equal size. For independent clips
that is Wilson's interval itself. Closed form: no draws and no seed. Coverage: benchmarks/interval_coverage.py.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import nctdtrinc, ndtri, stdtrit  # what scipy.stats calls, which alone takes a second to import

from ifdd.data.persons import person_ids
from ifdd.errors import InputError

LEVEL = 0.95
POWER = 0.8
"""Probability with which a detectable difference is found."""
Bounds = tuple[float, float]
_NAMELESS = "nameless clip "
_NONE = 1e-12  # a variance below it is rounding
_MANY = 1e5  # degrees of freedom beyond which Student's t is normal


@dataclass(frozen=True, eq=False)
class Units:
    """What counts as one observation: a person with all clips. `index` (n,) says which one a clip belongs to, of `count`.

    Where persons are not known each clip is a unit (`persons` False); `notes` say so, and what else was assumed. `what` is their
    name where others than persons, e.g. films, keep clips together.
    """

    index: np.ndarray
    count: int
    persons: bool
    notes: tuple[str, ...]
    what: str = "persons"

    def __str__(self) -> str:
        return f"over {self.count} {self.what}" if self.persons else f"over {self.count} clips, taken as independent"


def name_persons(persons: Sequence[Any] | np.ndarray) -> np.ndarray:
    """Name (n,) of each clip's person, as `person_ids` has it; a clip whose person is not known gets a name of its own."""
    return np.array([name or f"{_NAMELESS}{i}" for i, name in enumerate(person_ids(persons).tolist())], dtype=str)


def count_units(persons: Sequence[Any] | np.ndarray | None, n: int, what: str = "persons") -> Units:
    """The one rule of what is independent, for n clips: persons; a clip that names none is a person of its own.

    `what` names them where they are others, e.g. "sources". Clips alone count where no person is named, or one alone is: nothing
    then says how much persons differ.
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
        return Units(clips, n, False, (f"no clip names a {what[:-1]}: the intervals take clips as independent",))
    if len(unique) == 1:
        told = f"all clips are of one {what[:-1]}: the intervals take clips as independent and say nothing of other {what}"
        return Units(clips, n, False, (told,))
    notes = (f"{nameless} of {n} clips name no {what[:-1]}: each counts as a {what[:-1]} of its own",) if nameless else ()
    return Units(index.reshape(-1), len(unique), True, notes, what)


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

    @property
    def detectable(self) -> float:
        """Smallest difference between this share and another model's that is found (`detectable`); NaN if none is.

        Nothing is known of the other one but that it is as uncertain, so both variances add. Two models on the same clips are
        mostly right together: their difference, clip by clip, has a smaller variance, and shows less (`detectable` of it).
        """
        return detectable(2 * self.variance, self.freedom)


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
    order = np.lexsort((right, target, units.index))  # with exact sums: the last digit does not depend on the order of the clips
    right, target, index = np.asarray(right, np.float64)[order], target[order], units.index[order]
    whole = _share(right, index, units.count)
    occurring = np.unique(target)
    weights, residuals, extra = np.zeros(len(target)), np.zeros(len(target)), 0.0
    recalls = [Estimate(np.nan, np.nan, np.nan, np.nan)] * classes
    for c in occurring:
        own = target == c
        share = own / own.sum()
        recall = _sum(right[own]) / int(own.sum())
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


def estimate_share(right: np.ndarray, units: Units) -> Estimate:
    """The share of hits `right` (n,) in [0, 1]: `estimate` of WAR alone, where classes do not matter."""
    order = np.lexsort((right, units.index))
    return _share(np.asarray(right, np.float64)[order], units.index[order], units.count)


def _share(right: np.ndarray, index: np.ndarray, count: int) -> Estimate:
    share = _sum(right) / len(right)
    variance, freedom = spread(np.full(len(right), 1 / len(right)), right - share, index)
    return Estimate(share, variance, freedom, share) if variance > _NONE else _all_alike(share, count)


def _sum(values: np.ndarray) -> float:
    """The exact sum of some (n,), whatever their order."""
    return math.fsum(values.tolist())


def spread(weights: np.ndarray, residuals: np.ndarray, index: np.ndarray) -> tuple[float, float]:
    """Variance of Σ weight · residual over units, and its degrees of freedom; all (n,), the weights sum to 1.

    The degrees of freedom are those of so many persons of equal size, infinite if no person has two clips.
    """
    sums, leverage, clips = (np.bincount(index, values) for values in (weights * residuals, weights, weights > 0))
    several = (clips > 1) & (leverage < 1 - 1e-12)
    variance = _sum(np.square(sums) / np.where(several, 1 - leverage, 1.0))
    alike = _sum(np.square(leverage)) - _sum(np.square(weights))
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
    def detectable(self) -> dict[str, float | None]:
        """Smallest differences of WAR and UAR from another model's that these clips show (`Estimate.detectable`)."""
        found = {"WAR": self.estimates.war.detectable, "UAR": self.estimates.uar.detectable}
        return {name: None if np.isnan(value) else value for name, value in found.items()}

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
            "detectable": self.detectable,
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
    what: str = "persons",
) -> Metrics:
    """Score probabilities (n, classes) against class indexes (n,).

    `groups` (n,) names the person (or `what`) of each clip, see `count_units`.
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
    units = count_units(groups, len(target), what)
    return Metrics(tuple(labels), confusion, estimate(guess == target, target, len(labels), units), units)


def detectable_words(found: Mapping[str, float | None], n: int) -> str:
    """What `Metrics.detectable` of n clips means, in one sentence.

    >>> detectable_words({"WAR": 0.0261, "UAR": None}, 2341)[:88]
    'differences below 2.6 points of WAR cannot be seen with these 2341 clips, nor any of UAR'
    """
    seen = [f"{100 * value:.1f} points of {name}" for name, value in found.items() if value is not None]
    unseen = " and ".join(name for name, value in found.items() if value is None)
    told = f"differences below {' and '.join(seen)} cannot be seen with these {n} clips" if seen else ""
    none = f"{', nor any' if told else 'no difference'} of {unseen}{'' if told else f' can be seen with these {n} clips'}"
    return (
        f"{told}{none if unseen else ''} (80 % power at the 5 % level, against a model of which only its score is known; clip by "
        "clip, workbench compare sees smaller ones)"
    )


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


def detectable(variance: float, freedom: float) -> float:
    """Smallest true difference in (0, 1] that Student's t finds at the 5 % level with 80 % probability; NaN if none is.

    `variance` is that of the measured difference, `freedom` the degrees of freedom behind it. Source: Cohen 1988, chapter 2.

    >>> round(detectable(0.01**2, np.inf), 4)
    0.028
    """
    if not (variance > _NONE and freedom > 0):
        return float("nan")
    found = errors_needed(freedom) * math.sqrt(variance)
    return found if found <= 1 else float("nan")


def errors_needed(freedom: float) -> float:
    """Standard errors that a true difference needs to be found, on its own side: 2.80 of many persons, 4.26 of four.

    Source: the noncentral t; of infinite degrees of freedom the normal.

    >>> round(errors_needed(np.inf), 2), round(errors_needed(3), 2)
    (2.8, 4.26)
    """
    if freedom > _MANY:
        return float(ndtri((1 + LEVEL) / 2) + ndtri(POWER))
    return float(nctdtrinc(freedom, 1 - POWER, students_t(freedom)))


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

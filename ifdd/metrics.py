"""How good predictions are: WAR, UAR, recall per class, confusion, and intervals around them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix as count_pairs

from ifdd.errors import InputError


@dataclass(frozen=True, eq=False)
class Metrics:
    """Result on n clips of known classes.

    `confusion` (classes, classes) counts clips, true class by row. `intervals` are 95 % bootstrap intervals of WAR and UAR.
    `constant_guess` is what always answering the most frequent class would score.
    """

    labels: tuple[str, ...]
    confusion: np.ndarray
    intervals: dict[str, tuple[float, float]]

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
        return {
            "n": self.n,
            "WAR": self.WAR,
            "UAR": self.UAR,
            "intervals": {name: list(bounds) for name, bounds in self.intervals.items()},
            "recall": {label: float(r) for label, r in zip(self.labels, self.recall, strict=True) if not np.isnan(r)},
            "counts": dict(zip(self.labels, counts, strict=True)),
            "constant_guess": self.constant_guess,
            "confusion": self.confusion.tolist(),
        }


def evaluate(
    probabilities: np.ndarray,
    target: np.ndarray,
    labels: Sequence[str],
    *,
    groups: Sequence[str] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> Metrics:
    """Score probabilities (n, classes) against class indexes (n,).

    `groups` (n,) names the person of each clip: clips of one person are drawn together in the bootstrap.
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
    confusion = count_pairs(target, guess, labels=np.arange(len(labels)))
    return Metrics(tuple(labels), confusion, bootstrap(target, guess, len(labels), groups, resamples, seed))


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


def bootstrap(
    target: np.ndarray,
    guess: np.ndarray,
    classes: int,
    groups: Sequence[str] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, tuple[float, float]]:
    """95 % percentile intervals of WAR and UAR over `resamples` draws of whole groups (clips, where there are none)."""
    members = np.arange(len(target)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    # one confusion matrix for each group: a resample is then a weighted sum of matrices
    tables = np.zeros((members.max() + 1, classes, classes))
    np.add.at(tables, (members, target, guess), 1)
    draws = np.random.default_rng(seed).multinomial(len(tables), np.full(len(tables), 1 / len(tables)), size=resamples)
    samples = np.tensordot(draws, tables, 1)
    scores = {"WAR": [war(sample) for sample in samples], "UAR": [uar(sample) for sample in samples]}
    bounds = {name: np.quantile(values, (0.025, 0.975)) for name, values in scores.items()}
    return {name: (float(low), float(high)) for name, (low, high) in bounds.items()}

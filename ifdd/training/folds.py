"""What the folds of a cross-validation score: each by itself, their mean, and all test predictions pooled.

Papers print either: the mean of the folds' scores (MAE-DFER), or the score of all test predictions together (SVFAP). The UAR is
not linear, so the two differ. The interval of both says what other clips, of other persons, would give these very models; that
of the mean is of the same weighted sum of hits, so a person whose clips lie in several folds counts once. The standard deviation
over folds is told as it is and is no standard error: folds share most of their training clips, and each is tested on others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ifdd.data.persons import unknown_persons
from ifdd.errors import InputError
from ifdd.metrics import Estimate, Metrics, Units, count_units, detectable_words, evaluate, spread

SUBJECT, SOURCE = "subject", "source"
_NONE = 1e-12


@dataclass(frozen=True, eq=False)
class FoldScores:
    """`folds`: metrics by fold; `pooled`: of all clips; `war`, `uar`: the mean of the folds, with the variance of its error."""

    folds: dict[int, Metrics]
    pooled: Metrics
    war: Estimate
    uar: Estimate

    @property
    def deviation(self) -> dict[str, float | None]:
        """Standard deviation over folds of WAR and UAR; None for one fold."""
        values = {name: [getattr(one, name) for one in self.folds.values()] for name in ("WAR", "UAR")}
        return {name: float(np.std(each, ddof=1)) if len(each) > 1 else None for name, each in values.items()}

    @property
    def deviation_of_clips(self) -> dict[str, float]:
        """The deviation over folds that other clips alone would give, were all models equally good."""
        variances = {
            name.upper(): [getattr(one.estimates, name).variance for one in self.folds.values()] for name in ("war", "uar")
        }
        return {name: float(np.sqrt(np.mean(each))) for name, each in variances.items()}

    @property
    def recall(self) -> np.ndarray:
        """(classes,) mean over the folds in which the class occurs; NaN where it occurs in none."""
        each = np.stack([one.recall for one in self.folds.values()])
        known = ~np.isnan(each)
        return np.divide(np.nan_to_num(each).sum(0), known.sum(0), out=np.full(each.shape[1], np.nan), where=known.any(0))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types: `folds` by number, `mean_of_folds`, `pooled`."""
        labels = self.pooled.labels
        mean = {
            "folds": len(self.folds),
            "n": self.pooled.n,
            "WAR": self.war.value,
            "UAR": self.uar.value,
            "intervals": {"WAR": list(self.war.bounds), "UAR": list(self.uar.bounds)},
            "recall": {label: value for label, value in zip(labels, self.recall.tolist(), strict=True) if value == value},
            "sd_over_folds": self.deviation,
            "sd_of_other_clips_alone": self.deviation_of_clips,
            "intervals_over": str(self.pooled.units),
        }
        return {
            "folds": {str(fold): one.to_dict() for fold, one in self.folds.items()},
            "mean_of_folds": mean,
            "pooled": self.pooled.to_dict(),
        }

    @property
    def smallest_difference(self) -> str:
        """The smallest difference that the pooled clips show, in words."""
        return detectable_words(self.pooled.detectable, self.pooled.n)


def score_frame(frame: pd.DataFrame, labels: Sequence[str]) -> FoldScores:
    """Score predictions: columns fold, label (class index), p_<label>, and where they are known subject or source (a film).

    Raises: InputError as `score_folds`, and for a column that is missing or a clip that is there twice.
    """
    columns = [f"p_{label}" for label in labels]
    if missing := [name for name in ("clip_id", "fold", "label", *columns) if name not in frame]:
        raise InputError(f"the predictions lack the column {missing[0]!r}; they need clip_id, fold, label and p_<class>")
    if (twice := frame["clip_id"].duplicated()).any():
        raise InputError(f"clip {frame['clip_id'][twice].iloc[0]!r} is predicted twice; each clip is tested in one fold")
    groups, what = independent(frame)
    return score_folds(
        frame[columns].to_numpy(), frame["label"].to_numpy(), frame["fold"].to_numpy(), labels, groups=groups, what=what
    )


def independent(frame: pd.DataFrame) -> tuple[list[Any] | None, str]:
    """What of a table's columns tells which clips belong together, and its name: persons, else sources, else nothing."""
    for column, what in ((SUBJECT, "persons"), (SOURCE, "sources")):
        if column in frame and unknown_persons(tuple(frame[column])) < len(frame):
            return frame[column].tolist(), what
    return None, "persons"


def score_folds(
    probabilities: np.ndarray,
    target: np.ndarray,
    fold: np.ndarray,
    labels: Sequence[str],
    *,
    groups: Sequence[Any] | None = None,
    what: str = "persons",
) -> FoldScores:
    """Score test predictions (n, classes) of clips of known classes (n,), each tested in its `fold` (n,).

    `groups` (n,) names the person (or `what`) of each clip, see `metrics.count_units`.
    Raises: InputError for shapes that do not fit, no clips, NaN, or class indexes outside of `labels`.
    """
    target, fold = np.asarray(target), np.asarray(fold)
    if len(fold) != len(target):
        raise InputError(f"{len(fold)} folds for {len(target)} clips; each clip is tested in one fold")
    names = None if groups is None else np.asarray(groups, dtype=object)
    pooled = evaluate(probabilities, target, labels, groups=None if names is None else names.tolist(), what=what)
    folds = {}
    for number in np.unique(fold).tolist():
        own = fold == number
        own_names = None if names is None else names[own].tolist()
        folds[int(number)] = evaluate(np.asarray(probabilities)[own], target[own], labels, groups=own_names, what=what)
    units = count_units(None if names is None else names.tolist(), len(target), what=what)
    right = np.asarray(probabilities).argmax(1) == target
    war = _mean(right, np.zeros_like(target), fold, {number: [one.estimates.war] for number, one in folds.items()}, units)
    uar = _mean(right, target, fold, {number: one.estimates.recalls for number, one in folds.items()}, units)
    return FoldScores(folds, pooled, war, uar)


def _mean(
    right: np.ndarray, stratum: np.ndarray, fold: np.ndarray, known: dict[int, Sequence[Estimate]], units: Units
) -> Estimate:
    """The mean over folds of the mean over strata of hits (n,); `known`: each fold's estimate of each stratum."""
    order = np.lexsort((right, stratum, fold, units.index))  # as in `estimate`: the order of the clips changes no digit
    right, stratum, fold, index = right[order], stratum[order], fold[order], units.index[order]
    weights, residuals, extra = np.zeros(len(right)), np.zeros(len(right)), 0.0
    values, inner = [], []
    for number, estimates in known.items():
        occurring = np.unique(stratum[fold == number]).tolist()
        share = 1 / (len(known) * len(occurring))
        for c in occurring:
            cell = (fold == number) & (stratum == c)
            weights[cell] = share / cell.sum()
            residuals[cell] = right[cell] - estimates[c].value
            if spread(cell / cell.sum(), np.where(cell, residuals, 0.0), index)[0] <= _NONE:
                extra += share**2 * estimates[c].variance  # all alike: as `estimate` counts it, a half hit and a half miss more
        values.append(np.mean([estimates[c].value for c in occurring]))
        inner.append(np.mean([estimates[c].inner for c in occurring]))
    variance, freedom = spread(weights, residuals, index)
    return Estimate(float(np.mean(values)), variance + extra, freedom, float(np.mean(inner)))

"""How good is the model? WAR, UAR and recalls with intervals, the confusion matrix, and a guess to beat."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix

from ifdd.errors import InputError
from workbench.analysis._inputs import check_groups, check_labels, check_names, check_probabilities
from workbench.analysis._result import Result
from workbench.provenance import Provenance, record

LEVEL = 0.95
FEW_GROUPS = 20


@dataclass(frozen=True, eq=False)
class Interval(Result):
    """A share, or a difference of two, with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return percent, as papers print it: 71.4 % [68.2, 74.5]."""
        return f"{100 * self.value:.1f} % [{100 * self.low:.1f}, {100 * self.high:.1f}]"


@dataclass(frozen=True, eq=False)
class ClassRecall(Result):
    """Recall of one class with its Wilson interval; all NaN where no clip has the class."""

    name: str
    n: int
    recall: Interval


@dataclass(frozen=True, eq=False)
class MetricsResult(Result):
    """What one model reaches on n clips; all shares in [0, 1].

    WAR is the accuracy, UAR the mean recall of the classes that occur. `constant_*`: what always answering with the
    most frequent class would reach.
    """

    n: int
    label_names: tuple[str, ...]
    war: Interval
    uar: Interval
    recalls: tuple[ClassRecall, ...]
    confusion: np.ndarray  # (C, C) counts; rows true, columns predicted
    constant_class: str
    constant_war: float
    constant_uar: float
    resampling: str
    notes: tuple[str, ...]
    provenance: Provenance

    @property
    def caption(self) -> str:
        """One sentence: n, WAR, UAR, how the intervals were made, and the constant guess."""
        return (
            f"n = {self.n}; WAR {self.war}, UAR {self.uar} (95 % bootstrap intervals, {self.resampling}); "
            f"always {self.constant_class}: WAR {100 * self.constant_war:.1f} %, UAR {100 * self.constant_uar:.1f} %"
        )


def summary(
    predicted: ArrayLike,
    labels: ArrayLike,
    label_names: Sequence[str] | None = None,
    n_boot: int = 2000,
    seed: int = 0,
    groups: ArrayLike | None = None,
) -> MetricsResult:
    """Measure WAR, UAR, recalls and confusion, with 95 % percentile bootstrap intervals for WAR and UAR.

    Without `groups`, clips are drawn again within each class, so the class sizes stay. With `groups`, whole groups are
    drawn again: use it where clips of one person, video or film are alike.

    Args:
        predicted: (n,) predicted class indexes, or (n, C) probabilities, whose largest counts.
        labels: (n,) true class indexes.
        label_names: one name per class.
        n_boot: number of bootstrap draws, 100 or more.
        seed: of the bootstrap.
        groups: (n,) numbers or names, e.g. the subject of each clip.

    Raises:
        InputError: shapes or labels that do not fit, fewer than two groups, too few draws.

    Source: Efron and Tibshirani 1993, chapter 13 (percentile interval); Wilson 1927 (interval of a recall).
    """
    guesses, y, names = check_predictions(predicted, labels, label_names)
    if n_boot < 100:
        raise InputError(f"n_boot is {n_boot}; an interval needs 100 draws or more")
    confusion = confusion_matrix(y, guesses, labels=range(len(names)))
    sizes, hits = confusion.sum(axis=1), confusion.diagonal()
    occurs = sizes > 0
    notes = [f"{names[c]}: no clip has this label, so it does not count in the UAR" for c in np.flatnonzero(~occurs)]

    rng = np.random.default_rng(seed)
    if groups is None:
        # drawing n_c clips of a class again and counting the hits is one binomial draw
        drawn_hits = rng.binomial(sizes, hits / np.maximum(sizes, 1), size=(n_boot, len(names)))
        drawn_sizes = np.broadcast_to(sizes, drawn_hits.shape)
        resampling = f"{n_boot} draws within classes"
    else:
        drawn_hits, drawn_sizes, n_groups = draw_groups(guesses == y, y, groups, len(names), n_boot, rng)
        resampling = f"{n_boot} draws of {n_groups} groups"
        notes.append("the intervals of the recalls take clips as independent, those of WAR and UAR do not")
        if n_groups < FEW_GROUPS:
            notes.append(f"only {n_groups} groups: the bootstrap intervals tend to be too narrow")
        lost = ((drawn_sizes == 0) & occurs).any(axis=1).mean()
        if lost:
            notes.append(f"{lost:.1%} of the draws lack a class: their UAR is the mean over the others")
    war = _interval(hits.sum() / len(y), drawn_hits.sum(axis=1) / drawn_sizes.sum(axis=1))
    uar = _interval((hits[occurs] / sizes[occurs]).mean(), _mean_recall(drawn_hits, drawn_sizes))
    if war.low == war.high:
        notes.append("every class is all right or all wrong: a bootstrap cannot see how uncertain that is")
    majority = int(sizes.argmax())
    settings = {"n_boot": n_boot, "seed": seed, "grouped": groups is not None, "label_names": list(names)}
    inputs = {"predicted": guesses, "labels": y}
    if groups is not None:
        inputs["groups"] = np.asarray(groups).astype(str)
    return MetricsResult(
        n=len(y),
        label_names=names,
        war=war,
        uar=uar,
        recalls=tuple(ClassRecall(name, int(n), wilson(int(k), int(n))) for name, k, n in zip(names, hits, sizes, strict=True)),
        confusion=confusion,
        constant_class=names[majority],
        constant_war=float(sizes[majority] / len(y)),
        constant_uar=float(1 / occurs.sum()),
        resampling=resampling,
        notes=tuple(notes),
        provenance=record("metrics.summary", settings, inputs, ["scikit-learn", "scipy"]),
    )


def check_predictions(
    predicted: ArrayLike, labels: ArrayLike, label_names: Sequence[str] | None
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Return predicted and true class indexes (n,) and the names."""
    n_classes = None if label_names is None else len(label_names)
    array = np.asarray(predicted)
    if array.ndim == 2:
        probs = check_probabilities(array)
        array, n_classes = probs.argmax(axis=1), probs.shape[1]
    if array.ndim != 1 or len(array) < 1:
        raise InputError(f"predicted has shape {array.shape}; pass class indexes (clips,) or probabilities (clips, classes)")
    guesses = check_labels(array, len(array), n_classes, what="predicted")
    y = check_labels(labels, len(array), n_classes)
    return guesses, y, check_names(label_names, n_classes or int(max(guesses.max(), y.max())) + 1)


def group_index(groups: ArrayLike, n: int) -> np.ndarray:
    """Number (n,) of each clip's group, 0 upwards.

    Raises: InputError for another length, a missing name, or one group alone.
    """
    unique, index = np.unique(check_groups(groups, n).astype(str), return_inverse=True)
    if len(unique) < 2:
        raise InputError(f"all clips are in group {unique[0]}; a bootstrap over groups needs two or more, or leave groups out")
    return index.reshape(-1)


def draw_groups(
    hit: np.ndarray, labels: np.ndarray, groups: ArrayLike, n_classes: int, n_boot: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, int]:
    """Draw whole groups with replacement: sums of `hit` (n,) and sizes per class, (n_boot, C) each, and the number of groups."""
    index = group_index(groups, len(labels))
    n_groups = int(index.max()) + 1
    cells = index * n_classes + labels
    table = np.stack([np.bincount(cells, hit, n_groups * n_classes), np.bincount(cells, minlength=n_groups * n_classes)])
    table = table.reshape(2, n_groups, n_classes)
    drawn = np.empty((2, n_boot, n_classes))
    for start in range(0, n_boot, 256):  # bounds the memory at 256 × groups
        rows = min(256, n_boot - start)
        picks = rng.integers(n_groups, size=(rows, n_groups)) + n_groups * np.arange(rows)[:, None]
        times = np.bincount(picks.ravel(), minlength=rows * n_groups).reshape(rows, n_groups)
        drawn[:, start : start + rows] = times @ table
    return drawn[0], drawn[1], n_groups


def _mean_recall(hits: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Mean over the classes that occur in each draw: (n_boot, C) twice → (n_boot,)."""
    recalls = np.divide(hits, sizes, out=np.zeros(hits.shape), where=sizes > 0)
    return recalls.sum(axis=1) / (sizes > 0).sum(axis=1)


def _interval(value: float, draws: np.ndarray) -> Interval:
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(value), float(low), float(high))


def wilson(hits: int, n: int) -> Interval:
    """Share of hits with its 95 % Wilson interval; all NaN for n = 0."""
    if n == 0:
        return Interval(np.nan, np.nan, np.nan)
    bounds = binomtest(hits, n).proportion_ci(LEVEL, method="wilson")
    return Interval(hits / n, float(bounds.low), float(bounds.high))

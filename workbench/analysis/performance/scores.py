"""How good is the model? WAR, UAR and recalls with intervals, the confusion matrix, and a guess to beat."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from ifdd.errors import InputError
from ifdd.metrics import Estimate, count_pairs, count_units, estimate
from workbench.analysis.performance.results import ClassRecall, MetricsResult
from workbench.results.checks import check_groups, check_labels, check_names, check_probabilities
from workbench.results.interval import Interval
from workbench.results.provenance import record

FEW_GROUPS = 20


def summary(
    predicted: ArrayLike,
    labels: ArrayLike,
    label_names: Sequence[str] | None = None,
    groups: ArrayLike | None = None,
) -> MetricsResult:
    """Measure WAR, UAR, recalls and confusion, with 95 % intervals: those of `ifdd.metrics`, to the last digit.

    Args:
        predicted: (n,) predicted class indexes, or (n, C) probabilities, whose largest counts.
        labels: (n,) true class indexes.
        label_names: one name per class.
        groups: (n,) numbers or names, e.g. the person of each clip; a clip that names none is a person of its own. Without them,
            or with one alone, clips count as independent.

    Raises:
        InputError: shapes or labels that do not fit.

    Source: as `ifdd.metrics`.

    >>> found = summary([0, 1, 1, 0], [0, 1, 0, 0], ["happy", "sad"])
    >>> found.war.value, round(found.uar.value, 3), found.constant_class
    (0.75, 0.833, 'happy')
    """
    guesses, y, names = check_predictions(predicted, labels, label_names)
    confusion = count_pairs(y, guesses, len(names))
    sizes = confusion.sum(axis=1)
    occurs = sizes > 0
    absent = [names[c] for c in np.flatnonzero(~occurs)]
    this = "this label, so it does" if len(absent) == 1 else "these labels, so they do"
    notes = [f"{', '.join(absent)}: no clip has {this} not count in the UAR"] if absent else []
    units = count_units(None if groups is None else np.asarray(groups), len(y))
    found = estimate(guesses == y, y, len(names), units)
    majority = int(sizes.argmax())
    settings = {"grouped": units.persons, "label_names": list(names)}
    inputs = {"predicted": guesses, "labels": y}
    if units.persons:
        inputs["groups"] = units.index
    return MetricsResult(
        n=len(y),
        label_names=names,
        war=interval(found.war),
        uar=interval(found.uar),
        recalls=tuple(
            ClassRecall(name, int(n), interval(recall)) for name, n, recall in zip(names, sizes, found.recalls, strict=True)
        ),
        confusion=confusion,
        constant_class=names[majority],
        constant_war=float(sizes[majority] / len(y)),
        constant_uar=float(1 / occurs.sum()),
        units=str(units),
        notes=(*notes, *units.notes),
        provenance=record("metrics.summary", settings, inputs, ["scikit-learn", "scipy"]),
        detectable_war=found.war.detectable,
        detectable_uar=found.uar.detectable,
    )


def interval(found: Estimate) -> Interval:
    """An estimate of a share with its bounds."""
    return Interval(found.value, *found.bounds)


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


def difference(found: Estimate) -> Interval:
    """An estimate of a difference of shares with its bounds."""
    return Interval(found.value, *found.difference_bounds)


def group_index(groups: ArrayLike, n: int) -> np.ndarray:
    """Number (n,) of each clip's group, 0 upwards.

    Raises: InputError for another length, a missing name, or one group alone.
    """
    unique, index = np.unique(check_groups(groups, n).astype(str), return_inverse=True)
    if len(unique) < 2:
        raise InputError(f"all clips are in group {unique[0]}; a bootstrap over groups needs two or more, or leave groups out")
    return index.reshape(-1)

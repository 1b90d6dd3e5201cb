"""From a figure to the clips behind it: selections as text, for the points of charts and the cells of tables."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from workbench.analysis.comparison.binning import levels
from workbench.analysis.comparison.results import ComparisonResult, PairResult, Slice
from workbench.analysis.performance.results import MetricsResult
from workbench.app.selection import Condition, Selection, where
from workbench.store.columns import OWN

CLASS = "label_name"
EVERYONE = Selection()


def text(scope: Selection, *conditions: Condition) -> str:
    """The clips of a scope that also pass the conditions."""
    return scope.and_(*conditions).text


def attach(figure: go.Figure, links: Sequence[Sequence[str]]) -> go.Figure:
    """The figure whose first traces carry these links, one for each point."""
    for trace, own in zip(figure.data, links, strict=False):
        trace.customdata = list(own)
    return figure


def says(model: str, label: str) -> Condition:
    """A model calls the clip so."""
    return where(f"said {model}", label)


def right(model: str, hit: bool) -> Condition:
    """A model has the clip right, or wrong."""
    return where(f"right {model}", hit)


def differ(first: str, second: str) -> Condition:
    """Two models say different classes."""
    return Condition(f"said {first}", "<>", (f"said {second}",))


def confusion(result: MetricsResult, model: str, scope: Selection = EVERYONE) -> list[list[str]]:
    """For each cell (true, predicted) its clips; "" for none."""
    names = result.label_names
    return [
        [
            text(scope, where(CLASS, names[true]), says(model, names[called])) if result.confusion[true, called] else ""
            for called in range(len(names))
        ]
        for true in range(len(names))
    ]


def recalls(result: MetricsResult, model: str, scope: Selection = EVERYONE) -> list[str]:
    """For the rows of a `RecallDisplay`: WAR and UAR lead to the clips that the model has wrong, a class to its clips."""
    wrong = text(scope, right(model, False))
    return [wrong, wrong, *(text(scope, where(CLASS, item.name)) if item.n else "" for item in result.recalls)]


def differences(result: ComparisonResult, scope: Selection = EVERYONE) -> list[str]:
    """For the rows of a `ForestDisplay` the clips that just one of the two models has right; "" for none."""
    found = []
    for pair in result.pairs:
        one_right = Condition(f"right {pair.first}", "<>", (f"right {pair.second}",))
        counts = _flips(pair, len(result.label_names))
        found += [text(scope, one_right) if pair.only_first + pair.only_second else ""] * 2
        if len(result.pairs) == 1:
            seen = counts["gained"] + counts["lost"]
            found += [text(scope, where(CLASS, c.name), one_right) if n else "" for c, n in zip(pair.recalls, seen, strict=True)]
    return found


def flips(pair: PairResult, labels: Sequence[str], scope: Selection = EVERYONE) -> dict[str, list[str]]:
    """For each kind of flip, the clips of each class, and at last those of all; "" for none."""
    kinds = {
        "gained": (right(pair.first, False), right(pair.second, True)),
        "lost": (right(pair.first, True), right(pair.second, False)),
        "other": (right(pair.first, False), right(pair.second, False), differ(pair.first, pair.second)),
    }
    counts = _flips(pair, len(labels))
    return {
        kind: [
            *(text(scope, where(CLASS, label), *wanted) if n else "" for label, n in zip(labels, counts[kind], strict=True)),
            text(scope, *wanted) if counts[kind].any() else "",
        ]
        for kind, wanted in kinds.items()
    }


def _flips(pair: PairResult, classes: int) -> dict[str, np.ndarray]:
    """Clips (C,) of each kind of flip, by true class."""
    kinds = np.array(pair.flips.kinds, dtype=object)
    return {kind: np.bincount(pair.flips.true[kinds == kind], minlength=classes) for kind in ("gained", "lost", "other")}


def confusion_difference(
    pair: PairResult, shares: np.ndarray, labels: Sequence[str], scope: Selection = EVERYONE
) -> list[list[str]]:
    """For each cell (true, predicted) of the differences `shares` (C, C) the clips that make it; "" where there is none.

    Where the second model calls more clips so, those that it alone does; else those that the first one alone does.
    """
    return [
        [
            ""
            if not shares[i, j]
            else text(scope, where(CLASS, true), says(one, called), Condition(f"said {other}", "!=", (called,)))
            for j, called in enumerate(labels)
            for one, other in [(pair.second, pair.first) if shares[i, j] > 0 else (pair.first, pair.second)]
        ]
        for i, true in enumerate(labels)
    ]


def agreement(first: str, second: str, labels: Sequence[str], counts: np.ndarray, scope: Selection = EVERYONE) -> list[list[str]]:
    """For each cell (first says, second says) its clips; "" for none."""
    return [
        [text(scope, says(first, row), says(second, column)) if counts[i, j] else "" for j, column in enumerate(labels)]
        for i, row in enumerate(labels)
    ]


class Levels:
    """Selections for the levels of factors, as `binning.levels` makes them of the columns of a table of n clips.

    `saved` are further factors with two levels, `IN` and `OUT`.
    """

    def __init__(self, table: pd.DataFrame, bins: int, saved: Mapping[str, Selection] | None = None) -> None:
        self.conditions: dict[tuple[str, str], tuple[Condition, ...]] = {}
        for factor in table:
            found = levels(str(factor), table[factor], len(table), bins)
            for code, name in enumerate(found.names):
                self.conditions[str(factor), name] = _holding(str(factor).removeprefix(OWN), table[factor][found.codes == code])
        self.saved = saved or {}

    def of(self, item: Slice, scope: Selection = EVERYONE) -> str:
        """The clips of a slice; "" for those outside of a saved one, which no conditions name."""
        wanted: list[Condition] = []
        for factor, level in item.terms:
            if factor in self.saved:
                if level == OUT:
                    return ""
                wanted += self.saved[factor].conditions
            else:
                wanted += self.conditions[factor, level]
        return text(scope, *wanted)


IN, OUT = "in", "not in"
"""Levels of a saved slice."""


def _holding(column: str, values: pd.Series) -> tuple[Condition, ...]:
    """Conditions that these values of a column pass, and no others: a range of numbers, or the values by name."""
    distinct = list(values.drop_duplicates())
    numbers = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    if numbers and len(distinct) > 1:
        return Condition(column, ">=", (f"{values.min()!s}",)), Condition(column, "<=", (f"{values.max()!s}",))
    return (where(column, *distinct),)

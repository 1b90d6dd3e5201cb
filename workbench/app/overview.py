"""What the page Overview shows: clips by class and part, scores with the clips behind them, what models say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from workbench.analysis.performance.results import MetricsResult
from workbench.app import links
from workbench.app.selection import Selection, where
from workbench.plotting import style
from workbench.plotting.base import Display, new_axes

PARTS = ("fold", "split")
"""Columns that say which part of a list a clip belongs to."""
HATCHES = ("", "/", "x", ".", "-", "+", "|")


def facts(table: pd.DataFrame, n: int) -> str:
    """One line on clips of a list of n: how many, of how many classes and persons, in which parts."""
    told = [f"{len(table)} clips" if len(table) == n else f"{len(table)} of {n} clips"]
    for column, word in ((links.CLASS, "classes"), ("subject", "persons")):
        if column in table and (count := table[column].replace("", None).nunique()):
            told.append(f"{count} {word if count > 1 else word.removesuffix('es' if column == links.CLASS else 's')}")
    part = part_of(table)
    return ", ".join(told) + (f", {table[part].nunique()} {part}s" if part else "")


def part_of(table: pd.DataFrame) -> str:
    """The column that divides the clips into a few parts; "" for none."""
    return next((name for name in PARTS if name in table and 1 < table[name].nunique() <= len(HATCHES)), "")


@dataclass(frozen=True, eq=False)
class ClassCounts:
    """Clips of each class (C,) in each part of a list (P,): `counts` (P, C); `column` is what the parts are called by, or ""."""

    labels: tuple[str, ...]
    column: str
    parts: tuple[Any, ...]
    counts: np.ndarray


def class_counts(table: pd.DataFrame) -> ClassCounts:
    """Count the clips of a `clip_table` by class, the most frequent first, and by part."""
    known = table[table[links.CLASS].notna() & (table[links.CLASS] != "")]
    labels = tuple(str(name) for name in known[links.CLASS].value_counts().index)
    column = part_of(known)
    parts = tuple(sorted(known[column].dropna().unique().tolist())) if column else ("",)
    counts = [
        (known[known[column] == part] if column else known)[links.CLASS].value_counts().reindex(labels, fill_value=0)
        for part in parts
    ]
    return ClassCounts(labels, column, parts, np.array(counts, int))


def class_links(found: ClassCounts, scope: Selection = links.EVERYONE) -> list[list[str]]:
    """For each part and class its clips."""
    return [
        [
            links.text(scope, where(links.CLASS, label), *([where(found.column, part)] if found.column else []))
            for label in found.labels
        ]
        for part in found.parts
    ]


class ClassCountsDisplay(Display):
    """Clips of each class as bars, stacked by part of the list."""

    def __init__(self, result: ClassCounts) -> None:
        self.result = result

    @classmethod
    def from_result(cls, result: ClassCounts) -> Self:
        """Take the clips of a list by class."""
        return cls(result)

    def _bars(self) -> list[tuple[str, list[str], np.ndarray]]:
        """Name, colours (C,) and counts (C,) of each part."""
        r = self.result
        if not r.column:
            return [("", [style.class_colour(label) for label in r.labels], r.counts[0])]
        return [
            (f"{r.column} {part}", [style.model_colour(i)] * len(r.labels), counts)
            for i, (part, counts) in enumerate(zip(r.parts, r.counts, strict=True))
        ]

    def _draw(self, ax: Any) -> None:
        labels = self.result.labels
        self.ax_ = new_axes(ax, 5.5, 0.32 * len(labels) + 1)
        self.figure_ = self.ax_.figure
        ends = np.zeros(len(labels))
        for i, (name, colours, counts) in enumerate(self._bars()):
            self.ax_.barh(range(len(labels)), counts, left=ends, color=colours, label=name, hatch=HATCHES[i], height=0.7)
            ends += counts
        self.ax_.set_yticks(range(len(labels)), labels)
        self.ax_.set(ylim=(len(labels) - 0.5, -0.5), xlabel="clips", ylabel="class")
        if self.result.column:
            self.ax_.legend(loc="upper left", bbox_to_anchor=(1, 1))

    def to_plotly(self) -> go.Figure:
        """Return the bars for a web page."""
        figure = go.Figure()
        for i, (name, colours, counts) in enumerate(self._bars()):
            figure.add_bar(
                x=counts,
                y=list(self.result.labels),
                orientation="h",
                name=name,
                marker={"color": colours, "pattern": {"shape": HATCHES[i]}},
                text=counts,
                textposition="auto",
                hovertemplate="%{y}: %{x} clips<extra>%{fullData.name}</extra>",
            )
        figure.update_layout(
            template=style.plotly_template(),
            barmode="stack",
            showlegend=bool(self.result.column),
            legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
            margin={"t": 30 if self.result.column else 10, "l": 40, "r": 10, "b": 40},
        )
        figure.update_xaxes(title="clips")
        figure.update_yaxes(title="class", autorange="reversed", showgrid=False)
        return figure


def score_rows(found: Mapping[str, MetricsResult], scope: Selection) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """A line for each model, and where its numbers lead: the clips it has wrong, and those of its most frequent mistake."""
    rows, wrong, mistakes = [], [], []
    for name, result in found.items():
        off = result.confusion - np.diag(np.diag(result.confusion))
        true, called = np.unravel_index(int(off.argmax()), off.shape)
        names = result.label_names
        rows.append(
            {
                "model": name,
                "clips": result.n,
                "WAR": str(result.war),
                "UAR": str(result.uar),
                "wrong": int(off.sum()),
                "most often": f"{names[true]} taken for {names[called]}, {off.max()}" if off.any() else "–",
                "detectable, points": result.detectable,
                "constant guess": f"{result.constant_class}: {100 * result.constant_war:.1f} %",
            }
        )
        wrong.append(links.text(scope, links.right(name, False)) if off.any() else "")
        mistakes.append(links.text(scope, where(links.CLASS, names[true]), links.says(name, names[called])) if off.any() else "")
    return pd.DataFrame(rows), {"wrong": wrong, "most often": mistakes}


def said_counts(
    table: pd.DataFrame, models: Mapping[str, Sequence[str]], scope: Selection
) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """How many clips of a `clip_table` each model calls each class, by the classes of each; and those clips."""
    classes = list(dict.fromkeys(label for labels in models.values() for label in labels))
    rows: dict[str, Any] = {"class": classes}
    cells: dict[str, list[str]] = {}
    for name in models:
        counts = table[f"said {name}"].value_counts()
        rows[name] = [int(counts.get(label, 0)) for label in classes]
        cells[name] = [links.text(scope, links.says(name, label)) if rows[name][i] else "" for i, label in enumerate(classes)]
    return pd.DataFrame(rows), cells

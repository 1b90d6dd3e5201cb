"""Pictures of slices: accuracy by the levels of a factor, and what a search for bad slices found."""

from typing import Any, Self

import numpy as np
import plotly.graph_objects as go

from workbench.analysis.comparison.results import SearchResult, Slice, SliceResult
from workbench.plotting import style
from workbench.plotting.base import Display, new_axes
from workbench.results.interval import number_text

SHOWN = 20


class SliceDisplay(Display):
    """WAR of each model at every level of the factors, with 95 % intervals; a small tick is what the classes there explain."""

    def __init__(self, result: SliceResult) -> None:
        self.result = result
        self.rows = next(iter(result.models.values()))

    @classmethod
    def from_result(cls, result: SliceResult) -> Self:
        """Take the slices of one or several models."""
        return cls(result)

    def provenance(self) -> str:
        """Return the result's provenance."""
        return self.result.provenance.to_json()

    def table(self) -> list[dict[str, object]]:
        """One row per level: clips, groups, and for each model WAR, its interval, what its classes explain, and the gap."""
        rows = []
        for i, item in enumerate(self.rows):
            row: dict[str, object] = {"slice": item.name, "n": item.n, "groups": item.n_groups}
            for model, slices in self.result.models.items():
                row |= {
                    f"{model} WAR": slices[i].war.value,
                    f"{model} low": slices[i].war.low,
                    f"{model} high": slices[i].war.high,
                }
                row |= {f"{model} expected": slices[i].expected, f"{model} gap": slices[i].gap}
            rows.append(row)
        return rows

    def _names(self) -> list[str]:
        return [f"{item.name} ({item.n}{', one person' if item.n_groups == 1 else ''})" for item in self.rows]

    @property
    def _label(self) -> str:
        """What points and bars are, and why some have no bar."""
        alone = any(item.n_groups == 1 for item in self.rows)
        return f"WAR, %, with 95 % interval{' (none for one person)' if alone else ''}"

    def _points(self) -> list[tuple[str, np.ndarray, np.ndarray]]:
        """Model, (rows, 4) percentages (value, low, high, expected), (rows,) heights."""
        many = len(self.result.models)
        return [
            (
                model,
                100 * np.array([(s.war.value, s.war.low, s.war.high, s.expected) for s in slices]),
                np.arange(len(slices)) + (i - (many - 1) / 2) * 0.6 / many,
            )
            for i, (model, slices) in enumerate(self.result.models.items())
        ]

    def _draw(self, ax: Any) -> None:
        names = self._names()
        self.ax_ = new_axes(ax, 7, 0.3 * len(names) + 1.2)
        self.figure_ = self.ax_.figure
        for i, (model, values, heights) in enumerate(self._points()):
            colour = style.model_colour(i)
            bars = _arms(values)
            self.ax_.errorbar(
                values[:, 0], heights, xerr=bars, fmt=style.model_marker(i), color=colour, label=model, markersize=5
            )
            self.ax_.plot(values[:, 3], heights, "|", color=colour, markersize=9, alpha=0.7)
        factors = [item.terms[0][0] for item in self.rows]
        for row in range(1, len(factors)):
            if factors[row] != factors[row - 1]:
                self.ax_.axhline(row - 0.5, color="0.8", linewidth=0.8)
        self.ax_.set_yticks(range(len(names)), names)
        self.ax_.set(
            xlim=(-1, 101),
            ylim=(len(names) - 0.5, -0.5),
            ylabel="slice (clips)",
            xlabel=f"{self._label}; | what its classes explain",
        )
        self.ax_.legend(loc="upper left", bbox_to_anchor=(1, 1))

    def to_plotly(self) -> go.Figure:
        """Return the points for a web page."""
        names = self._names()
        figure = go.Figure()
        for i, (model, values, heights) in enumerate(self._points()):
            lower, upper = _arms(values)
            figure.add_trace(
                go.Scatter(
                    x=values[:, 0],
                    y=heights,
                    mode="markers",
                    name=model,
                    text=[
                        f"{row}: {value:.1f} %, its classes explain {expected:.1f} %"
                        for row, (value, _, _, expected) in zip(names, values.tolist(), strict=True)
                    ],
                    marker={"color": style.model_colour(i), "symbol": style.PLOTLY_MARKERS[style.model_marker(i)], "size": 8},
                    error_x={"type": "data", "symmetric": False, "array": upper, "arrayminus": lower, "width": 0},
                    hovertemplate="%{text}<extra>%{fullData.name}</extra>",
                )
            )
        _layout(figure, names, self._label)
        return figure


class SearchDisplay(Display):
    """The slices of a search, most certain first: how far below expectation, and the p-value corrected for all looked at."""

    def __init__(self, result: SearchResult) -> None:
        self.result = result
        self.rows = result.slices[:SHOWN]

    @classmethod
    def from_result(cls, result: SearchResult) -> Self:
        """Take the result of a search."""
        return cls(result)

    def provenance(self) -> str:
        """Return the result's provenance."""
        return self.result.provenance.to_json()

    @property
    def caption(self) -> str:
        """One sentence: what was looked at, what was found, what the picture cannot promise."""
        r = self.result
        what = "the recalls of its classes" if r.against == "class" else "the WAR"
        return (
            f"{r.looked_at} slices of {r.min_n} clips or more, each against {what}; {len(r.found)} worse at {r.level:g} after "
            "correction for all. The gaps of slices found by a search are too large: measure them on other clips"
        )

    def table(self) -> list[dict[str, object]]:
        """One row per slice."""
        return [
            {
                "slice": s.name,
                "n": s.n,
                "groups": s.n_groups,
                "WAR": s.war.value,
                "expected": s.expected,
                "gap": s.gap,
                "p": s.p,
                "p corrected": s.p_adjusted,
                "found": s.p_adjusted <= self.result.level,
            }
            for s in self.rows
        ]

    def _colour(self, item: Slice) -> str:
        return style.WRONG if item.p_adjusted <= self.result.level else style.GREY

    def _draw(self, ax: Any) -> None:
        names = [f"{item.name} ({item.n})" for item in self.rows]
        self.ax_ = new_axes(ax, 7.5, 0.28 * len(names) + 1.4)
        self.figure_ = self.ax_.figure
        self.ax_.barh(
            range(len(names)), [100 * s.gap for s in self.rows], color=[self._colour(s) for s in self.rows], height=0.65
        )
        for row, item in enumerate(self.rows):
            self.ax_.annotate(
                f"p = {item.p_adjusted:.3f}", (1.02, row), xycoords=("axes fraction", "data"), va="center", fontsize="small"
            )
        self.ax_.axvline(0, color="black", linewidth=0.8)
        self.ax_.locator_params(axis="x", nbins=5)
        self.ax_.set_yticks(range(len(names)), names)
        found = f"{len(self.result.found)} found; p corrected for all {self.result.looked_at} slices"
        xlabel = "WAR minus expected, points of percent"
        self.ax_.set(ylim=(len(names) - 0.5, -0.5), ylabel="slice (clips)", xlabel=xlabel, title=found)

    def to_plotly(self) -> go.Figure:
        """Return the bars for a web page."""
        names = [f"{item.name} ({item.n})" for item in self.rows]
        figure = go.Figure(
            go.Bar(
                x=[100 * s.gap for s in self.rows],
                y=list(range(len(names))),
                orientation="h",
                text=[
                    f"{name}<br>{number_text(100 * s.gap, '+.1f')} points, p = {s.p_adjusted:.3f}"
                    for name, s in zip(names, self.rows, strict=True)
                ],
                textposition="none",
                marker_color=[self._colour(s) for s in self.rows],
                hovertemplate="%{text}<extra></extra>",
            )
        )
        _layout(figure, names, "WAR minus expected, points of percent")
        return figure


def _layout(figure: go.Figure, names: list[str], xlabel: str) -> None:
    figure.update_layout(
        template=style.plotly_template(), height=120 + 28 * len(names), margin={"t": 20, "l": 40, "r": 10, "b": 40}
    )
    figure.update_xaxes(title=xlabel)
    figure.update_yaxes(
        title="slice (clips)", tickvals=list(range(len(names))), ticktext=names, range=[len(names) - 0.5, -0.5], zeroline=False
    )


def _arms(values: np.ndarray) -> np.ndarray:
    """Lengths (2, rows) of the error bars; none where an interval has no bounds."""
    arms: np.ndarray = np.nan_to_num(np.maximum([values[:, 0] - values[:, 1], values[:, 2] - values[:, 0]], 0))
    return arms

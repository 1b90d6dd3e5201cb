"""Pictures of metrics: the confusion matrix of one model, the recalls of several."""

from typing import Any, Self

import matplotlib as mpl
import numpy as np
import plotly.graph_objects as go

from workbench.analysis.performance.results import MetricsResult
from workbench.plotting import style
from workbench.plotting.base import Display, NamedDisplay, new_axes, same_labels
from workbench.results.interval import Interval


class ConfusionDisplay(Display):
    """Confusion matrix: colour is the share of the true class, text is percent and count."""

    normalisation = "each row by the clips of its true class"

    def __init__(self, result: MetricsResult) -> None:
        self.result = result
        sizes = result.confusion.sum(axis=1, keepdims=True)
        self.shares = np.divide(result.confusion, sizes, out=np.zeros(result.confusion.shape), where=sizes > 0)
        self.row_names = [f"{name} ({n})" for name, n in zip(result.label_names, sizes.ravel(), strict=True)]

    @classmethod
    def from_result(cls, result: MetricsResult) -> Self:
        """Take the metrics of one model."""
        return cls(result)

    def provenance(self) -> str:
        """Return the result's provenance."""
        return self.result.provenance.to_json()

    @property
    def _title(self) -> list[str]:
        return [f"WAR {self.result.war}", f"UAR {self.result.uar}"]

    @property
    def told(self) -> list[list[str]]:
        """What a pointer is told of each cell (C, C)."""
        counts = self.result.confusion
        return [
            [f"{100 * share:.1f} %, {n} clips" for share, n in zip(*row, strict=True)]
            for row in zip(self.shares, counts, strict=True)
        ]

    def _draw(self, ax: Any) -> None:
        names = self.result.label_names
        side = 0.62 * len(names)
        self.ax_ = new_axes(ax, side + 2.6, side + 1.6)
        self.figure_ = self.ax_.figure
        image = self.ax_.imshow(100 * self.shares, cmap=style.SEQUENTIAL, vmin=0, vmax=100)
        for (row, column), share in np.ndenumerate(self.shares):
            red, green, blue, _ = mpl.colormaps[style.SEQUENTIAL](share)
            ink = "black" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.45 else "white"
            text = f"{100 * share:.0f}\n{self.result.confusion[row, column]}"
            self.ax_.text(column, row, text, ha="center", va="center", color=ink, fontsize="small")
        self.ax_.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
        self.ax_.set_yticks(range(len(names)), self.row_names)
        self.ax_.set(xlabel="predicted", ylabel="true (clips)")
        self.ax_.set_title("\n".join(self._title), fontsize="medium")
        self.figure_.colorbar(image, ax=self.ax_, label="% of the true class", shrink=0.8)

    def to_plotly(self) -> go.Figure:
        """Return the matrix for a web page."""
        figure = go.Figure(
            go.Heatmap(
                z=100 * self.shares,
                x=list(self.result.label_names),
                y=self.row_names,
                text=self.result.confusion,
                zmin=0,
                zmax=100,
                colorscale=style.SEQUENTIAL,
                texttemplate="%{z:.0f}<br>%{text}",
                hovertemplate="true %{y}<br>predicted %{x}<br>%{z:.1f} %, %{text} clips<extra></extra>",
                colorbar={"title": {"text": "% of the true class", "side": "right", "font": {"size": 13}}},
            )
        )
        figure.update_layout(
            template=style.plotly_template(),
            title="<br>".join(self._title),
            margin={"t": 60, "l": 40, "r": 10, "b": 40},
            height=520,
        )
        figure.update_xaxes(title="predicted", showgrid=False)
        figure.update_yaxes(title="true (clips)", autorange="reversed", showgrid=False)
        return figure


class RecallDisplay(NamedDisplay[MetricsResult]):
    """Recall of each class, UAR and WAR of one or several models, as points with 95 % intervals."""

    def _names(self) -> list[str]:
        """Rows from top to bottom; with the number of clips, where all models saw the same."""
        sizes = {tuple(item.n for item in result.recalls) for result in self.results.values()}
        names = same_labels(self.results)
        if len(sizes) == 1:
            names = tuple(f"{name} ({n})" for name, n in zip(names, sizes.pop(), strict=True))
        return ["WAR", "UAR", *names]

    def _points(self) -> list[tuple[str, np.ndarray, np.ndarray]]:
        """Each model's name, (rows, 3) percentages (value, low, high) and (rows,) heights, side by side in a row."""
        heights = np.arange(len(self._names()))
        offsets = (np.arange(len(self.results)) - (len(self.results) - 1) / 2) * 0.7 / len(self.results)
        return [
            (
                name or "model",
                100 * np.array([_triple(item) for item in (r.war, r.uar, *(c.recall for c in r.recalls))]),
                heights + offset,
            )
            for (name, r), offset in zip(self.results.items(), offsets, strict=True)
        ]

    def _draw(self, ax: Any) -> None:
        names = self._names()
        self.ax_ = new_axes(ax, 6.5, 0.25 * len(names) * (1 + 0.3 * len(self.results)) + 1.2)
        self.figure_ = self.ax_.figure
        for i, (name, shares, heights) in enumerate(self._points()):
            bars = _errors(shares)
            self.ax_.errorbar(
                shares[:, 0],
                heights,
                xerr=bars,
                fmt=style.model_marker(i),
                color=style.model_colour(i),
                label=name,
                markersize=5,
                capsize=0,
            )
        self.ax_.axhline(1.5, color="0.7", linewidth=0.8)
        self.ax_.set_yticks(range(len(names)), names)
        self.ax_.set(
            xlim=(-1, 101),
            ylim=(len(names) - 0.5, -0.5),
            xlabel="recall, % (WAR and UAR above), with 95 % interval",
            ylabel="class (clips)",
        )
        self.ax_.grid(axis="x", color="0.9")
        self.ax_.legend(loc="upper left", bbox_to_anchor=(1, 1))

    def to_plotly(self) -> go.Figure:
        """Return the points for a web page."""
        names = self._names()
        figure = go.Figure()
        for i, (name, shares, heights) in enumerate(self._points()):
            lower, upper = _errors(shares)
            figure.add_trace(
                go.Scatter(
                    x=shares[:, 0],
                    y=heights,
                    mode="markers",
                    name=name,
                    marker={"color": style.model_colour(i), "symbol": style.PLOTLY_MARKERS[style.model_marker(i)], "size": 8},
                    error_x={"type": "data", "symmetric": False, "array": upper, "arrayminus": lower, "width": 0},
                    text=names,
                    hovertemplate="%{text}: %{x:.1f} %<extra>%{fullData.name}</extra>",
                )
            )
        figure.add_hline(1.5, line={"color": "gray", "width": 1})
        figure.update_layout(
            template=style.plotly_template(),
            height=120 + 36 * len(names),
            margin={"t": 20, "l": 40, "r": 10, "b": 40},
            showlegend=True,
        )
        figure.update_xaxes(title="recall, % (WAR and UAR above), with 95 % interval", range=[-3, 103])
        figure.update_yaxes(
            title="class (clips)",
            tickvals=list(range(len(names))),
            ticktext=names,
            range=[len(names) - 0.5, -0.5],
            zeroline=False,
        )
        return figure


def _triple(item: Interval) -> tuple[float, float, float]:
    return item.value, item.low, item.high


def _errors(shares: np.ndarray) -> np.ndarray:
    """Lengths of the bars to the left and right (2, rows); never below 0 by rounding."""
    return np.maximum([shares[:, 0] - shares[:, 1], shares[:, 2] - shares[:, 0]], 0)

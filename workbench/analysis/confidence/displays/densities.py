"""Pictures of confidence: densities of the class probabilities, and reliability."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
import plotly.graph_objects as go
from matplotlib.ticker import MaxNLocator
from plotly.subplots import make_subplots

from workbench.analysis.confidence.results import CalibrationResult, ClassConfidence, ConfidenceResult, Density
from workbench.plotting import style
from workbench.plotting.base import NamedDisplay, check_length, new_axes, new_grid, same_labels

Scale = Literal["peak", "density"]
SIDES = (("positives", style.POSITIVE), ("negatives", style.NEGATIVE))
RASTER_CLIPS = 500
EDGES = (-0.05, 1.05)  # of an axis from 0 to 1 whose largest markers lie on its ends
DOTS = 500
"""Clips of a side that a panel of a web page shows one by one; of more the most wrong half of so many, and some of the others."""
ALL_DOTS = 3500
"""Clips that all panels of a web page show one by one, where sides have more: a browser draws so many in half a second."""
PANEL, GAP = 135, 84  # pixels of a row on a web page, and between rows: ticks, and a title of four lines
_LANES = {"positives": (-0.06, -0.16), "negatives": (-0.22, -0.32)}  # where the strips lie, in units of the panel's height


class ConfidenceDisplay(NamedDisplay[ConfidenceResult]):
    """One column per class, one row per model: density of p(class) for the clips of the class and for all others.

    Above each panel: clips on both sides, the area that the densities share, and the area under the ROC curve.

    `scale` "peak" draws each curve up to the same height, because a curve that hugs 0 or 1 would flatten the other;
    "density" draws all in units of density.
    """

    def __init__(self, results: Mapping[str, ConfidenceResult], scale: Scale = "peak") -> None:
        super().__init__(results)
        self.scale = scale
        self.normalisation = "each density by its peak" if scale == "peak" else "none"
        self.label_names = same_labels(self.results)

    @classmethod
    def from_result(cls, result: ConfidenceResult | Mapping[str, ConfidenceResult], scale: Scale = "peak") -> Self:
        """Take one result, or results by the model's name."""
        return cls(result if isinstance(result, Mapping) else {"": result}, scale)

    @property
    def _label(self) -> str:
        return "density / its peak" if self.scale == "peak" else "density"

    def _curve(self, density: Density) -> np.ndarray | None:
        if density.density is None:
            return None
        return density.density / density.density.max() if self.scale == "peak" else density.density

    def _height(self, result: ConfidenceResult, column: int) -> float:
        """Of the highest curve in a panel; 1 where there is none."""
        curves = [self._curve(getattr(result.classes[column], side)) for side, _ in SIDES]
        return max((float(curve.max()) for curve in curves if curve is not None), default=1.0)

    def _ticks(self, height: float) -> list[float]:
        """Of the axis of a panel: the strips below 0 have none."""
        ticks = [0, 1] if self.scale == "peak" else MaxNLocator(3).tick_values(0, height)
        return [float(tick) for tick in ticks if tick <= height]

    def _strip(self, density: Density, side: str, height: float) -> np.ndarray:
        """Heights of the single clips: spread over their lane by row, so that a picture is always the same."""
        low, high = _LANES[side]
        return height * (low + (high - low) * ((density.rows * 0.6180339887) % 1))

    def _draw(self, ax: Any) -> None:
        rows, columns = len(self.results), len(self.label_names)
        self.ax_ = new_grid(ax, rows, columns, 1.6 * columns + 1.2, 1.9 * rows + 0.7, sharex=True, sharey=self.scale == "peak")
        self.figure_ = self.ax_[0, 0].figure
        for row, (model, result) in enumerate(self.results.items()):
            for column, item in enumerate(result.classes):
                panel, height = self.ax_[row, column], self._height(result, column)
                for side, colour in SIDES:
                    density = getattr(item, side)
                    curve = self._curve(density)
                    if curve is not None:
                        panel.fill_between(result.grid, curve, color=colour, alpha=0.35, linewidth=0)
                        panel.plot(result.grid, curve, color=colour, linewidth=1.2)
                    if not density.n:  # an empty line that is not clipped has no extent, and the layout collapses
                        continue
                    strip = self._strip(density, side, height)
                    panel.plot(
                        density.values,
                        strip,
                        ".",
                        color=colour,
                        markersize=2,
                        alpha=0.6,
                        clip_on=False,
                        rasterized=density.n > RASTER_CLIPS,
                    )
                told = "\n".join(_numbers(item))
                panel.set_title(f"{item.name}\n{told}" if row == 0 else told, fontsize="small")
                panel.set(xlim=(0, 1), ylim=(-0.36 * height, 1.05 * height), xticks=[0, 0.5, 1])
                panel.set_xticklabels(["0", ".5", "1"])
                panel.set_yticks(self._ticks(height))
            self.ax_[row, 0].set_ylabel(f"{model}\n{self._label}".strip())
        for panel in self.ax_[-1]:
            panel.set_xlabel("p(class)")
        handles = [
            self.ax_[0, 0].fill_between([], [], color=colour, alpha=0.6, label=f"{side} ({what})")
            for (side, colour), what in zip(SIDES, ("clips of the class", "all others"), strict=True)
        ]
        self.figure_.legend(handles=handles, loc="outside upper left", ncols=2)

    def to_plotly(self, clip_ids: Sequence[str] | None = None) -> go.Figure:
        """Return the panels for a web page; the points carry the clip ids (row numbers by default) as `customdata`.

        Of more than `DOTS` clips on a side, or `ALL_DOTS` on all, some get a dot, among them the most wrong.
        """
        rows, columns = len(self.results), len(self.label_names)
        panels = [item for result in self.results.values() for item in result.classes]
        titles = ["<br>".join([item.name, *_numbers(item)]) for item in panels]
        dots = _dots([getattr(item, side).n for item in panels for side, _ in SIDES])
        inner = rows * PANEL + (rows - 1) * GAP
        beside = min(0.02 if self.scale == "peak" else 0.035, 0.5 / columns)  # in units of density each panel has its own ticks
        figure = make_subplots(
            rows, columns, shared_xaxes=True, subplot_titles=titles, horizontal_spacing=beside, vertical_spacing=GAP / inner
        )
        traces: list[go.Scatter] = []
        places: list[tuple[int, int]] = []
        for row, (model, result) in enumerate(self.results.items(), start=1):
            for column, item in enumerate(result.classes, start=1):
                height = self._height(result, column - 1)
                for side, colour in SIDES:
                    density = getattr(item, side)
                    drawn = [self._line(result.grid, density, side, colour)] if density.density is not None else []
                    drawn += [self._points(density, side, colour, height, clip_ids, dots, (row, column) == (1, 1))]
                    traces += drawn
                    places += [(row, column)] * len(drawn)
                panel = figure.get_subplot(row, column)  # one by one: figure.update_yaxes looks through all of them
                panel.yaxis.update(
                    range=[-0.36 * height, 1.05 * height],
                    showticklabels=column == 1 or self.scale == "density",
                    tickvals=self._ticks(height),
                    automargin=False,
                )
                panel.xaxis.update(range=[0, 1], tickvals=[0, 0.5, 1], ticktext=["0", ".5", "1"], automargin=False)
            figure.update_yaxes(title=f"{model}<br>{self._label}" if model else self._label, row=row, col=1)
        figure.add_traces(traces, *zip(*places, strict=True))
        figure.update_xaxes(title="p(class)", row=rows)
        figure.update_annotations(font_size=12)
        figure.update_layout(
            template=style.plotly_template(),
            # margins hold what stands there: left to themselves the axes of all panels would be measured and drawn again
            height=inner + 145,
            margin={"t": 95, "l": 70, "r": 10, "b": 50},
            legend={"orientation": "h", "yref": "container", "y": 1, "yanchor": "top", "x": 0},
        )
        return figure

    def _line(self, grid: np.ndarray, density: Density, side: str, colour: str) -> go.Scatter:
        return go.Scatter(
            x=grid,
            y=self._curve(density),
            mode="lines",
            fill="tozeroy",
            fillcolor=style.translucent(colour, 0.35),
            line={"color": colour, "width": 1.5},
            name=side,
            legendgroup=side,
            showlegend=False,
            hoverinfo="skip",
        )

    def _points(
        self,
        density: Density,
        side: str,
        colour: str,
        height: float,
        clip_ids: Sequence[str] | None,
        dots: int,
        legend: bool,
    ) -> go.Scatter:
        if clip_ids is not None and density.n:
            check_length(clip_ids, max(len(clip_ids), int(density.rows.max()) + 1), "clip_ids")
        shown = _shown(density.values if side == "positives" else -density.values, dots)
        return go.Scatter(  # not WebGL: without a graphics card a scene for each panel takes seconds
            x=density.values[shown],
            y=self._strip(density, side, height)[shown],
            mode="markers",
            marker={"color": colour, "size": 3, "opacity": 0.7},
            customdata=[str(row) if clip_ids is None else str(clip_ids[row]) for row in density.rows[shown]],
            hovertemplate="%{customdata}<br>p = %{x:.3f}<extra></extra>",
            name=side,
            legendgroup=side,
            showlegend=legend,
        )


class CalibrationDisplay(NamedDisplay[CalibrationResult]):
    """Reliability of one or several models: accuracy over confidence in each bin, with its 95 % interval.

    Larger points hold more clips. No line joins the points: with few clips it would draw a zigzag that is luck.
    """

    def _draw(self, ax: Any) -> None:
        self.ax_ = new_axes(ax, 5.4, 5 + 0.35 * len(self.results))
        self.figure_ = self.ax_.figure
        self.ax_.plot([0, 1], [0, 1], color="0.6", linestyle="--", linewidth=1, label="perfectly calibrated")
        for i, (name, result) in enumerate(self.results.items()):
            filled = result.counts > 0
            area = 20 + 180 * result.counts[filled] / result.n
            x, y = result.mean_confidence[filled], result.accuracy[filled]
            bars = _bars(result)
            self.ax_.errorbar(x, y, yerr=bars, fmt="none", ecolor=style.model_colour(i), elinewidth=1, alpha=0.7, zorder=2)
            self.ax_.scatter(
                x,
                y,
                s=area,
                color=style.model_colour(i),
                marker=style.model_marker(i),
                label=_legend(name, result),
                clip_on=False,
                zorder=3,
            )
        self.ax_.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel="mean confidence of the bin", ylabel="accuracy in the bin")
        # above the axes: a curve may run through any corner of them
        legend = self.ax_.legend(
            loc="lower left",
            bbox_to_anchor=(-0.02, 1),
            title="size of a point: share of the clips; lines: 95 % intervals",
            alignment="left",
        )
        for handle in legend.legend_handles[1:]:
            handle.set_sizes([40])

    def to_plotly(self) -> go.Figure:
        """Return the reliability curve for a web page."""
        figure = go.Figure(
            go.Scatter(
                x=[0, 1],
                y=[0, 1],
                mode="lines",
                line={"dash": "dash", "color": "gray"},
                name="perfectly calibrated",
                hoverinfo="skip",
            )
        )
        for i, (name, result) in enumerate(self.results.items()):
            filled = result.counts > 0
            figure.add_trace(
                go.Scatter(
                    x=result.mean_confidence[filled],
                    y=result.accuracy[filled],
                    mode="markers",
                    name=_legend(name, result).replace("\n", "<br>"),
                    error_y={
                        "type": "data",
                        "symmetric": False,
                        "array": _bars(result)[1],
                        "arrayminus": _bars(result)[0],
                        "width": 0,
                        "color": style.model_colour(i),
                    },
                    marker={
                        "color": style.model_colour(i),
                        "symbol": style.PLOTLY_MARKERS[style.model_marker(i)],
                        "size": 8 + 20 * np.sqrt(result.counts[filled] / result.n),
                    },
                    customdata=result.counts[filled],
                    hovertemplate="confidence %{x:.3f}<br>accuracy %{y:.3f}<br>n = %{customdata}<extra></extra>",
                )
            )
        figure.update_layout(
            template=style.plotly_template(),
            height=440 + 36 * len(self.results),
            margin={"t": 20, "l": 40, "r": 10, "b": 40},
            legend={"x": 0, "y": -0.18, "yanchor": "top"},  # beside the curve, its two lines would leave it a third of the width
        )
        figure.update_xaxes(title="mean confidence of the bin", range=EDGES)
        figure.update_yaxes(title="accuracy in the bin", range=EDGES)
        return figure


def _dots(counts: Sequence[int]) -> int:
    """The most dots on a side, at most `DOTS`, of which sides of so many clips have at most `ALL_DOTS` together.

    >>> _dots([10, 60]), _dots([3000, 3000]), _dots([20, 3000, 3000, 9000, 9000, 9000, 9000, 9000, 9000])
    (500, 500, 435)
    """
    left = ALL_DOTS
    for i, n in enumerate(sorted(counts)):
        if n > (share := left // (len(counts) - i)):
            return min(max(share, 2), DOTS)
        left -= n
    return DOTS


def _shown(values: np.ndarray, dots: int) -> np.ndarray:
    """Which of the clips (n,) get a dot: all of few, else the lowest `dots` / 2, and as many of the rest, evenly."""
    if len(values) <= dots:
        return np.arange(len(values))
    order, half = np.argsort(values, kind="stable"), dots // 2
    return np.sort(np.concatenate([order[:half], order[np.linspace(half, len(values) - 1, half).astype(int)]]))


def _numbers(item: ClassConfidence) -> list[str]:
    """Lines below the name of a class: n of positives and negatives, how far they overlap, how well they separate."""
    overlap = "–" if item.overlap is None else f"{item.overlap:.2f} (null {item.overlap_null:.2f})"
    auc = "–" if item.separation is None else item.separation_interval.text()
    return [f"n = {item.positives.n} / {item.negatives.n}", f"overlap {overlap}", f"AUC {auc}"]


def _legend(name: str, result: CalibrationResult) -> str:
    low, high, null = result.ece_interval.low, result.ece_interval.high, result.ece_null
    bins = f"n = {result.n}, {len(result.counts)} bins of equal {result.binning}"
    return f"{name or 'model'}: ECE {result.ece:.3f} [{low:.3f}, {high:.3f}]\n(a perfect model's {null:.3f}; {bins})"


def _bars(result: CalibrationResult) -> np.ndarray:
    """Lengths (2, filled bins) of the bars below and above the accuracies."""
    filled = result.counts > 0
    low, high = result.accuracy_bounds[filled].T
    return np.maximum([result.accuracy[filled] - low, high - result.accuracy[filled]], 0)

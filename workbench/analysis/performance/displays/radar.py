"""Recalls on a radar, as papers draw them, with the dot plot that shows the same without the area."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from matplotlib.figure import Figure
from plotly.subplots import make_subplots

from ifdd.errors import InputError
from workbench.analysis.performance.displays.scores import RecallDisplay
from workbench.analysis.performance.results import MetricsResult
from workbench.plotting import style
from workbench.plotting.base import NamedDisplay, same_labels

WARNING = "The area of a radar changes with the order of the classes; read the lengths, or the points."
PUBLISHED = " (published)"


class RadarDisplay(NamedDisplay[MetricsResult]):
    """Recall of each class, one polygon for each model, beside its dot-plot twin with intervals; the caption prints UAR.

    `published` adds recalls from papers by name, shares (C,) in the order of the labels: dashed, marked as published, and without
    an interval, since nobody can say on which clips. A class without clips leaves a gap in the polygon.
    """

    def __init__(self, results: Mapping[str, MetricsResult], published: Mapping[str, Sequence[float]] | None = None) -> None:
        super().__init__(results)
        self.label_names = same_labels(self.results)
        if len(self.label_names) < 3:
            raise InputError(f"a radar needs three classes or more, not {len(self.label_names)}; use the dot plot")
        self.published = {name: np.asarray(values, float) for name, values in (published or {}).items()}
        for name, values in self.published.items():
            if values.shape != (len(self.label_names),) or not ((values >= 0) & (values <= 1)).all():
                raise InputError(f"published recalls of {name} are {values}; pass a share in [0, 1] for each class")

    @classmethod
    def from_result(
        cls, result: MetricsResult | Mapping[str, MetricsResult], published: Mapping[str, Sequence[float]] | None = None
    ) -> Self:
        """Take the metrics of one model, or of several by name; `published` recalls by name, as shares."""
        return cls(result if isinstance(result, Mapping) else {"": result}, published)

    @property
    def caption(self) -> str:
        """The warning about the area, the UAR of each polygon, on how many clips, and what intervals are over."""
        own = [f"{name or 'model'} {result.uar}" for name, result in self.results.items()]
        papers = [f"{name}{PUBLISHED} {100 * values.mean():.1f} %" for name, values in self.published.items()]
        sets = dict.fromkeys((result.n, result.units) for result in self.results.values())
        about = "; ".join(f"n = {n}, 95 % intervals {units}" for n, units in sets)
        return f"{WARNING} UAR: {', '.join([*own, *papers])}; {about}."

    def _polygons(self) -> list[tuple[str, np.ndarray, bool]]:
        """Name, recalls (C,) in percent, whether published."""
        own = [(n or "model", 100 * np.array([c.recall.value for c in r.recalls]), False) for n, r in self.results.items()]
        return own + [(name + PUBLISHED, 100 * values, True) for name, values in self.published.items()]

    def _draw(self, ax: Any) -> None:
        if ax is None:
            figure = Figure(figsize=(11, 4.6 + 0.15 * len(self.label_names)), layout="constrained")
            grid = figure.add_gridspec(1, 2, width_ratios=(1, 1.25))
            ax = np.array([figure.add_subplot(grid[0], projection="polar"), figure.add_subplot(grid[1])])
        axes = np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
        if axes.size != 2 or getattr(axes[0], "name", "") != "polar":
            raise InputError("this display needs a polar and a plain pair of axes; pass both, or none")
        polar, points = axes
        self.ax_, self.figure_ = axes, polar.figure
        angles = np.linspace(0, 2 * np.pi, len(self.label_names), endpoint=False)
        for i, (name, recalls, published) in enumerate(self._polygons()):
            around, closed = np.append(angles, 0), np.append(recalls, recalls[0])
            colour = style.model_colour(i)
            polar.plot(
                around,
                closed,
                color=colour,
                marker=style.model_marker(i),
                markersize=4,
                label=name,
                linestyle="--" if published else "-",
                linewidth=1.2,
            )
            if not published:
                polar.fill(around, np.nan_to_num(closed), color=colour, alpha=0.07)
        polar.set_theta_offset(np.pi / 2)
        polar.set_theta_direction(-1)
        polar.set_xticks(angles, self.label_names)
        polar.set(ylim=(0, 100), yticks=[25, 50, 75, 100])
        polar.tick_params(axis="x", pad=8)
        polar.set_xlabel("class, clockwise")
        polar.set_ylabel("recall, %", labelpad=28)
        RecallDisplay(self.results).draw(points)
        first = len(self.results)
        for i, (name, values) in enumerate(self.published.items(), start=first):
            points.plot(
                100 * values,
                np.arange(len(values)) + 2,
                linestyle="none",
                marker=style.model_marker(i),
                markerfacecolor="none",
                color=style.model_colour(i),
                label=name + PUBLISHED,
            )
        handles, names = points.get_legend_handles_labels()
        last = sorted(range(len(names)), key=lambda i: names[i].endswith(PUBLISHED))
        points.legend([handles[i] for i in last], [names[i] for i in last], loc="upper left", bbox_to_anchor=(1, 1))
        self.figure_.supxlabel(self.caption, fontsize="small", x=0.01, ha="left", wrap=True)

    def numbers(self) -> pd.DataFrame:
        """Return a row for each model and class: recall in percent with its interval (none where it is published), clips."""
        rows = [
            {"model": name or "model", "class": one.name, "recall, %": 100 * one.recall.value}
            | {"low": 100 * one.recall.low, "high": 100 * one.recall.high, "clips": one.n}
            for name, result in self.results.items()
            for one in result.recalls
        ]
        rows += [
            {"model": name + PUBLISHED, "class": label, "recall, %": 100 * value}
            for name, values in self.published.items()
            for label, value in zip(self.label_names, values, strict=True)
        ]
        return pd.DataFrame(rows)

    def to_plotly(self) -> go.Figure:
        """Return radar and points for a web page, the caption as title."""
        figure = make_subplots(
            1, 2, specs=[[{"type": "polar"}, {"type": "xy"}]], column_widths=[0.4, 0.6], horizontal_spacing=0.25
        )
        radar, points = self.panels_to_plotly()
        for column, panel in enumerate((radar, points), start=1):
            for trace in panel.data:
                figure.add_trace(trace, 1, column)
        figure.update_polars(radar.layout.polar)
        figure.update_xaxes(points.layout.xaxis)
        figure.update_yaxes(points.layout.yaxis)
        figure.update_layout(
            template=style.plotly_template(),
            height=480,
            title={"text": self.caption, "font": {"size": 12}},
            margin={"t": 70, "l": 50, "r": 10, "b": 40},
        )
        return figure

    def panels_to_plotly(self) -> tuple[go.Figure, go.Figure]:
        """Return radar and points as figures of their own, for a page that has them below each other."""
        figure = go.Figure()
        for i, (name, recalls, published) in enumerate(self._polygons()):
            trace = go.Scatterpolar(
                r=np.append(recalls, recalls[0]),
                theta=[*self.label_names, self.label_names[0]],
                name=name,
                showlegend=False,
                mode="lines+markers",
                line={"color": style.model_colour(i), "dash": "dash" if published else "solid"},
                marker={"symbol": style.PLOTLY_MARKERS[style.model_marker(i)], "size": 6},
            )
            figure.add_trace(trace)
        points = RecallDisplay(self.results).to_plotly()
        for i, (name, values) in enumerate(self.published.items(), start=len(self.results)):
            marker = {"color": style.model_colour(i), "symbol": f"{style.PLOTLY_MARKERS[style.model_marker(i)]}-open", "size": 8}
            points.add_scatter(x=100 * values, y=np.arange(len(values)) + 2, mode="markers", name=name + PUBLISHED, marker=marker)
        figure.update_polars(
            radialaxis={"range": [0, 100], "ticksuffix": " %", "angle": 90 - 180 / len(self.label_names), "tickvals": [50, 100]},
            angularaxis={"direction": "clockwise", "rotation": 90},
            bgcolor="rgba(0, 0, 0, 0)",
        )
        return figure.update_layout(template=style.plotly_template()), points

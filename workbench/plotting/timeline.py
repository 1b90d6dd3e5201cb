"""How the probabilities change along a video that was read in windows."""

from typing import Any, Self

import numpy as np
import plotly.graph_objects as go

from ifdd.errors import InputError
from workbench.plotting import style
from workbench.plotting.base import Display, new_axes


class TimelineDisplay(Display):
    """Probability of each class in each window, at the window's centre; `chosen` is the window whose maps are shown.

    `start` and `end` (n,) in seconds, `probabilities` (n, classes).
    """

    def __init__(
        self, start: np.ndarray, end: np.ndarray, probabilities: np.ndarray, labels: tuple[str, ...], chosen: int | None = None
    ) -> None:
        if not (len(start) == len(end) == len(probabilities)) or probabilities.shape[1:] != (len(labels),):
            raise InputError(f"{len(start)} windows and {len(labels)} labels do not fit probabilities {probabilities.shape}")
        self.start, self.end, self.probabilities = np.asarray(start, float), np.asarray(end, float), probabilities
        self.labels, self.chosen = labels, chosen
        self.centre = (self.start + self.end) / 2

    @classmethod
    def from_result(
        cls, start: np.ndarray, end: np.ndarray, probabilities: np.ndarray, labels: tuple[str, ...], chosen: int | None = None
    ) -> Self:
        """As the constructor."""
        return cls(start, end, probabilities, labels, chosen)

    def _draw(self, ax: Any) -> None:
        self.ax_ = new_axes(ax, 8.5, 3.2)
        self.figure_ = self.ax_.figure
        if self.chosen is not None:
            self.ax_.axvspan(self.start[self.chosen], self.end[self.chosen], color="0.9", linewidth=0, label="window of the maps")
        for label, values in zip(self.labels, self.probabilities.T, strict=True):
            marker = style.class_marker(label)
            self.ax_.plot(self.centre, values, color=style.class_colour(label), marker=marker, markersize=4, label=label)
        self.ax_.set(xlabel="seconds (centre of the window)", ylabel="probability", ylim=(-0.02, 1.02))
        self.ax_.set_xlim(self.start.min(), self.end.max())
        self.ax_.legend(loc="upper left", bbox_to_anchor=(1.01, 1))

    def to_plotly(self) -> go.Figure:
        """Return the timeline for a web page."""
        figure = go.Figure()
        if self.chosen is not None:
            figure.add_vrect(self.start[self.chosen], self.end[self.chosen], fillcolor="gray", opacity=0.15, line_width=0)
        for label, values in zip(self.labels, self.probabilities.T, strict=True):
            marker = {"symbol": style.PLOTLY_MARKERS[style.class_marker(label)], "size": 7}
            line = {"color": style.class_colour(label)}
            figure.add_scatter(
                x=self.centre,
                y=values,
                name=label,
                mode="lines+markers",
                line=line,
                marker=marker,
                hovertemplate="%{x:.2f} s: %{y:.1%}<extra>%{fullData.name}</extra>",
            )
        figure.update_layout(template=style.plotly_template(), height=340, margin={"t": 20, "l": 40, "r": 10, "b": 40})
        figure.update_xaxes(title="seconds (centre of the window)", range=[self.start.min(), self.end.max()])
        figure.update_yaxes(title="probability", range=[-0.02, 1.02])
        return figure

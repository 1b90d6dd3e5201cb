"""What the models say about one clip: a bar for every class, one panel for every model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ifdd.errors import InputError
from workbench.plotting import style
from workbench.plotting.base import Display, new_grid


@dataclass(frozen=True, eq=False)
class Probabilities:
    """Probabilities (C,) of the classes of one model for one clip."""

    values: np.ndarray
    label_names: tuple[str, ...]


class ProbabilityDisplay(Display):
    """Horizontal bars in the colours of the classes; `truth` names the true class, marked where a model knows it."""

    def __init__(self, results: Mapping[str, Probabilities], truth: str | None = None) -> None:
        if not results:
            raise InputError("no model to display; choose at least one")
        self.results, self.truth = dict(results), truth

    @classmethod
    def from_result(cls, results: Mapping[str, Probabilities], truth: str | None = None) -> Self:
        """Take the probabilities by the model's name."""
        return cls(results, truth)

    def _names(self, result: Probabilities) -> list[str]:
        return [f"{name} (true)" if name == self.truth else name for name in result.label_names]

    def _draw(self, ax: Any) -> None:
        tallest = max(len(result.label_names) for result in self.results.values())
        self.ax_ = new_grid(ax, 1, len(self.results), 3.6 * len(self.results), 0.34 * tallest + 1.1)[0]
        self.figure_ = self.ax_[0].figure
        for axes, (model, result) in zip(self.ax_, self.results.items(), strict=True):
            rows = np.arange(len(result.values))
            axes.barh(rows, result.values, color=[style.class_colour(name) for name in result.label_names], height=0.72)
            for row, value in zip(rows, result.values, strict=True):
                axes.text(value + 0.015, row, f"{value:.2f}", va="center", fontsize="small")
            axes.set_yticks(rows, self._names(result))
            axes.set(xlim=(0, 1.12), xticks=[0, 0.5, 1], xlabel="probability", ylim=(len(rows) - 0.5, -0.5), title=model)
        self.ax_[0].set_ylabel("class")

    def to_plotly(self) -> go.Figure:
        """Return the bars for a web page."""
        figure = make_subplots(1, len(self.results), subplot_titles=list(self.results), horizontal_spacing=0.24)
        for column, result in enumerate(self.results.values(), start=1):
            bars = go.Bar(
                x=result.values,
                y=self._names(result),
                orientation="h",
                marker={"color": [style.class_colour(name) for name in result.label_names]},
                texttemplate="%{x:.2f}",
                textposition="outside",
                cliponaxis=False,
                hovertemplate="%{y}: %{x:.4f}<extra></extra>",
                showlegend=False,
            )
            figure.add_trace(bars, 1, column)
        tallest = max(len(result.label_names) for result in self.results.values())
        figure.update_layout(
            template=style.plotly_template(), height=90 + 27 * tallest, bargap=0.25, margin={"t": 30, "l": 40, "r": 30, "b": 40}
        )
        figure.update_annotations(font_size=13)
        figure.update_xaxes(title="probability", range=[0, 1.2], tickvals=[0, 0.5, 1])
        figure.update_yaxes(autorange="reversed", showgrid=False, ticks="", showline=False)
        figure.update_yaxes(title="class", col=1)
        return figure

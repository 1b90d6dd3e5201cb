"""Pictures and tables of what each input does."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go

from workbench.analysis.streams.results import StreamsResult
from workbench.plotting import style
from workbench.plotting.base import NamedDisplay, new_axes
from workbench.plotting.text import interval_text, markdown_table

HEADER = ["model", "input", "share of the logit", "answer changes", "becomes the donor's", "roll-out"]
LABEL = "share of the logit / %"


def rows(results: Mapping[str, StreamsResult]) -> list[list[str]]:
    """A row of text for each model and input, and for what attention reads besides."""
    found = []
    for name, result in results.items():
        rolled = {kind: interval_text(share) for kind, share in zip(result.types, result.rollout, strict=True)}
        for i, shown in enumerate(result.inputs):
            numbers = (result.share[i], result.flips[i], result.goes_along[i])
            found.append([name, shown, *(interval_text(number) for number in numbers), rolled.pop(shown, "–")])
        found += [[name, kind, "–", "–", "–", told] for kind, told in rolled.items()]
    return found


def markdown(results: Mapping[str, StreamsResult]) -> str:
    """The table, and what is to be known of it."""
    notes = [next(iter(results.values())).caption, *told(results)]
    lines = ["# What does each input do?", "", *markdown_table(HEADER, rows(results)), "", *(f"- {note}." for note in notes)]
    return "\n".join(lines) + "\n"


def told(results: Mapping[str, StreamsResult]) -> list[str]:
    """What is to be known of each model's row: whether its inputs add up, or what they do together."""
    notes = [f"{name}: {note}" for name, result in results.items() for note in result.notes]
    return notes + [
        f"{name}: what the inputs do together is {result.interaction.text()} of their shares; roll-out of an attention that "
        f"knows nothing is {result.uniform:.2f}"
        for name, result in results.items()
        if result.types
    ]


class StreamsDisplay(NamedDisplay[StreamsResult]):
    """A bar for each model, divided by input as the logit of its answers is; in brackets how often an exchange changes them."""

    def _draw(self, ax: Any) -> None:
        self.ax_ = panel = new_axes(ax, 6.0, 1.2 + 0.5 * len(self.results))
        self.figure_ = self.ax_.figure
        for row, result in enumerate(self.results.values()):
            left = 0.0
            for i, (width, text) in enumerate(self._parts(result)):
                panel.barh(row, width, left=left, color=style.model_colour(i), height=0.6)
                panel.text(left + width / 2, row, text, ha="center", va="center", fontsize="small", color="white")
                left += width
        panel.set_yticks(range(len(self.results)), list(self.results))
        panel.set(xlim=(0, 100), ylim=(len(self.results) - 0.5, -0.5), xlabel=LABEL)

    def to_plotly(self) -> go.Figure:
        """Return the bars for a web page."""
        figure = go.Figure()
        names = list(self.results)
        for i in range(2):
            parts = [self._parts(result)[i] for result in self.results.values()]
            bounds = [result.share[i].text(".0f", 100, " %") for result in self.results.values()]
            figure.add_bar(
                y=names,
                x=[width for width, _ in parts],
                text=[text for _, text in parts],
                customdata=bounds,
                orientation="h",
                constraintext="none",
                insidetextanchor="middle",
                textangle=0,
                name=next(iter(self.results.values())).inputs[i],
                marker_color=style.model_colour(i),
                hovertemplate="%{y}: %{customdata}<extra>%{fullData.name}</extra>",
            )
        figure.update_layout(
            template=style.plotly_template(),
            barmode="stack",
            height=150 + 46 * len(names),
            margin={"t": 40, "b": 50},
            legend_traceorder="normal",
            xaxis={"title": LABEL, "range": [0, 100]},
        )
        figure.update_yaxes(autorange="reversed", title="model", dtick=1)
        return figure

    def _parts(self, result: StreamsResult) -> list[tuple[float, str]]:
        """Width in percent, and the words, of each input."""
        widths = [100 * np.nan_to_num(share.value) for share in result.share]
        told = [f" ({100 * flips.value:.0f} % change)" if np.isfinite(flips.value) else "" for flips in result.flips]
        return [
            (float(width), f"{name} {width:.0f} %{changes}")
            for name, width, changes in zip(result.inputs, widths, told, strict=True)
        ]

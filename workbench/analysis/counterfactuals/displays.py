"""Pictures of counterfactuals: how far each clip moves under each edit, and what one clip's probabilities do."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ifdd.errors import InputError
from workbench.analysis.counterfactuals.results import CounterfactualResult
from workbench.plotting import style
from workbench.plotting.base import Display, new_grid

NAMED = 30
"""Clips up to which each bar carries its name."""
ORDER = "order sensitivity"


class CounterfactualDisplay(Display):
    """One panel per edit, one bar per clip: change of its probabilities, orange-red where the predicted class flips.

    Of an edit that takes from several clips, a bar is the mean over them, and orange-red where most of them flip it.

    Clips stand in the same order in all panels, sorted by their mean change. The last panel is the order-sensitivity index.
    """

    def __init__(self, result: CounterfactualResult) -> None:
        self.result = result
        panels = [(e.name, e.change, e.flips, e.mean.change) for e in result.edits]
        if result.order is not None and result.order_sensitivity is not None:
            panels.append((ORDER, result.order, np.zeros(result.n), result.order_sensitivity))
        if not panels:
            raise InputError("no edit to display; make one or more, or shuffle")
        self.panels = panels
        self.order = np.argsort(-np.mean([change for _, change, _, _ in panels], axis=0), kind="stable")

    @classmethod
    def from_result(cls, result: CounterfactualResult) -> Self:
        """Take the counterfactuals of one model."""
        return cls(result)

    def provenance(self) -> str:
        """Return the result's provenance."""
        return self.result.provenance.to_json()

    @property
    def _clips(self) -> list[str]:
        return [self.result.clip_ids[i] for i in self.order]

    def _titles(self) -> list[str]:
        titles = []
        for name, _, flips, mean in self.panels:
            whole = (flips % 1 == 0).all()  # else clips took from several others
            told = f"{flips.sum():.0f} of {self.result.n} flip" if whole else f"{100 * flips.mean():.0f} % flip"
            flipped = "" if name == ORDER else f"\n{told}"
            bounds = "" if np.isnan(mean.low) else f" [{mean.low:.2f}, {mean.high:.2f}]"
            titles.append(f"{name}\nmean {mean.value:.2f}{bounds}{flipped}")
        return titles

    def _draw(self, ax: Any) -> None:
        n, columns = self.result.n, len(self.panels)
        height = 1.4 + (0.2 * n if n <= NAMED else 5)
        self.ax_ = new_grid(ax, 1, columns, 2.2 * columns + 1.8, height, sharey=True)[0]
        self.figure_ = self.ax_[0].figure
        for panel, (_, change, flips, mean), title in zip(self.ax_, self.panels, self._titles(), strict=True):
            colours = np.where(flips[self.order] > 0.5, style.WRONG, style.GREY)
            panel.barh(range(n), change[self.order], color=colours, height=0.8 if n <= NAMED else 1.0)
            panel.axvline(mean.value, color="black", linewidth=0.8, linestyle=":")
            panel.set_title(title, fontsize="small")
            panel.set(xlim=(0, 1), ylim=(n - 0.5, -0.5), xlabel="change (0 to 1)")
        if n <= NAMED:
            self.ax_[0].set_yticks(range(n), self._clips)
        self.ax_[0].set_ylabel("clip" if n <= NAMED else f"{n} clips, sorted")

    def to_plotly(self, links: Mapping[str, str] | None = None) -> go.Figure:
        """Return the bars for a web page; each names its clip, and holds what `links` has for it."""
        titles = [title.replace("\n", "<br>").replace(" [", "<br>[") for title in self._titles()]
        figure = make_subplots(1, len(self.panels), shared_yaxes=True, subplot_titles=titles, horizontal_spacing=0.02)
        for column, (name, change, flips, _) in enumerate(self.panels, start=1):
            bars = go.Bar(
                x=change[self.order],
                y=list(range(self.result.n)),
                orientation="h",
                name=name,
                showlegend=False,
                marker_color=np.where(flips[self.order] > 0.5, style.WRONG, style.GREY).tolist(),
                customdata=self._clips if links is None else [links[clip] for clip in self._clips],
                text=self._clips,
                textposition="none",
                hovertemplate="%{text}: %{x:.3f}<extra>%{fullData.name}</extra>",
            )
            figure.add_trace(bars, 1, column)
        height = 160 + (18 * self.result.n if self.result.n <= NAMED else 420)
        figure.update_layout(
            template=style.plotly_template(), height=height, bargap=0.1, margin={"t": 95, "l": 40, "r": 10, "b": 40}
        )
        figure.update_annotations(font_size=11)
        figure.update_xaxes(title="change", range=[0, 1], tickvals=[0, 1])
        figure.update_yaxes(autorange="reversed", showticklabels=False)
        figure.update_yaxes(title="clip", row=1, col=1)
        if self.result.n <= NAMED:
            figure.update_yaxes(tickvals=list(range(self.result.n)), ticktext=self._clips)
            figure.update_yaxes(showticklabels=True, row=1, col=1)
        return figure


class ClipChangeDisplay(Display):
    """One clip: for each edit, by how much the probability of every class changes."""

    def __init__(self, result: CounterfactualResult, clip: int | str = 0) -> None:
        known = result.clip_ids
        row = known.index(clip) if isinstance(clip, str) and clip in known else clip
        if not isinstance(row, int) or not 0 <= row < result.n or not result.edits:
            raise InputError(
                f"no edit of clip {clip!r}; the {result.n} clips are {', '.join(known[:5])}{' …' if result.n > 5 else ''}"
            )
        self.result, self.row = result, row

    @classmethod
    def from_result(cls, result: CounterfactualResult, clip: int | str = 0) -> Self:
        """Take the counterfactuals of one model, and a clip by row or id."""
        return cls(result, clip)

    def provenance(self) -> str:
        """Return the result's provenance."""
        return self.result.provenance.to_json()

    @property
    def changes(self) -> np.ndarray:
        """Changes (edits, C) of the probabilities."""
        return np.stack([edit.after[self.row] - self.result.before[self.row] for edit in self.result.edits])

    @property
    def _title(self) -> str:
        before = self.result.before[self.row]
        return f"{self.result.clip_ids[self.row]}: {self.result.label_names[before.argmax()]} {before.max():.2f} as it is"

    def _names(self) -> list[str]:
        return [f"{name} ({p:.2f})" for name, p in zip(self.result.label_names, self.result.before[self.row], strict=True)]

    def _draw(self, ax: Any) -> None:
        columns, names = len(self.result.edits), self._names()
        self.ax_ = new_grid(ax, 1, columns, 2.1 * columns + 1.8, 0.3 * len(names) + 1.5, sharey=True)[0]
        self.figure_ = self.ax_[0].figure
        colours = [style.class_colour(name) for name in self.result.label_names]
        for panel, edit, change in zip(self.ax_, self.result.edits, self.changes, strict=True):
            panel.barh(range(len(names)), change, color=colours, height=0.7)
            panel.axvline(0, color="black", linewidth=0.8)
            panel.set_title(edit.name, fontsize="small")
            panel.set(xlim=(-1, 1), xticks=[-1, 0, 1], ylim=(len(names) - 0.5, -0.5), xlabel="change of p")
        self.ax_[0].set_yticks(range(len(names)), names)
        self.ax_[0].set_ylabel("class (p as it is)")
        self.figure_.suptitle(self._title, fontsize="medium", x=0.01, ha="left")

    def to_plotly(self) -> go.Figure:
        """Return the bars for a web page."""
        figure = make_subplots(1, len(self.result.edits), shared_yaxes=True, subplot_titles=[e.name for e in self.result.edits])
        colours = [style.class_colour(name) for name in self.result.label_names]
        for column, change in enumerate(self.changes, start=1):
            bars = go.Bar(
                x=change,
                y=self._names(),
                orientation="h",
                marker_color=colours,
                showlegend=False,
                hovertemplate="%{y}: %{x:+.3f}<extra></extra>",
            )
            figure.add_trace(bars, 1, column)
        figure.update_layout(
            template=style.plotly_template(),
            title=self._title,
            height=130 + 30 * len(self.result.label_names),
            margin={"t": 80, "l": 40, "r": 10, "b": 40},
        )
        figure.update_annotations(font_size=12)
        figure.update_xaxes(title="change of p", range=[-1.1, 1.1], tickvals=[-1, 0, 1], tickangle=0)
        figure.update_yaxes(autorange="reversed")
        figure.update_yaxes(title="class (p as it is)", row=1, col=1)
        return figure

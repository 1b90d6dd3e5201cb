"""Importance of each frame, and the budget of the parts of the face."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from workbench.analysis.saliency.results import FrameImportance, RegionBudget
from workbench.plotting import style
from workbench.plotting.base import NamedDisplay, new_axes, new_grid

REGION_COLOURS = {
    "background": style.GREY,
    "face": style.ORANGE,
    "brows": style.BLUE,
    "eyes": style.SKY_BLUE,
    "nose": style.BLUISH_GREEN,
    "mouth": style.VERMILLION,
    "occluder": style.REDDISH_PURPLE,
}


class FrameImportanceDisplay(NamedDisplay[FrameImportance]):
    """By how much the score falls without each frame, one line a result, with 95 % intervals over clips."""

    def _draw(self, ax: Any) -> None:
        self.ax_ = new_axes(ax, 6.5, 3.0)
        self.figure_ = self.ax_.figure
        for i, (name, result) in enumerate(self.results.items()):
            frames, colour = np.arange(len(result.mean)), style.model_colour(i)
            self.ax_.plot(frames, result.mean, color=colour, marker=style.model_marker(i), markersize=4, label=self._label(name))
            self.ax_.fill_between(frames, result.low, result.high, color=colour, alpha=0.2, linewidth=0)
        self.ax_.axhline(0, color="black", lw=0.8, ls=":")
        self.ax_.set(xlabel="clip frame", ylabel="drop of the score (logits)")
        self.ax_.set_title(self._title(), fontsize="medium")
        self.ax_.legend()

    def to_plotly(self) -> go.Figure:
        """Return the lines for a web page."""
        figure = go.Figure()
        for i, (name, result) in enumerate(self.results.items()):
            frames, colour = np.arange(len(result.mean)), style.model_colour(i)
            if np.isfinite(result.low).all():
                figure.add_scatter(
                    x=np.concatenate((frames, frames[::-1])),
                    y=np.concatenate((result.high, result.low[::-1])),
                    fill="toself",
                    fillcolor=style.translucent(colour, 0.2),
                    line={"width": 0},
                    hoverinfo="skip",
                    showlegend=False,
                )
            figure.add_scatter(x=frames, y=result.mean, name=self._label(name), mode="lines+markers", line={"color": colour})
        figure.add_hline(0, line={"dash": "dot", "color": "gray"})
        figure.update_layout(template=style.plotly_template(), title=self._title(), height=320)
        figure.update_xaxes(title="clip frame")
        figure.update_yaxes(title="drop of the score (logits)")
        return figure

    def _label(self, name: str) -> str:
        result = self.results[name]
        what = f"occluded ({result.fill})" if result.how == "occlude" else "frozen (the frame before again)"
        return f"{name}, {what}" if name and name != result.how else what

    def _title(self) -> str:
        counts = {len(result.drop) for result in self.results.values()}
        return f"importance of frames, n = {' and '.join(map(str, sorted(counts)))}"


class RegionBudgetDisplay(NamedDisplay[RegionBudget]):
    """Share of the attribution over share of the area, by region (1: as much as its area), and the shares over time."""

    def _draw(self, ax: Any) -> None:
        axes = new_grid(ax, len(self.results), 2, 9.0, 1.0 + 2.6 * len(self.results))
        for (left, right), (name, result) in zip(axes, self.results.items(), strict=True):
            places = np.arange(len(result.regions))
            ratios = [row.ratio for row in result.regions]
            arms = np.array([[max(r.value - r.low, 0), max(r.high - r.value, 0)] for r in ratios]).T
            colours = [region_colour(row.name) for row in result.regions]
            left.barh(places, [r.value for r in ratios], xerr=np.nan_to_num(arms), color=colours, error_kw={"lw": 0.8})
            left.axvline(1, color="black", lw=0.8, ls=":")
            left.set(xlabel="share of attribution / share of area", yticks=places, yticklabels=[r.name for r in result.regions])
            left.set_title(f"{name}, n = {result.clips}" if name else f"n = {result.clips}", fontsize="medium")
            left.invert_yaxis()
            for row in result.regions:
                total = row.over_time * len(row.over_time)
                right.plot(total, color=region_colour(row.name), label=row.name)
                right.plot(row.area_over_time, color=region_colour(row.name), ls=":", lw=0.9)
            right.set(xlabel="clip frame", ylabel="share (of an even frame)", ylim=(0, None))
            right.set_title("over time; dotted: area", fontsize="medium")
            right.legend(fontsize="x-small", loc="upper left", bbox_to_anchor=(1.0, 1.0))
        self.ax_, self.figure_ = axes, axes[0, 0].figure
        sources = "; ".join(dict.fromkeys(result.source for result in self.results.values()))
        self.figure_.suptitle(f"regions: {sources}", fontsize="medium", x=0.01, ha="left")

    def to_plotly(self) -> go.Figure:
        """Return the bars for a web page, one colour a result."""
        figure = go.Figure()
        for i, (name, result) in enumerate(self.results.items()):
            ratios = [row.ratio for row in result.regions]
            text = [
                f"{100 * row.share.value:.1f} % of the map on {100 * row.area.value:.1f} % of the pixels"
                for row in result.regions
            ]
            figure.add_bar(
                y=[row.name for row in result.regions],
                x=[r.value for r in ratios],
                orientation="h",
                name=name or "map",
                marker_color=style.model_colour(i),
                text=text,
                textposition="none",
                hovertemplate="%{y}: %{x:.2f}, %{text}",
                error_x={
                    "array": [r.high - r.value for r in ratios],
                    "arrayminus": [r.value - r.low for r in ratios],
                    "color": "gray",
                },
            )
        figure.add_vline(1, line={"dash": "dot", "color": "gray"})
        titles = "<br>".join(dict.fromkeys(_heading(name, result) for name, result in self.results.items()))
        figure.update_layout(template=style.plotly_template(), title=titles, barmode="group", height=360)
        figure.update_xaxes(title="share of attribution / share of area")
        figure.update_yaxes(title="region", autorange="reversed")
        return figure


def region_colour(name: str) -> str:
    """Colour of a region, always the same."""
    return REGION_COLOURS.get(name, style.class_colour(name))


def _heading(name: str, result: RegionBudget) -> str:
    text = f"regions: {result.source}; n = {result.clips}"
    return f"{name}, {text}" if name else text

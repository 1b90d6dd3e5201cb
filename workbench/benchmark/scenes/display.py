"""UAR of each variant against ρ in the test."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from workbench.benchmark.scenes.results import SceneRow, ScenesResult
from workbench.plotting.base import Display, new_axes
from workbench.plotting.style import PLOTLY_MARKERS, model_colour, model_marker
from workbench.results.interval import number_text

X = "ρ of scene and emotion in the test"
SHIFT = 0.012  # of ρ, between variants: intervals stand side by side


class ScenesDisplay(Display):
    """A curve for each variant with 95 % intervals over persons and seeds; few seeds: dashed, hollow. Dots: chance."""

    def __init__(self, result: ScenesResult) -> None:
        self.result = result

    @classmethod
    def from_result(cls, result: ScenesResult) -> "ScenesDisplay":
        """Take the result."""
        return cls(result)

    def provenance(self) -> str:
        """Provenance of the result."""
        return self.result.provenance.to_json()

    def _draw(self, ax: Any) -> None:
        self.ax_ = panel = new_axes(ax, 6.4, 3.8)
        self.figure_ = self.ax_.figure
        for i, row in enumerate(self.result.rows):
            middle, arms = _percent(row)
            panel.errorbar(
                self._places(i),
                middle,
                yerr=arms,
                color=model_colour(i),
                label=row.variant,
                marker=model_marker(i),
                ms=5,
                lw=1.3,
                elinewidth=0.8,
                ls="-" if row.scores[0].ranked else "--",
                markerfacecolor=model_colour(i) if row.scores[0].ranked else "none",
            )
        panel.axhline(100 * self.result.chance, color="black", lw=0.8, ls=":")
        panel.set(xlabel=X, ylabel="UAR / %", xticks=self.result.rhos)
        panel.set_xticklabels([number_text(rho, "g") for rho in self.result.rhos])
        panel.legend(fontsize=7, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))

    def to_plotly(self) -> go.Figure:
        """A line a variant; chance is dotted."""
        figure = go.Figure()
        for i, row in enumerate(self.result.rows):
            middle, arms = _percent(row)
            symbol, ranked = PLOTLY_MARKERS[model_marker(i)], row.scores[0].ranked
            figure.add_scatter(
                x=self._places(i),
                y=middle,
                name=row.variant,
                mode="lines+markers",
                marker={"color": model_colour(i), "symbol": symbol if ranked else f"{symbol}-open", "size": 7},
                line={"dash": "solid" if ranked else "dash", "width": 1.3},
                error_y={"array": arms[1], "arrayminus": arms[0], "thickness": 1, "width": 0},
                hovertemplate=f"{row.variant}<br>UAR %{{y:.1f}} %<extra></extra>",
            )
        chance = 100 * self.result.chance
        figure.add_hline(chance, line={"dash": "dot", "width": 1, "color": "#888888"}, annotation_text="chance")
        ticks = list(self.result.rhos)
        figure.update_xaxes(title=X, tickvals=ticks, ticktext=[number_text(rho, "g") for rho in ticks])
        figure.update_layout(yaxis={"title": "UAR / %", "range": [0, 100]})
        return figure

    def _places(self, i: int) -> np.ndarray:
        return np.array(self.result.rhos) + SHIFT * (i - (len(self.result.rows) - 1) / 2)


def _percent(row: SceneRow) -> tuple[np.ndarray, np.ndarray]:
    """UAR in percent (n,) and the arms of its interval (2, n)."""
    table = 100 * np.array([[score.uar.value, score.uar.low, score.uar.high] for score in row.scores])
    return table[:, 0], np.maximum(np.stack((table[:, 0] - table[:, 1], table[:, 2] - table[:, 0])), 0)

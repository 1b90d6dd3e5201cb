"""What each feature knows of each factor, as a heat map."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from workbench.analysis.disentanglement.results import ProbeMatrix
from workbench.plotting.base import NamedDisplay, new_grid

SCALE = "Blues"
CONTROLS = ("other clips'", "told the factor")
"""Rows below the features: the mean of their nulls, and what a feature that is told the factor reaches."""


class ProbeDisplay(NamedDisplay[ProbeMatrix]):
    """Heat map of chance-corrected scores, features by factors, and their controls below; one panel for each model."""

    def _draw(self, ax: Any) -> None:
        width = sum(1.4 + 0.75 * len(result.factors) for result in self.results.values())
        height = 1.2 + 0.32 * max(len(result.features) + len(CONTROLS) for result in self.results.values())
        axes = new_grid(ax, 1, len(self.results), width, height)
        for panel, (name, result) in zip(axes[0], self.results.items(), strict=True):
            scores = score_table(result)
            panel.imshow(np.clip(scores, 0, 1), cmap=SCALE, vmin=0, vmax=1, aspect="auto")
            for (i, j), value in np.ndenumerate(scores):
                panel.text(j, i, f"{value:.2f}", ha="center", va="center", color="white" if value > 0.55 else "black", fontsize=7)
            panel.set_xticks(range(len(result.factors)), result.factors, rotation=30, ha="right")
            panel.set_yticks(range(len(scores)), [*result.features, *CONTROLS])
            panel.axhline(len(result.features) - 0.5, color="black", lw=1)
            panel.set_title(name)
            panel.grid(False)
        self.ax_, self.figure_ = axes, axes[0, 0].figure

    def to_plotly(self) -> go.Figure:
        """One heat map below another."""
        figure = go.Figure()
        for name, result in self.results.items():
            labels = [f"{name} {feature}".strip() for feature in (*result.features, *CONTROLS)]
            figure.add_heatmap(
                z=score_table(result),
                x=list(result.factors),
                y=labels,
                zmin=0,
                zmax=1,
                colorscale=SCALE,
                texttemplate="%{z:.2f}",
                colorbar={"title": "score"},
                showscale=len(figure.data) == 0,
            )
        figure.update_yaxes(autorange="reversed")
        return figure


def score_table(result: ProbeMatrix) -> np.ndarray:
    """Scores (features + 2, factors): the features, then the rows of `CONTROLS`."""
    cells = [[result.probe(feature, factor) for factor in result.factors] for feature in result.features]
    nulls = np.mean([[cell.null for cell in row] for row in cells], axis=0)
    told = [result.told[factor].value for factor in result.factors]
    return np.array([*([cell.score.value for cell in row] for row in cells), nulls, told])

"""What each feature knows of each factor, as a heat map."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench.analysis.disentanglement.results import ProbeMatrix
from workbench.plotting import style
from workbench.plotting.base import NamedDisplay, new_grid

SCALE, CONTROL_SCALE = "Blues", [[0, "rgba(128, 128, 128, 0.04)"], [1, "rgba(128, 128, 128, 0.35)"]]
ROW, BETWEEN = 26, 86
"""Pixels of a feature, and between the panels of two models."""
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
        """One heat map below another, each with its controls in grey; all models have the factors in common."""
        factors = list(dict.fromkeys(factor for result in self.results.values() for factor in result.factors))
        heights = [len(result.features) + len(CONTROLS) for result in self.results.values()]
        room = ROW * sum(heights) + BETWEEN * (len(heights) - 1)
        figure = make_subplots(
            len(heights),
            1,
            subplot_titles=list(self.results),
            row_heights=heights,
            shared_xaxes=True,
            vertical_spacing=BETWEEN / room if len(heights) > 1 else 0,
        )
        for row, result in enumerate(self.results.values(), 1):
            scores, features, last = score_table(result), list(result.features), row == len(heights)
            hover = [[_told(result, feature, factor) for factor in result.factors] for feature in features]
            hover += [
                [f"{control}, {factor}: {value:.2f}" for factor, value in zip(result.factors, line, strict=True)]
                for control, line in zip(CONTROLS, scores[len(features) :], strict=True)
            ]
            for part, scale in ((slice(None, len(features)), SCALE), (slice(len(features), None), CONTROL_SCALE)):
                figure.add_heatmap(
                    z=scores[part],
                    x=list(result.factors),
                    y=[*features, *CONTROLS][part],
                    zmin=0,
                    zmax=1,
                    colorscale=scale,
                    texttemplate="%{z:.2f}",
                    text=hover[part],
                    hovertemplate="%{text}<extra></extra>",
                    xgap=1,
                    ygap=1,
                    colorbar={"title": "score", "len": min(1.0, 200 / room), "y": 1, "yanchor": "top"},
                    showscale=row == 1 and scale == SCALE,
                    row=row,
                    col=1,
                )
            figure.update_xaxes(title="factor" if last else "", showticklabels=True, row=row, col=1)
        figure.update_xaxes(categoryorder="array", categoryarray=factors, type="category", tickangle=-30, showgrid=False)
        figure.update_yaxes(title="feature", autorange="reversed", type="category", showgrid=False)
        figure.update_layout(template=style.plotly_template(), height=room + 120, margin={"t": 40, "b": 20, "l": 10, "r": 10})
        return figure


def _told(result: ProbeMatrix, feature: str, factor: str) -> str:
    """One cell in words."""
    cell = result.probe(feature, factor)
    kind = "R²" if cell.classes is None else f"balanced accuracy of {cell.classes} classes"
    return f"{feature}, {factor}: {cell.score.text('.2f')}<br>other clips' features {cell.null:.2f}; {kind} {cell.raw:.2f}"


def score_table(result: ProbeMatrix) -> np.ndarray:
    """Scores (features + 2, factors): the features, then the rows of `CONTROLS`."""
    cells = [[result.probe(feature, factor) for factor in result.factors] for feature in result.features]
    nulls = np.mean([[cell.null for cell in row] for row in cells], axis=0)
    told = [result.told[factor].value for factor in result.factors]
    return np.array([*([cell.score.value for cell in row] for row in cells), nulls, told])

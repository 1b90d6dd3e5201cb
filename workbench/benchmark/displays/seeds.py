"""UAR of every seed of each variant on one suite: how far trainings that differ in their seed alone lie apart."""

from typing import Any, Self

import numpy as np
import plotly.graph_objects as go

from workbench.analysis.comparison.results import RANKED_FROM
from workbench.benchmark.results import RobustnessResult
from workbench.plotting.base import Display, new_axes
from workbench.plotting.style import PLOTLY_MARKERS, model_colour, model_marker

FEW = f"hollow: fewer than {RANKED_FROM} seeds, not to be ranked"


class SeedsDisplay(Display):
    """A line for each variant: a small dot for each seed, a large marker for their mean with its 95 % interval."""

    def __init__(self, result: RobustnessResult, suite: str) -> None:
        self.result, self.suite = result, result.suite(suite)

    @classmethod
    def from_result(cls, result: RobustnessResult, suite: str) -> Self:
        """Take the scores of all suites, and the name of one. Raises: InputError for a suite that was not measured."""
        return cls(result, suite)

    def provenance(self) -> str:
        """Provenance of the result."""
        return self.result.provenance.to_json()

    @property
    def _axis(self) -> str:
        return f"UAR on {self.suite.suite}, {self.suite.clips} clips / %"

    def _draw(self, ax: Any) -> None:
        scores = self.suite.scores
        self.ax_ = new_axes(ax, 6.4, 0.34 * len(scores) + 1.1)
        self.figure_ = self.ax_.figure
        for i, score in enumerate(scores.values()):
            colour = model_colour(i)
            arms = 100 * np.maximum([[score.uar.value - score.uar.low], [score.uar.high - score.uar.value]], 0)
            face = colour if score.ranked else "none"
            self.ax_.errorbar(
                100 * score.uar.value, i, xerr=arms, color=colour, marker=model_marker(i), ms=7, lw=0, elinewidth=1, mfc=face
            )
            self.ax_.plot(100 * np.array(score.each), np.full(len(score.each), i + 0.25), ".", ms=4, color=colour)
        self.ax_.set_yticks(range(len(scores)), list(scores))
        self.ax_.invert_yaxis()
        self.ax_.set(xlabel=self._axis, ylabel="variant")

    def to_plotly(self) -> go.Figure:
        """The same for a web page."""
        figure = go.Figure()
        for i, (variant, score) in enumerate(self.suite.scores.items()):
            symbol = PLOTLY_MARKERS[model_marker(i)]
            figure.add_scatter(
                x=[100 * score.uar.value],
                y=[variant],
                name=f"{variant}, mean",
                mode="markers",
                marker={"color": model_colour(i), "symbol": symbol if score.ranked else f"{symbol}-open", "size": 12},
                error_x={
                    "array": [max(100 * (score.uar.high - score.uar.value), 0)],
                    "arrayminus": [max(100 * (score.uar.value - score.uar.low), 0)],
                    "thickness": 1,
                },
                hovertemplate=f"{variant}: mean of {len(score.each)} %{{x:.1f}} %<extra></extra>",
            )
            figure.add_scatter(
                x=100 * np.array(score.each),
                y=[variant] * len(score.each),
                name=f"{variant}, by seed",
                mode="markers",
                marker={"color": model_colour(i), "symbol": "line-ns-open", "size": 12, "line": {"width": 2}},
                hovertemplate=f"{variant}: a seed %{{x:.1f}} %<extra></extra>",
            )
        figure.update_layout(showlegend=False, height=90 + 34 * len(self.suite.scores), margin={"t": 20, "r": 10, "b": 40})
        figure.update_xaxes(title=self._axis)
        figure.update_yaxes(title="variant", autorange="reversed", type="category")
        return figure

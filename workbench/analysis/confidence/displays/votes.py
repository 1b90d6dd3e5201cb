"""Picture of ambiguity: where annotators disagree, is the model unsure?"""

from typing import Any, Self

import numpy as np
import plotly.graph_objects as go

from workbench.analysis.confidence.results import AmbiguityResult
from workbench.plotting import style
from workbench.plotting.base import Display, check_length, new_axes


class AmbiguityDisplay(Display):
    """One point per clip: entropy of the votes against that of the model; darker where the predicted class has more votes."""

    def __init__(self, result: AmbiguityResult) -> None:
        self.result = result
        self.label = ("entropy of the votes (1: all classes alike)", "entropy of the probabilities")

    @classmethod
    def from_result(cls, result: AmbiguityResult) -> Self:
        """Take the votes of one set of clips against one model."""
        return cls(result)

    def provenance(self) -> str:
        """Return the result's provenance."""
        return self.result.provenance.to_json()

    def _draw(self, ax: Any) -> None:
        r = self.result
        self.ax_ = new_axes(ax, 5.6, 4.8)
        self.figure_ = self.ax_.figure
        points = self.ax_.scatter(
            r.vote_entropy, r.model_entropy, c=r.support, cmap=f"{style.SEQUENTIAL}_r", vmin=0, vmax=1, s=14, clip_on=False
        )
        self.ax_.set(xlim=(0, 1), ylim=(0, 1), xlabel=self.label[0], ylabel=self.label[1])
        self.ax_.set_title(f"n = {r.n}; rank correlation {r.correlation.text()}", fontsize="medium")
        self.figure_.colorbar(points, ax=self.ax_, label="share of votes for the predicted class", shrink=0.8)

    def to_plotly(self, clip_ids: list[str] | None = None) -> go.Figure:
        """Return the points for a web page; they carry the clip ids (row numbers by default) as `customdata`."""
        r = self.result
        if clip_ids is not None:
            check_length(clip_ids, max(len(clip_ids), int(r.rows.max()) + 1), "clip_ids")
        figure = go.Figure(
            go.Scattergl(
                x=r.vote_entropy,
                y=r.model_entropy,
                mode="markers",
                marker={
                    "color": r.support,
                    "colorscale": style.SEQUENTIAL,
                    "reversescale": True,
                    "cmin": 0,
                    "cmax": 1,
                    "size": 6,
                    "colorbar": {"title": {"text": "votes for the predicted class", "side": "right"}},
                },
                customdata=[str(row) if clip_ids is None else clip_ids[row] for row in np.asarray(r.rows).tolist()],
                hovertemplate="%{customdata}<br>votes %{x:.2f}, model %{y:.2f}<extra></extra>",
            )
        )
        figure.update_layout(template=style.plotly_template(), margin={"t": 20, "l": 40, "r": 10, "b": 40})
        figure.update_xaxes(title=self.label[0], range=[-0.05, 1.05])
        figure.update_yaxes(title=self.label[1], range=[-0.05, 1.05])
        return figure

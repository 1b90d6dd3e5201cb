"""What a scripted clip knows of itself over time: the emotion's intensity, and how strong each distraction is."""

from typing import Any, Self

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench.plotting.base import Display, new_grid
from workbench.plotting.style import VERMILLION

SCALE = "Greys"


class TruthDisplay(Display):
    """Intensity (n,) above, nuisances (n, m) below, each row over its own largest value; times (n,) in seconds."""

    def __init__(self, seconds: np.ndarray, intensity: np.ndarray, nuisance: np.ndarray, names: tuple[str, ...]) -> None:
        self.seconds, self.intensity, self.names = seconds, intensity, names
        largest = nuisance.max(0)
        self.shares = (nuisance / np.where(largest > 1e-6, largest, 1)).T

    @classmethod
    def from_result(cls, seconds: np.ndarray, intensity: np.ndarray, nuisance: np.ndarray, names: tuple[str, ...]) -> Self:
        """As the constructor."""
        return cls(seconds, intensity, nuisance, names)

    def _draw(self, ax: Any) -> None:
        axes = new_grid(ax, 2, 1, 7.0, 3.6, sharex=True)
        axes[0, 0].fill_between(self.seconds, self.intensity, color=VERMILLION, alpha=0.4, lw=0)
        axes[0, 0].plot(self.seconds, self.intensity, color=VERMILLION)
        axes[0, 0].set(ylim=(0, 1.02), ylabel="intensity")
        step = self.seconds[1] - self.seconds[0]
        reach = (self.seconds[0] - step / 2, self.seconds[-1] + step / 2, len(self.names) - 0.5, -0.5)
        axes[1, 0].imshow(self.shares, aspect="auto", cmap=SCALE, vmin=0, vmax=1, extent=reach)
        axes[1, 0].set(yticks=range(len(self.names)), yticklabels=self.names, xlabel="seconds", ylabel="distraction")
        axes[1, 0].grid(False)
        self.ax_, self.figure_ = axes, axes[0, 0].figure

    def to_plotly(self) -> go.Figure:
        """The same for a web page."""
        figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.45, 0.55])
        figure.add_scatter(
            x=self.seconds,
            y=self.intensity,
            fill="tozeroy",
            mode="lines",
            line={"color": VERMILLION},
            row=1,
            col=1,
        )
        figure.add_heatmap(
            x=self.seconds,
            y=list(self.names),
            z=self.shares,
            colorscale=SCALE,
            zmin=0,
            zmax=1,
            showscale=False,
            row=2,
            col=1,
            hovertemplate="%{y}: %{z:.0%} of its largest<extra></extra>",
        )
        figure.update_yaxes(title="intensity", range=[0, 1.02], row=1, col=1)
        figure.update_yaxes(title="distraction", autorange="reversed", row=2, col=1)
        figure.update_xaxes(title="seconds", row=2, col=1)
        figure.update_layout(height=430, showlegend=False, margin={"t": 10, "b": 40})
        return figure

"""UAR against the share of irrelevant frames, and on the other suites."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from ifdd.scripted.suites import SECOND
from workbench.analysis.comparison.results import SeedScore
from workbench.benchmark.results import NOISY, RobustnessResult
from workbench.plotting.base import Display, new_grid
from workbench.plotting.style import PLOTLY_MARKERS, model_colour, model_marker


class RobustnessDisplay(Display):
    """Left: curves over the noisy suites with 95 % intervals; right: one dot a suite and variant. Few seeds: dashed, hollow."""

    def __init__(self, result: RobustnessResult) -> None:
        self.result = result

    @classmethod
    def from_result(cls, result: RobustnessResult) -> "RobustnessDisplay":
        """Take the result."""
        return cls(result)

    def provenance(self) -> str:
        """Provenance of the result."""
        return self.result.provenance.to_json()

    def _draw(self, ax: Any) -> None:
        noisy, others = self._suites()
        count = len(self.result.members)
        shown = [part for part in (noisy, others) if part]
        axes = new_grid(ax, 1, len(shown), 4.6 * len(shown), 3.8, sharey=True)[0]
        for panel, suites in zip(axes, shown, strict=True):
            for i, variant in enumerate(self.result.members):
                scores = [self.result.suite(suite).scores[variant] for suite in suites]
                middle, arms = _percent(scores)
                ranked = scores[0].ranked
                shift = (i - (count - 1) / 2) * min(0.1, 0.8 / count)  # side by side, without reaching the next suite
                if suites is noisy:
                    x = 100 * np.array([NOISY[suite] for suite in suites]) + 4 * shift
                else:
                    x = np.arange(len(suites), dtype=float) + shift
                panel.errorbar(
                    x,
                    middle,
                    yerr=arms,
                    color=model_colour(i),
                    label=variant,
                    marker=model_marker(i),
                    ms=4,
                    lw=1.3,
                    elinewidth=0.8,
                    ls=("-" if ranked else "--") if suites is noisy else "none",
                    markerfacecolor=model_colour(i) if ranked else "none",
                )
            panel.axhline(100 / 7, color="black", lw=0.8, ls=":")
            if suites is noisy:
                panel.set(xlabel="frames that show something else / %", ylabel="UAR / %", xticks=[100 * NOISY[s] for s in suites])
            else:
                panel.set_xticks(range(len(suites)), suites, rotation=20, ha="right")
        axes[0].set_ylabel("UAR / %")
        axes[-1].legend(fontsize=7, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
        self.ax_, self.figure_ = axes, axes[0].figure

    def to_plotly(self) -> go.Figure:
        """A line a variant over the noisy suites, dots on the others; the variants of a suite stand side by side."""
        figure = go.Figure()
        noisy, others = self._suites()
        for i, variant in enumerate(self.result.members):
            for suites in filter(None, (noisy, others)):
                scores = [self.result.suite(suite).scores[variant] for suite in suites]
                middle, arms = _percent(scores)
                ranked, joined = scores[0].ranked, suites is noisy
                symbol = PLOTLY_MARKERS[model_marker(i)]
                figure.add_scatter(
                    x=suites,
                    y=middle,
                    name=variant,
                    legendgroup=variant,
                    offsetgroup=str(i),
                    showlegend=joined or not noisy,
                    mode="lines+markers" if joined else "markers",
                    marker={"color": model_colour(i), "symbol": symbol if ranked else f"{symbol}-open", "size": 7},
                    line={"dash": "solid" if ranked else "dash", "width": 1.3},
                    error_y={"array": arms[1], "arrayminus": arms[0], "thickness": 1, "width": 0},
                )
        figure.update_xaxes(title="suite")
        figure.update_layout(yaxis={"title": "UAR / %", "range": [0, 100]}, scattermode="group", scattergap=0.3)
        return figure

    def _suites(self) -> tuple[list[str], list[str]]:
        """Those that a line joins, of one version; all others."""
        names = [result.suite for result in self.result.suites]
        noisy = [name for name in NOISY if name in names]
        joined = [name for name in noisy if name.endswith(SECOND) == noisy[0].endswith(SECOND)]
        return joined, [name for name in names if name not in joined]


def _percent(scores: list[SeedScore]) -> tuple[np.ndarray, np.ndarray]:
    """UAR in percent (n,) and the arms of its interval (2, n)."""
    table = 100 * np.array([[score.uar.value, score.uar.low, score.uar.high] for score in scores])
    return table[:, 0], np.maximum(np.stack((table[:, 0] - table[:, 1], table[:, 2] - table[:, 0])), 0)

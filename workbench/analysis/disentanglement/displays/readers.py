"""Who finds the frames of the emotion: the groups of a split, and readers to compare them with."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from workbench.analysis.disentanglement.results import GROUPS, OTHERS, TARGETS, SplitQualityResult
from workbench.plotting.base import NamedDisplay, new_grid
from workbench.plotting.style import BLUE, GREY, ORANGE, plotly_template
from workbench.results.interval import Interval

READERS = ("even-odd", "half-way", "uniform", "middle", "random", "largest difference", "oracle", "told")
"""What a dynamic group is compared with."""


class ReaderDisplay(NamedDisplay[SplitQualityResult]):
    """How well each group of each model finds the frames of the emotion, beside readers that know nothing and that know all."""

    def _draw(self, ax: Any) -> None:
        rows = self._rows()
        axes = new_grid(ax, 1, len(TARGETS), 7.2, 0.8 + 0.28 * len(rows[TARGETS[0]]), sharey=True)
        for panel, target in zip(axes[0], TARGETS, strict=True):
            names, scores, models = zip(*rows[target], strict=True)
            places = range(len(names))
            colours = [BLUE if model else GREY for model in models]
            values, errors = [score.value for score in scores], np.array([_arms(score) for score in scores]).T
            panel.barh(places, values, xerr=errors, color=colours, error_kw={"lw": 0.8})
            panel.axvline(0.5, color="black", lw=0.8, ls=":")
            panel.set(xlim=(0, 1), xlabel=f"AUROC, {target}", yticks=list(places), yticklabels=names)
        axes[0, 0].invert_yaxis()
        self.ax_, self.figure_ = axes, axes[0, 0].figure

    def to_plotly(self) -> go.Figure:
        """Points by reader, one colour and marker for each truth; readers to compare with are grey and hollow."""
        figure = go.Figure()
        looks = zip(TARGETS, (BLUE, ORANGE), ("circle", "diamond"), (-0.17, 0.17), strict=True)
        for target, colour, symbol, shift in looks:
            names, scores, models = zip(*self._rows()[target], strict=True)
            arms = np.array([_arms(score) for score in scores]).T
            for own in (True, False):
                rows = [i for i, model in enumerate(models) if model == own]
                tone = colour if own else GREY
                figure.add_scatter(
                    x=[scores[i].value for i in rows],
                    y=[i + shift for i in rows],
                    mode="markers",
                    name=target if own else f"{target}, to compare with",
                    marker={"color": tone, "symbol": symbol if own else f"{symbol}-open", "size": 9},
                    error_x={"array": arms[1][rows], "arrayminus": arms[0][rows], "thickness": 1, "width": 0, "color": tone},
                    text=[names[i] for i in rows],
                    hovertemplate="%{text}: %{x:.2f}<extra></extra>",
                )
        figure.add_vline(0.5, line={"dash": "dot", "color": "gray"})
        figure.update_layout(template=plotly_template(), height=140 + 25 * len(names))
        figure.update_xaxes(range=[-0.05, 1.05], title="AUROC, 0.5 is guessing", zeroline=False)
        figure.update_yaxes(title="reader", tickvals=list(range(len(names))), ticktext=names, range=[len(names) - 0.4, -0.6])
        return figure

    def numbers(self) -> pd.DataFrame:
        """A row for each reader and truth."""
        return pd.DataFrame(
            [
                {"reader": name, "truth": target, "AUROC": score.value, "low": score.low, "high": score.high}
                for target, rows in self._rows().items()
                for name, score, _ in rows
            ]
        )

    def _rows(self) -> dict[str, list[tuple[str, Interval, bool]]]:
        """Truth → reader, AUROC, whether it is a model: each model's groups, their nulls, then dynamic groups to compare with."""
        found: dict[str, list[tuple[str, Interval, bool]]] = {}
        for target in TARGETS:
            rows: list[tuple[str, Interval, bool]] = []
            for name, result in self.results.items():
                own = [(group, result.score("model", target, group=group).auroc) for group in GROUPS]
                rows += [(f"{name} {group}".strip(), auroc, True) for group, auroc in own]
                if result.clips > 1:
                    rows.append((f"{name} D, {OTHERS}".strip(), result.score(OTHERS, target).auroc, False))
            first = next(iter(self.results.values()))
            there = {row.reader for row in first.scores}
            rows += [(reader, first.score(reader, target).auroc, False) for reader in READERS if reader in there]
            found[target] = rows
        return found


def _arms(interval: Interval) -> tuple[float, float]:
    """Lengths of an error bar to either side."""
    return max(interval.value - interval.low, 0.0), max(interval.high - interval.value, 0.0)

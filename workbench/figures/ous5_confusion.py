"""OUS, Fig. 5: confusion matrices, a panel for each model."""

import math
from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
import seaborn as sns

from workbench.analysis.performance.displays.scores import ConfusionDisplay
from workbench.analysis.performance.results import MetricsResult
from workbench.figures.sheet import Column, Sheet
from workbench.figures.study import Study
from workbench.plotting import style
from workbench.plotting.base import same_labels


class ConfusionSheet(Sheet):
    """Percent of the true class, with the count below; rows are true classes."""

    stem, paper = "ous_fig5_confusion", "OUS, Fig. 5"
    normalisation = ConfusionDisplay.normalisation

    def __init__(self, results: Mapping[str, MetricsResult], column: Column) -> None:
        super().__init__(column)
        self.results = dict(results)
        self.label_names = same_labels(self.results)
        self.panels = {name: ConfusionDisplay.from_result(result) for name, result in self.results.items()}

    def provenance(self) -> str:
        """Return that of every model."""
        return "\n".join(f"{name}: {result.provenance.to_json()}" for name, result in self.results.items())

    def to_plotly(self) -> go.Figure:
        """Return the first model's matrix."""
        return next(iter(self.panels.values())).to_plotly()

    @property
    def caption(self) -> str:
        """n, WAR and UAR of each model."""
        told = "; ".join(f"{name}: {result.caption}" for name, result in self.results.items())
        return f"Confusion matrices, percent of the true class (rows) above the number of clips. {told}."

    def _page(self) -> None:
        columns = min(2 if self.wide else 1, len(self.panels))
        rows = math.ceil(len(self.panels) / columns)
        side = self.width / (2 if self.wide else 1)
        figure = self.new_page(rows * (side * 0.86) + 0.12)
        axes = figure.subplots(rows, columns, squeeze=False)
        for panel in axes.flat[len(self.panels) :]:
            panel.set_axis_off()
        for panel, (name, shown) in zip(axes.flat, self.panels.items(), strict=False):
            counts = shown.result.confusion
            texts = np.array(
                [[f"{100 * s:.0f}\n{n}" for s, n in zip(a, b, strict=True)] for a, b in zip(shown.shares, counts, strict=True)]
            )
            sns.heatmap(
                100 * shown.shares,
                annot=texts,
                fmt="",
                cmap=style.SEQUENTIAL,
                vmin=0,
                vmax=100,
                square=True,
                linewidths=0.4,
                linecolor="white",
                xticklabels=list(self.label_names),
                yticklabels=shown.row_names,
                ax=panel,
                annot_kws={"fontsize": "small", "linespacing": 0.95},
                cbar_kws={"label": "% of the true class", "shrink": 0.75, "aspect": 25, "pad": 0.02},
            )
            panel.set_xticklabels(panel.get_xticklabels(), rotation=40, ha="right", rotation_mode="anchor")
            panel.set_yticklabels(panel.get_yticklabels(), rotation=0)
            panel.tick_params(length=0, pad=1)
            panel.set(xlabel="predicted", ylabel="true (clips)")
            war, uar = shown.result.war.value, shown.result.uar.value
            panel.set_title(f"{name}\nWAR {100 * war:.1f} %, UAR {100 * uar:.1f} %")
        self.figure_, self.ax_ = figure, axes


def confusion_sheet(study: Study, column: Column = "double") -> ConfusionSheet:
    """Confusion matrices of every model on its labelled clips."""
    return ConfusionSheet(study.metrics(), column)

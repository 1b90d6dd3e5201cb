"""IFDD, Fig. 5: how sure each model is of each class, for the clips of that class and for all others."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import seaborn as sns

from workbench.analysis.confidence.densities import density
from workbench.analysis.confidence.displays.densities import RASTER_CLIPS, SIDES, ConfidenceDisplay
from workbench.analysis.confidence.results import ClassConfidence, ConfidenceResult, Density
from workbench.figures.sheet import SMALL, Column, Sheet, wrapped
from workbench.figures.study import Study

_LANES = {"positives": -0.16, "negatives": -0.36}  # middles of the strips, in units of the highest curve
_SPREAD = 0.15


class ConfidenceSheet(Sheet):
    """A column for each class, a row for each model: densities above, every clip below."""

    stem, paper = "ifdd_fig5_confidence", "IFDD, Fig. 5"

    def __init__(self, results: Mapping[str, ConfidenceResult], column: Column) -> None:
        super().__init__(column)
        self.twin: ConfidenceDisplay = ConfidenceDisplay.from_result(results)
        self.results = self.twin.results
        self.normalisation = self.twin.normalisation

    @property
    def caption(self) -> str:
        """Colours, conventions, what is degenerate."""
        notes = dict.fromkeys(f"{name}: {note}" for name, result in self.results.items() for note in result.notes)
        return (
            "One-vs-rest confidence: p(class) of the clips of the class (orange) and of all others (green); every point is a "
            "clip; curves are kernel densities reflected at 0 and 1 (Scott's bandwidth), each drawn up to its own peak. Above: "
            "clips of the class / others, the area that both densities share, the area under the ROC curve (–: too few clips, or "
            "equal values)." + (f" {'; '.join(notes)}." if notes else "")
        )

    def _page(self) -> None:
        names = self.twin.label_names
        columns = min(len(names), 7 if self.wide else 4)
        bands = math.ceil(len(names) / columns)
        rows = bands * len(self.results)
        figure = self.new_page(1.22 * rows + 0.25)
        axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
        for panel in axes.flat:
            panel.set_axis_off()
        for m, (model, result) in enumerate(self.results.items()):
            for c, item in enumerate(result.classes):
                row, column = c // columns * len(self.results) + m, c % columns
                panel = axes[row, column]
                panel.set_axis_on()
                self._panel(panel, item, result.grid, first=m == 0)
                if column == 0:
                    panel.set_ylabel(f"{wrapped(model, 0.95, SMALL)}\ndensity / its peak")
                if row == rows - 1 or (m == len(self.results) - 1 and c + columns >= len(names)):
                    panel.set_xlabel("p(class)").set_visible(True)
                    panel.tick_params(labelbottom=True)
        handles = [
            axes[0, 0].fill_between([], [], color=colour, alpha=0.6, label=told)
            for (_, colour), told in zip(SIDES, ("clips of the class", "all other clips"), strict=True)
        ]
        figure.legend(handles=handles, loc="outside upper center", ncols=2)
        self.figure_, self.ax_ = figure, axes

    def _panel(self, panel: Any, item: ClassConfidence, grid: np.ndarray, *, first: bool) -> None:
        for side, colour in SIDES:
            found: Density = getattr(item, side)
            if found.density is not None:
                curve = found.density / found.density.max()
                panel.fill_between(grid, curve, color=colour, alpha=0.35, linewidth=0)
                panel.plot(grid, curve, color=colour, linewidth=0.8)
            if found.n:
                _strip(panel, found, _LANES[side], colour)
        told = [f"n {item.positives.n} / {item.negatives.n}"]
        told += [
            f"{what} {'–' if v is None else f'{v:.2f}'}" for what, v in (("overlap", item.overlap), ("AUC", item.separation))
        ]
        panel.set_title("\n".join(told), fontsize=SMALL, linespacing=1.05)
        if first:
            panel.annotate(
                item.name,
                (0, 1),
                (0, 3.4 * SMALL + 8),
                xycoords="axes fraction",
                textcoords="offset points",
                fontweight="bold",
                annotation_clip=False,
            )
        panel.set(xlim=(-0.03, 1.03), ylim=(-0.5, 1.06), xticks=[0, 0.5, 1], yticks=[0, 1])
        panel.set_xticklabels(["0", ".5", "1"])


def _strip(panel: Any, found: Density, lane: float, colour: str) -> None:
    before = len(panel.collections)
    sns.stripplot(
        x=found.values,
        y=np.full(found.n, lane),
        orient="h",
        native_scale=True,
        jitter=False,
        color=colour,
        size=1.3,
        alpha=0.7,
        linewidth=0,
        ax=panel,
        rasterized=found.n > RASTER_CLIPS,
    )
    drawn = panel.collections[before]
    spots = np.asarray(drawn.get_offsets()).copy()
    # seaborn's jitter is random and would change the bytes of a figure; the golden ratio spreads rows evenly
    spots[:, 1] += _SPREAD * ((found.rows * 0.6180339887) % 1 - 0.5)
    drawn.set_offsets(spots)
    panel.set(xlabel="", ylabel="")


def confidence_sheet(study: Study, column: Column = "double") -> ConfidenceSheet:
    """Densities of every model on its labelled clips. Raises: InputError as `density`."""
    return ConfidenceSheet({name: density(*study.probs(name), study.labels) for name in study.collections}, column)

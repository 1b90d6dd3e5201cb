"""IFDD, Fig. 4: recall of each class on a radar, beside the dot plot that shows the same without the area."""

from collections.abc import Mapping, Sequence

import numpy as np

from workbench.analysis.performance.displays.radar import RadarDisplay
from workbench.analysis.performance.results import MetricsResult
from workbench.figures.published import CORPUS, USUAL, is_of_corpus, published_recalls
from workbench.figures.sheet import SMALL, Column, Sheet, wrapped
from workbench.figures.study import Study


class RadarSheet(Sheet):
    """Radar and dot plot; the caption stands below the figure, because an area without its warning misleads."""

    stem, paper = "ifdd_fig4_radar", "IFDD, Fig. 4"

    def __init__(
        self, results: Mapping[str, MetricsResult], published: Mapping[str, Sequence[float]], column: Column, same_corpus: bool
    ) -> None:
        super().__init__(column)
        self.twin: RadarDisplay = RadarDisplay.from_result(results, published)
        self.same_corpus = same_corpus

    @property
    def caption(self) -> str:
        """The warning about the area, UAR, and which clips published rows are of."""
        note = ""
        if self.twin.published:
            where = f"of {CORPUS}, as these clips" if self.same_corpus else f"of {CORPUS}, not of these clips: no comparison"
            note = f" Published recalls (dashed) are {where}."
        return f"{self.twin.caption}{note}"

    def _page(self) -> None:
        lines = wrapped(self.caption, self.width - 0.1, SMALL)
        below = 0.1 * (lines.count("\n") + 1) + 0.05
        series = len(self.twin.results) + len(self.twin.published)
        above = 0.15 * -(-series // (4 if self.wide else 2)) + 0.05
        figure = self.new_page((2.9 if self.wide else 4.9) + below + above)
        if self.wide:
            grid = figure.add_gridspec(1, 2, width_ratios=(1, 1.1))
        else:
            grid = figure.add_gridspec(2, 1, height_ratios=(0.95, 1))
        axes = np.array([figure.add_subplot(grid[0], projection="polar"), figure.add_subplot(grid[1])])
        self.twin.draw(axes)
        points = axes[1]
        handles, names = points.get_legend_handles_labels()
        points.get_legend().remove()
        points.set_xlim(-2, 103)  # whole markers at 0 and 100
        figure.legend(handles, names, loc="outside upper center", ncols=4 if self.wide else 2)
        figure.supxlabel(lines, fontsize=SMALL, x=0.01, ha="left", wrap=False)
        self.figure_, self.ax_ = figure, axes


def radar_sheet(study: Study, column: Column = "double", published: Sequence[str] | None = None) -> RadarSheet:
    """Recalls of every model; `published` names rows of papers, by default none but on DFEW itself.

    Raises: InputError for fewer than three classes, an unknown row, or labels that are not DFEW's.
    """
    same = is_of_corpus(study.clips)
    names = (USUAL if same else ()) if published is None else tuple(published)
    return RadarSheet(study.metrics(), published_recalls(names, study.labels), column, same)

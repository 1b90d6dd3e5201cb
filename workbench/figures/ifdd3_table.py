"""IFDD, Fig. 3, our table: what each variant reaches, measured by `workbench benchmark`."""

from typing import Any

import plotly.graph_objects as go
from matplotlib.figure import Figure

from workbench.analysis.comparison.results import RANKED_FROM
from workbench.benchmark.results import FamilyResult
from workbench.figures.sheet import SMALL, Sheet, wrapped
from workbench.plotting import style

_LINE = 0.24  # inches


class VariantTable(Sheet):
    """UAR of each variant by suite, with its interval below, and what it costs; it always goes over both columns."""

    stem, paper = "ifdd_fig3_table", "IFDD, Fig. 3, table"

    def __init__(self, result: FamilyResult) -> None:
        super().__init__("double")
        self.result = result

    def provenance(self) -> str:
        """Return that of the benchmark."""
        return self.result.robustness.provenance.to_json()

    @property
    def caption(self) -> str:
        """What the numbers are."""
        first = self.result.robustness.suites[0]
        return (
            f"UAR in percent on {first.clips} test clips of each suite, 95 % interval over people and seeds below. "
            f"† fewer than {RANKED_FROM} seeds: not to be ranked. Measured by workbench benchmark."
        )

    def cells(self) -> tuple[list[str], list[list[tuple[str, str]]]]:
        """Header, and rows of cells, each with what stands small below it."""
        suites = self.result.robustness.suites
        header = ["variant", "seeds", "param.", "GMACs", *(found.suite for found in suites)]
        rows = []
        for row in self.result.rows:
            mark = "" if len(row.checkpoints) >= RANKED_FROM else " †"
            cells = [(row.variant + mark, ", ".join(filter(None, (row.trained, row.shown)))), (str(len(row.checkpoints)), "")]
            cells += [(f"{row.parameters / 1e3:.0f} k", ""), (f"{row.macs / 1e9:.2f}", "")]
            for found in suites:
                uar = found.scores[row.variant].uar
                cells.append((f"{100 * uar.value:.1f}", f"{100 * uar.low:.1f}–{100 * uar.high:.1f}"))
            rows.append(cells)
        return header, rows

    def _page(self) -> None:
        header, rows = self.cells()
        small = SMALL - 0.5
        foot = 0.1 * (wrapped(self.caption, self.width - 0.1, SMALL).count("\n") + 1) + 0.08
        tall = _LINE * (len(rows) + 1.2) + foot
        figure = Figure(figsize=(self.width, tall))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, self.width), ylim=(0, tall))
        axes.set_axis_off()
        first = 0.22 * self.width
        step = (self.width - first - 0.05) / (len(header) - 1)
        at = [0.05, *(first + step * (i + 0.5) for i in range(len(header) - 1))]
        for column, name in enumerate(header):
            told = name if column == 0 else name.replace("-", "-\n", 1)
            axes.text(
                at[column],
                tall - 0.6 * _LINE,
                told,
                ha="left" if column == 0 else "center",
                va="center",
                fontsize=SMALL,
                fontweight="bold",
                linespacing=0.95,
            )
        lines = [tall - 0.02, tall - 1.15 * _LINE, foot]
        axes.hlines(lines, 0.03, self.width - 0.03, color="black", linewidth=[0.8, 0.5, 0.8])
        for number, row in enumerate(rows):
            middle = tall - (1.2 + number + 0.5) * _LINE
            for column, (told, below) in enumerate(row):
                where: dict[str, Any] = {"ha": "left" if column == 0 else "center", "va": "center"}
                axes.text(at[column], middle + (0.045 if below else 0), told, fontsize=SMALL + 0.5, **where)
                axes.text(at[column], middle - 0.05, below, fontsize=small, color="0.35", **where)
        axes.text(0.05, foot - 0.04, wrapped(self.caption, self.width - 0.1, SMALL), ha="left", va="top", fontsize=SMALL)
        self.figure_, self.ax_ = figure, axes

    def to_plotly(self) -> go.Figure:
        """Return the table for a web page."""
        header, rows = self.cells()
        columns = [[f"{told}<br>{below}" if below else told for told, below in column] for column in zip(*rows, strict=True)]
        figure = go.Figure(go.Table(header={"values": header}, cells={"values": columns}))
        figure.update_layout(template=style.plotly_template(), height=120 + 50 * len(rows))
        return figure

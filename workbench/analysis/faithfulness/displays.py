"""Curves of deletion and insertion, likeness after forgetting, the verdicts as a table."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench.analysis.faithfulness.results import LIMIT, FaithfulnessReport, PerturbationResult, RandomisationResult
from workbench.analysis.saliency.displays.heat import METHODS, badge_colour
from workbench.analysis.saliency.results import Verdict
from workbench.plotting import style
from workbench.plotting.base import NamedDisplay, new_grid
from workbench.plotting.text import interval_text, markdown_table
from workbench.results.interval import Interval

PANELS = ("deletion", "insertion")
WIDE = 3
"""Panels beside one another."""
_DASHES = ("--", ":", "-.", (0, (1, 3)))


class PerturbationDisplay(NamedDisplay[PerturbationResult]):
    """Deletion and insertion curves, one row a result; controls are gray and dashed."""

    def _draw(self, ax: Any) -> None:
        axes = new_grid(ax, len(self.results), 2, 8.4, 0.5 + 2.7 * len(self.results), sharey="row")
        for panels, (name, result) in zip(axes, self.results.items(), strict=True):
            for panel, what in zip(panels, PANELS, strict=True):
                for label, curve, colour, dash in _lines(result, what):
                    panel.plot(
                        result.fractions, curve, color=colour, ls=dash, lw=1.0 if colour == style.GREY else 1.6, label=label
                    )
                done = "taken away" if what == "deletion" else "shown"
                panel.set(xlabel=f"share of {result.unit} {done}", xlim=(0, 1))
            panels[0].set_ylabel(result.kind)
            panels[0].set_title(_title(name, result), fontsize="medium")
            panels[1].legend(
                fontsize="x-small", loc="upper left", bbox_to_anchor=(1.0, 1.0), title="gap [95 %]", title_fontsize="x-small"
            )
        self.ax_, self.figure_ = axes, axes[0, 0].figure

    def to_plotly(self) -> go.Figure:
        """Return the curves for a web page."""
        titles = [f"{_title(name, result)},<br>{what}" for name, result in self.results.items() for what in PANELS]
        figure = make_subplots(len(self.results), 2, subplot_titles=titles, horizontal_spacing=0.1)
        dashes = {"-": "solid", "--": "dash", ":": "dot", "-.": "dashdot"}
        tallest = max(len(result.scores) for result in self.results.values())
        for row, result in enumerate(self.results.values(), start=1):
            legend = f"legend{row}" if row > 1 else "legend"  # one beside each row: the gaps differ
            for column, what in enumerate(PANELS, start=1):
                for label, curve, colour, dash in _lines(result, what):
                    line = {"color": colour, "dash": dashes.get(dash, "longdashdot")}
                    shown = {"showlegend": column == 1, "legend": legend, "legendgroup": label}
                    trace = go.Scatter(x=result.fractions, y=curve, name=label, line=line, **shown)
                    figure.add_trace(trace, row, column)
                figure.update_xaxes(title=f"share of {result.unit}", row=row, col=column)
            figure.update_yaxes(title=result.kind, row=row, col=1)
            top = next(figure.select_yaxes(row=row, col=1)).domain[1]
            figure.update_layout(
                {
                    legend: {
                        "y": top,
                        "yanchor": "top",
                        "x": 1.02,
                        "font": {"size": 11},
                        "itemsizing": "constant",
                        "title": {"text": "gap [95 %]"},
                    }
                }
            )
        figure.update_annotations(font_size=12)
        height = 80 + max(300, 110 + 19 * tallest) * len(self.results)
        figure.update_layout(template=style.plotly_template(), height=height, margin={"t": 60})
        return figure


class RandomisationDisplay(NamedDisplay[RandomisationResult]):
    """Rank correlation with the trained network's map, block by block: forgotten one after another, and each alone."""

    def _draw(self, ax: Any) -> None:
        columns = min(len(self.results), WIDE)
        rows = -(-len(self.results) // columns)
        axes = new_grid(ax, rows, columns, 1.7 + 3.4 * columns, 3.4 * rows, sharey=True)
        for panel in axes.flat[len(self.results) :]:
            panel.set_axis_off()
        for panel, (name, result) in zip(axes.flat, self.results.items(), strict=False):
            for steps, label, colour in _series(result):
                values = np.array([row.rank.value for row in steps])
                arms = np.nan_to_num(np.array([_arms(row.rank) for row in steps])).T
                panel.errorbar(range(len(steps)), values, yerr=arms, color=colour, marker="o", markersize=4, lw=1.2, label=label)
            panel.axhline(LIMIT, color="black", lw=0.8, ls=":")
            panel.set_xticks(range(len(result.cascading)), [row.name for row in result.cascading], rotation=45, ha="right")
            panel.set(ylim=(-0.02, 1.05), xlabel="from the logits to the pixels →")
            panel.set_title(_named(name or result.method), fontsize="medium")
            panel.tick_params(axis="x", labelsize="x-small")
            box = {"boxstyle": "round,pad=0.25", "facecolor": _colour(result.passes), "edgecolor": "white"}
            text = "passes" if result.passes else "fails"
            panel.text(0.99, 1.03, text, transform=panel.transAxes, ha="right", va="bottom", color="white", fontsize=8, bbox=box)
        for panel in axes[:, 0]:
            panel.set_ylabel("|rank correlation| with\nthe trained map")
        axes[0, -1].legend(fontsize="x-small", loc="upper left", bbox_to_anchor=(1, 1))
        self.ax_, self.figure_ = axes, axes[0, 0].figure

    def to_plotly(self) -> go.Figure:
        """Return the lines for a web page."""
        titles = [f"{_named(name or r.method)}:<br>{'passes' if r.passes else 'fails'}" for name, r in self.results.items()]
        figure = make_subplots(1, len(self.results), subplot_titles=titles, shared_yaxes=True)
        for column, result in enumerate(self.results.values(), start=1):
            for rows, label, colour in _series(result):
                arms = np.nan_to_num(np.array([_arms(row.rank) for row in rows])).T
                trace = go.Scatter(
                    x=[row.name for row in rows],
                    y=[row.rank.value for row in rows],
                    name=label,
                    line={"color": colour},
                    mode="lines+markers",
                    error_y={"array": arms[1], "arrayminus": arms[0]},
                    showlegend=column == 1,
                )
                figure.add_trace(trace, 1, column)
        figure.add_hline(LIMIT, line={"dash": "dot", "color": "gray"})
        figure.update_yaxes(range=[-0.02, 1.05])
        figure.update_yaxes(title="|rank correlation|", row=1, col=1)
        figure.update_xaxes(title="forgotten →", tickangle=90, tickfont_size=11)
        figure.update_annotations(font_size=12)
        figure.update_layout(template=style.plotly_template(), height=400, legend={"orientation": "h", "y": 1.35, "x": 0})
        return figure


def verdict_table(verdicts: Sequence[Verdict]) -> list[dict[str, str]]:
    """One row a map: its badge and the reasons."""
    return [
        {
            "method": METHODS.get(verdict.method, verdict.method),
            "map of": verdict.activation,
            "verdict": verdict.badge,
            "why": "; ".join(verdict.reasons),
        }
        for verdict in verdicts
    ]


def markdown(report: FaithfulnessReport) -> str:
    """The verdicts and the areas as tables."""
    table = verdict_table(report.verdicts)
    about = f"{report.clips} clips, maps for the predicted class. Square brackets hold 95 % intervals over people"
    about += ", or over clips if not everybody is named."
    lines = [f"# Are the maps of {report.checkpoint} true?", "", about, ""]
    lines += markdown_table(list(table[0]), [list(row.values()) for row in table])
    for result in (*report.removed.values(), *report.channels.values()):
        lines += ["", f"## Deletion and insertion of {result.unit}", ""]
        lines += [
            f"{result.kind.capitalize()} with all {result.whole:.3f}, with none {result.nothing:.3f}; fill: {result.fill}.",
            "",
        ]
        cells = []
        for row in result.scores:
            figures = (row.deletion, row.insertion, row.gap, row.beyond_random)
            cells.append([row.name, *map(interval_text, figures)])
        lines += markdown_table(["order", "deletion", "insertion", "gap", "gap beyond random"], cells)
    return "\n".join(lines) + "\n"


def badge_html(verdict: Verdict) -> str:
    """A verdict's badge for a web page."""
    look = f"background:{badge_colour(verdict)};color:white;border-radius:0.4em;padding:0.1em 0.5em"
    return f'<span style="{look}" title="{"; ".join(verdict.reasons)}">{verdict.badge}</span>'


def _lines(result: PerturbationResult, what: str) -> list[tuple[str, np.ndarray, str, Any]]:
    """Legend, curve, colour and dash of every order."""
    found: list[tuple[str, np.ndarray, str, Any]] = []
    own, others = 0, 0
    for row in result.scores:
        label = f"{_named(row.name)}: {interval_text(row.gap)}"
        curve = row.deletion_curve if what == "deletion" else row.insertion_curve
        if row.control:
            found.append((label, curve, style.GREY, _DASHES[others % len(_DASHES)]))
            others += 1
        else:
            found.append((label, curve, style.model_colour(own), "-"))
            own += 1
    return found


def _series(result: RandomisationResult) -> list[tuple[Any, str, str]]:
    series: list[tuple[Any, str, str]] = [(result.cascading, "all up to here", style.VERMILLION)]
    return [*series, (result.independent, "this block alone", style.BLUE)] if result.independent else series


def _arms(interval: Interval) -> tuple[float, float]:
    return max(interval.value - interval.low, 0.0), max(interval.high - interval.value, 0.0)


def _colour(passes: bool) -> str:
    return "#00704F" if passes else "#B00020"


def _title(name: str, result: PerturbationResult) -> str:
    text = f"{result.unit}, n = {result.n}, fill: {result.fill}"
    return text if name in ("", result.unit) else f"{name}: {text}"


def _named(name: str) -> str:
    """`hirescam Y_D` → HiResCAM Y_D."""
    method, _, of = name.partition(" ")
    return f"{METHODS[method]} {of}".strip() if method in METHODS else name

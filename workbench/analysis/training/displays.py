"""Pictures and tables of trainings."""

from typing import Any, NamedTuple, Self

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ifdd.errors import InputError
from ifdd.plain import markdown_line
from workbench.analysis.training.results import SCORES, RecipeDifferences, RunLog, TrainingResult
from workbench.plotting import style
from workbench.plotting.base import Display, new_grid
from workbench.plotting.text import markdown_table

CAPTION = (
    "Star: the epoch that is kept, with the 95 % interval of its score where the run has ended. Dotted, of runs with averaged "
    "weights: the weights themselves. Training's loss has label smoothing and what a model adds to it; validation's is the "
    "cross-entropy alone."
)


class _Panel(NamedTuple):
    """Measures (solid, dotted, dashed) that share a panel; `score` in percent, whose interval the star has."""

    title: str
    solid: tuple[str, ...]
    dotted: str = ""
    dashed: str = ""
    score: str = ""


PANELS = (
    _Panel("UAR on validation / %", ("val_ema_UAR", "val_UAR"), "val_UAR", score="val UAR"),
    _Panel("WAR on validation / %", ("val_ema_WAR", "val_WAR"), "val_WAR", score="val WAR"),
    _Panel("loss (dashed: training)", ("val_ema_loss", "val_loss"), "val_loss", "train_loss"),
    _Panel("learning rate", ("lr",)),
)


class _Line(NamedTuple):
    values: np.ndarray
    what: str
    dash: str


def _lines(run: RunLog, panel: _Panel) -> list[_Line]:
    """What a run draws in a panel: the first solid measure that it has, and those beside it."""
    chosen = next((name for name in panel.solid if name in run.measures), None)
    named = [(chosen, "solid"), (panel.dotted if panel.dotted != chosen else "", "dot"), (panel.dashed, "dash")]
    scale = 100 if panel.score else 1
    return [_Line(scale * run.measures[name], name, dash) for name, dash in named if name and name in run.measures]


def _star(run: RunLog, panel: _Panel, line: _Line) -> tuple[float, float, tuple[float, float] | None] | None:
    """Epoch and height of the star, and how far its interval reaches down and up."""
    where = np.flatnonzero(run.epochs == run.best)
    if not len(where):
        return None
    height = float(line.values[where[0]])
    found = run.scores.get(panel.score)
    arms = (
        None if found is None or found.low != found.low else (100 * (found.value - found.low), 100 * (found.high - found.value))
    )
    return float(run.epochs[where[0]]), height, arms


class CurvesDisplay(Display):
    """Scores, losses and learning rate by epoch, a colour and a marker for each run; the epoch that is kept has a star."""

    def __init__(self, result: TrainingResult) -> None:
        self.result = result
        self.runs = {name: run for name, run in result.runs.items() if len(run.epochs)}
        if not self.runs:
            raise InputError("none of these runs has ended an epoch yet; wait for the first one")

    @classmethod
    def from_result(cls, result: TrainingResult) -> Self:
        """Take the runs."""
        return cls(result)

    def provenance(self) -> str:
        """Return the result's provenance."""
        return self.result.provenance.to_json()

    def _draw(self, ax: Any) -> None:
        axes = new_grid(ax, 2, 2, 8.6, 5.6, sharex=True)
        for axis, panel in zip(axes.ravel(), PANELS, strict=True):
            for i, (name, run) in enumerate(self.runs.items()):
                look = {"color": style.model_colour(i), "lw": 1.2}
                for line in _lines(run, panel):
                    dash = {"solid": "-", "dot": ":", "dash": "--"}[line.dash]
                    solid = {"marker": style.model_marker(i), "ms": 3, "label": name} if line.dash == "solid" else {}
                    axis.plot(run.epochs, line.values, ls=dash, **look, **solid)
                    if line.dash == "solid" and panel.score and (star := _star(run, panel, line)):
                        x, y, arms = star
                        bars = None if arms is None else np.array(arms)[:, None]
                        axis.errorbar([x], [y], yerr=bars, fmt="*", ms=11, color=style.model_colour(i), mec="black", mew=0.6)
            axis.set_ylabel(panel.title)
            axis.xaxis.get_major_locator().set_params(integer=True)
        for axis in axes[-1]:
            axis.set_xlabel("epoch")
        axes[0, 1].legend(fontsize="small", frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
        self.ax_, self.figure_ = axes, axes[0, 0].figure

    def to_plotly(self) -> go.Figure:
        """Return the same for a web page; a click in the legend hides a run."""
        figure = make_subplots(2, 2, shared_xaxes=True, vertical_spacing=0.07, horizontal_spacing=0.14)
        for number, panel in enumerate(PANELS):
            place = {"row": number // 2 + 1, "col": number % 2 + 1}
            for i, (name, run) in enumerate(self.runs.items()):
                colour, symbol = style.model_colour(i), style.PLOTLY_MARKERS[style.model_marker(i)]
                for line in _lines(run, panel):
                    figure.add_scatter(
                        x=run.epochs,
                        y=line.values,
                        name=name if line.dash == "solid" else f"{name}, {line.what}",
                        legendgroup=name,
                        showlegend=number == 0 and line.dash == "solid",
                        mode="lines+markers" if line.dash == "solid" else "lines",
                        line={"color": colour, "dash": line.dash, "width": 2 if line.dash == "solid" else 1.5},
                        marker={"symbol": symbol, "size": 6},
                        hovertemplate=f"{name}<br>epoch %{{x}}: {line.what} %{{y:.4g}}<extra></extra>",
                        **place,
                    )
                    if line.dash == "solid" and panel.score and (star := _star(run, panel, line)):
                        x, y, arms = star
                        bars = None if arms is None else {"array": [arms[1]], "arrayminus": [arms[0]], "thickness": 1}
                        figure.add_scatter(
                            x=[x],
                            y=[y],
                            name=f"{name}, kept",
                            legendgroup=name,
                            showlegend=False,
                            mode="markers",
                            marker={"symbol": "star", "size": 15, "color": colour, "line": {"color": "white", "width": 1}},
                            error_y=bars,
                            hovertemplate=f"{name}<br>epoch %{{x}} is kept: %{{y:.4g}}<extra></extra>",
                            **place,
                        )
            figure.update_yaxes(title=panel.title, **place)
        figure.update_xaxes(dtick=1 if max(run.planned for run in self.runs.values()) <= 12 else None)
        figure.update_xaxes(title="epoch", row=2)
        figure.update_layout(
            template=style.plotly_template(),
            height=520,
            margin={"t": 40, "l": 50, "r": 10, "b": 40},
            legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        )
        return figure


def rows(result: TrainingResult) -> list[dict[str, str]]:
    """A line for each run, in words."""
    return [
        {
            "run": name,
            "state": run.state,
            "epochs": run.done,
            "kept epoch": str(run.best or "–"),
            **{score: str(run.scores[score]) if score in run.scores else "–" for score in SCORES},
            "minutes": f"{run.minutes:.1f}",
            "clips/s": f"{np.median(run.clips_per_second):.3g}" if len(run.clips_per_second) else "–",
            "waiting": f"{100 * np.median(run.waiting):.0f} %" if len(run.waiting) else "–",
        }
        for name, run in result.runs.items()
    ]


def recipe_rows(found: RecipeDifferences, different: bool = True) -> list[list[str]]:
    """Key and values: of the keys that differ, or of all."""
    return [[key, *found.values[key]] for key in (found.different if different else found.values)]


def training_markdown(result: TrainingResult) -> str:
    """Runs and differences of their recipes as tables."""
    table = rows(result)
    lines = ["# Trainings", "", *markdown_table([*table[0]], [[*row.values()] for row in table]), ""]
    if len(result.runs) > 1:
        header = ["key", *map(markdown_line, result.recipes.names)]
        lines += ["## What differs in their recipes", "", *markdown_table(header, recipe_rows(result.recipes)), ""]
    return "\n".join(lines)

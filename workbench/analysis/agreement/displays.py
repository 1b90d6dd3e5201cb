"""Pictures and a page of agreement."""

from typing import Any, Self

import matplotlib as mpl
import numpy as np
import plotly.graph_objects as go

from ifdd.plain import markdown_line
from workbench.analysis.agreement.results import AgreementResult
from workbench.plotting import style
from workbench.plotting.base import Display, new_axes
from workbench.plotting.text import interval_text, markdown_table


class AgreementDisplay(Display):
    """What two models say of the same clips: the first one by row, the second one by column; numbers are clips."""

    def __init__(self, result: AgreementResult, pair: int) -> None:
        self.result, self.pair = result, result.pairs[pair]

    @classmethod
    def from_result(cls, result: AgreementResult, pair: int = 0) -> Self:
        """Take the agreement of several models, and the number of one pair."""
        return cls(result, pair)

    def provenance(self) -> str:
        """Return the result's provenance."""
        return self.result.provenance.to_json()

    @property
    def _title(self) -> list[str]:
        return [f"alike {self.pair.same}", f"kappa {interval_text(self.pair.kappa)}"]

    def _draw(self, ax: Any) -> None:
        names, counts = self.result.label_names, self.pair.counts
        side = 0.62 * len(names)
        self.ax_ = new_axes(ax, side + 2.6, side + 1.6)
        self.figure_ = self.ax_.figure
        image = self.ax_.imshow(counts, cmap=style.SEQUENTIAL, vmin=0, vmax=counts.max())
        for (row, column), count in np.ndenumerate(counts):
            red, green, blue, _ = mpl.colormaps[style.SEQUENTIAL](count / counts.max())
            ink = "black" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.45 else "white"
            self.ax_.text(column, row, str(count), ha="center", va="center", color=ink, fontsize="small")
        self.ax_.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
        self.ax_.set_yticks(range(len(names)), names)
        self.ax_.set(xlabel=f"{self.pair.second} says", ylabel=f"{self.pair.first} says")
        self.ax_.set_title("\n".join(self._title), fontsize="medium")
        self.figure_.colorbar(image, ax=self.ax_, label="clips", shrink=0.8)

    def to_plotly(self) -> go.Figure:
        """Return the matrix for a web page."""
        first, second, names = self.pair.first, self.pair.second, list(self.result.label_names)
        figure = go.Figure(
            go.Heatmap(
                z=self.pair.counts,
                x=names,
                y=names,
                zmin=0,
                colorscale=style.SEQUENTIAL,
                texttemplate="%{z}",
                hovertemplate=f"{first} says %{{y}}<br>{second} says %{{x}}<br>%{{z}} clips<extra></extra>",
                colorbar={"title": {"text": "clips", "side": "right"}},
            )
        )
        figure.update_layout(
            template=style.plotly_template(),
            title="<br>".join(self._title),
            height=500,
            margin={"t": 60, "l": 40, "r": 10, "b": 40},
        )
        figure.update_xaxes(title=f"{second} says", showgrid=False)
        figure.update_yaxes(title=f"{first} says", autorange="reversed", showgrid=False)
        return figure


def rows(result: AgreementResult) -> list[dict[str, str]]:
    """A line for each pair, in words."""
    return [
        {
            "models": pair.name,
            "called alike": str(pair.same),
            "by chance": f"{100 * pair.chance:.1f} %",
            "kappa": interval_text(pair.kappa),
            "differ": f"{len(pair.differ)} of {len(result.clip_ids)} clips",
        }
        for pair in result.pairs
    ]


def said(result: AgreementResult) -> list[dict[str, str]]:
    """What each model says of each clip that two of them call differently."""
    some = sorted({int(row) for pair in result.pairs for row in pair.differ})
    named = {name: np.array(result.label_names)[values] for name, values in result.predicted.items()}
    return [{"clip_id": result.clip_ids[row]} | {name: str(values[row]) for name, values in named.items()} for row in some]


def agreement_markdown(result: AgreementResult) -> str:
    """The pairs as a table, with notes."""
    table = rows(result)
    lines = [
        "# Agreement",
        "",
        f"{markdown_line(result.caption)}.",
        "",
        *markdown_table([*table[0]], [[*row.values()] for row in table]),
    ]
    if result.notes:
        lines += ["", "Notes:", "", *(f"- {markdown_line(note)}" for note in result.notes)]
    return "\n".join(lines) + "\n"

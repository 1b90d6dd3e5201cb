"""What the paper figures share: the widths of a journal's columns, small type, a caption and an interactive twin."""

import textwrap
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ifdd.errors import InputError
from workbench.figures.names import Column as Column
from workbench.plotting import style
from workbench.plotting.base import Display

INCH = 25.4
WIDTHS: dict[Column, float] = {"single": 89 / INCH, "double": 183 / INCH}
"""Inches; 89 and 183 mm are the columns of many journals."""
SMALL = 5.5  # points; less cannot be read in print


class Sheet(Display):
    """A figure at the width of a journal's column, with type of 6.5 points.

    `stem` begins its file names, `paper` names the figure that it follows, `twin` is the same for a web page.
    """

    points = 6.5
    stem: str
    paper: str
    twin: Display

    def __init__(self, column: Column) -> None:
        if column not in WIDTHS:
            raise InputError(f"column {column!r} is unknown; choose one of {', '.join(WIDTHS)}")
        self.column: Column = column

    @property
    @abstractmethod
    def caption(self) -> str:
        """What is drawn, by which convention, and its numbers."""

    @property
    def width(self) -> float:
        """Inches."""
        return WIDTHS[self.column]

    @property
    def wide(self) -> bool:
        """Whether it goes over both columns."""
        return self.column == "double"

    def provenance(self) -> str:
        """Return that of the results."""
        return self.twin.provenance()

    def to_plotly(self) -> go.Figure:
        """Return the same for a web page."""
        return self.twin.to_plotly()

    def _draw(self, ax: Any) -> None:
        if ax is not None:
            raise InputError("a paper figure has its own page; draw its twin into axes")
        self._page()

    @abstractmethod
    def _page(self) -> None:
        """Set `figure_` and `ax_`, and draw."""

    def new_page(self, height: float) -> Figure:
        """An empty page of this column, `height` in inches."""
        return Figure(figsize=(self.width, height), layout="constrained")


def class_legend(figure: Figure, axes: Axes, columns: int) -> None:
    """The classes below the panels, numbered in the order of the labels, as the OUS paper numbers them."""
    handles, names = axes.get_legend_handles_labels()
    numbered = [f"{i} {name}" for i, name in enumerate(names)]
    figure.legend(handles, numbered, loc="outside lower center", ncols=columns, markerscale=1.6, handletextpad=0.1)


def scatter_classes(panel: Axes, xy: np.ndarray, labels: np.ndarray, names: Sequence[str], size: float) -> None:
    """Clips (n, 2) as points in the colours and markers of all classes, whether they occur or not."""
    for c, name in enumerate(names):
        x, y = xy[labels == c].T
        panel.scatter(
            x, y, s=size, c=style.class_colour(name), marker=style.class_marker(name), label=name, linewidths=0, alpha=0.9
        )


def wrapped(text: str, inches: float, points: float) -> str:
    """Text in lines that fit a width, for type of so many points."""
    return "\n".join(textwrap.wrap(text, int(inches * 72 / (0.57 * points))))

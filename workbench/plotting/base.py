"""What every display shares: drawing under the theme, and saving whole files only."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from matplotlib.axes import Axes
from matplotlib.category import StrCategoryFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FuncFormatter

from ifdd.errors import InputError
from ifdd.io import write_whole
from workbench.plotting.hover import tell_whole
from workbench.plotting.numbers import numbers_of
from workbench.plotting.style import matplotlib_theme
from workbench.results.passport import PYTHON_CALL, Context, issue

SUFFIXES = (".svg", ".pdf", ".png")
_NOT_SHOWN = ("customdata", "ids", "meta", "hovertemplate", "texttemplate")  # `customdata` identifies clips
Result = TypeVar("Result")


class Display(ABC):
    """A picture of one result: `from_result(r).plot(ax)`, `.to_plotly()`, `.save(path)`.

    After `plot`, `figure_` is the matplotlib figure and `ax_` its axes, or an array of axes where there are several panels.
    """

    figure_: Figure
    ax_: Any
    normalisation: str = "none"
    """How the numbers are scaled before they are drawn; a saved figure's passport says it."""
    points: float | None = None
    """Size of the text; None is seaborn's for paper."""

    def plot(self, ax: Any = None) -> Self:
        """Draw with matplotlib, into `ax` if given; keep figure and axes as `figure_` and `ax_`."""
        with matplotlib_theme(self.points):
            self.draw(ax)
        return self

    def draw(self, ax: Any = None) -> None:
        """Draw as `plot`, in the style that is in force: for figures that are made of several displays."""
        self._draw(ax)
        _shorten(self.figure_)

    @abstractmethod
    def _draw(self, ax: Any) -> None:
        """Set `figure_` and `ax_`, and draw."""

    @abstractmethod
    def to_plotly(self) -> go.Figure:
        """Return the same picture for a web page."""

    def numbers(self) -> pd.DataFrame:
        """Return what is drawn as a table, as `numbers_of`; without rows where only pixels are."""
        return numbers_of(self.to_plotly())

    def provenance(self) -> str:
        """Return what was drawn from: one line of JSON for each result, after its name and a colon where there are several."""
        return ""

    def save(self, path: str | Path, dpi: float = 200, *, context: Context = PYTHON_CALL) -> Path:
        """Write the figure, drawn if it is not yet, with its passport, as .svg, .pdf or .png; an existing file is replaced.

        `context` tells the command, the checkpoints and the clips. Text stays text in SVG and PDF, and the same figure gives
        the same bytes. Nothing half-written is left behind.

        Raises:
            InputError: another suffix, or a folder that does not exist.
        """
        path = Path(path)
        if path.suffix.lower() not in SUFFIXES:
            raise InputError(f"{path}: figures are saved as {', '.join(SUFFIXES)}; change the suffix {path.suffix or '(none)'}")
        if not path.parent.is_dir():
            raise InputError(f"{path}: folder {path.parent} does not exist; create it first")
        if not hasattr(self, "figure_"):
            self.plot()
        kind = path.suffix.lower()[1:]
        passport = issue(self.provenance(), self.normalisation, context).to_json()
        with matplotlib_theme(self.points):
            write_whole(path, lambda part: self.figure_.savefig(part, format=kind, dpi=dpi, metadata=_metadata(kind, passport)))
        return path


_OWN_TAGS = re.compile(r"<(?!/?(?:b|i|br|sub|sup)\s*/?>)", re.IGNORECASE)


def without_markup(figure: go.Figure) -> go.Figure:
    """The figure with each `<` written out that begins no tag of our own: plotly reads its texts as HTML, links too."""

    def written_out(value: Any) -> Any:
        if isinstance(value, str):
            return _OWN_TAGS.sub("&lt;", value)
        if isinstance(value, dict):
            return {key: part if key in _NOT_SHOWN else written_out(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [written_out(part) for part in value]
        if isinstance(value, np.ndarray) and value.dtype.kind in "OU":
            return np.array([written_out(part) for part in value.ravel().tolist()], object).reshape(value.shape)
        return value

    return go.Figure(written_out(figure.to_dict()))


LONGEST = {"axis": 44, "legend": 64, "title": 120}
"""Letters of a line of text that a chart shows: a class may be called by a sentence, which would leave no room for the chart."""


def short_name(name: str, most: int = LONGEST["axis"]) -> str:
    """A name with its middle left out, for what it is told apart by stands at its begin or its end.

    >>> short_name("happy (20)"), short_name("a class that is called by a sentence (20)", 20)
    ('happy (20)', 'a class th…ence (20)')
    """
    begin, end = most // 2, (most - 1) // 2
    return name if len(name) <= most else f"{name[:begin]}…{name[-end:]}"


def with_short_names(figure: go.Figure) -> go.Figure:
    """The figure with long names shortened, at axes, in legends and titles. Its data, and so the table of it, keep them whole.

    A pointer on a point is told them whole, too.
    """
    figure = go.Figure(figure)
    aliases = {text: short for text in _categories(figure) if (short := _short_lines(text, "axis")) != text}
    ticks = [str(text) for axis in _axes(figure) for text in axis.ticktext or ()]
    names = [trace.name for trace in figure.data if trace.name is not None]
    tell_whole(figure, {*aliases, *_shortened(ticks, "axis"), *_shortened(names, "legend")})
    if aliases:
        figure.update_xaxes(labelalias=aliases)
        figure.update_yaxes(labelalias=aliases)
        figure.update_polars(angularaxis_labelalias=aliases)
    for axis in _axes(figure):
        if axis.ticktext is not None:
            axis.ticktext = [_short_lines(str(text), "axis") for text in axis.ticktext]
    for trace in figure.data:
        if trace.name is not None:
            trace.name = _short_lines(trace.name, "legend")
    figure.for_each_annotation(lambda told: told.update(text=_short_lines(told.text or "", "title")))
    if figure.layout.title.text is not None:
        figure.update_layout(title_text=_short_lines(figure.layout.title.text, "title"))
    return figure


def _shorten(figure: Figure) -> None:
    """The same for a figure of matplotlib."""
    for panel in figure.axes:
        for axis in (panel.xaxis, panel.yaxis):
            if isinstance(axis.get_major_formatter(), FixedFormatter | FuncFormatter | StrCategoryFormatter):
                texts = [label.get_text() for label in axis.get_ticklabels()]
                if any(len(text) > LONGEST["axis"] for text in texts):
                    axis.set_ticks(axis.get_ticklocs(), labels=[short_name(text) for text in texts])
        legend = panel.get_legend()
        for told in [] if legend is None else legend.get_texts():
            told.set_text(short_name(told.get_text(), LONGEST["legend"]))
        for told in (panel.title, panel.xaxis.label, panel.yaxis.label):
            lines = told.get_text().split("\n")
            if any(len(line) > LONGEST["title"] for line in lines):
                told.set_text("\n".join(short_name(line, LONGEST["title"]) for line in lines))


def _categories(figure: go.Figure) -> set[str]:
    found: set[str] = set()
    for trace in figure.data:
        for place in ("x", "y", "theta"):
            values = getattr(trace, place, None)
            if values is not None and np.asarray(values).dtype.kind in "OU":
                found.update(value for value in values if isinstance(value, str))
    return found


def _axes(figure: go.Figure) -> list[Any]:
    return [*figure.select_xaxes(), *figure.select_yaxes()]


def _shortened(texts: Iterable[str], where: str) -> list[str]:
    return [text for text in texts if _short_lines(text, where) != text]


def _short_lines(text: str, where: str) -> str:
    return "<br>".join(short_name(line, LONGEST[where]) for line in text.split("<br>"))


class NamedDisplay(Display, Generic[Result]):
    """A display of one result, or of several by name, e.g. one for each model."""

    def __init__(self, results: Mapping[str, Result]) -> None:
        if not results:
            raise InputError("no result to display; pass one result, or a mapping from names to results")
        self.results = dict(results)

    @classmethod
    def from_result(cls, result: Result | Mapping[str, Result]) -> Self:
        """Take one result, or results by name."""
        return cls(result if isinstance(result, Mapping) else {"": result})

    def provenance(self) -> str:
        """Return the provenance of every result, by name."""
        return "\n".join(f"{name}: {r.provenance.to_json()}".removeprefix(": ") for name, r in self.results.items())  # type: ignore[attr-defined]


def new_axes(ax: Axes | None, width: float, height: float) -> Axes:
    """Return `ax`, or the axes of a new figure of that size in inches."""
    return Figure(figsize=(width, height), layout="constrained").subplots() if ax is None else ax


def new_grid(ax: Any, rows: int, columns: int, width: float, height: float, **shared: Any) -> np.ndarray:
    """Return axes (rows, columns): those given, or new ones on a figure of that size in inches."""
    if ax is None:
        return Figure(figsize=(width, height), layout="constrained").subplots(rows, columns, squeeze=False, **shared)
    axes: np.ndarray = np.atleast_1d(np.asarray(ax, dtype=object))
    if axes.size != rows * columns:
        raise InputError(f"this display needs {rows} × {columns} axes, not {axes.size}; pass that many, or none")
    return axes.reshape(rows, columns)


def same_labels(results: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the label list that all results share; raise InputError if one has another."""
    first: tuple[str, ...] = next(iter(results.values())).label_names
    for name, result in results.items():
        if result.label_names != first:
            classes = f"{', '.join(result.label_names)}, not {', '.join(first)}"
            raise InputError(f"{name} has the classes {classes}; leave it out, or compare models of one label list")
    return first


def check_length(values: Sequence[Any] | np.ndarray, n: int, what: str) -> None:
    """Raise InputError unless there is one value per clip."""
    if len(values) != n:
        raise InputError(f"{what} has {len(values)} entries for {n} clips; pass one per clip, in the order of the result")


def _metadata(kind: str, passport: str) -> dict[str, str | None]:
    """The passport under the key that each format has for it; no dates, which would change the bytes."""
    keys: dict[str, dict[str, str | None]] = {
        "svg": {"Description": passport, "Date": None},
        "pdf": {"Subject": passport, "CreationDate": None},
        "png": {"Description": passport},
    }
    return keys[kind]

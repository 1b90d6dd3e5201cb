"""The numbers of a picture as a table: what a reader who cannot see it, or wants to draw it anew, needs."""

import base64
import html
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

_TAG = re.compile(r"<[^<>]*>")
PICTURES = ("image",)
"""Kinds of traces that hold pixels, not numbers."""
FOR_CLICKS = "for clicks"
"""`meta` of a trace that is drawn to be clicked, over others that hold its numbers."""


def numbers_of(figure: go.Figure) -> pd.DataFrame:
    """What a plotly figure draws: a row for each point, bar or cell; empty for a film strip, whose pixels are no numbers.

    Columns are named as the axes, where all panels have the same ones; `low` and `high` are ends of error bars, `clips` what a
    point stands for. Where ticks name whole numbers, points are named as the tick that they stand beside. A table that is drawn
    as a figure is that table.
    """
    tables = [trace for trace in figure.data if trace.type == "table"]
    if tables:
        cells = [[plain(value) for value in _values(column)] for column in tables[0].cells["values"]]
        names = [plain(value) for value in _values(tables[0].header["values"])]
        return pd.DataFrame(dict(zip(names, cells, strict=True)))
    frames = [pd.DataFrame(list(_rows(trace))) for trace in figure.data if trace.type not in PICTURES and not _is_hidden(trace)]
    frames = [frame for frame in frames if len(frame)]
    if not frames:
        return pd.DataFrame()
    table = pd.concat(frames, ignore_index=True)
    table = table.drop(columns=[name for name, nothing in (("panel", 1), ("series", "")) if (table[name] == nothing).all()])
    for axis in ("x", "y"):
        if axis in table and (names := _rungs(figure, axis)):
            table[axis] = [_named(value, names) for value in table[axis]]
    axes = {**_axis_name(figure, "x"), **_axis_name(figure, "y"), **_colour_name(figure)}
    if len(set(axes.values())) == len(axes):
        table.columns = pd.Index([axes.get(name, name) for name in table.columns])
    return table


def plain(text: Any) -> str:
    """A label of plotly's, which is HTML, as text.

    >>> plain("X<sub>D</sub><br>a &lt; b")
    'XD a < b'
    """
    return html.unescape(_TAG.sub("", str(text).replace("<br>", " "))).strip()


def _rows(trace: Any) -> Iterator[dict[str, Any]]:
    about = {"panel": _panel(trace), "series": plain(trace.name or "")}
    if trace.type == "heatmap":
        z = np.asarray(_values(trace.z), dtype=object)
        x = _values(trace.x) if trace.x is not None else range(z.shape[1])
        y = _values(trace.y) if trace.y is not None else range(z.shape[0])
        for i, row in enumerate(y):
            for j, column in enumerate(x):
                yield about | {"x": _cell(column), "y": _cell(row), "value": _cell(z[i, j])}
        return
    first, second = ("theta", "r") if trace.type == "scatterpolar" else ("x", "y")
    one, other = getattr(trace, first), getattr(trace, second)
    count = (
        max(len(_values(values)) for values in (one, other) if values is not None) if one is not None or other is not None else 0
    )
    one = range(count) if one is None else _values(one)
    other = range(count) if other is None else _values(other)
    clips = [] if trace.customdata is None else _values(trace.customdata)
    for i, (a, b) in enumerate(zip(one, other, strict=True)):
        if a is None or b is None:  # a gap between lines, or a line of the legend
            continue
        row = about | {first: _cell(a), second: _cell(b)}
        for axis, value in (("x", a), ("y", b)):
            if (arms := _arms(trace, axis, i)) is not None:
                row |= {"low": value - arms[0], "high": value + arms[1]}
        if i < len(clips) and (link := _link(clips[i])):
            row["clips"] = link
        yield row


def _values(values: Any) -> Any:
    """A list or array, also one that plotly has packed."""
    if isinstance(values, dict) and "bdata" in values:
        found = np.frombuffer(base64.b64decode(values["bdata"]), np.dtype(values["dtype"]))
        return found.reshape([int(n) for n in values["shape"].split(",")]) if values.get("shape") else found
    return values


def _cell(value: Any) -> Any:
    return plain(value) if isinstance(value, str) else value


def _arms(trace: Any, axis: str, i: int) -> tuple[float, float] | None:
    bars = getattr(trace, f"error_{axis}", None)
    if bars is None or bars.array is None:
        return None
    up = _values(bars.array)[i]
    down = up if bars.arrayminus is None else _values(bars.arrayminus)[i]
    return None if up is None or down is None else (down, up)


def _link(data: Any) -> str:
    found = data if isinstance(data, str) else next(iter(data), "") if isinstance(data, (list, tuple, np.ndarray)) else ""
    return found if isinstance(found, str) else ""


def _panel(trace: Any) -> int:
    axis = getattr(trace, "subplot", None) or getattr(trace, "xaxis", None) or "x"
    return int(re.sub(r"\D", "", axis) or 1)


def _is_hidden(trace: Any) -> bool:
    """Drawn to be clicked, or for the legend alone."""
    return trace.visible is False or trace.meta == FOR_CLICKS or (trace.hoverinfo == "skip" and trace.customdata is not None)


def _rungs(figure: go.Figure, axis: str) -> list[str]:
    """Names of 0, 1, … on an axis that is labelled so, in all panels alike; else none."""
    axes = list(getattr(figure, f"select_{axis}axes")())
    ticks = {(tuple(one.tickvals or ()), tuple(one.ticktext or ())) for one in axes}
    places, names = ticks.pop() if len(ticks) == 1 else ((), ())
    return [plain(name) for name in names] if places == tuple(range(len(names))) else []


def _named(value: Any, names: list[str]) -> Any:
    """The name of the place that a number is at, or beside; the number itself where it is between two."""
    if isinstance(value, str) or not np.isfinite(value):
        return value
    place = round(value)
    return names[place] if 0 <= place < len(names) and abs(value - place) < 0.45 else value


def _axis_name(figure: go.Figure, axis: str) -> dict[str, str]:
    axes = getattr(figure, f"select_{axis}axes")()
    titles = {plain(one.title.text or "") for one in axes}
    return {axis: name} if len(titles) == 1 and (name := titles.pop()) else {}


def _colour_name(figure: go.Figure) -> dict[str, str]:
    titles = {plain(trace.colorbar.title.text or "") for trace in figure.data if trace.type == "heatmap"}
    return {"value": name} if len(titles) == 1 and (name := titles.pop()) else {}

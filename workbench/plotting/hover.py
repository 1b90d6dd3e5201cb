"""What a pointer is told of a point: names in full, in lines, however short they stand at axes and in legends."""

import re
import textwrap
from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np
import plotly.graph_objects as go

LINE = 60
"""Letters of a line: plotly breaks none, and cuts what does not fit."""
_PLACES = ("x", "y", "theta")
_UNTOLD = {
    "scatter": "%{x}, %{y}<extra>%{fullData.name}</extra>",
    "bar": "%{x}, %{y}<extra>%{fullData.name}</extra>",
    "scatterpolar": "%{theta}: %{r}<extra>%{fullData.name}</extra>",
    "heatmap": "%{x}, %{y}: %{z}<extra></extra>",
}
"""What is told where a trace does not say it, as plotly would."""


def tell_whole(figure: go.Figure, shortened: Set[str]) -> None:
    """Let hovers tell these names of categories, ticks and traces whole, before they are shortened.

    Plotly tells a point's place as its axis is labelled, so that what is told lies beside the point's own `customdata`.
    """
    for trace in figure.data:
        if trace.type == "scatter" and trace.text is not None and "text" not in (trace.mode or ""):
            trace.text = (
                lines(trace.text)
                if isinstance(trace.text, str)
                else [lines(text) if isinstance(text, str) else text for text in trace.text]
            )
        if trace.type not in _UNTOLD or trace.hoverinfo == "skip":
            continue
        template = trace.hovertemplate or _UNTOLD[trace.type]
        if not isinstance(template, str):
            continue
        template += "" if "<extra>" in template else "<extra>%{fullData.name}</extra>"  # as plotly does
        told = {place: values for place in _PLACES if (values := _values(figure, trace, place)) and shortened & set(values)}
        if trace.name in shortened:
            told["fullData.name"] = [trace.name]
        told = {what: values for what, values in told.items() if f"%{{{what}}}" in template}
        if told:
            _put(trace, template, told)


def lines(text: str) -> str:
    """The text with a line break wherever a line would be too long.

    >>> lines("a sentence " * 7).count("<br>")
    1
    """
    parts = [textwrap.wrap(part, LINE, break_long_words=False, break_on_hyphens=False) or [""] for part in text.split("<br>")]
    return "<br>".join(line for part in parts for line in part)


def _values(figure: go.Figure, trace: Any, place: str) -> list[str]:
    """Names of the trace's points along an axis: categories, or the ticks at which numbers stand; none for other numbers."""
    found = getattr(trace, place, None)
    if found is None or place not in _PLACES[:2]:
        return [] if found is None else [str(value) for value in found]
    axis = figure.layout[(getattr(trace, f"{place}axis", None) or place).replace(place, f"{place}axis", 1)]
    ticks = dict(zip(axis.tickvals or (), axis.ticktext or (), strict=False))
    if ticks:
        return [str(ticks.get(value, value)) for value in found]
    return [str(value) for value in found] if np.asarray(found).dtype.kind in "OU" else []


def _put(trace: Any, template: str, told: Mapping[str, Sequence[str]]) -> None:
    """Lay the texts beside the customdata of each point, and let the template read them there."""
    first = next(values for name in ("z", *_PLACES) if (values := getattr(trace, name, None)) is not None)
    cells = np.asarray(first, dtype=object).shape
    own = np.full((*cells, 1), "", object)  # a link of each point stands first
    if trace.customdata is not None:
        own = np.array(trace.customdata, dtype=object)
        if own.ndim == len(cells):
            own = own[..., None]
            template = re.sub(r"%\{customdata(?!\[)", "%{customdata[0]", template)
    more = np.empty((*cells, len(told)), object)
    for n, (what, values) in enumerate(told.items()):
        texts = np.array([lines(value) for value in values], object)
        more[..., n] = texts[:, None] if what == "y" and len(cells) == 2 else texts
        template = template.replace(f"%{{{what}}}", f"%{{customdata[{own.shape[-1] + n}]}}")
    trace.customdata = np.concatenate([own, more], axis=-1).tolist()
    trace.hovertemplate = template

"""How everything looks: one colour and one marker for each class, readable on paper, on a light and on a dark page.

The hues are those of Okabe and Ito (2008), safe for the usual colour vision deficiencies; classes also differ by marker.
"""

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import matplotlib as mpl
import plotly.graph_objects as go

from workbench.plotting.seaborn_paper import PAPER, TICKS

ORANGE, SKY_BLUE, BLUISH_GREEN, YELLOW = "#E69F00", "#56B4E9", "#009E73", "#F0E442"
BLUE, VERMILLION, REDDISH_PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#606060"

CLASS_COLOURS: dict[str, str] = {
    "happy": ORANGE,
    "sad": BLUE,
    "neutral": GREY,
    "angry": VERMILLION,
    "surprise": SKY_BLUE,
    "disgust": BLUISH_GREEN,
    "fear": REDDISH_PURPLE,
    "contempt": "#8C2819",
    "anxiety": "#4E6CFE",
    "helplessness": "#64E98E",
    "disappointment": "#503C68",
}
"""Emotions by name, whatever their index in a checkpoint. The last four (of MAFW) are as far as possible from the rest."""

CLASS_MARKERS: dict[str, str] = {
    "happy": "o",
    "sad": "v",
    "neutral": "s",
    "angry": "^",
    "surprise": "D",
    "disgust": "P",
    "fear": "X",
    "contempt": "<",
    "anxiety": ">",
    "helplessness": "*",
    "disappointment": "h",
}
"""Matplotlib's letters; PLOTLY_MARKERS translates them."""

PLOTLY_MARKERS: dict[str, str] = {
    "o": "circle",
    "v": "triangle-down",
    "s": "square",
    "^": "triangle-up",
    "D": "diamond",
    "P": "cross",
    "X": "x",
    "<": "triangle-left",
    ">": "triangle-right",
    "*": "star",
    "h": "hexagon",
}

_SYNONYMS = {
    "happiness": "happy",
    "joy": "happy",
    "sadness": "sad",
    "neutrality": "neutral",
    "anger": "angry",
    "surprised": "surprise",
    "disgusted": "disgust",
    "fearful": "fear",
    "afraid": "fear",
}
_OTHER_COLOURS = (*CLASS_COLOURS.values(), YELLOW, "#073CA8", "#C6D2C4", "#8F8EFF")
_MARKERS = tuple(PLOTLY_MARKERS)

BRANCH_COLOURS: dict[str, str] = {"S": BLUE, "D": VERMILLION, "X": GREY}
"""Static branch, dynamic branch, and a baseline's only one."""

POSITIVE, NEGATIVE = ORANGE, BLUISH_GREEN
"""Clips of a class and all others, as in the paper's confidence figure."""

CORRECT, WRONG = BLUE, VERMILLION

MODEL_COLOURS = (
    *(BLUE, VERMILLION, BLUISH_GREEN, REDDISH_PURPLE, ORANGE, SKY_BLUE, GREY),
    *("#4E6CFE", "#8C2819", "#64E98E", "#503C68"),
)
"""Models in the order in which they are compared: as many as there are markers."""

SEQUENTIAL = "viridis"
DIVERGING = "RdBu_r"
"""Colour maps by the names that both matplotlib and plotly know."""

_MUTED = "#787878"  # equal contrast, 4.4, on white and on the dark page
_FONT = "DejaVu Sans"  # ships with matplotlib, so that a figure is the same everywhere
_RC_LOCK = threading.RLock()


def _key(name: str) -> str:
    lowered = name.strip().lower()
    return _SYNONYMS.get(lowered, lowered)


def _position(name: str) -> int:
    """A number for a name that no table knows: the number at its end ("class 3"), else one from its digest."""
    number = re.search(r"(\d{1,9})$", name)
    return int(number.group()) if number else int(hashlib.sha256(name.encode()).hexdigest()[:8], 16)


def class_colour(name: str) -> str:
    """Return the colour of a class, "#RRGGBB"; a name that no table knows always gets the same one."""
    key = _key(name)
    return CLASS_COLOURS.get(key) or _OTHER_COLOURS[_position(key) % len(_OTHER_COLOURS)]


def class_marker(name: str) -> str:
    """Return matplotlib's marker of a class; PLOTLY_MARKERS has plotly's name for it."""
    key = _key(name)
    return CLASS_MARKERS.get(key) or _MARKERS[_position(key) % len(_MARKERS)]


def branch_colour(branch: str) -> str:
    """Return the colour of a branch as named in `model.branches`: S, D or X."""
    return BRANCH_COLOURS[branch]


def model_colour(index: int) -> str:
    """Return the colour of the index-th model of a comparison."""
    return MODEL_COLOURS[index % len(MODEL_COLOURS)]


def model_marker(index: int) -> str:
    """Return matplotlib's marker of the index-th model of a comparison."""
    return _MARKERS[index % len(_MARKERS)]


def translucent(colour: str, alpha: float) -> str:
    """Return "#RRGGBB" with an opacity, as plotly writes it."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {alpha:g})"


def plotly_template(page: Literal["any", "light", "dark"] = "any") -> go.layout.Template:
    """Return plotly's template: transparent, so that the page shows through; "any" is readable on both kinds of page."""
    ink = {"any": _MUTED, "light": "#262626", "dark": "#E6E6E6"}[page]
    axis = {
        "gridcolor": "rgba(128, 128, 128, 0.25)",
        "zerolinecolor": "rgba(128, 128, 128, 0.4)",
        "linecolor": ink,
        "ticks": "outside",
        "tickcolor": ink,
        "showline": True,
        "automargin": True,
        "title": {"standoff": 8, "font": {"size": 13}},
    }
    title = {
        "font": {"size": 13},
        "x": 0,
        "xref": "paper",
        "xanchor": "left",
        "y": 1,
        "yref": "container",
        "yanchor": "top",
        "pad": {"t": 12},
    }
    return go.layout.Template(
        layout={
            "paper_bgcolor": "rgba(0, 0, 0, 0)",
            "plot_bgcolor": "rgba(0, 0, 0, 0)",
            "font": {"color": ink, "size": 13},
            "title": title,
            "colorway": list(MODEL_COLOURS),
            "colorscale": {"sequential": SEQUENTIAL, "diverging": DIVERGING},
            "xaxis": axis,
            "yaxis": axis,
            "legend": {"itemsizing": "constant", "title": {"font": {"size": 13}}, "bgcolor": "rgba(0, 0, 0, 0)"},
            "hoverlabel": {"namelength": -1},
        }
    )


def symbol(name: str) -> dict[str, Any]:
    """Arguments of a matplotlib text that sets one of the paper's symbols, as X or Y_D, in italics; any other name as it is."""
    known = re.fullmatch(r"[A-Z](?:_[A-Z])?", name) is not None
    return {"text": f"${name}$" if known else name, "parse_math": known}


@contextmanager
def matplotlib_theme(points: float | None = None) -> Iterator[None]:
    """Draw in seaborn's style for paper, with text and lines for a font of so many points; afterwards all is as before.

    Matplotlib's settings belong to the whole process, so one thread draws at a time.
    """
    own: dict[Any, Any] = {
        "font.family": "sans-serif",
        "font.sans-serif": [_FONT],
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlelocation": "left",
        "figure.dpi": 100,
        "legend.frameon": False,
        "svg.fonttype": "none",  # text stays text
        "svg.hashsalt": "ifdd-workbench",  # the same figure gives the same bytes
        "pdf.fonttype": 42,
        "text.parse_math": False,  # a label or a clip's name may hold dollar signs
    }
    paper: dict[Any, float] = (
        PAPER if points is None else {name: value * points / PAPER["font.size"] for name, value in PAPER.items()}
    )
    with _RC_LOCK, mpl.rc_context({**TICKS, **paper, **own}):
        yield

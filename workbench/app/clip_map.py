"""What a map of clips sends to the browser: places, colours, marks of what is chosen; small, for there may be 40,000 clips."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workbench.analysis.embedding.displays.colours import Colouring, Ramp, colouring
from workbench.app.selection import linked, where
from workbench.plotting.style import SEQUENTIAL

STOPS = 64
"""Colours of a scale."""
OWN = {"row", "prediction", "label", "path", "clip_id"}
"""Columns of which nothing is to be seen in colours."""


@dataclass(frozen=True, eq=False)
class Stage:
    """One map of a panel: places (n, 2), its name and a line on it."""

    name: str
    note: str
    xy: np.ndarray


@dataclass(frozen=True, eq=False)
class Panel:
    """One model, or one activation: a map, or the stages of a film; `placed` are further clips by name, (2,) each."""

    title: str
    stages: tuple[Stage, ...]
    placed: Mapping[str, np.ndarray] | None = None


def map_data(
    panels: Sequence[Panel],
    table: pd.DataFrame,
    colours: Colouring,
    *,
    column: str,
    axes: tuple[str, str],
    alt: str,
    chosen: np.ndarray | None = None,
    facts: Sequence[str] = (),
    thumbs: str | None = None,
) -> dict[str, Any]:
    """Data of the component `shared/scatter`: panels of the clips in `table`, which `clip_id` indexes, in its order.

    `colours` are by `column`, whose groups a click on the legend chooses; `chosen` (n,) bool; `facts` are columns of few values
    that the pointer shows; `thumbs` the address of small pictures.
    """
    ids = [str(clip) for clip in table.index]
    plain = [
        {
            "title": panel.title,
            "stages": [{"name": stage.name, "note": stage.note, "xy": _packed(stage.xy, np.float32)} for stage in panel.stages],
            "placed": [{"name": name, "x": float(x), "y": float(y)} for name, (x, y) in (panel.placed or {}).items()],
        }
        for panel in panels
    ]
    return {
        "id": _digest(ids, plain, axes),
        "ids": ids,
        "panels": plain,
        "axes": list(axes),
        "alt": alt,
        "thumbs": thumbs,
        "facts": [_fact(table[name]) for name in facts],
        "chosen": None if chosen is None or chosen.all() else _packed(np.packbits(chosen), np.uint8),
        **_colours(colours, column, len(ids)),
    }


def columns_to_colour(table: pd.DataFrame) -> list[str]:
    """Columns of a table of clips that colours can tell: with two values or more, and not one of its own for every clip.

    Classes come first, then what the models said of the clips, then what the list of clips says.
    """
    found = [str(name) for name in table.columns if name not in OWN and _tells(table[name])]
    first = ("label_name", "said ", "right ", "confidence ", "loss ", "margin ", "disagreement")
    return sorted(found, key=lambda name: next((i for i, start in enumerate(first) if name.startswith(start)), len(first)))


def facts_of(table: pd.DataFrame) -> list[str]:
    """Columns that the pointer shows: the true class, and what the first models in view said."""
    said = [str(name) for name in table.columns if str(name).startswith("said ")]
    return [*(["label_name"] if "label_name" in table else []), *said[:4]]


def _tells(column: pd.Series) -> bool:
    try:
        different = column.nunique()
    except TypeError:  # lists and the like
        return False
    return different > 1 and (pd.api.types.is_numeric_dtype(column.dtype) or different <= max(100, len(column) // 2))


def _colours(colours: Colouring, column: str, count: int) -> dict[str, Any]:
    if isinstance(colours, Ramp):
        known = colours.values[np.isfinite(colours.values)]
        low, high = np.quantile(known, [0.01, 0.99]) if len(known) > 100 else (known.min(), known.max())
        return {
            "ramp": {
                "title": colours.title,
                "low": float(low),
                "high": float(high),
                "missing": int(count - len(known)),
                "stops": _stops(),
                "values": _packed(np.where(np.isfinite(colours.values), colours.values, np.nan), np.float32),
            }
        }
    codes = np.zeros(count, np.uint8)
    entries = []
    for number, group in enumerate(colours.groups):
        codes[group.rows] = number
        link = "" if group.value is None and group.name != "not known" else linked(where(column, group.value))
        entries.append(
            {"name": group.name, "colour": group.colour, "marker": group.marker, "count": len(group.rows), "link": link}
        )
    return {"groups": {"title": colours.title, "entries": entries, "codes": _packed(codes, np.uint8)}}


def _stops() -> list[str]:
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    return [to_hex(colour) for colour in colormaps[SEQUENTIAL](np.linspace(0, 1, STOPS))]


def _fact(column: pd.Series) -> dict[str, Any]:
    codes, names = pd.factorize(column.astype(object))  # -1 for a missing value, which no name answers
    return {
        "name": str(column.name).replace("label_name", "class"),
        "names": [str(name) for name in names],
        "codes": codes.tolist(),
    }


def _packed(values: np.ndarray, kind: type) -> str:
    return base64.b64encode(np.ascontiguousarray(values, kind).tobytes()).decode()


def _digest(ids: Sequence[str], panels: Sequence[Mapping[str, Any]], axes: Sequence[str]) -> str:
    made = hashlib.sha256("\n".join(ids).encode())
    for text in (*axes, *(str(panel) for panel in panels)):
        made.update(text.encode())
    return made.hexdigest()[:16]


def coloured(table: pd.DataFrame, column: str) -> Colouring:
    """Colours of the clips of a table by one of its columns."""
    words = {"label_name": "class"}
    return colouring(table[column], words.get(column, column))

"""What the colours of a map tell: any column of a table of clips, in groups with markers of their own, or on a scale."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from ifdd.errors import InputError
from workbench.plotting import style

MOST = 8
"""So many groups are told apart, but for classes, each of which has a colour; the rarest of further ones share the last."""
_COLOURS = tuple(colour for colour in style.MODEL_COLOURS if colour != style.GREY)[:MOST]


class Group(NamedTuple):
    """Clips of one colour and marker: the indexes of their `rows`; `value` is the column's, None for several or a missing one."""

    name: str
    colour: str
    marker: str
    rows: np.ndarray
    value: object = None


@dataclass(frozen=True, eq=False)
class Groups:
    """Every clip in one group; `title` names the column."""

    title: str
    groups: tuple[Group, ...]

    @property
    def values(self) -> np.ndarray:
        """Name of the group of each clip, (n,)."""
        told = np.full(sum(len(group.rows) for group in self.groups), "", object)
        for group in self.groups:
            told[group.rows] = group.name
        return told


@dataclass(frozen=True, eq=False)
class Ramp:
    """A number for each clip, (n,) float64, NaN where it is not known; `title` names the column."""

    title: str
    values: np.ndarray


Colouring = Groups | Ramp


def is_class_column(name: str) -> bool:
    """Whether a column of a table of clips holds classes: the true ones, or what a model said."""
    return name == "label_name" or name.startswith("said ")


def colouring(column: pd.Series, title: str = "") -> Colouring:
    """Colours of clips by a column: a scale for numbers of many values, else groups, of which missing values are one.

    Raises: InputError for a column of which no value is known.
    """
    name, title = str(column.name), title or str(column.name)
    missing = column.isna() | (column.astype(object) == "")
    if missing.all():
        raise InputError(f"the column {name} is empty; colour the clips by another one")
    known = column[~missing]
    numeric = pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)
    if numeric and known.nunique() > MOST:
        return Ramp(title, pd.to_numeric(column).to_numpy(np.float64, na_value=np.nan))
    codes = column.astype(object)
    counts = known.astype(object).value_counts()
    values = sorted(counts.index) if numeric or len(counts) <= MOST or is_class_column(name) else list(counts.index)
    own = values if is_class_column(name) or len(values) <= MOST else values[: MOST - 1]
    groups = [
        Group(*_look(name, value, i), np.flatnonzero((codes == value).to_numpy(bool) & ~missing), value)
        for i, value in enumerate(own)
    ]
    if rest := values[len(own) :]:
        groups.append(Group(f"{len(rest)} others", style.GREY, "o", np.flatnonzero(codes.isin(rest))))
    if missing.any():
        groups.append(Group("not known", style.GREY, "X", np.flatnonzero(missing)))
    return Groups(title, tuple(groups))


def _look(column: str, value: object, index: int) -> tuple[str, str, str]:
    """Name, colour and marker of the index-th value of a column."""
    text = str(value)
    if is_class_column(column):
        return text, style.class_colour(text), style.class_marker(text)
    if column.startswith("right ") or isinstance(value, (bool, np.bool_)):
        words = ("right", "wrong") if column.startswith("right ") else ("yes", "no")
        return (words[0], style.CORRECT, "o") if value else (words[1], style.WRONG, "X")
    return text, _COLOURS[index], style.model_marker(index)

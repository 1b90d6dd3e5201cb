"""Which clips are meant: the one selection that all pages follow, as text for an address and as a mask of a table."""

import hashlib
import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import quote, unquote

import numpy as np
import pandas as pd

from ifdd.documents import read_json, shown
from ifdd.errors import InputError
from ifdd.io import write_json

_OPERATORS: dict[str, Callable[[np.ndarray, float], np.ndarray]] = {">=": operator.ge, "<=": operator.le}
_CONDITION = re.compile(r"^(?P<column>.+?)(?P<op>>=|<=|!=|<>|=)(?P<value>.*)$", re.DOTALL)
_OWN = frozenset("%&|=<>!")  # what a condition is written with; Streamlit quotes the whole once more for the address
IDS = "clip_id"
FEW = 30  # so many clips have room in an address
_KEPT = re.compile(r"@[0-9a-f]{16}")


@dataclass(frozen=True)
class Condition:
    """Clips by one column: `op` is =, != (any of, none of `values`; "" is a missing value), >= or <= (one number).

    With <> the value is another column: clips whose values in both are known and differ, as in `said a<>said b`.
    """

    column: str
    op: str
    values: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `label_name=happy`, `scene=a|b`, `loss ifdd>=2`. Raises: InputError for anything else."""
        found = _CONDITION.match(text)
        if found is None:
            raise InputError(
                f"{shown(text)} selects no clips; write COLUMN=VALUE, COLUMN!=VALUE, COLUMN>=NUMBER or COLUMN<=NUMBER"
            )
        values = tuple(unquote(value) for value in found["value"].split("|"))
        made = cls(unquote(found["column"]), found["op"], values)
        if made.op in _OPERATORS:
            made.bound()
        if made.op == "<>" and (len(values) != 1 or not values[0]):
            raise InputError(f"{shown(text)} compares with no column; write {made.column}<>COLUMN")
        return made

    @property
    def text(self) -> str:
        """The condition as `parse` reads it."""
        return f"{_quoted(self.column)}{self.op}{'|'.join(map(_quoted, self.values))}"

    def bound(self) -> float:
        """The number of a condition with >= or <=. Raises: InputError where it is none."""
        try:
            return float(*self.values)
        except (TypeError, ValueError):
            raise InputError(f"{shown(self.text)} compares with no number; write {self.column}{self.op}0.5") from None

    def mask(self, table: pd.DataFrame, kept: "KeptClips") -> np.ndarray:
        """Which rows of a table with the index `clip_id` pass, (n,) bool. Raises: InputError for a column that it lacks."""
        if self.column == IDS:
            wanted = {clip for value in self.values for clip in (kept.clips(value) if _KEPT.fullmatch(value) else (value,))}
            found = np.asarray(table.index.isin(wanted))
            return ~found if self.op == "!=" else found
        if lacking := [name for name in self._columns if name not in table]:
            raise InputError(
                f"these clips have no column {shown(lacking[0])}, by which {shown(self.text)} selects; remove that chip, or "
                "bring the model into view that the column is of"
            )
        column = table[self.column]
        if self.op in _OPERATORS:
            try:
                numbers = pd.to_numeric(column).to_numpy(np.float64, na_value=np.nan)  # of 32 bits a bound would be rounded
            except (ValueError, TypeError):
                raise InputError(
                    f"the column {shown(self.column)} holds no numbers, which {shown(self.text)} asks for; use ="
                ) from None
            return _OPERATORS[self.op](numbers, self.bound())
        if self.op == "<>":
            other = table[self.values[0]]
            known = (column.notna() & other.notna()).to_numpy(bool)
            found = known.copy()
            found[known] = column[known].astype(object).to_numpy() != other[known].astype(object).to_numpy()
            return found
        found = _is_any_of(column, self.values)
        return ~found if self.op == "!=" else found

    @property
    def _columns(self) -> tuple[str, ...]:
        return (self.column, *(self.values if self.op == "<>" else ()))

    @property
    def words(self) -> str:
        """The condition in words, for a chip."""
        if self.column == IDS:
            few = ", ".join(self.values) if len(self.values) <= 2 else f"{len(self.values)} clips"
            return "not " * (self.op == "!=") + ("a group of clips" if _KEPT.fullmatch(self.values[0]) else few)
        what, _, model = self.column.partition(" ")
        if self.op == "<>":
            kind, _, other = self.values[0].partition(" ")
            if what == kind == "said":
                return f"{model} and {other} say different classes"
            if what == kind == "right":
                return f"just one of {model} and {other} right"
            return f"{self.column} differs from {self.values[0]}"
        value = f"{self.bound():.3g}" if self.op in _OPERATORS else _some(self.values)
        if what == "said" and model:
            return f"{model} {'does not say' if self.op == '!=' else 'says'} {value}"
        if what == "right" and model and value in ("True", "False"):
            return f"{model} {'right' if (value == 'True') == (self.op == '=') else 'wrong'}"
        return f"{in_words(self.column)} {({'=': 'is', '!=': 'is not', '>=': '≥', '<=': '≤'})[self.op]} {value}"


def _quoted(text: str) -> str:
    """A column or a value, within a condition: letters of any script stay as they are, so that an address can be read."""
    return "".join(quote(sign, "") if sign in _OWN or not sign.isprintable() else sign for sign in text)


def in_words(column: str) -> str:
    """A column of a clip table, as menus and chips call it.

    >>> in_words("label_name"), in_words("loss ifdd"), in_words("said ifdd"), in_words("head_yaw")
    ('class', 'loss of ifdd', 'what ifdd says', 'head yaw')
    """
    what, _, model = column.partition(" ")
    if model and what in _OF_MODEL:
        return _OF_MODEL[what].format(model)
    return {"label_name": "class", IDS: "clip"}.get(column, column.replace("_", " "))


_OF_MODEL = {
    "said": "what {} says",
    "right": "whether {} is right",
    "confidence": "confidence of {}",
    "loss": "loss of {}",
    "margin": "margin of {}",
}


def _some(values: Sequence[str]) -> str:
    """Values in a few words."""
    more = f" or {len(values) - 2} more" if len(values) > 3 else ""
    return " or ".join(value or "missing" for value in (values[:2] if more else values)) + more


def _is_any_of(column: pd.Series, values: Sequence[str]) -> np.ndarray:
    """Where a column holds one of some values, which are told as text: 3 and 3.0 are one number, "" is a missing value."""
    missing = column.isna().to_numpy() | (column == "").fillna(False).to_numpy(bool)
    found = missing & ("" in values)
    if pd.api.types.is_bool_dtype(column.dtype):
        return found | column.isin([value == "True" for value in values if value in ("True", "False")]).to_numpy()
    if pd.api.types.is_numeric_dtype(column.dtype):
        numbers = pd.to_numeric(pd.Series([value for value in values if value]), errors="coerce").dropna()
        return found | column.isin(numbers).to_numpy()
    if isinstance(column.dtype, pd.CategoricalDtype):
        return found | column.isin([name for name in column.cat.categories if str(name) in values]).to_numpy()
    return found | (column.astype(str).isin(set(values) - {""}).to_numpy() & ~missing)


@dataclass(frozen=True)
class Selection:
    """Clips that pass every one of the conditions; without any all clips."""

    conditions: tuple[Condition, ...] = ()

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Self:
        """Read conditions, some of them joined by &. Raises: InputError as `Condition.parse`."""
        parts = [part for text in texts for part in text.split("&") if part]
        return cls(tuple(dict.fromkeys(Condition.parse(part) for part in parts)))

    @property
    def texts(self) -> tuple[str, ...]:
        """The conditions as an address holds them."""
        return tuple(condition.text for condition in self.conditions)

    @property
    def text(self) -> str:
        """The selection in one line, as the `customdata` of a point in a chart holds it."""
        return "&".join(self.texts)

    @property
    def words(self) -> str:
        """The selection in words."""
        return ", ".join(condition.words for condition in self.conditions) or "all clips"

    def __bool__(self) -> bool:
        return bool(self.conditions)

    def and_(self, *more: Condition) -> Self:
        """The same with further conditions; one that is there already stays once."""
        return type(self)(tuple(dict.fromkeys((*self.conditions, *more))))

    def without(self, condition: Condition) -> Self:
        """The same less one condition."""
        return type(self)(tuple(item for item in self.conditions if item != condition))

    def mask(self, table: pd.DataFrame, kept: "KeptClips") -> np.ndarray:
        """Which rows of a table with the index `clip_id` pass, (n,) bool. Raises: InputError as `Condition.mask`."""
        found = np.ones(len(table), bool)
        for condition in self.conditions:
            found &= condition.mask(table, kept)
        return found


def where(column: str, *values: object) -> Condition:
    """The clips whose `column` is one of `values`; None and NaN are missing ones."""
    return Condition(column, "=", tuple("" if value is None or value != value else str(value) for value in values))


def linked(*conditions: Condition) -> str:
    """The conditions as the `customdata` of a point in a chart, which selects these clips when it is clicked."""
    return Selection(conditions).text


@dataclass(frozen=True)
class KeptClips:
    """Groups of clips that are too long for an address, each in a file that its hash names; the folder may be read-only."""

    folder: Path

    def group(self, clip_ids: Iterable[str]) -> Condition:
        """The clips with these ids, of which many are kept in a file. Raises: OSError where it cannot be written."""
        ids = sorted(set(clip_ids))
        if len(ids) <= FEW and not any(map(_KEPT.fullmatch, ids)):  # an id may look like the name of a group
            return Condition(IDS, "=", tuple(ids))
        name = hashlib.sha256("\n".join(ids).encode()).hexdigest()[:16]
        file = self.folder / f"{name}.json"
        if not file.is_file():
            self.folder.mkdir(parents=True, exist_ok=True)
            write_json(file, ids)
        return Condition(IDS, "=", (f"@{name}",))

    def clips(self, value: str) -> tuple[str, ...]:
        """The clips of a group. Raises: InputError for one that is not kept here, or a file that holds none."""
        file = self.folder / f"{value.removeprefix('@')}.json"
        way_out = "remove that chip and choose the clips again"
        if not file.is_file():
            raise InputError(f"the group of clips {value} is not kept in {self.folder}; {way_out}")
        ids = read_json(file)
        if not isinstance(ids, list) or not all(isinstance(clip, str) for clip in ids):
            raise InputError(f"{file} holds no list of clip ids; {way_out}")
        return tuple(ids)

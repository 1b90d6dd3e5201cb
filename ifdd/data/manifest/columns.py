"""Columns of a manifest as numbers, truth values or text: nothing that comes later has to ask what a cell holds."""

import json
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from hashlib import sha256
from numbers import Integral, Real
from typing import Any
from unicodedata import category

import numpy as np
import pandas as pd

from ifdd.data.persons import without_fraction
from ifdd.errors import InputError

_TEXT = pd.Series([], dtype=str).dtype
_NOT_TEXT = ("Cc", "Cs", "Zl", "Zp")
"""Unicode categories: control characters, halves of characters, separators of lines."""
NO_NUMBER = frozenset({"", "na", "n/a", "nan", "null", "none", "<na>"})
"""Cells of a text table that stand for a missing number; in any case."""


def is_missing(value: Any) -> bool:
    """Whether a cell is empty: None, NaN, NaT or pandas' NA."""
    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))


def text(column: pd.Series, name: str, source: object) -> pd.Series:
    """Names as text without space around them, None where the cell is empty; 7.0 is "7".

    Raises: InputError for a list, bytes, or a character that no name should have (NUL, line breaks, broken UTF-8).
    """

    def cell(row: int, value: Any) -> str | None:
        if type(value) is str and value.isprintable():  # nearly all are: lists have tens of thousands of rows
            return value.strip() or None
        if is_missing(value):
            return None
        if isinstance(value, bytes | Mapping) or not pd.api.types.is_scalar(value):
            raise InputError(f"{source}: {name} is a {type(value).__name__} in row {row}; write one name, as text")
        value = without_fraction(value)
        found = str(value).strip()
        if any(category(letter) in _NOT_TEXT for letter in found):
            raise InputError(f"{source}: {name} is {found!r} in row {row}, which is not plain text; rename it")
        return found or None

    if is_printable_text(column) and not _is_padded(column):
        return pd.Series(column.array, column.index)
    return pd.Series([cell(row, value) for row, value in enumerate(cells_of(column))], column.index, str)


def is_printable_text(column: pd.Series) -> bool:
    """Whether a column is of the type of text, and all its letters can be printed: at once, of tens of thousands of cells."""
    return column.dtype == _TEXT and "".join(cells_of(column.dropna())).isprintable()


def _is_padded(column: pd.Series) -> bool:
    """Whether a cell of text that can be printed is empty, or has space around it, which can only be " "."""
    return bool(((column == "") | column.str.startswith(" ") | column.str.endswith(" ")).any())


def cells_of(column: pd.Series | pd.Index) -> np.ndarray:
    """The cells (n,) as Python objects; to step through a column itself is slow where Arrow keeps it."""
    return column.to_numpy(dtype=object)


def numbers(column: pd.Series, name: str, source: object, *, whole: bool = False, least: float = 0) -> pd.Series:
    """Numbers of at least `least`, as int64 where all are there and whole ones are asked for, else float64 with NaN.

    Raises: InputError for text, infinity, or a number out of range; the row is named.
    """
    what = f"{'whole numbers' if whole else 'numbers'} from {least:g}"

    def cell(row: int, value: Any) -> float:
        if is_missing(value):
            return math.nan
        if isinstance(value, str):
            if value.strip().casefold() in NO_NUMBER:
                return math.nan
            try:
                value = float(value)
            except ValueError:
                raise InputError(f"{source}: {name} is {value!r} in row {row}; write {what}, or leave it empty") from None
        number = float(value) if isinstance(value, Real | Decimal) else math.nan
        if not math.isfinite(number) or number < least or (whole and not number.is_integer()):
            raise InputError(f"{source}: {name} is {_short(value)} in row {row}; write {what}, or leave it empty")
        return number

    if pd.api.types.is_integer_dtype(column.dtype) and not column.isna().any() and (column >= least).all():
        return column.astype(np.int64 if whole else np.float64)
    if column.dtype == np.float64 and not whole and (column.isna() | (column.ge(least) & column.lt(math.inf))).all():
        return pd.Series(column.array, column.index)
    values = np.array([cell(row, value) for row, value in enumerate(column)], np.float64)
    return pd.Series(values.astype(np.int64) if whole and not np.isnan(values).any() else values, column.index)


def plain(column: pd.Series) -> pd.Series:
    """Any column as numbers, truth values or text, None or NaN where a cell is empty.

    Lists and the like become their JSON, times their ISO text, bytes the start of their SHA-256.
    """
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf":
        return column.astype(np.float64) if column.dtype == np.float16 else column
    if is_printable_text(column):
        return pd.Series(column.array, column.index)
    cells = [value if type(value) is str and value.isprintable() else _plain(value) for value in cells_of(column)]
    known = [cell for cell in cells if cell is not None]
    kinds = {type(cell) for cell in known}
    if kinds == {bool} and len(known) == len(cells):
        return pd.Series(cells, column.index, bool)
    if kinds and kinds <= {int, float}:
        whole = [cell for cell in known if isinstance(cell, int)]
        if len(whole) == len(cells) and all(-(2**63) <= cell < 2**63 for cell in whole):
            return pd.Series(whole, column.index, np.int64)
        if all(abs(cell) <= 2**53 for cell in whole):  # larger ones are ids, and floats would merge them
            return pd.Series([math.nan if cell is None else float(cell) for cell in cells], column.index, np.float64)
    if kinds == {bool}:
        return pd.Series(cells, column.index, object)
    return pd.Series([cell if cell is None else str(cell) for cell in cells], column.index, str)


def read_cells(column: pd.Series) -> pd.Series:
    """A factor from a table of text: numbers where all cells are, "true" and "false" as truth values, else text."""
    known = [value for value in column if not is_missing(value) and value.strip().casefold() not in NO_NUMBER]
    if known and all(value.strip().casefold() in ("true", "false") for value in known):
        return _cells(column, lambda value: value.strip().casefold() == "true")
    padded = any(len(value.strip()) > 1 and value.strip().lstrip("-").startswith("0") and "." not in value for value in known)
    try:
        as_numbers = {value: float(value) for value in known}
    except ValueError:
        return column
    if padded or not all(map(math.isfinite, as_numbers.values())):  # 007 is a name
        return column
    if all(value.strip().lstrip("+-").isdecimal() for value in known):
        return _cells(column, int)
    return _cells(column, float)


def _cells(column: pd.Series, convert: Callable[[str], object]) -> pd.Series:
    cells = [None if is_missing(v) or v.strip().casefold() in NO_NUMBER else convert(v) for v in column]
    return plain(pd.Series(cells, column.index, object))


def _plain(value: Any) -> bool | int | float | str | None:
    if is_missing(value):
        return None
    if isinstance(value, str):
        return "".join("\ufffd" if category(letter) in _NOT_TEXT and letter not in "\t\n" else letter for letter in value)
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real | Decimal):
        return float(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    if isinstance(value, bytes):
        return f"{len(value)} bytes {sha256(value).hexdigest()[:16]}"
    if pd.api.types.is_scalar(value):  # complex numbers, intervals
        return str(value)
    return _plain(json.dumps(value, default=_nested, ensure_ascii=False))


def _nested(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return sorted(map(str, value)) if isinstance(value, set | frozenset) else _plain_or_text(value)


def _plain_or_text(value: Any) -> Any:
    return _plain(value) if pd.api.types.is_scalar(value) or isinstance(value, bytes) else str(value)


def _short(value: Any) -> str:
    found = repr(value)
    return found if len(found) <= 60 else f"{found[:60]}…"

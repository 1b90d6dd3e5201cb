"""Who is who: one way to compare the ids of persons, whatever type a table gives them."""

import math
import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd

UNKNOWN = frozenset({"", "-", "?", "n/a", "na", "nan", "nat", "none", "null", "<na>", "unknown"})
"""What stands where nobody is named, besides an empty cell; in any case."""
_NUMBER = re.compile(r"([+-]?)0*(\d+)(?:\.0*)?")


def person_ids(values: Iterable[Any]) -> np.ndarray:
    """Persons (n,) as text that is equal exactly for the same one; "" where nobody is named.

    1001, 1001.0, "1001", " 1001 " and "01001" are one person, and so are "S01" and "s01": a table that lacks one value turns
    whole numbers into floats, and a spreadsheet drops zeros in front.
    """
    known: dict[str, str] = {}  # each text once: a corpus names some thousand persons in tens of thousands of clips
    return np.array([_known(value, known) if isinstance(value, str) else _person(value) for value in values], dtype=str)


def unknown_persons(values: Iterable[Any]) -> int:
    """How many of the clips name nobody."""
    return int((person_ids(values) == "").sum())


def shared_persons(first: Iterable[Any], second: Iterable[Any]) -> list[str]:
    """Persons of both, as `person_ids` has them; nobody is no person.

    >>> shared_persons([1001.0, "?"], ["01001", "2", ""])
    ['1001']
    """
    return sorted(set(person_ids(first).tolist()) & set(person_ids(second).tolist()) - {""})


def _known(text: str, known: dict[str, str]) -> str:
    if text not in known:
        known[text] = _person(text)
    return known[text]


def _person(value: Any) -> str:
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return ""
    value = without_fraction(value)
    if isinstance(value, Real | Decimal) and not isinstance(value, Integral | bool | np.bool_):
        value = repr(float(value))
    if isinstance(value, bytes):
        value = value.decode("utf-8", "backslashreplace")
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", str(value)).casefold())
    text = " ".join(folded.split())
    if text in UNKNOWN:
        return ""
    whole = _NUMBER.fullmatch(text)
    return text if whole is None else whole[1].replace("+", "") + whole[2]


def without_fraction(value: Any) -> Any:
    """A number that is whole as an int, whatever type it comes in; anything else as it is."""
    if isinstance(value, Integral) or not isinstance(value, Real | Decimal):
        return value
    return int(value) if math.isfinite(value) and value == int(value) else value  # type: ignore[arg-type]  # both convert

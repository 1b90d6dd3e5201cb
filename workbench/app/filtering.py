"""By what the clips can be filtered: each column of their table with the values or the range that it offers."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.app.selection import IDS, Condition, where

MOST_VALUES = 200
HIDDEN = ("path", "label", "kind")  # of the file, or a number that has a name
"""Columns that tell nothing of a clip."""
_SAID = ("right ", "said ", "confidence ", "loss ", "margin ")


@dataclass(frozen=True)
class Choice:
    """A column: `values` with how many clips each has, most first, "" for missing ones; or the `range` of its numbers."""

    column: str
    values: dict[str, int]
    range: tuple[float, float] | None = None


def columns(table: pd.DataFrame) -> list[str]:
    """Columns of a clip table that can filter: the class, what the models said, then what else the list tells."""
    names = [str(name) for name in table.columns if name not in (IDS, *HIDDEN) and choice(table, str(name)) is not None]
    return sorted(names, key=lambda name: (name != "label_name", name != "disagreement" and not name.startswith(_SAID)))


def choice(table: pd.DataFrame, column: str) -> Choice | None:
    """What a column offers; None where it tells the clips not apart, or has too many values to choose from."""
    series = table[column]
    if pd.api.types.is_numeric_dtype(series.dtype) and not pd.api.types.is_bool_dtype(series.dtype):
        numbers = pd.to_numeric(series).to_numpy(np.float64, na_value=np.nan)
        known = numbers[np.isfinite(numbers)]
        if len(np.unique(known)) > 12:
            return Choice(column, {}, (float(known.min()), float(known.max())))
        series = pd.Series(numbers).map({number: f"{number:g}" for number in np.unique(numbers) if not np.isnan(number)})
    counts = series.astype("object").where(series.notna(), "").astype(str).value_counts()
    if not 1 < len(counts) <= min(MOST_VALUES, len(series) - 1):  # another one for each clip: a name, or a file
        return None
    return Choice(column, {str(value): int(n) for value, n in counts.items()})


def between(found: Choice, low: float, high: float) -> list[Condition]:
    """The conditions of a range; an end that is the whole column's is none."""
    first, last = found.range or (low, high)
    ends = [Condition(found.column, ">=", (f"{low:g}",))] if low > first else []
    return [*ends, *([Condition(found.column, "<=", (f"{high:g}",))] if high < last else [])]


def any_of(found: Choice, values: list[str]) -> list[Condition]:
    """The condition of some values; of none there is none."""
    return [where(found.column, *values)] if values else []

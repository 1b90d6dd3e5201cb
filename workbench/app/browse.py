"""What the page Browse does with a table of clips: which columns there are, an order, clips by name, a file."""

import pandas as pd

from ifdd.documents import shown
from ifdd.errors import InputError
from ifdd.tables import csv_text
from workbench.app.rows import models_of
from workbench.app.selection import Condition, KeptClips

_UNSORTED = ("path", "truth", "landmarks", "clip_sha256")
_LAST = ("kind", "n_frames", "fps", "width", "height", "label", "fold", "split", "suite", "crop")


def columns_of(table: pd.DataFrame) -> list[str]:
    """Columns of a `clip_table` to sort and filter by: the class, what models say, the list's own, and of the files last."""
    ours = [name for model in models_of(table) for name in _of_model(model) if name in table]
    first = [name for name in ("clip_id", "label_name", "disagreement", *ours) if name in table]
    own = [str(name) for name in table.columns if name not in {*first, *_LAST, *_UNSORTED}]
    return [*first, *own, *(name for name in _LAST if name in table)]


def _of_model(model: str) -> list[str]:
    return [f"{what} {model}" for what in ("said", "right", "confidence", "loss", "margin")]


def in_order(table: pd.DataFrame, column: str, descending: bool = False) -> pd.DataFrame:
    """The rows by a column, equal ones as they were, those without a value last. Raises: InputError for an unknown column."""
    if column not in table:
        raise InputError(f"these clips have no column {shown(column)}; choose another one to sort by")
    values = table[column]
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(str).where(values.notna())
    order = values.reset_index(drop=True).sort_values(ascending=not descending, kind="stable", na_position="last").index
    return table.iloc[order.to_numpy()]


def named(table: pd.DataFrame, text: str, kept: KeptClips) -> Condition:
    """The clips whose id contains `text`, in any case. Raises: InputError where none does; OSError as `KeptClips.group`."""
    found = table.index.astype(str).str.contains(text, case=False, regex=False)
    if not text or not found.any():
        raise InputError(f"no clip has {shown(text)} in its name; try fewer letters, or remove a chip above")
    return kept.group(table.index[found].astype(str))


def as_csv(table: pd.DataFrame) -> bytes:
    """The table as CSV in UTF-8, a row for each clip."""
    return csv_text(table).encode()

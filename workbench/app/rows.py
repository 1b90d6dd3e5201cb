"""Rows of a table of clips that a page shows: kept here, told piece by piece, so that no table travels whole to a browser."""

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
import pandas as pd

MOST = 200
"""Rows that are told at once."""


@dataclass(frozen=True, eq=False)
class Shown:
    """Rows of `table` (index `clip_id`) by their position, in this order, and the columns whose values are told."""

    table: pd.DataFrame
    order: np.ndarray
    columns: tuple[str, ...] = ()

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the models whose answers the table has."""
        return models_of(self.table)

    def rows(self, first: int, count: int) -> list[dict[str, Any]]:
        """At most `count` rows from `first` on, as JSON can hold them.

        Each has `id`, `label` (the class, or ""), `said` ([class, confidence in %, right] of each model, null where it has none)
        and `cells`, the columns' values as text.
        """
        part = self.table.iloc[self.order[max(0, first) : max(0, first) + min(count, MOST)]]
        labels = part["label_name"].astype(object).where(part["label_name"].notna(), "") if "label_name" in part else None
        said = [_said(part, model) for model in self.models]
        cells = [cell_texts(part[name]) for name in self.columns]
        return [
            {
                "id": str(clip),
                "label": "" if labels is None else str(labels.iloc[i]),
                "said": [answers[i] for answers in said],
                "cells": [texts[i] for texts in cells],
            }
            for i, clip in enumerate(part.index)
        ]


def models_of(table: pd.DataFrame) -> tuple[str, ...]:
    """Names of the models whose answers a `clip_table` has."""
    return tuple(str(name).removeprefix("said ") for name in table.columns if str(name).startswith("said "))


def _said(part: pd.DataFrame, model: str) -> list[list[Any] | None]:
    classes, sure = part[f"said {model}"].astype(object), part[f"confidence {model}"]
    right = part[f"right {model}"] if f"right {model}" in part else pd.Series(pd.NA, part.index)
    return [
        None if pd.isna(name) else [str(name), round(100 * float(share)), None if pd.isna(hit) else bool(hit)]
        for name, share, hit in zip(classes, sure, right, strict=True)
    ]


def cell_texts(column: pd.Series) -> list[str]:
    """The values of a column for a reader: numbers with four digits, yes or no, "" for a missing one."""
    if pd.api.types.is_bool_dtype(column.dtype):
        return ["" if pd.isna(value) else "yes" if value else "no" for value in column]
    if pd.api.types.is_float_dtype(column.dtype):
        return ["" if pd.isna(value) else f"{value:.4g}" for value in column]
    return ["" if pd.isna(value) else str(value) for value in column.astype(object)]


def is_number(column: pd.Series) -> bool:
    """Whether a column holds numbers, and no truth values."""
    return pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)


class ShownRows:
    """The tables that readers see now, each under a name that nobody can guess; the `most` last ones are kept."""

    def __init__(self, most: int = 256) -> None:
        self.most = most
        self._secret = secrets.token_bytes(16)
        self._kept: OrderedDict[str, Shown] = OrderedDict()
        self._turn = Lock()

    def keep(self, table: pd.DataFrame, order: Sequence[int] | np.ndarray, columns: Sequence[str] = ()) -> str:
        """Keep rows of a table and give their name; the same rows have the same one. `table` itself is kept, not copied."""
        order = np.ascontiguousarray(order, np.int32)
        digest = hashlib.blake2b(order.tobytes(), digest_size=16, key=self._secret)
        digest.update(repr((id(table), tuple(columns))).encode())
        name = digest.hexdigest()
        with self._turn:
            self._kept[name] = Shown(table, order, tuple(columns))
            self._kept.move_to_end(name)
            while len(self._kept) > self.most:
                self._kept.popitem(last=False)
        return name

    def find(self, name: str) -> Shown | None:
        """The rows of a name; None where they are not kept any more, or by another server."""
        with self._turn:
            found = self._kept.get(name)
            if found is not None:
                self._kept.move_to_end(name)
            return found


SHOWN = ShownRows()
"""Those of this process: pages put them here, the server tells them (`pages/_routes.py`)."""

"""Rows of tables that pages show: told piece by piece, under names that nobody can guess."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from workbench.app.rows import MOST, Shown, ShownRows, cell_texts


@pytest.fixture
def table() -> pd.DataFrame:
    """Three clips, of which the model m has not read the last; as `clip_table` makes it."""
    return pd.DataFrame(
        {
            "label_name": ["happy", "sad", "sad"],
            "said m": pd.Categorical(["happy", "happy", None], ["happy", "sad"]),
            "confidence m": [0.755, 0.5, np.nan],
            "right m": pd.array([True, False, pd.NA], "boolean"),
            "loss m": [0.28768207, 1.5, np.nan],
            "person": ["<b>p</b>", "", None],
        },
        index=pd.Index(["a", "b/c", "d"], name="clip_id"),
    )


def test_rows_are_told_in_order_as_json(table: pd.DataFrame) -> None:
    found = Shown(table, np.array([2, 0, 1]), ("loss m", "person")).rows(0, 2)
    assert json.loads(json.dumps(found, allow_nan=False)) == [
        {"id": "d", "label": "sad", "said": [None], "cells": ["", ""]},
        {"id": "a", "label": "happy", "said": [["happy", 76, True]], "cells": ["0.2877", "<b>p</b>"]},
    ]
    assert [row["id"] for row in Shown(table, np.array([2, 0, 1])).rows(2, 100)] == ["b/c"]
    assert Shown(table, np.array([2, 0, 1])).rows(3, 100) == []


def test_without_labels_nothing_is_right(table: pd.DataFrame) -> None:
    found = Shown(table.drop(columns=["label_name", "right m", "loss m"]), np.array([1])).rows(0, 1)
    assert found == [{"id": "b/c", "label": "", "said": [["happy", 50, None]], "cells": []}]


def test_nobody_gets_more_at_once_than_fits(table: pd.DataFrame) -> None:
    assert len(Shown(table, np.zeros(1000, int)).rows(0, 10**9)) == MOST
    assert len(Shown(table, np.zeros(1000, int)).rows(-5, 3)) == 3


def test_cells_are_short() -> None:
    assert cell_texts(pd.Series([0.123456, np.nan, 1e9])) == ["0.1235", "", "1e+09"]
    assert cell_texts(pd.Series([1, 20_000_000])) == ["1", "20000000"]
    assert cell_texts(pd.Series(pd.array([True, pd.NA, False], "boolean"))) == ["yes", "", "no"]


def test_the_same_rows_have_one_name_and_others_another(table: pd.DataFrame) -> None:
    kept = ShownRows()
    name = kept.keep(table, [0, 1])
    assert re.fullmatch("[0-9a-f]{32}", name)
    assert kept.keep(table, [0, 1]) == name
    others = [kept.keep(table, [1, 0]), kept.keep(table, [0, 1], ["person"]), kept.keep(table.copy(), [0, 1])]
    assert len({name, *others}) == 4
    assert ShownRows().keep(table, [0, 1]) != name  # of another server, or after a start


def test_the_last_ones_are_kept(table: pd.DataFrame) -> None:
    kept = ShownRows(most=2)
    first, second = kept.keep(table, [0]), kept.keep(table, [1])
    assert kept.find(first) is not None
    kept.keep(table, [2])
    assert kept.find(second) is None
    assert kept.find(first) is not None
    assert kept.find("unknown") is None

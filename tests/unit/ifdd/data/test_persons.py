"""Persons are recognised whatever type a table gives their ids."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ifdd.data.persons import UNKNOWN, person_ids, unknown_persons

SAME = [
    [
        1001,
        1001.0,
        "1001",
        "1001 ",
        " 1001",
        "1001.0",
        "1001.",
        "01001",
        "+1001",
        np.int64(1001),
        np.float32(1001),
        Decimal("1001.00"),
        "１００１",
        b"1001",
    ],
    ["S01", "s01", " S01\t", "Ｓ01", "S01\u00a0"],
    ["Anna  B", "anna b", " ANNA B "],
    [0, "0", -0.0, "000", 0.0],
    [1.5, "1.5", np.float64(1.5), Decimal("1.50")],
    [-3, "-3", -3.0, "-03"],
]


@pytest.mark.parametrize("values", SAME, ids=lambda values: str(values[1]))
def test_one_person_in_many_types_is_one(values: list[object]) -> None:
    assert len(set(person_ids(values))) == 1
    assert person_ids(values)[0] != ""


def test_different_persons_stay_different() -> None:
    firsts = [group[0] for group in SAME] + [
        10010,
        100.1,
        "1001a",
        "S1",
        "S010",
        "1001-2",
        "1001.5",
        True,
        "1,001",
        2**60,
        2**60 + 1,
    ]
    assert len(set(person_ids(firsts))) == len(firsts)


def test_nobody_is_nobody() -> None:
    nobody = [None, float("nan"), pd.NA, pd.NaT, np.float32("nan"), "", "  ", "NaN", "None", "N/A", " Unknown ", *UNKNOWN]
    assert set(person_ids(nobody)) == {""}
    assert unknown_persons([*nobody, "anna"]) == len(nobody)


@given(st.lists(st.one_of(st.none(), st.integers(-(10**6), 10**6)), min_size=1, max_size=30))
def test_a_missing_value_turns_no_person_into_another(values: list[int | None]) -> None:
    """What pandas makes of a column of whole numbers, with and without gaps, in every type that it may choose."""
    expected = ["" if value is None else str(value) for value in values]
    for dtype in ("Int64", "object", "float64", "string"):
        column = pd.Series([np.nan if v is None and dtype == "float64" else v for v in values], dtype=dtype)
        assert person_ids(column).tolist() == expected


@given(st.text(max_size=12))
def test_ids_are_their_own_ids(text: str) -> None:
    (once,) = person_ids([text])
    assert person_ids([once])[0] == once
    assert person_ids([f"  {text} "])[0] == once

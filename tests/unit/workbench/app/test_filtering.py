"""What each column offers to filter by, and the conditions that come of it."""

import numpy as np
import pandas as pd
import pytest

from workbench.app.filtering import any_of, between, choice, columns
from workbench.app.selection import Condition

TABLE = pd.DataFrame(
    {
        "clip_id": [f"c{i}" for i in range(300)],
        "path": [f"p{i}" for i in range(300)],
        "scene": ["inside", "outside", None] * 100,
        "same": ["one"] * 300,
        "each": [f"e{i}" for i in range(300)],
        "votes": [1.0, 2.0, np.nan] * 100,
        "loss m": np.linspace(0, 3, 300),
        "right m": pd.array([True, False, None] * 100, "boolean"),
    }
).set_index("clip_id", drop=False)


def test_columns_that_tell_clips_apart() -> None:
    assert columns(TABLE.head(6).assign(label_name=list("aabbcc")))[0] == "label_name"
    assert columns(TABLE) == ["loss m", "right m", "scene", "votes"]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("scene", {"inside": 100, "outside": 100, "": 100}),
        ("votes", {"1": 100, "2": 100, "": 100}),
        ("right m", {"True": 100, "False": 100, "": 100}),
    ],
)
def test_values_are_counted(column: str, values: dict[str, int]) -> None:
    found = choice(TABLE, column)
    assert found is not None
    assert found.values == values
    assert any_of(found, []) == []
    for value, clips in values.items():
        (condition,) = any_of(found, [value])
        assert condition.mask(TABLE, None).sum() == clips  # type: ignore[arg-type]


def test_a_range_has_two_ends_at_most() -> None:
    found = choice(TABLE, "loss m")
    assert found is not None
    assert found.range == (0, 3)
    assert between(found, 0, 3) == []
    assert between(found, 1, 3) == [Condition("loss m", ">=", ("1",))]
    assert between(found, 0, 2.5) == [Condition("loss m", "<=", ("2.5",))]
    assert len(between(found, 1, 2)) == 2

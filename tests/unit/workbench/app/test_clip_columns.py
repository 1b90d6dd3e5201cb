"""What the page Browse asks of a table of clips."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ifdd import InputError
from workbench.app.browse import as_csv, columns_of, in_order, named
from workbench.app.selection import KeptClips


@pytest.fixture
def table() -> pd.DataFrame:
    index = pd.Index(["clip-2", "clip-10", "Other"], name="clip_id")
    return pd.DataFrame(
        {
            "clip_id": index,
            "path": ["a", "b", "c"],
            "fold": [0, 1, 0],
            "peak": [0.5, np.nan, 0.1],
            "label_name": ["sad", "happy", "sad"],
            "said m": pd.Categorical(["sad", None, "happy"], ["sad", "happy"]),
            "right m": pd.array([True, pd.NA, False], "boolean"),
            "loss m": [0.1, np.nan, 3.0],
        },
        index=index,
    )


def test_columns_begin_with_what_models_say(table: pd.DataFrame) -> None:
    assert columns_of(table) == ["clip_id", "label_name", "said m", "right m", "loss m", "peak", "fold"]


@pytest.mark.parametrize(
    ("column", "down", "expected"),
    [
        ("loss m", False, ["clip-2", "Other", "clip-10"]),
        ("loss m", True, ["Other", "clip-2", "clip-10"]),
        ("fold", False, ["clip-2", "Other", "clip-10"]),
        ("fold", True, ["clip-10", "clip-2", "Other"]),  # equal ones stay as they were
        ("said m", False, ["Other", "clip-2", "clip-10"]),  # by name, not by the number of the class
        ("right m", True, ["clip-2", "Other", "clip-10"]),
        ("clip_id", False, ["Other", "clip-10", "clip-2"]),
    ],
)
def test_rows_by_a_column(table: pd.DataFrame, column: str, down: bool, expected: list[str]) -> None:
    assert list(in_order(table, column, down).index) == expected


def test_an_unknown_column_is_named(table: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="these clips have no column 'nothing'; choose another"):
        in_order(table, "nothing")


def test_clips_are_found_by_a_part_of_their_name(table: pd.DataFrame, tmp_path: Path) -> None:
    kept = KeptClips(tmp_path)
    assert named(table, "CLIP-1", kept).text == "clip_id=clip-10"
    assert set(table.index[named(table, "clip", kept).mask(table, kept)]) == {"clip-2", "clip-10"}
    with pytest.raises(InputError, match=r"no clip has '\.\*' in its name"):
        named(table, ".*", kept)


def test_a_file_of_all_columns(table: pd.DataFrame) -> None:
    again = pd.read_csv(io.BytesIO(as_csv(in_order(table, "loss m"))))
    assert list(again.columns) == list(table.columns)
    assert list(again["clip_id"]) == ["clip-2", "Other", "clip-10"]

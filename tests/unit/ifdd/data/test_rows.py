"""The rules for rows of a manifest."""

import numpy as np
import pandas as pd
import pytest

from ifdd.data.manifest import crop_of, fps_of, of_each_class


def test_clips_of_each_class_alike_in_the_order_of_the_list() -> None:
    table = pd.DataFrame({"label_name": list("aaabbc"), "clip_id": range(6)})
    table.attrs["root"] = "here"
    assert of_each_class(table, 3)["clip_id"].tolist() == [0, 3, 5]
    assert of_each_class(table, 4)["clip_id"].tolist() == [0, 1, 3, 5]
    assert of_each_class(table, 99)["clip_id"].tolist() == list(range(6))
    assert of_each_class(table, 2).attrs == {"root": "here"}


def test_clips_without_a_class_are_one() -> None:
    table = pd.DataFrame({"label_name": ["a", "a", None, np.nan, "b"], "clip_id": range(5)})
    assert of_each_class(table, 3)["clip_id"].tolist() == [0, 2, 4]


@pytest.mark.parametrize(
    ("row", "crop", "fps"),
    [
        ({"kind": "frames", "fps": 25, "crop": "face"}, "face", 25.0),
        ({"kind": "frames", "fps": 0.0}, "none", None),
        ({"kind": "frames", "fps": np.nan}, "none", None),
        ({"kind": "video", "fps": 25.0}, "none", None),
    ],
)
def test_how_a_row_is_read(row: dict[str, object], crop: str, fps: float | None) -> None:
    assert (crop_of(row), fps_of(row)) == (crop, fps)
    assert (crop_of(pd.Series(row)), fps_of(pd.Series(row))) == (crop, fps)

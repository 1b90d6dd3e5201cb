"""What a map of clips sends to the browser."""

import base64

import numpy as np
import pandas as pd

from workbench.app.clip_map import Panel, Stage, coloured, columns_to_colour, map_data

TABLE = pd.DataFrame(
    {
        "clip_id": list("uvwx"),
        "path": list("abcd"),
        "said m": pd.Categorical(["sad", "sad", "happy", None]),
        "label_name": ["sad", "happy", "happy", "sad"],
        "loss m": [0.1, 0.2, 0.3, np.nan],
        "suite": "s",
        "votes": [[1], [2], [1], [2]],
        "scene": ["a|b", "", "c & d", ""],
    }
).set_index("clip_id", drop=False)


def made(column: str, **options: object) -> dict:
    panel = Panel("m", (Stage("", "", np.arange(8.0).reshape(4, 2)),))
    return map_data([panel], TABLE, coloured(TABLE, column), column=column, axes=("x", "y"), alt="", **options)


def test_columns_without_a_difference_are_not_offered() -> None:
    assert columns_to_colour(TABLE) == ["label_name", "said m", "loss m", "scene"]


def test_entries_of_the_legend_select_their_clips_whatever_their_names() -> None:
    entries = made("scene")["groups"]["entries"]
    assert [(entry["name"], entry["count"]) for entry in entries] == [("a|b", 1), ("c & d", 1), ("not known", 2)]
    assert [entry["link"] for entry in entries] == ["scene=a%7Cb", "scene=c %26 d", "scene="]


def test_missing_values_have_no_name_in_facts() -> None:
    data = made("label_name", facts=["said m", "label_name"])
    assert data["facts"][0] == {"name": "said m", "names": ["sad", "happy"], "codes": [0, 0, 1, -1]}
    assert data["facts"][1]["name"] == "class"


def test_marks_are_bits_and_all_or_nothing_is_none() -> None:
    bits = base64.b64decode(made("label_name", chosen=np.array([True, False, False, True]))["chosen"])
    assert bits == bytes([0b10010000])
    assert made("label_name", chosen=np.ones(4, bool))["chosen"] is None


def test_other_places_are_another_map_and_other_colours_are_not() -> None:
    assert made("label_name")["id"] == made("loss m")["id"]
    moved = Panel("m", (Stage("", "", np.ones((4, 2))),))
    other = map_data([moved], TABLE, coloured(TABLE, "scene"), column="scene", axes=("x", "y"), alt="")
    assert other["id"] != made("scene")["id"]

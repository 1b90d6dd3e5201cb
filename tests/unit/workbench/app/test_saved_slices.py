"""Saved slices: whole or as before, of one dataset, and what a damaged file gets."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ifdd import InputError
from workbench.app.selection import Selection
from workbench.app.slices import SavedSlices

SAD = Selection.parse(["label_name=sad", "loss ifdd>=2"])


def test_a_slice_is_kept_renamed_and_deleted(tmp_path: Path) -> None:
    slices, other = SavedSlices(tmp_path / "results", "mine"), SavedSlices(tmp_path / "results", "other")
    assert slices.all() == {}
    slices.save("  hard   sad ", SAD)
    slices.save("Angry", Selection.parse(["label_name=angry"]))
    other.save("hard sad", Selection.parse(["label_name=fear"]))
    assert list(slices.all()) == ["Angry", "hard sad"]
    assert slices.all()["hard sad"] == SAD
    slices.call("hard sad", "sad <script>|…")
    assert slices.all()["sad <script>|…"] == SAD
    slices.delete("Angry")
    slices.delete("Angry")  # somebody else was faster
    assert list(slices.all()) == ["sad <script>|…"]
    assert [selection.texts for selection in other.all().values()] == [("label_name=fear",)]


@pytest.mark.parametrize("name", ["", "   ", "a" * 61, "a\u202eb"])
def test_a_name_that_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="cannot be the name of a slice; give 1 to 60"):
        SavedSlices(tmp_path, "mine").save(name, SAD)


def test_what_cannot_be_kept_says_so(tmp_path: Path) -> None:
    slices = SavedSlices(tmp_path, "mine")
    with pytest.raises(InputError, match="all clips are no slice; choose some first"):
        slices.save("all", Selection())
    slices.save("one", SAD)
    slices.save("two", SAD)
    with pytest.raises(InputError, match="there is a slice 'two' already; choose another name"):
        slices.call("one", "two")
    with pytest.raises(InputError, match="there is no slice 'three' any more"):
        slices.call("three", "four")
    slices.call("one", "one")


def test_nobody_loses_what_another_saves(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: SavedSlices(tmp_path, f"set {i % 2}").save(f"slice {i}", SAD), range(12)))
    assert sum(len(SavedSlices(tmp_path, name).all()) for name in ("set 0", "set 1")) == 12


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "slices.json"),
        (json.dumps({"schema_version": 2, "slices": {}}), "schema_version"),
        (json.dumps({"schema_version": 1, "slices": {"mine": {"a": "label_name=sad"}}}), "mend or remove it"),
        (json.dumps({"schema_version": 1, "slices": {"mine": {"a": ["nothing"]}}}), "selects no clips"),
    ],
)
def test_a_damaged_file_is_named_and_never_written_over(tmp_path: Path, text: str, told: str) -> None:
    slices = SavedSlices(tmp_path, "mine")
    slices.file.write_text(text)
    with pytest.raises(InputError, match=told):
        slices.all()
    if "nothing" not in text:
        with pytest.raises(InputError, match=told):
            slices.save("b", SAD)
        assert slices.file.read_text() == text

"""The same clips by several models: matched by id, told apart by content."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from changed_collections import changed

from ifdd.errors import InputError
from workbench.store.collection import open_collection
from workbench.store.side_by_side import same_clips


def test_clips_in_another_order_are_matched_by_id(collections: dict[str, Path], tmp_path: Path) -> None:
    plain = same_clips([open_collection(collections["ifdd"]), open_collection(collections["baseline"])])
    turned = changed(collections["baseline"], tmp_path / "turned", lambda table: table.iloc[::-1])
    found = same_clips([open_collection(collections["ifdd"]), turned])
    np.testing.assert_array_equal(found.probs["tiny-baseline"], plain.probs["tiny-baseline"])
    assert list(found.table["clip_id"]) == list(plain.table["clip_id"])


def relabelled(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(label=[3, *table["label"][1:]], label_name=["angry", *table["label_name"][1:]])


@pytest.mark.parametrize(
    ("edit", "meta", "message"),
    [
        (lambda t: t.iloc[1:], {}, "lacks 1 of the 5 clips of .*, e.g. clip-0; collect all models over one manifest"),
        (lambda t: t.assign(clip_id=[f"other-{i}" for i in range(5)]), {}, "lacks 5 of the 5 clips"),
        (lambda t: t.assign(clip_id="clip-0"), {}, "clip 'clip-0' is there twice"),
        (relabelled, {}, "clip-0 is angry in .*, happy in .*; collect both with one manifest"),
        (
            lambda t: t,
            {"labels": ["cross", "sad", "neutral", "angry", "surprise", "disgust", "fear"]},
            "has the classes cross, sad, .* compare models of the same classes, named alike",
        ),
    ],
)
def test_collections_that_cannot_be_compared(
    collections: dict[str, Path], tmp_path: Path, edit, meta: dict[str, object], message: str
) -> None:
    other = changed(collections["baseline"], tmp_path / "other", edit, **meta)
    with pytest.raises(InputError, match=message):
        same_clips([open_collection(collections["ifdd"]), other])


def test_one_collection_or_one_twice(collections: dict[str, Path], tmp_path: Path) -> None:
    one = open_collection(collections["ifdd"])
    with pytest.raises(InputError, match="1 collection given"):
        same_clips([one])
    with pytest.raises(InputError, match="named twice"):
        same_clips([one, one])
    copy = changed(collections["ifdd"], tmp_path / "copy", lambda t: t)
    assert set(same_clips([one, copy]).probs) == {str(one.folder), str(copy.folder)}  # one checkpoint: named by folder


def test_other_pixels_are_noted(collections: dict[str, Path], tmp_path: Path) -> None:
    one = open_collection(collections["ifdd"])
    data = one.meta["data"] | {"reading": "another"}
    touched = changed(collections["baseline"], tmp_path / "touched", lambda t: t, data=data)
    assert same_clips([one, touched]).notes == ()  # the same content, written at another time
    cropped = changed(collections["baseline"], tmp_path / "cropped", lambda t: t.assign(crop="center"))
    assert "cropped otherwise" in same_clips([one, cropped]).notes[0]
    old = [
        changed(collections[name], tmp_path / name, lambda t: t.drop(columns="clip_sha256"), data=data | {"reading": name})
        for name in collections
    ]
    assert "read from other files" in same_clips(old).notes[0]


def test_other_clips_under_the_same_ids_are_refused(collections: dict[str, Path], tmp_path: Path) -> None:
    one = open_collection(collections["ifdd"])
    turned = changed(collections["baseline"], tmp_path / "turned", lambda t: t.assign(clip_sha256=np.roll(t["clip_sha256"], 1)))
    with pytest.raises(
        InputError, match=r"clip-0 is another clip in .*turned than in .*\(5 of 5 clips are\); collect both with one"
    ):
        same_clips([one, turned])

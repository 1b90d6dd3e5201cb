"""Clips and persons of a training are known again, others and older cards are not accused."""

import json
from pathlib import Path

import pytest
from moving_clips import face_like, write_frames
from pydantic import TypeAdapter

from ifdd.card import CardData
from ifdd.data.traces import seen_before, traces


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    root = tmp_path_factory.mktemp("clips")
    return [str(write_frames(root / f"{i}", face_like(i, 0, frames=3 + i, size=24))) for i in range(4)]


IDS = ["a", "b", "c", "d"]


def test_clips_are_known_by_id_and_files(files: list[str], tmp_path: Path) -> None:
    card = json.loads(json.dumps({"train": {"traces": traces(IDS[:2], files[:2], ["1", "2"])}}))
    TypeAdapter(CardData).validate_python(card["train"])
    (note,) = seen_before(card, IDS, files, ["7", "8", "9", "10"])
    assert note.startswith("2 of 4 clips are among those that the checkpoint was trained on")
    assert seen_before(card, IDS[2:], files[2:], ["7", "8"]) == ()
    other = str(write_frames(tmp_path / "a", face_like(9, 9, frames=9, size=24)))
    assert seen_before(card, ["a"], [other], [""]) == ()  # the same id in another corpus
    assert seen_before(card, ["a"], [files[1]], [""]) == ()


def test_persons_are_known_whatever_their_type(files: list[str]) -> None:
    card = {"train": {"traces": traces(IDS[:1], files[:1], [1001])}, "val": {"traces": traces(IDS[1:2], files[1:2], ["?"])}}
    (note,) = seen_before(card, IDS[2:], files[2:], [" 01001.0", "nobody"])
    assert note.startswith("1 of 2 persons, e.g. 1001, have ids of persons that the checkpoint was trained on")
    assert seen_before(card, IDS[2:], files[2:], ["?", "nan"]) == ()


@pytest.mark.parametrize(
    "about", [{}, {"train": {}}, {"train": {"traces": 3}}, {"train": {"traces": {"clips": "é", "persons": []}}}]
)
def test_cards_that_keep_nothing_say_nothing(about: dict[str, object], files: list[str]) -> None:
    assert seen_before(about, IDS, files, IDS) == ()


def test_no_name_stands_in_a_card(files: list[str]) -> None:
    kept = json.dumps(traces(["somebody/01"], files[:1], ["Somebody"]))
    assert "somebody" not in kept.casefold()
    assert len(kept) < 100

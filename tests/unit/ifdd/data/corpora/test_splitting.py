"""Folds of one's own: every clip is tested once, no person in two of them, classes as even as persons allow."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ifdd.data.corpora.splitting import parse_parts, split_folds, split_parts
from ifdd.data.manifest.table import complete
from ifdd.data.persons import person_ids
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS


def clips(subjects: list[object], labels: list[int] | None = None) -> pd.DataFrame:
    """A manifest of clips without files."""
    names = [EMOTIONS[i] for i in (labels or [i % 7 for i in range(len(subjects))])]
    frame = pd.DataFrame(
        {"path": [f"c/{i:04d}.mp4" for i in range(len(subjects))], "kind": "video", "label": names, "subject": subjects}
    )
    return complete(frame, Path(), "list")


SPELLINGS = st.sampled_from([1001, 1001.0, "1001 ", " 01001", 1002, "1002.0", "s3", "S3", "", "unknown", None])


@settings(max_examples=40)
@given(st.lists(SPELLINGS, min_size=21, max_size=60), st.integers(2, 3), st.integers(0, 5))
def test_no_person_is_in_two_folds_however_the_id_is_written(subjects: list[object], folds: int, seed: int) -> None:
    frame = clips(subjects)
    persons = person_ids(subjects)
    assume(len(set(persons) - {""}) + (persons == "").sum() >= folds)
    made = split_folds(frame, folds, "subject", seed).frame
    assert set(made["fold"]) <= set(range(1, folds + 1))
    for person in set(persons) - {""}:
        assert len(set(made["fold"][persons == person])) == 1
    again = split_folds(frame.sample(frac=1, random_state=seed), folds, "subject", seed).frame.sort_index()
    assert again["fold"].tolist() == made["fold"].tolist()


def test_folds_are_stratified_and_another_seed_gives_others() -> None:
    frame = clips([f"p{i // 7}" for i in range(700)])  # 100 persons, each every class
    made = split_folds(frame, 5).frame
    for label in EMOTIONS:
        assert set(Counter(made["fold"][made["label_name"] == label]).values()) == {20}
    assert split_folds(frame, 5, seed=1).frame["fold"].tolist() != made["fold"].tolist()
    alone = split_folds(clips([""] * 700), 5)
    assert set(Counter(alone.frame["fold"]).values()) == {140}
    assert alone.notes == ("no clip has a subject: each clip is by itself, and the same person may be in two parts",)


def test_parts_have_their_shares_of_each_class() -> None:
    frame = clips([f"p{i // 7}" for i in range(700)])
    made = split_parts(frame, {"train": 0.8, "val": 0.1, "test": 0.1}).frame
    assert Counter(made["split"]) == {"train": 560, "val": 70, "test": 70}
    assert set(made["fold"]) == {0}
    people = made.groupby("subject")["split"].nunique()
    assert set(people) == {1}
    assert parse_parts("train=0.8,val=0.1,test=0.1") == {"train": 0.8, "val": 0.1, "test": 0.1}


def test_what_a_user_should_know_is_told() -> None:
    frame = clips(["a", "b", "", "c", "d", "e", "f", "g"], [0, 0, 0, 0, 0, 0, 0, 1])
    frame["fold"] = 3
    split = split_folds(frame, 3)
    assert split.notes == (
        "1 of 8 clips have no subject; each of them is by itself",
        "fewer clips than 3 shares, so that some have none: sad (1)",
        "the folds that the list had are replaced",
    )
    bare = clips(["a", "b", "c", "d"]).assign(label=-1, label_name="")
    assert "the clips have no labels: shares are not stratified" in split_folds(bare, 2).notes


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda frame: split_folds(frame, 1), "at least 2 are needed"),
        (lambda frame: split_folds(frame, 5, "source"), "--by source: there is no such column; the list has .*subject"),
        (lambda frame: split_folds(frame, 4), "there are 2 different values of subject for 4 shares"),
        (lambda frame: split_parts(frame, {"train": 0.8, "test": 0.3}), "whose shares add up to 1"),
        (lambda frame: split_parts(frame, {"train": 0.5, "dev": 0.5}), "dev is no part; parts are train, val, test"),
        (lambda frame: split_parts(frame, {"train": 1.5, "test": -0.5}), "shares lie between 0 and 1"),
        (lambda frame: parse_parts("train=0.8,train=0.2"), "write each part once with its share"),
        (lambda frame: parse_parts("train"), "write each part once with its share"),
    ],
)
def test_what_cannot_be_made_is_refused(call: object, message: str) -> None:
    frame = clips(["a", "b"] * 10, [0, 0, 1, 1] * 5)
    with pytest.raises(InputError, match=message):
        call(frame)  # type: ignore[operator]


def test_shares_of_a_few_clips_are_fair() -> None:
    """Each of ten persons with one class: every fold tests two of them."""
    frame = clips([f"p{i}" for i in range(10) for _ in range(3)], [0] * 30)
    made = split_folds(frame, 5).frame
    assert np.array_equal(np.bincount(made["fold"])[1:], [6] * 5)

"""Folds as lists tell them: recovered whatever the files are called, refused when a clip is in two of them."""

from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ifdd.data.corpora.folds import Rows, parts_of
from ifdd.data.corpora.listing import place_of
from ifdd.errors import InputError

NAMES = {
    "EmoLabel_DataSplit/train(single-labeled)/set_3.csv": (3, "train"),
    "EmoLabel_DataSplit/test(single-labeled)/test_set_3.csv": (3, "test"),
    "EmoLabel_DataSplit/train_single-labeled/set_1.csv": (1, "train"),
    "label/single_testset_5.csv": (5, "test"),
    "annotation/DFEW_set_2_train.txt": (2, "train"),
    "MAFW_set_1_test_faces.txt": (1, "test"),
    "saved/data/dfew/org/split02/val.csv": (2, "val"),
    "Train_Test_Set/single/with_caption_new/set_4/test.txt": (4, "test"),
    "Train & Test Set/single/no_caption/set_4/train.txt": (4, "train"),
    "4_setups/All_scenes/train_All.csv": (0, "train"),
    "FERV39K_test.txt": (0, "test"),
    "fold-2/validation.tsv": (2, "val"),
    "fd10_test.txt": (10, "test"),
    "training.csv": (0, "train"),
    "dataset_2/test.csv": (0, "test"),
    "latest.txt": None,
    "constraints.txt": None,
    "testimony.txt": None,
    "set_1.csv": None,
    "label_index.txt": None,
}


@pytest.mark.parametrize("name", NAMES)
def test_names_of_lists_tell_fold_and_part(name: str) -> None:
    found = place_of(name)
    assert (None if found is None else found[1:]) == NAMES[name]


def test_lists_that_belong_together_have_one_name() -> None:
    for pattern in ("{part}(single)/{part}_set_{fold}.csv", "DFEW_set_{fold}_{part}.txt", "split0{fold}/{part}.csv"):
        names = {place_of(pattern.format(part=part, fold=fold)) for part in ("train", "test") for fold in (1, 2)}
        assert len({found[0] for found in names if found}) == 1
        assert len(names) == 4


def rows(fold: int, part: str, clips: set[int]) -> Rows:
    names = tuple(f"{clip:05d}" for clip in sorted(clips))
    return Rows(f"set_{fold}/{part}.txt", fold, part, names, ("happy",) * len(names), False, "path label")


@given(st.lists(st.integers(1, 4), min_size=2, max_size=20), st.booleans(), st.data())
def test_folds_are_recovered_and_what_is_in_two_is_refused(own: list[int], training: bool, data: st.DataObject) -> None:
    """`own[i]` is the fold in whose test part clip i is."""
    folds = sorted(set(own))
    assume(len(folds) > 1)
    test = {fold: {i for i, other in enumerate(own) if other == fold} for fold in folds}
    lists = [rows(fold, "test", test[fold]) for fold in folds]
    if training:
        lists += [rows(fold, "train", set(range(len(own))) - test[fold]) for fold in folds]
    lists = data.draw(st.permutations(lists))
    clips = {f"{i:05d}": "happy" for i in range(len(own))}
    found = parts_of(Path("lists"), lists, clips)
    assert [found.fold[clip] for clip in clips] == own
    assert found.folds == tuple(folds)
    assert all(len(train) + len(tested) == len(own) for train, tested in found.members.values())
    moved = data.draw(st.sampled_from(range(len(own))))
    other = data.draw(st.sampled_from([fold for fold in folds if fold != own[moved]]))
    spoiled = [rows(other, "test", test[other] | {moved}) if (one.fold, one.part) == (other, "test") else one for one in lists]
    with pytest.raises(InputError, match=f"clip {moved:05d} is in "):
        parts_of(Path("lists"), spoiled, clips)


def test_a_validation_list_is_what_it_holds() -> None:
    clips = {f"{i:05d}": "happy" for i in range(4)}
    again = parts_of(Path(), [rows(0, "train", {0, 1}), rows(0, "test", {2, 3}), rows(0, "val", {2, 3})], clips)
    assert (set(again.part.values()), again.notes) == (
        {"train", "test"},
        ("val.txt lists the test clips again; it is left aside",),
    )
    alone = parts_of(Path(), [rows(0, "train", {0, 1}), rows(0, "val", {2, 3})], clips)
    assert alone.part["00003"] == "test"
    own = parts_of(Path(), [rows(0, "train", {0, 1}), rows(0, "val", {2}), rows(0, "test", {3})], clips)
    assert own.part["00002"] == "val"
    assert own.members[0] == ({"00000", "00001", "00002"}, {"00003"})
    with pytest.raises(InputError, match="clip 00002 is in val and test"):
        parts_of(Path(), [rows(0, "train", {0, 1}), rows(0, "val", {2}), rows(0, "test", {2, 3})], clips)

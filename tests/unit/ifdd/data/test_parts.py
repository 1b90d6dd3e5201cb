"""Parts of one list: folds, named splits, and a validation part that is held out of the training part."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from ifdd.data.parts import held_out, parts_of
from ifdd.errors import InputError


def table(count: int = 60, **columns: object) -> pd.DataFrame:
    rows = np.arange(count)
    known = {"label_name": np.array(["happy", "sad", "fear"])[rows % 3], "fold": 1 + rows % 5, "subject": ""}
    return pd.DataFrame(known | columns)


def test_a_fold_is_the_test_part_and_all_other_clips_are_trained_on() -> None:
    frame = table(fold=np.array([1, 2, 0, 3, 1] * 12))
    parts = parts_of(frame, "list", fold=1, val=0.25)
    assert frame["fold"].iloc[parts.rows["test"]].eq(1).all()
    together = np.concatenate([parts.rows["train"], parts.rows["val"]])
    assert sorted(together) == np.flatnonzero(frame["fold"] != 1).tolist()  # fold 0 is in no test part
    assert len(parts.rows["val"]) == 9
    assert not parts.chosen_on_test
    assert "clip by clip, as persons are not known" in parts.validation


def test_choosing_on_the_test_part_is_told() -> None:
    parts = parts_of(table(), "list", fold=2, val="test")
    assert parts.chosen_on_test
    assert parts.validation == "the test part"
    assert len(parts.rows["train"]) == 48


def test_named_parts_stand_as_they_are() -> None:
    split = np.array(["train", "train", "Test ", "val", "train"] * 12)
    parts = parts_of(table(split=split), "list")
    assert {name: len(rows) for name, rows in parts.rows.items()} == {"train": 36, "val": 12, "test": 12}
    without = parts_of(table(split=np.where(split == "val", "train", split)), "list", val=0.5)
    assert {name: len(rows) for name, rows in without.rows.items()} == {"train": 24, "val": 24, "test": 12}


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ({}, {"fold": 6}, r"list: no fold 6; it has 1, 2, 3, 4, 5"),
        ({"fold": 0}, {"fold": 1}, r"it has no folds \(column fold\)"),
        ({}, {}, r"no column split .*; choose one of its folds 1–5 by data\.fold"),
        ({"fold": 0}, {}, r"no column split .*; ifdd data split makes folds"),
        ({"split": "training"}, {}, r"split 'training' is unknown; write train, val or test"),
        ({"split": "train"}, {}, r"the test part has no clip"),
        ({"fold": 1}, {"fold": 1}, r"the train part of fold 1 has no clip"),
        ({"subject": "one"}, {"fold": 1}, r"0\.1 of 48 training clips cannot be held out for validation"),
    ],
)
def test_what_is_no_part_is_told(columns: dict[str, object], options: dict[str, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parts_of(table(**columns), "list", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("column", ["subject", "source"])
def test_whoever_is_known_is_in_one_part_alone(column: str) -> None:
    names = np.array([f"N{i // 4}" for i in range(60)], dtype=object)
    names[:8] = None
    parts = parts_of(table(**{column: names}), "list", fold=1, val=0.2)
    assert not set(names[parts.rows["train"]]) & set(names[parts.rows["val"]]) - {None}
    assert {"subject": "by person", "source": "by source"}[column] in parts.validation
    assert "clips name none" in parts.validation


def test_the_seed_alone_decides() -> None:
    classes, groups = np.repeat(["a", "b"], 100), np.arange(200)
    first = held_out(classes, groups, 0.1, 0)
    np.testing.assert_array_equal(first, held_out(classes, groups, 0.1, 0))
    assert (first != held_out(classes, groups, 0.1, 1)).any()
    assert [int(first[classes == name].sum()) for name in "ab"] == [10, 10]  # single clips: to the clip


@given(st.integers(0, 10_000), st.sampled_from([0.1, 0.2, 0.3]))
def test_groups_stay_whole_and_no_class_is_lost(seed: int, share: float) -> None:
    generator = np.random.default_rng(seed)
    count = int(generator.integers(20, 200))
    classes, groups = generator.choice(4, count, p=[0.5, 0.3, 0.15, 0.05]), generator.integers(0, count // 3, count)
    chosen = held_out(classes, groups, share, seed)
    assert not set(groups[chosen]) & set(groups[~chosen])
    assert set(classes[~chosen]) == set(classes)


def test_as_balanced_as_scikit_learn() -> None:
    """Shares of the classes stray from those asked for no more than with StratifiedGroupKFold."""
    ours, theirs = [], []
    for seed in range(10):
        generator = np.random.default_rng(seed)
        classes = generator.choice(7, 1200, p=[0.25, 0.2, 0.2, 0.15, 0.1, 0.04, 0.06])
        groups = generator.integers(0, 120, 1200)
        chosen = held_out(classes, groups, 0.2, seed)
        _, test = next(StratifiedGroupKFold(5, shuffle=True, random_state=seed).split(classes, classes, groups))
        total = np.bincount(classes, minlength=7)
        for found, part in ((ours, np.flatnonzero(chosen)), (theirs, test)):
            found.append(np.abs(np.bincount(classes[part], minlength=7) / total - 0.2).mean())
    assert np.mean(ours) <= np.mean(theirs) + 0.005


def test_a_list_on_disk(tmp_path: Path) -> None:
    from small_corpus import make_corpus

    from ifdd.data.manifest import read_manifest

    manifest = make_corpus(tmp_path, 21, lengths=(2,))
    parts = parts_of(read_manifest(manifest), manifest, fold=2, val=0.2)
    people = [set(read_manifest(manifest)["subject"].iloc[rows]) for rows in parts.rows.values()]
    assert not people[0] & people[1]
    assert not people[0] & people[2]

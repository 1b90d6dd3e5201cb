"""Scores over folds, recomputed by scikit-learn, by hand, and by the engine of one set."""

from dataclasses import astuple

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, recall_score

from ifdd.errors import InputError
from ifdd.metrics import count_units, estimate, evaluate
from ifdd.training.folds import score_folds, score_frame

LABELS = ("happy", "sad", "fear")


def predictions(seed: int = 0, clips: int = 150, **columns: object) -> pd.DataFrame:
    """Test predictions of three folds of other sizes and other quality; fear is rare, and in fold 3 never."""
    rng = np.random.default_rng(seed)
    fold = rng.choice([1, 2, 3], clips, p=[0.5, 0.3, 0.2])
    label = np.where(rng.random(clips) < 0.08, 2, rng.integers(0, 2, clips))
    label[(fold == 3) & (label == 2)] = 0
    logits = rng.normal(size=(clips, 3)) + np.eye(3)[label] * (0.5 + 0.6 * fold)[:, None]
    chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    table = {"clip_id": [f"c{i}" for i in range(clips)], "fold": fold, "label": label}
    return pd.DataFrame(table | {f"p_{name}": chances[:, i] for i, name in enumerate(LABELS)} | columns)


def guesses(frame: pd.DataFrame) -> np.ndarray:
    return frame[[f"p_{name}" for name in LABELS]].to_numpy().argmax(1)


def test_folds_mean_and_pooled_are_those_of_scikit_learn():
    frame = predictions()
    found = score_frame(frame, LABELS)
    told = found.to_dict()
    each = {}
    for fold, part in frame.groupby("fold"):
        occurring = np.unique(part["label"])
        macro = recall_score(part["label"], guesses(part), labels=occurring, average="macro")
        each[fold] = accuracy_score(part["label"], guesses(part)), macro
        assert (told["folds"][str(fold)]["WAR"], told["folds"][str(fold)]["UAR"]) == pytest.approx(each[fold])
    war, uar = np.array(list(each.values())).T
    mean, pooled = told["mean_of_folds"], told["pooled"]
    assert (mean["WAR"], mean["UAR"]) == pytest.approx((war.mean(), uar.mean()))
    assert (mean["sd_over_folds"]["WAR"], mean["sd_over_folds"]["UAR"]) == pytest.approx((war.std(ddof=1), uar.std(ddof=1)))
    assert pooled["WAR"] == pytest.approx(accuracy_score(frame["label"], guesses(frame)))
    assert pooled["UAR"] == pytest.approx(recall_score(frame["label"], guesses(frame), average="macro"))
    assert abs(pooled["UAR"] - mean["UAR"]) > 1e-3  # not linear: the two are not the same figure
    np.testing.assert_array_equal(pooled["confusion"], confusion_matrix(frame["label"], guesses(frame)))
    assert pooled["recall"] == pytest.approx(
        dict(zip(LABELS, recall_score(frame["label"], guesses(frame), average=None), strict=True))
    )
    assert pooled["counts"] == {name: int((frame["label"] == i).sum()) for i, name in enumerate(LABELS)}
    recalls = [confusion_matrix(p["label"], guesses(p), labels=[0, 1, 2]) for _, p in frame.groupby("fold")]
    fear = np.mean([matrix[2, 2] / matrix[2].sum() for matrix in recalls if matrix[2].sum()])
    assert mean["recall"]["fear"] == pytest.approx(fear)
    assert told["folds"]["3"]["recall"].keys() == {"happy", "sad"}
    assert "differences below" in found.smallest_difference


def test_interval_of_the_mean_by_hand_and_of_one_fold_alone():
    frame = predictions()
    right, fold, label = guesses(frame) == frame["label"], frame["fold"], frame["label"]
    found = score_frame(frame, LABELS)
    by_fold = [(share := right[fold == k].mean()) * (1 - share) / (fold == k).sum() for k in (1, 2, 3)]
    assert found.war.variance == pytest.approx(sum(by_fold) / 9)
    cells = []
    for k in (1, 2, 3):
        here = [right[(fold == k) & (label == c)] for c in range(3)]
        here = [cell for cell in here if len(cell)]
        cells += [cell.mean() * (1 - cell.mean()) / len(cell) / len(here) ** 2 for cell in here]
    assert found.uar.variance == pytest.approx(sum(cells) / 9)
    low, high = found.uar.bounds
    assert low < found.uar.value < high

    one = predictions(1)
    one["fold"] = 4
    alone, whole = (
        score_frame(one, LABELS),
        estimate(guesses(one) == one["label"], one["label"].to_numpy(), 3, count_units(None, 150)),
    )
    for name in ("war", "uar"):
        assert astuple(getattr(alone, name)) == pytest.approx(astuple(getattr(whole, name)))
    assert alone.to_dict()["mean_of_folds"]["sd_over_folds"] == {"WAR": None, "UAR": None}
    pooled = evaluate(one[[f"p_{name}" for name in LABELS]].to_numpy(), one["label"].to_numpy(), LABELS)
    assert alone.pooled.to_dict() == pooled.to_dict() == alone.folds[4].to_dict()


def test_a_fold_in_which_a_class_is_all_right_keeps_its_uncertainty():
    """29 clips of disgust, none right in any fold: the interval must not take that for certain."""
    label = np.tile(np.repeat([0, 1], (40, 6)), 2)
    fold = np.repeat([1, 2], 46)
    chances = np.tile([0.9, 0.1], (92, 1))
    chances[::3] = 0.1, 0.9
    chances[label == 1] = 0.9, 0.1
    found = score_folds(chances, label, fold, ("a", "b"))
    own = found.folds[1].estimates.recalls[1]
    hits = np.where(label == 0, chances[:, 0] > 0.5, False)
    rest = [hits[(fold == k) & (label == 0)].mean() * (1 - hits[(fold == k) & (label == 0)].mean()) / 40 for k in (1, 2)]
    assert own.variance > 0.01
    assert found.uar.variance == pytest.approx((sum(rest) + 2 * own.variance) / 16)


def test_persons_and_sources_keep_clips_together():
    """Every clip three times, in three folds, named by its person: no more is known than from one copy."""
    once = predictions(2, 90).assign(fold=1)
    thrice = pd.concat([once.assign(fold=k, clip_id=once["clip_id"] + f"-{k}") for k in (1, 2, 3)], ignore_index=True)
    alone = score_frame(once, LABELS)
    persons = score_frame(thrice.assign(subject=np.tile(np.arange(90), 3)), LABELS)
    films = score_frame(thrice.assign(subject="", source=[f"film {i}" for i in np.tile(np.arange(90), 3)]), LABELS)
    clips = score_frame(thrice.assign(subject=""), LABELS)
    for name in ("war", "uar"):
        first = getattr(alone, name).variance
        assert getattr(persons, name).variance == pytest.approx(first, rel=0.05)
        assert getattr(films, name).variance == getattr(persons, name).variance
        assert getattr(clips, name).variance == pytest.approx(first / 3, rel=0.05)
    assert str(persons.pooled.units) == "over 90 persons"
    assert films.to_dict()["mean_of_folds"]["intervals_over"] == "over 90 sources"
    assert clips.pooled.units.notes == ("persons are not known: the intervals take clips as independent",)
    some = score_frame(thrice.assign(source=["", *np.repeat(["x", "y"], 134), ""]), LABELS)
    assert some.pooled.units.notes == ("2 of 270 clips name no source: each counts as a source of its own",)


def test_intervals_over_folds_hold_the_truth():
    """Models of known recalls on 400 test sets of five folds, with persons whose clips are alike, some in two folds."""
    rng, held = np.random.default_rng(7), []
    recalls, persons = np.array([0.9, 0.6, 0.3]), 60
    names = np.repeat(np.arange(persons), 6)
    label = np.tile([0, 0, 0, 1, 1, 2], persons)
    fold = (names + rng.integers(0, 2, len(names))) % 5
    cut = np.quantile(rng.normal(size=100_000), recalls)
    for _ in range(400):
        luck = np.sqrt(0.4) * rng.normal(size=persons)[names] + np.sqrt(0.6) * rng.normal(size=len(names))
        right = luck < cut[label]
        answer = np.where(right, label, (label + 1) % 3)
        found = score_folds(np.eye(3)[answer], label, fold, LABELS, groups=names.tolist())
        both = found.uar.bounds, found.pooled.estimates.uar.bounds
        held.append([low <= recalls.mean() <= high for low, high in both])
    assert ((np.mean(held, axis=0) >= 0.92) & (np.mean(held, axis=0) <= 0.985)).all(), np.mean(held, axis=0)


def test_what_makes_no_table_of_folds():
    frame = predictions()
    with pytest.raises(InputError, match="lack the column 'p_fear'"):
        score_frame(frame.drop(columns="p_fear"), LABELS)
    with pytest.raises(InputError, match="clip 'c0' is predicted twice"):
        score_frame(pd.concat([frame, frame[:1]]), LABELS)
    with pytest.raises(InputError, match="2 folds for 3 clips"):
        score_folds(np.eye(3), np.arange(3), np.arange(2), LABELS)

"""WAR, UAR, recalls and the confusion matrix by hand; the intervals are those of ifdd.metrics."""

import json

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score
from statsmodels.stats.proportion import proportion_confint

from ifdd.errors import InputError
from ifdd.metrics import evaluate
from workbench.analysis.comparison.pairs import compare
from workbench.analysis.performance.scores import summary

NAMES = ("happy", "sad", "fear")
LABELS = np.array([0, 0, 0, 0, 1, 1])
PREDICTED = np.array([0, 0, 0, 1, 1, 0])


def test_by_hand() -> None:
    result = summary(PREDICTED, LABELS, NAMES[:2])
    assert result.n == 6
    assert result.war.value == pytest.approx(4 / 6)
    assert result.uar.value == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert [(item.name, item.n, item.recall.value) for item in result.recalls] == [("happy", 4, 0.75), ("sad", 2, 0.5)]
    np.testing.assert_array_equal(result.confusion, [[3, 1], [1, 1]])  # rows true, columns predicted
    assert (result.constant_class, result.constant_war, result.constant_uar) == ("happy", 4 / 6, 0.5)
    # Wilson, 1 of 2: (p + z²/2n ± z √(pq/n + z²/4n²)) / (1 + z²/n), z = 1.959964
    assert (result.recalls[1].recall.low, result.recalls[1].recall.high) == pytest.approx((0.0945, 0.9055), abs=1e-4)


def test_confusion_is_not_transposed() -> None:
    np.testing.assert_array_equal(summary([1, 1, 1], [0, 0, 1], NAMES).confusion, [[0, 2, 0], [0, 1, 0], [0, 0, 0]])


def test_a_class_that_nobody_has() -> None:
    result = summary(PREDICTED, LABELS, NAMES)
    assert result.uar.value == pytest.approx(0.625)
    assert result.recalls[2].n == 0
    assert np.isnan(result.recalls[2].recall.value)
    assert result.constant_uar == 0.5
    assert "fear: no clip has this label, so it does not count in the UAR" in result.notes
    assert json.loads(json.dumps(result.to_dict()))["recalls"][2]["recall"]["value"] is None


def test_probabilities_and_predictions_agree() -> None:
    probs = np.random.default_rng(0).dirichlet(np.ones(3), 60)
    labels = np.arange(60) % 3
    assert summary(probs, labels, NAMES) == summary(probs.argmax(axis=1), labels, NAMES)
    assert summary(probs, labels, NAMES).uar.value == pytest.approx(balanced_accuracy_score(labels, probs.argmax(axis=1)))


def test_the_same_interval_as_ifdd_evaluate() -> None:
    """To the last digit, with persons and without, and with one who is not known."""
    rng = np.random.default_rng(0)
    probs, labels = rng.dirichlet(np.ones(3), 90), np.arange(90) % 3
    people = np.array([f"p{i}" for i in rng.integers(0, 9, 90)], object)
    unknown = np.where(people == "p3", "", people)
    for groups in (None, people, unknown):
        here, there = summary(probs, labels, NAMES, groups=groups), evaluate(probs, labels, NAMES, groups=groups)
        assert (here.war.low, here.war.high) == there.intervals["WAR"]
        assert (here.uar.low, here.uar.high) == there.intervals["UAR"]
        assert [[c.recall.low, c.recall.high] for c in here.recalls] == list(there.to_dict()["recall_intervals"].values())
        assert (here.units, list(here.notes)) == (there.to_dict()["intervals_over"], there.to_dict()["notes"])
        compared = compare({"a": probs, "b": probs[:, ::-1]}, labels, groups, label_names=NAMES, n_boot=100, seed=3)
        assert compared.models["a"] == here
        assert set(here.notes) <= set(compared.notes)


def test_a_class_that_is_all_right_has_an_interval() -> None:
    labels = np.array([0] * 9 + [1])
    result = summary(labels, labels, NAMES[:2], groups=["a"] * 3 + ["b"] * 3 + ["c"] * 3 + ["d"])
    assert result.uar.high == result.war.high == 1
    assert result.uar.low < 0.9
    assert (result.recalls[0].recall.low, result.recalls[0].recall.high) == pytest.approx(
        proportion_confint(3, 3, method="wilson")
    )
    assert result.recalls[1].recall.low < 0.3  # one clip of one person


def test_what_is_detectable_is_that_of_ifdd_evaluate() -> None:
    rng = np.random.default_rng(3)
    y = rng.integers(0, 3, 300)
    probs = rng.dirichlet(np.ones(3), 300) + np.eye(3)[y]
    probs /= probs.sum(1, keepdims=True)
    found, told = summary(probs, y, ["a", "b", "c"]), evaluate(probs, y, ("a", "b", "c")).to_dict()["detectable"]
    assert (found.detectable_war, found.detectable_uar) == (told["WAR"], told["UAR"])
    assert found.detectable == f"{100 * told['WAR']:.1f}, {100 * told['UAR']:.1f}"
    assert type(found).from_dict(found.to_dict()) == found
    assert summary([0, 1], [0, 1], ["a", "b"]).detectable == "–, –"


def test_caption() -> None:
    text = summary(PREDICTED, LABELS, NAMES[:2]).caption
    assert text.startswith("n = 6; WAR 66.7 % [")
    assert "(95 % intervals over 6 clips, taken as independent)" in text
    assert text.endswith("always happy: WAR 66.7 %, UAR 50.0 %")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": LABELS[:-1]}, r"labels has shape \(5,\) for 6 clips"),
        ({"predicted": PREDICTED - 1}, r"predicted\[0\] is -1"),
        ({"label_names": ("happy",)}, r"predicted\[3\] is 1, allowed is 0 to 0"),
        ({"groups": ["a", "b"]}, "persons has 2 names for 6 clips"),
        ({"predicted": np.empty(0), "labels": np.empty(0)}, "predicted has shape"),
    ],
)
def test_bad_input(arguments: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        summary(**{"predicted": PREDICTED, "labels": LABELS, **arguments})

"""WAR, UAR, recalls and the confusion matrix by hand; the intervals by their coverage."""

import json

import numpy as np
import pytest
from scipy.stats import bootstrap
from sklearn.metrics import balanced_accuracy_score

from ifdd.errors import InputError
from workbench.analysis.metrics import summary

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


def simulated(rng: np.random.Generator, sizes: tuple[int, ...], recalls: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    right = rng.uniform(size=len(labels)) < np.array(recalls)[labels]
    return np.where(right, labels, (labels + 1) % len(sizes)), labels


def test_intervals_cover_the_truth() -> None:
    """600 test sets of a known model: the 95 % interval holds the true WAR and UAR in about 95 % of them."""
    rng = np.random.default_rng(0)
    sizes, recalls = (120, 60, 30), (0.8, 0.6, 0.4)
    war, uar = np.dot(sizes, recalls) / sum(sizes), np.mean(recalls)
    covered = np.zeros(2)
    for seed in range(600):
        predicted, labels = simulated(rng, sizes, recalls)
        result = summary(predicted, labels, n_boot=500, seed=seed)
        covered += [result.war.low <= war <= result.war.high, result.uar.low <= uar <= result.uar.high]
    assert (covered / 600 > 0.92).all()  # three standard errors below 0.95 is 0.923; percentile intervals run slightly short
    assert (covered / 600 < 0.98).all()


def test_interval_is_that_of_scipy() -> None:
    predicted, labels = simulated(np.random.default_rng(1), (200, 100), (0.8, 0.6))
    result = summary(predicted, labels, n_boot=20000)
    hits = [(predicted == labels)[labels == c].astype(float) for c in range(2)]
    # scipy resamples each sample on its own: the stratified draw
    expected = bootstrap(
        hits,
        lambda a, b, axis: (a.mean(axis) + b.mean(axis)) / 2,
        method="percentile",
        n_resamples=5000,
        rng=np.random.default_rng(2),
    ).confidence_interval
    assert (result.uar.low, result.uar.high) == pytest.approx((expected.low, expected.high), abs=0.006)


def test_groups_of_one_clip_match_the_plain_bootstrap() -> None:
    predicted, labels = simulated(np.random.default_rng(1), (300, 300), (0.8, 0.6))
    plain, grouped = summary(predicted, labels), summary(predicted, labels, groups=np.arange(600))
    assert (grouped.war.low, grouped.war.high) == pytest.approx((plain.war.low, plain.war.high), abs=0.01)


def test_alike_clips_widen_the_interval_over_groups() -> None:
    """Every clip ten times: the interval over groups is that of the single clips, √10 wider than over all copies."""
    predicted, labels = simulated(np.random.default_rng(1), (100, 100), (0.7, 0.7))
    single = summary(predicted, labels, groups=np.arange(200))
    copies = summary(np.tile(predicted, 10), np.tile(labels, 10), groups=np.tile(np.arange(200), 10))
    naive = summary(np.tile(predicted, 10), np.tile(labels, 10))
    assert copies.war == single.war
    ratio = (copies.war.high - copies.war.low) / (naive.war.high - naive.war.low)
    assert ratio == pytest.approx(np.sqrt(10), rel=0.12)


def test_a_draw_of_groups_may_lack_a_class() -> None:
    labels = np.array([0] * 9 + [1])
    result = summary(labels, labels, NAMES[:2], groups=["a"] * 3 + ["b"] * 3 + ["c"] * 3 + ["d"])
    assert any("of the draws lack a class" in note for note in result.notes)
    assert "only 4 groups: the bootstrap intervals tend to be too narrow" in result.notes
    assert (result.uar.low, result.uar.high) == (1, 1)


def test_the_seed_decides() -> None:
    predicted, labels = simulated(np.random.default_rng(0), (50, 50), (0.7, 0.7))
    assert summary(predicted, labels, seed=1) == summary(predicted, labels, seed=1)
    assert summary(predicted, labels, seed=1).uar != summary(predicted, labels, seed=2).uar


def test_caption() -> None:
    text = summary(PREDICTED, LABELS, NAMES[:2]).caption
    assert text.startswith("n = 6; WAR 66.7 % [")
    assert "2000 draws within classes" in text
    assert text.endswith("always happy: WAR 66.7 %, UAR 50.0 %")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": LABELS[:-1]}, r"labels has shape \(5,\) for 6 clips"),
        ({"predicted": PREDICTED - 1}, r"predicted\[0\] is -1"),
        ({"label_names": ("happy",)}, r"predicted\[3\] is 1, allowed is 0 to 0"),
        ({"groups": np.zeros(6)}, "all clips are in group 0.0;"),
        ({"groups": ["a", "b"]}, r"groups has shape \(2,\)"),
        ({"groups": ["a", "b", None, "a", "a", "a"]}, r"groups\[2\] is missing"),
        ({"n_boot": 10}, "n_boot is 10"),
        ({"predicted": np.empty(0), "labels": np.empty(0)}, "predicted has shape"),
    ],
)
def test_bad_input(arguments: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        summary(**{"predicted": PREDICTED, "labels": LABELS, **arguments})

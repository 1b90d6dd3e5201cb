import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, recall_score

from ifdd.errors import InputError
from ifdd.metrics import bootstrap, evaluate

LABELS = ("a", "b", "c")


def one_hot(guess: list[int], classes: int = 3) -> np.ndarray:
    return np.eye(classes)[guess]


def test_counted_by_hand():
    result = evaluate(one_hot([0, 0, 1, 1, 0, 2]), np.array([0, 0, 0, 1, 1, 2]), LABELS)
    assert pytest.approx(4 / 6) == result.WAR
    np.testing.assert_allclose(result.recall, [2 / 3, 1 / 2, 1])
    assert pytest.approx((2 / 3 + 1 / 2 + 1) / 3) == result.UAR
    np.testing.assert_array_equal(result.confusion, [[2, 1, 0], [1, 1, 0], [0, 0, 1]])
    assert result.constant_guess == {"WAR": pytest.approx(1 / 2), "UAR": pytest.approx(1 / 3)}


def test_a_class_that_does_not_occur_is_left_out_of_uar():
    result = evaluate(one_hot([0, 1, 2]), np.array([0, 0, 1]), LABELS)
    assert pytest.approx((1 / 2 + 0) / 2) == result.UAR
    values = result.to_dict()
    assert values["recall"] == {"a": 0.5, "b": 0.0}
    assert values["counts"] == {"a": 2, "b": 1, "c": 0}


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=40))
def test_equals_scikit_learn(pairs: list[tuple[int, int]]):
    target, guess = (np.array(column) for column in zip(*pairs, strict=True))
    result = evaluate(one_hot(guess.tolist()), target, LABELS, resamples=20)
    assert pytest.approx(accuracy_score(target, guess)) == result.WAR
    assert pytest.approx(recall_score(target, guess, labels=np.unique(target), average="macro")) == result.UAR
    assert all(0 <= low <= high <= 1 for low, high in result.intervals.values())


def test_the_interval_of_accuracy_is_that_of_a_binomial():
    generator = np.random.default_rng(0)
    target = np.zeros(400, int)
    guess = (generator.random(400) < 0.3).astype(int)
    low, high = bootstrap(target, guess, 2, resamples=4000)["WAR"]
    accuracy = (guess == 0).mean()
    half = 1.96 * np.sqrt(accuracy * (1 - accuracy) / 400)
    assert low == pytest.approx(accuracy - half, abs=0.006)
    assert high == pytest.approx(accuracy + half, abs=0.006)


def test_clips_of_one_person_are_drawn_together():
    target = np.zeros(100, int)
    guess = np.repeat([0, 1], 50)
    apart = bootstrap(target, guess, 2)["WAR"]
    together = bootstrap(target, guess, 2, groups=["x"] * 50 + ["y"] * 50)["WAR"]
    assert together == (0.0, 1.0)
    assert apart[1] - apart[0] < 0.3


@pytest.mark.parametrize(
    ("probabilities", "target", "message"),
    [
        (one_hot([0]), [0, 1], "do not fit 2 clips"),
        (np.zeros((0, 3)), [], "at least one"),
        (np.full((1, 3), np.nan), [0], "clip 0 holds NaN"),
        (one_hot([0]), [3], "there are 3 labels"),
    ],
)
def test_bad_input(probabilities: np.ndarray, target: list[int], message: str):
    with pytest.raises(InputError, match=message):
        evaluate(probabilities, np.array(target), LABELS)

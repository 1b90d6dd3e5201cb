"""Paired comparison by hand, against statsmodels and scipy, and by exact enumeration."""

import itertools
import json
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, ttest_1samp, ttest_ind
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

from ifdd.errors import InputError
from workbench.analysis.comparison.paired import BootstrapDraws, detectable, difference, draw, holm, intervals, mcnemar, swap_test
from workbench.analysis.comparison.pairs import compare

NAMES = ("happy", "sad", "fear")
LABELS = np.array([0, 0, 0, 0, 1, 1])
OLD = np.array([0, 0, 0, 1, 1, 0])  # right on 0 1 2, 4
NEW = np.array([0, 0, 1, 0, 1, 1])  # right on 0 1 3, 4 5


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_that_of_statsmodels(only_first: int, only_second: int) -> None:
    expected = 1.0
    if only_first + only_second:
        expected = statsmodels_mcnemar([[7, only_first], [only_second, 3]], exact=True).pvalue
    assert mcnemar(only_first, only_second) == pytest.approx(expected, abs=1e-12)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_is_that_of_statsmodels(p_values: list[float]) -> None:
    with patch("gc.collect"):  # statsmodels collects garbage in every call: two minutes in a full suite
        expected = multipletests(p_values, method="holm")[1]
    np.testing.assert_allclose(holm(p_values), expected, rtol=1e-12)


def test_by_hand() -> None:
    result = compare({"old": OLD, "new": NEW}, LABELS, label_names=NAMES[:2], clip_ids=list("abcdef"))
    (pair,) = result.pairs
    assert pair.name == "new − old"
    assert pair.war.value == pytest.approx(1 / 6)
    assert [item.recall.value for item in pair.recalls] == pytest.approx([0, 1 / 2])
    assert pair.uar.value == pytest.approx(1 / 4)
    assert (pair.only_first, pair.only_second) == (1, 2)
    assert pair.mcnemar.p == pair.mcnemar.holm == 1
    np.testing.assert_array_equal(pair.moves, [[2, 2], [1, 1]])
    flips = pair.flips
    assert flips.clip_ids == ("c", "d", "f")
    np.testing.assert_array_equal(
        [flips.rows, flips.true, flips.first, flips.second], [[2, 3, 5], [0, 0, 1], [0, 1, 0], [1, 0, 1]]
    )
    assert flips.kinds == ("lost", "gained", "gained")
    assert np.isnan(flips.p_first).all()
    assert result.models["new"].war.value == pytest.approx(5 / 6)
    assert json.loads(json.dumps(result.to_dict()))["pairs"][0]["war"]["value"] == pytest.approx(1 / 6)


def test_turned_round_it_is_the_negative() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 90)
    a, b = (np.where(rng.uniform(size=90) < share, labels, (labels + 1) % 3) for share in (0.6, 0.75))
    there, back = (compare(models, labels).pairs[0] for models in ({"a": a, "b": b}, {"b": b, "a": a}))
    assert there.war.value == pytest.approx(-back.war.value)
    assert there.uar.value == pytest.approx(-back.uar.value)
    assert (there.war.low, there.uar.low) == pytest.approx((-back.war.high, -back.uar.high), abs=0.02)
    assert there.mcnemar.p == back.mcnemar.p
    np.testing.assert_array_equal(there.moves, back.moves.T)


def test_probabilities_of_the_true_class_are_listed() -> None:
    probs = np.array([[0.7, 0.3], [0.4, 0.6]])
    pair = compare({"a": probs, "b": probs[::-1]}, [0, 0]).pairs[0]
    np.testing.assert_allclose([pair.flips.p_first, pair.flips.p_second], [[0.7, 0.4], [0.4, 0.7]])
    assert pair.flips.kinds == ("lost", "gained")


def test_both_wrong_is_another_kind() -> None:
    assert compare({"a": [1, 0], "b": [2, 0]}, [0, 0], label_names=NAMES).pairs[0].flips.kinds == ("other",)


def test_stretched_draws_have_the_unbiased_variance() -> None:
    """Closed form: the variance of a mean of n differences is s²/n with s² over n − 1, by class."""
    labels = np.repeat([0, 1], [12, 40])
    d = np.array([-1.0] * 2 + [0] * 6 + [1] * 4 + [-1] * 5 + [0] * 20 + [1] * 15)
    draws = draw(d, labels, 2, None, 40000, np.random.default_rng(0))
    variances = np.array([d[labels == c].var(ddof=1) / (labels == c).sum() for c in (0, 1)])
    np.testing.assert_allclose(draws.recalls.samples.var(0), variances, rtol=0.03)
    assert draws.uar.samples.var() == pytest.approx(variances.sum() / 4, rel=0.03)
    assert draws.war.samples.var() == pytest.approx((variances * np.array([12, 40]) ** 2).sum() / 52**2, rel=0.03)
    assert draws.war.samples.mean() == pytest.approx(d.mean(), abs=0.002)


@pytest.mark.parametrize("groups", [4, 12, 140])
def test_detectable_is_what_the_test_of_so_few_groups_finds(groups: int) -> None:
    """Oracle: statsmodels' power of a t-test of the groups' mean differences."""
    per_group = np.resize([0.05, -0.02, 0.1, 0.0], groups)
    samples = (
        np.array([-1.0, 1.0]) * per_group.std(ddof=1) / np.sqrt(groups) / np.sqrt(2)
    )  # their deviation is the standard error
    found = detectable(BootstrapDraws(np.array(0.0), samples, np.array(groups - 1.0)))
    effect = TTestPower().solve_power(nobs=groups, alpha=0.05, power=0.8)
    assert found == pytest.approx(effect * per_group.std(ddof=1), rel=1e-3)
    assert found > 2.8 * samples.std(ddof=1)  # more than the normal approximation says


def test_detectable_of_many_or_none() -> None:
    samples = np.array([-1.0, 1.0]) * 0.01 / np.sqrt(2)
    many = detectable(BootstrapDraws(np.array(0.0), samples, np.array(np.inf)))
    assert many == pytest.approx(0.01 * (norm.ppf(0.975) + norm.ppf(0.8)))
    assert many == pytest.approx(detectable(BootstrapDraws(np.array(0.0), samples, np.array(9e4))), rel=1e-3)
    assert np.isnan(detectable(BootstrapDraws(np.array(0.0), samples * 30, np.array(2.0))))  # not even all clips of all
    assert np.isnan(detectable(BootstrapDraws(np.array(0.0), samples, np.array(0.0))))


def test_groups_draw_whole_groups() -> None:
    """Closed form again: equal groups of one class each count as one observation."""
    labels = np.zeros(60, int)
    per_group = np.array([-1.0, 0, 0, 1, 1, 1, 0, 1, -1, 0, 1, 1])
    draws = draw(np.repeat(per_group, 5), labels, 1, np.repeat(np.arange(12), 5), 40000, np.random.default_rng(0))
    assert draws.war.samples.var() == pytest.approx(per_group.var(ddof=1) / 12, rel=0.03)
    assert draws.lost == 0


def test_intervals_of_means_are_those_of_t_tests() -> None:
    """Draws that are exactly normal: one class gives the one-sample interval, two classes in the UAR Welch's."""
    rng = np.random.default_rng(0)
    d = rng.choice([-1.0, 0, 1], 30, p=[0.2, 0.4, 0.4])
    value, error = d.mean(), d.std(ddof=1) / np.sqrt(30)
    normal = value + error * norm.ppf((np.arange(20000) + 0.5) / 20000)
    (found,) = intervals(BootstrapDraws(np.array(value), normal, np.array(29)))
    expected = ttest_1samp(d, 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-4)
    labels = np.repeat([0, 1], [10, 20])
    freedom = draw(d, labels, 2, None, 100, rng)
    welch = ttest_ind(d[:10], -d[10:], equal_var=False).df  # half the sum of two means has the freedom of their difference
    assert float(freedom.uar.freedom) == pytest.approx(welch)
    np.testing.assert_array_equal(freedom.recalls.freedom, [9, 19])


def exact_swap(d: np.ndarray, weights: np.ndarray, groups: np.ndarray) -> float:
    effects = np.bincount(groups, weights * d)
    sums = np.array([abs(np.dot(signs, effects)) for signs in itertools.product((-1, 1), repeat=len(effects))])
    return float((sums >= abs(effects.sum()) - 1e-12).mean())


def test_swap_test_by_enumeration() -> None:
    labels = np.array([0] * 8 + [1] * 4)
    d = np.array([1, 1, 0, 1, -1, 1, 0, 1, 1, 1, -1, 1.0])
    by_class = 1 / np.array([8.0] * 8 + [4.0] * 4) / 2
    for groups in (np.arange(12), np.arange(12) // 2):
        war, uar = swap_test(d, labels, 2, groups if groups.max() < 11 else None, 40000, np.random.default_rng(0))
        assert war == pytest.approx(exact_swap(d, np.full(12, 1 / 12), groups), abs=0.01)
        assert uar == pytest.approx(exact_swap(d, by_class, groups), abs=0.01)


@given(st.integers(0, 9), st.integers(0, 9))
def test_swap_test_of_clips_is_mcnemar(only_first: int, only_second: int) -> None:
    d = np.repeat([-1.0, 1.0, 0.0], [only_first, only_second, 5])
    p, _ = swap_test(d, np.zeros(len(d), int), 1, None, 4000, np.random.default_rng(0))
    assert p == pytest.approx(mcnemar(only_first, only_second), abs=0.04)  # 4000 draws: five standard errors


def test_a_class_without_clips_is_undefined_and_does_not_count() -> None:
    pair = compare({"old": OLD, "new": NEW}, LABELS, label_names=NAMES).pairs[0]
    assert pair.recalls[2].n == 0
    assert np.isnan(pair.recalls[2].recall.value)
    assert pair.uar.value == pytest.approx(1 / 4)
    war, uar, recalls = difference(np.array([1.0, 0]), np.array([0, 0]), 2)
    assert (war, uar) == (0.5, 0.5)
    assert np.isnan(recalls[1])


def test_many_models() -> None:
    rng = np.random.default_rng(1)
    labels = np.arange(200) % 4
    models = {f"m{i}": np.where(rng.uniform(size=200) < 0.5 + 0.12 * i, labels, (labels + 1) % 4) for i in range(4)}
    every, reference = compare(models, labels), compare(models, labels, reference="m1")
    assert [(pair.first, pair.second) for pair in every.pairs] == list(itertools.combinations(models, 2))
    assert [pair.name for pair in reference.pairs] == ["m0 − m1", "m2 − m1", "m3 − m1"]
    expected = multipletests([pair.mcnemar.p for pair in every.pairs], method="holm")[1]
    np.testing.assert_allclose([pair.mcnemar.holm for pair in every.pairs], expected)
    assert "Holm over 6 pairs" in every.caption
    assert compare(models, labels, seed=3) == compare(models, labels, seed=3)


def test_models_that_agree() -> None:
    result = compare({"a": OLD, "b": OLD}, LABELS, label_names=NAMES[:2])
    (pair,) = result.pairs
    assert (pair.war.value, pair.mcnemar.p, pair.swap_uar.p) == (0, 1, 1)
    assert pair.war.low < -0.1 < 0.1 < pair.war.high  # six clips on which two models agree do not make them equal
    assert all(item.recall.low < 0 < item.recall.high for item in pair.recalls)
    assert np.isnan(pair.detectable_war)
    assert len(pair.flips.rows) == 0
    assert any("every draw gives the same difference" in note for note in result.notes)


def test_degenerate_input_is_stated() -> None:
    one = compare({"a": [0], "b": [1]}, [0], label_names=NAMES)
    assert (one.pairs[0].war.value, one.pairs[0].war.low, one.pairs[0].mcnemar.p) == (-1, -1, 1)
    assert one.pairs[0].war.high > -0.5
    assert any("every draw gives the same difference" in note for note in one.notes)
    assert "happy has one clip: the intervals of differences of the UAR know nothing of its uncertainty" in one.notes
    even = compare({"a": np.full((4, 2), 0.5), "b": np.eye(2)[[0, 1, 0, 1]]}, [0, 1, 0, 1], label_names=NAMES[:2])
    assert "a: 4 clips have several classes of the same highest probability; the first in the list counts" in even.notes
    assert "a: no clip is predicted as sad" in even.notes
    three = compare({"a": [0, 0, 0], "b": [1, 1, 1]}, [0, 1, 2], label_names=(*NAMES[:2], "fear"))
    assert f"{', '.join(NAMES[:2])}, fear have one clip each: the intervals of differences of the UAR" in " ".join(three.notes)
    assert f"a: no clip is predicted as {NAMES[1]} or fear" in three.notes
    grouped = compare({"a": OLD, "b": NEW}, LABELS, ["x", "x", "y", "y", "z", "z"], label_names=NAMES[:2])
    assert "only 3 persons: intervals of differences tend to be too narrow" in grouped.notes
    assert any("of the draws lack a class" in note for note in grouped.notes)
    assert grouped.n_groups == 3


@pytest.mark.parametrize(
    ("models", "options", "message"),
    [
        ({"a": OLD}, {}, "1 model given; a comparison needs two"),
        ({"a": OLD, "b": NEW[:-1]}, {}, r"other numbers of clips or classes: a \(6,\), b \(5,\)"),
        ({"a": np.full((6, 2), 0.5), "b": np.full((6, 4), 0.25)}, {}, r"a \(6, 2\), b \(6, 4\)"),
        ({"a": OLD, "b": NEW}, {"reference": "c"}, "unknown reference 'c'; the models are a, b"),
        ({"a": OLD, "b": np.full((6, 2), np.nan)}, {}, r"b: probs\[0\] is not finite"),
        ({"a": OLD, "b": NEW + 0.5}, {}, "b: predicted must be whole class indexes"),
        ({"a": OLD, "b": NEW}, {"clip_ids": ["x"]}, "clip_ids has 1 names for 6 clips"),
        ({"a": OLD, "b": NEW}, {"groups": ["a"]}, "persons has 1 names for 6 clips"),
        ({"a": OLD, "b": NEW}, {"n_boot": 5}, "n_boot is 5"),
        ({"a": OLD, "b": NEW}, {"label_names": ("happy",)}, "allowed is 0 to 0"),
        ({"a": np.float64(1), "b": NEW}, {}, "a: predicted has shape"),
    ],
)
def test_bad_input(models: dict, options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        compare(models, LABELS, **options)

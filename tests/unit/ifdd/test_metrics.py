from random import Random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import accuracy_score, recall_score
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.power import NormalIndPower, TTestPower
from statsmodels.stats.proportion import proportion_confint

from benchmarks.interval_coverage import holds
from ifdd.errors import InputError
from ifdd.metrics import count_units, detectable, detectable_words, errors_needed, estimate, evaluate

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
    result = evaluate(one_hot(guess.tolist()), target, LABELS)
    assert pytest.approx(accuracy_score(target, guess)) == result.WAR
    assert pytest.approx(recall_score(target, guess, labels=np.unique(target), average="macro")) == result.UAR
    assert all(0 <= low <= high <= 1 for low, high in result.intervals.values())


def simulated(rng: np.random.Generator, persons: int, each: int, alike: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hits, classes and persons: `alike` is the share of a clip's luck that is its person's."""
    recalls = np.array([0.9, 0.6, 0.4])
    target = np.tile(np.repeat(np.arange(3), each), persons)
    names = np.repeat(np.arange(persons), 3 * each)
    luck = np.sqrt(alike) * rng.normal(size=persons)[names] + np.sqrt(1 - alike) * rng.normal(size=len(target))
    return luck < norm.ppf(recalls)[target], target, names


def test_intervals_of_independent_clips_are_those_of_statsmodels():
    """WAR and recalls: Wilson's interval, whatever the share; also none and all."""
    for hits in (0, 1, 7, 20):
        right, target = np.arange(20) < hits, np.zeros(20, int)
        for units in (count_units(None, 20), count_units(np.arange(20), 20)):
            found = estimate(right, target, 2, units)
            expected = proportion_confint(hits, 20, method="wilson")
            assert found.war.bounds == pytest.approx(expected, abs=1e-12)
            assert found.recalls[0].bounds == found.war.bounds
            assert np.isnan(found.recalls[1].bounds).all()


def test_variance_over_persons_is_that_of_statsmodels():
    """The cluster-robust variance of a mean, up to the stretch by leverage, which is (m − 1)/m for equal persons."""
    right, target, persons = simulated(np.random.default_rng(0), 12, 4, 0.5)
    fit = OLS(right.astype(float), np.ones(len(right))).fit(
        cov_type="cluster", cov_kwds={"groups": persons, "use_correction": False}
    )
    found = estimate(right, target, 3, count_units(persons, len(right))).war
    assert found.variance == pytest.approx(float(fit.cov_params()[0, 0]) * 12 / 11)
    assert found.freedom == pytest.approx(1 / (1 / 12 - 1 / len(right)) - 1)


def test_copies_of_clips_add_nothing():
    """Every clip ten times, named by its person: the interval is that of the single clips, up to Student's t."""
    right, target, _ = simulated(np.random.default_rng(1), 200, 1, 0.0)
    once = estimate(right, target, 3, count_units(None, 600))
    copies = [np.repeat(values, 10) for values in (right, target, np.arange(600))]
    again = estimate(copies[0], copies[1], 3, count_units(copies[2], 6000))
    assert again.war.bounds == pytest.approx(once.war.bounds, abs=3e-4)
    assert again.uar.bounds == pytest.approx(once.uar.bounds, abs=3e-4)
    naive = estimate(copies[0], copies[1], 3, count_units(None, 6000)).war.bounds
    assert np.diff(again.war.bounds) / np.diff(naive) == pytest.approx(np.sqrt(10), rel=0.02)


@pytest.mark.parametrize(("n", "share"), [(40, 0.5), (400, 0.7), (2341, 0.6842)])
def test_detectable_of_independent_clips_is_that_of_statsmodels(n: int, share: float):
    right = np.arange(n) < round(share * n)
    found = estimate(right, np.zeros(n, int), 1, count_units(None, n)).war
    effect = NormalIndPower().solve_power(nobs1=n, alpha=0.05, power=0.8)
    assert found.detectable == pytest.approx(effect * right.std(), rel=1e-4)


@pytest.mark.parametrize("pairs", [4, 12, 150])
def test_standard_errors_needed_are_those_of_the_paired_t_test_of_statsmodels(pairs: int):
    effect = TTestPower().solve_power(nobs=pairs, alpha=0.05, power=0.8)
    assert errors_needed(pairs - 1) == pytest.approx(effect * np.sqrt(pairs), rel=1e-3)  # it counts the other side, too


def test_nothing_is_detectable_from_few_clips_or_no_variance():
    assert np.isnan([detectable(0.2, np.inf), detectable(0.0, 5.0), detectable(np.nan, 5.0), detectable(0.1, 0.0)]).all()
    few = evaluate(one_hot([0, 1]), np.array([0, 1]), LABELS)
    assert few.to_dict()["detectable"] == {"WAR": None, "UAR": None}
    assert detectable_words(few.detectable, 2).startswith("no difference of WAR and UAR can be seen with these 2 clips")


@pytest.mark.parametrize("alike", [0.0, 0.5])
@pytest.mark.parametrize("paired", [False, True])
def test_a_detectable_difference_is_found_four_times_in_five(paired: bool, alike: float):
    """Models whose true difference of UAR is what one sample says is detectable, tested on 300 others.

    Of a pair, on the same 80 persons, by the variance of the difference; else on other persons, by that of one score.
    """
    rng = np.random.default_rng(4)
    recalls, persons = np.array([0.75, 0.5, 0.4]), 80

    def hits(gain: float, luck: np.ndarray, target: np.ndarray) -> np.ndarray:
        return luck < norm.ppf(recalls - gain)[target]

    def sample(gain: float) -> tuple[float, float, float]:
        """Difference of UAR, its standard error, and what is detectable."""
        target = np.tile(np.repeat(np.arange(3), (3, 2, 1)), persons)
        names = np.repeat(np.arange(persons), 6)
        units = count_units(names, len(target))
        shared = np.sqrt(0.5) * rng.normal(size=len(target))
        lucks = []
        for _ in range(2):
            own = np.sqrt(alike) * rng.normal(size=persons)[names] + np.sqrt(1 - alike) * rng.normal(size=len(target))
            lucks.append(np.sqrt(0.5) * own + shared if paired else own)
        first, second = hits(gain, lucks[0], target), hits(0.0, lucks[1], target)
        if paired:
            found = estimate(second.astype(float) - first, target, 3, units).uar
            return found.value, float(np.sqrt(found.variance)), detectable(found.variance, found.freedom)
        one, other = (estimate(right, target, 3, units).uar for right in (first, second))
        return other.value - one.value, float(np.sqrt(one.variance + other.variance)), other.detectable

    true = float(np.mean([sample(0.0)[2] for _ in range(20)]))
    power = np.mean([value > 1.98 * error for value, error, _ in (sample(true) for _ in range(300))])
    assert power == pytest.approx(0.8, abs=0.07)
    noise = np.mean([abs(value) > 1.98 * error for value, error, _ in (sample(0.0) for _ in range(300))])
    assert noise < 0.09


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.integers(0, 4)), min_size=1, max_size=40),
    st.randoms(use_true_random=False),
)
def test_every_interval_holds_its_value_and_has_a_width(clips: list[tuple[int, bool, int]], random: Random):
    """Also where all clips of a class agree, or one person has them all; and the order of the clips changes no digit."""
    found = []
    for _ in range(2):
        target, right, persons = (np.array(column) for column in zip(*clips, strict=True))
        found.append(estimate(right, target, 3, count_units(persons, len(clips))))
        random.shuffle(clips)
    assert repr(found[0]) == repr(found[1])
    for one in (found[0].war, found[0].uar, *found[0].recalls):
        low, high = one.bounds
        assert np.isnan(one.value) or (0 <= low <= one.value + 1e-12 and one.value - 1e-12 <= high <= 1 and high - low > 1e-3)


@pytest.mark.parametrize(("persons", "each", "alike"), [(10, 3, 0.3), (20, 1, 0.3), (20, 0, 0.3)])
def test_intervals_hold_the_truth(persons: int, each: int, alike: float):
    """300 small test sets of a model of known recalls. The plain bootstrap held .85 to .91."""
    held = np.mean([holds(persons, each, alike, seed) for seed in range(300)], axis=0)
    assert ((held >= 0.915) & (held <= 0.985)).all(), held


@pytest.mark.slow
@pytest.mark.parametrize("alike", [0.0, 0.3, 0.8])
@pytest.mark.parametrize("each", [1, 3, 0])
@pytest.mark.parametrize("persons", [10, 20, 140])
def test_coverage(persons: int, each: int, alike: float):
    """1,000 sets: 93 to 97 %, three standard errors of 0.7 % about it; also where persons have very uneven numbers of clips."""
    held = np.mean([holds(persons, each, alike, seed) for seed in range(1000)], axis=0)
    assert ((held >= 0.93 - 0.021) & (held <= 0.97 + 0.021)).all(), held


def test_persons_who_are_alike_widen_the_interval():
    rng = np.random.default_rng(0)
    right, target, persons = simulated(rng, 20, 4, 0.8)
    units = count_units(persons, len(target))
    by_person = np.diff(estimate(right, target, 3, units).war.bounds)
    by_clip = np.diff(estimate(right, target, 3, count_units(None, len(target))).war.bounds)
    shuffled = np.diff(estimate(right, target, 3, count_units(rng.permutation(persons), len(target))).war.bounds)
    assert by_person > 1.8 * by_clip
    assert shuffled < 1.5 * by_clip  # the negative control: persons who have nothing to do with the hits


def test_a_clip_without_a_name_is_a_person_of_its_own():
    """One unknown person of 14 must not turn the interval into one over clips."""
    right, target, persons = simulated(np.random.default_rng(3), 14, 4, 0.8)
    known = [f"p{i}" for i in persons]
    for nothing in ("", None, float("nan"), " ", pd.NA):
        names = np.array([nothing if name == "p13" else name for name in known], object)
        units = count_units(names, len(names))
        assert units.count == 13 + 12
        assert units.notes == ("12 of 168 clips name no person: each counts as a person of its own",)
        assert np.diff(estimate(right, target, 3, units).war.bounds) > 1.8 * np.diff(
            estimate(right, target, 3, count_units(None, len(names))).war.bounds
        )
    assert count_units(known, len(known)).notes == ()


@pytest.mark.parametrize(
    ("names", "note"),
    [
        (None, "persons are not known"),
        (["", None, ""], "no clip names a person"),
        (["a", "a", "a "], "all clips are of one person"),
    ],
)
def test_where_persons_are_not_known_clips_count_and_a_note_says_so(names: list[str] | None, note: str):
    units = count_units(names, 3)
    assert (units.count, units.persons) == (3, False)
    assert str(units) == "over 3 clips, taken as independent"
    assert units.notes[0].startswith(note)
    result = evaluate(one_hot([0, 1, 2]), np.array([0, 1, 1]), LABELS, groups=names).to_dict()
    assert result["notes"] == list(units.notes)
    assert result["intervals_over"] == str(units)


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


def test_another_number_of_names_is_refused():
    with pytest.raises(InputError, match="persons has 2 names for 3 clips"):
        count_units(["a", "b"], 3)

"""Slices by hand; the search on planted faults, and its false alarms in simulation."""

import json
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ifdd.errors import InputError
from workbench.analysis.comparison.binning import levels
from workbench.analysis.comparison.results import SearchOptions
from workbench.analysis.comparison.slices import bad_slices, slice_metrics

LABELS = np.array([0, 0, 0, 0, 1, 1])
PREDICTED = np.array([0, 0, 0, 1, 1, 0])
LIGHT = ["day", "day", "night", "night", "day", "night"]


def test_levels_of_names_numbers_and_gaps() -> None:
    names = levels("light", ["b", None, "a", "", "b"], 5)
    assert (names.names, names.codes.tolist()) == (("(empty)", "a", "b", "missing"), [2, 3, 1, 0, 2])
    assert levels("share", [0.0, 0.5, 0.5], 3).names == ("0", "0.5")
    assert len(set(levels("close", [1.0, 1 + 1e-9], 2).names)) == 2
    few = levels("blinks", [2, 0, 2, 1], 4)
    assert (few.names, few.codes.tolist()) == (("0", "1", "2"), [2, 0, 2, 1])
    many = levels("yaw", [*range(8), np.nan], 9, bins=4)
    assert many.names == ("0 to 1", "2 to 3", "4 to 5", "6 to 7", "missing")
    assert many.codes.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4]
    assert levels("truth", [True, False, True], 3).names == ("False", "True")
    close = levels("x", 1 + np.arange(8) * 1e-5, 8, bins=2)
    assert len(set(close.names)) == 2


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.integers(2, 6))
def test_bins_are_ranges_without_overlap(values: list[int], bins: int) -> None:
    found = levels("x", values, len(values), bins)
    array = np.array(values)
    assert len(found.names) <= max(bins, 1)
    ends = [(array[found.codes == i].min(), array[found.codes == i].max()) for i in range(len(found.names))]
    assert all(a[1] < b[0] for a, b in pairwise(ends))


def test_slices_by_hand() -> None:
    result = slice_metrics({"m": PREDICTED}, LABELS, {"light": LIGHT})
    day, night = result.models["m"]
    assert (day.name, day.n, day.war.value) == ("light = day", 3, 1)
    assert (night.n, night.war.value) == (3, pytest.approx(1 / 3))
    # recalls 3/4 and 1/2: each light has two clips of the first class and one of the second
    assert night.expected == pytest.approx((0.75 + 0.75 + 0.5) / 3)
    assert night.gap == pytest.approx(1 / 3 - 2 / 3)
    assert np.isnan(night.p)
    grouped = slice_metrics({"m": PREDICTED}, LABELS, {"light": LIGHT}, groups=list("aabbcc")).models["m"]
    assert grouped[0].n_groups == 2
    wilson = grouped[0].war  # all right, two persons: 2 / (2 + z²)
    assert (wilson.low, wilson.high) == (pytest.approx(2 / (2 + 1.959964**2), abs=1e-5), 1)
    alone = slice_metrics({"m": PREDICTED}, LABELS, {"person": list("aabbcc")}, groups=list("aabbcc")).models["m"]
    assert np.isnan(alone[0].war.low)
    json.dumps(result.to_dict(), allow_nan=False)


def planted(seed: int, fault: float) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """400 clips of 4 classes, 80 % right; less so where it is dark and the head is turned."""
    rng = np.random.default_rng(seed)
    labels = np.arange(400) % 4
    factors = {
        "light": rng.choice(["day", "dusk", "night"], 400),
        "yaw": rng.normal(size=400),
        "age": rng.integers(20, 60, 400),
        "same": np.zeros(400),
    }
    bad = (factors["light"] == "night") & (factors["yaw"] > np.quantile(factors["yaw"], 0.75))
    right = rng.uniform(size=400) < np.where(bad, 0.8 - fault, 0.8)
    return np.where(right, labels, (labels + 1) % 4), labels, factors


def test_a_planted_pair_is_found() -> None:
    predicted, labels, factors = planted(0, 0.6)
    result = bad_slices(predicted, labels, factors)
    worst = result.found[0]
    assert {factor for factor, _ in worst.terms} == {"light", "yaw"}
    assert dict(worst.terms)["light"] == "night"
    assert worst.gap < -0.4
    assert worst.p <= worst.p_adjusted <= 0.05
    assert all(item.n >= 20 and item.n <= 380 for item in result.slices)
    assert not any("same" in dict(item.terms) for item in result.slices)
    assert bad_slices(predicted, labels, factors, SearchOptions(seed=4)) == bad_slices(
        predicted, labels, factors, SearchOptions(seed=4)
    )


def test_a_hard_class_is_no_bad_slice_unless_asked_for() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 100)
    predicted = np.where(rng.uniform(size=200) < np.array([0.95, 0.4])[labels], labels, 1 - labels)
    factor = {"copy of the class": np.where(labels == 0, "x", "y")}
    assert bad_slices(predicted, labels, factor).found == ()
    assert bad_slices(predicted, labels, factor).slices[0].gap == pytest.approx(0)
    assert bad_slices(predicted, labels, factor, SearchOptions(against="all")).found[0].terms == (("copy of the class", "y"),)


def test_false_alarms_are_rare() -> None:
    """No fault: at a level of 5 %, a search of some 50 slices should find one in at most 1 of 20 data sets; 200 data sets."""
    alarms = sum(bool(bad_slices(*planted(seed, 0), SearchOptions(n_draws=400)).found) for seed in range(200))
    assert alarms / 200 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


def test_false_alarms_of_persons_need_groups() -> None:
    """Skill differs between persons, and so does the factor: clips alone would cry wolf, persons do not."""
    alone, grouped = 0, 0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        person = np.repeat(np.arange(30), 12)
        labels = np.tile(np.arange(4), 90)
        skill = rng.beta(2, 1, 30)
        predicted = np.where(rng.uniform(size=360) < skill[person], labels, (labels + 1) % 4)
        factors = {"skin": rng.choice(["a", "b", "c"], 30)[person], "beard": rng.choice(["yes", "no"], 30)[person]}
        alone += bool(bad_slices(predicted, labels, factors, SearchOptions(n_draws=200)).found)
        grouped += bool(bad_slices(predicted, labels, factors, SearchOptions(n_draws=200), groups=person).found)
    assert grouped / 120 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 120)
    assert alone / 120 > 0.3


def test_all_right_is_stated() -> None:
    result = bad_slices(np.zeros(60, int), np.zeros(60, int), {"x": np.arange(60) % 2})
    assert result.found == ()
    assert "all 60 clips are right: no slice can differ" in result.notes


@pytest.mark.parametrize(
    ("factors", "search", "message"),
    [
        ({}, {}, "no factor to slice by"),
        ({"light": LIGHT[:-1]}, {}, r"factor light has shape \(5,\) for 6 clips"),
        ({"id": list("abcdef")}, {}, "factor id has another value in each of the 6 clips"),
        ({"x": [0, 1, 2, 3, 4, np.inf]}, {}, "factor x holds infinity"),
        ({"light": LIGHT}, {"bins": 1}, "bins is 1"),
        ({"light": LIGHT}, {"min_n": 4}, "no slice has 4 clips of 6"),
        ({"light": LIGHT}, {"min_n": 1}, "min_n 1"),
        ({"light": LIGHT}, {"level": 0}, "level 0"),
    ],
)
def test_bad_input(factors: dict, search: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        bad_slices(PREDICTED, LABELS, factors, SearchOptions(**{"min_n": 2, **search}))


def test_one_group_alone() -> None:
    with pytest.raises(InputError, match="all clips are in group"):
        bad_slices(PREDICTED, LABELS, {"light": LIGHT}, SearchOptions(min_n=2), groups=np.zeros(6))


def test_no_model() -> None:
    with pytest.raises(InputError, match="no model to slice"):
        slice_metrics({}, LABELS, {"light": pd.Series(LIGHT)})

"""Places of a split: occupancy, awareness and agreement by hand, against a published table, and against planted effects."""

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ifdd.errors import InputError
from workbench.analysis.splits.places import awareness, motion_agreement, moved, occupancy
from workbench.results.bootstrap import jackknife

SHROUT_FLEISS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)
"""Shrout and Fleiss 1979, table 2: six targets, four judges; ICC(1, 1) = 0.17 in their table 4."""


def reading(frames: list[list[int]], steps: int = 4) -> np.ndarray:
    """Weights (n, K, T') of steps that each read one whole frame."""
    return np.eye(steps)[np.array(frames)]


def test_icc_is_the_published_one() -> None:
    found = awareness(SHROUT_FLEISS[:, :, None])
    assert round(found.icc.value, 2) == 0.17
    assert (found.clips, found.copies) == (6, 4)
    between, within = 11.24, 6.26  # mean squares, from the same paper
    assert found.within**2 == pytest.approx(within, abs=0.01)
    assert found.between**2 == pytest.approx((between - within) / 4, abs=0.01)


def test_copies_that_read_alike_are_fully_aware_and_random_ones_not() -> None:
    rng = np.random.default_rng(0)
    own = np.repeat(rng.normal(size=(30, 1, 4)), 3, axis=1)
    assert awareness(own).icc.value == pytest.approx(1)
    chance = awareness(rng.normal(size=(300, 3, 4)))
    assert chance.icc.low < 0 < chance.icc.high
    assert chance.between < 0.2


def test_components_are_those_planted() -> None:
    rng = np.random.default_rng(1)
    places = 0.5 * rng.normal(size=(2000, 1, 3)) + 0.2 * rng.normal(size=(2000, 4, 3))
    found = awareness(places)
    assert found.between == pytest.approx(0.5, rel=0.03)
    assert found.within == pytest.approx(0.2, rel=0.03)
    assert found.icc.low < 0.25 / 0.29 < found.icc.high


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 9), st.floats(-5, 5))
def test_icc_knows_no_unit_and_no_origin(seed: int, scale: float, shift: float) -> None:
    places = np.random.default_rng(seed).normal(size=(7, 3, 2)) + np.arange(7)[:, None, None]
    assert awareness(scale * places + shift).icc.value == pytest.approx(awareness(places).icc.value)


def test_places_that_never_move_are_undefined() -> None:
    found = awareness(np.tile([0.3, 2.1], (5, 3, 1)))
    assert np.isnan(found.icc.value)
    assert (found.between, found.within) == (0, 0)
    with pytest.raises(InputError, match="of 1 clips and 3 copies"):
        awareness(np.zeros((1, 3, 2)))
    with pytest.raises(InputError, match="places holds NaN"):
        awareness(np.full((2, 2, 2), np.nan))


def test_persons_are_drawn_whole() -> None:
    rng = np.random.default_rng(2)
    places = np.repeat(rng.normal(size=(8, 1, 1)), 10, axis=0) + 0.5 * rng.normal(size=(80, 3, 1))
    apart = awareness(places).icc
    together = awareness(places, groups=np.repeat(np.arange(8), 10)).icc
    assert together.high - together.low > 1.5 * (apart.high - apart.low)


def test_occupancy_by_hand() -> None:
    dynamic = reading([[1, 3], [1, 1], [0, 2]])
    static = reading([[0, 2], [0, 2], [0, 2]])
    found = occupancy(dynamic, static, [0, 0, 2], ("happy", "sad", "angry"))
    np.testing.assert_array_equal(found.dynamic[0], [0, 1.5, 0, 0.5])
    np.testing.assert_array_equal(found.dynamic[2], [1, 0, 1, 0])
    assert np.isnan(found.dynamic[1]).all()
    np.testing.assert_array_equal(found.static[0], [1, 0, 1, 0])
    np.testing.assert_array_equal(found.counts, [2, 0, 1])
    assert (found.dynamic_bounds[0, 0] <= found.dynamic[0]).all()
    assert (found.dynamic_bounds[1, 0] >= found.dynamic[0]).all()
    with pytest.raises(InputError, match=r"labels\[2\] is 3"):
        occupancy(dynamic, static, [0, 0, 3], ("happy", "sad", "angry"))


def test_class_share_is_one_where_the_class_decides_and_chance_where_not() -> None:
    labels = np.repeat([0, 1], 50)
    static = reading([[0, 2]] * 100)
    decided = occupancy(reading([[1, 3]] * 50 + [[1, 1]] * 50), static, labels, ("a", "b"))
    assert decided.class_share.value == pytest.approx(1)
    assert decided.class_null < 0.05
    rng = np.random.default_rng(0)
    free = occupancy(reading(rng.integers(0, 4, (100, 2)).tolist()), static, labels, ("a", "b"))
    assert free.class_share.low < free.class_null < free.class_share.high
    assert free.class_share.value < 0.05
    assert np.isnan(occupancy(reading([[1, 3]] * 4), reading([[0, 2]] * 4), [0, 1, 0, 1], ("a", "b")).class_share.value)


def test_the_null_of_the_class_share_keeps_persons_together() -> None:
    """Persons who show one class each and read each at their own places: classes lie as far apart as persons do."""
    rng = np.random.default_rng(5)
    persons = np.repeat(np.arange(12), 10)
    own = rng.integers(0, 4, (12, 2))[persons]
    found = occupancy(reading(own.tolist()), reading([[0, 2]] * 120), (persons % 3).tolist(), ("a", "b", "c"), groups=persons)
    clip_by_clip = occupancy(reading(own.tolist()), reading([[0, 2]] * 120), (persons % 3).tolist(), ("a", "b", "c"))
    assert found.class_null > 0.1 > clip_by_clip.class_null
    assert found.class_share.high - found.class_share.low > clip_by_clip.class_share.high - clip_by_clip.class_share.low


@pytest.mark.parametrize("groups", [None, np.repeat(np.arange(20), 3)])
def test_awareness_of_other_clips_copies_is_nothing_and_of_told_places_all(groups: np.ndarray | None) -> None:
    rng = np.random.default_rng(6)
    places = rng.normal(size=(60, 1, 4)) + 0.3 * rng.normal(size=(60, 4, 4))
    found = awareness(places, groups=groups)
    assert found.told == pytest.approx(1)
    assert abs(found.null) < 0.05 < 0.8 < found.icc.value < found.told
    assert awareness(places + 5, groups=groups).null == pytest.approx(found.null)


def test_motion_told_is_the_most_and_other_peoples_is_chance() -> None:
    """By hand: the two frames with the most of (4, 3, 2, 1) and (1, 2, 3, 4) hold 7/2 over a mean of 5/2, the others 3/2."""
    energy = np.array([[4.0, 3, 2, 1], [1, 2, 3, 4]] * 10)
    persons = np.repeat(np.arange(10), 2)
    found = motion_agreement(reading([[0, 1], [2, 3]] * 10), reading([[2, 3], [0, 1]] * 10), energy, groups=persons)
    assert (found.energy_D_told, found.energy_S_told) == pytest.approx((1.4, 0.6))
    assert (found.energy_D.value, found.energy_S.value) == pytest.approx((1.4, 0.6))
    assert found.told == pytest.approx(found.correlation.value) == pytest.approx(np.corrcoef([1, 1, -1, -1], energy[0])[0, 1])
    assert abs(found.null) < 0.4
    assert found.energy_D_null == pytest.approx(1, abs=0.2)
    assert found.energy_D_null + found.energy_S_null == pytest.approx(2)


def test_reading_where_the_picture_changes() -> None:
    rng = np.random.default_rng(4)
    peaks = rng.integers(0, 4, 40)
    energy = 0.1 + np.eye(4)[peaks]
    found = motion_agreement(reading([[p, p] for p in peaks.tolist()]), reading([[0, 2]] * 40), energy)
    assert found.correlation.value > 0.7
    assert abs(found.null) < 0.15
    assert found.energy_D.value == pytest.approx(1.1 / 0.35)  # the peak over the mean
    assert found.energy_S.value == pytest.approx(np.mean([(energy[i, 0] + energy[i, 2]) / 2 / 0.35 for i in range(40)]))


def test_position_alone_agrees_as_much_as_its_null() -> None:
    energy = np.tile([0.0, 1, 0, 1], (10, 1))
    found = motion_agreement(reading([[1, 3]] * 10), reading([[0, 2]] * 10), energy)
    assert found.correlation.value == pytest.approx(1)
    assert found.null == pytest.approx(1)


def test_clips_without_motion_are_left_out() -> None:
    energy = np.array([[0, 1, 0, 1], [0, 0, 0, 0]], float)
    found = motion_agreement(reading([[1, 3]] * 2), reading([[0, 2]] * 2), energy)
    assert found.clips == 1
    assert found.energy_D.value == 2
    with pytest.raises(InputError, match=r"pass \(2, 4\)"):
        motion_agreement(reading([[1, 3]] * 2), reading([[0, 2]] * 2), energy[:, :2])


def test_moved_is_the_mean_distance() -> None:
    before = np.zeros((2, 2))
    assert moved(before, np.array([[1.0, -1], [0, 0.5]])).value == pytest.approx((1 + 0.25) / 2)


def test_the_interval_of_the_class_share_is_a_jackknife_over_persons() -> None:
    rng = np.random.default_rng(3)
    persons, labels = np.repeat(np.arange(12), 5), rng.integers(3, size=60)
    reads = reading(rng.integers(4, size=(60, 2)).tolist())
    lean = (reads - (1 - reads)).sum(1)

    def share(rows: np.ndarray) -> float:
        """η² as in a textbook, class by class."""
        kept, named = lean[rows], labels[rows]
        between = sum((named == c).sum() * ((kept[named == c].mean(0) - kept.mean(0)) ** 2).sum() for c in range(3))
        return float(between / ((kept - kept.mean(0)) ** 2).sum())

    found = occupancy(reads, 1 - reads, labels, ("a", "b", "c"), groups=persons).class_share
    assert astuple(found) == pytest.approx(astuple(jackknife(share, persons, 0, 1)), abs=1e-12)

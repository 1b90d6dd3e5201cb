"""Seconds from stamps that miss, repeat, run ahead and begin anew: closed forms."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ifdd.data.video.stamps import AHEAD, steady, usual_gap

STEP = 0.04
GAPS = st.lists(st.floats(0.005, 3.0), min_size=1, max_size=40)


def seconds_of(stamps: list[float | None], longest: float = np.inf) -> np.ndarray:
    found = list(steady(((stamp, index) for index, stamp in enumerate(stamps)), STEP, longest))
    assert [item for _, item in found] == list(range(len(stamps)))
    seconds = np.array([now for now, _ in found])
    assert (np.diff(seconds) > 0).all()
    assert not len(seconds) or seconds[0] == 0
    return seconds


@given(GAPS, st.floats(-1e5, 1e5))
def test_stamps_that_increase_are_kept_whatever_they_begin_with(gaps: list[float], origin: float) -> None:
    stamps = origin + np.concatenate([[0], np.cumsum(gaps)])
    np.testing.assert_allclose(seconds_of(stamps.tolist()), stamps - origin, atol=1e-9)


@given(GAPS, st.data())
def test_one_wrong_stamp_moves_no_other_frame(gaps: list[float], data: st.DataObject) -> None:
    """Late, early, the same as its neighbour, or not there at all."""
    truth = np.concatenate([[0], np.cumsum(gaps)])
    at = data.draw(st.integers(1, len(truth) - 1))
    wrong = data.draw(st.one_of(st.none(), st.floats(-50, 300), st.just(float(truth[at - 1]))))
    # of two frames one cannot tell which is wrong, and the last frame may come late
    assume(at < len(truth) - 2 and (wrong is None or wrong <= truth[at - 1] or wrong > truth[at + 2]))
    stamps = truth.tolist()
    stamps[at] = wrong
    seconds = seconds_of(stamps)
    others = np.arange(len(truth)) != at
    np.testing.assert_allclose(seconds[others], truth[others], atol=1e-9)
    assert truth[at - 1] < seconds[at] < truth[at + 1]


@pytest.mark.parametrize("run", [1, 2, 3])
def test_a_few_stamps_that_run_ahead_do_not_shift_the_clock(run: int) -> None:
    truth = STEP * np.arange(40)
    stamps = truth.copy()
    stamps[10 : 10 + run] += 1000
    np.testing.assert_allclose(seconds_of(stamps.tolist()), truth, atol=1e-9)


@given(st.integers(2, 30), st.integers(AHEAD + 1, 30), st.floats(0.5, 90000))
def test_a_clock_that_begins_anew_goes_on_where_it_was(before: int, after: int, back: float) -> None:
    """As FFmpeg joins them: one frame after the other."""
    first, second = STEP * np.arange(before), STEP * np.arange(after)
    assume(back > STEP * after)
    np.testing.assert_allclose(seconds_of([*first, *(first[-1] - back + second)]), STEP * np.arange(before + after), atol=1e-6)


def test_a_pause_is_a_pause_unless_it_is_too_long_for_the_container() -> None:
    stamps = [*(STEP * np.arange(10)), *(100 + STEP * np.arange(10))]
    np.testing.assert_allclose(seconds_of(stamps), stamps)
    np.testing.assert_allclose(seconds_of(stamps, longest=10), STEP * np.arange(20))
    short = [*(STEP * np.arange(10)), *(9 + STEP * np.arange(10))]
    np.testing.assert_allclose(seconds_of(short, longest=10), short)


@pytest.mark.parametrize("first", [1000.0, 0.5, 0.16, None])
def test_a_wrong_first_stamp_moves_no_other_frame(first: float | None) -> None:
    seconds = seconds_of([first, *(STEP * np.arange(1, 30))])
    np.testing.assert_allclose(np.diff(seconds), STEP)


def test_stamps_of_which_each_stands_for_several_frames() -> None:
    for times in (2, 3):
        seconds = seconds_of(np.repeat(STEP * np.arange(40), times).tolist())
        np.testing.assert_allclose(seconds[::times], STEP * np.arange(40), atol=1e-9)


def test_no_stamps_at_all_are_frames_of_the_usual_length() -> None:
    np.testing.assert_allclose(seconds_of([None] * 20), STEP * np.arange(20))
    np.testing.assert_allclose(seconds_of([None, None, 7.0, 7.04]), STEP * np.arange(4))
    assert len(seconds_of([])) == 0


def test_twenty_equal_stamps_do_not_shift_what_follows() -> None:
    stamps = [0.0, *[0.04] * 20, *(2 + STEP * np.arange(10))]
    np.testing.assert_allclose(seconds_of(stamps)[21:], stamps[21:], atol=1e-9)
    stamps = [0.0, *[0.04] * 20, *(0.08 + STEP * np.arange(60))]  # no room for them: the clock catches up
    np.testing.assert_allclose(seconds_of(stamps)[-5:], stamps[-5:], atol=1e-9)


@given(st.lists(st.one_of(st.none(), st.floats(-10, 10), st.sampled_from([0.0, 1e5])), max_size=60))
def test_any_stamps_give_seconds_that_increase(stamps: list[float | None]) -> None:
    seconds_of(stamps)


def test_what_the_frames_raise_comes_after_those_that_are_whole() -> None:
    def frames() -> Iterator[tuple[float | None, int]]:
        yield from ((STEP * index, index) for index in range(5))
        raise ValueError("broken")

    found = []
    with pytest.raises(ValueError, match="broken"):
        found.extend(index for _, index in steady(frames(), STEP))
    assert found == [0, 1, 2, 3, 4]


def test_the_usual_gap() -> None:
    assert usual_gap([0, 0.1, 0.2, 5.0, 5.1], 0.04) == pytest.approx(0.1)
    assert usual_gap([3.0], 0.04) == 0.04

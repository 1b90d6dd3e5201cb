"""Which frames a clip shows: random in training, fixed where a model is scored."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ifdd.data.clips import frames_shown
from ifdd.data.sampling import CENTRES, Rule, Take, frames_taken


def taken(count: int, frames: int, rule: Rule, take: Take = CENTRES, clip: int = 7) -> np.ndarray:
    """Of a folder of frames, 25 a second."""
    return frames_taken(np.arange(count) / 25, 0.0, count / 25, frames, rule, take, clip)


def test_centres_are_those_that_all_other_clips_show() -> None:
    for count in (2, 7, 16, 17, 100):
        centres = (2 * np.arange(16) + 1) / 32 * count  # in frames, as long as there are enough of them
        expected = np.floor(centres + 1e-3).astype(int) if count >= 16 else np.minimum(np.arange(16), count - 1)
        for sampling in ("centres", "segments", "window", "reference"):
            np.testing.assert_array_equal(taken(count, 16, Rule(sampling)), expected)  # type: ignore[arg-type]
    assert taken(40, 16, Rule("centres"), Take(3)).tolist() == taken(40, 16, Rule("centres")).tolist()


@given(st.integers(8, 200), st.integers(0, 50))
def test_segments_hold_one_frame_each(count: int, epoch: int) -> None:
    found = taken(count, 8, Rule("segments"), Take(epoch))
    edges = np.arange(9) * count / 8
    assert (found >= np.floor(edges[:-1])).all()
    assert (found <= np.ceil(edges[1:])).all()
    assert (np.diff(found) >= 0).all()


def test_segments_are_drawn_evenly() -> None:
    """The second segment of 8 in 40 frames has frames 5 to 9: each comes as often, by a χ² of 4 degrees of freedom."""
    drawn = [int(taken(40, 8, Rule("segments"), Take(epoch))[1]) for epoch in range(2000)]
    counts = np.bincount(drawn, minlength=10)[5:10]
    assert counts.sum() == 2000
    assert ((counts - 400) ** 2 / 400).sum() < 23.5  # p = 0.0001


@pytest.mark.parametrize(
    ("count", "stride", "starts", "step"),
    [(20, 1, 13, 1), (8, 1, 1, 1), (20, 2, 6, 2), (15, 2, 1, 2), (14, 2, 7, 1), (20, 9, 6, 2)],
)
def test_windows_begin_anywhere(count: int, stride: int, starts: int, step: int) -> None:
    found = [taken(count, 8, Rule("window", stride), Take(epoch)) for epoch in range(40 * starts)]
    assert {int(pick[0]) for pick in found} == set(range(starts))
    assert all((np.diff(pick) == step).all() and pick[-1] < count for pick in found)


@pytest.mark.parametrize(("count", "stride"), [(20, 1), (20, 2), (16, 2), (12, 2), (8, 1), (5, 1), (5, 2)])
def test_the_rule_of_the_released_code(count: int, stride: int) -> None:
    """`get_clip` of core/datasets/DFEW.py as it is meant: its IndexError never comes, so that it returns fewer frames."""
    frames, length = list(range(count)), 8 * stride
    possible = [frames[start : start + length : stride] for start in range(count - length + 1)]
    if not possible:
        possible = [(frames + [frames[-1]] * 8)[:8]]
    found = {tuple(taken(count, 8, Rule("reference", stride), Take(epoch)).tolist()) for epoch in range(60 * len(possible))}
    assert found == {tuple(pick) for pick in possible}


@pytest.mark.parametrize("sampling", ["segments", "window", "reference"])
def test_what_is_drawn_depends_on_seed_epoch_turn_and_clip(sampling: str) -> None:
    def draw(seed: int = 1, epoch: int = 2, turn: int = 0, clip: int = 3) -> list[int]:
        return taken(400, 16, Rule(sampling, 1, seed), Take(epoch, turn), clip).tolist()  # type: ignore[arg-type]

    assert draw() == draw()
    assert all(draw() != other for other in (draw(seed=2), draw(epoch=3), draw(turn=1), draw(clip=4)))


def test_views_lie_evenly() -> None:
    assert [taken(20, 8, Rule("window"), Take(view=view, views=3))[0] for view in range(3)] == [0, 6, 12]
    segments = [taken(80, 8, Rule("segments"), Take(view=view, views=2)) for view in range(2)]
    np.testing.assert_array_equal(segments[0], 10 * np.arange(8) + 2)
    np.testing.assert_array_equal(segments[1], 10 * np.arange(8) + 7)
    short = [taken(5, 8, Rule(sampling), Take(view=1, views=2)) for sampling in ("segments", "window", "reference")]  # type: ignore[arg-type]
    assert all(pick.tolist() == [0, 1, 2, 3, 4, 4, 4, 4] for pick in short)


def test_time_stamps_decide_where_frames_last_longer() -> None:
    seconds = np.array([0.0, 0.1, 0.2, 0.3, 2.0])  # the fourth frame lasts most of the time
    found = frames_taken(seconds, 0.0, 2.1, 4, Rule("segments"), Take(0), 1)
    assert found[1:3].tolist() == [3, 3]
    np.testing.assert_array_equal(frames_shown(seconds, 0.0, 2.1, 4), [2, 3, 3, 3])

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ifdd import InputError
from ifdd.data.clips import Clip
from workbench.analysis.saliency.results import SaliencyResult
from workbench.app.clipview import ClipView, Truth, votes_of
from workbench.app.every_frame import EveryFrame
from workbench.explain.results import Explanation, Timeline


def explanation(start: float = 0.0, frames: int = 4, note: str = "") -> Explanation:
    """A made-up clip of one second."""
    seconds = start + np.arange(frames) / frames
    index = np.arange(frames)
    pixels = np.zeros((frames, 8, 8, 3), np.uint8)
    notes = (note,) if note else ()
    clip = Clip(
        pixels, index, seconds, np.zeros((frames, 4)), np.ones(frames, bool), None, 0, Path("a.mp4"), start, start + 1, notes
    )
    heat = np.ones((1, frames, 8, 8), np.float32)
    result = SaliencyResult("pyramid.X", np.array([1]), "global", "clip", heat, heat, np.ones((1, frames), bool))
    probabilities, clips = np.array([0.25, 0.75]), {"clip": clip}
    return Explanation(
        Path("a.mp4"), "0", "model", ("sad", "happy"), probabilities, 1, clip, clips, {}, {"X": result}, None, None
    )


def test_one_player_for_one_stretch_steps_through_the_most_frames() -> None:
    view = ClipView({"a": explanation(frames=2), "b": explanation(frames=4)}, Truth("sad", np.array([0, 0.25, 0.5, 0.75])))
    (player,) = view.players()
    assert [group["title"] for group in player["groups"]] == ["input", "a", "b"]
    assert [group["hint"] for group in player["groups"]] == ["0.00 – 1.00 s", "happy 75 %", "happy 75 %"]
    assert player["seconds"] == player["tracks"][0]["levels"] == [0, 0.25, 0.5, 0.75]


def test_each_stretch_has_its_own_player() -> None:
    view = ClipView({"a": explanation(), "b": explanation(start=3), "c": explanation()})
    assert [[group["title"] for group in player["groups"]] for player in view.players()] == [["input", "a", "c"], ["input", "b"]]


def test_warnings_name_the_model_only_where_they_differ() -> None:
    both = ClipView({"a": explanation(note="lost"), "b": explanation(note="lost")})
    assert both.warnings == ("lost",)
    assert ClipView({"a": explanation(note="lost"), "b": explanation()}).warnings == ("a: lost",)


def test_what_a_model_has_not() -> None:
    view = ClipView({"a": explanation()})
    assert view.split_models() == view.windowed_models() == ()
    assert view.correlation("a") is None
    with pytest.raises(InputError, match="no split"):
        view.timeline("a")
    with pytest.raises(InputError, match="as a whole"):
        view.windows("a")


def test_windows() -> None:
    line = Timeline(np.array([0.0, 1.0]), np.array([1.0, 2.0]), np.array([[0.5, 0.5], [0.25, 0.75]]), 1)
    view = ClipView({"a": replace(explanation(), timeline=line)})
    assert view.windowed_models() == ("a",)
    np.testing.assert_array_equal(view.windows("a").centre, [0.5, 1.5])


def test_votes_of_people_are_shares_by_class() -> None:
    votes = votes_of({"clip_id": "a", "votes_sad": 3, "votes_happy": 1, "votes_fear": float("nan")})
    assert votes is not None
    assert votes.label_names == ("sad", "happy", "fear")
    assert votes.values.tolist() == [0.75, 0.25, 0]
    assert votes_of({"clip_id": "a", "votes_sad": 0}) is None
    assert votes_of({"clip_id": "a"}) is None


def test_a_player_of_every_frame_shows_the_map_nearest_in_time() -> None:
    asked = []

    def whole(path: Path, start: float, end: float) -> EveryFrame:
        asked.append((path, start, end))
        return EveryFrame(np.zeros((8, 4, 4, 3), np.uint8), np.arange(8) / 8, np.arange(8), 20)

    seen = ClipView({"a": explanation(frames=4), "b": explanation(frames=2)}, Truth("sad", np.linspace(0, 0.7, 8)))
    (player,) = seen.players(whole)
    assert asked == [(Path("a.mp4"), 0, 1)]
    assert [group["title"] for group in player["groups"]] == ["video", "input", "a", "b"]
    assert player["groups"][0]["hint"] == "0.00 – 1.00 s, 8 of 20 frames"
    assert player["seconds"] == [i / 8 for i in range(8)]
    assert player["video_index"] == list(range(8))
    assert player["tracks"][0]["levels"] == pytest.approx([i / 10 for i in range(8)])
    assert player["groups"][2]["panels"][0]["at"] == [0, 0, 1, 1, 2, 2, 3, 3]  # of two as near the earlier
    assert player["groups"][3]["panels"][0]["at"] == [0, 0, 0, 1, 1, 1, 1, 1]

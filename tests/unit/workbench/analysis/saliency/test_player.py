import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from ifdd import InputError
from workbench.analysis.saliency.displays.heat import badge_colour
from workbench.analysis.saliency.displays.player import Group, Panel, input_group, map_group, player_data, sprite
from workbench.analysis.saliency.results import SaliencyResult, Verdict
from workbench.app.clipview import Truth, read_truth, shrink
from workbench.plotting.probabilities import Probabilities, ProbabilityDisplay
from workbench.plotting.style import class_colour


def frames(count: int, height: int = 8, width: int = 12) -> np.ndarray:
    """Frame i is gray 10·i."""
    return np.repeat(10 * np.arange(count, dtype=np.uint8), height * width * 3).reshape(count, height, width, 3)


def maps(count: int, normalise: str = "clip", top: float = 1.0) -> dict[str, SaliencyResult]:
    heat = np.zeros((1, count, 8, 12), np.float32)
    heat[0, 0, 0, 0] = top
    read = np.ones((1, count), bool)
    read[0, -1] = False
    return {"D": SaliencyResult("ladm.Y_D", np.array([0]), "global", normalise, heat, heat, read)}


def decode(uri: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",", 1)[1]))))


def test_sprite_holds_the_frames_side_by_side() -> None:
    picture = decode(sprite(frames(5)))
    assert picture.shape == (8, 60, 3)
    for i in range(5):
        assert np.abs(picture[:, 12 * i + 4 : 12 * i + 8].astype(int) - 10 * i).max() <= 3  # WebP is lossy


def test_large_frames_are_made_smaller() -> None:
    assert decode(sprite(frames(2, 512, 1024))).shape == (128, 512, 3)


def test_data_is_plain_json_and_named_by_its_content() -> None:
    seconds = np.arange(4) / 2
    groups = [input_group(frames(4), seconds), map_group("model", "happy", frames(4), seconds, maps(4), "happy")]
    data = player_data(groups, np.arange(4), np.array([0, 0.5, 1, 0.5]))
    assert json.loads(json.dumps(data)) == data
    assert data["id"] == player_data(groups, np.arange(4), np.array([0, 0.5, 1, 0.5]))["id"]
    assert data["id"] != player_data(groups, np.arange(4))["id"]
    assert data["groups"][1]["panels"][0]["read"] == [True, True, True, False]
    assert data["legend"]["hatched"]
    assert data["groups"][0]["panels"][0]["aspect"] == "12 / 8"


def test_other_frame_rates_show_the_frame_nearest_in_time() -> None:
    coarse = Panel("coarse", "", frames(2), np.array([0.25, 1.25]), np.ones(2, bool))
    groups = [input_group(frames(4), np.array([0, 0.5, 1.0, 1.5])), Group("other", "", (coarse,))]
    assert player_data(groups, range(4))["groups"][1]["panels"][0]["at"] == [0, 0, 1, 1]


def test_frames_that_repeat_a_picture_keep_their_own_maps() -> None:
    """A short clip repeats its last frame, and a held frame is sampled again: one time stamp, several maps."""
    seconds = np.array([0.0, 0.04, 0.04, 0.04])
    data = player_data([input_group(frames(4), seconds)], np.array([0, 1, 1, 1]))
    assert data["groups"][0]["panels"][0]["at"] == [0, 1, 2, 3]


def test_unscaled_maps_state_their_peak() -> None:
    note = map_group("model", "", frames(4), np.arange(4.0), maps(4, "none", 0.0321), "happy").note
    assert "strongest colour: 0.0321" in note


def test_without_maps_there_is_no_legend() -> None:
    assert player_data([input_group(frames(3), np.arange(3.0))], range(3))["legend"] is None


def test_lengths_must_fit() -> None:
    groups = [input_group(frames(3), np.arange(3.0))]
    with pytest.raises(InputError, match="video_index has 2"):
        player_data(groups, [0, 1])
    with pytest.raises(InputError, match="intensity has 1"):
        player_data(groups, range(3), np.zeros(1))
    with pytest.raises(InputError, match="nothing to show"):
        player_data([], [])


def test_truth_is_by_frame(tmp_path) -> None:
    np.savez(tmp_path / "truth.npz", seconds=np.array([0.0, 1.0]), intensity=np.array([0.0, 1.0]))
    truth = read_truth("happy", tmp_path / "truth.npz")
    assert truth.intensity_of(np.array([1, 0])).tolist() == [1, 0]
    assert Truth("happy").intensity_of(np.arange(2)) is None


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut short"])
def test_damaged_truth(tmp_path, content: bytes) -> None:
    (tmp_path / "truth.npz").write_bytes(content)
    with pytest.raises(InputError, match="make it again"):
        read_truth("happy", tmp_path / "truth.npz")


def test_shrink_keeps_the_shape() -> None:
    assert shrink(frames(1, 300, 200)[0], 60).shape == (60, 40, 3)


def test_probabilities_mark_the_true_class() -> None:
    results = {"a": Probabilities(np.array([0.2, 0.8]), ("sad", "happy")), "b": Probabilities(np.array([1.0]), ("fear",))}
    figure = ProbabilityDisplay.from_result(results, truth="happy").to_plotly()
    assert [list(bars.y) for bars in figure.data] == [["sad", "happy (true)"], ["fear"]]
    assert list(figure.data[0].marker.color) == [class_colour("sad"), class_colour("happy")]
    np.testing.assert_array_equal(figure.data[0].x, [0.2, 0.8])


def test_probabilities_are_saved(tmp_path) -> None:
    display = ProbabilityDisplay.from_result({"a": Probabilities(np.array([0.2, 0.8]), ("sad", "happy"))}, truth="sad")
    text = display.save(tmp_path / "bars.svg").read_text()
    assert "sad (true)" in text
    assert "0.80" in text
    with pytest.raises(InputError):
        ProbabilityDisplay({})


def test_a_map_that_was_tested_wears_its_verdict() -> None:
    seconds = np.arange(4) / 2
    verdict = Verdict("gradcam", "ladm.Y_D", False, ("likeness 0.9",), ("parameter randomisation",))
    group = map_group("model", "happy", frames(4), seconds, maps(4), "happy", verdicts={"D": verdict})
    badges = [
        panel["badge"] for g in player_data([input_group(frames(4), seconds), group], range(4))["groups"] for panel in g["panels"]
    ]
    assert badges == [None, {"text": "fails: parameter randomisation", "colour": badge_colour(verdict)}]

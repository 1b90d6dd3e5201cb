import base64
import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ifdd import InputError
from workbench.analysis.saliency.displays.heat import badge_colour
from workbench.analysis.saliency.displays.player import (
    UNTESTED,
    Group,
    Panel,
    Track,
    difference_group,
    input_group,
    map_group,
    player_data,
    split_track,
    sprite,
)
from workbench.analysis.saliency.results import DifferenceResult, SaliencyResult, Verdict
from workbench.analysis.splits.results import SplitResult
from workbench.app.clipview import Truth, read_truth, shrink
from workbench.plotting.probabilities import Probabilities, ProbabilityDisplay
from workbench.plotting.style import class_colour
from workbench.results.provenance import record


def frames(count: int, height: int = 8, width: int = 12) -> np.ndarray:
    """Frame i is gray 10·i."""
    return np.repeat(10 * np.arange(count, dtype=np.uint8), height * width * 3).reshape(count, height, width, 3)


def maps(count: int, normalise: str = "clip", top: float = 1.0) -> dict[str, SaliencyResult]:
    heat = np.zeros((1, count, 8, 12), np.float32)
    heat[0, 0, 0, 0] = top
    read = np.ones((1, count), bool)
    read[0, -1] = False
    return {"D": SaliencyResult("ladm.Y_D", np.array([0]), "global", normalise, heat, heat, read)}


def tile(sheet: dict[str, Any], number: int) -> np.ndarray:
    """One tile of a sprite, (h, w, 3)."""
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(sheet["uri"].split(",", 1)[1]))).convert("RGB"))
    row, column = divmod(number, sheet["columns"])
    height, width = sheet["height"], sheet["width"]
    assert picture.shape[1] == width * sheet["columns"]
    return picture[row * height : (row + 1) * height, column * width : (column + 1) * width]


@pytest.mark.parametrize("count", [1, 5, 300])
def test_sprite_holds_every_frame_in_a_tile(count: int) -> None:
    images = frames(count) if count < 26 else np.arange(count).repeat(8 * 12 * 3).reshape(count, 8, 12, 3).astype(np.uint8)
    sheet = sprite(images, 256)
    assert (sheet["count"], sheet["width"], sheet["height"]) == (count, 12, 8)
    for i in range(count):
        assert np.abs(tile(sheet, i)[3:5, 4:8].astype(int) - images[i, 0, 0, 0]).max() <= 12  # WebP is lossy


def test_an_exact_sprite_loses_nothing() -> None:
    values = np.random.default_rng(0).integers(0, 256, (7, 6, 5), np.uint8)
    sheet = sprite(values, 256, exact=True)
    for i in range(7):
        np.testing.assert_array_equal(tile(sheet, i)[..., 0], values[i])


def test_large_frames_are_made_smaller() -> None:
    sheet = sprite(frames(2, 512, 1024), 256)
    assert (sheet["width"], sheet["height"]) == (256, 128)


def test_many_frames_stay_below_what_a_picture_may_measure() -> None:
    sheet = player_data([input_group(frames(300, 224, 224), np.arange(300.0))], range(300))["pictures"][0]
    assert sheet["width"] * sheet["columns"] < 16_384  # of WebP
    assert sheet["height"] * -(-300 // sheet["columns"]) < 16_384


def test_data_is_plain_json_and_named_by_its_content() -> None:
    seconds = np.arange(4) / 2
    groups = [input_group(frames(4), seconds), map_group("model", "happy", frames(4), seconds, maps(4), "happy")]
    data = player_data(groups, np.arange(4), np.array([0, 0.5, 1, 0.5]))
    assert json.loads(json.dumps(data)) == data
    assert data["id"] == player_data(groups, np.arange(4), np.array([0, 0.5, 1, 0.5]))["id"]
    assert data["id"] != player_data(groups, np.arange(4))["id"]
    assert data["groups"][1]["panels"][0]["read"] == [True, True, True, False]
    assert data["start"] == 2  # where the expression is strongest
    assert data["tracks"][0]["levels"] == [0, 0.5, 1, 0.5]


def test_panels_of_the_same_frames_share_a_picture() -> None:
    seconds = np.arange(4) / 2
    groups = [input_group(frames(4), seconds), map_group("model", "happy", frames(4), seconds, maps(4), "happy")]
    data = player_data(groups, np.arange(4))
    assert len(data["pictures"]) == 1
    assert [panel["picture"] for group in data["groups"] for panel in group["panels"]] == [0, 0]
    heat = data["groups"][1]["panels"][0]["heat"]
    assert tile(heat, 0)[0, 0].tolist() == [255] * 3
    assert not tile(heat, 1).any()
    assert len(data["colourmaps"]["inferno"]) == 256 * 6
    assert not data["signed_colourmaps"]


def test_a_difference_is_signed() -> None:
    signed = np.zeros((1, 2, 8, 12), np.float32)
    signed[0, 0, 0, 0], signed[0, 1, 0, 0] = 2, -1
    source = record("difference of maps", {}, {})
    result = DifferenceResult(("a", "b"), signed, np.ones((1, 2), bool), np.ones(1), np.ones(1), (), source)
    data = player_data([difference_group("a − b", frames(2), np.arange(2.0), result)], range(2))
    heat = data["groups"][0]["panels"][0]["heat"]
    assert heat["signed"]
    assert tile(heat, 0)[0, 0, 0] == 255
    assert tile(heat, 1)[0, 0, 0] == 64  # half the strongest, on the other side of 128
    assert tile(heat, 1)[5, 5, 0] == 128
    assert "±2" in data["notes"][0]
    assert data["signed_colourmaps"]
    assert not data["colourmaps"]


def test_marks_of_a_split_are_on_the_players_clock() -> None:
    places = np.array([[0.0, 1.0]])
    names = [f"{what}_{group}" for what in ("initial", "offset", "position", "sample") for group in "SD"]
    weights = np.zeros((1, 2, 4))
    split = SplitResult(**dict.fromkeys(names, places), weights_S=weights, weights_D=weights, correlation=None, frames=16)
    seconds = np.arange(16) / 8
    assert [mark.at for mark in split_track("m", split, seconds, seconds).marks] == [(0, 2), (0, 2)]  # two frames a feature frame
    faster = np.arange(32) / 16
    assert [mark.at for mark in split_track("m", split, seconds, faster).marks] == [(0, 4), (0, 4)]
    with pytest.raises(InputError, match="talking has 3 entries for 4 frames"):
        player_data([input_group(frames(4), np.arange(4.0))], range(4), tracks=[Track("talking", levels=np.zeros(3))])


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


def test_without_maps_there_is_nothing_to_colour() -> None:
    data = player_data([input_group(frames(3), np.arange(3.0))], range(3))
    assert not data["notes"]
    assert not data["colourmaps"]


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
    assert figure.layout.yaxis.title.text == "class"
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
    group = map_group("model", "happy", frames(4), seconds, maps(4), "happy", verdicts={})
    assert group.panels[0].badge == UNTESTED


def test_a_few_strong_pixels_leave_the_others_to_be_seen() -> None:
    heat = np.full((1, 4, 8, 12), 0.1, np.float32)
    heat[0, 0, 0, 0] = 1
    result = SaliencyResult("input", np.array([0]), "position", "clip", heat, heat, np.ones((1, 4), bool), method="saliency")
    group = map_group("model", "", frames(4), np.arange(4.0), {"input": result}, "happy")
    assert group.panels[0].heat is not None
    assert group.panels[0].heat.values.min() == 1
    assert "the strongest 0.5 % of the pixels have one colour" in group.note

"""Face and scene of a real video: written side by side by the real command, or read from the video itself."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from ifdd import cli
from ifdd.data.clips import HIDING_MARGIN, Clip, find_faces, load_inputs
from ifdd.data.decoded import from_inputs
from ifdd.data.faces.hiding import MASK
from ifdd.data.manifest import read_manifest
from ifdd.data.preprocessing import Preprocessing
from ifdd.data.row_clips import load_row_inputs
from ifdd.data.sampling import Rule, Take
from ifdd.data.streamed import streamed
from ifdd.labels import EMOTIONS

FACE = Preprocessing(8, (48, 48))


def scene(face: str = "kept") -> Preprocessing:
    return Preprocessing(8, (72, 96), "none", stream="scene", face=face)


@pytest.fixture(scope="module")
def video(shared: Path) -> Path:
    return shared / "data/clips/crema_d_actor1001/1001_DFA_HAP_XX.flv"


def test_scenes_are_written_beside_the_faces(video: Path, tmp_path: Path) -> None:
    words = ["data", "crop", video, "--out", tmp_path / "out", "--size", 64, "--every", 6, "--workers", 1]
    ran = CliRunner().invoke(cli.app, list(map(str, [*words, "--scene", "masked", "--scene-size", 120])))
    assert ran.exit_code == 0, ran.stderr
    frame = read_manifest(tmp_path / "out").assign(label=0, label_name="happy")
    frame.attrs["root"] = str(tmp_path / "out")
    row = frame.to_dict("records")[0]
    assert (row["scene_face"], row["scene_path"]) == ("masked", f"scenes/{row['clip_id']}")
    pictures = [cv2.imread(str(file)) for file in sorted((tmp_path / "out" / row["scene_path"]).iterdir())]
    assert len(pictures) == row["n_frames"] > 5
    assert pictures[0].shape == (90, 120, 3)  # 480 × 360
    assert 0.05 < np.mean([(picture == MASK).all(-1).mean() for picture in pictures]) < 0.5
    found = load_row_inputs(frame, row, {"face": FACE, "scene": scene("masked")})
    np.testing.assert_array_equal(found["face"].video_index, found["scene"].video_index)
    ran = CliRunner().invoke(
        cli.app, list(map(str, [*words[:3], "--out", tmp_path / "no", "--detector", "precropped", "--scene", "kept"]))
    )
    assert ran.exit_code == 1
    assert "precropped clips show the face alone" in str(ran.exception)


def masked_share(clip: Clip) -> float:
    return float((np.abs(clip.pixels.astype(int) - MASK).max(-1) < 2).mean())


def test_a_video_is_its_own_scene(video: Path) -> None:
    found = load_inputs(video, {"face": FACE, "scene": scene()})
    np.testing.assert_array_equal(found["face"].video_index, found["scene"].video_index)
    hidden = load_inputs(video, {"face": FACE, "scene": scene("masked")})["scene"]
    box = find_faces(video).tracker.result(margin=HIDING_MARGIN).boxes[hidden.video_index[3]] * (96 / 480)
    x0, y0, x1, y1 = np.clip(np.round(box).astype(int), 0, [96, 72, 96, 72])
    inside = hidden.pixels[3, y0 + 2 : y1 - 2, x0 + 2 : x1 - 2]
    assert (inside == MASK).all()
    assert masked_share(hidden) > 0.05 > masked_share(found["scene"])
    np.testing.assert_array_equal(hidden.pixels[:, :4, :4], found["scene"].pixels[:, :4, :4])
    blurred = load_inputs(video, {"face": FACE, "scene": scene("blurred")})["scene"].pixels[3, y0 + 2 : y1 - 2, x0 + 2 : x1 - 2]
    kept = found["scene"].pixels[3, y0 + 2 : y1 - 2, x0 + 2 : x1 - 2]
    assert np.abs(cv2.Laplacian(blurred, cv2.CV_64F)).mean() < 0.3 * np.abs(cv2.Laplacian(kept, cv2.CV_64F)).mean()


def test_lists_of_whole_videos_give_both(video: Path, tmp_path: Path) -> None:
    pd.DataFrame({"path": [str(video)], "label": "happy", "crop": "face", "clip_id": "a"}).to_csv(
        tmp_path / "clips.csv", index=False
    )
    frame = read_manifest(tmp_path / "clips.csv")
    inputs = {"face": FACE, "scene": scene("masked")}
    decoded = from_inputs(tmp_path / "clips.csv", inputs, EMOTIONS, tmp_path / "cache", False).read([0])
    one = load_row_inputs(frame, frame.to_dict("records")[0], inputs)
    kept = streamed(tmp_path / "clips.csv", frame, inputs, EMOTIONS, cache=tmp_path / "crops", rule=Rule("segments"))
    for name in inputs:
        np.testing.assert_array_equal(decoded[name][0], one[name].pixels)  # type: ignore[index]
        np.testing.assert_array_equal(kept.read([0])[name], decoded[name])  # type: ignore[index]
    again = streamed(tmp_path / "clips.csv", frame, inputs, EMOTIONS, cache=tmp_path / "crops", rule=Rule("segments"))
    first, second = kept.read([0], Take(epoch=1)), again.read([0], Take(epoch=1))
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    for name in inputs:
        np.testing.assert_array_equal(first[name], second[name])

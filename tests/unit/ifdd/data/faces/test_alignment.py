"""Aligned crops: landmarks lie in known places, whatever the size, roll and place of the face."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ifdd.data.faces.alignment import CANONICAL, box_transforms, follow, placed, poses, steady, transforms, warp
from ifdd.data.faces.boxes import crop


def face(centre: tuple[float, float], side: float, roll: float) -> np.ndarray:
    """Landmarks (5, 2) of an upright frontal face, moved, scaled and rolled."""
    turn = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    return (CANONICAL - 0.5) * side @ turn.T + centre


@given(
    st.tuples(st.floats(-200, 2000), st.floats(-200, 2000)),
    st.floats(12, 1500),
    st.floats(-3.1, 3.1),
    st.integers(16, 512),
    st.floats(0, 1),
)
def test_landmarks_come_to_canonical_places(
    centre: tuple[float, float], side: float, roll: float, size: int, margin: float
) -> None:
    landmarks = face(centre, side, roll)[None]
    found = poses(landmarks)
    np.testing.assert_allclose(found, [[*centre, side, roll]], rtol=1e-6, atol=1e-6 * side)
    there = placed(transforms(found, size, margin), landmarks)
    expected = (CANONICAL + margin) / (1 + 2 * margin) * size
    np.testing.assert_allclose(there[0], expected, atol=1e-6 * size)


@given(st.floats(-0.9, 0.9))
def test_a_head_that_turns_keeps_its_size(yaw: float) -> None:
    """The eyes come nearer to each other, the mouth stays as far from them."""
    landmarks = face((100, 100), 80, 0.0)
    landmarks[:, 0] = 100 + (landmarks[:, 0] - 100) * np.cos(yaw)
    np.testing.assert_allclose(poses(landmarks[None])[0], [100, 100, 80, 0], atol=1e-9)


def test_a_course_is_steady_and_bridges_gaps() -> None:
    rng = np.random.default_rng(0)
    frames = 60
    truth = np.stack([face((100 + t, 80), 150, 0.01 * t) for t in range(frames)])
    noisy = truth + rng.normal(0, 1.5, truth.shape)
    noisy[20:23] = np.nan
    course = follow(noisy)
    inner = slice(6, -6)
    np.testing.assert_allclose(course[inner, 0], 100 + np.arange(frames)[inner], atol=1.2)
    np.testing.assert_allclose(course[inner, 3], 0.01 * np.arange(frames)[inner], atol=0.03)
    kept = np.delete(np.arange(frames), range(20, 23))
    assert np.abs(np.diff(course[:, 2])).max() < 0.3 * np.abs(np.diff(poses(noisy[kept])[:, 2])).max()
    points = steady(noisy)
    assert np.isfinite(points).all()
    assert np.abs(points - truth)[inner].mean() < 0.7 * np.abs(noisy - truth)[kept].mean()
    assert np.isnan(steady(np.full((9, 5, 2), np.nan))).all()


def test_a_course_outside_its_shot_is_held() -> None:
    landmarks = np.full((30, 5, 2), np.nan)
    landmarks[10:20] = face((50, 50), 40, 0.2)
    course = follow(landmarks, (10, 20))
    np.testing.assert_allclose(course, np.tile([50, 50, 40, 0.2], (30, 1)), atol=1e-9)


@pytest.mark.parametrize("side", [40, 90, 300])
def test_pixels_follow_the_map(side: float) -> None:
    """Dots drawn at the landmarks of a rolled face lie at the canonical places of the crop."""
    image = np.full((480, 640, 3), 60, np.uint8)
    landmarks = face((330, 230), side, 0.5)
    for x, y in landmarks:
        cv2.circle(image, (round(x * 16 - 8), round(y * 16 - 8)), round(side * 0.03 * 16), (250, 250, 250), -1, cv2.LINE_AA, 4)
    out = warp(image, transforms(poses(landmarks[None]), 128, 0.1)[0], 128)
    assert out.shape == (128, 128, 3)
    y, x = np.indices((128, 128)) + 0.5
    for place in (CANONICAL + 0.1) / 1.2 * 128:
        near = (np.hypot(x - place[0], y - place[1]) < 9) * (out[..., 0].astype(float) - 60).clip(0)
        np.testing.assert_allclose([(x * near).sum() / near.sum(), (y * near).sum() / near.sum()], place, atol=0.6)


def test_a_crop_without_roll_is_that_of_its_box() -> None:
    rng = np.random.default_rng(1)
    image = cv2.GaussianBlur(rng.integers(0, 256, (200, 300, 3), np.uint8), (0, 0), 4)
    box = np.array([-20, 30, 108, 158], np.float32)  # reaches beyond the frame
    mapped = warp(image, box_transforms(box[None], 64)[0], 64)
    assert np.abs(mapped.astype(int) - crop(image, box, (64, 64)).astype(int)).max() <= 2

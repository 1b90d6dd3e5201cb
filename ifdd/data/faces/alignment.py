"""Faces turned upright: where the landmarks of a face lie in the picture, and the crop in which they lie in known places.

As FFHQ aligns (Karras et al. 2019): the roll is that of the eyes and of the line from the eyes to the mouth together, and the
size follows the longer of two distances, eye to eye and eyes to mouth, as one shrinks when the head turns and the other when it
nods. So an aligned crop moves, rolls and grows with the head; turning and nodding belong to what is shown.
"""

import cv2
import numpy as np

from ifdd.data.faces.smoothing import SIGMA_PLACE, SIGMA_SIZE, fill, smooth

CANONICAL = np.array([[0.31, 0.39], [0.69, 0.39], [0.5, 0.6], [0.34, 0.77], [0.66, 0.77]])
"""Landmarks of an upright frontal face as shares of the square from brows to chin; medians over clips, see docs/faces.md."""

_SPAN = 0.38  # of the square: from eye to eye, and from the eyes to the mouth
_ANCHOR = np.array([0.5, 0.58])  # half-way between the eyes and the mouth
_SIGMA_LANDMARKS = 1.0  # frames; an expression is faster than a head


def poses(landmarks: np.ndarray) -> np.ndarray:
    """(n, 4) centre x, centre y, side and roll (radians, clockwise) of the squares of faces, from landmarks (n, 5, 2)."""
    points = np.asarray(landmarks, np.float64)
    eyes, mouth = points[:, :2].mean(1), points[:, 3:].mean(1)
    across, down = points[:, 1] - points[:, 0], mouth - eyes
    right = across + np.stack([down[:, 1], -down[:, 0]], 1)
    roll = np.arctan2(right[:, 1], right[:, 0])
    side = np.maximum(np.hypot(*across.T), np.hypot(*down.T)).clip(1e-3) / _SPAN
    offset = _turned((0.5 - _ANCHOR) * side[:, None], roll)
    return np.column_stack([(eyes + mouth) / 2 + offset, side, roll])


def follow(landmarks: np.ndarray, shot: tuple[int, int] | None = None) -> np.ndarray:
    """Smooth poses (n, 4) of a face over n frames from its landmarks (n, 5, 2), NaN where it was not found.

    Gaps are bridged as boxes are. `shot`: the frames in which the face is followed, all by default.
    """
    low, high = shot or (0, len(landmarks))
    seen = np.flatnonzero(np.isfinite(landmarks[low:high]).all((1, 2)))
    found = poses(landmarks[low:high][seen])
    found[:, 3] = np.unwrap(found[:, 3])
    course, _ = fill(seen, found, high - low)
    course = np.pad(course, ((low, len(landmarks) - high), (0, 0)), mode="edge")
    place, size = smooth(course[:, [0, 1, 3]], SIGMA_PLACE), smooth(course[:, 2:3], SIGMA_SIZE)
    return np.column_stack([place[:, :2], size, place[:, 2]])


def steady(landmarks: np.ndarray) -> np.ndarray:
    """Landmarks (n, 5, 2) of all n frames: gaps bridged, jitter taken out; NaN throughout where none was found."""
    flat = np.asarray(landmarks, np.float64).reshape(len(landmarks), -1)
    seen = np.flatnonzero(np.isfinite(flat).all(1))
    if not len(seen):
        return flat.reshape(landmarks.shape)
    course, _ = fill(seen, flat[seen], len(flat))
    return smooth(course, _SIGMA_LANDMARKS).reshape(landmarks.shape)


def transforms(course: np.ndarray, size: int, margin: float) -> np.ndarray:
    """(n, 2, 3) maps from upright pixels to those of square crops of `size`, from poses (n, 4).

    `margin` widens the crop on each side, as a share of the face. Pixel i reaches from i to i + 1.
    """
    centre, side, roll = course[:, :2], course[:, 2], course[:, 3]
    scale = size / (side * (1 + 2 * margin))
    cosine, sine = np.cos(roll) * scale, np.sin(roll) * scale
    linear = np.stack([np.stack([cosine, sine], 1), np.stack([-sine, cosine], 1)], 1)
    return np.concatenate([linear, size / 2 - linear @ centre[:, :, None]], 2)


def box_transforms(boxes: np.ndarray, size: int) -> np.ndarray:
    """(n, 2, 3) maps from upright pixels to those of crops of `size`, from boxes (n, 4) that are cut out as they are."""
    boxes = np.asarray(boxes, np.float64)
    scale = size / (boxes[:, 2:] - boxes[:, :2])
    linear = scale[:, :, None] * np.eye(2)
    return np.concatenate([linear, (-scale * boxes[:, :2])[:, :, None]], 2)


def placed(transform: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points (n, k, 2) through maps (n, 2, 3)."""
    return points @ transform[:, :, :2].transpose(0, 2, 1) + transform[:, None, :, 2]


def warp(image: np.ndarray, transform: np.ndarray, size: int) -> np.ndarray:
    """A crop (size, size, 3) of an upright picture by a map (2, 3); beyond the frame its edge is repeated."""
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]], np.float64)
    inverse = np.linalg.inv(transform[:, :2])
    there = (corners - transform[:, 2]) @ inverse.T
    scale = float(np.sqrt(abs(np.linalg.det(transform[:, :2]))))
    low = np.floor(there.min(0)).astype(int) - 2
    high = np.ceil(there.max(0)).astype(int) + 2
    rows = np.clip(np.arange(low[1], high[1]), 0, image.shape[0] - 1)
    columns = np.clip(np.arange(low[0], high[0]), 0, image.shape[1] - 1)
    region = image[rows[:, None], columns]
    shrunk = region if scale >= 1 else cv2.resize(region, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    back = np.array([region.shape[1] / shrunk.shape[1], region.shape[0] / shrunk.shape[0]])
    linear = transform[:, :2] * back
    shift = transform[:, :2] @ low + transform[:, 2]
    # OpenCV's pixel i has its centre at i, here at i + ½
    shift = shift + linear @ (0.5, 0.5) - 0.5
    turn = np.column_stack([linear, shift])
    return cv2.warpAffine(shrunk, turn, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _turned(vectors: np.ndarray, roll: np.ndarray) -> np.ndarray:
    cosine, sine = np.cos(roll), np.sin(roll)
    return np.stack([cosine * vectors[:, 0] - sine * vectors[:, 1], sine * vectors[:, 0] + cosine * vectors[:, 1]], 1)

"""Parts of a face from its five landmarks: which part each pixel shows.

A face is drawn in centimetres and laid onto the landmarks by the affine map that fits them best, so a part of a head that is
turned away is narrow. Proportions are those of an average adult, as scripted heads have them, against whose truth they are
checked (docs/faces.md); the mouth follows its corners, not its lips.
"""

import numpy as np

from ifdd.data.faces.alignment import CANONICAL, poses

PARTS = ("background", "brows", "eyes", "nose", "mouth", "face")
"""Names of the values of a map, as of a scripted clip's truth; `face` is the rest of the skin."""

_SQUARE = 6.6 / 0.38  # centimetres of the square from brows to chin; the eyes are 6.6 cm apart
_DRAWN = (CANONICAL - (0.5, 0.39)) * _SQUARE - (0, 0.25)  # landmarks; the origin lies between the eyes, y points down
_OVAL = (0.0, 3.4, 6.6, 8.6)  # centre and half axes of the skin


def landmark_regions(landmarks: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Parts (n, H, W) uint8, indexes into `PARTS`, of pictures of `size` from landmarks (n, 5, 2) in their pixels.

    >>> found = landmark_regions(CANONICAL[None] * 64, (64, 64))
    >>> [PARTS[found[0, y, x]] for y, x in ((16, 20), (25, 20), (36, 32), (49, 32), (40, 14))]
    ['brows', 'eyes', 'nose', 'mouth', 'face']
    """
    height, width = size
    points = np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), -1)
    out = np.empty((len(landmarks), height, width), np.uint8)
    for at, face in enumerate(np.asarray(landmarks, np.float64)):
        out[at] = _parts(*_centimetres(points, face))
    return out


def _centimetres(points: np.ndarray, landmarks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where pixels (H, W, 2) lie on the drawn face, x and y."""
    fitted = np.linalg.lstsq(np.column_stack([_DRAWN, np.ones(5)]), landmarks, rcond=None)[0]
    linear, shift = fitted[:2], fitted[2]
    x, y, side, roll = poses(landmarks[None])[0]
    scale = side / _SQUARE
    if abs(np.linalg.det(linear)) < (0.2 * scale) ** 2:  # in profile the eyes are one point
        linear = scale * np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
        shift = np.array([x, y]) - (0, 0.11 * _SQUARE) @ linear
    there = (points - shift) @ np.linalg.inv(linear)
    return there[..., 0], there[..., 1]


def _parts(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    centre_x, centre_y, half_x, half_y = _OVAL
    beside = np.abs(x)
    out = np.zeros(x.shape, np.uint8)
    for name, where in (
        ("face", ((x - centre_x) / half_x) ** 2 + ((y - centre_y) / half_y) ** 2 < 1),
        ("nose", (y > -1.3) & (y < 5.0) & (beside < 1.2 + 0.25 * np.clip(y, 0, 4))),
        ("eyes", (beside > 1.3) & (beside < 5.1) & (np.abs(y) < 1.3)),
        ("brows", (beside < 5.4) & (y <= -1.3) & (y > -3.6)),
        ("mouth", (beside < 3.3) & (y >= 5.0) & (y < 8.7)),
    ):
        out[where] = PARTS.index(name)
    return out

"""A face that a detector found, and what every detector is."""

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

LANDMARKS = ("right eye", "left eye", "nose", "right mouth corner", "left mouth corner")
"""Order of landmarks; right and left are the person's own, so the right eye of an upright face is on the left of the picture."""
Square = np.ndarray
"""(3,): centre x, centre y and side of the square of a face, from brows to chin, in upright pixels."""

_BOX_SIDE, _BOX_DROP = 1.056, 0.035  # medians over the shared clips and scripted heads (docs/faces.md)


@dataclass(frozen=True, eq=False)
class Face:
    """One face: `box` (x0, y0, x1, y1) in upright pixels, `score` (NaN where the detector tells none), `landmarks` (5, 2)."""

    box: np.ndarray
    score: float
    landmarks: np.ndarray | None = None


class Detector(Protocol):
    """Finds faces in one picture; one object serves one thread."""

    name: str
    smallest: int
    """Pixels of the square of the smallest face that is found as a rule."""
    sure: float
    """Score that a face has in a quarter of the frames in which it is followed; what never does is scenery."""

    def detect(self, image: np.ndarray) -> list[Face]:
        """Faces of an upright picture (H, W, 3) uint8 RGB; a box reaches from the forehead to the chin, as in WIDER FACE."""


def square_of(face: Face) -> Square:
    """The square of a face from its box."""
    x0, y0, x1, y1 = (float(value) for value in face.box)
    side = _BOX_SIDE * float(np.sqrt(max(x1 - x0, 0.0) * max(y1 - y0, 0.0)))
    return np.array([(x0 + x1) / 2, (y0 + y1) / 2 - _BOX_DROP * side, side])


def distance(a: Square, b: Square) -> float:
    """Distance of the centres in sides of the larger square."""
    return float(np.hypot(*(a[:2] - b[:2])) / max(a[2], b[2]))


def same_face(a: Square, b: Square, reach: float = 0.5) -> bool:
    """Whether two squares are near and of a size."""
    return distance(a, b) < reach and 0.6 < a[2] / b[2] < 1 / 0.6


def scaled(image: np.ndarray, scale: float) -> np.ndarray:
    """A picture made smaller; one that would become larger stays as it is."""
    return image if scale >= 1 else cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def turned(image: np.ndarray, tilt: float) -> tuple[np.ndarray, np.ndarray]:
    """A picture turned by `tilt` degrees in a frame that holds all of it, and the (2, 3) map from the picture to that."""
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), tilt, 1.0)
    if not tilt:
        return image, turn
    extent = np.ceil(np.abs(turn[:, :2]) @ (width, height)).astype(int)
    turn[:, 2] += (extent - (width, height)) / 2
    return cv2.warpAffine(image, turn, extent.tolist(), borderMode=cv2.BORDER_REPLICATE), turn

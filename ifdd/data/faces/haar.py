"""OpenCV's Haar cascades: nothing to download; they know upright faces, frontal ones and, less well, profiles."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ifdd.data.faces.face import Face, Square, distance, scaled, turned

SMALLEST = 48
"""Pixels of a frame that the side of a face has at least, from brows to chin."""
SEARCH_SIDE = 480  # longest side of the gray image that is searched
WINDOW = 24  # pixels of a face in the image that is searched; the cascades need 20
SEEK = 40  # pixels: a bit below SMALLEST, as a face may fall between two steps of scale
TILTS = (0, -30, 30)  # degrees by which the image is turned, as the cascades know upright faces only


class Haar:
    """The cascades on one picture: upright and tilted, large faces and small ones. They tell no score and no landmarks."""

    name = "haar"
    smallest = SMALLEST
    sure = 0.0

    def __init__(self) -> None:
        # one pair each: a cascade must not serve two threads at once
        self.frontal, self.profile = cascade("frontalface_alt2"), cascade("profileface")

    def detect(self, image: np.ndarray) -> list[Face]:
        """Faces of a picture; their boxes are squares from brows to chin."""
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        coarse, fine = min(1.0, SEARCH_SIDE / max(gray.shape)), min(1.0, WINDOW / SEEK)
        found: list[Square] = []
        for scale in sorted({coarse, max(coarse, fine)}):
            small = scaled(gray, scale)
            for tilt in TILTS:
                squares = detect(self.frontal, small, tilt, minNeighbors=5, minSize=(WINDOW, WINDOW)) / scale
                found += [square for square in squares if all(distance(square, other) >= 0.7 for other in found)]
        return [
            Face(np.r_[square[:2] - square[2] / 2, square[:2] + square[2] / 2].astype(np.float32), np.nan) for square in found
        ]


def cascade(name: str) -> cv2.CascadeClassifier:
    """One of OpenCV's own cascades."""
    return cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / f"haarcascade_{name}.xml"))


def detect(cascade: cv2.CascadeClassifier, gray: np.ndarray, tilt: int = 0, mirrored: bool = False, **options: Any) -> np.ndarray:
    """(n, 3) squares that `cascade` finds in `gray` turned by `tilt` degrees, or mirrored; in pixels of `gray`."""
    view, turn = turned(np.ascontiguousarray(gray[:, ::-1]) if mirrored else gray, tilt)
    boxes = np.asarray(cascade.detectMultiScale(view, 1.1, **options), np.float64).reshape(-1, 4)
    centres = (boxes[:, :2] + boxes[:, 2:] / 2 - turn[:, 2]) @ turn[:, :2]
    if mirrored:
        centres[:, 0] = gray.shape[1] - centres[:, 0]
    return np.column_stack([centres, boxes[:, 2]])

"""Where a tracker looks for faces, frame by frame: seldom all over, near the known ones each time.

Small pictures are searched for large faces all the time, large ones for small faces only while no face is known, ever less often.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ifdd.data.faces.face import Detector, Face, Square, scaled, square_of, turned
from ifdd.data.faces.haar import SEARCH_SIDE, SEEK, SMALLEST, TILTS, WINDOW, Haar, detect

SEARCH_EVERY = 5  # frames; in between, only the surroundings of the known faces are searched

_FINE_EVERY = 25  # frames, at most, between two searches for small faces
_COARSE_SIDE = 640  # longest side of a picture that is searched all the time
_TURNS = (0, -45, 45)  # degrees; a detector knows faces tilted by some 30
_NEAR, _REACH = 72, 1.5  # pixels of a followed face in its surroundings; how far these reach, in its sides


@dataclass(frozen=True, eq=False)
class Sighting:
    """A face in one frame: its square, the tilt at which it was seen, and what the detector tells of it."""

    square: Square
    tilt: int = 0
    face: Face | None = None


class Finder(Protocol):
    """How a tracker uses a detector."""

    smallest: int
    """Pixels of the smallest face that the last search all over looked for."""

    def look(self, image: np.ndarray, gray: np.ndarray) -> None:
        """The next upright frame, in colour and in gray."""

    def near(self, last: Square, tilt: int, established: bool) -> Iterator[list[Sighting]]:
        """What is seen around a known face, view by view."""

    def everywhere(self, frame: int, known: bool) -> Iterator[list[Sighting]]:
        """What is seen in the whole frame of that number; `known`: a face is followed."""


class _Pauses:
    """When the frame is searched for small faces: at first each time, then ever less often."""

    def __init__(self) -> None:
        self.due, self._pause = 0, SEARCH_EVERY

    def done(self, frame: int) -> None:
        self.due = frame + self._pause
        self._pause = min(2 * self._pause, _FINE_EVERY)


class HaarFinder:
    """Looks with the cascades: frontal, tilted, or, near an established face, in profile."""

    def __init__(self, detector: Haar) -> None:
        self._detector = detector
        self.smallest = SMALLEST
        self.pauses = _Pauses()
        self._tilted = TILTS[-1]
        self._gray = np.empty((0, 0), np.uint8)
        self._scale = 1.0

    def look(self, image: np.ndarray, gray: np.ndarray) -> None:
        """The next upright frame; the cascades see gray."""
        self._gray, self._scale = gray, min(1.0, SEARCH_SIDE / max(gray.shape))

    def near(self, last: Square, tilt: int, established: bool) -> Iterator[list[Sighting]]:
        """The surroundings, in the view in which the face was seen last and then in others."""
        x, y, side = last
        gray, scale = self._gray, self._scale
        if side * scale < WINDOW:  # a small face is looked at more closely than the whole image is
            scale = min(1.0, 2 * WINDOW / side)
        x0, y0 = int(max(0, x - side)), int(max(0, y - side))
        region = scaled(gray[y0 : int(y + side) + 1, x0 : int(x + side) + 1], scale)
        corner = np.array([x0, y0, 0])
        sizes = {"minSize": (round(0.75 * side * scale),) * 2, "maxSize": (round(1.35 * side * scale),) * 2}
        frontal, profile = self._detector.frontal, self._detector.profile
        views = [(frontal, other, False) for other in sorted(TILTS, key=lambda other: abs(other - tilt))]
        if established:
            views += [(profile, 0, False), (profile, 0, True)]
        for cascade, other, mirrored in views:
            found = detect(cascade, region, other, mirrored, minNeighbors=3 if established else 5, **sizes) / scale + corner
            yield _plain(found, other)

    def everywhere(self, frame: int, known: bool) -> Iterator[list[Sighting]]:
        """Until a face is known: tilted, too, and for small faces."""
        gray, scale, frontal = self._gray, self._scale, self._detector.frontal
        image = scaled(gray, scale)
        smallest = max(WINDOW, min(min(image.shape) // 12, int(SEEK * scale)))
        for tilt in TILTS[:1] if known else TILTS:
            yield _plain(detect(frontal, image, tilt, minNeighbors=5, minSize=(smallest, smallest)) / scale, tilt)
        fine = WINDOW / SEEK
        self.smallest = SMALLEST if fine > scale else min(SMALLEST, round(smallest / scale))
        if known or fine <= scale or frame < self.pauses.due:
            return
        image, largest = scaled(gray, fine), (round(1.25 * smallest / scale * fine),) * 2
        self._tilted = -self._tilted  # upright each time, left and right in turn
        for tilt in (0, self._tilted):
            found = detect(frontal, image, tilt, minNeighbors=5, minSize=(WINDOW, WINDOW), maxSize=largest)
            yield _plain(found / fine, tilt)
        self.pauses.done(frame)


class DetectorFinder:
    """Looks with any detector that finds faces of all sizes in a picture; tilted ones where no upright one is seen."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.smallest = detector.smallest
        self.pauses = _Pauses()
        self._tilted = _TURNS[-1]
        self._image = np.empty((0, 0, 3), np.uint8)

    def look(self, image: np.ndarray, gray: np.ndarray) -> None:
        """The next upright frame, of which the colours are used."""
        self._image = image

    def near(self, last: Square, tilt: int, established: bool) -> Iterator[list[Sighting]]:
        """The surroundings, in which the face has `_NEAR` pixels at most; at the tilt at which it was seen, then at others."""
        x, y, side = last
        height, width = self._image.shape[:2]
        x0, y0 = (int(np.clip(value - _REACH * side, 0, most - 1)) for value, most in ((x, width), (y, height)))
        x1, y1 = int(x + _REACH * side) + 1, int(y + _REACH * side) + 1
        region = self._image[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)]
        for other in sorted(_TURNS, key=lambda other: abs(other - tilt)):
            yield self._seen(region, _NEAR / side, other, (x0, y0))

    def everywhere(self, frame: int, known: bool) -> Iterator[list[Sighting]]:
        """The frame made smaller; until a face is known, tilted and as large as it is, too."""
        scale = min(1.0, _COARSE_SIDE / max(self._image.shape))
        for tilt in _TURNS[:1] if known else _TURNS:
            yield self._seen(self._image, scale, tilt)
        if known or scale == 1 or frame < self.pauses.due:
            return
        self._tilted = -self._tilted  # upright each time, left and right in turn
        for tilt in (0, self._tilted):
            yield self._seen(self._image, 1.0, tilt)
        self.pauses.done(frame)

    def _seen(self, picture: np.ndarray, scale: float, tilt: int, corner: tuple[int, int] = (0, 0)) -> list[Sighting]:
        small = scaled(picture, scale)
        view, turn = turned(small, tilt)
        back = np.array([picture.shape[1] / small.shape[1], picture.shape[0] / small.shape[0]])

        def placed(points: np.ndarray) -> np.ndarray:
            return ((points - turn[:, 2]) @ turn[:, :2]) * back + corner

        found = []
        for face in self._detector.detect(view):
            corners = np.asarray(face.box, np.float64).reshape(2, 2)
            centre, half = placed(corners.mean(0)), (corners[1] - corners[0]) / 2 * back
            landmarks = None if face.landmarks is None else placed(np.asarray(face.landmarks, np.float64)).astype(np.float32)
            box = np.concatenate([centre - half, centre + half]).astype(np.float32)
            seen = Face(box, float(face.score), landmarks)
            found.append(Sighting(square_of(seen), tilt, seen))
        return found


def finder_of(detector: Detector) -> Finder:
    """How a tracker looks with a detector."""
    return HaarFinder(detector) if isinstance(detector, Haar) else DetectorFinder(detector)


def _plain(squares: np.ndarray, tilt: int) -> list[Sighting]:
    return [Sighting(square, tilt) for square in squares]

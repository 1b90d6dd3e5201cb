"""Find and follow faces: OpenCV's Haar cascades, frame by frame, then one smooth square box per frame.

A face of `SMALLEST` pixels is found whatever the size of the frame. Small images are searched for large faces all the time,
large ones for small faces only while no face is known, ever less often. A face is followed until the picture cuts.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ifdd.data.faces.cuts import CutFinder
from ifdd.data.video import Frame
from ifdd.errors import InputError, NoFaceError

MIN_DETECTIONS = 5
"""A track that fewer frames support is no face: the cascades fire on scenery now and then."""
LOST_AFTER = 5
"""Frames in a row without a detection that make a face lost: its last box is held. Shorter gaps are bridged linearly."""
SMALLEST = 48
"""Pixels of a frame that the side of a face has at least, from brows to chin."""

_SEARCH_SIDE = 480  # longest side of the gray image that is searched
_WINDOW = 24  # pixels of a face in the image that is searched; the cascades need 20
_FINE_EVERY = 25  # frames, at most, between two searches for small faces
_SEEK = 40  # pixels: a bit below SMALLEST, as a face may fall between two steps of scale
_SEARCH_EVERY = 5  # frames; in between, only the surroundings of the known faces are searched
_TILTS = (0, -30, 30)  # degrees by which the image is turned, as the cascades know upright faces only
_MIN_DENSITY = 0.3  # of a track's frames in which it is found; flicker on scenery stays below
_MAX_GAP = 15  # frames after which a track is no longer continued
_SIGMA_CENTRE, _SIGMA_SIDE = 2.0, 6.0  # frames; a face moves faster than it grows


@dataclass(frozen=True, eq=False)
class FaceTrack:
    """One face over N frames.

    `boxes` (N, 4) float32: smoothed square boxes with margin, (x0, y0, x1, y1) in upright pixels; they may reach beyond
    the frame. `found` (N,): a detection supports the frame. `held` (N,): the face is lost there (`LOST_AFTER`), and its last
    box (before the first detection: its first) is held. `faces` counts the faces among which this one was chosen; a face is
    followed within one shot, so one that is seen in two shots counts twice. `cuts`: frames that begin another shot; `shot`: the
    first frame of the face's own and the first one after it.
    """

    boxes: np.ndarray
    found: np.ndarray
    held: np.ndarray
    faces: int
    cuts: tuple[int, ...]
    shot: tuple[int, int]

    @property
    def share(self) -> float:
        """Share of the frames in which the face was found."""
        return float(self.found.mean())


@dataclass(eq=False)
class _Track:
    """Detections of one face: frame numbers and (centre x, centre y, side) in upright pixels."""

    frames: list[int] = field(default_factory=list)
    squares: list[np.ndarray] = field(default_factory=list)
    tilt: int = 0
    number: int = field(default_factory=itertools.count().__next__)

    def add(self, frame: int, square: np.ndarray, tilt: int) -> None:
        self.frames.append(frame)
        self.squares.append(square)
        self.tilt = tilt

    def split(self, cuts: Sequence[int]) -> list["_Track"]:
        """The parts between cuts, empty ones left out."""
        edges = [0, *np.searchsorted(self.frames, cuts).tolist(), len(self.frames)]
        spans = [slice(*pair) for pair in itertools.pairwise(edges) if pair[0] < pair[1]]
        return [_Track(self.frames[span], self.squares[span], self.tilt) for span in spans]

    @property
    def is_face(self) -> bool:
        """Enough detections, and dense enough."""
        return len(self.frames) >= max(MIN_DETECTIONS, _MIN_DENSITY * (self.frames[-1] - self.frames[0] + 1))

    @property
    def size(self) -> float:
        """Area summed over the frames in which the face was seen: large and lasting comes first."""
        return float(sum(square[2] ** 2 for square in self.squares))


class FaceTracker:
    """Follow all faces of a video while it streams by; only boxes are kept.

    `update` takes the frames in order; `result` then picks one face.
    """

    def __init__(self) -> None:
        self.count = 0
        self.size = (0, 0)
        """Width and height of the last frame."""
        self.smallest = SMALLEST
        """Side in pixels of the smallest face that is looked for in such a frame."""
        # one pair per tracker: a cascade must not serve two threads at once
        self._frontal, self._profile = _cascade("frontalface_alt2"), _cascade("profileface")
        self._open: list[_Track] = []
        self._closed: list[_Track] = []
        self._cuts = CutFinder()
        self._fine_at, self._fine_pause, self._tilted = 0, _SEARCH_EVERY, _TILTS[-1]

    def update(self, image: np.ndarray) -> None:
        """Search one upright frame, (H, W, 3) uint8 RGB."""
        self.size = (image.shape[1], image.shape[0])
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        self._cuts.update(gray)
        scale = min(1.0, _SEARCH_SIDE / max(gray.shape))
        for track in self._open:
            self._follow(track, gray, scale)
        if self.count % _SEARCH_EVERY == 0:
            self._search(gray, scale)
        for track in self._open:
            if track.frames[-2:] == [self.count - 1, self.count]:
                self._cuts.follow(track.number, *track.squares[-2:])
        for track in [track for track in self._open if self.count - track.frames[-1] > _MAX_GAP]:
            self._open.remove(track)
            if track.is_face:
                self._closed.append(track)
        self.count += 1

    def _follow(self, track: _Track, gray: np.ndarray, scale: float) -> None:
        """Look for a known face near where it was last seen: frontal, tilted, or, once it is established, in profile."""
        x, y, side = last = track.squares[-1]
        if side * scale < _WINDOW:  # a small face is looked at more closely than the whole image is
            scale = min(1.0, 2 * _WINDOW / side)
        x0, y0 = int(max(0, x - side)), int(max(0, y - side))
        region = _scaled(gray[y0 : int(y + side) + 1, x0 : int(x + side) + 1], scale)
        corner = np.array([x0, y0, 0])
        sizes = {"minSize": (round(0.75 * side * scale),) * 2, "maxSize": (round(1.35 * side * scale),) * 2}
        views = [(self._frontal, tilt, False) for tilt in sorted(_TILTS, key=lambda tilt: abs(tilt - track.tilt))]
        established = len(track.frames) >= MIN_DETECTIONS
        if established:
            views += [(self._profile, 0, False), (self._profile, 0, True)]
        for cascade, tilt, mirrored in views:
            found = _detect(cascade, region, tilt, mirrored, minNeighbors=3 if established else 5, **sizes) / scale + corner
            near = [square for square in found if _same_face(last, square)]
            if near:
                track.add(self.count, min(near, key=lambda square: _distance(last, square)), tilt)
                return

    def _search(self, gray: np.ndarray, scale: float) -> None:
        """Search the whole image: continue the tracks that were not found near, begin new ones.

        Until a face is known: tilted, too, and for small faces, at first each time, then ever less often.
        """
        image = _scaled(gray, scale)
        smallest = max(_WINDOW, min(min(image.shape) // 12, int(_SEEK * scale)))
        known = any(track.is_face for track in self._open)
        for tilt in _TILTS[:1] if known else _TILTS:
            self._take(_detect(self._frontal, image, tilt, minNeighbors=5, minSize=(smallest, smallest)) / scale, tilt)
        fine = _WINDOW / _SEEK
        self.smallest = SMALLEST if fine > scale else min(SMALLEST, round(smallest / scale))
        if known or fine <= scale or self.count < self._fine_at:
            return
        image, largest = _scaled(gray, fine), (round(1.25 * smallest / scale * fine),) * 2
        self._tilted = -self._tilted  # upright each time, left and right in turn
        for tilt in (0, self._tilted):
            found = _detect(self._frontal, image, tilt, minNeighbors=5, minSize=(_WINDOW, _WINDOW), maxSize=largest)
            self._take(found / fine, tilt)
        self._fine_at = self.count + self._fine_pause
        self._fine_pause = min(2 * self._fine_pause, _FINE_EVERY)

    def _take(self, squares: np.ndarray, tilt: int) -> None:
        """Detections of the whole image: each continues a track, or begins one."""
        for square in squares:
            if any(track.frames[-1] == self.count and _distance(track.squares[-1], square) < 0.7 for track in self._open):
                continue
            near = [track for track in self._open if track.frames[-1] < self.count and _same_face(track.squares[-1], square)]
            if near:
                min(near, key=lambda track: _distance(track.squares[-1], square)).add(self.count, square, tilt)
            else:
                self._open.append(_Track([self.count], [square], tilt))

    def result(self, face: int | None = None, *, margin: float = 0.15, source: str | Path = "the clip") -> FaceTrack:
        """The chosen face over all frames seen.

        Args:
            face: number of the face, from 1 in order of size (area summed over the frames in which it was found);
                by default the largest.
            margin: widens the box on each side, as a fraction of the face's side.
            source: file to name in an error.

        Raises:
            InputError: no face, or no face of that number.
        """
        cuts = self._cuts.cuts()
        tracks = self._faces(cuts)
        if not tracks:
            width, height = self.size
            searched = f"{self.count} frames of {width}×{height}, searched for faces of {self.smallest} pixels or more"
            raise NoFaceError(f"{source}: no face found in {searched}")
        if not 1 <= (face or 1) <= len(tracks) or face == 0:
            raise InputError(f"{source}: there is no face {face}, found {len(tracks)}; give --face 1 to {len(tracks)}")
        track = tracks[(face or 1) - 1]
        frames = np.array(track.frames)
        found = np.zeros(self.count, bool)
        found[frames] = True
        shot = _shot(frames[0], cuts, self.count)
        inside = slice(*shot)
        squares, held = np.repeat([track.squares[0]], self.count, 0), np.ones(self.count, bool)
        squares[inside], held[inside] = _fill(frames - shot[0], np.array(track.squares), shot[1] - shot[0])
        squares[shot[1] :] = squares[shot[1] - 1]
        centre, side = _smooth(squares[:, :2], _SIGMA_CENTRE), _smooth(squares[:, 2:], _SIGMA_SIDE)
        half = side * (0.5 + margin)
        boxes = np.hstack([centre - half, centre + half]).astype(np.float32)
        return FaceTrack(boxes, found, held, len(tracks), tuple(cuts), shot)

    def _faces(self, cuts: Sequence[int] = ()) -> list[_Track]:
        """Tracks with enough support, fragments of one face in one shot joined, largest first."""
        parts = [part for track in self._closed + self._open for part in track.split(cuts) if part.is_face]
        faces: list[_Track] = []
        for part in sorted(parts, key=lambda track: track.frames[0]):
            shot = _shot(part.frames[0], cuts, self.count)
            before = [
                face
                for face in faces
                if shot[0] <= face.frames[-1] < part.frames[0] and _same_face(face.squares[-1], part.squares[0], 1.0)
            ]
            if before:
                face = min(before, key=lambda face: _distance(face.squares[-1], part.squares[0]))
                face.frames.extend(part.frames)
                face.squares.extend(part.squares)
            else:
                faces.append(part)
        return sorted(faces, key=lambda face: face.size, reverse=True)


def _shot(frame: int, cuts: Sequence[int], count: int) -> tuple[int, int]:
    """The first frame of the shot that `frame` is in, and the first one after it; `cuts` in order."""
    number = int(np.searchsorted(cuts, frame, side="right"))
    edges = [0, *cuts, count]
    return edges[number], edges[number + 1]


def track_faces(
    frames: Iterable[Frame], face: int | None = None, *, margin: float = 0.15, source: str | Path = "the clip"
) -> FaceTrack:
    """Follow one face through `frames`; arguments and errors as `FaceTracker.result`."""
    tracker = FaceTracker()
    for frame in frames:
        tracker.update(frame.image)
    return tracker.result(face, margin=margin, source=source)


def _cascade(name: str) -> cv2.CascadeClassifier:
    return cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / f"haarcascade_{name}.xml"))


def _scaled(gray: np.ndarray, scale: float) -> np.ndarray:
    return gray if scale >= 1 else cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def _detect(
    cascade: cv2.CascadeClassifier, gray: np.ndarray, tilt: int = 0, mirrored: bool = False, **options: Any
) -> np.ndarray:
    """(n, 3) squares that `cascade` finds in `gray` turned by `tilt` degrees, or mirrored; in pixels of `gray`."""
    height, width = gray.shape
    view = np.ascontiguousarray(gray[:, ::-1]) if mirrored else gray
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), tilt, 1.0)
    if tilt:
        extent = np.ceil(np.abs(turn[:, :2]) @ (width, height)).astype(int)
        turn[:, 2] += (extent - (width, height)) / 2
        view = cv2.warpAffine(gray, turn, extent.tolist(), borderMode=cv2.BORDER_REPLICATE)
    boxes = np.asarray(cascade.detectMultiScale(view, 1.1, **options), np.float64).reshape(-1, 4)
    centres = (boxes[:, :2] + boxes[:, 2:] / 2 - turn[:, 2]) @ turn[:, :2]
    if mirrored:
        centres[:, 0] = width - centres[:, 0]
    return np.column_stack([centres, boxes[:, 2]])


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    """Distance of the centres in sides of the larger square."""
    return float(np.hypot(*(a[:2] - b[:2])) / max(a[2], b[2]))


def _same_face(a: np.ndarray, b: np.ndarray, reach: float = 0.5) -> bool:
    return _distance(a, b) < reach and 0.6 < a[2] / b[2] < 1 / 0.6


def _fill(frames: np.ndarray, squares: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Squares (count, 3) for all frames, and where the face is lost and the last one is held."""
    index = np.arange(count)
    last = np.clip(np.searchsorted(frames, index, side="right") - 1, 0, None)
    following = np.clip(np.searchsorted(frames, index, side="left"), None, len(frames) - 1)
    missed = np.where(index < frames[0], frames[0], frames[following] - frames[last] - 1)
    missed[index > frames[-1]] = count - 1 - frames[-1]
    held = missed >= LOST_AFTER
    held[frames] = False
    between = np.column_stack([np.interp(index, frames, column) for column in squares.T])
    return np.where(held[:, None], squares[last], between), held


def _smooth(values: np.ndarray, sigma: float) -> np.ndarray:
    """Median of 5 against single misfits, then a Gaussian of `sigma` frames; the ends are repeated."""
    padded = np.pad(values, ((2, 2), (0, 0)), mode="edge")
    values = np.median(np.lib.stride_tricks.sliding_window_view(padded, 5, axis=0), axis=-1)
    reach = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
    return np.column_stack([np.convolve(column, kernel / kernel.sum(), mode="valid") for column in padded.T])

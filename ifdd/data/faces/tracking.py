"""Find and follow faces: a detector, frame by frame, then one smooth square box per frame.

A face of `SMALLEST` pixels is found whatever the size of the frame (`finders`). A face is followed until the picture cuts.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from ifdd.data.faces.cuts import CutFinder
from ifdd.data.faces.face import Detector, Square, distance, same_face
from ifdd.data.faces.finders import SEARCH_EVERY, Sighting, finder_of
from ifdd.data.faces.haar import SMALLEST as SMALLEST
from ifdd.data.faces.haar import Haar
from ifdd.data.faces.smoothing import SIGMA_PLACE, SIGMA_SIZE, fill, smooth
from ifdd.data.video import Frame
from ifdd.errors import InputError, NoFaceError

MIN_DETECTIONS = 5
"""A track that fewer frames support is no face: the cascades fire on scenery now and then."""

_MIN_DENSITY = 0.3  # of a track's frames in which it is found; flicker on scenery stays below
_SURE = 0.75  # quantile of a track's scores that has to be sure
_MAX_GAP = 15  # frames after which a track is no longer continued


@dataclass(frozen=True, eq=False)
class FaceTrack:
    """One face over N frames.

    `boxes` (N, 4) float32: smoothed square boxes with margin, (x0, y0, x1, y1) in upright pixels; they may reach beyond
    the frame. `found` (N,): a detection supports the frame. `held` (N,): the face is lost there (`LOST_AFTER`), and its last
    box (before the first detection: its first) is held. `faces` counts the faces among which this one was chosen; a face is
    followed within one shot, so one that is seen in two shots counts twice. `cuts`: frames that begin another shot; `shot`: the
    first frame of the face's own and the first one after it. `scores` (N,) and `landmarks` (N, 5, 2) float32, in upright pixels,
    are the detector's own, not smoothed: NaN where it did not find the face, or tells none.
    """

    boxes: np.ndarray
    found: np.ndarray
    held: np.ndarray
    faces: int
    cuts: tuple[int, ...]
    shot: tuple[int, int]
    scores: np.ndarray
    landmarks: np.ndarray

    @property
    def share(self) -> float:
        """Share of the frames in which the face was found."""
        return float(self.found.mean())


@dataclass(eq=False)
class _Track:
    """Sightings of one face, by frame."""

    frames: list[int] = field(default_factory=list)
    sightings: list[Sighting] = field(default_factory=list)
    number: int = field(default_factory=itertools.count().__next__)

    def add(self, frame: int, sighting: Sighting) -> None:
        self.frames.append(frame)
        self.sightings.append(sighting)

    def split(self, cuts: Sequence[int]) -> list["_Track"]:
        """The parts between cuts, empty ones left out."""
        edges = [0, *np.searchsorted(self.frames, cuts).tolist(), len(self.frames)]
        spans = [slice(*pair) for pair in itertools.pairwise(edges) if pair[0] < pair[1]]
        return [_Track(self.frames[span], self.sightings[span]) for span in spans]

    @property
    def last(self) -> Square:
        """Where the face was seen last."""
        return self.sightings[-1].square

    def is_face(self, sure: float) -> bool:
        """Enough detections, dense enough, and a quarter of those with a score sure."""
        if len(self.frames) < max(MIN_DETECTIONS, _MIN_DENSITY * (self.frames[-1] - self.frames[0] + 1)):
            return False
        scores = [seen.face.score for seen in self.sightings if seen.face is not None and np.isfinite(seen.face.score)]
        return not scores or float(np.quantile(scores, _SURE)) >= sure

    @property
    def size(self) -> float:
        """Area summed over the frames in which the face was seen: large and lasting comes first."""
        return float(sum(sighting.square[2] ** 2 for sighting in self.sightings))


class FaceTracker:
    """Follow all faces of a video while it streams by; only boxes are kept.

    `update` takes the frames in order; `result` then picks one face. By default the detector is the cascades; one that is given
    serves this tracker alone, as detectors must not serve two threads at once.
    """

    def __init__(self, detector: Detector | None = None) -> None:
        self.count = 0
        self.size = (0, 0)
        """Width and height of the last frame."""
        detector = detector or Haar()
        self._finder, self._sure = finder_of(detector), detector.sure
        self._open: list[_Track] = []
        self._closed: list[_Track] = []
        self._cuts = CutFinder()

    @property
    def smallest(self) -> int:
        """Side in pixels of the smallest face that is looked for in such a frame."""
        return self._finder.smallest

    def update(self, image: np.ndarray) -> None:
        """Search one upright frame, (H, W, 3) uint8 RGB."""
        self.size = (image.shape[1], image.shape[0])
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        self._cuts.update(gray)
        self._finder.look(image, gray)
        for track in self._open:
            self._follow(track)
        if self.count % SEARCH_EVERY == 0:
            known = any(track.is_face(self._sure) for track in self._open)
            for sightings in self._finder.everywhere(self.count, known):
                self._take(sightings)
        for track in self._open:
            if track.frames[-2:] == [self.count - 1, self.count]:
                self._cuts.follow(track.number, *(sighting.square for sighting in track.sightings[-2:]))
        for track in [track for track in self._open if self.count - track.frames[-1] > _MAX_GAP]:
            self._open.remove(track)
            if track.is_face(self._sure):
                self._closed.append(track)
        self.count += 1

    def _follow(self, track: _Track) -> None:
        """Look for a known face near where it was last seen."""
        last = track.last
        established = len(track.frames) >= MIN_DETECTIONS
        for sightings in self._finder.near(last, track.sightings[-1].tilt, established):
            near = [sighting for sighting in sightings if same_face(last, sighting.square)]
            if near:
                track.add(self.count, min(near, key=lambda sighting: distance(last, sighting.square)))
                return

    def _take(self, sightings: Sequence[Sighting]) -> None:
        """What is seen in the whole image: each continues a track that was not found near, or begins one."""
        for sighting in sightings:
            square = sighting.square
            if any(track.frames[-1] == self.count and distance(track.last, square) < 0.7 for track in self._open):
                continue
            near = [track for track in self._open if track.frames[-1] < self.count and same_face(track.last, square)]
            if near:
                min(near, key=lambda track: distance(track.last, square)).add(self.count, sighting)
            else:
                self._open.append(_Track([self.count], [sighting]))

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
        seen = np.array([sighting.square for sighting in track.sightings])
        squares, held = np.repeat(seen[:1], self.count, 0), np.ones(self.count, bool)
        squares[inside], held[inside] = fill(frames - shot[0], seen, shot[1] - shot[0])
        squares[shot[1] :] = squares[shot[1] - 1]
        centre, side = smooth(squares[:, :2], SIGMA_PLACE), smooth(squares[:, 2:], SIGMA_SIZE)
        half = side * (0.5 + margin)
        boxes = np.hstack([centre - half, centre + half]).astype(np.float32)
        scores, landmarks = np.full(self.count, np.nan, np.float32), np.full((self.count, 5, 2), np.nan, np.float32)
        for frame, sighting in zip(track.frames, track.sightings, strict=True):
            if sighting.face is not None:
                scores[frame] = sighting.face.score
                if sighting.face.landmarks is not None:
                    landmarks[frame] = sighting.face.landmarks
        return FaceTrack(boxes, found, held, len(tracks), tuple(cuts), shot, scores, landmarks)

    def _faces(self, cuts: Sequence[int] = ()) -> list[_Track]:
        """Tracks with enough support, fragments of one face in one shot joined, largest first."""
        parts = [part for track in self._closed + self._open for part in track.split(cuts) if part.is_face(self._sure)]
        faces: list[_Track] = []
        for part in sorted(parts, key=lambda track: track.frames[0]):
            shot = _shot(part.frames[0], cuts, self.count)
            before = [
                face
                for face in faces
                if shot[0] <= face.frames[-1] < part.frames[0] and same_face(face.last, part.sightings[0].square, 1.0)
            ]
            if before:
                face = min(before, key=lambda face: distance(face.last, part.sightings[0].square))
                face.frames.extend(part.frames)
                face.sightings.extend(part.sightings)
            else:
                faces.append(part)
        return sorted(faces, key=lambda face: face.size, reverse=True)


def _shot(frame: int, cuts: Sequence[int], count: int) -> tuple[int, int]:
    """The first frame of the shot that `frame` is in, and the first one after it; `cuts` in order."""
    number = int(np.searchsorted(cuts, frame, side="right"))
    edges = [0, *cuts, count]
    return edges[number], edges[number + 1]


def track_faces(
    frames: Iterable[Frame],
    face: int | None = None,
    *,
    margin: float = 0.15,
    source: str | Path = "the clip",
    detector: Detector | None = None,
) -> FaceTrack:
    """Follow one face through `frames`; arguments and errors as `FaceTracker`."""
    tracker = FaceTracker(detector)
    for frame in frames:
        tracker.update(frame.image)
    return tracker.result(face, margin=margin, source=source)

"""Cuts: where one picture, or one face, gives way to another between two frames.

Two frames are compared by what they show, not by how bright they are: the earlier one is warped onto the later one by optical
flow, then correlated with it place by place; the likeness is the median over the cells of a grid. So motion, light and a hand
before half of the face leave it high. A cut is sudden: the likeness falls at one step and not around it; and it stays: a
picture that comes back within `PASSING` frames was interrupted, by a flash or by something that passed.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

PICTURE, FACE = 0.4, 0.14
"""1 − likeness that a cut has at least, of the picture or of a followed face; head motion at 25 frames/s has 0.08 at most."""
PASSING = 15
"""Frames within which an interrupted picture comes back."""

_SIDE = 80  # longest side of a picture that is compared
_FACE_SIDE, _FACE_REACH = 64, 0.8  # side of a face that is compared; half of its square, in sides of the face
_CALM = 6  # frames before and after a cut that are compared with it
_CELLS = 4
_ALIKE = 0.95  # a likeness that needs no flow
_TEXTURE = 12.0  # local variance of gray values below which a place shows nothing to compare
_BLANK = 0.02  # share of places with texture below which a picture is blank, as in a fade

Square = np.ndarray  # (3,): centre x, centre y, side


@dataclass(eq=False)
class _Candidate:
    """A sudden change at a frame: the picture before it, which may yet come back."""

    steps: "_Steps"
    frame: int
    before: np.ndarray
    square: Square | None  # of the face before, None for the whole picture


@dataclass(eq=False)
class _Steps:
    """1 − likeness to the frame before, by frame; frames that are not compared are missing."""

    changes: dict[int, float] = field(default_factory=dict)

    def sudden(self, frame: int) -> bool:
        """Whether the change at a frame stands out from those around it."""

        def around(frames: range) -> list[float]:
            return [self.changes[i] for i in frames if i in self.changes]

        change = self.changes[frame]
        beside = max(around(range(frame - 1, frame)) + around(range(frame + 1, frame + 2)), default=0.0)
        calm = [around(range(frame - _CALM, frame)), around(range(frame + 1, frame + 1 + _CALM))]
        return change >= 2 * beside and change >= 3 * max((float(np.median(part)) for part in calm if part), default=0.0)


class CutFinder:
    """Find cuts while gray pictures, all of one size, stream by; only a few small pictures are kept."""

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._count = 0
        self._last: np.ndarray | None = None  # the last picture that is not blank
        self._gray = self._gray_before = np.empty((0, 0), np.uint8)
        self._picture = _Steps()
        self._faces: dict[int, _Steps] = {}
        self._waiting: list[_Candidate] = []
        self._stayed: list[tuple[_Steps, int]] = []
        self._back = -1  # the last frame at which an interrupted picture came back

    def update(self, gray: np.ndarray) -> None:
        """The next picture, (H, W) uint8."""
        self._gray_before, self._gray = self._gray, gray
        small = _small(gray)
        self._settle(small)
        if not _blank(small):
            if self._last is not None:
                self._note(self._picture, self._count, PICTURE, self._last, small)
            self._last = small
        self._count += 1

    def follow(self, face: int, before: Square, after: Square) -> None:
        """A face, by a number of its own, was found in the last picture and in the one before; squares in pixels of these."""
        if self._gray_before.shape != self._gray.shape:
            return
        pictures = _face(self._gray_before, before), _face(self._gray, after)
        if not any(_blank(picture) for picture in pictures):
            self._note(self._faces.setdefault(face, _Steps()), self._count - 1, FACE, *pictures, before)

    def cuts(self) -> list[int]:
        """Frames that begin another picture, counted from the first one seen."""
        stayed = self._stayed + [(candidate.steps, candidate.frame) for candidate in self._waiting]
        return sorted({frame for steps, frame in stayed if steps.sudden(frame)})

    def _settle(self, small: np.ndarray) -> None:
        """Let go of changes after which the picture before comes back now, and of all since; keep those that have stayed."""
        for candidate in self._waiting:
            if self._count - candidate.frame > PASSING:
                self._stayed.append((candidate.steps, candidate.frame))
        self._waiting = [candidate for candidate in self._waiting if self._count - candidate.frame <= PASSING]
        for candidate in self._waiting:
            now = small if candidate.square is None else _face(self._gray, candidate.square)
            if 1 - self._likeness(candidate.before, now) < candidate.steps.changes[candidate.frame] / 2:
                self._waiting = [other for other in self._waiting if other.frame < candidate.frame]
                self._back = self._count
                break  # they are in order of time

    def _note(
        self, steps: _Steps, frame: int, least: float, before: np.ndarray, after: np.ndarray, square: Square | None = None
    ) -> None:
        change = 1 - self._likeness(before, after)
        steps.changes[frame] = change
        if frame != self._back and change >= max(least, 2 * steps.changes.get(frame - 1, 0.0)):
            self._waiting.append(_Candidate(steps, frame, before, square))

    def _likeness(self, a: np.ndarray, b: np.ndarray) -> float:
        """Likeness of two small pictures from 0 to 1, whichever of the two is warped onto the other."""
        if a.shape != b.shape:
            return 0.0
        plain = _likeness(a, b)
        if plain > _ALIKE:
            return plain
        return max(plain, _likeness(self._warp(a, b), b), _likeness(self._warp(b, a), a))

    def _warp(self, source: np.ndarray, target: np.ndarray) -> np.ndarray:
        flow = self._flow.calc(target, source, np.zeros((*source.shape, 2), np.float32))
        rows, columns = np.indices(source.shape, np.float32)
        return cv2.remap(source, columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _small(gray: np.ndarray) -> np.ndarray:
    scale = min(1.0, _SIDE / max(gray.shape))
    height, width = (max(16, round(side * scale)) for side in gray.shape)
    return cv2.resize(gray, (width, height), interpolation=cv2.INTER_AREA)


def _face(gray: np.ndarray, square: Square) -> np.ndarray:
    """The surroundings of a face at one size."""
    x, y, side = square
    half = _FACE_REACH * side
    height, width = gray.shape
    # at least one pixel of the picture, wherever the square lies
    x0, x1 = sorted((round(min(max(x - half, 0), width - 1)), round(min(max(x + half, 1), width))))
    y0, y1 = sorted((round(min(max(y - half, 0), height - 1)), round(min(max(y + half, 1), height))))
    return cv2.resize(gray[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)], (_FACE_SIDE, _FACE_SIDE), interpolation=cv2.INTER_AREA)


def _mean(values: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(values, (0, 0), 3)


def _blank(gray: np.ndarray) -> bool:
    values = gray.astype(np.float32)
    return bool((_mean(values * values) - _mean(values) ** 2 > _TEXTURE).mean() < _BLANK)


def _likeness(a: np.ndarray, b: np.ndarray) -> float:
    """Median over cells of the local correlation of what shows texture in either picture; 1 where there is next to nothing."""
    a, b = a.astype(np.float32), b.astype(np.float32)
    mean_a, mean_b = _mean(a), _mean(b)
    variance_a, variance_b = np.maximum(_mean(a * a) - mean_a**2, 0), np.maximum(_mean(b * b) - mean_b**2, 0)
    correlation = (_mean(a * b) - mean_a * mean_b) / np.sqrt((variance_a + 2) * (variance_b + 2))
    shown = (np.maximum(variance_a, variance_b) > _TEXTURE).astype(np.float32)
    weight = _cells(shown)
    told = weight > 0.1
    values = _cells(np.clip(correlation, 0, 1).astype(np.float32) * shown)[told] / weight[told]
    return float(np.median(values)) if len(values) >= 3 else 1.0


def _cells(values: np.ndarray) -> np.ndarray:
    return cv2.resize(values, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)

"""What a decoded video is made of."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ifdd.errors import InputError

MAX_PIXELS = 89_000_000
"""Of one picture; more than twice an 8K frame. Larger ones are a slip or an attack, and would fill the memory."""

Picture = Callable[[], np.ndarray]
"""Makes the (H, W, 3) uint8 RGB picture of a frame; frames that nobody wants are never converted."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One decoded frame: `image` is (H, W, 3) uint8 RGB, upright, shown from `seconds` (from the first frame on) to `end`."""

    index: int
    seconds: float
    image: np.ndarray
    end: float


@dataclass(frozen=True)
class Shown:
    """When a frame is shown, its upright (width, height) and what makes its picture."""

    index: int
    seconds: float
    end: float
    size: tuple[int, int]
    picture: Picture


@dataclass(frozen=True, eq=False)
class Times:
    """When the frames of a stretch are shown: index of the first, `seconds` (n,) of all, the end of the last; their size."""

    first: int
    seconds: np.ndarray
    end: float
    width: int
    height: int


@dataclass(frozen=True)
class VideoInfo:
    """What a source is: `kind` is "video" or "frames"; `width` and `height` are those of the upright frame."""

    path: Path
    kind: str
    fps: float | None
    width: int
    height: int


def existing(path: str | Path) -> Path:
    """The path, if a file or a folder is there.

    Raises: InputError.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: no such file or folder; check the spelling")
    if not path.is_file() and not path.is_dir():  # a pipe would wait for ever
        raise InputError(f"{path}: a pipe, socket or device; save the video to a file and give that")
    return path


def left_to_show(seconds: float, end: float, start: float) -> bool:
    """Whether a frame that began before `start` belongs to what is seen from there: half of it is left, or 20 ms."""
    return end - start > min((end - seconds) / 2, 0.02) + 1e-6


def stretch_name(start: float | None, end: float | None) -> str:
    """A stretch in words, for messages."""
    return f"{start or 0:g} s to {'the end' if end is None else f'{end:g} s'}"

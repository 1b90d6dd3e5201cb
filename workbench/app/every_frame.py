"""All frames of what a model read a few of, as the player steps through them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ifdd.data.video import read_frames, read_times
from workbench.app.clipview import shrink

MOST = 300
"""Frames that a player shows; of a longer stretch so many are taken, evenly."""
SIDE = 160  # pixels, longest side


@dataclass(frozen=True, eq=False)
class EveryFrame:
    """Frames of a stretch: `pixels` (n, H, W, 3) uint8, small and not cropped, `seconds` and `index` (n,), of `total` frames."""

    pixels: np.ndarray
    seconds: np.ndarray
    index: np.ndarray
    total: int

    @property
    def words(self) -> str:
        """How many there are, and how many of them are shown."""
        return f"{self.total} frames" if len(self.index) == self.total else f"{len(self.index)} of {self.total} frames"


def every_frame(path: Path, start: float, end: float, fps: float | None = None, most: int = MOST) -> EveryFrame:
    """The frames from `start` to `end` (seconds) of a video, or of a folder with `fps` frames a second; evenly `most` of more.

    Raises: InputError as `read_frames`.
    """
    times = read_times(path, start, end, fps=fps)
    total = len(times.seconds)
    taken = np.unique(np.linspace(0, total - 1, min(most, total)).round().astype(int))
    wanted = times.first + taken
    pictures = [shrink(frame.image, SIDE) for frame in read_frames(path, start, end, fps=fps, keep=set(wanted.tolist()))]
    return EveryFrame(np.stack(pictures), times.seconds[taken], wanted, total)

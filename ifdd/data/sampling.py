"""Which frames of a stretch a clip shows: drawn anew in every epoch of a training, fixed where a model is scored."""

from dataclasses import dataclass

import numpy as np

from ifdd.data.clips import frames_shown
from ifdd.data.rules import Sampling

DRAWS = 311
"""Tells the draws of frames from others of the same seed."""


@dataclass(frozen=True)
class Rule:
    """How T frames are taken from the n of a stretch in training.

    `centres`: those on show at the centres of T equal segments of time, as everywhere else. `segments`: at a random moment of
    each segment. `window`: every `stride`-th frame of a random window of (T − 1) · stride + 1 frames; the stride shrinks where
    the stretch is shorter. `reference`: of a random window of T · stride frames, or of the first T where there are fewer; the
    released code's rule (core/datasets/DFEW.py, get_clip). Fewer than T frames: each once, then the last one repeated.
    """

    sampling: Sampling = "centres"
    stride: int = 1
    seed: int = 0


RULE = Rule()


@dataclass(frozen=True)
class Take:
    """Which clip of a video is asked for: in training that of an `epoch` and a `turn` in it, else the `view`-th of `views`."""

    epoch: int | None = None
    turn: int = 0
    view: int = 0
    views: int = 1


CENTRES = Take()
"""The one clip of every video that is read where nothing else is asked for."""


def frames_taken(seconds: np.ndarray, start: float, end: float, frames: int, rule: Rule, take: Take, clip: int) -> np.ndarray:
    """(frames,) indexes into frames that begin at `seconds` (n,) of a stretch from `start` to `end`.

    What is drawn depends on the rule's seed, the epoch, the turn in it and the number of the clip alone. Views are spread evenly:
    one is the segments' centres; of several, segments are read at so many moments of each, windows begin in so many places.

    >>> frames_taken(np.arange(8.0), 0, 8, 4, Rule("window"), Take(view=1, views=3), clip=0)
    array([2, 3, 4, 5])
    """
    count = len(seconds)
    windows = rule.sampling in ("window", "reference")
    if take.epoch is None:
        if take.views == 1 or not windows:
            return frames_shown(seconds, start, end, frames, (take.view + 0.5) / take.views)
        stride, starts = _window(count, frames, rule)
        first = round(take.view * (starts - 1) / (take.views - 1))
        return np.minimum(first + stride * np.arange(frames), count - 1)
    if rule.sampling == "centres":
        return frames_shown(seconds, start, end, frames)
    generator = np.random.default_rng([rule.seed, DRAWS, take.epoch, clip, take.turn])
    if not windows:
        within = 0.998  # of a segment: `frames_shown` forgives time stamps a thousandth of a frame
        return frames_shown(seconds, start, end, frames, within * generator.random(frames))
    stride, starts = _window(count, frames, rule)
    return np.minimum(int(generator.integers(starts)) + stride * np.arange(frames), count - 1)


def _window(count: int, frames: int, rule: Rule) -> tuple[int, int]:
    """Stride of a window, and in how many places it may begin."""
    if rule.sampling == "reference":
        length = frames * rule.stride
        return (rule.stride, count - length + 1) if count >= length else (1, 1)
    stride = max(1, min(rule.stride, (count - 1) // max(frames - 1, 1)))
    return stride, max(1, count - (frames - 1) * stride)

"""Seconds of frames from the time stamps of a container, which miss, repeat, run ahead, wrap and begin anew."""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import pairwise
from math import inf
from statistics import median
from typing import TypeVar

T = TypeVar("T")

NEW_CLOCK = 10.0
"""Seconds that the stamps of a broadcast stream may jump ahead before it is a new clock: FFmpeg's `-dts_delta_threshold`."""
AHEAD = 8
"""Stamps that are looked at to tell one wrong stamp from a new clock."""


def steady(frames: Iterable[tuple[float | None, T]], step: float, longest: float = inf) -> Iterator[tuple[float, T]]:
    """(seconds, item) in order: seconds begin at 0 and increase, whatever the stamps do.

    A stamp that runs ahead of several of the next `AHEAD`, or falls behind what most of them go on from, is no stamp; a frame
    without one follows its predecessor by `step`, or comes evenly before the next stamp where that is nearer. The other frames
    keep their distances: nothing shifts for good. Where the following stamps go back too, or a step is above `longest`, a new
    clock begins one `step` after the old one.

    Args:
        frames: (stamp in seconds or None, item), in order of presentation. What it raises is raised after the items before.
        step: seconds that a frame usually lasts.
        longest: seconds of the longest pause that a clock may make.
    """
    source, waiting = iter(frames), deque[tuple[float | None, T]]()
    error: Exception | None = None
    origin: float | None = None  # the stamp of second 0
    clock = last = -step  # seconds of the last good stamp, of the last frame

    def look(count: int) -> list[float | None]:
        """The next stamps; fewer where the frames end, or break."""
        nonlocal error
        while len(waiting) < count and error is None:
            try:
                waiting.append(next(source))
            except StopIteration as stop:
                error = stop
            except Exception as broken:  # the frames before it are whole
                error = broken
        return [stamp for stamp, _ in list(waiting)[:count]]

    while look(1):
        [stamp, *near] = look(2)
        ahead = look(1 + AHEAD)[1:] if _odd(stamp, near, origin, clock, step) else near
        known = [other for other in ahead if other is not None]
        if stamp is not None:
            before = -inf if origin is None else clock + origin
            if before < stamp:
                passed = [other for other in known if before < other < stamp]
                far = len(passed) == len(known) == 1 and stamp - before > 2 * (passed[0] - before)
                stamp = None if len(passed) > 1 or far else stamp
            elif 2 * sum(other > before for other in known) >= len(known) or stamp == before:
                stamp = None
            else:
                origin = stamp - last - step  # they all go back: a new clock
        if stamp is not None and (origin is None or stamp - origin - last > longest):
            origin = stamp - last - step
        if stamp is None:
            gaps = (
                [(other - origin - last) / (2 + n) for n, other in enumerate(ahead) if other is not None]
                if origin is not None
                else []
            )
            now = last + min([step, *(gap for gap in gaps if gap > 1e-6)])
        else:
            assert origin is not None
            clock = now = stamp - origin
            if now <= last + 1e-9:  # frames without a stamp went too far: let the clock catch up
                now = last + step / 16
        last = now
        yield (now if abs(now) > 1e-9 else 0.0), waiting.popleft()[1]
    if error is not None and not isinstance(error, StopIteration):
        raise error


def _odd(stamp: float | None, near: list[float | None], origin: float | None, clock: float, step: float) -> bool:
    """Whether a stamp needs more than its neighbour to be judged."""
    if stamp is None or not near or near[0] is None or not stamp < near[0] < stamp + 4 * step:
        return True
    return origin is not None and not clock < stamp - origin < clock + 4 * step


def usual_gap(seconds: Iterable[float], step: float) -> float:
    """Median distance of neighbours; `step` where there are none."""
    gaps = [after - before for before, after in pairwise(seconds)]
    return median(gaps) if gaps else step

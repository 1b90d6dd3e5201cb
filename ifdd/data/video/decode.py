"""Decode a video, or a folder of frames, one upright frame at a time."""

from collections import deque
from collections.abc import Container, Iterator
from dataclasses import replace
from functools import partial
from math import floor, inf
from pathlib import Path

import cv2
import numpy as np

from ifdd.data.video.animation import decode_animation, frame_ends
from ifdd.data.video.film import ANIMATED, Damaged, Film
from ifdd.data.video.frame_folder import FOLDER_FPS, decode_folder
from ifdd.data.video.frames import Frame, Shown, Times, VideoInfo, existing, left_to_show, stretch_name
from ifdd.data.video.opening import choose_stream, open_video
from ifdd.data.video.pixels import display_matrix, square_pixels, upright
from ifdd.data.video.stamps import NEW_CLOCK, steady, usual_gap
from ifdd.errors import InputError

_ROUNDING = 1e-6
"""Seconds: a frame at 1.12 s may stand at 1.119999."""
_BROADCAST = {"mpegts", "mpeg"}


def read_frames(
    path: str | Path,
    start: float | None = None,
    end: float | None = None,
    *,
    fps: float | None = None,
    keep: Container[int] | None = None,
    on_show: bool = False,
) -> Iterator[Frame]:
    """Yield the frames with `start` <= seconds < `end` in presentation order, a few in memory at a time.

    Seconds come from the time stamps, less that of the first frame; stamps that miss or are wrong are mended as
    `stamps.steady` says. Of several video streams the default one is read, else the largest. The display matrix (rotation,
    mirroring) and non-square pixels are honoured. Frames that cannot be decoded before the first whole picture are left out.
    Where the size changes within the stretch, pictures of the same shape are scaled to the first.

    Args:
        path: video file, or folder of images in natural order (2.png before 10.png; hidden files are left out).
        start: seconds, inclusive.
        end: seconds, exclusive. At most a few frames after it are decoded.
        fps: frame rate of a folder of frames, `FOLDER_FPS` by default; a video has time stamps of its own.
        keep: frame indexes to convert to RGB and yield; the others are only decoded.
        on_show: begin with the frame that is on show at `start`, unless little of it is left (`left_to_show`).

    Raises:
        InputError: no such file, not a video, fewer than two frames, broken or cut short, pictures of different shapes,
            `start` or `end` outside the video.
    """
    frames = _stretch(path, start, end, fps, keep, on_show)
    return (Frame(shown.index, shown.seconds, shown.picture(), shown.end) for shown in frames)


def read_times(
    path: str | Path, start: float | None = None, end: float | None = None, *, fps: float | None = None, on_show: bool = False
) -> Times:
    """When the frames of the stretch are shown, and their size; no picture is made.

    Raises:
        InputError: as `read_frames`; also when no frame begins within the stretch.
    """
    first: Shown | None = None
    seconds: list[float] = []
    for shown in _stretch(path, start, end, fps, on_show=on_show):
        first = first or shown
        seconds.append(shown.seconds)
    if first is None:
        raise InputError(f"{path}: no frame from {stretch_name(start, end)}; choose a longer stretch")
    return Times(first.index, np.array(seconds), shown.end, *first.size)


def read_seconds(
    path: str | Path, start: float | None = None, end: float | None = None, *, fps: float | None = None
) -> tuple[int, np.ndarray]:
    """Index of the first frame of the stretch, and the seconds (n,) of all its frames.

    Raises:
        InputError: as `read_times`.
    """
    times = read_times(path, start, end, fps=fps)
    return times.first, times.seconds


def probe(path: str | Path, *, fps: float | None = None) -> VideoInfo:
    """Kind, average frame rate and upright size of a source, from its header and first frame.

    Raises:
        InputError: as `read_frames`, as far as the first frame shows it.
    """
    path = existing(path)
    if path.is_dir():
        rate: float | None = fps or FOLDER_FPS
    elif len(ends := frame_ends(path)):
        rate = len(ends) / float(ends[-1])
    else:
        container, _ = open_video(path)
        with container:
            average = choose_stream(container, path).average_rate
            rate = float(average) if average else None
            moving = container.format.name in ANIMATED
        if moving:  # the header counts by the shortest delay
            times = read_times(path)
            rate = len(times.seconds) / times.end
    first = next(_decode(path, fps), None)
    if first is None:
        raise InputError(f"{path}: holds no frame that can be decoded; give another video")
    width, height = first.size
    return VideoInfo(path, "frames" if path.is_dir() else "video", rate, width, height)


def _stretch(
    path: str | Path,
    start: float | None,
    end: float | None,
    fps: float | None,
    keep: Container[int] | None = None,
    on_show: bool = False,
) -> Iterator[Shown]:
    """The wanted frames with start <= seconds < end."""
    path = existing(path)
    first = 0.0 if start is None else start
    if not first >= 0 or (end is not None and not end > first):
        raise InputError(f"{path}: the stretch from {stretch_name(start, end)} is empty; choose 0 <= start < end")
    if fps is not None and not 0 < fps < inf:
        raise InputError(f"{path}: a frame rate of {fps:g} is impossible; give --fps above 0")
    if fps is not None and path.is_file():
        raise InputError(f"{path}: a video has time stamps of its own; --fps is for a folder of frames, leave it out")
    model: Shown | None = None  # its size is that of all pictures
    last, length, count = 0.0, 0.0, 0
    for shown in _decode(path, fps):
        if end is not None and shown.seconds >= end - _ROUNDING:
            return
        inside = shown.seconds >= first - _ROUNDING or (on_show and left_to_show(shown.seconds, shown.end, first))
        if inside and (keep is None or shown.index in keep):
            model = model or shown
            yield shown if shown.size == model.size else _alike(shown, model, path)
        last, length, count = shown.seconds, shown.end, shown.index + 1
    if count < 2:
        raise InputError(f"{path}: holds {count} frame{'' if count else 's'}; a clip needs at least 2: give a longer video")
    # the grace of a header's rounding, or of half a frame that lasts no longer than usual
    if first >= length or (end is not None and end > length + min((length - last) / 2, 0.02)):
        raise InputError(f"{path}: {first if first >= length else end:g} s is outside the video, which lasts {length:.2f} s")


def _alike(shown: Shown, model: Shown, path: Path) -> Shown:
    """The frame with its picture scaled to the size of another one.

    Raises: InputError where that would stretch it.
    """
    (width, height), (w, h) = shown.size, model.size
    if abs(width * h / (w * height) - 1) > 0.01:
        at = _cut_at(shown.seconds, 3)
        raise InputError(
            f"{path}: the picture changes from {w}x{h} to {width}x{height} at {at} s; "
            f"read one part, with --end {at} or --start {at}"
        )
    return replace(shown, picture=lambda: cv2.resize(shown.picture(), model.size, interpolation=cv2.INTER_AREA))


def _cut_at(seconds: float, digits: int) -> str:
    """Seconds as text, rounded down: as `--end` they leave out the frame that begins there, as `--start` they take it."""
    return f"{floor(seconds * 10**digits + 1e-6) / 10**digits:.{digits}f}"


def _decode(path: Path, fps: float | None) -> Iterator[Shown]:
    if path.is_dir():
        return _decode_folder(path, fps or FOLDER_FPS)
    ends = frame_ends(path)
    return decode_animation(path, ends) if len(ends) else _decode_video(path)


def _decode_folder(path: Path, fps: float) -> Iterator[Shown]:
    for index, (size, picture) in enumerate(decode_folder(path)):
        yield Shown(index, index / fps, (index + 1) / fps, size, picture)


def _decode_video(path: Path) -> Iterator[Shown]:
    container, heard = open_video(path)
    with container:
        stream = choose_stream(container, path)
        film = Film(container, stream, path, heard)
        longest = NEW_CLOCK if container.format.name in _BROADCAST else inf
        shown: Shown | None = None  # waits for its successor, which tells when it ends
        recent: deque[float] = deque(maxlen=16)
        rotation, turn = 0, (1, 0, 0, 1)
        try:
            for index, (seconds, frame) in enumerate(steady(film, film.step, longest)):
                if shown is not None:
                    yield replace(shown, end=seconds)
                if shown is None or frame.rotation != rotation:
                    # seldom: once its side data are asked for, a frame stays in memory until the garbage collector comes
                    rotation, turn = frame.rotation, display_matrix(frame)
                shape = square_pixels(frame, stream.sample_aspect_ratio, path)
                size = shape[::-1] if abs(turn[1]) > abs(turn[0]) else shape
                shown = Shown(index, seconds, seconds + film.step, size, partial(upright, frame, shape, turn, path))
                recent.append(seconds)
        except Damaged as why:
            if shown is None:
                raise InputError(f"{path}: no picture of it can be read: {why}; give a whole video") from why
            yield shown
            end = _cut_at(shown.seconds, 2)
            raise InputError(
                f"{path}: breaks after frame {shown.index} ({shown.seconds:.2f} s): {why}; "
                f"repair the file{f', or read what is whole of it with --end {end}' if float(end) > 0 else ''}"
            ) from why
        if shown is not None:
            yield replace(shown, end=shown.seconds + (film.last_lasts(shown.seconds) or usual_gap(recent, film.step)))

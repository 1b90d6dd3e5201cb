"""What a clip is on disk: its frames counted and its size from one header; nothing is decoded of a folder of frames.

A tree of 40,000 folders is read in seconds so. What only reading all pictures shows (a damaged one, one of another size) is seen
where that is asked for, or by `ifdd data doctor`. Videos are decoded once, as no header tells how many frames they hold.
"""

import mimetypes
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import TypeVar

from ifdd.data.bad_clips import UNREADABLE, reason
from ifdd.data.corpora.finding import split_name
from ifdd.data.video import FOLDER_FPS, IMAGE_SUFFIXES, image_files, probe, read_seconds
from ifdd.data.video.images import image_size
from ifdd.errors import InputError

_AT_ONCE = 1000
"""Clips handed to the threads at once, so that memory does not grow with the corpus."""
_NUMBERED = re.compile(r"(.*?)(\d+)(\D*)")
_DECIMAL = re.compile(r"\d[.,]|-")
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Measured:
    """A clip as it is on disk; `holes` tells which numbers of frames are not there, "" where all are."""

    kind: str
    n_frames: int
    fps: float
    width: int
    height: int
    holes: str = ""


def measure(clip: Path) -> Measured | str:
    """A clip as it is on disk, or why it cannot be read, in a line without its path."""
    try:
        return _frames(clip) if clip.is_dir() else _video(clip)
    except UNREADABLE as error:
        return _told(error, clip)


def measure_deeply(clip: Path) -> Measured | str:
    """As `measure`; every picture of a folder of frames is checked too, as decoding does."""
    found = measure(clip)
    if isinstance(found, str) or found.kind == "video":
        return found
    try:
        read_seconds(clip)
    except UNREADABLE as error:
        return _told(error, clip)
    return found


def _told(error: Exception, clip: Path) -> str:
    return reason(error, clip).replace(f"{clip}{os.sep}", "")


def in_threads(function: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """Results of a function in the order of the items; threads wait for the disk side by side."""
    rest = iter(items)
    with ThreadPoolExecutor(workers) as pool:
        while some := list(islice(rest, _AT_ONCE)):
            yield from pool.map(function, some)


def _video(clip: Path) -> Measured:
    _, seconds = read_seconds(clip)
    info = probe(clip)
    return Measured("video", len(seconds), info.fps or 0.0, info.width, info.height)


def _frames(folder: Path) -> Measured:
    sizes = _sizes(folder)
    ordered = None if sizes is None else _in_order(sizes)
    if sizes is None or ordered is None:  # names that need thought
        files = image_files(folder)
        sizes = {file.name: file.stat().st_size for file in files}
        names, holes = [file.name for file in files], ""
    else:
        names, numbers = ordered
        holes = _holes(numbers)
    if empty := [name for name in names if not sizes[name]]:
        more = f" and {len(empty) - 1} more" if len(empty) > 1 else ""
        raise InputError(f"{empty[0]}{more}: an empty file, 0 bytes; fetch the clip anew")
    width, height = image_size(folder / names[0])
    return Measured("frames", len(names), FOLDER_FPS, width, height, holes)


def _sizes(folder: Path) -> dict[str, int] | None:
    """Name → bytes of the images of a folder; None where something lies there that `image_files` has to judge."""
    found: dict[str, int] = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if name.startswith("."):
                continue
            about = entry.stat()
            suffix = split_name(name)[1]
            if suffix not in IMAGE_SUFFIXES:
                if (mimetypes.guess_type(name)[0] or "").startswith("image/"):
                    return None
                continue
            if not stat.S_ISREG(about.st_mode):
                return None
            found[name] = about.st_size
    return found or None


def _in_order(sizes: dict[str, int]) -> tuple[list[str], list[int]] | None:
    """Names in the order of their one number, and the numbers; None where names differ in more than one whole number."""
    found: list[tuple[int, str]] = []
    template: tuple[str, str] | None = None
    for name in sizes:
        stem, suffix = split_name(name)
        parts = _NUMBERED.fullmatch(stem)
        if parts is None or (template or (parts[1], parts[3] + suffix)) != (parts[1], parts[3] + suffix):
            return None
        template = parts[1], parts[3] + suffix
        found.append((int(parts[2]), name))
    if template is None or _DECIMAL.search(template[0][-2:]):
        return None
    found.sort()
    numbers = [number for number, _ in found]
    return None if len(set(numbers)) < len(numbers) else ([name for _, name in found], numbers)


def _holes(numbers: list[int]) -> str:
    """Which numbers are missing, in words; steps that are all alike (every fifth frame) are no holes."""
    steps = {two - one for one, two in pairwise(numbers)}
    if len(steps) < 2:
        return ""
    step = min(steps)
    gaps = [(one + step, two - step) for one, two in pairwise(numbers) if two - one > step]
    first = f"{gaps[0][0]}" if gaps[0][0] >= gaps[0][1] else f"{gaps[0][0]}–{gaps[0][1]}"
    count = (numbers[-1] - numbers[0]) // step + 1 - len(numbers)
    return f"no frame {first}" + (f", {count} in all" if count > 1 else "") + f" of {numbers[0]}–{numbers[-1]}"

"""Every clip looked at once: what lies in its folder, and, where it is read, whether all of it is whole and how it looks."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from ifdd.data.bad_clips import UNREADABLE, reason
from ifdd.data.doctor.looks import code_of, sampled
from ifdd.data.video import image_files, probe, read_frames
from ifdd.data.video.images import image_size, read_image
from ifdd.errors import InputError
from ifdd.jobs import pool_map
from ifdd.progress import tqdm

_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class Look:
    """What is asked of a clip: `deep` reads every byte, `looks` asks for its perceptual code; `frames` is what its list says."""

    path: str
    frames: float = math.nan
    deep: bool = True
    looks: bool = True


@dataclass(frozen=True)
class Seen:
    """What a clip is on disk; `error` says why it cannot be read, or "".

    `frames`, and `size` in bytes, are of all its files; a video's frames are counted where it is read, else 0. `missing` counts
    the numbers that a folder's names leave out, `holes` says which; `unsorted`: as text the names are in another order; `empty`
    counts files of no bytes; `code` is how it looks (`looks.code_of`), b"" where it was not asked for or shows nothing.
    """

    frames: int = 0
    size: int = 0
    width: int = 0
    height: int = 0
    missing: int = 0
    holes: str = ""
    unsorted: bool = False
    empty: int = 0
    code: bytes = b""
    error: str = ""


def scan(looks: Sequence[Look], workers: int = 1, progress: bool = True) -> tuple[Seen, ...]:
    """Look at every clip, in their order."""
    deep = any(look.deep or look.looks for look in looks)
    with pool_map(see, looks, workers, least=64 if deep else 4096, chunk=16) as results:
        shown = tqdm(results, "examine", len(looks), unit="clip", delay=2, leave=False, disable=None if progress else True)
        return tuple(shown)


def see(look: Look) -> Seen:
    """Look at one clip; what cannot be read is told, not raised."""
    clip = Path(look.path)
    try:
        return _folder(clip, look) if clip.is_dir() else _video(clip, look)
    except UNREADABLE as error:
        return replace(_sizes(clip), error=reason(error, clip))


def _sizes(clip: Path) -> Seen:
    try:
        files = [file for file in clip.iterdir() if file.is_file()] if clip.is_dir() else [clip]
        sizes = [file.stat().st_size for file in files]
    except OSError:
        return Seen()
    return Seen(frames=len(files) if clip.is_dir() else 0, size=sum(sizes), empty=sizes.count(0))


def _folder(clip: Path, look: Look) -> Seen:
    files = image_files(clip)
    sizes = [file.stat().st_size for file in files]
    names = [file.stem for file in files]
    missing, holes = gaps(names)
    seen = Seen(len(files), sum(sizes), 0, 0, missing, holes, sorted(names) != names, sizes.count(0))
    if seen.empty:
        more = f", and {seen.empty - 1} more" if seen.empty > 1 else ""
        return replace(seen, error=f"{files[sizes.index(0)].name} has no bytes{more}")
    if len(files) < 2:
        return replace(seen, error="holds 1 frame, a clip needs at least 2")
    width, height = image_size(files[0])
    seen = replace(seen, width=width, height=height)
    wanted = sampled(len(files)) if look.looks else []
    pictures = {}
    for i, file in enumerate(files):
        if not look.deep and i not in wanted:
            continue
        try:
            *shape, picture = read_image(file)
            if i in wanted:
                pictures[i] = picture()
        except InputError as error:
            return replace(seen, error=f"{file.name}: {reason(error, file)}")
        if shape != [width, height]:
            told = f"frames of different sizes: {files[0].name} is {width}x{height}, {file.name} is {shape[0]}x{shape[1]}"
            return replace(seen, error=told)
    return replace(seen, code=code_of([pictures[i] for i in wanted])) if wanted else seen


def _video(clip: Path, look: Look) -> Seen:
    size = clip.stat().st_size
    if size == 0:
        return Seen(empty=1, error="has no bytes")
    if not look.deep and not look.looks:
        info = probe(clip)
        return Seen(size=size, width=info.width, height=info.height)
    told = look.frames >= 2
    count = int(look.frames) if told else _Counter(()).of(clip)
    wanted = sampled(count)
    counter = _Counter(wanted)
    pictures = {frame.index: frame.image for frame in read_frames(clip, keep=counter)}
    if counter.count != count and told:  # its list is wrong
        return _video(clip, replace(look, frames=math.nan))
    height, width = pictures[wanted[0]].shape[:2]
    code = code_of([pictures[i] for i in wanted]) if look.looks else b""
    return Seen(frames=count, size=size, width=width, height=height, code=code)


class _Counter:
    """Frames that are asked for, which also knows how many there were."""

    def __init__(self, wanted: Sequence[int]) -> None:
        self.wanted, self.count = frozenset(wanted), 0

    def __contains__(self, index: object) -> bool:
        self.count += 1
        return index in self.wanted

    def of(self, clip: Path) -> int:
        """Frames of a video."""
        for _ in read_frames(clip, keep=self):
            pass
        return self.count


def gaps(names: Sequence[str]) -> tuple[int, str]:
    """How many numbers the names of a folder's frames leave out, and which; (0, "") where no single number counts them.

    Names that count in steps (every fifth frame) leave out none.

    >>> gaps(["f_01", "f_02", "f_05", "f_06", "f_08"])
    (3, '3-4, 7')
    >>> gaps(["0", "5", "10"])
    (0, '')
    """
    numbers = [[int(found) for found in _NUMBER.findall(name)] for name in names]
    if len(names) < 3 or len({len(row) for row in numbers}) != 1 or not numbers[0]:
        return 0, ""
    table = np.array(numbers, dtype=object)
    changing = [column for column in table.T if len(set(column)) > 1]
    if len(changing) != 1:
        return 0, ""
    steps = Counter(b - a for a, b in pairwise(changing[0]))
    step = min(steps, key=lambda one: (-steps[one], one))
    if step < 1:
        return 0, ""
    found = [(a + step, b - step) for a, b in pairwise(changing[0]) if b - a > step and (b - a) % step == 0]
    told = [f"{a}" if a == b else f"{a}-{b}" for a, b in found]
    return sum((b - a) // step + 1 for a, b in found), ", ".join(told[:3]) + (" …" if len(told) > 3 else "")

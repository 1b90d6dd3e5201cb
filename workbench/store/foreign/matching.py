"""Which clip of a dataset a row of a file is about: by its id, else by the end of its path."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ifdd.errors import InputError

MEDIA = frozenset(
    {"avi", "flv", "gif", "m2ts", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "mts", "ogv", "ts", "webm", "webp", "wmv"}
)
"""Endings of videos; a folder of frames has none, and 1.5 is a name."""
_SHOWN = 5


@dataclass(frozen=True)
class Match:
    """Row of the file for each clip that has one (clip id → row), rows that are no clip (key → row), and how they were found."""

    rows: dict[str, int]
    strange: dict[str, int]
    told: str


def match_clips(keys: Sequence[str], clips: pd.DataFrame, source: Path) -> Match:
    """Find the clips that `keys` name, of a manifest with `clip_id` and `path`.

    A key that is a clip's id means this clip. The others are compared by the last parts of their paths, without the ending of a
    video and zeros in front of a number: so many parts as tell all clips, and all keys, apart.

    Raises:
        InputError: an empty key, one that is there twice, two keys of one clip, or one that may be several clips.
    """
    if empty := [row for row, key in enumerate(keys) if not key]:
        raise InputError(f"{source}: row {empty[0] + 1} names no clip; fill it in")
    if twice := [key for key, count in Counter(keys).items() if count > 1]:
        raise InputError(
            f"{source}: {twice[0]} is there {keys.count(twice[0])} times ({len(twice)} clips are there more than once); "
            "give one prediction of each clip, e.g. the mean over its views"
        )
    known = set(clips["clip_id"])
    rows = {key: row for row, key in enumerate(keys) if key in known}
    others = {key: row for row, key in enumerate(keys) if key not in known}
    by_id = len(rows)
    strange: dict[str, int] = {}
    paths = {str(clip): _parts(str(path)) for clip, path in zip(clips["clip_id"], clips["path"], strict=True)}
    depth = max(_depth(paths.values()), _depth([_parts(key) for key in others]))
    ends: dict[tuple[str, ...], set[str]] = {}
    short: dict[tuple[str, ...], set[str]] = {}
    for clip, path in paths.items():
        for parts in {path, _parts(clip)}:
            for used in range(1, min(len(parts), depth) + 1):
                ends.setdefault(parts[-used:], set()).add(clip)
            if len(parts) < depth:  # told by all that there is of it
                short.setdefault(parts, set()).add(clip)
    for key, row in others.items():
        end = _parts(key)[-depth:]
        found = ends.get(end) or next((short[end[i:]] for i in range(1, len(end)) if end[i:] in short), set())
        if len(found) > 1:
            raise InputError(
                f"{source}: {key} may be {len(found)} clips, {', '.join(sorted(found)[:2])} …; give more of its path, or the "
                "clip's id"
            )
        for clip in found:  # one, if any
            if clip in rows:
                raise InputError(
                    f"{source}: {keys[rows[clip]]} and {key} are both the clip {clip}; give one prediction of each clip"
                )
            rows[clip] = row
        if not found:
            strange[key] = row
    told = f"{len(rows)} of {len(keys)} rows are clips of the dataset"
    ways = [f"{by_id} by id"] if by_id else []
    if len(rows) > by_id:
        what = "the name" if depth == 1 else f"the last {depth} parts"
        ways.append(f"{len(rows) - by_id} by {what} of their path")
    return Match(rows, strange, f"{told}: {', '.join(ways)}" if ways else told)


def some(names: Sequence[str] | Mapping[str, object]) -> str:
    """The first of some names, for a message.

    >>> some(["a", "b"]), some(list("abcdefg"))
    ('a, b', 'a, b, c, d, e, … (7)')
    """
    listed = list(names)
    return ", ".join(listed[:_SHOWN]) + (f", … ({len(listed)})" if len(listed) > _SHOWN else "")


def _depth(paths: Iterable[tuple[str, ...]]) -> int:
    """How many last parts tell paths apart, where that many do."""
    different = set(paths)
    deepest = max(map(len, different), default=1)
    return next((depth for depth in range(1, deepest) if len({path[-depth:] for path in different}) == len(different)), deepest)


def _parts(path: str) -> tuple[str, ...]:
    """Parts of a path, however written: without ".", the ending of a video, and zeros in front of numbers."""
    parts = [part for part in re.split(r"[\\/]+", path.strip()) if part not in ("", ".")]
    if not parts:
        return ("",)
    stem, dot, ending = parts[-1].rpartition(".")
    if dot and stem and (ending.lower() in MEDIA or (stem.isdecimal() and not ending.strip("0"))):  # 7.0 is 7, of a table
        parts[-1] = stem
    return tuple(part.lstrip("0") or "0" if part.isdecimal() else part for part in parts)

"""Clips that cannot be read, or not as they are: all are named or counted, and none is left out or changed without a word."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import av.error

from ifdd.errors import InputError, NoFaceError

OnError = Literal["stop", "skip"]
MOST_SKIPPED = 0.2
"""Share of the clips that may be left out; above it something else is wrong than a clip."""
UNREADABLE = (InputError, OSError, av.error.FFmpegError)
"""What reading one clip may raise."""


def reason(error: Exception, clip: Path) -> str:
    """Why a clip cannot be read, in a line without its path, and without options that a command over many clips lacks."""
    if isinstance(error, OSError) and not isinstance(error, InputError):
        return error.strerror or str(error)
    what, _, advice = " ".join(str(error).split()).removeprefix(f"{clip}: ").partition("; ")
    if isinstance(error, NoFaceError):
        return f"{what} (where the face fills the frame, write none into its cell of the column crop)"
    kept = [part for part in advice.split(", or ") if part and "--" not in part]
    return f"{what} ({', or '.join(kept)})" if kept else what


def settle(
    bad: Mapping[str, str], total: int, source: object, on_error: OnError, way_out: str = "--on-error skip"
) -> tuple[str, ...]:
    """Refuse a list with bad clips (id → reason), or return a note on those that are left out.

    Raises: InputError that names all of them: with "stop", or where they are more than `MOST_SKIPPED` of `total`.
    """
    if not bad:
        return ()
    listed = "; ".join(f"{clip}: {why}" for clip, why in bad.items())
    if on_error == "skip" and len(bad) <= MOST_SKIPPED * total:
        return (f"{len(bad)} of {total} clips left out, they cannot be read: {listed}",)
    end = "mend or remove them"
    if on_error == "skip":
        end += f": more than {MOST_SKIPPED:.0%} of the clips are too many to leave out"
    elif len(bad) <= MOST_SKIPPED * total:
        end += f", or leave them out with {way_out}"
    raise InputError(f"{source}: {len(bad)} of {total} clips cannot be read: {listed}; {end}")


def warnings_summary(told: Mapping[str, Sequence[str]], total: int) -> tuple[str, ...]:
    """Warnings of clips that were read (id → warnings): each kind once, with an example and how many clips it holds for."""
    kinds: dict[str, list[tuple[str, str]]] = {}
    for clip, warnings in told.items():
        for text in warnings:
            said = "; ".join(part for part in text.split("; ") if "--" not in part)  # no advice for one clip
            kinds.setdefault(re.sub(r"\d+(?:[.,–:]\d+)*", "#", said), []).append((clip, said))
    return tuple(f"{len(found)} of {total} clips, e.g. {found[0][0]}: {found[0][1]}" for found in kinds.values())


def left_out(bad: Mapping[str, str], total: int) -> dict[str, object]:
    """What is written beside numbers that stand on fewer clips than were listed; {} where all could be read."""
    return {"left_out": {"clips": len(bad), "of": total, "reasons": dict(bad)}} if bad else {}

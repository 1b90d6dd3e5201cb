"""Folds and parts as lists tell them: each clip is tested once, and what is not tested in a fold trains in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from ifdd.errors import InputError

PARTS = ("train", "val", "test", "all")


@dataclass(frozen=True)
class Rows:
    """One list: `fold` from 1, 0 where it is of no fold; `part` of `PARTS`; clips (n), and labels (n) as they are written."""

    file: str
    fold: int
    part: str
    clips: tuple[str, ...]
    labels: tuple[str, ...]
    numbered: bool
    layout: str
    counts: tuple[int, ...] = ()


@dataclass(frozen=True)
class Parted:
    """Fold (0 for none) and part ("" for none) of each clip; `members`: fold → (training clips, test clips)."""

    fold: Mapping[str, int]
    part: Mapping[str, str]
    members: Mapping[int, tuple[set[str], set[str]]]
    notes: tuple[str, ...]

    @property
    def folds(self) -> tuple[int, ...]:
        """The folds of a cross-validation, () where there is none."""
        return tuple(number for number in sorted(self.members) if number)


@dataclass
class _Parts:
    """The lists of one fold, or of a single split: part → its clips, and its file."""

    number: int
    clips: dict[str, set[str]] = field(default_factory=dict)
    file: dict[str, Path] = field(default_factory=dict)

    @property
    def where(self) -> str:
        return f" of fold {self.number}" if self.number else ""

    @property
    def test(self) -> set[str]:
        return self.clips.get("test", set())

    @property
    def training(self) -> set[str]:
        return self.clips.get("train", set()) | self.clips.get("val", set())


def parts_of(root: Path, lists: Sequence[Rows], clips: Mapping[str, str]) -> Parted:
    """Fold and part of each clip of some lists that belong together.

    A validation list that is the test list again is left aside, and is the test list where there is none. Of one fold alone the
    test clips have that fold, and parts besides.

    Args:
        root: folder that files are relative to.
        lists: at least one.
        clips: all of them.

    Raises:
        InputError: two lists of the same part; a clip in two parts of a fold, or in the test part of two folds; a training list
            that is not the rest.
    """
    notes: list[str] = []
    by_fold = _by_fold(root, lists)
    for parts in by_fold.values():
        _settle_validation(parts, notes)
        for one, other in combinations([part for part in PARTS if part in parts.clips and part != "all"], 2):
            if both := parts.clips[one] & parts.clips[other]:
                raise InputError(
                    f"{parts.file[other]}: clip {min(both)} is in {one} and {other}{parts.where} ({len(both)} such clips; see "
                    f"{parts.file[one]}); a clip belongs to one part"
                )
    numbers = sorted(number for number in by_fold if number)
    if numbers:
        return _folds([by_fold[number] for number in numbers], clips, notes)
    only = by_fold[0]
    part = dict.fromkeys(clips, "")
    for name in ("train", "val", "test"):
        part |= dict.fromkeys(only.clips.get(name, set()), name)
    members = {0: (only.training, only.test)} if only.training or only.test else {}
    return Parted(dict.fromkeys(clips, 0), part, members, tuple(notes))


def _by_fold(root: Path, lists: Sequence[Rows]) -> dict[int, _Parts]:
    by_fold: dict[int, _Parts] = {}
    for rows in lists:
        parts = by_fold.setdefault(rows.fold, _Parts(rows.fold))
        if rows.part in parts.clips:
            raise InputError(
                f"{root / rows.file}: it is the {rows.part} list{parts.where}, as {parts.file[rows.part]} is; choose with --lists"
            )
        parts.clips[rows.part] = set(rows.clips)
        parts.file[rows.part] = root / rows.file
    return by_fold


def _settle_validation(parts: _Parts, notes: list[str]) -> None:
    if "val" not in parts.clips:
        return
    file = parts.file["val"]
    if "test" not in parts.clips:
        parts.clips["test"], parts.file["test"] = parts.clips.pop("val"), file
        notes.append(f"there is no test list{parts.where}: {file.name} is taken as its test part")
    elif parts.clips["val"] == parts.clips["test"]:
        del parts.clips["val"]
        notes.append(f"{file.name} lists the test clips{parts.where} again; it is left aside")


def _folds(folds: Sequence[_Parts], clips: Mapping[str, str], notes: list[str]) -> Parted:
    fold = dict.fromkeys(clips, 0)
    for parts in folds:
        for clip in sorted(parts.test):
            if fold[clip]:
                raise InputError(
                    f"{parts.file['test']}: clip {clip} is in the test part of fold {fold[clip]} and of fold {parts.number}; "
                    "folds must not overlap"
                )
            fold[clip] = parts.number
    members: dict[int, tuple[set[str], set[str]]] = {}
    for parts in folds:
        rest = set(clips) - parts.test
        if parts.training and parts.training != rest:
            lost = rest - parts.training
            raise InputError(
                f"{parts.file['train' if 'train' in parts.clips else 'val']}: clip {min(lost)} is in other lists, and in none of "
                f"fold {parts.number} ({len(lost)} such clips); each fold must hold all clips"
            )
        members[parts.number] = rest, parts.test
    part = dict.fromkeys(clips, "")
    if len(folds) == 1 and folds[0].training:
        (one,) = folds
        part = {clip: "test" if clip in one.test else "train" for clip in clips}
        notes.append(
            f"there are lists of fold {one.number} alone: its test clips have fold {one.number} and split test, others 0 and "
            "split train"
        )
    return Parted(fold, part, members, tuple(notes))

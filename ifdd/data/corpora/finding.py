"""Where the clips of a corpus lie below a folder, whatever the folders between are called, and which files may be its lists."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ifdd.data.corpora.list_files import SUFFIXES
from ifdd.errors import InputError

DEPTH = 8
"""Folders below the root that are looked into."""
VIDEOS = (".mp4", ".avi", ".flv", ".mkv", ".mov", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv")
SKIPPED = {"__MACOSX", "node_modules"}
KeyOf = Callable[[tuple[str, ...]], tuple[str, int] | None]
"""What the parts of a path, without the suffix of a video, say: (clip id, how many parts at its end say it); None for no clip."""


@dataclass
class Found:
    """What lies below a root: `clips` by the folder that holds them (clip id → path), and `lists`; paths are seen from `root`."""

    root: Path
    clips: dict[str, dict[str, str]] = field(default_factory=dict)
    lists: list[str] = field(default_factory=list)
    twice: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    """Folder → (clip id, path that counts, path that is left out)."""


def look_below(root: Path, key_of: KeyOf) -> Found:
    """Look for clips and lists below a folder; what is inside of a clip is not looked at, a folder with two names once.

    Raises: InputError for no such folder, or one that cannot be read.
    """
    if not root.is_dir():
        raise InputError(f"{root}: no such folder; check the spelling")
    found = Found(root)
    _look(root, (), key_of, found, set())
    found.clips = {folder: found.clips[folder] for folder in sorted(found.clips)}
    found.lists.sort()
    return found


def _look(folder: Path, parts: tuple[str, ...], key_of: KeyOf, found: Found, seen: set[str]) -> None:
    place = os.path.realpath(folder)
    if place in seen:  # by a link
        return
    seen.add(place)
    try:
        with os.scandir(folder) as entries:
            inside = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror or error}; make the folder readable") from error
    for entry in inside:
        name = entry.name
        if name.startswith(".") or name in SKIPPED:
            continue
        stem, suffix = split_name(name)
        is_folder = entry.is_dir()
        if not is_folder and suffix in SUFFIXES:
            found.lists.append("/".join((*parts, name)))
            continue
        if not is_folder and suffix not in VIDEOS:
            continue
        clip = key_of((*parts, stem if suffix in VIDEOS else name))
        if clip is not None:
            _add(found, (*parts, name), *clip)
        elif is_folder and len(parts) < DEPTH:
            _look(folder / name, (*parts, name), key_of, found, seen)


def split_name(name: str) -> tuple[str, str]:
    """A file's name without its suffix, and that in lower case; for the many names of a corpus, as `Path` is slow.

    >>> split_name("00001.JPG"), split_name("00001")
    (('00001', '.jpg'), ('00001', ''))
    """
    stem, dot, suffix = name.rpartition(".")
    return (stem, f".{suffix.lower()}") if dot and stem else (name, "")


def _add(found: Found, parts: tuple[str, ...], clip: str, own: int) -> None:
    holder = "/".join(parts[:-own]) or "."
    clips = found.clips.setdefault(holder, {})
    path = "/".join(parts)
    if clip in clips:
        found.twice.setdefault(holder, []).append((clip, clips[clip], path))
    else:
        clips[clip] = path


def joined(found: Found, parts_of_one: re.Pattern[str]) -> Found:
    """The same with folders that are parts of one (`part_1`, `part_2`, …) put together under the folder above them."""
    merged = Found(found.root, lists=found.lists)
    for holder, clips in found.clips.items():
        whole = holder
        while parts_of_one.fullmatch(PurePosixPath(whole).name):
            whole = str(PurePosixPath(whole).parent)
        into = merged.clips.setdefault(whole, {})
        again = merged.twice.setdefault(whole, [])
        again += found.twice.get(holder, [])
        for clip, path in clips.items():
            if clip in into:
                again.append((clip, into[clip], path))
            else:
                into[clip] = path
    return merged


def choose(found: Found, wanted: str | None, best: tuple[str, ...], title: str) -> str:
    """The folder whose clips are taken: the one that is wanted by its name or path, else the only one, else the best known.

    Args:
        found: as `look_below` gives it, not empty.
        wanted: `--frames`.
        best: names of folders, the official full one first; in any case.
        title: the corpus, for messages.

    Raises: InputError where none, or more than one, is meant.
    """
    folders = list(found.clips)
    most = sorted(found.clips.items(), key=lambda pair: -len(pair[1]))
    told = ", ".join(f"{folder} ({len(clips)} clips)" for folder, clips in most[:5])
    told += f" and {len(most) - 5} more" if len(most) > 5 else ""
    if wanted is not None:
        path = wanted.strip("/") or "."
        fitting = [name for name in folders if name == path] or [name for name in folders if _ends(name, path)]
        if len(fitting) != 1:
            raise InputError(
                f"--frames {wanted}: {'several folders are' if fitting else 'no folder is'} called so; there are {told}"
            )
        return fitting[0]
    if len(folders) == 1:
        return folders[0]
    for known in best:
        fitting = [name for name in folders if known in PurePosixPath(name).as_posix().lower().split("/")]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            break
    raise InputError(
        f"{found.root}: clips of {title} lie in several folders, {told}; say which with --frames NAME, or is it another --corpus?"
    )


def _ends(folder: str, wanted: str) -> bool:
    """Whether the last parts of a path are the wanted ones."""
    parts, last = PurePosixPath(folder).parts, PurePosixPath(wanted).parts
    return parts[-len(last) :] == last

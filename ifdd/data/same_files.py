"""Which clips of two lists are the same, by path or by content."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from ifdd.data.bad_clips import UNREADABLE
from ifdd.data.video import file_sha256, image_files, read_frames
from ifdd.errors import InputError


def same_files(first: Sequence[str], second: Sequence[str]) -> list[int]:
    """Indexes into `first` of the clips, videos or folders of frames, that are also in `second`, under whatever name.

    Paths must be real ones (without links). Contents are compared only where sizes are equal: few files are read. Clips without a
    picture, damaged alike, are not the same.
    """
    known = set(second)
    sizes: dict[tuple[int, int], list[str]] = {}
    for file in second:
        if (size := _size(file)) is not None:
            sizes.setdefault(size, []).append(file)
    hashes: dict[str, str | None] = {}
    found = []
    for i, file in enumerate(first):
        alike = [] if file in known else sizes.get(_size(file) or (0, 0), [])
        if file in known or (alike and _hash(file, hashes) in {_hash(f, hashes) for f in alike} - {None} and _shows(file)):
            found.append(i)
    return found


def content_hash(clip: str | Path) -> str:
    """SHA-256 of a video's bytes, or of those of a folder's frames in their order, whatever they are called.

    Raises: InputError, OSError for what cannot be read.
    """
    clip = Path(clip)
    if not clip.is_dir():
        return file_sha256(clip)
    return hashlib.sha256("".join(file_sha256(image) for image in image_files(clip)).encode()).hexdigest()


def bytes_of(clip: str | Path) -> tuple[int, int]:
    """Number of files of a clip, and their bytes.

    Raises: InputError, OSError for what cannot be read.
    """
    clip = Path(clip)
    parts = image_files(clip) if clip.is_dir() else [clip]
    return len(parts), sum(part.stat().st_size for part in parts)


def _size(file: str) -> tuple[int, int] | None:
    """As `bytes_of`; None for what cannot be read."""
    try:
        return bytes_of(file)
    except (OSError, InputError):
        return None


def _shows(file: str) -> bool:
    """Whether a clip has a first picture."""
    try:
        return next(iter(read_frames(file)), None) is not None
    except UNREADABLE:
        return False


def _hash(file: str, hashes: dict[str, str | None]) -> str | None:
    if file not in hashes:
        try:
            hashes[file] = content_hash(file)
        except (OSError, InputError):
            hashes[file] = None
    return hashes[file]

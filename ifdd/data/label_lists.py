"""Two label lists of the same clips, as different makers wrote them, side by side."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from ifdd.data.corpora.list_files import read_list
from ifdd.data.label_order import ListComparison, compare_labels
from ifdd.errors import InputError

_VIDEO = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm", ".flv", ".wmv", ".m4v", ".mpg"})


def compare_lists(first: Path, second: Path) -> ListComparison:
    """Compare the labels of two lists, whatever their layout (see `corpora.list_files.read_list`).

    Clips are the same where the ends of their paths are: as many folders as both lists tell, without the suffix of a video.

    Raises: InputError for a list that cannot be read, that names a clip twice with two labels, or no clip of the other.
    """
    lists = [read_list(first), read_list(second)]
    parts = [[_parts(path) for path in found.paths] for found in lists]
    depth = min(min(map(len, paths)) for paths in parts)
    ours, theirs = (
        _by_clip(found.file, paths, [*(found.numbers if found.numbered else found.labels)], depth)
        for found, paths in zip(lists, parts, strict=True)
    )
    return compare_labels(ours, theirs)


def _parts(path: str) -> tuple[str, ...]:
    clip = PurePosixPath(path.replace("\\", "/"))
    clip = clip.with_suffix("") if clip.suffix.lower() in _VIDEO else clip
    return tuple(part for part in clip.parts if part not in ("/", "."))


def _by_clip(file: Path, paths: Sequence[tuple[str, ...]], labels: Sequence[str | int], depth: int) -> dict[str, str | int]:
    found: dict[str, str | int] = {}
    for path, label in zip(paths, labels, strict=True):
        clip = "/".join(path[-depth:])
        if found.setdefault(clip, label) != label:
            raise InputError(f"{file}: clip {clip} has the labels {found[clip]} and {label}; mend the list")
    return found

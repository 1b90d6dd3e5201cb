"""What a person gives to be cropped: a list of clips, a folder of them, or videos one by one."""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ifdd.data.manifest import FILE_NAME, clips_below, read_manifest
from ifdd.data.manifest.table import TEXT_FILES, complete
from ifdd.data.video import image_files
from ifdd.errors import InputError

_LISTS = (".parquet", *TEXT_FILES)
ABOUT = "crop.json"
"""File that tells how crops were made, in their folder."""


def table_of(sources: Sequence[Path]) -> pd.DataFrame:
    """The list of clips: one that is given (or lies in the folder), of all clips in a folder, or of videos and folders of frames.

    Clips are read when they are cropped.

    Raises: InputError for what is not there or holds no clip, or lists and videos together.
    """
    if len(sources) == 1 and (source := sources[0]).exists() and _is_list(source):
        return read_manifest(source)
    for source in sources:
        if not source.exists():
            raise InputError(f"{source}: no such file or folder; give videos, folders of frames, or a list of clips")
        if _is_list(source):
            raise InputError(f"{source} is a list of clips; crop one list by itself")
    if len(sources) == 1 and sources[0].is_dir() and not _is_frames(sources[0]):
        table = complete(pd.DataFrame({"path": _without_crops(sources[0])}), sources[0], sources[0])
        table.attrs["root"] = str(sources[0])
        return table
    for source in sources:
        if source.is_dir() and not _is_frames(source):
            raise InputError(
                f"{source} is no folder of frames; crop a folder of videos by itself, or list all with `ifdd data index`"
            )
    paths = [source.resolve() for source in sources]
    root = Path(os.path.commonpath([path.parent for path in paths]))
    table = complete(pd.DataFrame({"path": [path.relative_to(root).as_posix() for path in paths]}), root, "the videos")
    table.attrs["root"] = str(root)
    return table


def _without_crops(root: Path) -> list[str]:
    """Paths of the clips in a folder; not the crops that were made of them into a folder among them.

    Raises: InputError as `clips_below`, and where there is nothing but crops.
    """
    found = clips_below(root)
    crops = {path for path in found if any((root / folder / ABOUT).is_file() for folder in Path(path).parents[:-1])}
    if crops:
        told = f"{root}: {len(crops)} clips are crops that were made before (beside {ABOUT}), e.g. {min(crops)}"
        if len(crops) == len(found):
            raise InputError(f"{told}; give the folder of the videos, or that of one list")
        warnings.warn(f"{told}; they are left out", stacklevel=3)
    return [path for path in found if path not in crops]


def _is_list(source: Path) -> bool:
    names = (FILE_NAME, *(f"clips{suffix}" for suffix in TEXT_FILES))
    if source.is_dir():
        return any((source / name).is_file() for name in names)
    return source.suffix.lower() in _LISTS


def _is_frames(folder: Path) -> bool:
    try:
        return len(image_files(folder)) > 0
    except InputError:
        return False

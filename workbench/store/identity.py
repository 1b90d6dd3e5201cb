"""Whether two collections are about the same clips: by content, or where that is not known by where the clips lay."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from ifdd.data.manifest import files_hash
from ifdd.data.preprocessing import READING
from ifdd.errors import InputError
from workbench.store.collection import Collection
from workbench.store.columns import CONTENT


def shared_clips(first: Collection, table: pd.DataFrame, second: Collection, other: pd.DataFrame) -> list[str]:
    """Ids in the rows `table` of `first` of the clips that are in `other`, rows of `second`, too, whatever their ids there."""
    ours, theirs = _keys(first, table), _keys(second, other)
    kind = next(kind for kind in ("content", "place", "id") if kind in ours and kind in theirs)
    known = set(theirs[kind]) - {""}
    return [str(clip) for clip, key in zip(table["clip_id"], ours[kind], strict=True) if key in known]


def same_content(collection: Collection, contents: Mapping[str, str], source: object) -> Collection:
    """The collection with the ids that its clips have in `contents` (id → hash) of the list `source`; what is not known stays.

    Raises: InputError for a clip that is another one than the collection's of this id, and is nowhere else in it.
    """
    table = collection.predictions
    if CONTENT not in table:
        return collection
    theirs = {str(clip): str(value) for clip, value in zip(table["clip_id"], table[CONTENT], strict=True)}
    moved = {clip: value for clip, value in contents.items() if value and theirs.get(clip) != value}
    kept = {clip for clip in contents if clip in theirs and clip not in moved}
    places: dict[str, list[str]] = {}
    for clip, value in theirs.items():
        if clip not in kept:
            places.setdefault(value, []).append(clip)
    ids = {places[value].pop(0): clip for clip, value in moved.items() if places.get(value)}
    if lost := [clip for clip in moved if theirs.get(clip) and clip not in ids.values()]:
        raise InputError(
            f"{len(lost)} of {len(contents)} clips of {source} are others, by their content, than {collection.folder} was "
            f"collected over, e.g. {min(lost)}; remove that folder and collect anew"
        )
    return replace(collection, ids=ids | {clip: f"{clip} (gone)" for clip in ids.values() if clip in theirs and clip not in ids})


def other_content(table: pd.DataFrame, other: pd.DataFrame) -> list[str]:
    """Ids of the rows, one below the other in both, that are different clips under one id, as far as contents are known."""
    if CONTENT not in table or CONTENT not in other:
        return []
    pairs = zip(table["clip_id"], table[CONTENT], other[CONTENT], strict=True)
    return [str(clip) for clip, ours, theirs in pairs if ours and theirs and ours != theirs]


def other_reading(first: Collection, table: pd.DataFrame, second: Collection, other: pd.DataFrame) -> bool:
    """Whether clips of one content were cropped otherwise; or, where contents are not known, may have been other files."""
    crops = [list(rows["crop"]) if "crop" in rows else ["none"] * len(rows) for rows in (table, other)]
    if CONTENT in table and CONTENT in other:
        return crops[0] != crops[1]
    readings = {collection.meta["data"].get("reading") for collection in (first, second)} - {None}
    return len(readings) > 1 or crops[0] != crops[1]


def _keys(collection: Collection, table: pd.DataFrame) -> dict[str, list[str]]:
    """What the clips are known by: content, place, and the manifest's folder with the id."""
    manifest = Path(collection.meta["data"]["manifest"])
    root = manifest.parent if manifest.suffix else manifest  # a folder may have been given
    keys = {"id": [f"{root}/{clip}" for clip in table["clip_id"]]}
    if "path" in table:
        keys["place"] = [os.path.normpath(root / str(path)) for path in table["path"]]
    if CONTENT in table:
        keys["content"] = [str(value) for value in table[CONTENT]]
    return keys


def reading_hash(clips: pd.DataFrame) -> str:
    """SHA-256 of what decides the pixels beside the list of clips: their files, how they are read and cropped."""
    reading = [READING, files_hash(clips), clips["crop"].tolist() if "crop" in clips else None]
    return hashlib.sha256(json.dumps(reading).encode()).hexdigest()


def content_of(clip: Path, scene: Path | None = None) -> str:
    """Hash of a clip's content, and of the scene around it if there is one; "" where it cannot be read."""
    from ifdd.data.bad_clips import UNREADABLE  # brings PyAV with it
    from ifdd.data.same_files import content_hash

    try:
        found = content_hash(clip)
        return found if scene is None else hashlib.sha256(f"{found}{content_hash(scene)}".encode()).hexdigest()
    except UNREADABLE:  # gone since it was read
        return ""

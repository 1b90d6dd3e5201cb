"""Whether two collections are about the same clips: by content, or where that is not known by where the clips lay."""

import os
from pathlib import Path

import pandas as pd

from workbench.store.collection import Collection
from workbench.store.columns import CONTENT


def shared_clips(first: Collection, table: pd.DataFrame, second: Collection, other: pd.DataFrame) -> list[str]:
    """Ids in the rows `table` of `first` of the clips that are in `other`, rows of `second`, too, whatever their ids there."""
    ours, theirs = _keys(first, table), _keys(second, other)
    kind = next(kind for kind in ("content", "place", "id") if kind in ours and kind in theirs)
    known = set(theirs[kind]) - {""}
    return [str(clip) for clip, key in zip(table["clip_id"], ours[kind], strict=True) if key in known]


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

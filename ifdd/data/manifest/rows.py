"""Rules for the rows of a manifest: how a clip is read, and which clips stand for all."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from ifdd.errors import InputError


def crop_of(row: Any) -> str:
    """How the clip of a row (a Series or mapping) is cropped: as its own column says; without one it is a face crop already.

    >>> crop_of({"crop": "face"}), crop_of({})
    ('face', 'none')
    """
    return str(row.get("crop", "none"))


def fps_of(row: Any) -> float | None:
    """Frame rate of a folder of frames, where its row (a Series or mapping) says it; a film knows its own.

    >>> fps_of({"kind": "frames", "fps": 25}), fps_of({"kind": "video", "fps": 25}), fps_of({"kind": "frames", "fps": 0})
    (25.0, None, None)
    """
    return float(row["fps"]) if row["kind"] == "frames" and row["fps"] > 0 else None


def of_each_class(table: pd.DataFrame, count: int) -> pd.DataFrame:
    """At most `count` rows, of each class alike, the first ones of each; in the order of the table, with its `attrs`.

    Clips without a class count as a class of their own.

    >>> of_each_class(pd.DataFrame({"label_name": ["sad", "sad", "sad", "fear"]}), 3)["label_name"].tolist()
    ['sad', 'sad', 'fear']
    """
    turn = table.groupby("label_name", dropna=False).cumcount().sort_values(kind="stable")
    rows = table.loc[sorted(turn.index[:count])]
    rows.attrs = table.attrs
    return rows


def with_ids(table: pd.DataFrame, clip_ids: Sequence[str]) -> pd.DataFrame:
    """The rows with these ids, in the order of the ids, each once; with the table's `attrs`.

    Raises: InputError for an id that is not there.

    >>> with_ids(pd.DataFrame({"clip_id": ["a", "b", "c"]}), ["c", "a"])["clip_id"].tolist()
    ['c', 'a']
    """
    known = table.set_index("clip_id", drop=False)
    unknown = [clip for clip in clip_ids if clip not in known.index]
    if unknown:
        raise InputError(f"unknown clip {unknown[0]!r}; the manifest has {len(table)} clips, e.g. {', '.join(known.index[:3])}")
    chosen = known.loc[list(dict.fromkeys(clip_ids))].reset_index(drop=True)
    chosen.attrs = table.attrs
    return chosen

"""The clips of a manifest, and the scenes around them, as a set that is read from files: as `decoded` makes it, in no memory."""

import hashlib
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from ifdd.data.bad_clips import OnError, left_out, settle
from ifdd.data.clips import lead_of
from ifdd.data.clipset import ClipSet, PixelSource, joined
from ifdd.data.manifest import clip_path, crop_notes, crop_of, data_hash, files_hash, fps_of, need_labels, scene_path
from ifdd.data.preprocessing import Preprocessing
from ifdd.data.row_clips import check_scenes, lacks_scene, row_inputs
from ifdd.data.sampling import RULE, Rule
from ifdd.data.scenes import NO_SCENE, scenes_of
from ifdd.data.streamed_pixels import StreamedPixels as StreamedPixels
from ifdd.data.streamed_scenes import StreamedScenes
from ifdd.labels import match_labels


def streamed(
    path: Path,
    frame: pd.DataFrame,
    inputs: Mapping[str, Preprocessing],
    labels: Sequence[str],
    *,
    rule: Rule = RULE,
    cache: Path | None = None,
    on_error: OnError = "stop",
    way_out: str = "--on-error skip",
) -> ClipSet:
    """A set of the clips of a manifest that was read, as `decoded.from_inputs` makes it, but for what is in memory.

    Clips that are missing or empty are found at once, others that cannot be read when they are.

    Raises: InputError for clips without labels, a class that is not in `labels`, or missing clips (`bad_clips.settle`).
    """
    need_labels(frame, path, "training and scoring")
    check_scenes(frame, path, inputs)
    way_to_map = f"ifdd data index {shlex.quote(str(path))} --out NEW.parquet --map"
    meant, notes = match_labels(frame["label_name"], labels, path, way_out=way_to_map, model="the model")
    places = [str(clip_path(frame, row)) for row in frame.itertuples()]
    around = [str(scene_path(frame, row) or "") if scenes_of(inputs) else "" for row in frame.itertuples()]
    bad = {
        clip: why
        for clip, place, scene, lacking in zip(frame["clip_id"], places, around, lacks_scene(frame, inputs), strict=True)
        if (why := _missing(place) or (NO_SCENE if lacking else scene and _missing_scene(scene)))
    }
    first = next(iter(inputs.values()))
    notes += (*crop_notes(frame, first.crop), *settle(bad, len(frame), path, on_error, way_out))
    kept = np.flatnonzero(~frame["clip_id"].isin(list(bad)).to_numpy())
    rows = frame.iloc[kept]
    records = rows.to_dict("records")

    several, numbers = len(inputs) > 1, np.array([number_of(clip) for clip in rows["clip_id"]], np.uint64)
    own = [row_inputs(row, inputs) for row in records]

    def clips_of(read: Preprocessing) -> StreamedPixels:
        crops = tuple(read.of_row(crop_of(row), several=several).crop for row in records)
        rates = tuple(fps_of(row) for row in records)
        return StreamedPixels(tuple(places[i] for i in kept), crops, rates, numbers, read, rule, cache)

    def pixels(name: str, read: Preprocessing) -> PixelSource:
        if read.stream == "clip":
            return lead if read == leading else clips_of(read)
        hidden = tuple(row[name].face for row in own)
        return StreamedScenes(tuple(around[i] for i in kept), hidden, lead, read, cache)

    leading = lead_of(inputs)
    lead = clips_of(leading)
    about = {"source": "manifest", "manifest": Path(path).name, "clips": len(kept), "data_hash": data_hash(frame)}
    clips = ClipSet(
        pixels=lead,
        target=rows["label_name"].map(meant).map(list(labels).index).to_numpy(np.int64),
        clip_ids=tuple(rows["clip_id"]),
        subjects=tuple(rows["subject"]),
        folds=tuple(rows["fold"].tolist()),
        about=about | {"files_hash": files_hash(frame)} | left_out(bad, len(frame)),
        files=tuple(os.path.realpath(places[i]) for i in kept),
        notes=notes,
    )
    return joined({name: replace(clips, pixels=pixels(name, read)) for name, read in inputs.items()})


def number_of(clip: str) -> int:
    """A number that stands for a clip's id, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(clip.encode(), digest_size=8).digest(), "big")


def _missing_scene(scene: str) -> str | None:
    why = _missing(scene)
    return f"scene {scene}: {why}" if why else None


def _missing(place: str) -> str | None:
    """Why a clip cannot be read, as far as its folder tells: it is not there, or one of its files is empty."""
    try:
        if not Path(place).is_dir():
            return None if Path(place).stat().st_size else "the file is empty"
        with os.scandir(place) as entries:
            files = [entry for entry in entries if not entry.name.startswith(".") and entry.is_file()]
        if not files:
            return "the folder is empty"
        empty = sorted(entry.name for entry in files if not entry.stat().st_size)
        return f"{empty[0]} is empty" if empty else None
    except FileNotFoundError:
        return "no such file or folder"
    except OSError as error:
        return error.strerror or str(error)

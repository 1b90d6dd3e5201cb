"""The clips of a manifest, decoded once into a cache."""

import hashlib
import json
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from ifdd.data.arrays import keep_rows, new_array
from ifdd.data.bad_clips import UNREADABLE, OnError, left_out, reason, settle, warnings_summary
from ifdd.data.clips import Clip, lead_of, load_clip
from ifdd.data.clipset import ClipSet, joined
from ifdd.data.manifest import clip_path, crop_notes, crop_of, data_hash, files_hash, fps_of, need_labels, read_manifest
from ifdd.data.preprocessing import READING, Preprocessing
from ifdd.data.row_clips import check_scenes, load_row_inputs
from ifdd.documents import read_cached
from ifdd.io import make_once, remove
from ifdd.labels import match_labels
from ifdd.progress import tqdm

BAD, TOLD = "bad.json", "told.json"
"""Beside the cached pixels: clips that could not be read, and what was warned of while others were."""


def from_inputs(
    path: Path,
    inputs: Mapping[str, Preprocessing],
    labels: Sequence[str],
    cache: Path,
    progress: bool = True,
    *,
    on_error: OnError = "stop",
    way_out: str = "--on-error skip",
    frame: pd.DataFrame | None = None,
) -> ClipSet:
    """`from_manifest` for each input.

    With several, a row's `crop` column says only whether a clip is to be cropped: if it is not "none", as each input asks for.
    Raises: InputError as `from_manifest` and `joined`; a list without the scenes that an input reads (`check_scenes`).
    """
    frame = read_manifest(path) if frame is None else frame
    several = len(inputs) > 1
    check_scenes(frame, path, inputs)

    def of_input(read: Preprocessing) -> ClipSet:
        lead = lead_of(inputs) if several and read.stream == "scene" else None
        return from_manifest(
            path, read, labels, cache, progress, on_error=on_error, way_out=way_out, own_crop=several, frame=frame, lead=lead
        )

    return joined({name: of_input(read) for name, read in inputs.items()})


def from_manifest(
    path: Path,
    preprocessing: Preprocessing,
    labels: Sequence[str],
    cache: Path,
    progress: bool = True,
    *,
    on_error: OnError = "stop",
    way_out: str = "--on-error skip",
    own_crop: bool = False,
    frame: pd.DataFrame | None = None,
    lead: Preprocessing | None = None,
) -> ClipSet:
    """Decode every clip of a manifest, or take them from the cache. A row's `crop` column wins over the preprocessing's.

    With `own_crop` the preprocessing's crop stands for every other than "none"; `frame`: rows that are read, if not all. Of
    scenes (`preprocessing.stream`) `lead` is how the clip is read whose frames they show.

    Classes are matched to `labels` by name, as `labels.match_labels` does. Clips that cannot be read are all named; with "skip"
    a few are left out (`bad_clips.settle`), which stands in `about` and `notes`.

    Raises: InputError for clips that cannot be read or have no labels, or a class that is not in `labels`.
    """
    frame = read_manifest(path) if frame is None else frame
    need_labels(frame, path, "training and scoring")
    way_to_map = f"ifdd data index {shlex.quote(str(path))} --out NEW.parquet --map"
    meant, notes = match_labels(frame["label_name"], labels, path, way_out=way_to_map, model="the model")
    if own_crop and "crop" in frame and preprocessing.stream == "clip":
        asked = frame["crop"].where(frame["crop"] == "none", preprocessing.crop)
        frame, attrs = frame.assign(crop=asked), frame.attrs
        frame.attrs = attrs
    folder = _cached(frame, preprocessing, cache, lead)
    bad = _decoded(frame, preprocessing, folder, progress, lead)
    notes += (*crop_notes(frame, preprocessing.crop), *settle(bad, len(frame), path, on_error, way_out))
    notes += warnings_summary(_told(folder), len(frame))
    files = tuple(os.path.realpath(clip_path(frame, row)) for row in frame.itertuples())
    kept = (~frame["clip_id"].isin(list(bad))).to_numpy()
    about = {"source": "manifest", "manifest": Path(path).name, "clips": int(kept.sum()), "data_hash": data_hash(frame)}
    return ClipSet(
        pixels=read_cached(folder / "clips.npy"),
        target=frame["label_name"][kept].map(meant).map(list(labels).index).to_numpy(np.int64),
        clip_ids=tuple(frame["clip_id"][kept]),
        subjects=tuple(frame["subject"][kept]),
        folds=tuple(frame["fold"][kept].tolist()),
        about=about | {"files_hash": files_hash(frame)} | left_out(bad, len(frame)),
        files=tuple(file for file, keep in zip(files, kept, strict=True) if keep),
        notes=notes,
    )


def decoded_already(
    frame: pd.DataFrame, preprocessing: Preprocessing, cache: Path
) -> tuple[np.ndarray, dict[str, Sequence[str]]] | None:
    """Pixels (n, T, H, W, 3) of all clips of a manifest, and what was warned of them (id → warnings).

    None unless `from_manifest` has decoded them all into `cache`.
    """
    folder = _cached(frame, preprocessing, cache)
    if not folder.is_dir() or json.loads((folder / BAD).read_text(encoding="utf-8")):
        return None
    return np.load(folder / "clips.npy", mmap_mode="r", allow_pickle=False), _told(folder)


def _told(folder: Path) -> dict[str, Sequence[str]]:
    told: dict[str, Sequence[str]] = json.loads((folder / TOLD).read_text(encoding="utf-8"))
    return told


def _cached(frame: pd.DataFrame, preprocessing: Preprocessing, cache: Path, lead: Preprocessing | None = None) -> Path:
    """Place of the decoded clips, by a hash of all that their pixels depend on: files, how they are read, and by which code."""
    code = [READING, version("av"), version("opencv-python-headless"), version("pillow")]
    crops = [crop_of(row) for row in frame.to_dict("records")]
    about = [code, data_hash(frame), files_hash(frame), crops, preprocessing.to_dict(), str(frame["fps"].tolist())]
    about += [] if lead is None else [lead.to_dict()]
    return cache / hashlib.sha256(json.dumps(about).encode()).hexdigest()[:24]


def _decoded(
    frame: pd.DataFrame, preprocessing: Preprocessing, folder: Path, progress: bool, lead: Preprocessing | None
) -> dict[str, str]:
    """Fill the folder of the cache where it is not there; returns the clips that cannot be read, id → reason."""

    def load(i: int) -> Clip:
        row = frame.iloc[i]
        if preprocessing.stream == "scene":
            around = {"scene": preprocessing}
            return load_row_inputs(frame, row, around if lead is None else {"clip": lead} | around)["scene"]
        return load_clip(clip_path(frame, row), replace(preprocessing, crop=crop_of(row)), fps=fps_of(row))

    def fill(work: Path) -> None:
        pixels = new_array(work / "clips.npy", (len(frame), preprocessing.frames, *preprocessing.size, 3))
        bad: dict[str, str] = {}
        told: dict[str, tuple[str, ...]] = {}
        good = []
        for i, clip in enumerate(tqdm(frame["clip_id"], desc="decode", unit="clip", disable=not progress)):
            try:
                read = load(i)
                pixels[i] = read.pixels
                good.append(i)
                if read.warnings:
                    told[clip] = read.warnings
            except UNREADABLE as error:
                bad[clip] = reason(error, clip_path(frame, frame.iloc[i]))
        pixels.flush()
        if bad:
            keep_rows(work / "clips.npy", good, len(frame))
        (work / TOLD).write_text(json.dumps(told), encoding="utf-8")
        (work / BAD).write_text(json.dumps(bad), encoding="utf-8")

    def mended(clip: str) -> bool:
        try:
            load(int((frame["clip_id"] == clip).to_numpy().argmax()))
        except UNREADABLE:
            return False
        return True

    make_once(folder, fill)
    bad: dict[str, str] = json.loads((folder / BAD).read_text(encoding="utf-8"))
    if any(mended(clip) for clip in bad):  # what kept a file from being read leaves no trace in it, e.g. who may read it
        remove(folder)
        make_once(folder, fill)
        bad = json.loads((folder / BAD).read_text(encoding="utf-8"))
    return bad

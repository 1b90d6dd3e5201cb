"""The list of clips that a data set consists of: one row a clip, kept as `clips.parquet`."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ifdd.data.video import IMAGE_SUFFIXES, natural_key, probe, read_seconds
from ifdd.errors import InputError
from ifdd.io import write_whole

FILE_NAME = "clips.parquet"
REQUIRED = ("clip_id", "path", "kind", "n_frames", "fps", "width", "height", "label", "label_name", "fold", "subject")
"""Columns of every manifest. `path` is relative to the manifest's folder; `kind` is "video" or "frames"; `label` counts
from 0. Optional: `crop` ("none" where left out: the clips of a corpus are face crops already), `truth` (relative path of
the ground truth), `split`, and any column that names a factor."""


def read_manifest(path: str | Path) -> pd.DataFrame:
    """Read and check a manifest: a parquet file, or a folder that holds `clips.parquet`.

    The folder that `path` is relative to is kept in `.attrs["root"]`.

    Raises:
        InputError: no such file, not a table, or as `check_manifest`.
    """
    file = Path(path)
    file = file / FILE_NAME if file.is_dir() else file
    if not file.is_file():
        raise InputError(f"{file}: no such manifest; make one with `ifdd data index`")
    try:
        frame = pd.read_parquet(file)
    except (ValueError, OSError) as error:  # pyarrow's errors derive from these
        raise InputError(f"{file}: not a parquet table ({str(error).splitlines()[0]}); make it anew") from error
    check_manifest(frame, file)
    if "crop" in frame:
        frame["crop"] = frame["crop"].fillna("none")
    frame.attrs["root"] = str(file.parent)
    return frame


def check_manifest(frame: pd.DataFrame, source: str | Path = "manifest") -> None:
    """Check columns, clip ids, kinds and labels; `source` is named in an error.

    Raises:
        InputError: no rows, a missing column, an empty cell, a clip id twice, an unknown kind, a label that is no number from
            0, or label and label_name that disagree.
    """
    missing = [column for column in REQUIRED if column not in frame.columns]
    if missing:
        raise InputError(f"{source}: column {', '.join(missing)} is missing; a manifest has {', '.join(REQUIRED)}")
    if frame.empty:
        raise InputError(f"{source}: lists no clip")
    for column in ("clip_id", "path", "kind", "label", "label_name"):
        if frame[column].isna().any():
            raise InputError(f"{source}: {column} is empty in row {int(frame[column].isna().to_numpy().argmax())}; fill it in")
    twice = frame["clip_id"][frame["clip_id"].duplicated()]
    if len(twice):
        raise InputError(f"{source}: clip_id {twice.iloc[0]!r} is there twice; every clip needs its own")
    unknown = sorted(set(frame["kind"]) - {"video", "frames"})
    if unknown:
        raise InputError(f"{source}: kind {unknown[0]!r} is unknown; use video or frames")
    if not pd.api.types.is_integer_dtype(frame["label"]) or frame["label"].min() < 0:
        raise InputError(f"{source}: labels must be whole numbers from 0, they are {frame['label'].dtype}")
    if not pd.api.types.is_integer_dtype(frame["fold"]):
        raise InputError(f"{source}: folds must be whole numbers, they are {frame['fold'].dtype}; use 0 where there are none")
    pairs = frame[["label", "label_name"]].drop_duplicates()
    for column, other in (("label", "label_name"), ("label_name", "label")):
        clash = pairs[pairs[column].duplicated(keep=False)]
        if len(clash):
            value = clash[column].iloc[0]
            others = " and ".join(str(item) for item in clash.loc[clash[column] == value, other].iloc[:2])
            raise InputError(f"{source}: {column} {value} goes with {other} {others}; one number stands for one class")


def write_manifest(frame: pd.DataFrame, path: str | Path) -> None:
    """Check a manifest and write it, whole or not at all; a path without the suffix .parquet is its folder.

    Raises:
        InputError: as `check_manifest`; the disk refuses.
    """
    file = Path(path)
    file = file if file.suffix == ".parquet" else file / FILE_NAME
    check_manifest(frame, file)
    table = frame.copy()
    table.attrs = {}  # `root` is where the file lies, not what it says
    write_whole(file, lambda part: table.to_parquet(part, index=False))


def clip_path(root: pd.DataFrame | str | Path, row: Any) -> Path:
    """Path of the clip of a row: a Series, a mapping, or what `itertuples` gives; `root` is a manifest or its folder."""
    base = root.attrs["root"] if isinstance(root, pd.DataFrame) else root
    return Path(base) / (row.path if hasattr(row, "path") else row["path"])


def data_hash(frame: pd.DataFrame) -> str:
    """SHA-256 over clip ids, paths and labels, in order."""
    digest = hashlib.sha256()
    for row in zip(frame["clip_id"], frame["path"], frame["label"], frame["label_name"], strict=True):
        digest.update(json.dumps([str(row[0]), str(row[1]), int(row[2]), str(row[3])]).encode() + b"\n")
    return digest.hexdigest()


def files_hash(frame: pd.DataFrame) -> str:
    """SHA-256 over name, size and time of change of every file of the clips: tells on one machine whether pixels changed.

    Raises: InputError for a clip that is not there.
    """
    digest = hashlib.sha256()
    for name in frame["path"].astype(str):
        clip = Path(frame.attrs["root"]) / name
        try:
            files = sorted(clip.iterdir()) if clip.is_dir() else [clip]
            for file in files:
                about = file.stat()
                digest.update(f"{name}/{file.name} {about.st_size} {about.st_mtime_ns}\n".encode())
        except OSError as error:
            raise InputError(f"{clip}: {error.strerror or error}; the manifest lists it: make it anew") from error
    return digest.hexdigest()


def index_folder(root: str | Path, labels: Sequence[str], crop: str | None = None) -> pd.DataFrame:
    """Manifest of a folder with one sub-folder a class, each holding videos or folders of frames.

    Fold is 0; subject is empty, as a folder does not tell it. Hidden files and images that lie beside clips are left out.
    Paths are relative to `root`.

    Args:
        root: folder whose sub-folders are named after `labels`.
        labels: class names, in the order of their numbers.
        crop: "face", "center" or "none" for every clip; by default videos are cropped to the face and folders of frames,
            which corpora hand out cropped, are not.

    Raises:
        InputError: no such folder, a sub-folder that is no class, no clips, a clip that cannot be read.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(f"{root}: no such folder")
    classes = sorted(folder.name for folder in root.iterdir() if folder.is_dir() and not folder.name.startswith("."))
    strange = [name for name in classes if name not in labels]
    if strange:
        raise InputError(f"{root}: folder {strange[0]} is no class; classes are {', '.join(labels)}")
    rows = []
    for name in (label for label in labels if label in classes):
        clips = [clip for clip in (root / name).iterdir() if not clip.name.startswith(".")]
        for clip in sorted(clips, key=lambda clip: natural_key(clip.name)):
            if clip.is_file() and clip.suffix.lower() in IMAGE_SUFFIXES:
                continue
            _, seconds = read_seconds(clip)
            info = probe(clip)
            path = clip.relative_to(root).as_posix()
            rows.append(
                {"clip_id": path, "path": path, "kind": info.kind, "n_frames": len(seconds), "fps": info.fps}
                | {"width": info.width, "height": info.height, "label": list(labels).index(name), "label_name": name}
                | {"fold": 0, "subject": "", "crop": crop or ("face" if info.kind == "video" else "none")}
            )
    if not rows:
        raise InputError(f"{root}: no clips in folders named {', '.join(labels)}")
    frame = pd.DataFrame(rows)
    frame.attrs["root"] = str(root)
    return frame

"""Where a manifest's clips lie, and hashes that tell whether two lists, or two sets of files, are the same."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd


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

    A clip that is not there counts as such: reading it says what is wrong.
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
            digest.update(f"{name} {error.strerror}\n".encode())
    return digest.hexdigest()

"""Where a manifest's clips lie, and hashes that tell whether two lists, or two sets of files, are the same."""

import hashlib
import os
from json.encoder import encode_basestring_ascii as _quoted
from pathlib import Path
from stat import S_ISDIR
from typing import Any

import pandas as pd

from ifdd.data.video import FOLDER_FPS, probe, read_seconds


def clip_path(root: pd.DataFrame | str | Path, row: Any) -> Path:
    """Path of the clip of a row: a Series, a mapping, or what `itertuples` gives; `root` is a manifest or its folder."""
    base = root.attrs["root"] if isinstance(root, pd.DataFrame) else root
    return Path(base) / (row.path if hasattr(row, "path") else row["path"])


def scene_path(root: pd.DataFrame | str | Path, row: Any) -> Path | None:
    """Path of the scene around the clip of a row, None where the row names none; arguments as `clip_path`."""
    base = root.attrs["root"] if isinstance(root, pd.DataFrame) else root
    named = getattr(row, "scene_path", None) if hasattr(row, "path") else row.get("scene_path")
    return Path(base) / named if isinstance(named, str) and named else None


def length(root: pd.DataFrame | str | Path, row: Any) -> tuple[int, float]:
    """Frames of a clip, and frames a second: as its row (a Series or mapping) says, or where it does not, as they are on disk.

    Raises: InputError for a clip that has to be read and cannot be.
    """
    count, rate = float(row["n_frames"]), float(row["fps"])
    if count > 0 and rate > 0:
        return int(count), rate
    path = clip_path(root, row)
    fps = rate if rate > 0 and path.is_dir() else None
    _, seconds = read_seconds(path, fps=fps)
    return len(seconds), rate if rate > 0 else probe(path, fps=fps).fps or FOLDER_FPS


def crop_notes(frame: pd.DataFrame, crop: str) -> tuple[str, ...]:
    """A line where videos are read whole by a model that crops its own clips to the face, and the list does not say why."""
    videos = int((frame["kind"] == "video").sum())
    if "crop" in frame or crop != "face" or not videos:
        return ()
    return (
        f"{videos} videos are read whole, as the list has no column crop; if they are no face crops, write face into it "
        "(ifdd data index LIST --out NEW.parquet does)",
    )


def data_hash(frame: pd.DataFrame) -> str:
    """SHA-256 over clip ids, paths and labels, in order; and where there are scenes, over theirs."""
    columns = [frame[name].to_numpy(dtype=object) for name in ("clip_id", "path", "label", "label_name")]
    lines = [  # each as json.dumps writes a list, which for tens of thousands of rows takes five times as long
        f"[{_quoted(str(clip))}, {_quoted(str(path))}, {int(label)}, {_quoted(str(name))}]\n"
        for clip, path, label, name in zip(*columns, strict=True)
    ]
    for column in (name for name in ("scene_path", "scene_face") if name in frame):
        lines += [f"{_quoted(str(cell))}\n" for cell in (column, *frame[column].to_numpy(dtype=object))]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def files_hash(frame: pd.DataFrame) -> str:
    """SHA-256 over name, size and time of change of every file of clips and scenes: tells on one machine whether pixels changed.

    A clip that is not there counts as such: reading it says what is wrong.
    """
    lines = []
    names = [str(name) for name in frame["path"].to_numpy(dtype=object)]
    if "scene_path" in frame:
        names += frame["scene_path"].dropna().astype(str).tolist()
    for name in names:
        clip = os.path.join(frame.attrs["root"], name)  # noqa: PTH118 - of tens of thousands, half of the time goes into a Path
        try:
            about = os.stat(clip)  # noqa: PTH116
            if S_ISDIR(about.st_mode):
                with os.scandir(clip) as files:
                    found = sorted((file.name, file.stat()) for file in files)
            else:
                found = [(os.path.basename(clip), about)]  # noqa: PTH119
            for file, about in found:
                lines.append(f"{name}/{file} {about.st_size} {about.st_mtime_ns}\n")
        except OSError as error:
            lines.append(f"{name} {error.strerror}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()

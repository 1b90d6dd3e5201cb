"""Manifests of what lies on disk: of a folder with a sub-folder for each class, of one without labels, or of a list."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from ifdd.data.bad_clips import UNREADABLE, OnError, reason, settle
from ifdd.data.manifest.files import clip_path, scene_path
from ifdd.data.manifest.table import LABELS, REQUIRED, complete, has_labels, read_columns, read_manifest
from ifdd.data.scenes import same_length
from ifdd.data.video import FOLDER_FPS, IMAGE_SUFFIXES, is_animated, natural_key, probe, read_seconds
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS, match_labels, meant_class
from ifdd.progress import tqdm

_COMPANIONS = {
    *(".txt", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".md", ".log", ".html", ".pdf", ".docx", ".xlsx"),
    *(".srt", ".vtt", ".ass", ".sub", ".textgrid", ".eaf", ".npy", ".npz", ".pkl", ".mat", ".h5", ".pt", ".parquet"),
    *(".wav", ".mp3", ".flac", ".m4a", ".aac", ".db", ".ini", ".lnk", ".zip", ".gz", ".tar", ".7z", ".rar", ".md5", ".sha256"),
}
"""What lies beside clips and is none: captions, tables, features, sound, archives, and what Windows leaves (Thumbs.db)."""
_BARE = {"sha256sums", "sha1sums", "md5sums", "checksums", "license", "licence", "copying", "notice", "readme", "authors"}
"""The same, of files without an ending; others of these may be videos."""


def index_folder(
    root: str | Path,
    labels: Sequence[str] = EMOTIONS,
    crop: str | None = None,
    *,
    names: Mapping[str, str] | None = None,
    on_error: OnError = "stop",
) -> pd.DataFrame:
    """Manifest of a folder with one sub-folder a class, each holding videos or folders of frames.

    Fold is 0; subject is empty, as a folder does not tell it. Hidden files, and images and `_COMPANIONS` that lie beside
    clips, are left out. Paths are relative to `root`. `.attrs["notes"]` tells what was matched by other spellings, and what
    was left out.

    Args:
        root: folder whose sub-folders are named after `labels`, as `match_labels` understands them.
        labels: class names, in the order of their numbers.
        crop: "face", "center" or "none" for every clip; by default videos are cropped to the face and folders of frames,
            which corpora hand out cropped, are not.
        names: sub-folder → class, where the name does not say it; "" leaves one out.
        on_error: whether clips that cannot be read stop all, or are skipped (see `bad_clips.settle`).

    Raises:
        InputError: no such folder, a sub-folder that is no class, no clips, clips that cannot be read.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(f"{root}: no such folder")
    folders = sorted(
        folder.name for folder in root.iterdir() if folder.is_dir() and not folder.name.startswith((".", "__MACOSX"))
    )
    _refuse_one_class(root, folders, labels, names)
    meant, notes = match_labels(folders, labels, root, names)
    rows: list[dict[str, object]] = []
    beside: list[Path] = []
    for label in labels:
        for folder in (name for name in folders if meant[name] == label):
            beside += _companions(root / folder)
            about = {"label": labels.index(label), "label_name": label}
            names_of_clips = sorted((clip.name for clip in _clips_in(root / folder)), key=natural_key)
            rows += [{"path": f"{folder}/{name}"} | about for name in names_of_clips]
    if not rows:
        raise InputError(
            f"{root}: no clips in folders named {', '.join(labels)}; put each clip into a folder named after its class, list "
            "path and label of each in a CSV, or say --unlabelled if they have none"
        )
    if loose := [file.name for file in _clips_in(root) if file.is_file()]:
        many = f"{len(loose)} file{'s' * (len(loose) > 1)}, e.g. {min(loose)}"
        notes = (*notes, f"left out, as in no folder of a class: {many}")
    return _probed(pd.DataFrame(rows), root, root, crop, on_error, (*notes, *_left_out(beside)))


def index_unlabelled(root: str | Path, crop: str | None = None, *, on_error: OnError = "stop") -> pd.DataFrame:
    """Manifest of the videos and folders of frames in a folder, at any depth, without labels.

    A folder that holds images, and neither videos nor folders, is a clip. Columns, what is left out, and notes as `index_folder`.

    Raises:
        InputError: no such folder, one that is itself a clip, no clips, clips that cannot be read.
    """
    root = Path(root)
    places, paths = _clips_below(root)
    beside = [file for place in places for file in _companions(place)]
    return _probed(pd.DataFrame({"path": paths}), root, root, crop, on_error, _left_out(beside))


def clips_below(root: str | Path) -> list[str]:
    """Paths, from `root`, of the videos and folders of frames in it, at any depth, as `index_unlabelled` lists them.

    Raises: InputError for no such folder, one that is itself a clip, no clips.
    """
    return _clips_below(Path(root))[1]


def _clips_below(root: Path) -> tuple[list[Path], list[str]]:
    """The folders in which clips may lie, and the paths of the clips in natural order."""
    if not root.is_dir():
        raise InputError(f"{root}: no such folder")
    if _is_frames(root):
        raise InputError(f"{root} is a folder of frames, one clip; give the folder above it, {os.path.normpath(root / '..')}")
    places = _folders_below(root, frozenset())
    clips = [clip for place in places for clip in _clips_in(place) if not clip.is_dir() or _is_frames(clip)]
    if not clips:
        raise InputError(f"{root}: no clips; give a folder that holds videos or folders of frames")
    paths = [clip.relative_to(root).as_posix() for clip in clips]
    return places, sorted(paths, key=lambda path: [natural_key(part) for part in path.split("/")])


def _is_frames(folder: Path) -> bool:
    """Whether images that do not move, and neither other clips nor folders, lie there."""
    return not _clips_in(folder) and any(file.suffix.lower() in IMAGE_SUFFIXES for file in folder.iterdir())


def _folders_below(folder: Path, above: frozenset[Path]) -> list[Path]:
    """The folder and those in it that are no clips, at any depth; a link to a folder `above` is not followed."""
    above |= {folder.resolve()}
    inside = [place for place in _clips_in(folder) if place.is_dir() and place.name != "__MACOSX" and not _is_frames(place)]
    return [folder, *(found for place in inside if place.resolve() not in above for found in _folders_below(place, above))]


def _left_out(beside: Sequence[Path]) -> tuple[str, ...]:
    """A note on files that lie beside clips."""
    kinds = sorted({file.suffix.lower() or file.name for file in beside})
    return (f"left out as no clips: {len(beside)} files ({', '.join(kinds)})",) if beside else ()


def _companions(folder: Path) -> list[Path]:
    return [file for file in folder.iterdir() if file.is_file() and _is_companion(file) and file.name[0] != "."]


def _is_companion(file: Path) -> bool:
    return file.suffix.lower() in _COMPANIONS or file.name.lower() in _BARE


def _clips_in(folder: Path) -> list[Path]:
    """What lies in a folder and may be a clip: neither hidden, nor an image that does not move, nor one of `_COMPANIONS`."""
    found = [clip for clip in folder.iterdir() if not clip.name.startswith(".")]
    found = [clip for clip in found if not (clip.is_file() and _is_companion(clip))]
    return [clip for clip in found if not (clip.is_file() and clip.suffix.lower() in IMAGE_SUFFIXES) or is_animated(clip)]


def _refuse_one_class(root: Path, folders: Sequence[str], labels: Sequence[str], names: Mapping[str, str] | None) -> None:
    """Refuse the folder of one class, in which no folder is named after a class: the folder above it is meant."""
    given = dict(names or {})
    own = root.resolve().name
    label = given.get(own) or meant_class(own, labels)
    if label is None or any(folder in given or meant_class(folder, labels) for folder in folders):
        return
    if folders or _clips_in(root):
        above = os.path.normpath(root / "..")
        raise InputError(f"{root} is the folder of one class ({label}); give the folder above it, {above}")


def index_list(
    file: str | Path,
    labels: Sequence[str] | None = None,
    crop: str | None = None,
    *,
    names: Mapping[str, str] | None = None,
    on_error: OnError = "stop",
    unlabelled: bool = False,
) -> pd.DataFrame:
    """A list of clips (CSV, TSV or parquet) with all that it does not tell: every clip is read once.

    Classes are numbered in the order of `labels`; without them names stay as they are, but for those that `names` maps. With
    `unlabelled` the list needs no labels, and those that it has are left out, which a note says.
    Arguments and notes as `index_folder`; the folder of `file` is kept in `.attrs["root"]`.

    Raises:
        InputError: as `read_manifest` and `index_folder`; no labels where `unlabelled` does not say so.
    """
    if unlabelled:
        place, given = read_columns(file)
        frame = given.drop(columns=list(LABELS), errors="ignore")
        told = tuple(f"the list's column {name} is left out" for name in LABELS if name in given)
        return _probed(frame, place.parent, file, crop, on_error, told)
    frame = read_manifest(file, labels)
    if not has_labels(frame):
        raise InputError(
            f"{file}: column label is missing, the columns are {', '.join(map(str, read_columns(file)[1]))}; name the "
            "class of each clip in a column label, or say --unlabelled if they have none"
        )
    found = sorted(set(frame["label_name"]))
    known = labels or tuple(dict.fromkeys([*(name for name in (names or {}).values() if name), *found]))
    meant, notes = match_labels(found, known, file, names)
    frame["label_name"] = frame["label_name"].map(meant)
    frame = frame[frame["label_name"] != ""].reset_index(drop=True)
    if frame.empty:
        raise InputError(f"{file}: the map leaves no clip")
    if labels is not None or names:
        frame = frame.drop(columns="label") if labels is None else frame.assign(label=frame["label_name"].map(list(labels).index))
    return _probed(frame, Path(frame.attrs["root"]), file, crop, on_error, notes)


def _probed(
    frame: pd.DataFrame, root: Path, source: object, crop: str | None, on_error: OnError, notes: Sequence[str]
) -> pd.DataFrame:
    """The table with kind, frames, rate and size of every clip as it is on disk, without those that cannot be read."""
    frame = complete(frame, root, source)
    frame.attrs["root"] = str(root)
    bad: dict[str, str] = {}
    kept, measured = [], []
    rows = frame.to_dict("records")
    for i, row in enumerate(tqdm(rows, desc="index", unit="clip", delay=2, disable=None)):
        clip = clip_path(frame, row)
        try:
            fps = float(row["fps"]) if row["fps"] > 0 and clip.is_dir() else None
            _, seconds = read_seconds(clip, fps=fps)
            info = probe(clip, fps=fps)
            if (scene := scene_path(frame, row)) is not None:
                same_length(scene, len(read_seconds(scene)[1]), clip, len(seconds))
        except UNREADABLE as error:
            bad[row["clip_id"]] = reason(error, clip)
            continue
        kept.append(i)
        size = {"width": info.width, "height": info.height}
        rate = info.fps if info.kind == "video" else info.fps or FOLDER_FPS
        measured.append({"kind": info.kind, "n_frames": len(seconds), "fps": rate, **size})
    told = settle(bad, len(frame), source, on_error)
    table = frame.iloc[kept].reset_index(drop=True)
    for name in ("kind", "n_frames", "fps", "width", "height"):
        table[name] = [found[name] for found in measured]
    default = table["kind"].map({"video": "face", "frames": "none"})
    table["crop"] = crop if crop else table.get("crop", default)
    gone = [name for name in dict.fromkeys(frame["label_name"]) if name not in set(table["label_name"])]
    told += (f"no clip of {', '.join(gone)} is left",) if gone else ()
    table = table[[*REQUIRED, "crop", *(name for name in table.columns if name not in (*REQUIRED, "crop"))]]
    table.attrs = {"root": str(root), "notes": (*notes, *told)}
    return table

"""All videos of a list made into face clips, in processes; an interrupted run goes on where it stopped.

clips.parquet  the clips with all that the list said of them, and what is known of their faces
clips/<id>/    000000.png …
scenes/<id>/   the same frames of what is around the face, if they are asked for
tracks/<id>.npz
sheet.html …   to look through
crop.json      how it was made, and which clips were left out and why
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from multiprocessing import parent_process
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from ifdd.data.bad_clips import UNREADABLE, OnError, reason, settle, warnings_summary
from ifdd.data.cropping.clip import crops, follow_face, scenes, write_frame
from ifdd.data.cropping.options import OF_SCENES, CropOptions
from ifdd.data.cropping.sheet import Shown, write_sheets
from ifdd.data.cropping.sources import ABOUT
from ifdd.data.cropping.tracks import Track, read_track, write_track
from ifdd.data.faces.detectors import make_detector
from ifdd.data.manifest import FILE_NAME, clip_path, data_hash, files_hash, fps_of, write_manifest
from ifdd.data.video import file_sha256
from ifdd.errors import InputError, NoFaceError
from ifdd.io import check_new, make_once, unfinished_folder, write_json, write_whole
from ifdd.jobs import pool_map
from ifdd.progress import tqdm

FEW = 0.8
"""Share of the frames in which the face was found, below which a clip is flagged."""
FACE_COLUMNS = ("detector", "face_found", "face_score", "faces", "landmarks", "cropped_from")
"""Columns that cropping adds: the share of frames in which the face was found, its mean score, how many faces there were to
choose from, the file of its track where that holds landmarks, and the clip that it was cut from."""
VERSION = 1

_ABOUT_PIXELS = ("path", "kind", "n_frames", "fps", "width", "height", "crop", "truth", "scene_path", "scene_face", *FACE_COLUMNS)


@dataclass(frozen=True)
class Cropped:
    """What `crop_corpus` made: the list, how many clips, which are worth a look and why, and those left out with reasons."""

    manifest: Path
    clips: int
    flagged: dict[str, str]
    left_out: dict[str, str]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Job:
    name: str
    path: Path
    fps: float | None
    options: CropOptions
    folder: Path


def crop_corpus(
    table: pd.DataFrame,
    out: Path,
    options: CropOptions | None = None,
    *,
    workers: int = 1,
    on_error: OnError = "stop",
    progress: bool = True,
) -> Cropped:
    """Crop the clips of a manifest to their largest faces, into the new folder `out`.

    Finished clips lie in a hidden folder beside `out` until all are done; the same call goes on from there, whatever `workers`
    and `on_error` are. Labels, persons, folds and factors of the list are kept; a scripted clip's truth, which is of other
    pixels, is not.

    Raises:
        InputError: `out` exists, impossible options, no weights, clips without a face or that cannot be read (see
            `bad_clips.settle`), or the disk refuses.
    """
    options = options or CropOptions()
    check_new(out)
    make_detector(options.detector, options.model)  # before minutes are spent
    asked = {name: value for name, value in asdict(options).items() if options.scene or name not in OF_SCENES}
    about = {"version": VERSION, **asked, **_weights(options), "model": options.model and str(options.model)}
    key = json.dumps(about | {"list": data_hash(table), "files": files_hash(table)}, sort_keys=True)
    with unfinished_folder(out, key) as work:
        jobs = [
            _Job(str(row["clip_id"]), clip_path(table, row).resolve(), fps_of(row), options, work)
            for row in table.to_dict("records")
        ]
        _refuse_nested([job.name for job in jobs])
        bad = _run([job for job in jobs if not _finished(job)], workers, progress)
        source = table.attrs.get("source", table.attrs.get("root", "the clips"))
        notes = settle(bad, len(jobs), source, on_error)
        good = table[~table["clip_id"].isin(list(bad))]
        tracks = [read_track(_track_file(work, name)) for name in good["clip_id"]]
        frame = _listed(good, tracks, options, out)
        write_manifest(frame, work)
        flagged = {name: why for name, track in zip(good["clip_id"], tracks, strict=True) if (why := _flag(track, options))}
        told = {name: track.warnings for name, track in zip(good["clip_id"], tracks, strict=True) if track.warnings}
        notes += warnings_summary(told, len(good))
        shown = list(_shown(good, tracks, flagged, work))
        pages = write_sheets(shown, bad, _title(options, len(shown)), work)
        write_json(work / ABOUT, about | {"clips": len(good), "flagged": flagged, "left_out": bad, "sheets": pages})
    return Cropped(out / FILE_NAME, len(good), flagged, bad, notes)


def _run(jobs: Sequence[_Job], workers: int, progress: bool) -> dict[str, str]:
    """Crop clips that are not finished: id → why it could not be done."""
    bad = {}
    with pool_map(_crop, jobs, workers, least=2, chunk=1) as results:
        bar = tqdm(results, total=len(jobs), desc="crop faces", unit="clip", delay=2, disable=None if progress else True)
        for job, why in zip(jobs, bar, strict=True):
            if why:
                bad[job.name] = why
    return bad


def _crop(job: _Job) -> str:
    """Crop one clip; why it could not be done, else "". The track is written last: where it is, the clip is finished."""
    if parent_process() is not None:
        cv2.setNumThreads(1)  # processes are enough
    options = job.options
    try:
        source, track, scene = follow_face(job.path, options, job.fps)
    except NoFaceError as error:
        return error.finding.removeprefix(f"{job.path}: ")
    except UNREADABLE as error:
        return reason(error, job.path)
    aligned = options.align and track.has_landmarks

    def fill(folder: Path) -> None:
        for at, image in enumerate(crops(source, track, aligned)):
            write_frame(image, folder / f"{at:06d}.{options.format}", options.format)

    def fill_scene(folder: Path) -> None:
        assert scene is not None
        for at, image in enumerate(scenes(scene, track, options.scene_size)):
            write_frame(image, folder / f"{at:06d}.{options.format}", options.format)

    make_once(job.folder / "clips" / job.name, fill)
    if scene is not None:
        make_once(job.folder / "scenes" / job.name, fill_scene)
    write_whole(_track_file(job.folder, job.name), lambda part: write_track(track, part))
    return ""


def _finished(job: _Job) -> bool:
    return _track_file(job.folder, job.name).is_file() and (job.folder / "clips" / job.name).is_dir()


def _track_file(folder: Path, name: str) -> Path:
    return folder / "tracks" / f"{name}.npz"


def _refuse_nested(names: Sequence[str]) -> None:
    """A clip's folder cannot lie within another clip's."""
    known = set(names)
    for name in names:
        above = next((str(part) for part in Path(name).parents if str(part) in known), None)
        if above is not None:
            raise InputError(f"clip_id {name!r} would lie in the folder of the clip {above!r}; rename one of them")


def _weights(options: CropOptions) -> dict[str, Any]:
    """Which weights a detector has, by content."""
    detector = make_detector(options.detector, options.model)
    model = getattr(detector, "model", None)
    return {"weights": model.name, "weights_sha256": file_sha256(model)} if isinstance(model, Path) else {}


def _listed(table: pd.DataFrame, tracks: Sequence[Track], options: CropOptions, out: Path) -> pd.DataFrame:
    """The list of the crops."""
    ids = table["clip_id"].astype(str).tolist()
    base = out.resolve()
    frame = pd.DataFrame({"clip_id": ids, "path": [f"clips/{name}" for name in ids]})
    frame["kind"] = "frames"
    frame["n_frames"] = [len(track.seconds) for track in tracks]
    frame["fps"] = [track.fps for track in tracks]
    frame["width"] = frame["height"] = options.size
    for name in table.columns:
        if name not in frame and name not in _ABOUT_PIXELS:
            frame[name] = table[name].to_numpy()
    frame["crop"] = "none"
    if options.scene:
        frame["scene_path"] = [f"scenes/{name}" for name in ids]
        frame["scene_face"] = options.scene
    frame["detector"] = options.detector
    whole = options.detector == "precropped"
    frame["face_found"] = [np.nan if whole else float(track.found.mean()) for track in tracks]
    frame["face_score"] = [_mean(track.score) for track in tracks]
    frame["faces"] = [track.faces for track in tracks]
    frame["landmarks"] = [f"tracks/{name}.npz" if track.has_landmarks else None for name, track in zip(ids, tracks, strict=True)]
    frame["cropped_from"] = [
        Path(os.path.relpath(clip_path(table, row).resolve(), base)).as_posix() for row in table.to_dict("records")
    ]
    return frame


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def _flag(track: Track, options: CropOptions) -> str:
    """Why a clip is worth a look; "" if it is not."""
    if options.detector == "precropped":
        return ""
    share = float(track.found.mean())
    found = [f"face found in {share:.0%} of the frames"] * (share < FEW)
    return "; ".join([*found, *([f"{track.faces} faces"] * (track.faces > 1))])


def _shown(table: pd.DataFrame, tracks: Sequence[Track], flagged: dict[str, str], work: Path) -> Iterator[Shown]:
    for row, track in zip(table.to_dict("records"), tracks, strict=True):
        name = str(row["clip_id"])
        score = _mean(track.score)
        told = [f"{len(track.seconds)} frames", *([f"score {score:.2f}"] if np.isfinite(score) else [])]
        about = (str(row["label_name"] or ""), ", ".join(told))
        said = ["; ".join(part for part in line.split("; ") if "--" not in part) for line in track.warnings]
        yield Shown(name, work / "clips" / name, about, flagged.get(name, ""), tuple(filter(None, said)))


def _title(options: CropOptions, clips: int) -> str:
    return f"{clips} clips cropped by {options.detector}, {options.size} × {options.size} pixels"

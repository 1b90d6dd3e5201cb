"""Suites on disk: frames and truth of every clip, with a manifest. An interrupted render goes on where it stopped."""

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from ifdd.data.manifest import FILE_NAME, write_manifest
from ifdd.data.preprocessing import HIDDEN
from ifdd.errors import InputError
from ifdd.io import check_new, unfinished_folder
from ifdd.jobs import pool_map
from ifdd.labels import EMOTIONS
from ifdd.progress import tqdm
from ifdd.scripted.head.face import FaceModel
from ifdd.scripted.render.clips import MASK_THRESHOLD, render_clip
from ifdd.scripted.render.scenes import SCENE_VERSION, render_scene
from ifdd.scripted.render.store import read_mask, read_regions, write_clip, write_scene
from ifdd.scripted.script.script import Script
from ifdd.scripted.script.times import GENERATOR_VERSION, render_times
from ifdd.scripted.script.truth import TRUTH_VERSION
from ifdd.scripted.suites import (
    IDENTITY_RANGES,
    SUITES,
    SuiteConfig,
    by_person,
    clip_id,
    factors,
    suite_hash,
    suite_identities,
    suite_scripts,
)


@cache
def _face(spec: str) -> FaceModel:
    from ifdd.scripted.models import face_model  # a scanned head brings code that the built-in one does not need

    return face_model(spec)


def _about_face(spec: str) -> dict[str, str]:
    """What a suite says of its face model: no path, which is another one on every machine."""
    from ifdd.scripted.head.ict_mesh import model_file
    from ifdd.scripted.models import BUILT_IN

    if spec == BUILT_IN:
        return {"face": spec}
    file = model_file(Path(spec))
    return {"face": file.name, "face_sha256": hashlib.sha256(file.read_bytes()).hexdigest()}


@dataclass(frozen=True)
class _Job:
    script: Script
    name: str
    frames: int
    size: int
    folder: Path
    full: bool
    face: str
    scene_face: str


def _render_job(job: _Job) -> None:
    cv2.setNumThreads(1)
    times = render_times(job.frames, job.script.duration)
    if job.script.around is not None:  # before the truth, which tells that a clip is finished
        write_scene(render_scene(job.script, job.size, times, _face(job.face), face=job.scene_face), job.folder, job.name)
    write_clip(render_clip(job.script, job.size, times, _face(job.face), full=job.full), job.folder, job.name)


def _finished(job: _Job) -> bool:
    return (job.folder / "truth" / f"{job.name}.npz").is_file() and (job.folder / "clips" / job.name).is_dir()


def render_suite(
    cfg: SuiteConfig,
    out: Path,
    frames: int = 32,
    fps: float = 16.0,
    size: int = 112,
    workers: int = 2,
    progress: bool = True,
    full: bool = False,
    face: str = "built-in",
    scene_face: str = "kept",
) -> Path:
    """Renders a suite into the new folder `out` and returns its manifest `out/clips.parquet`.

    The clips last frames / fps seconds. `full` adds region maps and nuisance masks to the truth; `face` is "built-in" or the path
    of a face model. A suite with a rho gets the scene around each clip in `scenes/`, named by the column `scene_path`; in it the
    person's face is kept, blurred or masked, as `scene_face` says and the column of that name. The folder appears only when it is
    complete. Until then finished clips lie in a hidden folder beside it, from which the same call goes on after an interruption.
    Raises: InputError if `out` exists, for frames or fps that are not above 0, for a bad face model, or when the disk refuses.
    """
    out = Path(out)
    check_new(out)
    if frames < 1 or fps <= 0:
        raise InputError(f"suite {cfg.name}: frames {frames} and fps {fps} must be above 0")
    if scene_face not in HIDDEN:
        raise InputError(f"suite {cfg.name}: scene_face {scene_face!r} is not one of {', '.join(HIDDEN)}")
    cfg = replace(cfg, duration=frames / fps)
    scripts = suite_scripts(cfg)
    names = [clip_id(cfg, i) for i in range(len(scripts))]
    about = {
        "generator_version": GENERATOR_VERSION,
        "truth_version": TRUTH_VERSION,
        "mask_threshold": MASK_THRESHOLD,
        "config": cfg.to_dict(),
        "frames": frames,
        "fps": fps,
        "size": size,
        "full_truth": full,
        **_about_face(face),
        "suite": cfg.difficulty,
        "suite_version": SUITES[cfg.difficulty].version if cfg.difficulty in SUITES else "",
        "suite_hash": suite_hash(cfg),
    }
    if cfg.rho is not None:
        about |= {"scene_version": SCENE_VERSION, "scene_face": scene_face}
    text = json.dumps(about, indent=2, sort_keys=True) + "\n"
    with unfinished_folder(out, text) as work:
        jobs = [_Job(scripts[i], names[i], frames, size, work, full, face, scene_face) for i in by_person(scripts)]
        left = [job for job in jobs if not _finished(job)]
        if left:
            render_clip(left[0].script, size, np.array([0.0]), _face(face))  # compiles once, before the pool starts
        with pool_map(_render_job, left, workers) as results:
            bar = tqdm(results, total=len(left), desc=f"render {cfg.name} {cfg.split}", unit="clip", disable=not progress)
            for _ in bar:
                pass
        lines = [json.dumps({"clip_id": n, **s.to_dict()}, sort_keys=True) for s, n in zip(scripts, names, strict=True)]
        (work / "scripts.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (work / "suite.json").write_text(text, encoding="utf-8")
        table = _table(cfg, scripts, names, frames, fps, size)
        if cfg.rho is not None:
            table = table.assign(scene_path=[f"scenes/{name}" for name in names], scene_face=scene_face)
        write_manifest(table, work)
    return out / FILE_NAME


def _table(cfg: SuiteConfig, scripts: list[Script], names: list[str], frames: int, fps: float, size: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "clip_id": name,
            "path": f"clips/{name}",
            "kind": "frames",
            "n_frames": frames,
            "fps": fps,
            "width": size,
            "height": size,
            "label": EMOTIONS.index(script.emotion),
            "label_name": script.emotion,
            "fold": 0,
            "subject": str(script.identity),
            "split": cfg.split,
            "truth": f"truth/{name}.npz",
            "crop": "none",
            "suite": cfg.difficulty,
            **factors(script),
        }
        for script, name in zip(scripts, names, strict=True)
    )


__all__ = [
    "IDENTITY_RANGES",
    "SuiteConfig",
    "by_person",
    "clip_id",
    "factors",
    "pool_map",
    "read_mask",
    "read_regions",
    "render_suite",
    "suite_identities",
    "suite_scripts",
    "write_clip",
]

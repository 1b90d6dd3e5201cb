"""Training clips as memory-mapped arrays, rendered once per set of scripts."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from ifdd.data.arrays import new_array
from ifdd.documents import read_cached
from ifdd.errors import InputError
from ifdd.io import make_once
from ifdd.jobs import pool_map
from ifdd.labels import EMOTIONS
from ifdd.progress import tqdm
from ifdd.scripted.render.clips import render_clip
from ifdd.scripted.render.scenes import SCENE_VERSION, render_scene
from ifdd.scripted.script.script import Script
from ifdd.scripted.script.times import GENERATOR_VERSION, render_times
from ifdd.scripted.suites import SuiteConfig, by_person, suite_scripts


class TrainingArrays(NamedTuple):
    """N clips of T frames; `clips` is memory-mapped and read-only."""

    clips: np.ndarray  # (N, T, H, W, 3) uint8 RGB
    labels: np.ndarray  # (N,) int64
    intensity: np.ndarray  # (N, T) float32


def segment_centres(native: int, frames: int) -> np.ndarray:
    """Indices (T,) of the native frames that hold the centres of T equal segments: floor((i + 0.5) * native / T)."""
    return np.floor((np.arange(frames) + 0.5) * native / frames).astype(np.int64)


def _job(job: tuple[Script, int, np.ndarray, str]) -> tuple[np.ndarray, np.ndarray]:
    script, size, keep, scene = job
    cv2.setNumThreads(1)
    times = render_times(32, script.duration)[keep]
    if scene:
        return render_scene(script, size, times, indices=keep, face=scene), script.at(times).intensity.astype(np.float32)
    clip = render_clip(script, size, times, masks=False, indices=keep)
    return clip.frames, clip.truth.intensity


def training_arrays(
    cfg: SuiteConfig,
    frames: int = 16,
    size: int = 112,
    cache_dir: Path | str = "cache",
    workers: int = 2,
    progress: bool = True,
    *,
    scene: str = "",
) -> TrainingArrays:
    """The clips of a suite, as sampling `frames` of the 32 frames that `render_suite` writes would read them.

    Rendered once to `<cache_dir>/<hash of scripts, size, frames and generator version>/`, then reused; suites that differ in rho
    alone share their clips. `scene` asks for the scene around each clip in place of it, with the face in it kept, blurred or
    masked.
    Raises: InputError for a number of frames outside 1…32, a scene of a suite that has none, or when the disk refuses.
    """
    if not 1 <= frames <= 32:
        raise InputError(f"suite {cfg.name}: frames is {frames}; a clip has 1 to 32")
    if scene and cfg.rho is None:
        raise InputError(
            f"suite {cfg.name}: {cfg.difficulty} has no scenes around its clips; give it a rho (0: scenes that tell nothing), or "
            "let the input read the face's own clip with inputs.NAME.stream=clip"
        )
    scripts = suite_scripts(cfg)
    if not scene and cfg.rho is not None:
        scripts = [replace(script, scene="", around=None) for script in scripts]
    key = hashlib.sha256(f"{GENERATOR_VERSION} {size} {frames}{f' scene {SCENE_VERSION} {scene}' if scene else ''}".encode())
    for script in scripts:
        key.update(script.digest().encode())
    folder = Path(cache_dir) / key.hexdigest()[:24]
    title = f"render {'scenes of ' if scene else ''}{cfg.name} {cfg.split}"
    make_once(folder, lambda work: _render(scripts, frames, size, scene, work, workers, progress, title))
    clips = read_cached(folder / "clips.npy")
    labels = np.array([EMOTIONS.index(s.emotion) for s in scripts], np.int64)
    return TrainingArrays(clips, labels, np.array(read_cached(folder / "intensity.npy")))


def _render(
    scripts: list[Script], frames: int, size: int, scene: str, work: Path, workers: int, progress: bool, title: str
) -> None:
    keep = segment_centres(32, frames)
    render_clip(scripts[0], size, np.array([0.0]), masks=False)  # compiles once, before the pool starts
    clips = new_array(work / "clips.npy", (len(scripts), frames, size, size, 3))
    intensity = np.zeros((len(scripts), frames), np.float32)
    order = by_person(scripts)
    with pool_map(_job, [(scripts[i], size, keep, scene) for i in order], workers) as results:
        bar = tqdm(results, total=len(order), desc=title, unit="clip", disable=not progress)
        for i, (pixels, curve) in zip(order, bar, strict=True):
            clips[i], intensity[i] = pixels, curve
    clips.flush()
    del clips
    np.save(work / "intensity.npy", intensity)

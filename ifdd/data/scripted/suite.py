"""Suites: balanced sets of scripts with disjoint identities, rendered to a folder with a manifest."""

import json
import multiprocessing
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from tqdm import tqdm

from ifdd.data.manifest import FILE_NAME, write_manifest
from ifdd.data.scripted.clips import GENERATOR_VERSION, MASK_THRESHOLD, RenderedClip, render_clip, render_times
from ifdd.data.scripted.sampling import DIFFICULTIES, sample_script
from ifdd.data.scripted.script import Script
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS

IDENTITY_RANGES: dict[str, int] = {"train": 0, "val": 10_000_000, "test": 20_000_000}
"""First identity seed of each split; the ranges cannot touch."""

MOST_IDENTITIES = 1_000_000


@dataclass(frozen=True)
class SuiteConfig:
    """A set of clips. Equal configs give equal scripts."""

    name: str
    seed: int
    clips: int
    identities: int
    split: str = "train"
    difficulty: str = "standard"
    duration: float = 2.0

    def __post_init__(self) -> None:
        if self.split not in IDENTITY_RANGES:
            raise InputError(f"suite {self.name}: split {self.split!r} is not one of {', '.join(IDENTITY_RANGES)}")
        if self.difficulty not in DIFFICULTIES:
            raise InputError(f"suite {self.name}: difficulty {self.difficulty!r} is not one of {', '.join(DIFFICULTIES)}")
        if self.clips < 1:
            raise InputError(f"suite {self.name}: clips is {self.clips}; at least 1 is needed")
        if not 1 <= self.identities <= MOST_IDENTITIES:
            raise InputError(f"suite {self.name}: identities is {self.identities}; choose 1 to {MOST_IDENTITIES}")


def suite_identities(cfg: SuiteConfig) -> list[int]:
    """The identity seeds of a suite, inside its split's range; another suite seed picks other people."""
    rng = np.random.default_rng([cfg.seed, 101])
    picks = rng.choice(9 * MOST_IDENTITIES, size=cfg.identities, replace=False)
    return [IDENTITY_RANGES[cfg.split] + int(i) for i in np.sort(picks)]


def suite_scripts(cfg: SuiteConfig) -> list[Script]:
    """The scripts of a suite: classes in turn, so counts differ by one at most; every class walks through the identities."""
    people = suite_identities(cfg)
    seeds = np.random.default_rng([cfg.seed, 102, IDENTITY_RANGES[cfg.split]]).integers(0, 2**31, size=cfg.clips)
    classes = len(EMOTIONS)
    # every class goes through all people in an order of its own, so that who it is says nothing about the class
    orders = [np.random.default_rng([cfg.seed, 103, c]).permutation(people) for c in range(classes)]
    return [
        sample_script(
            int(seeds[i]),
            EMOTIONS[i % classes],
            int(orders[i % classes][i // classes % len(people)]),
            cfg.difficulty,
            cfg.duration,
        )
        for i in range(cfg.clips)
    ]


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """A temporary folder beside `out` that becomes `out` when the block ends well, and is removed when it does not.

    Where another process made `out` in the meantime, that one stays. Raises: InputError when the disk refuses.
    """
    work: Path | None = None
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
        yield work
        work.chmod(0o755)  # mkdtemp makes it private
        if not out.exists():
            work.rename(out)
    except OSError as error:
        raise InputError(
            f"{out}: cannot be written: {error.strerror or error}; free the disk or choose another folder"
        ) from error
    finally:
        if work is not None:
            shutil.rmtree(work, ignore_errors=True)


def clip_id(cfg: SuiteConfig, i: int) -> str:
    """Name of the i-th clip of a suite."""
    return f"{cfg.name}-{cfg.split}-{i:05d}"


def by_person(scripts: list[Script]) -> list[int]:
    """Indices of the scripts with each person's clips together: building a head costs as much as 20 frames."""
    return sorted(range(len(scripts)), key=lambda i: (scripts[i].identity, i))


def factors(script: Script) -> dict[str, Any]:
    """What varies besides the emotion: one row of factor columns. Shares are of the clip's time."""
    times = render_times(64, script.duration)
    tracks = script.at(times)
    shown = np.zeros(len(times))
    for stretch in script.irrelevant:
        shown = np.maximum(shown, stretch.curve.at(times))
    speaking = np.zeros(len(times), bool)
    for talk in script.talk:
        speaking |= (times >= talk.start) & (times <= talk.stop)
    apex = 0.5 * (script.curve.apex + script.curve.release)
    return {
        "apex_s": float(np.clip(apex, 0, script.duration)) if script.units else float("nan"),
        "peak": float(tracks.intensity.max()),
        "emotion_share": float((tracks.intensity > 0.1).mean()),
        "irrelevant_share": float((shown > 0.1).mean()),
        "irrelevant_emotion": ",".join(sorted({s.emotion for s in script.irrelevant if s.emotion})),
        "talking_share": float(speaking.mean()),
        "blinks": len(script.blinks),
        "yaw_deg": float(tracks.pose[:, 0].mean()),
        "pitch_deg": float(tracks.pose[:, 1].mean()),
        "motion_deg": float(np.linalg.norm(tracks.pose - tracks.pose.mean(0), axis=1).mean()),
        "light_azimuth": script.light.azimuth,
        "light_key": script.light.key,
        "skin": script.appearance.skin,
        "resting_bias": float(sum(w for _, w in script.resting)),
        "background": script.background.kind,
    }


@contextmanager
def pool_map(function: Callable[[Any], Any], jobs: Sequence[Any], workers: int) -> Iterator[Iterator[Any]]:
    """Results in the order of jobs, from `workers` processes, or this one for few jobs. The pool ends with the block."""
    workers = min(workers, len(jobs) // 16)  # a process needs seconds to start, as long as some 16 clips take
    if workers <= 1:
        yield map(function, jobs)
        return
    # spawn: a forked child would inherit the threads of torch and OpenCV half alive
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield pool.imap(function, jobs, chunksize=8)


def write_clip(clip: RenderedClip, folder: Path, name: str) -> None:
    """Frames as clips/<name>/000.png…, truth as truth/<name>.npz (the mask bit-packed along its last axis)."""
    frames = folder / "clips" / name
    frames.mkdir(parents=True)
    for i, frame in enumerate(clip.frames):
        path = frames / f"{i:03d}.png"
        done, png = cv2.imencode(".png", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 3])
        if not done:
            raise OSError(f"{path}: the frame could not be encoded as PNG")
        path.write_bytes(png.tobytes())
    truth = clip.truth
    (folder / "truth").mkdir(exist_ok=True)
    np.savez_compressed(
        folder / "truth" / f"{name}.npz",
        seconds=clip.seconds,
        intensity=truth.intensity,
        action_units=truth.action_units,
        emotion_units=truth.emotion_units,
        unit_names=np.array(truth.unit_names),
        mask=np.packbits(truth.mask, axis=-1),
        mask_shape=np.array(truth.mask.shape),
        mask_threshold=np.array(MASK_THRESHOLD),
        pose=truth.pose,
    )


def read_mask(path: Path) -> np.ndarray:
    """The mask (n, H, W) bool of a truth file."""
    with np.load(path, allow_pickle=False) as values:
        return np.unpackbits(values["mask"], axis=-1, count=int(values["mask_shape"][-1])).astype(bool)


def _render_job(job: tuple[Script, int, int, Path, str]) -> None:
    script, frames, size, folder, name = job
    cv2.setNumThreads(1)
    write_clip(render_clip(script, size, render_times(frames, script.duration)), folder, name)


def render_suite(
    cfg: SuiteConfig, out: Path, frames: int = 32, fps: float = 16.0, size: int = 112, workers: int = 2, progress: bool = True
) -> Path:
    """Renders a suite into the new folder `out` and returns its manifest `out/clips.parquet`.

    The clips last frames / fps seconds. The folder appears only when it is complete.
    Raises: InputError if `out` exists, for frames or fps that are not above 0, or when the disk refuses.
    """
    out = Path(out)
    if out.exists():
        raise InputError(f"{out}: exists already; choose another folder or remove it")
    if frames < 1 or fps <= 0:
        raise InputError(f"suite {cfg.name}: frames {frames} and fps {fps} must be above 0")
    scripts = suite_scripts(replace(cfg, duration=frames / fps))
    with whole_folder(out) as work:
        names = [clip_id(cfg, i) for i in range(len(scripts))]
        render_clip(scripts[0], size, np.array([0.0]))  # compiles once, before the pool starts
        jobs = [(scripts[i], frames, size, work, names[i]) for i in by_person(scripts)]
        with pool_map(_render_job, jobs, workers) as results:
            for _ in tqdm(results, total=len(jobs), desc=f"render {cfg.name} {cfg.split}", unit="clip", disable=not progress):
                pass
        rows = [
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
                **factors(script),
            }
            for script, name in zip(scripts, names, strict=True)
        ]
        lines = [json.dumps({"clip_id": n, **s.to_dict()}, sort_keys=True) for s, n in zip(scripts, names, strict=True)]
        (work / "scripts.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        about = {
            "generator_version": GENERATOR_VERSION,
            "mask_threshold": MASK_THRESHOLD,
            "config": asdict(cfg),
            "frames": frames,
            "fps": fps,
            "size": size,
        }
        (work / "suite.json").write_text(json.dumps(about, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        write_manifest(pd.DataFrame(rows), work)
    return out / FILE_NAME

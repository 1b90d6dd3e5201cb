"""A rendered clip on disk: frames as PNG, truth as npz; both whole or not there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ifdd.documents import read_arrays
from ifdd.errors import InputError
from ifdd.io import make_once, write_whole
from ifdd.scripted.head.regions import REGIONS

if TYPE_CHECKING:  # who reads a truth needs no renderer
    from ifdd.scripted.render.clips import RenderedClip


def write_clip(clip: RenderedClip, folder: Path, name: str) -> None:
    """Frames as clips/<name>/000.png…, truth as truth/<name>.npz (masks bit-packed along their last axis).

    Both appear whole, the truth last: a clip is finished when its truth is there.
    """
    make_once(folder / "clips" / name, lambda work: _write_frames(clip.frames, work))
    write_whole(folder / "truth" / f"{name}.npz", lambda part: _write_truth(clip, part))


def write_scene(frames: np.ndarray, folder: Path, name: str) -> None:
    """Frames (n, H, W, 3) of the scene around a clip as scenes/<name>/000.png…, whole or not there."""
    make_once(folder / "scenes" / name, lambda work: _write_frames(frames, work))


def _write_frames(frames: np.ndarray, folder: Path) -> None:
    for i, frame in enumerate(frames):
        file = folder / f"{i:03d}.png"
        done, png = cv2.imencode(".png", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 3])
        if not done:
            raise OSError(f"{file}: the frame could not be encoded as PNG")
        file.write_bytes(png.tobytes())


def _write_truth(clip: RenderedClip, file: Path) -> None:
    with file.open("wb") as stream:
        np.savez_compressed(stream, **_truth_arrays(clip))  # type: ignore[arg-type]


def _truth_arrays(clip: RenderedClip) -> dict[str, np.ndarray]:
    from ifdd.scripted.render.clips import MASK_THRESHOLD

    truth = clip.truth
    arrays = {
        "seconds": clip.seconds,
        "intensity": truth.intensity,
        "action_units": truth.action_units,
        "emotion_units": truth.emotion_units,
        "unit_names": np.array(truth.unit_names),
        "mask": np.packbits(truth.mask, axis=-1),
        "mask_shape": np.array(truth.mask.shape),
        "mask_threshold": np.array(MASK_THRESHOLD),
        "pose": truth.pose,
        "emotion_motion": truth.emotion_motion,
        "nuisance": truth.nuisance,
        "nuisance_energy": truth.nuisance_energy,
        "nuisance_names": np.array(truth.nuisance_names),
        "irrelevant_share": np.array(truth.irrelevant_share),
        "scene": np.array(truth.scene),
    }
    if len(truth.nuisance_mask):
        arrays["nuisance_mask"] = np.packbits(truth.nuisance_mask, axis=-1)
    if len(truth.regions):
        arrays |= {"regions": truth.regions, "region_names": np.array(REGIONS)}
    return arrays


_DIMENSIONS = {"intensity": 1, "mask_shape": 1, "mask": 3, "nuisance_mask": 3, "regions": 3}


def read_truth(path: Path, *names: str, renew: str = "render the suite again") -> list[np.ndarray]:
    """Arrays of a truth file by name.

    Raises: InputError for a file that is missing, damaged, lacks one of them, or holds something else under that name.
    """
    found = read_arrays(path, *names, renew=renew)
    for name, values in zip(names, found, strict=True):
        known = _DIMENSIONS[name]
        fits = values.ndim == known and values.size and (known < 3 or values.dtype == np.uint8)
        if not fits or not np.isfinite(values).all():
            raise InputError(f"{path}: {name} holds {values.dtype} of shape {values.shape}, which is no truth of a clip; {renew}")
        if name == "mask_shape" and (values.dtype.kind not in "iu" or not 0 < values[-1] <= 2**14):
            raise InputError(f"{path}: mask_shape is {values.tolist()[:3]}, which is no shape; {renew}")
    return found


def read_mask(path: Path, name: str = "mask") -> np.ndarray:
    """A mask (n, H, W) bool of a truth file: `mask` of the emotion, or `nuisance_mask`.

    Raises: InputError if the file holds no such mask.
    """
    bits, shape = read_truth(path, name, "mask_shape", renew="render the suite with its full truth")
    return np.unpackbits(bits, axis=-1, count=int(shape[-1])).astype(bool)


def read_regions(path: Path) -> np.ndarray:
    """The region map (n, H, W) uint8 of a truth file: index into `REGIONS`.

    Raises: InputError if the file holds none.
    """
    return read_truth(path, "regions", renew="render the suite with its full truth, on a face with regions")[0]

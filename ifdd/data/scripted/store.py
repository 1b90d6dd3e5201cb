"""A rendered clip on disk: frames as PNG, truth as npz; both whole or not there."""

import shutil
import tempfile
from pathlib import Path

import cv2
import numpy as np

from ifdd.data.scripted.clips import MASK_THRESHOLD, RenderedClip
from ifdd.data.scripted.regions import REGIONS
from ifdd.errors import InputError


def write_clip(clip: RenderedClip, folder: Path, name: str) -> None:
    """Frames as clips/<name>/000.png…, truth as truth/<name>.npz (masks bit-packed along their last axis).

    Both appear whole, the truth last: a clip is finished when its truth is there.
    """
    frames = folder / "clips" / name
    truth_file = folder / "truth" / f"{name}.npz"
    for parent in (frames.parent, truth_file.parent):
        parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder))
    try:
        pictures = work / "frames"
        pictures.mkdir()
        for i, frame in enumerate(clip.frames):
            done, png = cv2.imencode(".png", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 3])
            if not done:
                raise OSError(f"{frames / f'{i:03d}.png'}: the frame could not be encoded as PNG")
            (pictures / f"{i:03d}.png").write_bytes(png.tobytes())
        np.savez_compressed(work / "truth.npz", **_truth_arrays(clip))  # type: ignore[arg-type]
        shutil.rmtree(frames, ignore_errors=True)  # of a clip that was interrupted between its two parts
        pictures.rename(frames)
        (work / "truth.npz").replace(truth_file)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _truth_arrays(clip: RenderedClip) -> dict[str, np.ndarray]:
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


def read_mask(path: Path, name: str = "mask") -> np.ndarray:
    """A mask (n, H, W) bool of a truth file: `mask` of the emotion, or `nuisance_mask`.

    Raises: InputError if the file holds no such mask.
    """
    with np.load(path, allow_pickle=False) as values:
        if name not in values:
            raise InputError(f"{path}: holds no {name}; render the suite with its full truth")
        return np.unpackbits(values[name], axis=-1, count=int(values["mask_shape"][-1])).astype(bool)


def read_regions(path: Path) -> np.ndarray:
    """The region map (n, H, W) uint8 of a truth file: index into `REGIONS`.

    Raises: InputError if the file holds none.
    """
    with np.load(path, allow_pickle=False) as values:
        if "regions" not in values:
            raise InputError(f"{path}: holds no regions; render the suite with its full truth, on a face with regions")
        return values["regions"]

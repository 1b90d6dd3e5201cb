"""Ground truth of scripted clips, on the clocks that analyses use; and what is known of the faces of others."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from ifdd.data.clips import Clip, frames_shown
from ifdd.data.cropping.tracks import read_track
from ifdd.data.faces.boxes import in_crops
from ifdd.errors import InputError
from ifdd.scripted.render.store import read_truth

FINE = 4
"""Values of the true intensity for each feature frame."""


def has_truth(clips: pd.DataFrame) -> bool:
    """Whether every clip of a manifest names a truth file."""
    return "truth" in clips and bool(clips["truth"].notna().all())


def true_intensity(clips: pd.DataFrame, steps: int) -> np.ndarray:
    """Intensity (n, 4·T') of the emotion, at the centres of equal segments of each clip.

    Raises: InputError for a truth file that is missing or damaged.
    """
    centres = (np.arange(FINE * steps) + 0.5) / (FINE * steps)
    rows = []
    for name in clips["truth"]:
        (values,) = _read(clips, name, "intensity")
        rows.append(np.interp(centres, (np.arange(len(values)) + 0.5) / len(values), values))
    return np.stack(rows)


def true_masks(clips: pd.DataFrame, frames: int, size: tuple[int, int]) -> np.ndarray:
    """Pixels (n, T, H, W) that the emotion moves, in the frames that a model of `frames` frames sees of each clip.

    Raises: InputError for a truth file that is missing or damaged.
    """
    out = np.empty((len(clips), frames, *size), bool)
    for i, name in enumerate(clips["truth"]):
        packed, shape = _read(clips, name, "mask", "mask_shape")
        mask = np.unpackbits(packed, axis=-1, count=int(shape[-1]))
        seconds = np.arange(len(mask)) / len(mask)
        for t, frame in enumerate(frames_shown(seconds, 0.0, 1.0, frames)):
            out[i, t] = cv2.resize(mask[frame], size[::-1], interpolation=cv2.INTER_NEAREST)
    return out


def has_regions(clips: pd.DataFrame) -> bool:
    """Whether the truth of the clips says which part of the face each pixel shows (suites rendered with their full truth)."""
    if not has_truth(clips) or not len(clips):
        return False
    try:
        return _read(clips, clips["truth"].iloc[0], "regions")[0].size > 0
    except InputError:
        return False  # reading the masks says what is wrong


def true_regions(clips: pd.DataFrame, frames: int, size: tuple[int, int]) -> np.ndarray:
    """What each pixel shows (n, T, H, W), indexes into `REGIONS`, in the frames that a model of `frames` frames sees.

    Raises: InputError for a truth file that is missing, damaged or without regions.
    """
    out = np.empty((len(clips), frames, *size), np.uint8)
    for i, name in enumerate(clips["truth"]):
        (regions,) = _read(clips, name, "regions")
        seconds = np.arange(len(regions)) / len(regions)
        for t, frame in enumerate(frames_shown(seconds, 0.0, 1.0, frames)):
            out[i, t] = cv2.resize(regions[frame], size[::-1], interpolation=cv2.INTER_NEAREST)
    return out


def _read(clips: pd.DataFrame, name: str, *arrays: str) -> list[np.ndarray]:
    return read_truth(Path(clips.attrs["root"]) / name, *arrays)


def known_landmarks(clips: pd.DataFrame, row: dict[Any, Any], clip: Clip) -> np.ndarray | None:
    """Landmarks (T, 5, 2) of a clip of a manifest in its pixels: of its own detector, else of the track that its row names.

    Raises: InputError for a track that is missing or damaged, or is of another clip.
    """
    name = row.get("landmarks")
    if clip.landmarks is not None or not isinstance(name, str):
        return clip.landmarks
    file = Path(clips.attrs["root"]) / name
    track = read_track(file)
    if int(clip.video_index.max()) >= len(track.seconds):
        raise InputError(
            f"{file}: has {len(track.seconds)} frames, {row['path']} more; crop the clip again with `ifdd data crop`"
        )
    if not track.has_landmarks:
        return None
    return in_crops(track.crop_landmarks[clip.video_index], clip.boxes, clip.pixels.shape[1:3])

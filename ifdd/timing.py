"""Clip frames and feature frames: the one place that knows how they map.

As released, T = 8 keeps 8 feature frames (stem stride 1), 16 gives 8 (stride 2), 32 gives 8 (stride 2, then pairs averaged);
any other T gives T / 2. Source: the released stem (CyberPegasus/IFDD, core/model/embedNet.py).
"""

from typing import TYPE_CHECKING, TypeVar

from ifdd.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

Positions = TypeVar("Positions", "float", "Tensor", "np.ndarray")


def feature_frames(frames: int) -> int:
    """Return T', the number of feature frames of a clip of `frames` frames.

    Raises: InputError if T' would not be even and at least 2.
    """
    count = {8: 8, 16: 8, 32: 8}.get(frames, frames // 2)
    if count < 2 or count % 2 or (frames not in (8, 16, 32) and frames % 2):
        raise InputError(f"frames={frames} gives {count} feature frames, which must be even; use 8, 16, 32 or a multiple of 4")
    return count


def stem_stride(frames: int) -> int:
    """Temporal stride of the stem: 1 for 8 frames, else 2."""
    return 1 if frames == 8 else 2


def averages_pairs(frames: int) -> bool:
    """Whether pairs of frames are averaged after the stem: only for 32 frames."""
    return frames == 32


def to_clip_frames(position: Positions, frames: int) -> Positions:
    """Map feature-frame positions (any shape) to clip frames: the centre of what a feature frame sees."""
    scale, shift = _centres(frames)
    return position * scale + shift


def to_feature_frames(position: Positions, frames: int) -> Positions:
    """Inverse of `to_clip_frames`."""
    scale, shift = _centres(frames)
    return (position - shift) / scale


def repeat_to_clip_frames(maps: "Tensor", frames: int) -> "Tensor":
    """Repeat (B, T', …) along time to (B, T, …): each clip frame takes the value of the feature frame that holds it."""
    import torch

    steps = maps.shape[1]
    index = torch.arange(frames, device=maps.device) * steps // frames
    return maps.index_select(1, index)


def _centres(frames: int) -> tuple[float, float]:
    if frames == 8:
        return 1.0, 0.0
    if frames == 32:
        return 4.0, 1.0
    return 2.0, 0.0

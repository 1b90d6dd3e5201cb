"""Clips as models take them: one tensor, or a tensor for each input by the input's name."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

Clips = Tensor | Mapping[str, Tensor]
"""Clips (B, 3, T, H, W) of each input by its name; of a model with one input also the tensor alone."""


def each(clips: Clips, change: Callable[[Tensor], Tensor]) -> Clips:
    """The same clips with every input's tensor changed.

    >>> each({"face": torch.zeros(2), "scene": torch.ones(2)}, lambda part: part[:1])
    {'face': tensor([0.]), 'scene': tensor([1.])}
    """
    return {name: change(part) for name, part in clips.items()} if isinstance(clips, Mapping) else change(clips)


def rows_of(clips: Clips, rows: slice) -> Clips:
    """Some of the clips."""
    return each(clips, lambda part: part[rows])


def of_input(clips: Clips, name: str | None) -> Tensor:
    """The tensor of one input; without a name, or of one tensor alone, the first."""
    if not isinstance(clips, Mapping):
        return clips
    return clips[name] if name is not None else next(iter(clips.values()))


def stack(clips: Sequence[Clips]) -> Clips:
    """Clips without a batch axis, each a tensor or one by input, as one batch."""
    if isinstance(clips[0], Mapping):
        return {name: torch.stack([of_input(clip, name) for clip in clips]) for name in clips[0]}
    return torch.stack([of_input(clip, None) for clip in clips])


def batch_of(clip: Clips, device: str | torch.device) -> Clips:
    """A clip without a batch axis, a tensor or one by input, as a batch of one on a device."""
    return each(clip, lambda part: part[None].to(device))


def to_pixels(clip: Clips) -> np.ndarray | dict[str, np.ndarray]:
    """A clip (3, T, H, W) in [0, 1], without a batch axis → its pixels (T, H, W, 3) uint8, of several inputs by their names."""
    if isinstance(clip, Mapping):
        return {name: _to_pixels(part) for name, part in clip.items()}
    return _to_pixels(clip)


def _to_pixels(clip: Tensor) -> np.ndarray:
    return (clip.permute(1, 2, 3, 0) * 255).round().to(torch.uint8).cpu().numpy()


def to_clips(pixels: Tensor) -> Tensor:
    """Pixels (B, T, H, W, 3) uint8 → clips (B, 3, T, H, W) float in [0, 1]."""
    return pixels.permute(0, 4, 1, 2, 3).float().div_(255)

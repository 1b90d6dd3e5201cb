"""A set of clips as memory-mapped pixels, with what is known of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from ifdd.errors import InputError
from ifdd.inputs import Clips

Pixels = np.ndarray | dict[str, np.ndarray]
"""Of one input, or by input's name."""


@dataclass(frozen=True, eq=False)
class ClipSet:
    """n clips. `pixels` (n, T, H, W, 3) uint8, memory-mapped; `target` (n,) class indexes; `about` says where they come from.

    `order` (n, T): the frames as they are shown, None for all in turn. `intensity` (n, T): the emotion's true intensity where it
    is known; `places` (n, 2, K): feature frames that S and D are told to read, None where the model chooses. `files` (n,): real
    paths of the clips, none where they are rendered. `notes` tell what a reader of a number has to know of the clips. Of a model
    with several inputs `pixels` are of the one called `input`, and `more` of the others by name, of as many frames.
    """

    pixels: np.ndarray
    target: np.ndarray
    clip_ids: tuple[str, ...]
    subjects: tuple[str, ...]
    folds: tuple[int, ...]
    about: dict[str, Any] = field(default_factory=dict)
    order: np.ndarray | None = None
    intensity: np.ndarray | None = None
    places: np.ndarray | None = None
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    input: str = "clip"
    more: Mapping[str, np.ndarray] = field(default_factory=dict)

    def read(self, index: Sequence[int]) -> Pixels:
        """Pixels (len(index), T, H, W, 3) of some clips, in memory; of several inputs by their names."""
        if not self.more:
            return self._shown(self.pixels, index)
        return {name: self._shown(pixels, index) for name, pixels in ({self.input: self.pixels} | dict(self.more)).items()}

    def _shown(self, pixels: np.ndarray, index: Sequence[int]) -> np.ndarray:
        if self.order is None:
            return pixels[index]
        return np.take_along_axis(pixels[index], self.order[index][..., None, None, None], 1)

    def __len__(self) -> int:
        return len(self.target)


def as_tensors(pixels: Pixels) -> Clips:
    """The same as tensors, by input where they are."""
    return (
        {name: torch.from_numpy(part) for name, part in pixels.items()} if isinstance(pixels, dict) else torch.from_numpy(pixels)
    )


def joined(sets: Mapping[str, ClipSet]) -> ClipSet:
    """One set of the same clips as several inputs see them, by input's name.

    Raises: InputError for other clips, e.g. where one input of a clip could be read and another one not; other numbers of frames.
    """
    (name, first), *others = sets.items()
    for other, clips in others:
        if clips.clip_ids != first.clip_ids:
            odd = min(set(clips.clip_ids) ^ set(first.clip_ids), default=first.clip_ids[0])
            raise InputError(f"{odd} can be read as one of {name} and {other} alone; leave it out of the list")
        if clips.pixels.shape[1] != first.pixels.shape[1]:
            frames = first.pixels.shape[1], clips.pixels.shape[1]
            raise InputError(
                f"{name} has {frames[0]} frames, {other} {frames[1]}; inputs of one clip are trained at the same frames"
            )
    return replace(first, input=name, more={other: clips.pixels for other, clips in others}) if others else first

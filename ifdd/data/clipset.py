"""A set of clips, their pixels memory-mapped or read when they are asked for, with what is known of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import torch

from ifdd.data.sampling import CENTRES, Take
from ifdd.errors import InputError
from ifdd.inputs import Clips

Pixels = np.ndarray | dict[str, np.ndarray]
"""Of one input, or by input's name."""


class PixelSource(Protocol):
    """What stands for pixels (n, T, H, W, 3) that are read from files when they are asked for (`streamed.StreamedPixels`)."""

    @property
    def told(self) -> dict[int, tuple[str, ...]]:
        """What was warned of clips that were read, by their index; whoever has taken it down empties it."""

    @property
    def paths(self) -> tuple[str, ...]:
        """Where the clips lie (n,)."""

    @property
    def numbers(self) -> np.ndarray:
        """(n,) what names a clip where something is drawn for it."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, T, H, W, 3)."""

    def __getitem__(self, index: Sequence[int]) -> np.ndarray: ...

    def taken(self, index: Sequence[int], take: Take) -> np.ndarray:
        """Pixels of some clips, in the frames that `take` asks for."""

    def chosen(self, rows: np.ndarray) -> "PixelSource":
        """Some of the clips."""


@dataclass(frozen=True, eq=False)
class ClipSet:
    """n clips. `pixels` (n, T, H, W, 3) uint8, memory-mapped; `target` (n,) class indexes; `about` says where they come from.

    `order` (n, T): the frames as they are shown, None for all in turn. `intensity` (n, T): the emotion's true intensity where it
    is known; `places` (n, 2, K): feature frames that S and D are told to read, None where the model chooses. `files` (n,): real
    paths of the clips, none where they are rendered. `notes` tell what a reader of a number has to know of the clips. Of a model
    with several inputs `pixels` are of the one called `input`, and `more` of the others by name, of as many frames.
    """

    pixels: np.ndarray | PixelSource
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
    more: Mapping[str, np.ndarray | PixelSource] = field(default_factory=dict)

    @property
    def streamed(self) -> bool:
        """Whether clips are read from their files when they are asked for; a clip that cannot be read is found only then."""
        return not isinstance(self.pixels, np.ndarray)

    def read(self, index: Sequence[int], take: Take = CENTRES) -> Pixels:
        """Pixels (len(index), T, H, W, 3) of some clips, in memory; of several inputs by their names.

        `take` tells the frames of clips that are streamed; of the others there is one choice.
        """
        if not self.more:
            return self._shown(self.pixels, index, take)
        return {name: self._shown(pixels, index, take) for name, pixels in ({self.input: self.pixels} | dict(self.more)).items()}

    def _shown(self, pixels: np.ndarray | PixelSource, index: Sequence[int], take: Take) -> np.ndarray:
        found = pixels[index] if isinstance(pixels, np.ndarray) else pixels.taken(index, take)
        if self.order is None:
            return found
        return np.take_along_axis(found, self.order[index][..., None, None, None], 1)

    def chosen(self, rows: np.ndarray) -> "ClipSet":
        """Some of the clips, by their indexes; `about` and `notes` stay those of all."""

        def part(values: Any) -> Any:
            return None if values is None else values[rows] if isinstance(values, np.ndarray) else values.chosen(rows)

        def named(values: tuple[Any, ...]) -> tuple[Any, ...]:
            return tuple(values[i] for i in rows) if values else ()

        return replace(
            self,
            pixels=part(self.pixels),
            target=self.target[rows],
            clip_ids=named(self.clip_ids),
            subjects=named(self.subjects),
            folds=named(self.folds),
            order=part(self.order),
            intensity=part(self.intensity),
            places=part(self.places),
            files=named(self.files),
            more={name: part(pixels) for name, pixels in self.more.items()},
        )

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

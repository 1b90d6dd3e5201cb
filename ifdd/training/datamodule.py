"""Batches of clips for Lightning: gathered from memory-mapped pixels, changed at random after the transfer."""

from collections.abc import Iterable, Iterator

import lightning as L
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from ifdd.data.clipset import ClipSet, as_tensors
from ifdd.inputs import Clips, each, to_clips
from ifdd.models.base import VideoModel
from ifdd.training.augment import InputAugment, Mix
from ifdd.training.backbone_cache import Stages, as_stages, read_stages
from ifdd.training.controls import as_tensor
from ifdd.training.recipe import Recipe

Batch = tuple[Clips | tuple[Tensor, ...], Tensor, Tensor | None]
"""Clips (B, 3, T, H, W), of several inputs by name, or the stages of a frozen backbone; classes (B,) or probabilities (B,
classes); places (B, 2, K) if a split is told them."""


class PixelDataset(Dataset[Batch]):
    """Whole batches of pixels (B, T, H, W, 3) uint8 with classes (B,) and places; an index is a list of clips."""

    def __init__(self, clips: ClipSet) -> None:
        self.clips = clips

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: list[int]) -> Batch:
        places = as_tensor(self.clips.places, index)
        return as_tensors(self.clips.read(index)), torch.from_numpy(self.clips.target[index]), places


class StageDataset(Dataset[Batch]):
    """Whole batches of the stages of a frozen backbone, each clip mirrored with probability `flip`."""

    def __init__(self, clips: ClipSet, plain: Stages, mirrored: Stages | None = None, flip: float = 0.0) -> None:
        self.clips, self.plain, self.mirrored, self.flip = clips, plain, mirrored, flip

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: list[int]) -> Batch:
        stages = as_stages(self.plain, index)
        if self.mirrored is not None:
            chosen = torch.rand(len(index)) < self.flip
            other = as_stages(self.mirrored, index)
            stages = tuple(
                torch.where(chosen.view(-1, 1, 1, 1, 1), b, a) if a.numel() else a for a, b in zip(stages, other, strict=True)
            )
        return stages, torch.from_numpy(self.clips.target[index]), as_tensor(self.clips.places, index)


class EpochBatches(Sampler[list[int]]):
    """Batches of a permutation that depends on seed and epoch alone, so that a resumed run sees the same ones.

    The last, smaller batch of an epoch is left out where there are others.
    """

    def __init__(self, count: int, batch: int, seed: int) -> None:
        self.count, self.batch, self.seed = count, min(batch, count), seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the permutation; Lightning calls this before every epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.count // self.batch

    def __iter__(self) -> Iterator[list[int]]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self.count)
        for i in range(len(self)):
            yield order[i * self.batch : (i + 1) * self.batch].tolist()


class ClipDataModule(L.LightningDataModule):
    """Training and validation batches of a recipe.

    Batches are read by the main process: the pixels are memory-mapped, and a worker would take a core from the model. With
    `frozen`, a model whose backbone does not change, they are its stages.
    """

    def __init__(self, recipe: Recipe, train: ClipSet, val: ClipSet, frozen: VideoModel | None = None) -> None:
        super().__init__()
        self.train: Dataset[Batch] = PixelDataset(train)
        self.val: Dataset[Batch] = PixelDataset(val)
        self.count = len(val)
        if frozen is not None:
            cache, flip = recipe.data.cache, recipe.augment.flip
            mirrored = read_stages(frozen, train, cache, mirrored=True, title="train, mirrored") if flip else None
            self.train = StageDataset(train, read_stages(frozen, train, cache, title="train"), mirrored, flip)
            self.val = StageDataset(val, read_stages(frozen, val, cache, title="val"))
        self.batches = EpochBatches(len(train), recipe.optim.batch, recipe.seed)
        self.batch = recipe.optim.batch
        self.augment = InputAugment(recipe.augment, {name: shape[2:] for name, shape in recipe.model.inputs.items()})
        self.mix = Mix(recipe.augment, recipe.model.num_classes)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Shuffled, whole batches."""
        return _loader(self.train, self.batches)

    def val_dataloader(self) -> DataLoader[Batch]:
        """All clips in order."""
        return _loader(self.val, ordered_batches(self.count, self.batch))

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Pixels → clips; in training changed and mixed."""
        pixels, target, places = batch
        if isinstance(pixels, tuple | list):
            return batch
        if self.trainer is None or not self.trainer.training:
            return each(pixels, to_clips), target, places
        return *self.mix(each(self.augment(pixels), to_clips), target), places


def ordered_batches(count: int, batch: int) -> list[list[int]]:
    """All indexes below `count` in order, in batches."""
    return [list(range(i, min(i + batch, count))) for i in range(0, count, batch)]


def _loader(clips: Dataset[Batch], batches: Iterable[list[int]]) -> DataLoader[Batch]:
    # a generator of its own: else every new iterator draws from the global one, and a resumed run makes one fewer
    return DataLoader(clips, sampler=batches, batch_size=None, generator=torch.Generator())

"""Batches of clips for Lightning: gathered from memory-mapped pixels, changed at random after the transfer."""

from collections.abc import Iterable, Iterator

import lightning as L
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from ifdd.training.augment import ClipAugment, Mix, to_clips
from ifdd.training.clipsets import ClipSet
from ifdd.training.recipe import Recipe

Batch = tuple[Tensor, Tensor]
"""Training: clips (B, 3, T, H, W) and classes (B,) or probabilities (B, classes)."""


class PixelDataset(Dataset[Batch]):
    """Whole batches of pixels (B, T, H, W, 3) uint8 with their classes (B,); an index is a list of clips."""

    def __init__(self, clips: ClipSet) -> None:
        self.clips = clips

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: list[int]) -> Batch:
        return torch.from_numpy(self.clips.read(index)), torch.from_numpy(self.clips.target[index])


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

    Batches are read by the main process: the pixels are memory-mapped, and a worker would take a core from the model.
    """

    def __init__(self, recipe: Recipe, train: ClipSet, val: ClipSet) -> None:
        super().__init__()
        self.train, self.val = train, val
        self.batches = EpochBatches(len(train), recipe.optim.batch, recipe.seed)
        self.batch = recipe.optim.batch
        self.augment = ClipAugment(recipe.augment, recipe.model.size)
        self.mix = Mix(recipe.augment, recipe.model.num_classes)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Shuffled, whole batches."""
        return _loader(self.train, self.batches)

    def val_dataloader(self) -> DataLoader[Batch]:
        """All clips in order."""
        return _loader(self.val, ordered_batches(len(self.val), self.batch))

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Pixels → clips; in training changed and mixed."""
        pixels, target = batch
        if self.trainer is None or not self.trainer.training:
            return to_clips(pixels), target
        return self.mix(to_clips(self.augment(pixels)), target)


def ordered_batches(count: int, batch: int) -> list[list[int]]:
    """All indexes below `count` in order, in batches."""
    return [list(range(i, min(i + batch, count))) for i in range(0, count, batch)]


def _loader(clips: ClipSet, batches: Iterable[list[int]]) -> DataLoader[Batch]:
    # a generator of its own: else every new iterator draws from the global one, and a resumed run makes one fewer
    return DataLoader(PixelDataset(clips), sampler=batches, batch_size=None, generator=torch.Generator())

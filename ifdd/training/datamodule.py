"""Batches of clips for Lightning, changed at random after the transfer."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import lightning as L
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from ifdd.data.clipset import ClipSet
from ifdd.data.sampling import CENTRES, Take
from ifdd.inputs import Clips, each, to_clips
from ifdd.models.base import VideoModel
from ifdd.training.augment import InputAugment, Mix, seeded
from ifdd.training.backbone_cache import Stages, as_stages, read_stages
from ifdd.training.clipsets import WAY_OUT
from ifdd.training.controls import as_tensor
from ifdd.training.loading import Batches, ClipDataset, Ledger, Loaded, Request, chosen_workers, read_batch
from ifdd.training.order import EpochBatches, ordered_batches, part_of
from ifdd.training.ranks import ALONE, Ranks, gathered
from ifdd.training.recipe import Recipe, ScriptedData

Batch = tuple[Clips | tuple[Tensor, ...], Tensor, Tensor | None]
"""Clips (B, 3, T, H, W), of several inputs by name, or the stages of a frozen backbone; classes (B,) or probabilities (B,
classes); places (B, 2, K) if a split is told them."""
CHANGES, MIXES = 313, 331
"""Tell the draws of augmentation and mixing from others of the same seed."""


class StageDataset(Dataset[Batch]):
    """Whole batches of the stages of a frozen backbone, each clip mirrored with probability `flip`."""

    def __init__(self, clips: ClipSet, plain: Stages, mirrored: Stages | None = None, flip: float = 0.0) -> None:
        self.clips, self.plain, self.mirrored, self.flip = clips, plain, mirrored, flip

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, request: Request) -> Batch:
        index = request.clips
        stages = as_stages(self.plain, index)
        if self.mirrored is not None:
            chosen = torch.rand(len(index)) < self.flip
            other = as_stages(self.mirrored, index)
            stages = tuple(
                torch.where(chosen.view(-1, *[1] * (a.dim() - 1)), b, a) if a.numel() else a
                for a, b in zip(stages, other, strict=True)
            )
        return stages, torch.from_numpy(self.clips.target[index]), as_tensor(self.clips.places, index)


class ClipDataModule(L.LightningDataModule):
    """Training and validation batches of a recipe, of which each process reads its part.

    Clips in memory-mapped arrays are read by the process that trains: a worker would take a core from the model. Streamed ones
    are read by workers. With `frozen`, a model whose backbone does not change, batches are its stages. `ledgers` tell of each
    split what could not be read.
    """

    def __init__(
        self,
        recipe: Recipe,
        train: ClipSet,
        val: ClipSet,
        frozen: VideoModel | None = None,
        *,
        ranks: Ranks = ALONE,
        device: str = "cpu",
    ) -> None:
        super().__init__()
        self.clips, self.ranks, self.seed = train, ranks, recipe.seed
        self.train: Dataset[Any] = ClipDataset(train, replace=True)
        self.val: Dataset[Any] = ClipDataset(val)
        self.count = len(val)
        if frozen is not None:
            cache, flip = recipe.data.cache, recipe.augment.flip
            mirrored = read_stages(frozen, train, cache, mirrored=True, title="train, mirrored") if flip else None
            self.train = StageDataset(train, read_stages(frozen, train, cache, title="train"), mirrored, flip)
            self.val = StageDataset(val, read_stages(frozen, val, cache, title="val"))
        balance = "none" if isinstance(recipe.data, ScriptedData) else recipe.data.balance
        optim = recipe.optim
        self.batches = EpochBatches(train.target, optim.batch, recipe.seed, balance=balance, accumulate=optim.accumulate)
        self.batch = optim.batch
        self.augment = InputAugment(recipe.augment, {name: shape[2:] for name, shape in recipe.model.inputs.items()})
        self.mix = Mix(recipe.augment, recipe.model.num_classes)
        streams = train.streamed and frozen is None
        asked = None if isinstance(recipe.data, ScriptedData) else recipe.data.workers
        self.workers = chosen_workers(asked, device, ranks.per_node) if streams else 0
        self.pin = streams and device == "cuda"
        on_error = "stop" if isinstance(recipe.data, ScriptedData) else recipe.data.on_error
        self.ledgers = {name: Ledger(len(clips), name, on_error, WAY_OUT) for name, clips in (("train", train), ("val", val))}

    def train_dataloader(self) -> Batches:
        """Shuffled, whole batches; those that a run has left behind it are not read again."""
        found = Batches(self.train, self._train_requests, len(self.batches), self.workers, self.pin)
        found.sampler = self.batches  # whose `set_epoch` Lightning calls
        return found

    def val_dataloader(self) -> Batches:
        """All clips in order, of which a process reads every so many batches."""
        requests = [Request(index, [CENTRES] * len(index)) for index in ordered_batches(self.count, self.batch)]
        mine = requests[self.ranks.rank :: self.ranks.count]
        return Batches(self.val, lambda: mine, len(mine), self.workers, self.pin)

    def _train_requests(self) -> Iterator[Request]:
        begin = self.trainer.fit_loop.epoch_loop.batch_progress.current.ready if self.trainer is not None else 0
        epoch, seen = self.batches.epoch, Counter[int]()
        for step, batch in enumerate(self.batches):
            takes = []
            for i in batch:
                takes.append(Take(epoch, seen[i]))
                seen[i] += 1
            if step < begin:
                continue
            low, high = part_of(batch, self.ranks.rank, self.ranks.count)
            rows = list(range(low, high))
            if self._shares_a_mix:
                rows = [low - 1, *rows]  # which the first one is mixed with
            yield Request([batch[i] for i in rows], [takes[i] for i in rows], step)

    @property
    def _shares_a_mix(self) -> bool:
        return self.ranks.count > 1 and self.mix.active and isinstance(self.train, ClipDataset)

    def on_before_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Take down what could not be read. Raises: InputError as `Ledger.note`."""
        if isinstance(batch, Loaded):
            training = self.trainer is not None and self.trainer.training
            self.ledgers["train" if training else "val"].note(batch.bad, batch.told)
            return batch._replace(bad={}, told={})
        return batch

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """Move what is computed with; not what tells of it."""
        if not isinstance(batch, Loaded):
            return super().transfer_batch_to_device(batch, device, dataloader_idx)
        moved = super().transfer_batch_to_device([batch.pixels, batch.target, batch.places], device, dataloader_idx)
        return batch._replace(pixels=moved[0], target=moved[1], places=moved[2])

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Batch:
        """Pixels → clips; in training changed and mixed."""
        if not isinstance(batch, Loaded):
            return batch
        pixels, target, places = read_batch(batch, "training"), batch.target, batch.places
        if self.trainer is None or not self.trainer.training:
            return each(pixels, to_clips), target, places
        if not self.clips.streamed and self.ranks.count == 1:
            return *self.mix(each(self.augment(pixels), to_clips), target), places
        changed = self.augment.each_by(pixels, self._seeds(batch))
        with seeded(_seed(self.seed, MIXES, self.batches.epoch, batch.step)):
            clips, target = self.mix(each(changed, to_clips), target)
        if self._shares_a_mix:
            clips, target, places = each(clips, lambda part: part[1:]), target[1:], None if places is None else places[1:]
        return clips, target, places

    def _seeds(self, batch: Loaded) -> list[int]:
        source = self.clips.pixels
        numbers = batch.rows if isinstance(source, np.ndarray) else [int(source.numbers[i]) for i in batch.rows]
        return [
            _seed(self.seed, CHANGES, take.epoch or 0, number, take.turn)
            for number, take in zip(numbers, batch.takes, strict=True)
        ]

    def all_notes(self) -> tuple[str, ...]:
        """What has to be told of the training clips, of all processes: those that others were shown in place of."""
        for known in gathered(self.ranks, self.state_dict()):
            self.ledgers["train"].bad |= known["train"]["bad"]
            self.ledgers["train"].told |= {clip: tuple(words) for clip, words in known["train"]["told"].items()}
        return tuple(f"train: {note}" for note in self.ledgers["train"].notes(replaced=True))

    def state_dict(self) -> dict[str, Any]:
        """What could not be read so far."""
        return {
            name: {"bad": ledger.bad, "told": {k: list(v) for k, v in ledger.told.items()}}
            for name, ledger in self.ledgers.items()
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with what could not be read before."""
        for name, known in state_dict.items():
            told = {clip: tuple(words) for clip, words in known["told"].items()}
            self.ledgers[name] = replace(self.ledgers[name], bad=dict(known["bad"]), told=told)


def _seed(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)

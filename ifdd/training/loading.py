"""Batches of clips, read by worker processes where they are streamed, and a ledger of the clips that cannot be read."""

import gc
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ifdd.data.bad_clips import UNREADABLE, OnError, reason, settle, warnings_summary
from ifdd.data.clipset import ClipSet, Pixels, PixelSource, as_tensors
from ifdd.data.sampling import Take
from ifdd.errors import InputError
from ifdd.inputs import Clips
from ifdd.training.controls import as_tensor

MOST_WORKERS = 16
AHEAD = 2
"""Batches that a worker reads ahead."""
TRIES = 50
"""Clips of a class that are tried in place of one that cannot be read."""


class Request(NamedTuple):
    """A batch that is asked for: clips of a set, the frames of each, and the number of the batch in its epoch."""

    clips: list[int]
    takes: list[Take]
    step: int = 0


class Loaded(NamedTuple):
    """A batch as it was read: clips `rows` (B,) in the frames `takes`; why others could not be, and what was warned of."""

    pixels: Any
    target: Tensor
    places: Tensor | None
    rows: list[int]
    takes: list[Take]
    step: int
    bad: dict[str, str]
    told: dict[str, tuple[str, ...]]


class ClipDataset(Dataset[Loaded]):
    """Whole batches of pixels (B, T, H, W, 3) uint8 with classes (B,) and places.

    Of a streamed set, a clip that cannot be read is left out, or with `replace` gives way to the next one of its class in the
    list that can be, so that batches keep their size.
    """

    def __init__(self, clips: ClipSet, *, replace: bool = False) -> None:
        self.clips, self.replace = clips, replace

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, request: Request) -> Loaded:
        if not self.clips.streamed:
            return self._loaded(request, self.clips.read(request.clips), request.clips, request.takes, {})
        bad: dict[str, str] = {}
        read = [(self._one(i, take, bad), take) for i, take in zip(request.clips, request.takes, strict=True)]
        found = [(*one, take) for one, take in read if one is not None]
        return self._loaded(request, _stacked([part[1] for part in found]), [i for i, *_ in found], [t for *_, t in found], bad)

    def _one(self, i: int, take: Take, bad: dict[str, str]) -> tuple[int, Pixels] | None:
        alike = np.flatnonzero(self.clips.target == self.clips.target[i])
        after = np.roll(alike, -int(np.searchsorted(alike, i)))
        for at in after[:TRIES].tolist() if self.replace else [i]:
            try:
                return at, self.clips.read([at], take)
            except UNREADABLE as error:
                bad[self.clips.clip_ids[at]] = reason(error, Path(self._sources[0].paths[at]))
        return None

    @property
    def _sources(self) -> list[PixelSource]:
        return [source for source in (self.clips.pixels, *self.clips.more.values()) if not isinstance(source, np.ndarray)]

    def _loaded(self, request: Request, pixels: Any, rows: list[int], takes: list[Take], bad: dict[str, str]) -> Loaded:
        told: dict[str, tuple[str, ...]] = {}
        for source in self._sources:
            told |= {self.clips.clip_ids[i]: words for i, words in source.told.items()}
            source.told.clear()
        target, places = torch.from_numpy(self.clips.target[rows]), as_tensor(self.clips.places, rows)
        return Loaded(None if pixels is None else as_tensors(pixels), target, places, rows, takes, request.step, bad, told)


def _stacked(found: Sequence[Pixels]) -> Pixels | None:
    if not found:
        return None
    if isinstance(found[0], dict):
        return {name: np.concatenate([clip[name] for clip in found]) for name in found[0]}
    return np.concatenate(found)  # type: ignore[arg-type]


@dataclass
class Ledger:
    """Clips of one set that could not be read, id → reason, and what was warned of others, as batches come in."""

    total: int
    source: str
    on_error: OnError = "stop"
    way_out: str = "--on-error skip"
    bad: dict[str, str] = field(default_factory=dict)
    told: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def note(self, bad: Mapping[str, str], told: Mapping[str, Sequence[str]]) -> None:
        """Take down what a batch tells. Raises: InputError as `bad_clips.settle`: at the first clip, or at too many."""
        self.told |= {clip: tuple(words) for clip, words in told.items()}
        if new := {clip: why for clip, why in bad.items() if clip not in self.bad}:
            self.bad |= new
            settle(self.bad, self.total, self.source, self.on_error, self.way_out)

    def notes(self, *, replaced: bool = False) -> tuple[str, ...]:
        """What has to be told of the set; `replaced`: the clips were not left out, but others shown in their place."""
        found = settle(self.bad, self.total, self.source, "skip") if self.bad else ()
        if replaced:
            found = tuple(
                note.replace("clips left out, they cannot be read", "clips cannot be read, others of their classes were shown")
                for note in found
            )
        return (*found, *warnings_summary(self.told, self.total))


def chosen_workers(asked: int | None, device: str, processes: int = 1) -> int:
    """How many processes read clips for one that trains: as asked, else all cores but one, which a GPU leaves idle.

    A model on the CPU needs the cores itself: it has one worker for four of them.
    """
    if asked is not None:
        return asked
    cores = (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1) // processes
    return cores // 4 if device == "cpu" else max(1, min(cores - 1, MOST_WORKERS))


class Batches(Iterable[Loaded]):
    """Batches of a data set as `requests` asks for them, read in this process or ahead by `workers`.

    Reading begins with the first batch that is asked for: only then Lightning has told the epoch.
    """

    sampler: Any

    def __init__(
        self, dataset: Dataset[Any], requests: Callable[[], Iterable[Any]], length: int, workers: int = 0, pin: bool = False
    ) -> None:
        self.dataset, self.requests, self.length, self.workers, self.pin = dataset, requests, length, workers, pin

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[Any]:
        asked = self.requests()
        if not self.workers:
            for request in asked:
                yield self.dataset[request]
            return
        # threads of OpenCV, and of FFmpeg's scalers that wait for the garbage collector, do not survive a fork, and a worker that
        # frees them would wait for them for ever; here they can still be ended
        cv2.setNumThreads(0)
        gc.collect()
        # a generator of its own: else every new iterator draws from the global one, and a resumed run makes one fewer
        yield from DataLoader(
            self.dataset,
            sampler=list(asked),
            batch_size=None,
            num_workers=self.workers,
            prefetch_factor=AHEAD,
            pin_memory=self.pin,
            worker_init_fn=_begin_work,
            generator=torch.Generator(),
            collate_fn=_as_it_is,
        )


def _as_it_is(batch: Any) -> Any:
    return batch


def _begin_work(_number: int) -> None:
    """A worker is ended by the process that made it, whatever signal all of them get."""
    gc.freeze()  # what the other process has made is not this one's to free
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    told: list[int] = []

    def end(number: int, _frame: Any) -> None:
        if told:
            os._exit(128 + number)
        told.append(number)  # a cluster ends all processes of a job; the one that trains saves first

    signal.signal(signal.SIGTERM, end)


def read_batch(loaded: Loaded, source: object) -> Clips:
    """The pixels of a batch. Raises: InputError where none of its clips could be read."""
    if loaded.pixels is None:
        raise InputError(f"{source}: no clip of a batch can be read: {'; '.join(f'{k}: {v}' for k, v in loaded.bad.items())}")
    return loaded.pixels

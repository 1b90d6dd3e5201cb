"""Ctrl-C and SIGTERM: a training ends after its step and saves; whatever else was running ends at once."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback

AGAIN = 2.0
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(KeyboardInterrupt):
    """A training was asked to end by a signal; `code` is what the command exits with, as shells have it."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.code = 128 + number


class Stop:
    """What was asked for. Where it is `held` a signal is only noted; another one, `AGAIN` seconds later, ends the work at once.

    One Ctrl-C comes several times: from the terminal, and from the process that started this one.
    """

    def __init__(self) -> None:
        self.asked: int | None = None
        self.held = False
        self._since = 0.0

    def __call__(self, number: int, _frame: Any) -> None:
        """Answer a signal. Raises: Stopped, unless its end is to wait."""
        if self.asked is None:
            self.asked, self._since = number, time.monotonic()
        elif self.held and time.monotonic() - self._since > AGAIN:
            self.held = False
        if not self.held:
            raise Stopped(number)

    def let_go(self) -> None:
        """Hold signals no more. Raises: Stopped for one that came meanwhile."""
        self.held = False
        if self.asked is not None:
            raise Stopped(self.asked)

    def take_over(self) -> None:
        """Answer the signals, in place of whoever did; only the main thread of a process may."""
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                signal.signal(number, self)


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Answer signals within the block; afterwards they are answered as before."""
    stop = Stop()
    before = [signal.getsignal(number) for number in SIGNALS]
    stop.take_over()
    try:
        yield stop
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in zip(SIGNALS, before, strict=True):
                signal.signal(number, handler if handler is not None else signal.SIG_DFL)


class SaveAndStop(Callback):
    """End a training after the step in which a process of it was asked to: its state is saved, bit for bit.

    After the last step of an epoch validation comes first, as in an undisturbed run, and the epoch is saved as always.
    """

    def __init__(self, stop: Stop, save: Callable[[L.Trainer], None]) -> None:
        self.stop, self.save = stop, save

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Lightning answers SIGTERM itself, by an end without a word."""
        self.stop.take_over()
        self.stop.held = True

    def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
        """Save within an epoch, where gradients are not being gathered."""
        loop = trainer.fit_loop.epoch_loop
        if loop._should_accumulate() or loop._num_ready_batches_reached():
            return
        if self._asked(trainer):
            self.save(trainer)
            self._end()

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """The epoch before is saved."""
        if self._asked(trainer):
            self._end()

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """What comes now takes no steps."""
        self.stop.held = False
        if self.stop.asked is not None:
            self._end()

    def _asked(self, trainer: L.Trainer) -> bool:
        """Whether any process was asked: all of them end after the same step."""
        asked = self.stop.asked is not None
        return trainer.strategy.reduce_boolean_decision(asked, all=False) if trainer.world_size > 1 else asked

    def _end(self) -> None:
        self.stop.held = False
        raise Stopped(self.stop.asked or signal.SIGTERM)

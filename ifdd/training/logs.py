"""What a training tells while it goes on: a row for each epoch, clips a second, and the same for TensorBoard."""

import time
from pathlib import Path
from typing import Any

import lightning as L
import pandas as pd
from lightning.pytorch.callbacks import Callback, EarlyStopping, TQDMProgressBar

from ifdd.errors import InputError
from ifdd.io import write_whole
from ifdd.progress import tqdm

MEASURES, SPEED, BOARD = "metrics.csv", "speed.csv", "tensorboard"
FORGOTTEN = 0.9
"""Weight of the batches before in the clips a second that are shown."""


class EpochLog(Callback):
    """The measures of every epoch as one CSV file, which a resumed run continues: its rows are part of each checkpoint."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.rows: list[dict[str, float]] = []

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Add a row."""
        means: dict[str, float] = pl_module.epoch_means()  # type: ignore[operator]
        measures = {name: float(value) for name, value in trainer.callback_metrics.items() if name.startswith("val_")}
        rate = float(trainer.optimizers[0].param_groups[0]["lr"])
        self.rows.append({"epoch": trainer.current_epoch, "step": trainer.global_step, "lr": rate} | means | measures)
        if trainer.is_global_zero:
            write_whole(self.file, lambda part: pd.DataFrame(self.rows).to_csv(part, index=False))

    def state_dict(self) -> dict[str, Any]:
        """The rows so far."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on after these rows."""
        self.rows = list(state_dict["rows"])


class Speed(Callback):
    """Clips a second in training, of all processes, and the share of the time that was spent waiting for them; a CSV file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.rows: list[dict[str, float]] = []
        self.now: float | None = None
        """Clips a second of the last batches."""
        self._begun = self._ended = 0.0
        self._clips, self._waited = 0, 0.0

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the clock."""
        self._clips, self._waited, self._begun = 0, 0.0, time.monotonic()
        self._ended = self._begun

    def on_train_batch_start(self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int) -> None:
        """The batch is there."""
        if not self._begun:  # of a run that goes on within an epoch
            self._begun = self._ended = time.monotonic()
        self._waited += time.monotonic() - self._ended

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, idx: int) -> None:
        """The batch is done."""
        clips = len(batch[1]) * trainer.world_size
        ended, before = time.monotonic(), self._ended
        self._ended, self._clips = ended, self._clips + clips
        speed = clips / max(ended - before, 1e-9)
        self.now = speed if self.now is None else FORGOTTEN * self.now + (1 - FORGOTTEN) * speed

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Stop the clock: validation comes before the end of the training epoch."""
        seconds = self._ended - self._begun
        if trainer.sanity_checking or not self._clips:
            return
        row = {"epoch": trainer.current_epoch, "clips": self._clips, "seconds": round(seconds, 2)}
        self.rows.append(
            row | {"clips_per_second": self._clips / max(seconds, 1e-9), "waiting": self._waited / max(seconds, 1e-9)}
        )
        self._clips = 0
        if trainer.is_global_zero:
            write_whole(self.file, lambda part: pd.DataFrame(self.rows).to_csv(part, index=False, float_format="%.4g"))

    def state_dict(self) -> dict[str, Any]:
        """The rows so far."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on after these rows."""
        self.rows = list(state_dict["rows"])


class Progress(TQDMProgressBar):
    """Lightning's bar, with clips a second."""

    def __init__(self, speed: Speed) -> None:
        super().__init__(refresh_rate=5)
        self.speed = speed

    def get_metrics(self, trainer: L.Trainer, pl_module: L.LightningModule) -> dict[str, Any]:
        """What stands beside the bar."""
        shown = {key: value for key, value in super().get_metrics(trainer, pl_module).items() if key != "v_num"}
        return shown if self.speed.now is None else shown | {"clips/s": f"{self.speed.now:.3g}"}


class Epochs(Callback):
    """Tells another program how far the training is, in epochs; draws nothing."""

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Begin to tell."""
        self._bar = tqdm(total=trainer.max_epochs, initial=trainer.current_epoch, desc="train", unit="epoch", leave=False)

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, idx: int) -> None:
        """Tell that a batch is done."""
        self._bar.update(trainer.current_epoch + (idx + 1) / trainer.num_training_batches - self._bar.n)

    def teardown(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """End, also where a run is interrupted."""
        if hasattr(self, "_bar"):
            self._bar.close()


class Patience(EarlyStopping):
    """End the training after so many epochs without a better score; a run that goes on stays ended."""

    def __init__(self, monitor: str, epochs: int) -> None:
        super().__init__(monitor, mode="max", patience=epochs)

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Its last epoch may have been saved, and the test not yet done."""
        if self.wait_count >= self.patience:
            trainer.should_stop = True


class Board(Callback):
    """Loss and rate of every step, and the measures of every epoch, as TensorBoard reads them."""

    def __init__(self, folder: Path, log: EpochLog, speed: Speed) -> None:
        self.folder, self.epochs, self.speed = folder, log, speed  # Lightning gives callbacks a `log` of its own
        self.writer: Any = None

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Go on after the last step that was saved: what was logged beyond it is hidden."""
        if trainer.is_global_zero:
            self.writer = summary_writer()(str(self.folder), purge_step=trainer.global_step or None)

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, idx: int) -> None:
        """Log a step."""
        if self.writer is not None:
            self.writer.add_scalar("step/loss", float(outputs["loss"]), trainer.global_step)
            self.writer.add_scalar("step/lr", float(trainer.optimizers[0].param_groups[0]["lr"]), trainer.global_step)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Log an epoch."""
        if self.writer is None:
            return
        measures = {key: value for key, value in self.epochs.rows[-1].items() if key not in ("epoch", "step", "lr")}
        if self.speed.rows:
            measures["clips_per_second"] = self.speed.rows[-1]["clips_per_second"]
        for name, value in measures.items():
            self.writer.add_scalar(f"epoch/{name}", value, trainer.global_step)
        self.writer.flush()

    def teardown(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Close the file, also of a run that is interrupted."""
        if self.writer is not None:
            self.writer.close()
            self.writer = None


def summary_writer() -> Any:
    """The class that writes TensorBoard's files. Raises: InputError where it is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise InputError(
            "tensorboard=true needs TensorBoard, which is not there; pip install 'ifdd-workbench[tensorboard]', or leave it out"
        ) from None
    return SummaryWriter

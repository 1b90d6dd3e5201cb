"""The model in training: loss, optimiser, schedule, validation."""

import math
from collections.abc import Callable
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from ifdd import metrics
from ifdd.errors import InputError
from ifdd.models.base import Output, VideoModel
from ifdd.training.controls import oracle_split
from ifdd.training.datamodule import Batch
from ifdd.training.recipe import OptimConfig

TABLES = "position.tables"
"""Relative positions have two axes and are not decayed all the same."""


def lr_at(step: int, *, peak: float, warmup: int, total: int, final: float) -> float:
    """Learning rate of step 0 … total−1: linear to `peak` at step `warmup`, then half a cosine to `final`·peak at the end."""
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    progress = min((step - warmup) / max(total - 1 - warmup, 1), 1.0)
    return peak * (final + (1 - final) * 0.5 * (1 + math.cos(math.pi * progress)))


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Trained parameters in two groups: matrices and kernels are decayed; norms, biases, tables, tokens and pooling not."""
    decayed: list[nn.Parameter] = []
    free: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        (free if parameter.dim() < 2 or TABLES in name else decayed).append(parameter)
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": free, "weight_decay": 0.0}]


class TrainingModule(L.LightningModule):
    """A model with its loss, AdamW and the schedule of `lr_at`, step by step.

    Every epoch starts from a random state that depends on seed and epoch alone, so that a resumed run equals an
    uninterrupted one. With `frozen` the backbone stays as it is, batch statistics included.
    """

    def __init__(
        self, model: VideoModel, loss: nn.Module, optim: OptimConfig, *, steps_per_epoch: int, seed: int, frozen: bool = False
    ) -> None:
        super().__init__()
        self.frozen = frozen
        if frozen:
            model.backbone.requires_grad_(False)
        self.model = model
        self.loss = loss
        self.optim = optim
        self.seed = seed
        self.total = optim.epochs * steps_per_epoch
        self.warmup = round(optim.warmup_epochs * steps_per_epoch)
        self._confusion: Tensor

    def configure_optimizers(self) -> Any:
        """AdamW; the schedule is a factor on the peak rate."""
        optimiser = torch.optim.AdamW(
            parameter_groups(self.model, self.optim.weight_decay), lr=self.optim.lr, betas=self.optim.betas, fused=True
        )

        def factor(step: int) -> float:
            return lr_at(step, peak=1.0, warmup=self.warmup, total=self.total, final=self.optim.final)

        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, factor)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_train_start(self) -> None:
        """Begin at the schedule's rate: a checkpoint brings that of its own, which may have had fewer epochs."""
        optimiser, schedule = self.trainer.optimizers[0], self.trainer.lr_scheduler_configs[0].scheduler
        assert isinstance(schedule, torch.optim.lr_scheduler.LambdaLR)
        for group, base, factor in zip(optimiser.param_groups, schedule.base_lrs, schedule.lr_lambdas, strict=True):
            group["lr"] = base * factor(schedule.last_epoch)

    def on_train_epoch_start(self) -> None:
        """Seed what the epoch draws: augmentation, mixing, dropout."""
        torch.manual_seed(self.seed * 100_003 + self.current_epoch)
        if self.frozen:
            self.model.backbone.eval()

    def training_step(self, batch: Batch, _index: int) -> Tensor:
        """Loss of one batch.

        Raises: InputError if it is not finite.
        """
        target = batch[1]
        terms = self.loss(self._run(batch), target)
        if not torch.isfinite(terms["loss"]):
            raise InputError(f"the loss became {terms['loss'].item()} at step {self.global_step}; lower optim.lr")
        self.log_dict(
            {f"train_{name}": value for name, value in terms.items()}, on_step=False, on_epoch=True, batch_size=len(target)
        )
        self.log("loss", terms["loss"], prog_bar=True, logger=False)
        return terms["loss"]

    def _run(self, batch: Batch) -> Output:
        clips, _, places = batch
        with oracle_split(self.model, places):
            output: Output = self.model.decode(tuple(clips)) if isinstance(clips, tuple | list) else self.model(clips)
        return output

    def on_validation_epoch_start(self) -> None:
        """Start counting."""
        classes = self.model.config.num_classes
        self._confusion = torch.zeros(classes, classes, dtype=torch.long)

    def validation_step(self, batch: Batch, _index: int) -> None:
        """Count hits and misses of one batch."""
        target = batch[1]
        output = self._run(batch)
        self.log("val_loss", nn.functional.cross_entropy(output.logits.float(), target), batch_size=len(target))
        pairs = torch.stack((target, output.logits.argmax(-1))).cpu()
        self._confusion.index_put_(tuple(pairs), torch.ones(len(target), dtype=torch.long), accumulate=True)

    def on_validation_epoch_end(self) -> None:
        """WAR and UAR of the epoch."""
        confusion = self._confusion.numpy()
        self.log_dict({"val_WAR": metrics.war(confusion), "val_UAR": metrics.uar(confusion)}, prog_bar=True)


class AveragedWeights(WeightAveraging):
    """Exponential moving average of the weights after every step: validated, and kept as the result of the training.

    The decay grows with the number of steps, min(decay, (1 + n) / (10 + n)), so that the first weights are soon forgotten.
    """

    def __init__(self, decay: float) -> None:
        super().__init__(use_buffers=False, multi_avg_fn=_warming_average(decay))


def _warming_average(decay: float) -> Callable[[list[Tensor], list[Tensor], Tensor], None]:
    @torch.no_grad()
    def update(averages: list[Tensor], current: list[Tensor], count: Tensor) -> None:
        n = float(count)
        get_ema_multi_avg_fn(min(decay, (1 + n) / (10 + n)))(averages, current, count)

    return update

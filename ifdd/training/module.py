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
from ifdd.training.means import Means, Scores
from ifdd.training.random_states import is_within_epoch, random_state, set_random_state
from ifdd.training.recipe import OptimConfig

TABLES = "position.tables"
"""Relative positions have two axes and are not decayed all the same."""
MOST_OVERFLOWS = 20
"""Losses in a row that may overflow in half precision, while its scale is sought."""


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

    Every epoch starts from a random state that depends on seed and epoch alone, and one that is gone on with from the state that
    was saved, so that a resumed run equals an uninterrupted one. With `frozen` the backbone stays as it is, batch statistics
    included. Of several processes, each has a part of every batch of `whole_batch` clips.
    """

    def __init__(
        self, model: VideoModel, loss: nn.Module, optim: OptimConfig, *, steps_per_epoch: int, seed: int, frozen: bool = False
    ) -> None:
        super().__init__()
        self.frozen = frozen
        if frozen:
            model.get_submodule(model.kept_part).requires_grad_(False)
        self.model = model
        self.loss = loss
        self.optim = optim
        self.seed = seed
        self.whole_batch = optim.batch
        self.total = optim.epochs * steps_per_epoch
        self.warmup = round(optim.warmup_epochs * steps_per_epoch)
        self.means = Means()
        self.scores: dict[str, Scores] = {}
        self.may_overflow, self.overflows = False, 0
        self._state: dict[str, Any] | None = None

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

        if self._state is not None:  # within an epoch; nothing is drawn between here and its next batch
            first = self.global_rank == 0  # the sums are those of all processes: one of them goes on with them
            self.means = Means({name: sums if first else [0.0, 0.0] for name, sums in self._state["means"].items()})
            set_random_state(self._state["random"][self.global_rank % len(self._state["random"])], self.device)
            self._state = None

    def on_train_epoch_start(self) -> None:
        """Seed what the epoch draws: augmentation, mixing, dropout, by processes apart."""
        torch.manual_seed(self.seed * 100_003 + self.current_epoch + 15_485_863 * self.global_rank)
        self.means = Means()

    def on_train_batch_start(self, _batch: Any, _index: int) -> None:
        """A backbone that is kept does not gather statistics."""
        if self.frozen:
            self.model.get_submodule(self.model.kept_part).eval()

    def training_step(self, batch: Batch, _index: int) -> Tensor:
        """Loss of one batch, in one process of several of its part.

        Raises: InputError if it is not finite.
        """
        target = batch[1]
        terms = self.loss(self._run(self.model, batch), target)
        self._check_finite(terms["loss"])
        share = 1.0
        if self._trainer is not None and self.trainer.world_size > 1:
            # gradients are averaged over processes; that is the whole batch's where each one's loss has the weight of its clips
            share = len(target) * self.trainer.world_size / self.whole_batch
            for name in getattr(self.loss, "summed", ()):
                rest = terms[name] * (self.whole_batch / len(target) - 1)
                terms |= {name: terms[name] + rest, "loss": terms["loss"] + rest}
        self.means.add({f"train_{name}": value for name, value in terms.items()}, len(target))
        self.log("loss", terms["loss"], prog_bar=True, logger=False)
        return terms["loss"] if share == 1 else terms["loss"] * share

    def _check_finite(self, loss: Tensor) -> None:
        if torch.isfinite(loss):
            self.overflows = 0
            return
        self.overflows += 1  # of half precision a few are expected: the scale is lowered and the step left out
        if not self.may_overflow or self.overflows > MOST_OVERFLOWS:
            raise InputError(f"the loss became {loss.item()} at step {self.global_step}; lower optim.lr")

    def _run(self, model: VideoModel, batch: Batch) -> Output:
        clips, _, places = batch
        with oracle_split(model, places):
            output: Output = model.go_on(tuple(clips)) if isinstance(clips, tuple | list) else model(clips)
        return output

    def on_validation_epoch_start(self) -> None:
        """Start counting, for the weights as they are and for their average, if there is one."""
        classes = self.model.config.num_classes
        self.scores = {"val": Scores.none(classes)}
        if self.averaged is not None:
            self.averaged.eval()
            self.scores["val_ema"] = Scores.none(classes)

    @property
    def averaged(self) -> VideoModel | None:
        """The model with averaged weights, which `AveragedWeights` keeps."""
        found: VideoModel | None = self.__dict__.get("averaged_model")
        return found

    def validation_step(self, batch: Batch, _index: int) -> None:
        """Count hits and misses of one batch."""
        for name, scores in self.scores.items():
            model = self.model if name == "val" else self.averaged
            assert model is not None
            scores.add(self._run(model, batch).logits.float(), batch[1])

    def on_validation_epoch_end(self) -> None:
        """WAR and UAR of the epoch, over all processes."""
        for name, scores in self.scores.items():
            confusion, loss = scores.over(self._sum)
            found = {"WAR": metrics.war(confusion), "UAR": metrics.uar(confusion), "loss": loss}
            self.log_dict({f"{name}_{key}": float(value) for key, value in found.items()}, prog_bar=True)

    def epoch_means(self) -> dict[str, float]:
        """Means of the losses since the epoch began, over all clips of all processes."""
        return self.means.over(self._sum)

    def _sum(self, values: Tensor) -> Tensor:
        """Sum over processes, float64 on the CPU."""
        if self.trainer.world_size == 1:
            return values
        summed = self.trainer.strategy.reduce(values.to(self.device, copy=True), reduce_op="sum")
        assert isinstance(summed, Tensor)
        return summed.cpu()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """What is needed to go on within an epoch: random states of all processes, and the losses so far."""
        state = random_state(self.device)
        states = [state]
        if self.trainer.world_size > 1:
            states = [None] * self.trainer.world_size  # type: ignore[list-item]
            torch.distributed.all_gather_object(states, state)
        checkpoint["within_epoch"] = {"random": states, "means": self.means.summed(self._sum)}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on from there, if the checkpoint was saved within an epoch."""
        self._state = checkpoint.get("within_epoch") if is_within_epoch(checkpoint) else None


class AveragedWeights(WeightAveraging):
    """Exponential moving average of the weights after every step: validated beside them, and kept as the result of the training.

    The decay grows with the number of steps, min(decay, (1 + n) / (10 + n)), so that the first weights are soon forgotten. In a
    checkpoint `state_dict` has the averages, `current_model_state` the weights themselves.
    """

    def __init__(self, decay: float) -> None:
        super().__init__(use_buffers=False, multi_avg_fn=_warming_average(decay))

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Show the module its average; not as a part of it, which would be trained and saved."""
        super().setup(trainer, pl_module, stage)
        if self._average_model is not None:
            pl_module.__dict__["averaged_model"] = self._average_model.module.model

    def on_validation_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Nothing is swapped: the module validates both."""

    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Nothing was swapped."""


def _warming_average(decay: float) -> Callable[[list[Tensor], list[Tensor], Tensor], None]:
    @torch.no_grad()
    def update(averages: list[Tensor], current: list[Tensor], count: Tensor) -> None:
        n = float(count)
        get_ema_multi_avg_fn(min(decay, (1 + n) / (10 + n)))(averages, current, count)

    return update

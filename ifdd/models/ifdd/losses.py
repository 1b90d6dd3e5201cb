"""Cross-entropy on Y_D plus the lifting loss on Y_S (Fig. 1(d))."""

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ifdd.models.base import IFDDOutput
from ifdd.models.config import ModelConfig, PresetName
from ifdd.models.ifdd.presets import PRESETS


class LiftingLoss(nn.Module):
    """Keeps Y_S close to the clip's local average: smooth L1 of the static residual, averaged over cells.

    `static_residual` (B, H, W) = mean over channels and steps of (X averaged over pairs of frames − Y_S).
    `reduction` over the batch: the mean, or the sum as released. Source: L_Lift of Fig. 1(d); core/utils/loss.py.
    """

    def __init__(self, weight: float, reduction: Literal["mean", "sum"]) -> None:
        super().__init__()
        self.weight = weight
        self.reduce: Callable[[Tensor], Tensor] = torch.mean if reduction == "mean" else torch.sum

    def forward(self, static_residual: Tensor) -> Tensor:
        """Return the weighted loss, a scalar."""
        cells = F.smooth_l1_loss(static_residual, torch.zeros_like(static_residual), reduction="none")
        return self.weight * self.reduce(cells.mean((1, 2)))

    @classmethod
    def from_preset(cls, preset: PresetName, weight: float | None = None) -> "LiftingLoss":
        """The loss of a preset; `weight` overrides its λ."""
        chosen = PRESETS[preset]
        return cls(chosen.lifting_weight if weight is None else weight, chosen.lifting_reduction)


class IFDDLoss(nn.Module):
    """Classification plus lifting loss; a baseline has no lifting term.

    Targets: class indexes (B,) or probabilities (B, classes), as mixup makes them. `class_weights` (classes,) weigh the terms of
    the cross-entropy, whose mean is over clips, not over weights: a batch of rare classes counts for more. `summed` names the
    terms that grow with the batch.
    """

    class_weights: Tensor | None

    def __init__(self, lifting: LiftingLoss, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.lifting = lifting
        self.label_smoothing = label_smoothing
        self.summed = ("lifting",) if lifting.reduce is torch.sum else ()
        self.register_buffer("class_weights", None, persistent=False)

    def _classification(self, logits: Tensor, target: Tensor) -> Tensor:
        if self.class_weights is not None and target.dim() == 1:  # of indexes PyTorch would take the mean over weights
            target = F.one_hot(target, logits.shape[1]).to(logits.dtype)
        return F.cross_entropy(logits, target, weight=self.class_weights, label_smoothing=self.label_smoothing)

    def forward(self, output: IFDDOutput, target: Tensor) -> dict[str, Tensor]:
        """Return `loss` (their sum), `classification` and, where the model has a static branch, `lifting`."""
        terms = {"classification": self._classification(output.logits.float(), target)}
        if output.static_residual is not None:
            terms["lifting"] = self.lifting(output.static_residual.float())
        return {"loss": torch.stack(list(terms.values())).sum(), **terms}


def ifdd_loss(config: ModelConfig, loss: Any) -> IFDDLoss:
    """The loss of a model of the ifdd family, from its preset and a recipe's section `loss`."""
    return IFDDLoss(LiftingLoss.from_preset(config.preset, loss.lifting_weight), loss.label_smoothing)

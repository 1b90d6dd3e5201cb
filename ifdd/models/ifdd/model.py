"""The model family: backbone, pyramid, split, lift, head, each a part passed in."""

from typing import Any

from torch import Tensor, nn

from ifdd.models.base import DFERModel, IFDDOutput, Normalise
from ifdd.models.config import ModelConfig
from ifdd.models.ifdd.parts import LIFTS, POOLINGS, SPLITS
from ifdd.modules.backbones import BACKBONES
from ifdd.modules.head import Head, LearnedPooling
from ifdd.modules.issm import Split
from ifdd.modules.ladm import LADM, NoLift, to_tokens
from ifdd.modules.pyramid import Pyramid


class BaselineModel(DFERModel):
    """pyramid.X → mean over positions → head; no split, no lift."""

    def __init__(self, config: ModelConfig, *, normalise: nn.Module, backbone: nn.Module, pyramid: Pyramid, head: Head) -> None:
        super().__init__(config, normalise=normalise, backbone=backbone, pyramid=pyramid, head=head)
        self.branches = {"X": "pyramid.X"}

    def read(self, features: Tensor) -> IFDDOutput:
        """X (B, C, T', H, W) → output without a static residual."""
        embedding, logits = self.head(to_tokens(features))
        return IFDDOutput(logits, embedding, None)


class IFDDModel(DFERModel):
    """X → split → lift → head on Y_D."""

    def __init__(
        self,
        config: ModelConfig,
        *,
        normalise: nn.Module,
        backbone: nn.Module,
        pyramid: Pyramid,
        split: Split,
        lift: LADM | NoLift,
        head: Head,
    ) -> None:
        super().__init__(config, normalise=normalise, backbone=backbone, pyramid=pyramid, head=head)
        self.issm = split
        self.ladm = lift
        self.branches = dict(lift.branches)

    def read(self, features: Tensor) -> IFDDOutput:
        """X (B, C, T', H, W) → output."""
        static, dynamic = self.ladm(*self.issm(features))
        embedding, logits = self.head(dynamic)
        average = features.mean((1, 2))  # the mean over time of pairwise averages is the mean over time
        residual = average - static.unflatten(1, (-1, *features.shape[3:])).mean((1, 4))
        return IFDDOutput(logits, embedding, residual)


def _build(config: ModelConfig) -> DFERModel:
    spec = BACKBONES[config.backbone]
    dim, last = spec.dims[-1], spec.stage_strides[-1]
    parts: dict[str, Any] = {
        "normalise": Normalise(*spec.kinetics) if config.normalise == "kinetics" else nn.Identity(),
        "backbone": spec.build(config.frames, config.size, config.drop_path),
        "pyramid": Pyramid([spec.dims[i] for i in config.stages], [last // spec.stage_strides[i] for i in config.stages[:-1]]),
    }
    if config.split == "none":
        head = Head(dim, config.num_classes, pooling=POOLINGS[config.pooling](config, dim), dropout=config.dropout)
        return BaselineModel(config, head=head, **parts)
    positions = config.feature_frames // 2 * config.grid[0] * config.grid[1]
    learned = LearnedPooling(positions, bias=config.lift == "none")
    head = Head(dim, config.num_classes, pooling=learned, dropout=config.dropout)
    return IFDDModel(config, split=SPLITS[config.split](config, dim), lift=LIFTS[config.lift](config, dim), head=head, **parts)

"""The ifdd family: backbone, pyramid, split, lift, head, each a part passed in."""

from abc import abstractmethod
from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from ifdd.activations import Activation
from ifdd.errors import InputError
from ifdd.inputs import Clips
from ifdd.models.base import IFDDOutput, LinearPooling, Normalise, VideoModel
from ifdd.models.config import ModelConfig
from ifdd.models.ifdd.parts import LIFTS, POOLINGS, SPLITS
from ifdd.modules.backbones import BACKBONES
from ifdd.modules.head import Head, LearnedPooling
from ifdd.modules.issm import Split
from ifdd.modules.ladm import LADM, NoLift, to_tokens
from ifdd.modules.pyramid import Pyramid


class PyramidModel(VideoModel):
    """What a baseline and IFDD share: clips (B, 3, T, H, W) → four stages → X → IFDDOutput.

    Activations (S static, D dynamic; T' feature frames, K = T'/2 steps):
    `backbone.stage0…3` (B, C_i, T', H_i, W_i) · `pyramid.X` (B, C, T', H, W) · `head.embedding` (B, C) ·
    `head.logits` (B, classes); with a split also `issm.position_S/_D`, `issm.sample_S/_D` (B, K), `issm.X_S/X_D`
    (B, C, K, H, W); with ISSM `issm.Z` (B, T', d), `issm.correlation` (B, T', T'), `issm.offset_S/_D` (B, K); with LADM
    `ladm.update`, `ladm.prediction`, `ladm.Y_S`, `ladm.detail`, `ladm.Y_D` (B, K·H·W, C).
    """

    config: ModelConfig
    started_from = ("backbone", "pyramid")
    kept_part = "backbone"

    def __init__(self, config: ModelConfig, *, normalise: nn.Module, backbone: nn.Module, pyramid: Pyramid, head: Head) -> None:
        super().__init__(config)
        self.normalise = normalise
        self.backbone = backbone
        self.pyramid = pyramid
        self.head = head

    def forward(self, clips: Clips) -> IFDDOutput:
        """Run the whole model.

        Raises: InputError for another shape or an integer type.
        """
        return self.decode(self.encode(clips))

    def encode(self, clips: Clips) -> tuple[Tensor, ...]:
        """Clips → the four stages of the backbone.

        Raises: InputError as `forward`, and for a backbone whose stages have another shape than its spec says.
        """
        (pixels,) = self.check_clips(clips).values()
        stages = self.backbone(self.normalise(pixels))
        spec, config = BACKBONES[self.config.backbone], self.config
        for i in config.stages:  # no other is read, and some keep more frames
            grid = [side // spec.stage_strides[i] for side in config.size]
            owed = (len(pixels), spec.dims[i], config.feature_frames, *grid)
            if i >= len(stages) or stages[i].shape != owed:
                found = tuple(stages[i].shape) if i < len(stages) else "missing"
                raise InputError(f"backbone {config.backbone}: stage {i} is {found}, its spec and ifdd.timing say {owed}")
        return stages

    @property
    def kept_depends_on(self) -> str:
        """The backbone's name, what it is shown, and which of its stages are read."""
        config = self.config
        return f"{config.backbone} {config.normalise} {config.frames} {config.size} {config.stages}"

    def read_kept(self, clips: Clips) -> tuple[Tensor, ...]:
        """Stages of the backbone, those that the pyramid does not read empty."""
        return tuple(stage if i in self.config.stages else stage.new_empty(0) for i, stage in enumerate(self.encode(clips)))

    def decode(self, stages: tuple[Tensor, ...]) -> IFDDOutput:
        """Stages of the backbone → output; all that a saliency map of any named activation needs gradients of."""
        return self.read(self.pyramid([stages[i] for i in self.config.stages]))

    @abstractmethod
    def read(self, features: Tensor) -> IFDDOutput:
        """X (B, C, T', H, W) → output."""

    def describe(self, name: str) -> Activation:
        """What an activation is, see `Activation`.

        Raises: InputError for a name that this model does not have, with the list of those that it has.
        """
        told = super().describe(name)
        if told.role == "stage":
            read = [f"backbone.stage{i}" for i in self.config.stages]
            return replace(told, used=name in read or bool(self.backbone.chained))
        return replace(told, grid=self.config.grid) if told.spatial else told


class BaselineModel(PyramidModel):
    """pyramid.X → mean over positions → head; no split, no lift."""

    def __init__(self, config: ModelConfig, *, normalise: nn.Module, backbone: nn.Module, pyramid: Pyramid, head: Head) -> None:
        super().__init__(config, normalise=normalise, backbone=backbone, pyramid=pyramid, head=head)
        self.branches = {"X": "pyramid.X"}

    def read(self, features: Tensor) -> IFDDOutput:
        """X (B, C, T', H, W) → output without a static residual."""
        embedding, logits = self.head(to_tokens(features))
        return IFDDOutput(logits, embedding, None)


class IFDDModel(PyramidModel):
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

    @property
    def split(self) -> Split:
        """ISSM, or what stands in its place."""
        return self.issm

    def linear_pooling(self) -> LinearPooling | None:
        """The learned weight of each position of what the head reads, and the bias of each class."""
        pooling, classify = self.head.pooling, self.head.classify
        if not isinstance(pooling, LearnedPooling):
            return None
        bias = classify.bias.detach()
        if pooling.bias is not None:
            bias = bias + pooling.bias.detach() * classify.weight.detach().sum(1)
        return LinearPooling(self.branches["D"], pooling.weight.detach().view(-1, *self.config.grid), bias)

    def read(self, features: Tensor) -> IFDDOutput:
        """X (B, C, T', H, W) → output."""
        groups = self.issm(features)
        batch, channels, frames, *grid = features.shape
        owed = (batch, channels, frames // 2, *grid)
        if (shapes := [tuple(group.shape) for group in groups]) != [owed, owed]:
            raise InputError(f"split {self.config.split}: returned groups of shapes {shapes}, not X_S and X_D of {owed}")
        static, dynamic = self.ladm(*groups)
        embedding, logits = self.head(dynamic)
        average = features.mean((1, 2))  # the mean over time of pairwise averages is the mean over time
        residual = average - static.unflatten(1, (-1, *features.shape[3:])).mean((1, 4))
        return IFDDOutput(logits, embedding, residual)


def build(config: ModelConfig) -> PyramidModel:
    """The model of a configuration, randomly initialised. Raises: InputError for a backbone whose spec is impossible."""
    spec = BACKBONES[config.backbone]
    if {len(spec.dims), len(spec.heads), len(spec.stage_strides)} != {4} or spec.dims[-1] % spec.heads[-1]:
        raise InputError(
            f"backbone {config.backbone}: dims {spec.dims}, heads {spec.heads}, stage_strides {spec.stage_strides} must have an "
            "entry for each of four stages, the last of dims a multiple of the last of heads"
        )
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

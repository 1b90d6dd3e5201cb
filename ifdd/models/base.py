"""What every model of the workbench is: clips in, logits and an embedding out, with named activations."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ifdd.errors import InputError
from ifdd.hooks import HookedModule
from ifdd.models.config import ModelConfig
from ifdd.modules.head import Head
from ifdd.modules.precision import autocast_type
from ifdd.modules.pyramid import Pyramid


@dataclass(frozen=True)
class IFDDOutput:
    """What a forward pass returns, in training and evaluation alike.

    `logits` (B, classes); `embedding` (B, C), what the classifier reads; `static_residual` (B, H, W), the mean over channels
    and steps of (X averaged over pairs of frames − Y_S), None for a baseline.
    """

    logits: Tensor
    embedding: Tensor
    static_residual: Tensor | None


class Normalise(nn.Module):
    """First layer of a model: (clips − mean) / std per channel."""

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.tensor(mean).view(-1, 1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(-1, 1, 1, 1), persistent=False)

    def forward(self, clips: Tensor) -> Tensor:
        """(B, 3, T, H, W) → the same shape."""
        return (clips - self.mean) / self.std


class DFERModel(HookedModule, ABC):
    """Clips (B, 3, T, H, W), float in [0, 1] → IFDDOutput.

    Activations (S static, D dynamic; T' feature frames, K = T'/2 steps):
    `backbone.stage0…3` (B, C_i, T', H_i, W_i) · `pyramid.X` (B, C, T', H, W) · `head.embedding` (B, C) ·
    `head.logits` (B, classes); with a split also `issm.position_S/_D`, `issm.sample_S/_D` (B, K), `issm.X_S/X_D`
    (B, C, K, H, W); with ISSM `issm.Z` (B, T', d), `issm.correlation` (B, T', T'), `issm.offset_S/_D` (B, K); with LADM
    `ladm.update`, `ladm.prediction`, `ladm.Y_S`, `ladm.detail`, `ladm.Y_D` (B, K·H·W, C).
    """

    config: ModelConfig
    branches: dict[str, str]
    """Short branch name → its activation; what every display asks for."""
    labels: tuple[str, ...] | None = None
    """Class names in the order of the logits; known to the model of a checkpoint, so that a class can be given by its name."""

    def __init__(self, config: ModelConfig, *, normalise: nn.Module, backbone: nn.Module, pyramid: Pyramid, head: Head) -> None:
        super().__init__()
        self.config = config
        self.normalise = normalise
        self.backbone = backbone
        self.pyramid = pyramid
        self.head = head

    def forward(self, clips: Tensor) -> IFDDOutput:
        """Run the whole model.

        Raises: InputError for another shape or an integer type.
        """
        return self.decode(self.encode(clips))

    def encode(self, clips: Tensor) -> tuple[Tensor, ...]:
        """Clips → the four stages of the backbone."""
        self.check_clips(clips)
        return self.backbone(self.normalise(clips))

    def decode(self, stages: tuple[Tensor, ...]) -> IFDDOutput:
        """Stages of the backbone → output; all that a saliency map of any named activation needs gradients of."""
        return self.read(self.pyramid([stages[i] for i in self.config.stages]))

    @abstractmethod
    def read(self, features: Tensor) -> IFDDOutput:
        """X (B, C, T', H, W) → output."""

    def check_clips(self, clips: Tensor) -> None:
        """Refuse clips that this model was not built for, before any compute."""
        if not isinstance(clips, Tensor):
            raise InputError(f"clips are a {type(clips).__name__}; this model reads a tensor of floats in [0, 1]")
        expected = (3, self.config.frames, *self.config.size)
        if clips.dim() != 5 or tuple(clips.shape[1:]) != expected:
            raise InputError(f"clips have shape {tuple(clips.shape)}; this model reads (B, {', '.join(map(str, expected))})")
        if not clips.is_floating_point():
            raise InputError(f"clips are {clips.dtype}; this model reads floats in [0, 1] (divide 8-bit pixels by 255)")
        own = self.head.classify.weight.dtype
        if clips.dtype != own and autocast_type(clips) is None:
            raise InputError(f"clips are {clips.dtype}, the weights of this model {own}; convert the clips with .to({own})")

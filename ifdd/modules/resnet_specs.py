"""Sizes of the residual networks, without the networks: a card is checked against them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class ResNet3DSpec:
    """Sizes of a network, one entry per stage: `dims` channels, `depths` blocks; `heads` of the lift behind it."""

    kind: Literal["r3d", "r2plus1d"]
    dims: tuple[int, ...]
    heads: tuple[int, ...]
    depths: tuple[int, ...] = (2, 2, 2, 2)
    stage_strides: tuple[int, ...] = (2, 4, 8, 16)
    kinetics = (0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989)
    """Mean and standard deviation of torchvision's `R3D_18_Weights` and `R2Plus1D_18_Weights` transforms."""

    def build(self, frames: int, size: tuple[int, int], drop_path: float) -> "nn.Module":
        """The network for clips of `frames`; any size fits, and there is no stochastic depth."""
        from ifdd.modules.resnet3d import ResNet3D  # brings torch with it

        return ResNet3D(self, frames)


RESNET_SPECS = {
    "r3d18": ResNet3DSpec("r3d", (64, 128, 256, 512), (1, 2, 4, 8)),
    "r2plus1d18": ResNet3DSpec("r2plus1d", (64, 128, 256, 512), (1, 2, 4, 8)),
    "r3d-tiny": ResNet3DSpec("r3d", (8, 16, 32, 64), (1, 1, 1, 2), (1, 1, 1, 1)),  # as many parameters as mvit-tiny
}

"""The backbones by name; no network is loaded for that."""

from typing import TYPE_CHECKING, Protocol

from ifdd.modules.mvit.specs import MVIT_SPECS
from ifdd.modules.resnet_specs import RESNET_SPECS

if TYPE_CHECKING:
    from torch import nn

Triple = tuple[float, float, float]


class BackboneSpec(Protocol):
    """What a model has to know of a backbone; sizes have one entry for each of the four stages."""

    @property
    def dims(self) -> tuple[int, ...]:
        """Channels C_i."""

    @property
    def heads(self) -> tuple[int, ...]:
        """Heads of attention; the lift has those of the last stage."""

    @property
    def stage_strides(self) -> tuple[int, ...]:
        """Pixels that one place stands for, along a side."""

    @property
    def kinetics(self) -> tuple[Triple, Triple]:
        """Mean and standard deviation of the colours under `normalise="kinetics"`."""

    def build(self, frames: int, size: tuple[int, int], drop_path: float) -> "nn.Module":
        """The network for clips (B, 3, T, H, W) of `frames` and `size`, randomly initialised.

        It returns four stages (B, C_i, T', H_i, W_i), T' as in `ifdd.timing`, each through a HookPoint `stage0` … `stage3` of
        the role "stage"; its attribute `chained` tells whether a stage is computed from the HookPoint of the one before.
        """


BACKBONES: dict[str, BackboneSpec] = {
    **MVIT_SPECS,
    **RESNET_SPECS,
}

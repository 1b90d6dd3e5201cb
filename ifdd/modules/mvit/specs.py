"""Sizes of the transformers, without the networks: a card is checked against them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class MViTSpec:
    """Sizes of a backbone, one entry per stage.

    `strides` are the spatial strides at the first block of each stage; `kv_strides` those of key and value pooling, in the
    first block of the stage and in the others. The stem is one 3×7×7 convolution with spatial stride 4 or, with
    `early_convolutions`, `EarlyConvolutions` with stride 8, from which a `PlaceReading` joins the last stage.
    """

    depths: tuple[int, ...]
    dims: tuple[int, ...]
    heads: tuple[int, ...]
    strides: tuple[int, ...] = (1, 2, 2, 2)
    kv_strides: tuple[tuple[int, int], ...] = ((8, 8), (4, 4), (2, 2), (1, 1))
    early_convolutions: bool = False
    kinetics = (0.45, 0.45, 0.45), (0.225, 0.225, 0.225)
    """Mean and standard deviation of torchvision's `MViT_V2_S_Weights` transforms."""

    def build(self, frames: int, size: tuple[int, int], drop_path: float) -> "nn.Module":
        """The backbone for clips of `frames` and `size`."""
        from ifdd.modules.mvit.mvit import MViT  # brings torch with it

        return MViT(self, frames, size, drop_path)

    @property
    def stem_stride(self) -> int:
        """Spatial stride of the stem, in pixels."""
        return 8 if self.early_convolutions else 4

    @property
    def stage_strides(self) -> tuple[int, ...]:
        """Spatial stride of each stage relative to the input, in pixels."""
        total, out = self.stem_stride, []
        for stride in self.strides:
            total *= stride
            out.append(total)
        return tuple(out)


MVIT_SPECS = {
    "mvit-tiny": MViTSpec(  # for CPUs: 112 pixels are 14×14 tokens from the start and end on a 7×7 grid; few keys
        depths=(1, 1, 1, 1),
        dims=(32, 32, 32, 64),
        heads=(1, 1, 1, 2),
        strides=(1, 1, 1, 2),
        kv_strides=((4, 4), (4, 4), (4, 4), (4, 2)),
        early_convolutions=True,
    ),
    "mvit-xs": MViTSpec(depths=(1, 2, 5, 2), dims=(96, 192, 384, 768), heads=(1, 2, 4, 8)),
    "mvit-s": MViTSpec(depths=(1, 2, 11, 2), dims=(96, 192, 384, 768), heads=(1, 2, 4, 8)),
}

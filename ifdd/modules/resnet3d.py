"""3-D residual networks of torchvision (BSD-3-Clause) that hand four stages of features to the pyramid.

Source: Tran et al., "A closer look at spatiotemporal convolutions" (arXiv 1711.11248). torchvision's strides would leave 2 of 16
frames at the last stage; here time is halved once, in the second stage, so that T' is the family's.
"""

from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ifdd.hooks import HookPoint
from ifdd.modules.resnet_parts import Block, factorised_stem, joint_stem
from ifdd.timing import averages_pairs, stem_stride

if TYPE_CHECKING:
    from ifdd.modules.resnet_specs import ResNet3DSpec

TemporalStrides = Literal["once", "torchvision"]


class ResNet3D(nn.Module):
    """Clip (B, 3, T, H, W) → features of stages 0…3, (B, C_i, T', H_i, W_i); stage 0, which no pyramid reads, keeps T frames.

    Names and shapes of the weights are torchvision's. With `temporal_strides="torchvision"` also the strides are: for parity.
    """

    chained = True
    """Each stage is computed from the HookPoint of the one before, so that the logits depend on all of them."""

    def __init__(self, spec: "ResNet3DSpec", frames: int, temporal_strides: TemporalStrides = "once") -> None:
        super().__init__()
        self.stem = joint_stem() if spec.kind == "r3d" else factorised_stem()
        if spec.dims[0] != 64:
            self.stem[-3] = nn.Conv3d(3, spec.dims[0], (3, 7, 7), (1, 2, 2), (1, 3, 3), bias=False)
            self.stem[-2] = nn.BatchNorm3d(spec.dims[0])
        dim_in = spec.dims[0]
        for stage, (dim, depth) in enumerate(zip(spec.dims, spec.depths, strict=True)):
            blocks = []
            for i in range(depth):
                stride = 2 if stage and not i else 1
                skip = None
                if stride > 1 or dim_in != dim:
                    skip = nn.Sequential(nn.Conv3d(dim_in, dim, 1, stride, bias=False), nn.BatchNorm3d(dim))
                blocks.append(Block(dim_in, dim, spec.kind == "r3d", stride, skip))
                dim_in = dim
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        self.averages_pairs = temporal_strides == "once" and averages_pairs(frames)
        if temporal_strides == "once":
            _set_temporal_stride(self.get_submodule("layer2"), stem_stride(frames))
            for name in ("layer3", "layer4"):
                _set_temporal_stride(self.get_submodule(name), 1)
        self.dims = spec.dims
        self.stage0 = HookPoint("B C T H W", role="stage", clock="clip frames")
        self.stage1, self.stage2, self.stage3 = (HookPoint("B C T H W", role="stage") for _ in range(3))
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        _start_with_motion(self.stem)

    def forward(self, clips: Tensor) -> tuple[Tensor, ...]:
        """Return the four stages, coarse last."""
        features = self.stem(clips)  # (B, C_0, T, H_0, W_0)
        stages: list[Tensor] = []
        for i, point in enumerate((self.stage0, self.stage1, self.stage2, self.stage3)):
            features = self.get_submodule(f"layer{i + 1}")(features)  # (B, C_i, T or T', H_i, W_i)
            if i == 1 and self.averages_pairs:
                features = F.avg_pool3d(features, (2, 1, 1))
            stages.append(point(features))
        return tuple(stages)


def _start_with_motion(stem: nn.Module) -> None:
    """Let the first kernels that span time sum to zero over it: at first the stem answers to changes alone.

    From the usual start, r3d-tiny saw who a clip shows, not what they do, and stayed at chance for five epochs of easy clips.
    """
    for module in stem.modules():
        if isinstance(module, nn.Conv3d) and (span := module.kernel_size[0]) > 1:
            with torch.no_grad():
                module.weight -= module.weight.mean(2, keepdim=True)
                module.weight *= (span / (span - 1)) ** 0.5  # the variance that the mean took away


def _set_temporal_stride(layer: nn.Module, stride: int) -> None:
    for module in layer.modules():
        if isinstance(module, nn.Conv3d) and module.stride[0] == 2:
            module.stride = (stride, module.stride[1], module.stride[2])

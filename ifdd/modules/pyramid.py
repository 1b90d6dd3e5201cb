"""Pyramid aggregation: finer stages join the last one on its grid."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ifdd.hooks import HookPoint


class Pyramid(nn.Module):
    """Features of one to three stages → X (B, C, T', H, W) on the grid of the last one.

        finer stages ── dilated 3×3 convolutions, stride s ──┐
                                                             ├── concatenate ── 1×1 convolution ── X
        last stage (normed) ─────────────────────────────────┘

    `dims` are the channels of the stages that are read, coarsest last; `strides` say how much finer each of the others is. The
    last stage alone is X as it is.
    Source: "pyramid aggregation" of Fig. 1(a); sizes as released (core/model/backbone.py, `PANLayer`, `CatConv`).
    """

    def __init__(self, dims: Sequence[int], strides: Sequence[int]) -> None:
        super().__init__()
        self.reduce = nn.ModuleList(
            nn.Conv2d(dim, dim, 3, stride=stride, padding=stride, dilation=stride, bias=False)
            for dim, stride in zip(dims[:-1], strides, strict=True)
        )
        self.fuse = nn.Conv2d(sum(dims), dims[-1], 1, bias=False) if len(dims) > 1 else nn.Identity()
        self.X = HookPoint("B C T H W", role="X")

    def forward(self, stages: Sequence[Tensor]) -> Tensor:
        """Aggregate (B, C_i, T', s_i·H, s_i·W), the last one (B, C, T', H, W)."""
        finer = [reduce(_frames(stage)) for reduce, stage in zip(self.reduce, stages, strict=False)]  # each (B·T', C_i, H, W)
        fused = self.fuse(torch.cat((*finer, _frames(stages[-1])), 1))  # (B·T', C, H, W)
        return self.X(fused.unflatten(0, (len(stages[-1]), -1)).transpose(1, 2))  # (B, C, T', H, W)


def _frames(features: Tensor) -> Tensor:
    return features.transpose(1, 2).flatten(0, 1)  # (B·T', C, H, W)

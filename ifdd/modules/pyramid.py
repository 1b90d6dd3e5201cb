"""Pyramid aggregation: the third stage joins the last on the last one's grid."""

import torch
from torch import Tensor, nn

from ifdd.hooks import HookPoint


class Pyramid(nn.Module):
    """Features of two stages → X (B, C, T', H, W) on the grid of the coarser one.

        stage 2 ── dilated 3×3 convolution, stride 2 ──┐
                                                       ├── concatenate ── 1×1 convolution ── X
        stage 3 (normed) ──────────────────────────────┘

    Source: "pyramid aggregation" of Fig. 1(a); sizes as released (core/model/backbone.py, `PANLayer`, `CatConv`).
    """

    def __init__(self, fine: int, coarse: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(fine, fine, 3, stride=2, padding=2, dilation=2, bias=False)
        self.fuse = nn.Conv2d(fine + coarse, coarse, 1, bias=False)
        self.X = HookPoint()  # (B, C, T', H, W)

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """Aggregate (B, C_2, T', 2H, 2W) and (B, C_3, T', H, W)."""
        batch = coarse.shape[0]
        reduced = self.reduce(_frames(fine))
        fused = self.fuse(torch.cat((reduced, _frames(coarse)), 1))
        return self.X(fused.unflatten(0, (batch, -1)).transpose(1, 2))


def _frames(features: Tensor) -> Tensor:
    return features.transpose(1, 2).flatten(0, 1)

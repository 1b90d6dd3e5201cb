"""Multiscale vision transformer (MViTv2) that hands four stages of features to the pyramid.

Source: Li et al., "MViTv2" (arXiv 2112.01526); numerically equal to torchvision's `mvit_v2_s` blocks (BSD-3-Clause).
What is computed is the same; how, is told in `attention`, `depthwise` and `mlp`.
"""

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ifdd.hooks import HookPoint
from ifdd.modules.drop import StochasticDepth
from ifdd.modules.mvit.attention import EPS, Grid, MultiscaleAttention, pooled_grid
from ifdd.modules.mvit.early import EarlyConvolutions, PlaceReading
from ifdd.modules.mvit.mlp import normed_mlp, recomputed
from ifdd.timing import averages_pairs, feature_frames, stem_stride

if TYPE_CHECKING:
    from ifdd.modules.mvit.specs import MViTSpec


class MultiscaleBlock(nn.Module):
    """Pre-norm transformer block; width and grid change inside the attention (torchvision's `proj_after_attn`)."""

    def __init__(self, dim_in: int, dim: int, heads: int, grid: Grid, stride_q: int, stride_kv: int, drop_path: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim_in, eps=EPS)
        self.attn = MultiscaleAttention(dim_in, dim, heads, grid, stride_q, stride_kv)
        self.norm2 = nn.LayerNorm(dim, eps=EPS)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))
        self.drop_path = StochasticDepth(drop_path)
        self.project = nn.Linear(dim_in, dim) if dim_in != dim else None
        self.stride_q = stride_q

    def forward(self, tokens: Tensor, grid: Grid) -> tuple[Tensor, Grid]:
        """(B, 1 + N, dim_in) → (B, 1 + N', dim)."""
        class_token, places = tokens.split((1, tokens.shape[1] - 1), 1)  # (B, 1, dim_in), (B, N, dim_in)
        attended = self.attn(self.norm1(class_token), self.norm1(places))  # (B, 1 + N', dim)
        skip = recomputed(self._skip, tokens, grid)  # (B, 1 + N', dim)
        tokens = skip + self.drop_path(attended)
        return tokens + self.drop_path(normed_mlp(tokens, self.norm2, self.mlp)), pooled_grid(grid, self.stride_q)

    def _skip(self, tokens: Tensor, grid: Grid) -> Tensor:
        if self.project is not None:
            tokens = self.project(self.norm1(tokens))  # (B, 1 + N, dim)
        return tokens if self.stride_q == 1 else _max_pool_tokens(tokens, grid, self.stride_q)


def _max_pool_tokens(tokens: Tensor, grid: Grid, stride: int) -> Tensor:
    volume = tokens[:, 1:].unflatten(1, grid).permute(0, 4, 1, 2, 3)  # (B, C, T, H, W)
    kernel, pad = (1, stride + 1, stride + 1), (0, (stride + 1) // 2, (stride + 1) // 2)
    pooled = F.max_pool3d(volume, kernel, (1, stride, stride), pad)  # (B, C, T, H', W')
    return torch.cat((tokens[:, :1], pooled.permute(0, 2, 3, 4, 1).flatten(1, 3)), 1)  # (B, 1 + T·H'·W', C)


class MViT(nn.Module):
    """Clip (B, 3, T, H, W) → features of stages 0…3, each (B, C_i, T', H_i, W_i), the last one normed.

    What `places` reads from the early convolutions, where the spec has them, is added to the normed stage. The class token
    takes part in attention and is not handed on. `stage0`…`stage3` are HookPoints: patching one changes what the pyramid
    reads, not what later blocks compute.
    """

    chained = False
    """The logits depend on the stages that the pyramid reads."""

    def __init__(self, spec: "MViTSpec", frames: int, size: tuple[int, int], drop_path: float) -> None:
        super().__init__()
        stride = stem_stride(frames)
        space = spec.stem_stride
        dim = spec.dims[0]
        self.stem = EarlyConvolutions(stride) if spec.early_convolutions else _patches(dim, stride)
        self.embed = nn.Conv3d(EarlyConvolutions.channels, dim, 1) if spec.early_convolutions else nn.Identity()
        self.averages_pairs = averages_pairs(frames)
        self.class_token = nn.Parameter(torch.empty(spec.dims[0]))
        grid: Grid = (feature_frames(frames), size[0] // space, size[1] // space)
        self.blocks = nn.ModuleList()
        self.ends: list[int] = []
        total, dim_in = sum(spec.depths), spec.dims[0]
        for stage, depth in enumerate(spec.depths):
            for i in range(depth):
                stride_q = spec.strides[stage] if i == 0 else 1
                stride_kv = spec.kv_strides[stage][min(i, 1)]
                rate = drop_path * len(self.blocks) / max(total - 1, 1)
                block = MultiscaleBlock(dim_in, spec.dims[stage], spec.heads[stage], grid, stride_q, stride_kv, rate)
                self.blocks.append(block)
                dim_in, grid = spec.dims[stage], pooled_grid(grid, stride_q)
            self.ends.append(len(self.blocks) - 1)
        self.norm = nn.LayerNorm(dim_in, eps=EPS)
        self.places = PlaceReading(EarlyConvolutions.channels, dim_in, grid[1:]) if spec.early_convolutions else None
        self.stage0, self.stage1, self.stage2, self.stage3 = (HookPoint("B C T H W", role="stage") for _ in range(4))
        self.dims = spec.dims
        self.apply(_initialise)
        nn.init.trunc_normal_(self.class_token, std=0.02)

    def forward(self, clips: Tensor) -> tuple[Tensor, ...]:
        """Return the four stages, coarse last."""
        early = self.stem(clips)  # (B, C, T' or 2·T', H_0, W_0)
        if self.averages_pairs:
            early = F.avg_pool3d(early, (2, 1, 1))  # (B, C, T', H_0, W_0)
        volume = self.embed(early)  # (B, C_0, T', H_0, W_0)
        grid: Grid = (volume.shape[2], volume.shape[3], volume.shape[4])
        tokens = volume.flatten(2).transpose(1, 2)  # (B, T'·H_0·W_0, C_0)
        tokens = torch.cat((self.class_token.to(tokens.dtype).expand(len(tokens), 1, -1), tokens), 1)
        points = (self.stage0, self.stage1, self.stage2, self.stage3)
        stages: list[Tensor] = []
        for i, block in enumerate(self.blocks):
            tokens, grid = block(tokens, grid)  # (B, 1 + T'·H_i·W_i, C_i)
            if i in self.ends:
                last = i == len(self.blocks) - 1
                features = (self.norm(tokens) if last else tokens)[:, 1:].transpose(1, 2).unflatten(2, grid)
                if last and self.places is not None:
                    features = features + self.places(early)
                stages.append(points[len(stages)](features))
        return tuple(stages)


def _patches(dim: int, stride: int) -> nn.Module:
    return nn.Conv3d(3, dim, (3, 7, 7), (stride, 4, 4), (1, 3, 3))


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        # 0.02 is meant for layers 768 wide; narrow ones would start, and stay for long, next to nothing
        nn.init.trunc_normal_(module.weight, std=0.02 * (768 / module.in_features) ** 0.5)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Conv3d):  # the stem
        nn.init.kaiming_normal_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)

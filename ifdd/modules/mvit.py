"""Multiscale vision transformer (MViTv2) that hands four stages of features to the pyramid.

Source: Li et al., "MViTv2" (arXiv 2112.01526); numerically equal to torchvision's `mvit_v2_s` blocks (BSD-3-Clause).
Two differences in how, not in what, is computed: the decomposed relative position rides inside query and key, so that fused
attention needs no N×M bias, and the pooling convolutions run over all heads at once on channel-last tokens.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ifdd.hooks import HookPoint
from ifdd.modules.drop import StochasticDepth
from ifdd.modules.early import EarlyConvolutions, PlaceReading
from ifdd.timing import averages_pairs, feature_frames, stem_stride

Grid = tuple[int, int, int]
"""Time, height and width of a token grid."""

EPS = 1e-6


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

    def build(self, frames: int, size: tuple[int, int], drop_path: float) -> nn.Module:
        """The backbone for clips of `frames` and `size`."""
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


class TokenPool(nn.Module):
    """Depthwise 3×3×3 convolution over the token grid, the kernel shared by all heads, then LayerNorm per head."""

    def __init__(self, head_dim: int, stride: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(head_dim, 1, 3, 3, 3))
        nn.init.kaiming_uniform_(self.weight, a=5**0.5)
        self.norm = nn.LayerNorm(head_dim, eps=EPS)
        self.stride = stride

    def forward(self, tokens: Tensor, grid: Grid) -> tuple[Tensor, Grid]:
        """Pool (B, 1 + N, heads, head_dim) to (B, heads, 1 + N', head_dim); the class token is only normed."""
        batch, _, heads, dim = tokens.shape
        channels = heads * dim
        volume = tokens[:, 1:].reshape(batch, *grid, channels).permute(0, 4, 1, 2, 3)
        weight = self.weight.repeat(heads, 1, 1, 1, 1)
        pooled = F.conv3d(volume, weight, stride=(1, self.stride, self.stride), padding=1, groups=channels)
        new_grid: Grid = (pooled.shape[2], pooled.shape[3], pooled.shape[4])
        flat = pooled.permute(0, 2, 3, 4, 1).reshape(batch, -1, heads, dim)
        return self.norm(torch.cat((tokens[:, :1], flat), 1)).transpose(1, 2), new_grid


class RelativePosition(nn.Module):
    """Decomposed relative position of MViTv2 as extra dimensions of query and key.

    The logit gains q·R_t + q·R_h + q·R_w; the query carries these products, the key a one-hot code of its place.
    """

    def __init__(self, query_grid: Grid, key_grid: Grid, head_dim: int) -> None:
        super().__init__()
        self.tables = nn.ParameterList()
        for axis, (queries, keys) in enumerate(zip(query_grid, key_grid, strict=True)):
            table = nn.Parameter(torch.empty(2 * max(queries, keys) - 1, head_dim))
            nn.init.trunc_normal_(table, std=0.02)
            self.tables.append(table)
            self.register_buffer(f"distance_{axis}", _distances(queries, keys), persistent=False)
        self.register_buffer("key_code", _one_hot_places(key_grid), persistent=False)
        self.query_grid = query_grid

    def forward(self, query: Tensor, scale: float) -> tuple[Tensor, Tensor]:
        """Return the extra dimensions of the query (B, heads, 1 + N, E) and of the key (1 + M, E) for attention with `scale`."""
        batch, heads, _, dim = query.shape
        places = query[:, :, 1:].reshape(batch, heads, *self.query_grid, dim)
        time, height, width = (table[self.get_buffer(f"distance_{axis}")] for axis, table in enumerate(self.tables))
        products = torch.cat(
            (
                torch.einsum("bnthwc,tkc->bnthwk", places, time.to(query.dtype)),
                torch.einsum("bnthwc,hkc->bnthwk", places, height.to(query.dtype)),
                torch.einsum("bnthwc,wkc->bnthwk", places, width.to(query.dtype)),
            ),
            -1,
        )
        extra = F.pad(products.flatten(2, 4) / scale, (0, 0, 1, 0))
        return extra, self.get_buffer("key_code").to(query.dtype)


def _distances(queries: int, keys: int) -> Tensor:
    """Row of the table for each pair of query and key along one axis (the finer grid sets the unit)."""
    query_ratio, key_ratio = max(keys / queries, 1.0), max(queries / keys, 1.0)
    query = torch.arange(queries)[:, None] * query_ratio
    key = (torch.arange(keys)[None, :] + 1.0 - keys) * key_ratio
    return (query - key).long()


def _one_hot_places(grid: Grid) -> Tensor:
    """One-hot codes (1 + T·H·W, T + H + W) of the places of a grid; zeros for the class token."""
    axes = torch.meshgrid(*(torch.arange(size) for size in grid), indexing="ij")
    codes = [F.one_hot(axis.flatten(), size) for axis, size in zip(axes, grid, strict=True)]
    return F.pad(torch.cat(codes, -1), (0, 0, 1, 0)).float()


class MultiscaleAttention(nn.Module):
    """Pooling attention with decomposed relative position and residual pooling (MViTv2, section 4.1)."""

    def __init__(self, dim_in: int, dim: int, heads: int, grid: Grid, stride_q: int, stride_kv: int) -> None:
        super().__init__()
        self.heads, self.head_dim = heads, dim // heads
        self.scale = self.head_dim**-0.5
        self.qkv = nn.Linear(dim_in, 3 * dim)
        self.project = nn.Linear(dim, dim)
        self.pool_q = TokenPool(self.head_dim, stride_q)
        self.pool_k = TokenPool(self.head_dim, stride_kv)
        self.pool_v = TokenPool(self.head_dim, stride_kv)
        self.position = RelativePosition(pooled_grid(grid, stride_q), pooled_grid(grid, stride_kv), self.head_dim)

    def forward(self, tokens: Tensor, grid: Grid) -> tuple[Tensor, Grid]:
        """Attend over (B, 1 + N, dim_in); returns (B, 1 + N', dim) and the new grid."""
        batch, count, _ = tokens.shape
        query, key, value = self.qkv(tokens).view(batch, count, 3, self.heads, self.head_dim).unbind(2)
        query, query_grid = self.pool_q(query, grid)
        key, _ = self.pool_k(key, grid)
        value, _ = self.pool_v(value, grid)
        extra_query, extra_key = self.position(query, self.scale)
        extra = extra_key.shape[-1]
        mixed = F.scaled_dot_product_attention(
            torch.cat((query, extra_query), -1),
            torch.cat((key, extra_key.expand(batch, self.heads, -1, -1)), -1),
            F.pad(value, (0, extra)),  # fused kernels want one width for all three
            scale=self.scale,
        )[..., : self.head_dim]
        # residual pooling, not on the class token
        mixed = mixed + F.pad(query[:, :, 1:], (0, 0, 1, 0))
        return self.project(mixed.transpose(1, 2).flatten(2)), query_grid


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
        normed = self.norm1(tokens)
        attended, new_grid = self.attn(normed, grid)
        skip = tokens if self.project is None else self.project(normed)
        if self.stride_q > 1:
            skip = _max_pool_tokens(skip, grid, self.stride_q)
        tokens = skip + self.drop_path(attended)
        return tokens + self.drop_path(self.mlp(self.norm2(tokens))), new_grid


def _max_pool_tokens(tokens: Tensor, grid: Grid, stride: int) -> Tensor:
    volume = tokens[:, 1:].unflatten(1, grid).permute(0, 4, 1, 2, 3)
    kernel, pad = (1, stride + 1, stride + 1), (0, (stride + 1) // 2, (stride + 1) // 2)
    pooled = F.max_pool3d(volume, kernel, (1, stride, stride), pad)
    return torch.cat((tokens[:, :1], pooled.permute(0, 2, 3, 4, 1).flatten(1, 3)), 1)


def pooled_grid(grid: Grid, stride: int) -> Grid:
    """Grid after a 3×3×3 pooling with spatial `stride` and padding 1."""
    return grid[0], (grid[1] - 1) // stride + 1, (grid[2] - 1) // stride + 1


class MViT(nn.Module):
    """Clip (B, 3, T, H, W) → features of stages 0…3, each (B, C_i, T', H_i, W_i), the last one normed.

    What `places` reads from the early convolutions, where the spec has them, is added to the normed stage. The class token
    takes part in attention and is not handed on. `stage0`…`stage3` are HookPoints: patching one changes what the pyramid
    reads, not what later blocks compute.
    """

    def __init__(self, spec: MViTSpec, frames: int, size: tuple[int, int], drop_path: float) -> None:
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
        self.stage0, self.stage1, self.stage2, self.stage3 = HookPoint(), HookPoint(), HookPoint(), HookPoint()
        self.dims = spec.dims
        self.apply(_initialise)
        nn.init.trunc_normal_(self.class_token, std=0.02)

    def forward(self, clips: Tensor) -> tuple[Tensor, ...]:
        """Return the four stages, coarse last."""
        early = self.stem(clips)
        if self.averages_pairs:
            early = F.avg_pool3d(early, (2, 1, 1))
        volume = self.embed(early)
        grid: Grid = (volume.shape[2], volume.shape[3], volume.shape[4])
        tokens = volume.flatten(2).transpose(1, 2)
        tokens = torch.cat((self.class_token.to(tokens.dtype).expand(len(tokens), 1, -1), tokens), 1)
        points = (self.stage0, self.stage1, self.stage2, self.stage3)
        stages: list[Tensor] = []
        for i, block in enumerate(self.blocks):
            tokens, grid = block(tokens, grid)
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

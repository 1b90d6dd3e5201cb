"""Pooling attention of MViTv2 over a token grid with a class token, equal to torchvision's, made to move little memory.

- The decomposed relative position rides inside query and key, so that fused attention needs no N×M bias.
- Pooling convolutions run over all heads at once on channel-last tokens (`depthwise`), and the
  projections that they read are made again in the backward pass.
- Keys and values are projected only where a pooling kernel reaches: with stride 8, one token in seven.
- The class token has no place: it is projected and asks on its own, so that no tensor is copied to join or part the two.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ifdd.modules.mvit.depthwise import project_and_pool
from ifdd.modules.mvit.mlp import recomputed

Grid = tuple[int, int, int]
"""Time, height and width of a token grid."""

EPS = 1e-6
KERNEL = 3
ALIGN = 8
"""Fused kernels are fastest with a head width that is a multiple of this."""


def pooled_grid(grid: Grid, stride: int) -> Grid:
    """Grid after a 3×3×3 pooling with spatial `stride` and padding 1."""
    return grid[0], (grid[1] - 1) // stride + 1, (grid[2] - 1) // stride + 1


class TokenPool(nn.Module):
    """Depthwise 3×3×3 convolution over the token grid, the kernel shared by all heads, then LayerNorm per head."""

    def __init__(self, head_dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(head_dim, 1, KERNEL, KERNEL, KERNEL))
        nn.init.kaiming_uniform_(self.weight, a=5**0.5)
        self.norm = nn.LayerNorm(head_dim, eps=EPS)

    def forward(self, places: Tensor, weight: Tensor, bias: Tensor, stride: int) -> Tensor:
        """Project (B, T, H, W, C) with `weight` and `bias`, then pool to (B, T, H', W', heads, head_dim)."""
        heads = len(weight) // len(self.weight)
        pooled = project_and_pool(places, weight, bias, self.weight.repeat(heads, 1, 1, 1, 1), stride)  # (B, T, H', W', heads·D)
        normed: Tensor = self.norm(pooled.unflatten(-1, (heads, -1)))  # (B, T, H', W', heads, D)
        return normed


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
        extra = -(head_dim + sum(key_grid)) % ALIGN
        self.register_buffer("key_code", F.pad(_one_hot_places(key_grid), (0, extra)), persistent=False)
        self.aligning = extra

    def forward(self, query: Tensor, scale: float) -> Tensor:
        """Append to the query (B, T, H, W, heads, head_dim) its extra dimensions E for attention with `scale`."""
        tables = ((table / scale)[self.get_buffer(f"distance_{i}")].to(query.dtype) for i, table in enumerate(self.tables))
        extended: Tensor = _Append.apply(query, self.aligning, *tables)  # (B, T, H, W, heads, D + E)
        return extended

    def code(self, like: Tensor) -> Tensor:
        """Extra dimensions of the keys (1 + M, E), the class token first."""
        return self.get_buffer("key_code").to(like.dtype)  # E: T + H + W of the keys, and zeros up to `ALIGN`


class _Append(torch.autograd.Function):
    """Query and its products with three tables, side by side; keeps no second copy of the query."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, aligning: int, *tables: Tensor) -> Tensor:
        products = [torch.einsum(f"bthwnc,{axis}kc->bthwnk", query, table) for axis, table in zip("thw", tables, strict=True)]
        extended = torch.cat((query, *products, query.new_zeros(1).expand(*query.shape[:-1], aligning)), -1)
        ctx.save_for_backward(extended, *tables)
        return extended

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        extended, *tables = ctx.saved_tensors
        widths = [tables[0].shape[-1], *(table.shape[1] for table in tables)]  # D, and T, H, W of the keys
        query = extended[..., : widths[0]]  # (B, T, H, W, heads, D)
        of_query, *parts = gradients[0][..., : sum(widths)].split(widths, -1)
        total = of_query.clone(memory_format=torch.contiguous_format)
        of_tables = []
        for axis, part, table in zip("thw", parts, tables, strict=True):
            total += torch.einsum(f"bthwnk,{axis}kc->bthwnc", part, table)  # (B, T, H, W, heads, D)
            of_tables.append(torch.einsum(f"bthwnk,bthwnc->{axis}kc", part, query))  # (queries, keys, D) of each axis
        return total, None, *of_tables


def _distances(queries: int, keys: int) -> Tensor:
    """Row of the table for each pair of query and key along one axis (the finer grid sets the unit)."""
    query_ratio, key_ratio = max(keys / queries, 1.0), max(queries / keys, 1.0)
    query = torch.arange(queries)[:, None] * query_ratio  # (queries, 1)
    key = (torch.arange(keys)[None, :] + 1.0 - keys) * key_ratio  # (1, keys)
    return (query - key).long()  # (queries, keys)


def _one_hot_places(grid: Grid) -> Tensor:
    """One-hot codes (1 + T·H·W, T + H + W) of the places of a grid; zeros for the class token."""
    axes = torch.meshgrid(*(torch.arange(size) for size in grid), indexing="ij")
    codes = [F.one_hot(axis.flatten(), size) for axis, size in zip(axes, grid, strict=True)]
    return F.pad(torch.cat(codes, -1), (0, 0, 1, 0)).float()  # the class token's row first


class MultiscaleAttention(nn.Module):
    """Pooling attention with decomposed relative position and residual pooling (MViTv2, section 4.1)."""

    def __init__(self, dim_in: int, dim: int, heads: int, grid: Grid, stride_q: int, stride_kv: int) -> None:
        super().__init__()
        self.heads, self.head_dim, self.grid = heads, dim // heads, grid
        self.scale = self.head_dim**-0.5
        self.stride_q, self.stride_kv = stride_q, stride_kv
        self.qkv = nn.Linear(dim_in, 3 * dim)
        self.project = nn.Linear(dim, dim)
        self.pool_q, self.pool_k, self.pool_v = TokenPool(self.head_dim), TokenPool(self.head_dim), TokenPool(self.head_dim)
        self.position = RelativePosition(pooled_grid(grid, stride_q), pooled_grid(grid, stride_kv), self.head_dim)
        self.reached: Tensor | None
        self.register_buffer("reached", None, persistent=False)
        if stride_kv > KERNEL:
            rows, columns = reached_places(grid[1], stride_kv), reached_places(grid[2], stride_kv)
            self.reached = (rows[:, None] * grid[2] + columns).flatten()
            self.reached_grid, self.stride_kv = (grid[0], len(rows), len(columns)), KERNEL

    def forward(self, class_token: Tensor, places: Tensor) -> Tensor:
        """Attend over (B, 1, dim_in) and (B, N, dim_in), both normed; returns both together, (B, 1 + N', dim)."""
        batch, dim = len(places), self.heads * self.head_dim
        of_class = (part.unflatten(-1, (self.heads, -1)) for part in self.qkv(class_token).split(dim, -1))
        class_query, class_key, class_value = of_class  # each (B, 1, heads, D)
        volume = places.unflatten(1, self.grid)  # (B, T, H, W, dim_in)
        reached = volume  # or, where a kernel reaches alone, (B, T, rows, columns, dim_in)
        if self.reached is not None:
            reached = volume.flatten(2, 3).index_select(2, self.reached).unflatten(2, self.reached_grid[1:])
        weights, biases = self.qkv.weight.split(dim), self.qkv.bias.split(dim)  # 3 × (dim, dim_in), 3 × (dim,)
        query = self.pool_q(volume, weights[0], biases[0], self.stride_q)  # (B, T, H_q, W_q, heads, D)
        key = self.pool_k(reached, weights[1], biases[1], self.stride_kv)  # (B, T, H_k, W_k, heads, D)
        value = self.pool_v(reached, weights[2], biases[2], self.stride_kv)  # as key

        code = self.position.code(query)[:, None].expand(batch, -1, self.heads, -1)  # (B, 1 + M, heads, E), M = T·H_k·W_k
        key = torch.cat((torch.cat((self.pool_k.norm(class_key), key.flatten(1, 3)), 1), code), -1)  # (B, 1 + M, heads, D + E)
        value = torch.cat((self.pool_v.norm(class_value), value.flatten(1, 3)), 1)  # (B, 1 + M, heads, D)
        value = F.pad(value, (0, code.shape[-1]))  # fused kernels want one width for all three
        extended = self.position(query, self.scale).flatten(1, 3)  # (B, N', heads, D + E), N' = T·H_q·W_q
        mixed = self._attend(extended, key, value)  # (B, N', heads, D + E)
        class_mixed = self._attend(self.pool_q.norm(class_query), *(part[..., : self.head_dim] for part in (key, value)))
        return recomputed(self._finish, class_mixed, mixed, extended)

    def _finish(self, class_mixed: Tensor, mixed: Tensor, query: Tensor) -> Tensor:
        """Residual pooling, not on the class token, and the projection of all heads side by side."""
        pooled = mixed[..., : self.head_dim] + query[..., : self.head_dim]  # (B, N', heads, D)
        projected: Tensor = self.project(torch.cat((class_mixed, pooled), 1).flatten(2))  # (B, 1 + N', dim)
        return projected

    def _attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Fused attention of (B, N, heads, D) over (B, M, heads, D)."""
        query, key, value = (part.transpose(1, 2) for part in (query, key, value))  # (B, heads, N or M, D)
        return F.scaled_dot_product_attention(query, key, value, scale=self.scale).transpose(1, 2)


def reached_places(size: int, stride: int) -> Tensor:
    """Places along one axis that a kernel of 3 reaches: those beside the multiples of `stride`."""
    last = (size - 1) // stride
    return torch.tensor([i for i in range(size) if (i + 1) % stride < KERNEL and (i + 1) // stride <= last])

"""From V_ft, V_st and the polarity, "types" of (B, C) each, to one embedding of length 1."""

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ifdd.hooks import HookPoint
from ifdd.modules.vit import QuickGELU


class CrossBlock(nn.Module):
    """x + attention(query, norm x, norm x), then x + MLP(norm x), on types (B, S, C)."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(dim)
        self.attn = nn.MultiheadAttention(dim, heads, batch_first=True)
        self.ln_2 = nn.LayerNorm(dim)
        self.mlp = nn.Sequential(OrderedDict(c_fc=nn.Linear(dim, 4 * dim), gelu=QuickGELU(), c_proj=nn.Linear(4 * dim, dim)))

    def forward(self, x: Tensor, query: Tensor) -> tuple[Tensor, Tensor]:
        """The types, and the weights of the attention (B, heads, queries, types)."""
        normed = self.ln_1(x)
        found, weights = self.attn(query, normed, normed, average_attn_weights=False)
        x = x + found
        return x + self.mlp(self.ln_2(x)), weights


class TypeFusion(nn.Module):
    """Type Fusion Encoder: learnt queries ask V_ft, V_st and the polarity; as many queries as types, whose mean is the embedding.

    `fusion.queries` (B, S, C) where all blocks share them, else (B, blocks, S, C); `fusion.attention` (B, blocks, heads, S, S) is
    what was computed: replacing it changes nothing.
    """

    def __init__(
        self, dim: int, layers: int, heads: int, types: int, *, shared: bool, query_std: float | None, position_std: float
    ) -> None:
        super().__init__()
        shape = (types, dim) if shared else (layers, types, dim)
        self.positions = nn.Parameter(position_std * torch.randn(types, dim))
        self.query = nn.Parameter(torch.ones(shape) if query_std is None else query_std * torch.randn(shape))
        self.blocks = nn.ModuleList(CrossBlock(dim, heads) for _ in range(layers))
        self.queries = HookPoint("B queries C" if shared else "B blocks queries C")
        self.attention = HookPoint("B blocks heads queries types")

    def forward(self, types: Sequence[Tensor]) -> Tensor:
        """Types (B, C) → embedding (B, C)."""
        x = torch.stack(list(types), 1) + self.positions
        queries = self.queries(self.query.expand(len(x), *self.query.shape))
        weights = []
        for i, block in enumerate(self.blocks):
            x, seen = block(x, queries if queries.dim() == 3 else queries[:, i])
            weights.append(seen)
        self.attention(torch.stack(weights, 1))
        return F.normalize(x.mean(1), dim=1)


class LateFusion(nn.Module):
    """The mean of the types, each of length 1: logits are then the mean of those of each stream."""

    def forward(self, types: Sequence[Tensor]) -> Tensor:
        """Types (B, C) → embedding (B, C)."""
        return torch.stack([F.normalize(x, dim=1) for x in types]).mean(0)

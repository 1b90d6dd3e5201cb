"""Heads: tokens → one vector → class logits."""

import torch
from torch import Tensor, nn

from ifdd.hooks import HookPoint


class MeanPooling(nn.Module):
    """Mean over all positions (the baseline's pooling)."""

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, N, C) → (B, C)."""
        return tokens.mean(1)


class AttentionPooling(nn.Module):
    """Mean over the places of a frame, then attention over the frames: one query, learned, for all clips.

    The query starts at zero, so that all frames count alike at first.
    """

    def __init__(self, dim: int, steps: int) -> None:
        super().__init__()
        self.steps = steps
        self.query = nn.Parameter(torch.zeros(dim))
        self.key = nn.Linear(dim, dim)
        self.weight = HookPoint("B T")  # sum 1

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, N, C), frame by frame → (B, C)."""
        frames = tokens.unflatten(1, (self.steps, -1)).mean(2)  # (B, T', C)
        weight = self.weight((self.key(frames) @ self.query * tokens.shape[-1] ** -0.5).softmax(-1))  # (B, T')
        return torch.einsum("bt,btc->bc", weight, frames)


class LearnedPooling(nn.Module):
    """One learned weight for each position (released as `project_compress`; its networks without a lift have a bias, too)."""

    def __init__(self, positions: int, *, bias: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((positions,), 1 / positions) + torch.randn(positions) * 0.02 / positions)
        self.bias = nn.Parameter(torch.zeros(1)) if bias else None

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, N, C) → (B, C)."""
        pooled = torch.einsum("bnc,n->bc", tokens, self.weight.to(tokens.dtype))
        return pooled if self.bias is None else pooled + self.bias.to(tokens.dtype)


class RefinedPooling(nn.Module):
    """Norm, refinement and learned pooling as IFDD has them, on X itself: the control without split and lift."""

    def __init__(self, dim: int, positions: int, *, refine: nn.Module) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.refine = refine
        self.pool = LearnedPooling(positions)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, N, C) → (B, C)."""
        pooled: Tensor = self.pool(self.refine(self.norm(tokens)))
        return pooled


class Head(nn.Module):
    """Pooling, dropout, linear classifier."""

    def __init__(self, dim: int, num_classes: int, *, pooling: nn.Module, dropout: float) -> None:
        super().__init__()
        self.pooling = pooling
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(dim, num_classes)
        self.embedding = HookPoint("B C", role="embedding")
        self.logits = HookPoint("B classes", role="logits")

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens (B, N, C) → embedding (B, C), logits (B, classes)."""
        embedding = self.embedding(self.pooling(tokens))
        return embedding, self.logits(self.classify(self.dropout(embedding)))

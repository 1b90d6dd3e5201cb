"""Splits beside ISSM: the controls and variants that it is compared with.

All give the outputs of `Split`. `topk`, `weight` and `offset` are the released code's (CyberPegasus/IFDD,
core/wave_methods/AdaptSplit.py: `adaptSplit_dotsim`, `adaptSplit_dotsim_weight`, `adaptIndexSplit_dimLearn`); `constant` is ours.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ifdd.hooks import HookPoint
from ifdd.modules.issm import TOKEN_GRID, Read, Split
from ifdd.modules.precision import full_precision


class ConstantSplit(Split):
    """Learned offsets that are the same for every clip: what ISSM has to beat to be called content-aware."""

    rule, operator = "learned offsets, the same for every clip", "I"

    def __init__(self, steps: int, *, offset_range: float, read_at: Read) -> None:
        super().__init__(steps)
        self.free_S = nn.Parameter(torch.zeros(steps // 2))
        self.free_D = nn.Parameter(torch.zeros(steps // 2))
        self.offset_range = offset_range
        self.read_at = read_at
        self.offset_S, self.offset_D = (HookPoint("B K", group, "offset") for group in "SD")  # feature frames, |·| ≤ L

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, T', H, W) → X_S, X_D."""
        batch = features.shape[0]
        offset_s = self.offset_S((self.offset_range * torch.tanh(self.free_S)).expand(batch, -1))  # (B, K)
        offset_d = self.offset_D((self.offset_range * torch.tanh(self.free_D)).expand(batch, -1))  # (B, K)
        return self.read_with(features, offset_s, offset_d, self.read_at)


class OffsetSplit(Split):
    """Offsets from descriptors of the frames themselves, without the correlation between them (as released)."""

    rule, operator = "Z → MLP → tanh · L + index", "I"

    def __init__(self, channels: int, steps: int, *, offset_range: float, read_at: Read) -> None:
        super().__init__(steps)
        narrow = channels // 8
        side = (TOKEN_GRID + 1) // 2
        self.narrow = nn.Conv2d(channels, narrow, 1)
        self.reduce = nn.Conv2d(narrow, narrow, 3, stride=2, padding=1)
        self.score = nn.Conv1d(narrow * side**2, 1, 3, padding=1)
        self.offsets_S = nn.Linear(steps, steps // 2, bias=False)
        self.offsets_D = nn.Linear(steps, steps // 2, bias=False)
        self.offset_range = offset_range
        self.read_at = read_at
        self.Z = HookPoint("B T d", role="descriptor")
        self.offset_S, self.offset_D = (HookPoint("B K", group, "offset") for group in "SD")  # feature frames, |·| ≤ L

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, T', H, W) → X_S, X_D."""
        with full_precision(features):
            frames = features.to(self.offsets_S.weight.dtype).transpose(1, 2).flatten(0, 1)  # (B·T', C, H, W)
            pooled = F.adaptive_avg_pool2d(frames, TOKEN_GRID)  # (B·T', C, 7, 7)
            reduced = F.gelu(self.reduce(F.gelu(self.narrow(pooled))))  # (B·T', C/8, 4, 4)
            tokens = self.Z(reduced.flatten(1).unflatten(0, (features.shape[0], -1)))  # (B, T', d), d = 16·C/8
            score = F.gelu(self.score(tokens.transpose(1, 2))).squeeze(1)  # (B, T')
            offset_s = self.offset_S(self.offset_range * torch.tanh(self.offsets_S(score)))
            offset_d = self.offset_D(self.offset_range * torch.tanh(self.offsets_D(score)))
        return self.read_with(features, offset_s, offset_d, self.read_at)


class TopKSplit(Split):
    """The K frames that correlate most with all others are static, the rest dynamic; no gradient reaches the choice.

    As released, even frames get a head start of 1.
    """

    rule = "the K frames most correlated are static"

    def __init__(self, steps: int) -> None:
        super().__init__(steps)
        self.correlation = HookPoint("B T T", role="correlation")  # scaled by 1/C

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, T', H, W) → X_S, X_D."""
        frames = pooled_frames(features)  # (B, T', 7·7·C)
        correlation = self.correlation(frames @ frames.transpose(1, 2) / features.shape[1])  # (B, T', T')
        score = correlation.mean(-1) + torch.arange(1, self.steps + 1, device=features.device) % 2  # (B, T')
        order = score.argsort(dim=-1, descending=True, stable=True)
        static, dynamic = (part.sort(dim=-1).values.to(features.dtype) for part in order.chunk(2, -1))  # (B, K)
        sample_s, sample_d = self.sample_S(self.position_S(static)), self.sample_D(self.position_D(dynamic))
        return self.X_S(self.read(features, sample_s)), self.X_D(self.read(features, sample_d))


class WeightSplit(Split):
    """Frames are weighted by the softmax of their summed correlation with all frames, then split into even and odd."""

    rule, operator = "softmax(Σ ZZᵀ) ⊗ X, then even and odd", "⊗"

    def __init__(self, channels: int, steps: int) -> None:
        super().__init__(steps)
        self.project = nn.Linear(TOKEN_GRID**2 * channels, channels)
        self.Z = HookPoint("B T C", role="descriptor")
        self.correlation = HookPoint("B T T", role="correlation")  # scaled by 1/√C
        self.weight = HookPoint("B T", role="weight")  # of the frames, sum 1

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, T', H, W) → X_S, X_D."""
        batch, channels = features.shape[:2]
        tokens = self.Z(self.project(pooled_frames(features)))  # (B, T', C)
        correlation = self.correlation(tokens @ tokens.transpose(1, 2) * channels**-0.5)  # (B, T', T')
        weight = self.weight(correlation.sum(-1).softmax(-1))  # (B, T')
        weighted = features * weight[:, None, :, None, None].to(features.dtype)  # (B, C, T', H, W)
        sample_s = self.sample_S(self.position_S(self.initial_S.expand(batch, -1)))
        sample_d = self.sample_D(self.position_D(self.initial_D.expand(batch, -1)))
        return self.X_S(self.read(weighted, sample_s)), self.X_D(self.read(weighted, sample_d))


def pooled_frames(features: Tensor) -> Tensor:
    """(B, C, T', H, W) → (B, T', 7·7·C): each frame on a coarse grid, channels last."""
    frames = features.transpose(1, 2).flatten(0, 1)  # (B·T', C, H, W)
    pooled = F.adaptive_avg_pool2d(frames, TOKEN_GRID).permute(0, 2, 3, 1)  # (B·T', 7, 7, C)
    return pooled.reshape(features.shape[0], features.shape[2], -1)

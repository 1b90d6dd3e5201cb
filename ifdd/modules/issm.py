"""Splits of a clip's feature frames into a static and a dynamic group of K = T'/2 steps each.

Every split is a module with the same outputs and HookPoints, so a model takes any of them. ISSM (inter-frame sparsity
splitting module, Fig. 1(b)) learns *where* along time to read, by fractional indexes:

    X ─ tokenizer ─ Z ─ Z·Zᵀ ─┬─ softmax(+) ─ MLP_S ─ tanh ─ ×L ─ + (0, 2, …) ─ read ─ X_S
                              └─ softmax(−) ─ MLP_D ─ tanh ─ ×L ─ + (1, 3, …) ─ read ─ X_D

Clips of 2·K feature frames; `position` is what is asked for, `sample` where the features are really read.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ifdd.hooks import HookPoint
from ifdd.modules.precision import full_precision

TOKEN_GRID = 7
"""Side of the grid that each frame is pooled to before its descriptor is made, and channels of that descriptor."""

Read = Callable[[Tensor, int], Tensor]
"""Maps nominal positions and T' to the positions where the features are read."""


def read_exact(position: Tensor, steps: int) -> Tensor:
    """Read at the position itself, clamped to [0, T'−1] (preset `paper`)."""
    return position.clamp(0, steps - 1)


def read_as_released(position: Tensor, steps: int) -> Tensor:
    """Read at p·T'/(T'−1) − 1/2, clamped: the released code normalises and samples with different `align_corners`."""
    return (position * (steps / (steps - 1)) - 0.5).clamp(0, steps - 1)


def sampling_weights(sample: Tensor, steps: int) -> Tensor:
    """Linear interpolation as a matrix: (B, K) positions in [0, T'−1] → weights (B, K, T') whose rows sum to 1.

    Differentiable in `sample`; at a whole position the slope is that towards the next frame. A position that is NaN has weights
    that are: who reads the logits tells it (`finite_logits`), without a look at values in every pass.
    """
    left = sample.detach().floor().clamp(max=steps - 2).nan_to_num(0.0)  # (B, K)
    fraction = (sample - left).unsqueeze(-1)  # (B, K, 1)
    left_code = F.one_hot(left.long(), steps).to(sample.dtype)  # (B, K, T')
    right_code = F.one_hot(left.long() + 1, steps).to(sample.dtype)
    return left_code * (1 - fraction) + right_code * fraction


class Split(nn.Module):
    """What all splits share: initial indexes, reading, and the HookPoints of the result.

    Output of `forward`: X_S and X_D, each (B, C, K, H, W).
    """

    rule = ""
    """Which frames go where, in a line for drawings."""
    operator: Literal["", "I", "⊗"] = ""
    """How they are read, for drawings: whole (""), interpolated (I), multiplied by a weight (⊗)."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps
        self.initial_S: Tensor
        self.initial_D: Tensor
        self.register_buffer("initial_S", torch.arange(0, steps, 2).float(), persistent=False)
        self.register_buffer("initial_D", torch.arange(1, steps, 2).float(), persistent=False)
        self.position_S, self.position_D = (HookPoint("B K", group, "position") for group in "SD")  # feature frames
        self.sample_S, self.sample_D = (HookPoint("B K", group, "sample") for group in "SD")  # feature frames
        self.X_S, self.X_D = (HookPoint("B C K H W", group, "read") for group in "SD")

    def read(self, features: Tensor, sample: Tensor) -> Tensor:
        """Interpolate (B, C, T', H, W) at `sample` (B, K) feature frames → (B, C, K, H, W)."""
        weights = sampling_weights(sample, self.steps).to(features.dtype)  # (B, K, T')
        return torch.einsum("bkt,bcthw->bckhw", weights, features)

    def read_with(self, features: Tensor, offset_s: Tensor, offset_d: Tensor, read_at: Read) -> tuple[Tensor, Tensor]:
        """X_S, X_D from offsets (B, K) in feature frames, added to the initial indexes, and a sampling rule."""
        sample_s = self.sample_S(read_at(self.position_S(self.initial_S + offset_s), self.steps))  # (B, K)
        sample_d = self.sample_D(read_at(self.position_D(self.initial_D + offset_d), self.steps))  # (B, K)
        return self.X_S(self.read(features, sample_s)), self.X_D(self.read(features, sample_d))


class EvenOddSplit(Split):
    """Even feature frames are static, odd ones dynamic: the split of a lazy wavelet, nothing learned."""

    rule = "even frames are static, odd ones dynamic"

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, T', H, W) → X_S, X_D."""
        batch = features.shape[0]
        sample_s = self.sample_S(self.position_S(self.initial_S.expand(batch, -1)))
        sample_d = self.sample_D(self.position_D(self.initial_D.expand(batch, -1)))
        return self.X_S(self.read(features, sample_s)), self.X_D(self.read(features, sample_d))


class Tokenizer(nn.Module):
    """One descriptor for each feature frame: (B, C, T', H, W) → Z (B, T', 7·7·7)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(TOKEN_GRID)
        self.project = nn.Conv2d(channels, TOKEN_GRID, 1)

    @property
    def width(self) -> int:
        """d, the length of a descriptor."""
        return TOKEN_GRID**3

    def forward(self, features: Tensor) -> Tensor:
        """Pool, project, GELU, flatten."""
        frames = features.transpose(1, 2).flatten(0, 1)  # (B·T', C, H, W)
        tokens = F.gelu(self.project(self.pool(frames)))  # (B·T', 7, 7, 7)
        return tokens.flatten(1).unflatten(0, (features.shape[0], -1))  # (B, T', 7·7·7)


class IndexSplit(Split):
    """ISSM: indexes that depend on the clip's own inter-frame correlation (Fig. 1(b)).

    `offset_range` is L, in feature frames; `correlation_scale` multiplies Z·Zᵀ; `read_at` is the sampling rule.
    """

    rule, operator = "softmax(±ZZᵀ) → MLP → tanh · L + index", "I"

    def __init__(self, channels: int, steps: int, *, offset_range: float, correlation_scale: float, read_at: Read) -> None:
        super().__init__(steps)
        self.tokenizer = Tokenizer(channels)
        self.offsets_S = nn.Linear(steps * steps, steps // 2, bias=False)
        self.offsets_D = nn.Linear(steps * steps, steps // 2, bias=False)
        self.offset_range = offset_range
        self.correlation_scale = correlation_scale
        self.read_at = read_at
        self.Z = HookPoint("B T d", role="descriptor")
        self.correlation = HookPoint("B T T", role="correlation")  # scaled, before ± softmax
        self.offset_S, self.offset_D = (HookPoint("B K", group, "offset") for group in "SD")  # feature frames, |·| ≤ L

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, T', H, W) → X_S, X_D."""
        with full_precision(features):
            tokens = self.Z(self.tokenizer(features.to(self.offsets_S.weight.dtype)))  # (B, T', d)
            correlation = self.correlation(tokens @ tokens.transpose(1, 2) * self.correlation_scale)  # (B, T', T')
            offset_s = self.offset_S(self._offset(self.offsets_S, correlation))  # (B, K)
            offset_d = self.offset_D(self._offset(self.offsets_D, -correlation))  # (B, K)
        return self.read_with(features, offset_s, offset_d, self.read_at)

    def _offset(self, project: nn.Linear, correlation: Tensor) -> Tensor:
        return self.offset_range * torch.tanh(project(correlation.softmax(-1).flatten(1)))

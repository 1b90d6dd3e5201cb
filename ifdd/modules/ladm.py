"""LADM: a learnable wavelet lifting step with attention as its two filters (Fig. 1(c)).

X_S ─ norm ──────────┬───── + ── Y_S ────┐
                     │      │            │
                     └ q ─ U(X_D|X_S)    P(Y_S|X_D)
                     ┌ kv ─┘             │ kv
X_D ─ norm ──────────┴──────────── q ────┴─ − ── detail ── refinement ── Y_D

Y_S = X_S + U(X_D|X_S),   Y_D = refine(X_D − P(Y_S|X_D))
"""

from collections.abc import Callable
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from ifdd.hooks import HookPoint
from ifdd.modules.drop import StochasticDepth

Combine = Callable[[Tensor, Tensor], Tensor]
"""What a lift projects: made of the attended values and the values themselves."""


def attention_only(attended: Tensor, value: Tensor) -> Tensor:
    """The lift as drawn in Fig. 1(c) (preset `paper`)."""
    return attended


def attention_plus_value(attended: Tensor, value: Tensor) -> Tensor:
    """The released lift: each token's own value is added before the projection (preset `reference`)."""
    return attended + value


class CrossLift(nn.Module):
    """One lifting filter: queries from the group that is changed, keys and values from the other one.

    Both (B, N, C) → (B, N, C), after the projection. `combine` says what is projected.
    """

    def __init__(self, dim: int, heads: int, *, combine: Combine) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(dim, dim)
        self.key_value = nn.Linear(dim, 2 * dim)
        self.project = nn.Linear(dim, dim)
        self.combine = combine

    def forward(self, changed: Tensor, source: Tensor) -> Tensor:
        """Return what `source` contributes to `changed`."""
        query = _heads(self.query(changed), self.heads)  # (B, heads, N, D)
        key, value = (_heads(part, self.heads) for part in self.key_value(source).chunk(2, -1))  # each (B, heads, N, D)
        attended = F.scaled_dot_product_attention(query, key, value)  # (B, heads, N, D)
        return self.project(self.combine(attended, value).transpose(1, 2).flatten(2))  # (B, N, C)


class Refinement(nn.Module):
    """Self-attention, then an MLP, on the detail: (B, N, C) → Y_D (B, N, C).

    Fig. 1(c) draws the MLP without a skip. `mlp_skip` adds one; `mlp_drop_path` drops the MLP's output of a whole sample,
    which without a skip leaves Y_D = 0 (the released code does that to one training sample in five).
    """

    def __init__(self, dim: int, heads: int, *, drop_path: float, mlp_drop_path: float, mlp_skip: bool) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.project = nn.Linear(dim, dim)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))
        self.drop_path = StochasticDepth(drop_path)
        self.mlp_drop_path = StochasticDepth(mlp_drop_path)
        self.mlp_skip = mlp_skip

    def forward(self, detail: Tensor) -> Tensor:
        """Refine the detail."""
        query, key, value = (_heads(part, self.heads) for part in self.qkv(self.norm1(detail)).chunk(3, -1))
        attended = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)  # (B, N, C)
        tokens = detail + self.drop_path(self.project(attended))  # (B, N, C)
        refined = self.mlp_drop_path(self.mlp(self.norm2(tokens)))
        return tokens + refined if self.mlp_skip else refined


class LADM(nn.Module):
    """Update first, then predict: X_S, X_D (B, C, K, H, W) → Y_S, Y_D, tokens (B, K·H·W, C).

    The parts come from outside: two CrossLifts, a Refinement, and the norm of both branches (LayerNorm as released, or
    Identity), so that Y_S = norm(X_S) + update and detail = norm(X_D) − prediction.
    """

    branches: ClassVar[dict[str, str]] = {"D": "ladm.Y_D", "S": "ladm.Y_S"}

    def __init__(
        self,
        dim: int,
        *,
        update: CrossLift,
        predict: CrossLift,
        refine: Refinement,
        norm: Callable[[int], nn.Module] = nn.LayerNorm,
    ) -> None:
        super().__init__()
        self.norm_S, self.norm_D = norm(dim), norm(dim)
        self.updater, self.predictor, self.refine = update, predict, refine
        self.update, self.prediction = HookPoint("B KHW C", "S", "lift"), HookPoint("B KHW C", "D", "lift")  # projected
        self.Y_S = HookPoint("B KHW C", "S", "branch")
        self.detail = HookPoint("B KHW C", "D", "detail")
        self.Y_D = HookPoint("B KHW C", "D", "branch")

    def forward(self, features_s: Tensor, features_d: Tensor) -> tuple[Tensor, Tensor]:
        """Lift the two groups."""
        static, detail = self.lift(self.norm_S(to_tokens(features_s)), self.norm_D(to_tokens(features_d)))
        return static, self.Y_D(self.refine(detail))

    def lift(self, tokens_s: Tensor, tokens_d: Tensor) -> tuple[Tensor, Tensor]:
        """Normed groups → Y_S and the detail."""
        static = self.Y_S(tokens_s + self.update(self.updater(tokens_s, tokens_d)))
        return static, self.detail(tokens_d - self.prediction(self.predictor(tokens_d, static)))


class PredictFirstLADM(LADM):
    """The classic order of lifting: the detail is predicted from X_S, and X_S is updated with the detail."""

    def lift(self, tokens_s: Tensor, tokens_d: Tensor) -> tuple[Tensor, Tensor]:
        """Normed groups → Y_S and the detail."""
        detail = self.detail(tokens_d - self.prediction(self.predictor(tokens_d, tokens_s)))
        return self.Y_S(tokens_s + self.update(self.updater(tokens_s, detail))), detail


class NoLift(nn.Module):
    """The split alone: both groups as they were read, as tokens (B, K·H·W, C)."""

    branches: ClassVar[dict[str, str]] = {"D": "issm.X_D", "S": "issm.X_S"}

    def forward(self, features_s: Tensor, features_d: Tensor) -> tuple[Tensor, Tensor]:
        """X_S, X_D → tokens."""
        return to_tokens(features_s), to_tokens(features_d)


def to_tokens(features: Tensor) -> Tensor:
    """(B, C, K, H, W) → (B, K·H·W, C), step-major."""
    return features.flatten(2).transpose(1, 2)


def _heads(tokens: Tensor, heads: int) -> Tensor:
    return tokens.unflatten(-1, (heads, -1)).transpose(1, 2)  # (B, heads, N, C / heads)

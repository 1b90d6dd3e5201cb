"""Transformers as CLIP has them, of pictures and of words; what they compute equals open_clip's, weight by weight.

Source: Radford et al. 2021 (CLIP); Dosovitskiy et al. 2021 (ViT).
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

Gelu = Literal["quick-gelu", "gelu"]


class QuickGELU(nn.Module):
    """x · σ(1.702 x), as OpenAI's weights were trained with."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return x * torch.sigmoid(1.702 * x)


GELUS: dict[Gelu, Callable[[], nn.Module]] = {"quick-gelu": QuickGELU, "gelu": nn.GELU}


class Block(nn.Module):
    """x + attention(norm x), then x + MLP(norm x), on tokens (B, N, C)."""

    def __init__(self, width: int, heads: int, gelu: Gelu = "quick-gelu") -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            OrderedDict(c_fc=nn.Linear(width, 4 * width), gelu=GELUS[gelu](), c_proj=nn.Linear(4 * width, width))
        )

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """`mask` (N, N) is added to the scores."""
        normed = self.ln_1(x)
        x = x + self.attn(normed, normed, normed, need_weights=False, attn_mask=mask)[0]
        out: Tensor = x + self.mlp(self.ln_2(x))
        return out


class PatchStem(nn.Sequential):
    """Convolutions of stride 2 in place of one large patch: a small ViT then learns from few clips (Xiao et al. 2021)."""

    def __init__(self, width: int, patch: int, channels: int = 3) -> None:
        steps = patch.bit_length() - 1
        widths = [channels, *(max(width >> (steps - 1 - i), 16) for i in range(steps - 1)), width]
        layers: list[nn.Module] = []
        for i in range(steps):
            layers += [nn.Conv2d(widths[i], widths[i + 1], 3, 2, 1, bias=False), nn.GroupNorm(4, widths[i + 1]), nn.GELU()]
        super().__init__(*layers, nn.Conv2d(width, width, 1, bias=False))


class VisionTransformer(nn.Module):
    """Pictures (N, channels, H, W) → features (N, dim): the class token after the last block, normed and projected."""

    def __init__(
        self,
        size: tuple[int, int],
        *,
        patch: int,
        width: int,
        layers: int,
        heads: int,
        dim: int,
        gelu: Gelu = "quick-gelu",
        convolutions: bool = False,
        channels: int = 3,
    ) -> None:
        super().__init__()
        self.grid = (size[0] // patch, size[1] // patch)
        scale = width**-0.5
        self.conv1 = PatchStem(width, patch, channels) if convolutions else nn.Conv2d(channels, width, patch, patch, bias=False)
        self.class_embedding = nn.Parameter(scale * torch.randn(width))
        self.positional_embedding = nn.Parameter(scale * torch.randn(self.grid[0] * self.grid[1] + 1, width))
        self.ln_pre = nn.LayerNorm(width)
        self.blocks = nn.ModuleList(Block(width, heads, gelu) for _ in range(layers))
        self.ln_post = nn.LayerNorm(width)
        self.proj = nn.Parameter(scale * torch.randn(width, dim))

    def forward(
        self, pictures: Tensor, see: Callable[[Tensor], Tensor] = lambda places: places, early: int = 0
    ) -> tuple[Tensor, Tensor]:
        """Features, and the means over places after each of the first `early` blocks (N, early, width).

        `see` takes the places (N, h·w, width) that the last block reads, and what it returns is read in place of them.
        """
        places = self.conv1(pictures).flatten(2).transpose(1, 2)
        first = self.class_embedding.to(places.dtype).expand(len(places), 1, -1)
        x = self.ln_pre(torch.cat([first, places], 1) + self.positional_embedding)
        means = []
        for i, block in enumerate(self.blocks):
            if i == len(self.blocks) - 1:
                x = torch.cat([x[:, :1], see(x[:, 1:])], 1)
            x = block(x)
            if i < early:
                means.append(x[:, 1:].mean(1))
        features: Tensor = self.ln_post(x[:, 0]) @ self.proj
        return features, torch.stack(means, 1) if means else x.new_empty(len(x), 0, x.shape[2])


class TextTransformer(nn.Module):
    """Embedded words (N, L, width) → features (N, dim): that of the last word, to which all before it were shown."""

    mask: Tensor

    def __init__(self, *, words: int, length: int, width: int, layers: int, heads: int, dim: int, gelu: Gelu) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(words, width)
        nn.init.normal_(self.token_embedding.weight, std=0.02)
        self.positional_embedding = nn.Parameter(0.01 * torch.randn(length, width))
        self.blocks = nn.ModuleList(Block(width, heads, gelu) for _ in range(layers))
        self.ln_final = nn.LayerNorm(width)
        self.text_projection = nn.Parameter(width**-0.5 * torch.randn(width, dim))
        self.register_buffer("mask", torch.full((length, length), float("-inf")).triu(1), persistent=False)

    def forward(self, words: Tensor, last: Tensor) -> Tensor:
        """`last` (N,): the place of the last word of each text."""
        x = words + self.positional_embedding
        for block in self.blocks:
            x = block(x, self.mask)
        x = self.ln_final(x[torch.arange(len(x), device=x.device), last])
        features: Tensor = x @ self.text_projection
        return features

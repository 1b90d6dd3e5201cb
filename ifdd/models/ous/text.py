"""The text side: what an embedding is compared with, a vector for each class."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from ifdd.errors import InputError
from ifdd.models.ous.config import LENGTH
from ifdd.modules.vit import TextTransformer


class ClassVectors(nn.Module):
    """A learnt vector for each class: the text side of an encoder that has none."""

    def __init__(self, classes: int, dim: int) -> None:
        super().__init__()
        self.vectors = nn.Parameter(torch.randn(classes, dim) * dim**-0.5)

    def forward(self, encoder: None) -> Tensor:
        """(classes, C)."""
        return self.vectors


class Prompts(nn.Module):
    """Learnt words, the same for all classes, followed by the class's own word and a full stop; classes in the order of labels.

    Source: Zhou et al. 2022 (CoOp).
    Raises: InputError for a prompt that is longer than CLIP's context, or without the package that has CLIP's vocabulary.
    """

    tokens: Tensor
    last: Tensor

    def __init__(self, classes: Sequence[str], context: int, width: int) -> None:
        super().__init__()
        self.context = nn.Parameter(0.02 * torch.randn(context, width))
        rows = [tokens_of(name, context) for name in classes]
        self.register_buffer("tokens", torch.tensor(rows), persistent=False)
        self.register_buffer("last", torch.tensor([row.index(max(row)) for row in rows]), persistent=False)

    def forward(self, encoder: TextTransformer) -> Tensor:
        """(classes, C)."""
        words = encoder.token_embedding(self.tokens)
        learnt = self.context.expand(len(words), *self.context.shape)
        features: Tensor = encoder(torch.cat([words[:, :1], learnt, words[:, 1 + len(self.context) :]], 1), self.last)
        return features


def tokens_of(name: str, context: int) -> list[int]:
    """CLIP's numbers of the prompt of one class: begin, places for the learnt words, the class, a full stop, end, zeros.

    Raises: InputError as `Prompts`.
    """
    tokenizer = _tokenizer()
    (place,) = tokenizer.encode("X")
    row = [tokenizer.sot_token_id, *[place] * context, *tokenizer.encode(f"{name.replace('_', ' ')}."), tokenizer.eot_token_id]
    if len(row) > LENGTH:
        raise InputError(
            f"the prompt of {name!r} has {len(row)} words with {context} learnt ones, CLIP reads {LENGTH}; "
            f"set context to {max(context - (len(row) - LENGTH), 0)} or less, or shorten the class's name"
        )
    return row + [0] * (LENGTH - len(row))


@cache
def _tokenizer() -> Any:
    try:
        from open_clip.tokenizer import SimpleTokenizer
    except ImportError:
        raise InputError(
            "CLIP's vocabulary is in the package open_clip_torch, which is not installed: pip install 'ifdd-workbench[clip]', "
            "or choose encoder=vit-tiny"
        ) from None
    return SimpleTokenizer()

"""Norm and MLP of a transformer block with the wide hidden layer never kept.

Between its two layers a token is four times as wide as outside; plain autograd keeps that twice, before and after GELU. Here
only the tokens are kept, the rest is made again in the backward pass (one matrix product more in nine), and on a CPU the rows
pass in pieces, since the fresh pages of a large hidden layer cost more time than its arithmetic.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

PIECE = 5 * 2**19
"""Numbers in the hidden layer of one piece on a CPU: 10 MB of float32."""


def normed_mlp(tokens: Tensor, norm: nn.LayerNorm, mlp: nn.Sequential) -> Tensor:
    """mlp(norm(tokens)) for tokens (…, C) and an MLP whose hidden layer is 4·C wide; no part of it may be random."""
    rows = tokens.flatten(0, -2)  # (N, C)
    count = len(rows) if tokens.device.type != "cpu" else max(PIECE // (4 * tokens.shape[-1]), 1)
    pieces = [recomputed(lambda piece: mlp(norm(piece)), piece) for piece in rows.split(count)]  # each (count, C)
    return (torch.cat(pieces) if len(pieces) > 1 else pieces[0]).view(tokens.shape)


def recomputed(function: Callable[..., Tensor], *inputs: Any) -> Tensor:
    """function(*inputs), nothing inside of it kept for the backward pass; `function` may not be random."""
    if not torch.is_grad_enabled():
        return function(*inputs)
    result: Tensor = checkpoint(function, *inputs, use_reentrant=False, preserve_rng_state=False)
    return result

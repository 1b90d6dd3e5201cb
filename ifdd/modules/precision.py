"""Autocast, asked and switched off in one place."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor


def autocast_type(tensor: Tensor) -> torch.dtype | None:
    """The type in which autocast computes on the tensor's device; None where it is off."""
    kind = tensor.device.type
    if not torch.amp.is_autocast_available(kind):  # "meta"
        return None
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else None


def full_precision(tensor: Tensor) -> AbstractContextManager[Any]:
    """A block in which autocast is off: positions need more digits than bfloat16 has."""
    kind = tensor.device.type
    return torch.autocast(kind, enabled=False) if torch.amp.is_autocast_available(kind) else nullcontext()

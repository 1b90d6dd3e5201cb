"""What an epoch adds up: means of losses over clips, hits and misses; sums over processes give those of all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

Sum = Callable[[Tensor], Tensor]
"""Adds a tensor up over processes."""


class Means:
    """Means over clips of the terms of a loss; `known` are sums and a count to begin with, by name."""

    def __init__(self, known: Mapping[str, list[float]] | None = None) -> None:
        self._sums = {name: torch.tensor(values, dtype=torch.float64) for name, values in (known or {}).items()}

    def add(self, terms: Mapping[str, Tensor], count: int) -> None:
        """Add the means of one batch of `count` clips."""
        for name, value in terms.items():
            new = torch.tensor([float(value.detach()) * count, count], dtype=torch.float64)
            self._sums[name] = self._sums[name] + new if name in self._sums else new

    def summed(self, over: Sum) -> dict[str, list[float]]:
        """Sum and count over all processes, by name."""
        return {name: over(values).tolist() for name, values in self._sums.items()}

    def over(self, over: Sum) -> dict[str, float]:
        """Means over all processes, by name."""
        return {name: total / count for name, (total, count) in self.summed(over).items()}


@dataclass(eq=False)
class Scores:
    """Hits and misses (classes, classes) of a validation, rows are the true classes, and its cross-entropy."""

    confusion: Tensor
    loss: Tensor

    @classmethod
    def none(cls, classes: int) -> "Scores":
        """Of no clip."""
        return cls(torch.zeros(classes, classes, dtype=torch.long), torch.zeros(2, dtype=torch.float64))

    def add(self, logits: Tensor, target: Tensor) -> None:
        """Add a batch (B, classes), (B,)."""
        loss = F.cross_entropy(logits, target, reduction="sum")
        self.loss += torch.tensor([float(loss), len(target)], dtype=torch.float64)
        pairs = torch.stack((target, logits.argmax(-1))).cpu()
        self.confusion.index_put_(tuple(pairs), torch.ones(len(target), dtype=torch.long), accumulate=True)

    def over(self, over: Sum) -> tuple[np.ndarray, float]:
        """Confusion and mean cross-entropy over all processes."""
        total, count = over(self.loss).tolist()
        return over(self.confusion).numpy(), total / max(count, 1)

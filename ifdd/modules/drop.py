"""Stochastic depth."""

import torch
from torch import Tensor, nn


class StochasticDepth(nn.Module):
    """Leave a residual branch out for some samples, with probability `rate`, and scale the others up; training only.

    Source: Huang et al., arXiv 1603.09382. torchvision has the same; importing it costs every start two seconds.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, branch: Tensor) -> Tensor:
        """(B, …) → the same shape."""
        if not self.training or self.rate == 0:
            return branch
        keep = torch.rand(len(branch), *[1] * (branch.dim() - 1), device=branch.device) >= self.rate
        return branch * keep / (1 - self.rate)

"""What a model costs: parameters, and multiply-adds of one clip."""

from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from ifdd.models.config import VideoConfig
from ifdd.models.families import create_model


@dataclass(frozen=True)
class Cost:
    """`parameters`; `macs`: multiply-adds of the forward pass of one clip, in matrix products and convolutions alone."""

    parameters: int
    macs: int

    @property
    def flops(self) -> int:
        """Floating-point operations: two for each multiply-add."""
        return 2 * self.macs


def cost(model: str | VideoConfig) -> Cost:
    """Count on tensors without data, so that nothing is computed. Fused attention counts what it multiplies, padding included.

    Source of the rules: PyTorch's FlopCounterMode, which counts FLOPs.
    """
    with torch.device("meta"), torch.no_grad():
        built = create_model(model).eval().requires_grad_(False)
        clips = {name: torch.empty(1, *shape) for name, shape in built.inputs.items()}
        with FlopCounterMode(display=False) as counter:
            built(clips)
    return Cost(sum(parameter.numel() for parameter in built.parameters()), counter.get_total_flops() // 2)

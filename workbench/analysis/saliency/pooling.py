"""What IFDD's learned pooling does to maps of Y_D.

The logits are linear in what the pooling reads: logit_y = Σ_p w(p) · W_y·Y_D(p) + b_y. Hence HiResCAM on Y_D sums to
logit − bias exactly, while Grad-CAM with global weights is (Σw / N) · W_y·Y_D(p): it forgets where w is large, and turns its
sign where Σw is negative.
"""

import numpy as np
import torch
from torch import Tensor, nn

from ifdd.models.base import VideoModel
from workbench.analysis._models import Contrast
from workbench.analysis.saliency.results import PoolingResult
from workbench.results.provenance import record


def learned_pooling(model: nn.Module) -> PoolingResult | None:
    """The learned pooling of a model of ours; None for one whose logits are not a weighted sum over one activation.

    >>> import ifdd
    >>> found = learned_pooling(ifdd.create_model("ifdd-mvit-tiny", frames=8, size=(32, 32)))
    >>> found.activation, found.weights.shape  # (K, H', W')
    ('ladm.Y_D', (4, 2, 2))
    """
    found = model.linear_pooling() if isinstance(model, VideoModel) else None
    if found is None:
        return None
    weights = found.weights.float().cpu().numpy().copy()
    by_step = weights.sum((1, 2), dtype=np.float64)
    source = record("learned pooling", {}, {"weights": weights}, ("torch",))
    return PoolingResult(found.activation, weights, float(by_step.sum()), by_step, source)


def pooling_bias(model: VideoModel, contrast: Contrast) -> Tensor:
    """The part (B,) of each clip's score that no position of the pooled activation has a share in."""
    pooling = model.linear_pooling()
    assert pooling is not None
    bias = pooling.bias
    return bias[contrast.classes] if contrast.others is None else bias[contrast.classes] - bias[contrast.others]


def averaged_sum_note(pooling: PoolingResult, weights: str) -> tuple[str, ...]:
    """The warning that belongs on a Grad-CAM map of the pooled activation, if any."""
    if weights == "global":
        return (pooling.warning,) if pooling.warning else ()
    steps = np.flatnonzero(pooling.by_step <= 0)
    if not steps.size:
        return ()
    named = ", ".join(map(str, steps))
    return (f"the learned pooling of step {named} sums to zero or less, so Grad-CAM's sign is wrong there; read HiResCAM",)


def no_bias(count: int, device: torch.device) -> Tensor:
    """NaN (count,): the method does not promise what its map sums to."""
    return torch.full((count,), float("nan"), device=device)

"""Class activation maps of an activation and its gradient: five formulas, on any number of steps and places.

With activation A, slope g = ∂score/∂A, channels c and positions p, the map is M(p) = Σ_c w_c · A_c(p), where w_c is

- `gradcam`    the mean of g_c (Selvaraju et al. 2017, eq. 1);
- `gradcam++`  Σ_p α_c(p) · relu(g_c(p)) with α_c = 1 / (2 + g_c · Σ_p A_c), zero where g is (Chattopadhay et al. 2018, eq. 19);
- `xgradcam`   Σ_p g_c(p) · A_c(p) / Σ_p A_c(p), zero where that sum is (Fu et al. 2020, eq. 8).

These take their sums over all positions (`global`) or over each step's own (`per-step`). Two methods weigh every position by
itself: `layercam` relu(g) · A (Jiang et al. 2021, eq. 5) and `hirescam` g · A (Draelos and Carin 2020, eq. 3).
"""

from collections.abc import Callable
from typing import Literal, get_args

import torch
from torch import Tensor

from ifdd.errors import InputError
from workbench.analysis.saliency.results import Weights

UNRECTIFIED = "Grad-CAM++ is derived for rectified activations, {} has negative ones; read another method beside it"
CANCELLED = "a norm follows {}: slope times activation adds up to nothing at every place; read another method"
ROUNDING = 1e-4
"""Of the sum of the terms' sizes: a sum that is smaller is not told from rounding of 32 bits."""

BEYOND = (
    "XGrad-CAM's weight is a mean of slopes for activations of one sign; {share:.0%} of the map of {name} comes from channels"
    " whose weight is beyond all their slopes; read another method beside it"
)
WORTH_TELLING = 0.01
"""The least share that a note tells."""

CamMethod = Literal["gradcam", "gradcam++", "xgradcam", "layercam", "hirescam"]
BY_POSITION: frozenset[str] = frozenset({"layercam", "hirescam"})
"""Methods that average nothing, so that the convention for weights does not touch them."""


def class_map(features: Tensor, gradient: Tensor, weights: Weights = "global", method: CamMethod = "gradcam") -> Tensor:
    """Map of one method: activation and slope, both (B, C, steps, h, w) → (B, steps, h, w), signed.

    Raises: InputError for an unknown method or convention, or `per-step` weights of a method that averages nothing.
    """
    check_choice("method", method, get_args(CamMethod))
    check_choice("weights", weights, get_args(Weights))
    if method in BY_POSITION:
        if weights != "global":
            raise InputError(f"weights={weights!r} means nothing to {method}, which weighs each position by itself; leave it out")
        slope = gradient.clamp(min=0) if method == "layercam" else gradient
        return (slope * features).sum(1)
    over = (2, 3, 4) if weights == "global" else (3, 4)
    return (_WEIGHERS[method](features, gradient, over) * features).sum(1)


def singular_share(features: Tensor, gradient: Tensor, weights: Weights) -> Tensor:
    """Share (B,) of the positions with a positive slope where Grad-CAM++ divides by zero or less.

    Its α is derived for rectified activations, where 2 + g · ΣA is 2 or more; on normed tokens that does not hold.
    """
    over = (2, 3, 4) if weights == "global" else (3, 4)
    positive = gradient > 0
    singular = positive & (2 + gradient * features.sum(over, keepdim=True) <= 0)
    return singular.flatten(1).sum(1) / positive.flatten(1).sum(1).clamp(min=1)


def beyond_slopes(features: Tensor, gradient: Tensor, weights: Weights) -> Tensor:
    """Share (B,) of an XGrad-CAM map, in size, that comes from channels whose weight is larger than each of their slopes.

    Of rectified activations there are none: the weight is a mean of the slopes. With both signs ΣA may be next to nothing.
    """
    over = (2, 3, 4) if weights == "global" else (3, 4)
    weight = _axiom(features, gradient, over).abs()
    size = (weight * features.abs()).sum(over, keepdim=True)
    beyond = weight > (1 + ROUNDING) * gradient.abs().amax(over, keepdim=True)
    return (size * beyond).flatten(1).sum(1) / size.flatten(1).sum(1).clamp(min=torch.finfo(size.dtype).tiny)


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise InputError unless `value` is one of `choices`."""
    if value not in choices:
        raise InputError(f"{name}={value!r} is unknown; choose one of {', '.join(choices)}")


def _mean_slope(features: Tensor, gradient: Tensor, over: tuple[int, ...]) -> Tensor:
    return gradient.mean(over, keepdim=True)


def _plus_plus(features: Tensor, gradient: Tensor, over: tuple[int, ...]) -> Tensor:
    below = 2 + gradient * features.sum(over, keepdim=True)
    alpha = torch.where((gradient == 0) | (below == 0), 0, 1 / below)
    return (alpha * gradient.clamp(min=0)).sum(over, keepdim=True)


def _axiom(features: Tensor, gradient: Tensor, over: tuple[int, ...]) -> Tensor:
    total = features.sum(over, keepdim=True)
    return torch.where(total == 0, 0, (gradient * features).sum(over, keepdim=True) / total)


_WEIGHERS: dict[str, Callable[[Tensor, Tensor, tuple[int, ...]], Tensor]] = {
    "gradcam": _mean_slope,
    "gradcam++": _plus_plus,
    "xgradcam": _axiom,
}


def cautions(method: str, features: Tensor, slope: Tensor, weights: Weights, name: str) -> tuple[str, ...]:
    """What a reader should know of a map by its formula, e.g. that it `cancels` and is to be left at zero; arguments as there."""
    if method == "gradcam++" and float(singular_share(features, slope, weights).max()) > 0:
        return (UNRECTIFIED.format(name),)
    if method == "xgradcam" and (share := float(beyond_slopes(features, slope, weights).max())) >= WORTH_TELLING:
        return (BEYOND.format(share=share, name=name),)
    if method == "hirescam" and cancels(features, slope):
        return (CANCELLED.format(name),)
    return ()


def cancels(features: Tensor, slope: Tensor) -> bool:
    """Whether slope times activation (B, C, T, h, w), summed over channels, is rounding at every place.

    So it is where a norm follows each place alone: it forgets the size of its input, so that its slope is at right angles to it.
    """
    terms = slope * features
    return float(terms.sum(1).abs().max()) < ROUNDING * float(terms.abs().sum(1).max())

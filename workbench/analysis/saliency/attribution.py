"""Which pixels does the score hang on? Gradient saliency, integrated gradients and occlusion, through Captum.

`raw` is (B, T, H, W), one number a pixel:

- `saliency`: largest |∂score/∂pixel| over the colours (Simonyan et al. 2014, section 3.1);
- `integrated-gradients`: (x − x₀) · ∫ ∂score/∂x along the straight line from the fill x₀, summed over the colours
  (Sundararajan et al. 2017, eq. 1); it sums to score(x) − score(x₀), and `residue` says how nearly;
- `occlusion`: by how much the score falls when the block around the pixel is filled, mean over the blocks that hold it
  (Zeiler and Fergus 2014, with blocks in space and time).

One clip is worked on at a time, `batch` copies of it, and parameters take no gradient: memory grows with `batch` alone.
"""

from collections.abc import Callable
from typing import Any, Literal, get_args

import torch
from captum.attr import IntegratedGradients, Occlusion, Saliency
from torch import Tensor, nn
from tqdm import tqdm

from ifdd.activations import Activation
from ifdd.errors import InputError
from workbench.analysis._models import Classes, check_finite, check_given, choose_contrast, frozen, logits_of, score
from workbench.analysis.saliency.cam import check_choice
from workbench.analysis.saliency.fills import Fill, fill_of
from workbench.analysis.saliency.maps import finish
from workbench.analysis.saliency.results import Normalisation, SaliencyResult
from workbench.results.provenance import record

Method = Literal["saliency", "integrated-gradients", "occlusion"]
INPUT = "input"
"""What stands for the name of an activation in maps of the clip itself."""

PIXELS = Activation.of(INPUT, "B T H W", clock="clip frames")
FAR = 0.05
"""A residue above this share of what integrated gradients should sum to asks for more steps."""


def attribute(
    model: nn.Module,
    clips: Tensor,
    method: Method = "integrated-gradients",
    target: Classes = None,
    normalise: Normalisation = "clip",
    *,
    against: Classes = None,
    fill: Fill = "black",
    steps: int = 50,
    window: tuple[int, int, int] | None = None,
    stride: tuple[int, int, int] | None = None,
    batch: int = 4,
) -> SaliencyResult:
    """Attribute the score of each of clips (B, 3, T, H, W) to its pixels; `target` and `against` as in `saliency.gradcam`.

    `steps` are those of the integral (Gauss-Legendre). `window` (frames, height, width) is the occluded block, by default an
    eighth of the time and a seventh of each side; it moves by `stride`, by default half of it.
    Raises: InputError for unknown names, a block that does not fit, sizes below 1, NaN.
    """
    check_given(model, clips)
    check_choice("method", method, get_args(Method))
    check_choice("normalise", normalise, get_args(Normalisation))
    filled = fill_of(clips, fill)
    check_finite(clips, "the pixels")
    for name, number in (("steps", steps), ("batch", batch)):
        if number < 1:
            raise InputError(f"{name} is {number}; it must be 1 or more")
    block, move = _window(tuple(clips.shape[2:]), window, stride)
    with frozen(model):
        with torch.no_grad():
            logits = in_chunks(lambda part: logits_of(model, part), clips, batch)
        check_finite(logits, "the logits")
        classes, others = choose_contrast(model, target, against, logits)
        maps = []
        for i in tqdm(range(len(clips)), desc=method, unit="clip", disable=None, leave=False):
            other = None if others is None else others[i : i + 1]
            maps.append(_map(_scorer(model, classes[i : i + 1], other), clips[i : i + 1], filled[i : i + 1], method,
                             steps=steps, block=block, move=move, batch=batch))  # fmt: skip
        reference = None
        if method == "integrated-gradients":
            with torch.no_grad():
                reference = score(in_chunks(lambda part: logits_of(model, part), filled, batch), classes, others)
    parameters: dict[str, Any] = {"method": method, "fill": fill, "normalise": normalise}
    parameters |= {"steps": steps} if method == "integrated-gradients" else {}
    parameters |= {"window": list(block), "stride": list(move)} if method == "occlusion" else {}
    inputs = {"clips": clips.detach().float().cpu().numpy(), "target": classes.cpu().numpy()}
    inputs |= {} if others is None else {"against": others.cpu().numpy()}
    raw, scores = torch.cat(maps), score(logits, classes, others)
    return finish(
        clips, raw, PIXELS, {}, normalise, classes=classes, others=others, scores=scores, method=method, weights="position",
        reference=reference, notes=() if reference is None else _far_notes(raw, scores, reference, steps),
        provenance=record("input attribution", parameters, inputs, ("captum", "torch")),
    )  # fmt: skip


def _map(
    scorer: Callable[[Tensor], Tensor],
    clip: Tensor,
    filled: Tensor,
    method: Method,
    *,
    steps: int,
    block: tuple[int, int, int],
    move: tuple[int, int, int],
    batch: int,
) -> Tensor:
    """Map (1, T, H, W) of one clip."""
    clip = clip.detach()
    if method == "occlusion":
        with torch.no_grad():
            found = Occlusion(scorer).attribute(
                clip, sliding_window_shapes=(clip.shape[1], *block), strides=(clip.shape[1], *move), baselines=filled,
                perturbations_per_eval=batch,
            )  # fmt: skip
        return found.mean(1).detach()  # a block holds all colours, so they share one number
    with torch.enable_grad():
        if method == "saliency":
            return Saliency(scorer).attribute(clip.requires_grad_(), abs=True).amax(1).detach()
        found = IntegratedGradients(scorer).attribute(clip, baselines=filled, n_steps=steps, internal_batch_size=batch)
    return found.sum(1).detach()


def _scorer(model: nn.Module, chosen: Tensor, other: Tensor | None) -> Callable[[Tensor], Tensor]:
    """Score (B,) of clips that are all variants of one."""

    def scorer(clips: Tensor) -> Tensor:
        count = len(clips)
        return score(logits_of(model, clips), chosen.expand(count), None if other is None else other.expand(count))

    return scorer


def in_chunks(function: Callable[[Tensor], Tensor], clips: Tensor, batch: int) -> Tensor:
    """Apply a function to a few clips at a time."""
    return torch.cat([function(clips[first : first + batch]) for first in range(0, len(clips), batch)])


def _window(
    size: tuple[int, ...], window: tuple[int, int, int] | None, stride: tuple[int, int, int] | None
) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    frames, height, width = size
    block = window or (max(frames // 8, 1), max(height // 7, 1), max(width // 7, 1))
    if len(block) != 3 or any(not 1 <= part <= whole for part, whole in zip(block, size, strict=True)):
        raise InputError(f"window {block} does not fit clips of {frames} frames, {height} × {width}; pass frames, height, width")
    move = stride or (max(block[0] // 2, 1), max(block[1] // 2, 1), max(block[2] // 2, 1))
    if len(move) != 3 or any(not 1 <= step <= part for step, part in zip(move, block, strict=True)):
        raise InputError(f"stride {move} must be 1 or more and at most the window {block}, or pixels are left out")
    return block, move


def _far_notes(raw: Tensor, scores: Tensor, reference: Tensor, steps: int) -> tuple[str, ...]:
    due, found = scores - reference, raw.sum((1, 2, 3))
    return tuple(
        f"clip {i}: the map sums to {float(found[i]):.3g}, not to {float(due[i]):.3g}; take more than {steps} steps"
        for i in torch.nonzero((due - found).abs() > FAR * due.abs().clamp(min=1e-6)).flatten().tolist()
    )


__all__ = ["INPUT", "Method", "attribute", "in_chunks"]

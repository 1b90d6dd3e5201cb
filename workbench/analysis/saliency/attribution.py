"""Which pixels does the score hang on? Gradient saliency, integrated gradients and occlusion, through Captum.

`raw` is (B, T, H, W), one number a pixel:

- `saliency`: largest |∂score/∂pixel| over the colours (Simonyan et al. 2014, section 3.1);
- `integrated-gradients`: (x − x₀) · ∫ ∂score/∂x along the straight line from the fill x₀, summed over the colours
  (Sundararajan et al. 2017, eq. 1); it sums to score(x) − score(x₀), and `residue` says how nearly;
- `occlusion`: by how much the score falls when the block around the pixel is filled, mean over the blocks that hold it
  (Zeiler and Fergus 2014, with blocks in space and time).

One clip is worked on at a time, `batch` copies of it, and parameters take no gradient: memory grows with `batch` alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from ifdd.activations import Activation
from ifdd.errors import InputError
from ifdd.inputs import Clips, of_input
from ifdd.progress import tqdm
from workbench.analysis._models import (
    Classes,
    Contrast,
    arrays_of,
    check_finite,
    check_given,
    choose_contrast,
    frozen,
    in_chunks,
    logits_of,
)
from workbench.analysis.saliency.cam import check_choice
from workbench.analysis.saliency.fills import Fill, fill_of
from workbench.analysis.saliency.rendering import SignedMaps, render
from workbench.analysis.saliency.results import Normalisation, SaliencyResult
from workbench.results.provenance import record

Method = Literal["saliency", "integrated-gradients", "occlusion"]
INPUT = "input"
"""What stands for the name of an activation in maps of the clip itself."""

PIXELS = Activation.of(INPUT, "B T H W", clock="clip frames")
FAR = 0.05
"""A residue above this share of what integrated gradients should sum to asks for more steps."""


@dataclass(frozen=True)
class AttributionRequest:
    """How pixels are asked.

    `fill` is what integrated gradients and occlusion start from; `steps` those of the integral (Gauss-Legendre). `window`
    (frames, height, width) is the occluded block, by default an eighth of the time and a seventh of each side; it moves by
    `stride`, by default half of it. `batch` copies of a clip are in memory at a time.
    """

    fill: Fill = "black"
    steps: int = 50
    window: tuple[int, int, int] | None = None
    stride: tuple[int, int, int] | None = None
    batch: int = 4


def attribute(
    model: nn.Module,
    clips: Clips,
    method: Method = "integrated-gradients",
    target: Classes = None,
    normalise: Normalisation = "clip",
    request: AttributionRequest = AttributionRequest(),
    *,
    against: Classes = None,
    of: str | None = None,
) -> SaliencyResult:
    """Attribute the score of each of clips (B, 3, T, H, W) to its pixels; `target` and `against` as in `saliency.gradcam`.

    Of a model with several inputs clips are by name, and the pixels are those of the input `of`, the others being as they are.

    Source: Simonyan et al. 2014 (saliency); Sundararajan et al. 2017, eq. 1 (integrated gradients); Zeiler and Fergus 2014.

    Raises:
        InputError: unknown names, a block that does not fit, sizes below 1, NaN; clips by name without one of their names.

    >>> brightness = nn.Sequential(nn.Flatten(), nn.Linear(48, 2, bias=False))
    >>> clips = torch.rand(1, 3, 4, 2, 2, generator=torch.Generator().manual_seed(0))
    >>> found = attribute(brightness, clips, target=1, request=AttributionRequest(steps=2))
    >>> found.raw.shape, bool(abs(found.residue[0]) < 1e-5)  # a linear model: the map sums to the score
    ((1, 4, 2, 2), True)
    """
    check_given(model, clips, several=True)
    check_choice("method", method, get_args(Method))
    check_choice("normalise", normalise, get_args(Normalisation))
    if isinstance(clips, Mapping) and of not in clips:
        raise InputError(f"pixels of {of or 'which input'}? These clips have {' and '.join(clips)}; name one with of")
    pixels = of_input(clips, of)
    filled = fill_of(pixels, request.fill)
    check_finite(pixels, "the pixels")
    for name, number in (("steps", request.steps), ("batch", request.batch)):
        if number < 1:
            raise InputError(f"{name} is {number}; it must be 1 or more")
    block, move = _window(tuple(pixels.shape[2:]), request.window, request.stride)
    request = replace(request, window=block, stride=move)
    with frozen(model):
        with torch.no_grad():
            logits = in_chunks(lambda part: logits_of(model, part), clips, request.batch)
        check_finite(logits, "the logits")
        contrast = choose_contrast(model, target, against, logits)
        maps = []
        for i in tqdm(range(len(pixels)), desc=method, unit="clip", disable=None, leave=False):
            scorer = _scorer(model, contrast, clips, of, i)
            maps.append(_map(scorer, pixels[i : i + 1], filled[i : i + 1], method, request))
        reference = None
        if method == "integrated-gradients":
            instead = {**clips, of: filled} if isinstance(clips, Mapping) and of else filled
            with torch.no_grad():
                reference = contrast.score(in_chunks(lambda part: logits_of(model, part), instead, request.batch))
    parameters: dict[str, Any] = {"method": method, "fill": request.fill, "normalise": normalise}
    parameters |= {"steps": request.steps} if method == "integrated-gradients" else {}
    parameters |= {"window": list(block), "stride": list(move)} if method == "occlusion" else {}
    raw, scores = torch.cat(maps), contrast.score(logits)
    signed = SignedMaps(
        raw,
        PIXELS if not isinstance(clips, Mapping) else replace(PIXELS, name=f"{INPUT}.{of}", input=of),
        contrast,
        scores,
        method,
        "position",
        record("input attribution", parameters, arrays_of(clips) | contrast.arrays(), ("captum", "torch")),
        reference=reference,
        notes=() if reference is None else _far_notes(raw, scores, reference, request.steps),
    )
    return render(signed, clips, normalise)


def _map(scorer: Callable[[Tensor], Tensor], clip: Tensor, filled: Tensor, method: Method, request: AttributionRequest) -> Tensor:
    """Map (1, T, H, W) of one clip."""
    from captum.attr import IntegratedGradients, Occlusion, Saliency  # takes longer than most maps

    clip = clip.detach()
    if method == "occlusion":
        assert request.window is not None
        assert request.stride is not None
        with torch.no_grad():
            found = Occlusion(scorer).attribute(
                clip,
                sliding_window_shapes=(clip.shape[1], *request.window),
                strides=(clip.shape[1], *request.stride),
                baselines=filled,
                perturbations_per_eval=request.batch,
            )
        return found.mean(1).detach()  # a block holds all colours, so they share one number
    with torch.enable_grad():
        if method == "saliency":
            return Saliency(scorer).attribute(clip.requires_grad_(), abs=True).amax(1).detach()
        integral = IntegratedGradients(scorer)
        found = integral.attribute(clip, baselines=filled, n_steps=request.steps, internal_batch_size=request.batch)
    return found.sum(1).detach()


def _scorer(model: nn.Module, contrast: Contrast, clips: Clips, of: str | None, i: int) -> Callable[[Tensor], Tensor]:
    """Score (B,) of pixels that are all variants of those of clip `i`; of several inputs all but `of` stay as they are."""

    def scorer(pixels: Tensor) -> Tensor:
        given: Clips = pixels
        if isinstance(clips, Mapping):
            given = {name: part[i].expand(len(pixels), *part[i].shape) for name, part in clips.items()} | {str(of): pixels}
        return contrast.of_clip(i, len(pixels)).score(logits_of(model, given))

    return scorer


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

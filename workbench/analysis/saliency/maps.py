"""Where does the evidence for a class lie? Class activation maps of any named activation of a video model.

The score that is explained is the logit of a class, or with `against` the difference of two logits. The formulas are in `cam`.
Two incompatible Grad-CAMs of video are in use: pytorch-grad-cam and Captum average each channel's slope over all positions
(`global`), SlowFast and MMAction2 over those of each time step (`per-step`); every result says which it is.

`raw` is the map itself, signed. `frames` is for the eye: ReLU, steps spread to the clip's frames, upsampled to pixels,
normalised by clip, by frame or not at all. Of a transformer the pyramid reads the stages from the side: the map of such a stage
shows what the pyramid reads of it, and not what later blocks do with it. A CNN's stage has both. Gradients come from
`autograd.grad`; parameters' `.grad`, modes and hooks stay as they were.
"""

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from ifdd.activations import Activation
from ifdd.errors import InputError
from ifdd.inputs import Clips, of_input
from ifdd.models.base import VideoModel
from ifdd.timing import repeat_to_clip_frames
from workbench.analysis._models import Classes, arrays_of, check_finite, choose_contrast, describe, score
from workbench.analysis.saliency.activations import run_to
from workbench.analysis.saliency.cam import BY_POSITION, CamMethod, check_choice, class_map, singular_share
from workbench.analysis.saliency.pooling import averaged_sum_note, learned_pooling, no_bias, pooling_bias
from workbench.analysis.saliency.rendering import as_volume, render_frames, spread_steps
from workbench.analysis.saliency.results import Normalisation, PoolingResult, SaliencyResult, Weights
from workbench.results.provenance import Provenance, record

CONTEXT = "reaches the logits only through P: context that the predictor subtracts"
"""How to read the map of anything that only the static branch holds."""


def gradcam(
    model: nn.Module,
    clips: Clips,
    activation: str | None = None,
    target: Classes = None,
    weights: Weights = "global",
    normalise: Normalisation = "clip",
    *,
    against: Classes = None,
    method: CamMethod = "gradcam",
) -> SaliencyResult:
    """Map of one activation of clips (B, 3, T, H, W); `target` a class, one for each clip, or None for the predicted class.

    With `against` the difference of two logits is explained. The model is one of ours, or any module that returns logits; of
    those an activation is the name of a sub-module that returns (B, C, T', h, w).
    Raises: InputError for an unknown activation, one without places in the frame, an unknown class or convention, NaN.
    """
    if activation is None:
        if not isinstance(model, VideoModel):
            raise InputError("a model that is none of ours names no branches; give the activation, the name of a sub-module")
        activation = next(iter(model.branches.values()))
    return class_maps(model, clips, (activation,), target, weights, normalise, against=against, method=method)[activation]


def gradcam_branches(
    model: VideoModel,
    clips: Clips,
    target: Classes = None,
    weights: Weights = "global",
    normalise: Normalisation = "clip",
    *,
    against: Classes = None,
    method: CamMethod = "gradcam",
) -> dict[str, SaliencyResult]:
    """Maps of each of the model's branches (D and S, or X of a baseline) in one forward and one backward pass."""
    names = tuple(model.branches.values())
    results = class_maps(model, clips, names, target, weights, normalise, against=against, method=method)
    return {branch: results[name] for branch, name in model.branches.items()}


def class_maps(
    model: nn.Module,
    clips: Clips,
    names: Sequence[str],
    target: Classes = None,
    weights: Weights = "global",
    normalise: Normalisation = "clip",
    *,
    against: Classes = None,
    method: CamMethod = "gradcam",
) -> dict[str, SaliencyResult]:
    """`gradcam` of several activations in one forward and one backward pass, by name."""
    check_choice("method", method, get_args(CamMethod))
    check_choice("weights", weights, get_args(Weights))
    check_choice("normalise", normalise, get_args(Normalisation))
    names = tuple(names)
    logits, cache = run_to(model, clips, names)
    check_finite(logits.detach(), "the logits")
    classes, others = choose_contrast(model, target, against, logits)
    with torch.enable_grad():  # the caller may have gradients off
        scores = score(logits, classes, others)
        total = scores.sum()
    gradients = torch.autograd.grad(total, [cache[name] for name in names], allow_unused=True)
    source = record(
        "class activation map",
        {"activations": list(names), "method": method, "weights": weights, "normalise": normalise},
        arrays_of(clips) | {"target": classes.cpu().numpy()} | ({} if others is None else {"against": others.cpu().numpy()}),
        ("torch",),
    )
    results = {}
    for name, gradient in zip(names, gradients, strict=True):
        told = describe(model, name)
        features = as_volume(cache[name].detach(), told.grid)
        slope = torch.zeros_like(features) if gradient is None else as_volume(gradient, told.grid)
        check_finite(features, name)
        raw = class_map(features, slope, weights, method)
        notes: tuple[str, ...] = ()
        pooling, reading, reference = None, "", no_bias(len(raw), raw.device)
        if gradient is None:
            notes = (f"the logits do not depend on {name}: nothing after the backbone reads it, so its map is zero",)
        elif method == "gradcam++" and float(singular_share(features, slope, weights).max()) > 0:
            notes = (f"Grad-CAM++ is derived for rectified activations, {name} has negative ones; read another method beside it",)
        if isinstance(model, VideoModel) and gradient is not None:
            reading = f"{told.short} {CONTEXT}" if told.group == "S" else ""
            pooling = learned_pooling(model)
            if pooling is not None and pooling.activation != name:
                pooling = None
            if pooling is not None and method == "hirescam":
                reference = pooling_bias(model, classes, others)
            if pooling is not None and method in ("gradcam", "gradcam++"):
                notes = (*notes, *averaged_sum_note(pooling, weights))
        results[name] = finish(
            clips, raw, told, cache, normalise, notes=notes, scores=scores.detach(), classes=classes, others=others,
            method=method, weights="position" if method in BY_POSITION else weights, reference=reference, pooling=pooling,
            reading=reading,
            provenance=source, zero=gradient is None,
        )  # fmt: skip
    return results


def finish(
    clips: Clips,
    raw: Tensor,
    activation: Activation,
    cache: dict[str, Tensor],
    normalise: Normalisation,
    *,
    classes: Tensor,
    others: Tensor | None,
    scores: Tensor,
    method: str,
    weights: Weights | Literal["position"],
    provenance: Provenance,
    reference: Tensor | None = None,
    notes: tuple[str, ...] = (),
    pooling: PoolingResult | None = None,
    reading: str = "",
    zero: bool = False,
) -> SaliencyResult:
    """Render signed maps (B, steps, h, w) of an activation over its input's clips; `cache` has where the groups read."""
    frames, *size = of_input(clips, activation.input).shape[2:]
    positive, read = spread_steps(raw.clamp(min=0), activation, cache)
    shown, flat = render_frames(positive, raw, frames, (size[0], size[1]), normalise)
    return SaliencyResult(
        activation=activation.name,
        target=classes.cpu().numpy(),
        weights=weights,
        normalise=normalise,
        raw=raw.float().cpu().numpy(),
        frames=shown.float().cpu().numpy(),
        read=repeat_to_clip_frames(read, frames).cpu().numpy(),
        notes=notes if zero else (*notes, *flat),
        method=method,
        against=None if others is None else others.cpu().numpy(),
        score=scores.double().cpu().numpy(),
        reference=None if reference is None else reference.double().cpu().numpy(),
        pooling=pooling,
        reading=reading,
        provenance=provenance,
    )


__all__ = [
    "CamMethod", "Normalisation", "SaliencyResult", "Weights", "class_map", "class_maps", "gradcam", "gradcam_branches",
    "render_frames", "spread_steps",
]  # fmt: skip

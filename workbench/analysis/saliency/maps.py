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
from dataclasses import replace
from typing import get_args

import torch
from torch import nn

from ifdd.errors import InputError
from ifdd.inputs import Clips
from ifdd.models.base import VideoModel
from workbench.analysis._models import Classes, arrays_of, check_finite, choose_contrast, describe
from workbench.analysis.saliency.activations import run_to
from workbench.analysis.saliency.cam import BY_POSITION, CamMethod, cautions, check_choice, class_map
from workbench.analysis.saliency.pooling import averaged_sum_note, learned_pooling, no_bias, pooling_bias
from workbench.analysis.saliency.rendering import SignedMaps, as_volume, render
from workbench.analysis.saliency.results import Normalisation, SaliencyResult, Weights
from workbench.results.provenance import record

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

    Source: Selvaraju et al. 2017, eq. 1 and 2; papers and equations of the other methods stand in `saliency.cam`.

    Raises:
        InputError: an unknown activation, one without places in the frame, an unknown class or convention, NaN.

    >>> import ifdd
    >>> model = ifdd.create_model("ifdd-mvit-tiny", frames=8, size=(32, 32))
    >>> found = gradcam(model, torch.rand(1, 3, 8, 32, 32), "ladm.Y_D", target=0)
    >>> found.frames.shape, found.method, found.target.tolist()
    ((1, 8, 32, 32), 'gradcam', [0])
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
    """Maps of each of the model's branches (D and S, or X of a baseline) in one forward and one backward pass.

    Arguments, and what is raised, as `gradcam`.

    Raises:
        InputError: as `gradcam`.

    >>> import ifdd
    >>> model = ifdd.create_model("ifdd-mvit-tiny", frames=8, size=(32, 32))
    >>> {branch: found.activation for branch, found in gradcam_branches(model, torch.rand(1, 3, 8, 32, 32)).items()}
    {'D': 'ladm.Y_D', 'S': 'ladm.Y_S'}
    """
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
    """`gradcam` of several activations in one forward and one backward pass, by name.

    Raises:
        InputError: as `gradcam`.

    >>> layer = nn.Conv3d(3, 2, 1)
    >>> model = nn.Sequential(layer, nn.AdaptiveAvgPool3d(1), nn.Flatten())
    >>> clips = torch.rand(1, 3, 4, 8, 8)
    >>> found = class_maps(model, clips, ["0"], target=1)["0"]
    >>> expected = layer(clips)[:, 1] / (4 * 8 * 8)  # the weight of its own channel is the mean of 1/N, of the other 0
    >>> torch.allclose(torch.tensor(found.raw), expected, atol=1e-6)
    True
    """
    check_choice("method", method, get_args(CamMethod))
    check_choice("weights", weights, get_args(Weights))
    check_choice("normalise", normalise, get_args(Normalisation))
    names = tuple(names)
    logits, cache = run_to(model, clips, names)
    check_finite(logits.detach(), "the logits")
    contrast = choose_contrast(model, target, against, logits)
    with torch.enable_grad():  # the caller may have gradients off
        scores = contrast.score(logits)
        total = scores.sum()
    gradients = torch.autograd.grad(total, [cache[name] for name in names], allow_unused=True)
    source = record(
        "class activation map",
        {"activations": list(names), "method": method, "weights": weights, "normalise": normalise},
        arrays_of(clips) | contrast.arrays(),
        ("torch",),
    )
    found = {}
    for name, gradient in zip(names, gradients, strict=True):
        told = describe(model, name)
        features = as_volume(cache[name].detach(), told.grid)
        check_finite(features, name)
        slope = torch.zeros_like(features) if gradient is None else as_volume(gradient, told.grid)
        raw = class_map(features, slope, weights, method)
        maps = SignedMaps(
            raw,
            told,
            contrast,
            scores.detach(),
            method,
            "position" if method in BY_POSITION else weights,
            source,
            cache,
            reference=no_bias(len(raw), raw.device),
        )
        if gradient is None:
            unread = f"the logits do not depend on {name}: nothing after the backbone reads it, so its map is zero"
            maps = replace(maps, notes=(unread,), zero=True)
        else:
            maps = replace(maps, notes=cautions(method, features, slope, weights, name))
            if method == "hirescam" and maps.notes:
                maps = replace(maps, raw=torch.zeros_like(raw), zero=True)
            maps = _as_the_model_reads_it(model, maps)
        found[name] = render(maps, clips, normalise)
    return found


def _as_the_model_reads_it(model: nn.Module, maps: SignedMaps) -> SignedMaps:
    """Maps with what is known of how a model of ours uses their activation: its group, a learned pooling."""
    if not isinstance(model, VideoModel):
        return maps
    if maps.activation.group == "S":
        maps = replace(maps, reading=f"{maps.activation.short} {CONTEXT}")
    pooling = learned_pooling(model)
    if pooling is None or pooling.activation != maps.activation.name:
        return maps
    maps = replace(maps, pooling=pooling)
    if maps.method == "hirescam":
        return replace(maps, reference=pooling_bias(model, maps.contrast))
    if maps.method in ("gradcam", "gradcam++"):
        return replace(maps, notes=(*maps.notes, *averaged_sum_note(pooling, maps.weights)))
    return maps

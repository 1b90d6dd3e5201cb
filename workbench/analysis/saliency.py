"""Where does the evidence for a class lie? Grad-CAM on any named activation of a video model.

The map of an activation A (positions p, channels c) for class y is  M(p) = Σ_c w_c · A_c(p)  with weights

- `global`:   w_c = mean over all positions of ∂logit_y/∂A_c (Selvaraju et al. 2017; pytorch-grad-cam and Captum on 5-D tensors);
- `per-step`: one weight for each time step, the mean over its own positions (SlowFast and MMAction2).

`raw` is M, signed. `frames` is for the eye: ReLU, steps spread to the clip's frames, upsampled to pixels, normalised by clip,
by frame or not at all. The pyramid reads the backbone's stages from the side: the map of a stage that a later one is computed
from shows only what the pyramid reads of it. Gradients come from `autograd.grad`; parameters' `.grad`, modes and hooks stay
as they were.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ifdd.errors import InputError
from ifdd.hooks import HookFunction
from ifdd.model import DFERModel
from ifdd.modules.issm import sampling_weights
from ifdd.timing import repeat_to_clip_frames

Weights = Literal["global", "per-step"]
Normalisation = Literal["clip", "frame", "none"]

FLAT = 1e-8
"""A map whose maximum is below this share of its largest magnitude holds no positive evidence worth scaling up."""


@dataclass(frozen=True)
class SaliencyResult:
    """A batch of maps and the conventions they were made with.

    `target` (B,) class indexes; `raw` (B, steps, h, w) signed, before ReLU and scaling, steps = K for the groups' activations
    and T' else; `frames` (B, T, H, W) non-negative; `read` (B, T), False where no step reads a frame, so that nothing is known.
    """

    activation: str
    target: np.ndarray
    weights: Weights
    normalise: Normalisation
    raw: np.ndarray
    frames: np.ndarray
    read: np.ndarray
    notes: tuple[str, ...] = field(default=())


def gradcam(
    model: DFERModel,
    clips: Tensor,
    activation: str = "ladm.Y_D",
    target: int | Sequence[int] | None = None,
    weights: Weights = "global",
    normalise: Normalisation = "clip",
) -> SaliencyResult:
    """Grad-CAM of one activation; `target` a class, one for each clip, or None for the predicted class.

    Raises: InputError for an unknown activation, one without places in the frame, an unknown class or convention.
    """
    return _gradcam(model, clips, (activation,), target, weights, normalise)[activation]


def gradcam_branches(
    model: DFERModel,
    clips: Tensor,
    target: int | Sequence[int] | None = None,
    weights: Weights = "global",
    normalise: Normalisation = "clip",
) -> dict[str, SaliencyResult]:
    """Grad-CAM of each of the model's branches (D and S, or X of a baseline) in one forward and one backward pass."""
    results = _gradcam(model, clips, tuple(model.branches.values()), target, weights, normalise)
    return {branch: results[name] for branch, name in model.branches.items()}


def _gradcam(
    model: DFERModel,
    clips: Tensor,
    names: tuple[str, ...],
    target: int | Sequence[int] | None,
    weights: Weights,
    normalise: Normalisation,
) -> dict[str, SaliencyResult]:
    _check_choice("weights", weights, get_args(Weights))
    _check_choice("normalise", normalise, get_args(Normalisation))
    model.select_activations(names)
    for name in names:
        if not is_spatial(name):
            raise InputError(f"{name} has no places in the frame; choose one of {', '.join(spatial_activations(model))}")
    logits, cache = _decode_with_gradients(model, clips, names)
    classes = _targets(target, logits)
    with torch.enable_grad():  # the caller may have gradients off
        score = logits.gather(1, classes[:, None]).sum()
    gradients = torch.autograd.grad(score, [cache[name] for name in names], allow_unused=True)
    grid = model.config.grid
    results = {}
    for name, gradient in zip(names, gradients, strict=True):
        features = cache[name].detach()
        slope = torch.zeros_like(features) if gradient is None else gradient
        raw = class_map(_as_volume(features, grid), _as_volume(slope, grid), weights)
        positive, read = spread_steps(raw.clamp(min=0), name, cache)
        frames, notes = render_frames(positive, raw, model.config.frames, model.config.size, normalise)
        if gradient is None:
            notes = (f"the logits do not depend on {name}: nothing after the backbone reads it, so its map is zero",)
        results[name] = SaliencyResult(
            activation=name,
            target=classes.cpu().numpy(),
            weights=weights,
            normalise=normalise,
            raw=raw.cpu().numpy(),
            frames=frames.cpu().numpy(),
            read=repeat_to_clip_frames(read, model.config.frames).cpu().numpy(),
            notes=notes,
        )
    return results


def _decode_with_gradients(model: DFERModel, clips: Tensor, names: tuple[str, ...]) -> tuple[Tensor, dict[str, Tensor]]:
    """Run the backbone without a graph and the rest with one: every named activation lies behind the backbone."""
    wanted = {*names, *(name for name in model.activation_names if name.startswith("issm.sample_"))}
    cache: dict[str, Tensor] = {}
    with model.evaluating():
        with torch.no_grad():
            stages = model.encode(clips)
        stages = tuple(stage.detach().requires_grad_() for stage in stages)
        cache |= {f"backbone.stage{i}": stage for i, stage in enumerate(stages)}
        behind = [name for name in wanted if not name.startswith("backbone.")]
        with torch.enable_grad(), model.hooks({name: _store(cache, name) for name in behind}):
            logits = model.decode(stages).logits
    return logits, cache


def _store(cache: dict[str, Tensor], name: str) -> HookFunction:
    def store(activation: Tensor) -> None:
        cache[name] = activation

    return store


def class_map(features: Tensor, gradient: Tensor, weights: Weights) -> Tensor:
    """Channels weighted by their mean slope: two (B, C, steps, h, w) → (B, steps, h, w), signed."""
    over = (2, 3, 4) if weights == "global" else (3, 4)
    return (gradient.mean(over, keepdim=True) * features).sum(1)


def spread_steps(raw: Tensor, name: str, cache: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Spread the K steps of a group to the T' feature frames by the weights with which they were sampled.

    This is the adjoint of sampling, so sums over time are conserved. Returns (B, T', h, w) and which frames are read (B, T').
    Activations that have T' steps already are returned as they are.
    """
    group = group_of(name)
    if group is None:
        return raw, torch.ones(raw.shape[:2], dtype=torch.bool, device=raw.device)
    sample = cache[f"issm.sample_{group}"].detach()
    matrix = sampling_weights(sample, 2 * sample.shape[1]).to(raw.dtype)
    return torch.einsum("bkt,bkhw->bthw", matrix, raw), matrix.sum(1) > 0


def render_frames(
    positive: Tensor, raw: Tensor, frames: int, size: tuple[int, int], normalise: Normalisation
) -> tuple[Tensor, tuple[str, ...]]:
    """Rectified maps (B, T', h, w) → maps for the eye (B, T, H, W), and notes on those without positive evidence.

    `raw` are the signed maps: what is positive only by rounding against them is not scaled up.
    """
    pixels = F.interpolate(positive, size=size, mode="bilinear", align_corners=False)
    pixels = repeat_to_clip_frames(pixels, frames)
    if normalise == "none":
        return pixels, ()
    over = (1, 2, 3) if normalise == "clip" else (2, 3)
    peak = pixels.amax(over, keepdim=True)
    magnitude = raw.abs().amax((1, 2, 3), keepdim=True)
    flat = peak <= FLAT * magnitude.clamp(min=torch.finfo(raw.dtype).tiny)
    notes = tuple(
        f"clip {i}: no positive evidence in {'any' if normalise == 'clip' else 'some'} frame; its map is left at zero"
        for i in range(len(raw))
        if bool(flat[i].any())
    )
    return torch.where(flat, torch.zeros_like(pixels), pixels / peak.clamp(min=torch.finfo(raw.dtype).tiny)), notes


def group_of(name: str) -> Literal["S", "D"] | None:
    """The group whose K steps an activation has; None for activations over all T' feature frames."""
    if name in ("ladm.Y_S", "ladm.update", "issm.X_S"):
        return "S"
    if name in ("ladm.Y_D", "ladm.detail", "ladm.prediction", "issm.X_D"):
        return "D"
    return None


def is_spatial(name: str) -> bool:
    """Whether an activation has places in the frame."""
    return group_of(name) is not None or name == "pyramid.X" or name.startswith("backbone.")


def spatial_activations(model: DFERModel) -> tuple[str, ...]:
    """Activations of this model that a saliency map can be made of: those with places that the logits depend on."""
    unread = {f"backbone.stage{i}" for i in range(4) if i not in model.config.stages}
    return tuple(name for name in model.activation_names if is_spatial(name) and name not in unread)


def _as_volume(activation: Tensor, grid: tuple[int, int]) -> Tensor:
    """Tokens (B, K·h·w, C) or a volume → (B, C, steps, h, w)."""
    if activation.dim() == 5:
        return activation
    return activation.unflatten(1, (-1, *grid)).movedim(-1, 1)


def _targets(target: int | Sequence[int] | None, logits: Tensor) -> Tensor:
    batch, classes = logits.shape
    if target is None:
        return logits.detach().argmax(1)
    chosen = torch.as_tensor(target)
    chosen = chosen.expand(batch) if chosen.dim() == 0 else chosen
    if chosen.shape != (batch,) or bool(((chosen < 0) | (chosen >= classes)).any()):
        raise InputError(f"target {target} is no class for {batch} clips; classes are 0 to {classes - 1}")
    return chosen.to(logits.device)


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InputError(f"{name}={value!r} is unknown; choose one of {', '.join(choices)}")

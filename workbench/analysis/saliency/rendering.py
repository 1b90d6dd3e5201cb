"""From the map of an activation to a map of each frame of the clip: in time, in the picture, and in colour."""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from ifdd.models.base import VideoModel
from ifdd.modules.issm import sampling_weights
from ifdd.modules.resnet3d import ResNet3D
from ifdd.timing import repeat_to_clip_frames
from workbench.analysis.saliency.results import Normalisation

FLAT = 1e-8
"""A map whose maximum is below this share of its largest magnitude holds no positive evidence worth scaling up."""


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


def spatial_activations(model: VideoModel) -> tuple[str, ...]:
    """Activations of this model that a saliency map can be made of: those with places that the logits depend on."""
    unread = {f"backbone.stage{i}" for i in range(4) if i not in model.config.stages}
    if isinstance(model.backbone, ResNet3D):
        unread = set()  # each stage is computed from the one before
    return tuple(name for name in model.activation_names if is_spatial(name) and name not in unread)


def as_volume(activation: Tensor, grid: tuple[int, int]) -> Tensor:
    """Tokens (B, K·h·w, C) or a volume → (B, C, steps, h, w)."""
    if activation.dim() == 5:
        return activation
    return activation.unflatten(1, (-1, *grid)).movedim(-1, 1)

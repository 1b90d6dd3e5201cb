"""From the map of an activation to a map of each frame of the clip: in time, in the picture, and in colour."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from ifdd.activations import Activation
from ifdd.modules.issm import sampling_weights
from ifdd.timing import repeat_to_clip_frames
from workbench.analysis.saliency.results import Normalisation

FLAT = 1e-8
"""A map whose maximum is below this share of its largest magnitude holds no positive evidence worth scaling up."""


def spread_steps(raw: Tensor, activation: Activation, cache: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Spread the K steps of a group to the T' feature frames by the weights with which they were sampled.

    This is the adjoint of sampling, so sums over time are conserved. Returns (B, T', h, w) and which frames are read (B, T').
    Activations that have T' steps already are returned as they are; the others tell which of `cache` says where they were read.
    """
    if activation.sample is None:
        return raw, torch.ones(raw.shape[:2], dtype=torch.bool, device=raw.device)
    sample = cache[activation.sample].detach()
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


def as_volume(activation: Tensor, grid: tuple[int, int] | None) -> Tensor:
    """Tokens (B, K·h·w, C) on a grid (h, w), or a volume → (B, C, steps, h, w)."""
    if activation.dim() == 5 or grid is None:
        return activation
    return activation.unflatten(1, (-1, *grid)).movedim(-1, 1)

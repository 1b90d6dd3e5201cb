"""From the map of an activation to a map of each frame of the clip: in time, in the picture, and in colour."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from ifdd.activations import Activation
from ifdd.inputs import Clips, of_input
from ifdd.modules.issm import sampling_weights
from ifdd.timing import repeat_to_clip_frames
from workbench.analysis._models import Contrast
from workbench.analysis.saliency.results import Normalisation, PoolingResult, SaliencyResult, Weights
from workbench.results.provenance import Provenance

FLAT = 1e-8
"""A map whose maximum is below this share of its largest magnitude holds no positive evidence worth scaling up."""


@dataclass(frozen=True, eq=False)
class SignedMaps:
    """Maps `raw` (B, steps, h, w) of an activation before they are rendered, and what a `SaliencyResult` says of them.

    `cache` has the activations that tell where the groups read; `scores` (B,) is what is explained. `zero` maps are of an
    activation that the logits do not depend on: that they hold no evidence needs no further note.
    """

    raw: Tensor
    activation: Activation
    contrast: Contrast
    scores: Tensor
    method: str
    weights: Weights | Literal["position"]
    provenance: Provenance
    cache: Mapping[str, Tensor] = field(default_factory=dict)
    reference: Tensor | None = None
    notes: tuple[str, ...] = ()
    pooling: PoolingResult | None = None
    reading: str = ""
    zero: bool = False


def render(maps: SignedMaps, clips: Clips, normalise: Normalisation) -> SaliencyResult:
    """Maps over the clips (B, 3, T, H, W) of their activation's input: rectified, spread over time and place, scaled."""
    frames, height, width = of_input(clips, maps.activation.input).shape[2:]
    positive, read = spread_steps(maps.raw.clamp(min=0), maps.activation, maps.cache)
    shown, flat = render_frames(positive, maps.raw, frames, (height, width), normalise)
    others, reference = maps.contrast.others, maps.reference
    return SaliencyResult(
        activation=maps.activation.name,
        target=maps.contrast.classes.cpu().numpy(),
        weights=maps.weights,
        normalise=normalise,
        raw=maps.raw.float().cpu().numpy(),
        frames=shown.float().cpu().numpy(),
        read=repeat_to_clip_frames(read, frames).cpu().numpy(),
        notes=maps.notes if maps.zero else (*maps.notes, *flat),
        method=maps.method,
        against=None if others is None else others.cpu().numpy(),
        score=maps.scores.double().cpu().numpy(),
        reference=None if reference is None else reference.double().cpu().numpy(),
        pooling=maps.pooling,
        reading=maps.reading,
        provenance=maps.provenance,
        input=(maps.activation.input or "") if isinstance(clips, Mapping) else "",
    )


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

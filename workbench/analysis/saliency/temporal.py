"""How much does the score hang on each input frame? Take the frame away, or freeze it, and look."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from ifdd.errors import InputError
from ifdd.inputs import Clips, each, of_input
from ifdd.progress import tqdm
from workbench.analysis._models import (
    Classes,
    arrays_of,
    check_finite,
    check_given,
    choose_contrast,
    evaluating,
    in_chunks,
    logits_of,
)
from workbench.analysis.saliency.cam import check_choice
from workbench.analysis.saliency.fills import Fill, check_shape, fill_of
from workbench.analysis.saliency.results import FrameImportance, How
from workbench.results.bootstrap import BOUNDS, draw_weights, group_members
from workbench.results.provenance import record


@dataclass(frozen=True)
class FrameRequest:
    """What stands in for an occluded frame (`fill`), frames in memory at a time, draws of the bootstrap."""

    fill: Fill = "mean"
    batch: int = 8
    resamples: int = 1000


@torch.no_grad()
def frame_importance(
    model: nn.Module,
    clips: Clips,
    how: How = "occlude",
    target: Classes = None,
    request: FrameRequest = FrameRequest(),
    *,
    against: Classes = None,
    groups: ArrayLike | None = None,
    seed: int = 0,
) -> FrameImportance:
    """Importance of each frame of clips (n, 3, T, H, W) for the score; `target` and `against` as in `saliency.gradcam`.

    Of a model with several inputs clips are by name, and a frame is taken away from all of them.
    `groups` (n,), e.g. persons, are drawn as a whole for the intervals.

    Raises:
        InputError: unknown names, clips of one frame, NaN.

    Source: Zeiler and Fergus 2014 (occlusion), in time.

    >>> mean = nn.Sequential(nn.Flatten(), nn.Linear(12, 2, bias=False))
    >>> _ = mean[1].weight.data.copy_(torch.tensor([[1.0], [0.0]]).expand(2, 12))
    >>> clips = torch.tensor([1.0, 3.0]).view(1, 1, 2, 1, 1).expand(1, 3, 2, 1, 2) / 4
    >>> frame_importance(mean, clips, target=0, request=FrameRequest(fill="black")).drop  # 6 pixels of 1/4, then of 3/4
    array([[1.5, 4.5]])
    """
    check_given(model, clips, several=True)
    check_choice("how", how, get_args(How))
    each(clips, _checked)
    n, _, frames = of_input(clips, None).shape[:3]
    if frames < 2:
        raise InputError(f"clips have {frames} frame; the importance of frames needs two or more")
    instead = each(clips, lambda part: fill_of(part, request.fill) if how == "occlude" else part[:, :, [1, *range(frames - 1)]])
    with evaluating(model):
        logits = in_chunks(lambda part: logits_of(model, part), clips, request.batch)
        check_finite(logits, "the logits")
        contrast = choose_contrast(model, target, against, logits)
        kept, sure = contrast.score(logits), contrast.probability(logits)
        drop, probability = torch.empty(2, n, frames, dtype=torch.float64)
        for i in tqdm(range(n), desc=f"{how} frames", unit="clip", disable=None, leave=False):
            variants = _without_each(clips, instead, i)
            found, own = in_chunks(lambda part: logits_of(model, part), variants, request.batch), contrast.of_clip(i, frames)
            drop[i] = (kept[i] - own.score(found)).cpu()
            probability[i] = (sure[i] - own.probability(found)).cpu()
    drops = drop.numpy()
    low, high = _bounds(drops, groups, request.resamples, seed)
    used = request.fill if how == "occlude" else "the frame before"
    parameters = {"how": how, "fill": used, "resamples": request.resamples, "seed": seed}
    inputs = arrays_of(clips) | {"target": contrast.classes.cpu().numpy()}
    return FrameImportance(
        how=how,
        fill=used,
        target=contrast.classes.cpu().numpy(),
        against=None if contrast.others is None else contrast.others.cpu().numpy(),
        drop=drops,
        probability_drop=probability.numpy(),
        mean=drops.mean(0),
        low=low,
        high=high,
        provenance=record("frame importance", parameters, inputs, ("torch",)),
    )


def _checked(clips: Tensor) -> Tensor:
    check_shape(clips)
    return clips


def _without_each(clips: Clips, instead: Clips, i: int) -> Clips:
    """Clip `i` T times, each time with what stands `instead` of another frame."""
    if isinstance(clips, Mapping):
        return {name: _without_one(part[i], of_input(instead, name)[i]) for name, part in clips.items()}
    return _without_one(clips[i], of_input(instead, None)[i])


def _without_one(clip: Tensor, instead: Tensor) -> Tensor:
    """Variants (T, 3, T, H, W) of a clip (3, T, H, W)."""
    variants = clip.repeat(clip.shape[1], 1, 1, 1, 1)
    every = torch.arange(clip.shape[1], device=clip.device)
    variants[every, :, every] = instead.transpose(0, 1)
    return variants


def _bounds(values: np.ndarray, groups: ArrayLike | None, resamples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """95 % interval (T,) of the mean of values (n, T) over clips, whole groups drawn."""
    members = group_members(groups, len(values))
    if members.max() == 0:
        nothing = np.full(values.shape[1], np.nan)
        return nothing, nothing
    weights = draw_weights(members, resamples, seed)
    weights = weights[weights.sum(1) > 0]
    means = weights @ values / weights.sum(1, keepdims=True)
    low, high = np.quantile(means, BOUNDS, axis=0)
    return low, high

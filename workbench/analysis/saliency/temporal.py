"""How much does the score hang on each input frame? Take the frame away, or freeze it, and look."""

from typing import get_args

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from tqdm import tqdm

from ifdd.errors import InputError
from workbench.analysis._models import Classes, check_finite, check_given, choose_contrast, evaluating, logits_of, score
from workbench.analysis.saliency.attribution import in_chunks
from workbench.analysis.saliency.cam import check_choice
from workbench.analysis.saliency.fills import Fill, check_shape, fill_of
from workbench.analysis.saliency.results import FrameImportance, How
from workbench.results.bootstrap import BOUNDS, draw_weights, group_members
from workbench.results.provenance import record


@torch.no_grad()
def frame_importance(
    model: nn.Module,
    clips: Tensor,
    how: How = "occlude",
    target: Classes = None,
    *,
    against: Classes = None,
    fill: Fill = "mean",
    groups: ArrayLike | None = None,
    batch: int = 8,
    resamples: int = 1000,
    seed: int = 0,
) -> FrameImportance:
    """Importance of each frame of clips (n, 3, T, H, W) for the score; `target` and `against` as in `saliency.gradcam`.

    Raises: InputError for unknown names, clips of one frame, NaN.
    """
    check_given(model, clips)
    check_choice("how", how, get_args(How))
    check_shape(clips)
    frames = clips.shape[2]
    if frames < 2:
        raise InputError(f"clips have {frames} frame; the importance of frames needs two or more")
    instead = fill_of(clips, fill) if how == "occlude" else clips[:, :, [1, *range(frames - 1)]]
    with evaluating(model):
        logits = in_chunks(lambda part: logits_of(model, part), clips, batch)
        check_finite(logits, "the logits")
        classes, others = choose_contrast(model, target, against, logits)
        kept, sure = score(logits, classes, others), logits.softmax(1).gather(1, classes[:, None])
        drop, probability = torch.empty(2, len(clips), frames, dtype=torch.float64)
        for i in tqdm(range(len(clips)), desc=f"{how} frames", unit="clip", disable=None, leave=False):
            variants = clips[i].repeat(frames, 1, 1, 1, 1)
            every = torch.arange(frames, device=clips.device)
            variants[every, :, every] = instead[i].transpose(0, 1)
            found = in_chunks(lambda part: logits_of(model, part), variants, batch)
            chosen = classes[i].expand(frames)
            drop[i] = (kept[i] - score(found, chosen, None if others is None else others[i].expand(frames))).cpu()
            probability[i] = (sure[i] - found.softmax(1).gather(1, chosen[:, None])[:, 0]).cpu()
    drops = drop.numpy()
    low, high = _bounds(drops, groups, resamples, seed)
    used = fill if how == "occlude" else "the frame before"
    return FrameImportance(
        how=how, fill=used, target=classes.cpu().numpy(), against=None if others is None else others.cpu().numpy(), drop=drops,
        probability_drop=probability.numpy(), mean=drops.mean(0), low=low, high=high,
        provenance=record(
            "frame importance", {"how": how, "fill": used, "resamples": resamples, "seed": seed},
            {"clips": clips.float().cpu().numpy(), "target": classes.cpu().numpy()}, ("torch",),
        ),
    )  # fmt: skip


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

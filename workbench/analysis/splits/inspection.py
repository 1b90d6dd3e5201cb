"""Which frames does each group read? Indexes, offsets and the positions that were really sampled."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ifdd.errors import InputError
from ifdd.inputs import Clips, of_input
from ifdd.models.base import VideoModel
from ifdd.modules.issm import Split, sampling_weights
from workbench.analysis._models import check_given
from workbench.analysis.splits.results import SplitResult

if TYPE_CHECKING:
    from workbench.store.collection import Collection


@torch.no_grad()
def inspect_split(model: VideoModel, clips: Clips) -> SplitResult:
    """Run `clips` (B, 3, T, H, W) through the model and read off its split.

    Source: the IFDD paper, Fig. 1(b) (ISSM).

    Raises:
        InputError: a model without a split.

    >>> import ifdd
    >>> model = ifdd.create_model("ifdd-mvit-tiny").eval()
    >>> split = inspect_split(model, torch.zeros(1, 3, 16, 112, 112))
    >>> split.sample_D.shape, split.weights_D.shape
    ((1, 4), (1, 4, 8))
    """
    check_given(model, clips, several=True)
    split = require_split(model)
    names = split_activations(model)
    with model.evaluating():
        _, cache = model.run_with_cache(clips, names=tuple(names.values()))
    batch = len(of_input(clips, None))
    initial = {"S": split.initial_S.expand(batch, -1), "D": split.initial_D.expand(batch, -1)}
    return from_activations({what: cache[name] for what, name in names.items()}, initial, model.frames)


def split_activations(source: "VideoModel | Collection") -> dict[str, str]:
    """What a split tells, `position_S`, `sample_D`, … and, if there, `correlation` and `weight` → name of the activation."""
    told = [source.describe(name) for name in source.with_roles("position", "sample", "correlation", "weight")]
    return {str(item.role) if item.group is None else f"{item.role}_{item.group}": item.name for item in told}


def from_activations(cache: Mapping[str, Tensor], initial: Mapping[str, Tensor], frames: int) -> SplitResult:
    """Build the result from values by the names of `split_activations`, and the initial indexes of S and D."""
    values: dict[str, Any] = {}
    for group in ("S", "D"):
        position, sample = cache[f"position_{group}"].detach(), cache[f"sample_{group}"].detach()
        values[f"initial_{group}"] = initial[group].cpu().numpy()
        values[f"offset_{group}"] = (position - initial[group]).cpu().numpy()
        values[f"position_{group}"] = position.cpu().numpy()
        values[f"sample_{group}"] = sample.cpu().numpy()
        values[f"weights_{group}"] = sampling_weights(sample, 2 * sample.shape[1]).cpu().numpy()
    correlation, weight = cache.get("correlation"), cache.get("weight")
    found = [None if array is None else array.detach().cpu().numpy() for array in (correlation, weight)]
    return SplitResult(**values, correlation=found[0], frames=frames, frame_weight=found[1])


def join(results: Sequence[SplitResult]) -> SplitResult:
    """The splits of several batches of one model as one."""
    values = {item.name: [getattr(result, item.name) for result in results] for item in fields(SplitResult)}
    joined: dict[str, Any] = {
        name: np.concatenate(parts) if isinstance(parts[0], np.ndarray) else parts[0] for name, parts in values.items()
    }
    return SplitResult(**joined)


def _shifted(clips: Tensor) -> Tensor:
    """A sixteenth of the width to the right; the left edge is repeated."""
    width = clips.shape[-1]
    step = max(1, width // 16)
    return torch.cat((clips[..., :1].expand(*clips.shape[:-1], step), clips[..., : width - step]), -1)


COPIES: dict[str, Callable[[Tensor], Tensor]] = {
    "mirrored": lambda clips: clips.flip(-1),
    "brighter": lambda clips: (1.15 * clips).clamp(max=1),
    "darker": lambda clips: 0.85 * clips,
    "shifted": _shifted,
    "half the frame rate": lambda clips: clips[:, :, torch.arange(clips.shape[2], device=clips.device) // 2 * 2],
}
"""Changes of clips (B, 3, T, H, W) that leave the expression as it is."""

SAME_MOMENTS = ("mirrored", "brighter", "darker", "shifted")
"""Copies that also leave every frame at its time, so that a split that follows the content should read the same places."""


@torch.no_grad()
def places_of_copies(model: VideoModel, clips: Tensor) -> dict[str, np.ndarray]:
    """Places read (B, 2·K), S before D, in feature frames, of each of `COPIES` of the clips.

    Raises: InputError for a model without a split.
    """
    require_split(model)
    names = model.with_roles("sample")
    found = {}
    with model.evaluating():
        for name, change in COPIES.items():
            _, cache = model.run_with_cache(change(clips), names=names)
            found[name] = torch.cat([cache[part] for part in names], 1).cpu().numpy()
    return found


def motion_energy(clips: Tensor, steps: int) -> np.ndarray:
    """Mean absolute difference of consecutive frames of clips (B, 3, T, H, W), by feature frame, (B, T')."""
    change = clips.diff(dim=2).abs().mean((1, 3, 4))
    padded = torch.cat((change[:, :1], change), 1)
    return padded.reshape(len(clips), steps, -1).mean(2).cpu().numpy()


def require_split(model: VideoModel) -> Split:
    """The split of a model that has one.

    Raises: InputError for a baseline.
    """
    if "split" not in model.capabilities:
        raise InputError(f"{model.config.summary}: reads all frames alike and has no split to inspect")
    split: Split = model.split
    return split

"""Which frames does each group read? Indexes, offsets and the positions that were really sampled."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ifdd.errors import InputError
from ifdd.model import DFERModel, IFDDModel
from ifdd.modules.issm import Split, sampling_weights
from ifdd.timing import to_clip_frames


@dataclass(frozen=True)
class SplitResult:
    """How a batch of clips was split; K steps a group, positions in feature frames.

    `initial`, `offset`, `position` (= initial + offset), `sample` (where the features were read): (B, K) for S and D;
    `weights`: (B, K, T'), the linear weights with which a step reads the feature frames; `correlation` (B, T', T') as ISSM
    scales it, None where the split has none; `frames`: T.
    """

    initial_S: np.ndarray
    initial_D: np.ndarray
    offset_S: np.ndarray
    offset_D: np.ndarray
    position_S: np.ndarray
    position_D: np.ndarray
    sample_S: np.ndarray
    sample_D: np.ndarray
    weights_S: np.ndarray
    weights_D: np.ndarray
    correlation: np.ndarray | None
    frames: int

    def input_frames(self) -> dict[str, np.ndarray]:
        """The sampled positions in clip frames, (B, K) for "S" and "D"."""
        return {group: feature_to_clip(getattr(self, f"sample_{group}"), self.frames) for group in ("S", "D")}


def feature_to_clip(position: np.ndarray, frames: int) -> np.ndarray:
    """Feature-frame positions, any shape → clip frames of a clip of `frames` frames."""
    return to_clip_frames(torch.from_numpy(np.asarray(position, np.float64)), frames).numpy()


@torch.no_grad()
def inspect_split(model: DFERModel, clips: Tensor) -> SplitResult:
    """Run `clips` (B, 3, T, H, W) through the model and read off its split.

    Raises: InputError for a model without a split.
    """
    split = require_split(model)
    names = [name for name in model.activation_names if name.startswith("issm.") and name.split(".")[1] in _NEEDED]
    with model.evaluating():
        _, cache = model.run_with_cache(clips, names=names)
    batch = clips.shape[0]
    initial = {"S": split.initial_S.expand(batch, -1), "D": split.initial_D.expand(batch, -1)}
    return from_activations(cache, initial, model.config.frames)


_NEEDED = frozenset(f"{name}_{group}" for name in ("position", "sample") for group in "SD") | {"correlation"}


def from_activations(cache: Mapping[str, Tensor], initial: Mapping[str, Tensor], frames: int) -> SplitResult:
    """Build the result from cached activations `issm.position_*`, `issm.sample_*` and, if there, `issm.correlation`."""
    values: dict[str, np.ndarray] = {}
    for group in ("S", "D"):
        position, sample = cache[f"issm.position_{group}"].detach(), cache[f"issm.sample_{group}"].detach()
        values[f"initial_{group}"] = initial[group].cpu().numpy()
        values[f"offset_{group}"] = (position - initial[group]).cpu().numpy()
        values[f"position_{group}"] = position.cpu().numpy()
        values[f"sample_{group}"] = sample.cpu().numpy()
        values[f"weights_{group}"] = sampling_weights(sample, 2 * sample.shape[1]).cpu().numpy()
    correlation = cache.get("issm.correlation")
    return SplitResult(**values, correlation=None if correlation is None else correlation.detach().cpu().numpy(), frames=frames)


def require_split(model: DFERModel) -> Split:
    """The split of an IFDD variant.

    Raises: InputError for a baseline.
    """
    if not isinstance(model, IFDDModel):
        raise InputError(
            f"{model.config.backbone} with split='none' is a baseline: it reads all frames alike and has no split to inspect"
        )
    return model.issm

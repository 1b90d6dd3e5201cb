"""The oracle split, an upper bound for every other: a dynamic group that is given the most intense feature frames."""

from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch import Tensor

from ifdd.errors import InputError
from ifdd.hooks import HookFunction
from ifdd.models.base import VideoModel
from ifdd.timing import feature_frames


def truth_places(intensity: np.ndarray, seed: int) -> np.ndarray:
    """True intensities (n, T) of the frames → feature frames (n, 2, K) that S and D read, float32, each group in order.

    D reads the K = T'/2 most intense feature frames of a clip, S the others; equal ones are drawn by `seed`. A clip without an
    emotion reads the places of another clip, drawn too: even-odd places would give it away.
    Raises: InputError if no clip shows an emotion.
    """
    count, frames = intensity.shape
    return oracle_places(intensity.reshape(count, feature_frames(frames), -1).mean(2), seed)


def oracle_places(per_step: np.ndarray, seed: int) -> np.ndarray:
    """`truth_places` from intensities (n, T') of the feature frames.

    Raises: InputError if no clip shows an emotion.
    """
    count = len(per_step)
    shows = per_step.max(1) > 0
    if not shows.any():
        raise InputError("control.places='truth': no clip shows an emotion; give clips of other emotions than neutral")
    rng = np.random.default_rng([seed, 223])
    order = np.lexsort((rng.random(per_step.shape), per_step), axis=1)  # else ties would send D to the end of the clip
    places = np.sort(order.reshape(count, 2, -1), 2).astype(np.float32)
    donors = rng.choice(np.flatnonzero(shows), (~shows).sum())
    places[~shows] = places[donors]
    return places


def oracle_split(model: VideoModel, places: Tensor | None) -> AbstractContextManager[None]:
    """Inside the block the model's split reads at `places` (B, 2, K); None: where it would by itself."""
    if places is None:
        return nullcontext()

    def at(group: int) -> HookFunction:
        return lambda sample: places[:, group].to(sample)

    return model.hooks({name: at(group) for group, name in enumerate(model.with_roles("sample"))})


def as_tensor(places: np.ndarray | None, index: list[int], device: str | torch.device = "cpu") -> Tensor | None:
    """Places of some clips, where there are any."""
    return None if places is None else torch.from_numpy(places[index]).to(device)

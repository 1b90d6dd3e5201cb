"""What changes when something is done to the clip or to a feature: order of frames, features of another clip; and how far a
feature frame looks."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from ifdd.errors import InputError
from ifdd.inputs import Clips, each, of_input, rows_of
from ifdd.models.base import VideoModel
from ifdd.timing import repeat_to_clip_frames
from workbench.analysis.counterfactuals.frame_edits import random_donors
from workbench.analysis.counterfactuals.results import Effect, Stability
from workbench.analysis.splits.inspection import COPIES, require_split
from workbench.results.bootstrap import draw_weights, group_members, mean_interval
from workbench.results.controls import distance_to_others

WHOLE = "everything"
"""Name of the effect of exchanging the whole clip: what the others are to be read against, as doing nothing has none."""


@torch.no_grad()
def order_sensitivity(
    model: VideoModel, clips: Clips, *, groups: ArrayLike | None = None, batch: int = 8, seed: int = 0
) -> tuple[Effect, ...]:
    """Effect of shuffled, reversed and frozen (all frames the middle one) clips (n, 3, T, H, W); of several inputs alike.

    Source: Huang et al. 2018 (what a video model makes of order).

    >>> from ifdd import create_model
    >>> model = create_model("mvit-tiny-baseline", frames=8, size=(32, 32)).eval()
    >>> still = torch.zeros(2, 3, 8, 32, 32)  # equal frames have no order
    >>> [(effect.name, round(effect.change.value, 3)) for effect in order_sensitivity(model, still)]
    [('shuffle', 0.0), ('reverse', 0.0), ('freeze', 0.0)]
    """
    length = of_input(clips, None).shape[2]
    generator = torch.Generator().manual_seed(seed)
    orders: dict[str, Callable[[int], Tensor]] = {
        "shuffle": lambda _: torch.randperm(length, generator=generator),
        "reverse": lambda _: torch.arange(length).flip(0),
        "freeze": lambda _: torch.full((length,), length // 2),
    }
    before = _probabilities(model, clips, batch)
    effects = []
    for name, order in orders.items():
        chosen = torch.stack([order(i) for i in range(len(of_input(clips, None)))])
        changed = each(clips, partial(_in_order, order=chosen))
        effects.append(effect(name, before, _probabilities(model, changed, batch), groups, seed))
    return tuple(effects)


def _in_order(clips: Tensor, order: Tensor) -> Tensor:
    """Clips (n, 3, T, H, W) with the frames of each in its own order (n, T)."""
    return torch.stack([clip[:, own] for clip, own in zip(clips, order, strict=True)])


@torch.no_grad()
def patch_between_clips(
    model: VideoModel, clips: Clips, *, groups: ArrayLike | None = None, batch: int = 8, seed: int = 0
) -> tuple[Effect, ...]:
    """Effect of giving each clip X_S, X_D or Y_S of another one, drawn at random without return; those that the model has.

    Of the branches S alone: to exchange Y_D is trivial, since the head reads nothing else. The last is `WHOLE`: the probabilities
    of the other clip itself.

    Source: Vig et al. 2020 (activation patching).

    Raises:
        InputError: fewer than two clips.

    >>> from ifdd import create_model
    >>> model = create_model("ifdd-mvit-tiny", frames=8, size=(32, 32)).eval()
    >>> [effect.name for effect in patch_between_clips(model, torch.rand(2, 3, 8, 32, 32))]
    ['issm.X_S', 'issm.X_D', 'ladm.Y_S', 'everything']
    """
    n = len(of_input(clips, None))
    if n < 2:
        raise InputError("exchanging features needs at least two clips")
    names = [
        name
        for name in model.with_roles("read", "branch")
        if (model.describe(name).role, model.describe(name).group) != ("branch", "D")
    ]
    donors = random_donors(n, seed)
    stored: dict[str, list[Tensor]] = {name: [] for name in names}
    with model.evaluating():
        for first in range(0, n, batch):
            _, cache = model.run_with_cache(rows_of(clips, slice(first, first + batch)), names=names)
            for name in names:
                stored[name].append(cache[name])
    before = _probabilities(model, clips, batch)
    effects = []
    for name in names:
        donor = torch.cat(stored[name])[torch.from_numpy(donors)]
        effects.append(effect(name, before, _probabilities(model, clips, batch, (name, donor)), groups, seed))
    return (*effects, effect(WHOLE, before, before[donors], groups, seed))


@torch.no_grad()
def split_stability(
    model: VideoModel, clips: Tensor, *, groups: ArrayLike | None = None, batch: int = 8, seed: int = 0
) -> Stability:
    """Reading places under changes that leave the expression as it is: mirrored, 15 % brighter, at half the frame rate.

    Raises:
        InputError: a model without a split.

    >>> from ifdd import create_model
    >>> model = create_model("ifdd-mvit-tiny", frames=8, size=(32, 32)).eval()
    >>> found = split_stability(model, torch.zeros(2, 3, 8, 32, 32))
    >>> round(found.moved["mirrored"].value, 3), round(found.between, 3)  # black is black, from left or right
    (0.0, 0.0)
    """
    require_split(model)
    changed = {name: COPIES[name](clips) for name in ("mirrored", "brighter", "half the frame rate")}
    before = _samples(model, clips, batch)
    members = group_members(groups, len(clips))
    draws = draw_weights(members, 1000, seed)
    moved = {
        name: mean_interval(np.abs(_samples(model, other, batch) - before).mean(1), draws) for name, other in changed.items()
    }
    return Stability(moved, distance_to_others(before, members, seed))


def _samples(model: VideoModel, clips: Tensor, batch: int) -> np.ndarray:
    """Where both groups read (n, 2·K), in feature frames."""
    names = model.with_roles("sample")
    found = []
    with model.evaluating():
        for first in range(0, len(clips), batch):
            _, cache = model.run_with_cache(clips[first : first + batch], names=names)
            found.append(torch.cat([cache[name] for name in names], 1))
    return torch.cat(found).cpu().numpy()


def temporal_mixing(model: VideoModel, clips: Tensor, *, probes: int = 1, seed: int = 0) -> np.ndarray:
    """Share (n, T') of the energy of ∂X_t/∂clip that falls on the clip frames of feature frame t itself.

    1 if a feature frame sees its own frames alone, 1/T' if it sees all alike: then "reads frame t" is true in name only. The
    energy is estimated by `probes` random projections of X_t.

    Source: Hutchinson 1989 (trace by random projections).

    >>> from ifdd import create_model
    >>> model = create_model("mvit-tiny-baseline", frames=8, size=(32, 32)).eval()
    >>> temporal_mixing(model, torch.rand(1, 3, 8, 32, 32)).shape
    (1, 8)
    """
    (name,) = model.with_roles("X")
    steps, frames = model.config.feature_frames, model.config.frames
    generator = torch.Generator().manual_seed(seed)
    own = repeat_to_clip_frames(torch.eye(steps)[None], frames)[0].T > 0  # (T', T)
    shares = np.empty((len(clips), steps))
    with model.evaluating(), torch.enable_grad():
        for i, clip in enumerate(clips):
            leaf = clip[None].detach().requires_grad_()
            _, cache = model.run_with_cache(leaf, names=name)
            features = cache[name]
            for t in range(steps):
                energy = torch.zeros(frames)
                for _ in range(probes):
                    direction = torch.randn(features[:, :, t].shape, generator=generator).to(features)
                    (gradient,) = torch.autograd.grad((features[:, :, t] * direction).sum(), leaf, retain_graph=True)
                    energy += gradient.square().sum((0, 1, 3, 4)).cpu()
                shares[i, t] = float(energy[own[t]].sum() / energy.sum()) if energy.sum() > 0 else float("nan")
    return shares


def _probabilities(model: VideoModel, clips: Clips, batch: int, patch: tuple[str, Tensor] | None = None) -> np.ndarray:
    found = []
    with model.evaluating():
        for first in range(0, len(of_input(clips, None)), batch):
            rows = slice(first, first + batch)
            if patch is None:
                logits = model(rows_of(clips, rows)).logits
            else:
                name, donor = patch
                with model.hooks({name: lambda _, part=donor[rows]: part}):  # type: ignore[misc]
                    logits = model(rows_of(clips, rows)).logits
            found.append(logits.float().softmax(-1))
    return torch.cat(found).cpu().numpy()


def effect(name: str, before: np.ndarray, after: np.ndarray, groups: ArrayLike | None, seed: int) -> Effect:
    """Mean change of the probabilities (n, C) and share of flips, with intervals over clips or groups.

    `after` (n, C), or (donors, n, C): each clip then stands with the mean over its donors.

    >>> before, after = np.array([[0.75, 0.25], [0.5, 0.5]]), np.array([[0.25, 0.75], [0.5, 0.5]])
    >>> found = effect("edit", before, after, None, seed=0)
    >>> found.change.value, found.flips.value
    (0.25, 0.5)
    """
    draws = draw_weights(group_members(groups, len(before)), 1000, seed)
    change, flips = change_and_flips(before, after)
    return Effect(name, mean_interval(change, draws), mean_interval(flips, draws))


def change_and_flips(before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each clip (n,) the total variation distance of its probabilities and the share of flips, as `effect` takes them."""
    several = after.reshape(-1, *before.shape)
    flips = several.argmax(2) != before.argmax(1)
    return 0.5 * np.abs(several - before).sum(2).mean(0), flips.mean(0)

"""What each of two inputs does to a model's answers: Shapley values, exchanges between clips, attention roll-out."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from ifdd.errors import InputError
from ifdd.inputs import Clips, each
from ifdd.models.base import VideoModel
from workbench.analysis import DONORS
from workbench.analysis._models import arrays_of
from workbench.analysis.streams.results import StreamsResult
from workbench.results.bootstrap import group_members, jackknife_of_sums
from workbench.results.controls import other_clips
from workbench.results.interval import Interval
from workbench.results.provenance import record

ADDITIVE = 1e-3
"""Of the largest share: where inputs do less than this together, shares are parts of a sum, but for rounding."""


def stream_shares(
    model: VideoModel,
    clips: Clips,
    label_names: Sequence[str],
    clip_ids: Sequence[str],
    *,
    groups: ArrayLike | None = None,
    donors: int = DONORS,
    seed: int = 0,
    batch: int = 8,
    progress: Callable[[int], object] = lambda _: None,
) -> StreamsResult:
    """Exchange each input of clips (n, 3, T, H, W, by name) for that of clips of other people, `donors` times, by `groups` (n,).

    Raises:
        InputError: a model that does not read two inputs, one clip alone, or clips that it does not read.

    Source: Shapley 1953, for two players; what is missing is another clip's, as in Lundberg and Lee 2017. Abnar and Zuidema 2020
    (roll-out).

    >>> import ifdd
    >>> model = ifdd.create_model("ous-vit-tiny", frames=4, size=(32, 32), fusion="late")
    >>> clips = {name: torch.rand(3, 3, 4, 32, 32) for name in ("face", "scene")}
    >>> found = stream_shares(model, clips, model.config.classes, ("a", "b", "c"), donors=2)
    >>> found.inputs, round(float(abs(found.together).max()), 3), found.types
    (('face', 'scene'), 0.0, ())
    """
    names = tuple(model.inputs)
    if len(names) != 2:
        raise InputError(f"this model reads {', '.join(names)}; shares are of two inputs, e.g. face and scene")
    given = model.check_clips(clips)
    n = len(given[names[0]])
    if n < 2:
        raise InputError("inputs are exchanged between clips, and there is one; pass two or more")
    members = group_members(groups, n)
    order = other_clips(members, donors, seed)
    with torch.no_grad(), model.evaluating():
        own, attention = _logits(model, given, np.arange(n), np.arange(n), batch, attention_name(model))
        progress(n)
        first, second, none = [], [], []
        for other in order:
            first.append(_logits(model, given, np.arange(n), other, batch)[0])
            second.append(_logits(model, given, other, np.arange(n), batch)[0])
            none.append(own[other])
            progress(2 * n)
    said = own.argmax(1)
    worth = [np.mean([_score(one, said) for one in found], 0) for found in ([own], first, second, none)]
    shares = np.stack([(worth[0] - worth[2] + worth[1] - worth[3]) / 2, (worth[0] - worth[1] + worth[2] - worth[3]) / 2], 1)
    together = worth[0] - worth[1] - worth[2] + worth[3]
    sizes = np.abs(shares)
    flips, along = zip(*(_exchanged(found, said, order, members) for found in (second, first)), strict=True)
    types, rollout = _rolled_out(model, attention, members)
    notes = []
    if np.abs(together).max() <= ADDITIVE * sizes.max():
        notes.append("the inputs add up: their shares are exact parts of the logit")
    if len(set(said)) == 1:
        notes.append(f"every clip is {label_names[said[0]]} to it, so that no exchange can tell what an answer follows")
    return StreamsResult(
        checkpoint="",
        inputs=(names[0], names[1]),
        clip_ids=tuple(clip_ids),
        predicted=tuple(label_names[c] for c in said),
        donors=donors,
        shares=shares,
        together=together,
        share=(_ratio(sizes[:, 0], sizes.sum(1), members), _ratio(sizes[:, 1], sizes.sum(1), members)),
        interaction=_ratio(np.abs(together), sizes.sum(1), members, np.inf),
        flips=(flips[0], flips[1]),
        goes_along=(along[0], along[1]),
        types=types,
        rollout=rollout,
        uniform=1 / len(types) if types else float("nan"),
        notes=tuple(notes),
        provenance=record("stream shares", {"donors": donors, "seed": seed}, arrays_of(given), ("torch",)),
    )


def attention_name(model: VideoModel) -> str | None:
    """The activation that holds weights of an attention over types, if there is one."""
    return next((name for name in model.activation_names if model.describe(name).axes[-2:] == ("queries", "types")), None)


def rollout(weights: np.ndarray) -> np.ndarray:
    """Weights (B, blocks, heads, S, S) of blocks with skips → share (B, S) of each type in the mean of what comes out.

    >>> rollout(np.full((1, 2, 1, 2, 2), 0.5)).tolist()
    [[0.5, 0.5]]
    """
    size = weights.shape[-1]
    flow = np.broadcast_to(np.eye(size), (len(weights), size, size))
    for block in range(weights.shape[1]):
        flow = (weights[:, block].mean(1) + np.eye(size)) / 2 @ flow
    shares: np.ndarray = flow.mean(1)
    return shares


def _logits(
    model: VideoModel, clips: dict[str, Tensor], first: np.ndarray, second: np.ndarray, batch: int, keep: str | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Logits (n, classes) of the first input of some clips beside the second one of others, and what is to be kept."""
    found, kept = [], []
    rows = dict(zip(clips, (first, second), strict=True))
    place = next(model.parameters()).device
    for start in range(0, len(first), batch):
        part = {name: clips[name][rows[name][start : start + batch]] for name in clips}
        shown = each(part, lambda clip: clip.to(place))
        output, cache = model.run_with_cache(shown, names=keep) if keep else (model(shown), {})
        found.append(output.logits.double().cpu().numpy())
        if keep:
            kept.append(cache[keep].double().cpu().numpy())
    return np.concatenate(found), np.concatenate(kept) if kept else np.empty(0)


def _score(logits: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Logit (n,) of a class each, above the mean of all."""
    return logits[np.arange(len(said)), said] - logits.mean(1)


def _exchanged(
    found: Sequence[np.ndarray], said: np.ndarray, order: np.ndarray, members: np.ndarray
) -> tuple[Interval, Interval]:
    """How often answers change, and become the donor's, over donors of whom the model says another class."""
    now = np.stack([logits.argmax(1) for logits in found])
    differs = said[order] != said
    changed, along = (now != said) & differs, (now == said[order]) & differs
    pairs = differs.sum(0)
    return _ratio(changed.sum(0), pairs, members), _ratio(along.sum(0), pairs, members)


def _ratio(part: np.ndarray, whole: np.ndarray, members: np.ndarray, high: float = 1.0) -> Interval:
    """Sum over sum, with its interval over groups; not known where there is nothing to share."""

    def measure(sums: np.ndarray) -> np.ndarray:
        return np.divide(sums[:, 0], sums[:, 1], out=np.full(len(sums), np.nan), where=sums[:, 1] > 0)

    return jackknife_of_sums(measure, np.stack([part, whole], 1).astype(float), members, 0.0, high)


def _rolled_out(model: VideoModel, weights: np.ndarray, members: np.ndarray) -> tuple[tuple[str, ...], tuple[Interval, ...]]:
    if not weights.size:
        return (), ()
    shares = rollout(weights)
    types = (*model.inputs, *(f"type {i}" for i in range(len(model.inputs), shares.shape[1])))
    if shares.shape[1] == len(model.inputs) + 1 and "polarity" in model.activation_names:
        types = (*model.inputs, "polarity")
    return types, tuple(_ratio(share, np.ones(len(shares)), members) for share in shares.T)

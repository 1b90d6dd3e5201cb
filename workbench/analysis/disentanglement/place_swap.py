"""Does it matter where a split reads? The places of one group are replaced, and the same clips scored again.

What a split reads and what the head makes of it are two questions: a model may follow the clip and not need to, or read at random
and suffer from any other places. So each group's places are exchanged by themselves, for those of another person's clip, for the
model's own mean places, for half-way ones (1/2, 5/2, …: every step blends two whole frames), for even and odd frames, and for
those of a split that is told the truth.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from ifdd.errors import InputError
from ifdd.hooks import HookFunction
from ifdd.models.base import VideoModel
from workbench.analysis.comparison.seeds import difference_over_seeds, over_seeds
from workbench.analysis.disentanglement.results import WHERE, PlaceSwap, PlaceSwapResult
from workbench.analysis.splits.inspection import require_split
from workbench.results.bootstrap import group_members
from workbench.results.controls import other_clips

OWN = "own"

Predictions = Mapping[tuple[str, str], np.ndarray]
"""(whose, which places) → predicted classes (n,); ("", "own") as the model is."""


@torch.no_grad()
def predict_with_places(
    model: VideoModel,
    stages: Sequence[tuple[Tensor, ...]],
    *,
    told: np.ndarray | None = None,
    own: np.ndarray | None = None,
    groups: ArrayLike | None = None,
    seed: int = 0,
) -> dict[tuple[str, str], np.ndarray]:
    """Predicted classes of n clips with each kind of places for each group.

    Args:
        model: with a split.
        stages: of the clips, batch by batch, as `VideoModel.encode` makes them.
        told: (n, 2, K) places of S and D, as `ifdd.training.controls.truth_places`; None leaves them out.
        own: (n, 2, K) what counts as the model's own places, where a recipe told them; None: what its split chooses.
        groups: (n,) persons; another clip is one of another person.
        seed: of the choice of other clips.

    Raises: InputError for a model without a split, fewer than two clips, or places of other clips.
    """
    require_split(model)
    sizes = [max(map(len, batch)) for batch in stages]  # stages that no pyramid reads may be empty
    n = sum(sizes)
    names = dict(zip("SD", model.with_roles("sample"), strict=True))
    kept: dict[str, list[np.ndarray]] = {"S": [], "D": []}

    def keep(group: str) -> HookFunction:
        def keeper(sample: Tensor) -> None:
            kept[group].append(sample.float().cpu().numpy())

        return keeper

    def run(places: Mapping[str, np.ndarray]) -> np.ndarray:
        found, at = [], 0
        with model.evaluating():
            for batch, size in zip(stages, sizes, strict=True):
                put = {names[group]: _put(array[at : at + size]) for group, array in places.items()}
                with model.hooks(put or {names[group]: keep(group) for group in "SD"}):
                    found.append(model.decode(batch).logits.argmax(-1).cpu().numpy())
                at += size
        return np.concatenate(found)

    count = model.config.feature_frames // 2
    for what, array in (("told", told), ("own", own)):
        if array is not None and array.shape != (n, 2, count):
            raise InputError(f"{what} has shape {array.shape}; pass ({n}, 2, {count}), feature frames of S and D")
    fixed = {} if own is None else {"S": own[:, 0], "D": own[:, 1]}
    predicted = {("", OWN): run(fixed)}
    places = fixed or {group: np.concatenate(parts) for group, parts in kept.items()}
    other = other_clips(group_members(groups, n), 1, seed)[0]
    odd = np.tile(np.arange(1, 2 * count, 2, dtype=np.float32), (n, 1))
    kinds = {
        "other clips'": {group: array[other] for group, array in places.items()},
        "own mean": {group: np.tile(array.mean(0), (n, 1)) for group, array in places.items()},
        "half-way": {"S": odd - 0.5, "D": odd - 0.5},
        "even-odd": {"S": odd - 1, "D": odd},
    }
    if told is not None:
        kinds["told"] = {"S": told[:, 0], "D": told[:, 1]}
    for which, kind in kinds.items():
        for where in WHERE:
            predicted[where, which] = run(fixed | {group: kind[group] for group in where.split(" and ")})
    return predicted


def score_places(seeds: Sequence[Predictions], labels: ArrayLike, *, groups: ArrayLike | None = None) -> PlaceSwapResult:
    """UAR of one variant's seeds with own and other places, with 95 % intervals over persons and seeds.

    Raises:
        InputError: no seed, or seeds with other places.

    >>> seed = {("", "own"): np.array([0, 0, 1, 1]), ("D", "told"): np.array([0, 1, 1, 1])}
    >>> score_places([seed], [0, 0, 1, 1]).swap("D", "told").uar.value
    0.75
    """
    if not seeds or any(set(one) != set(seeds[0]) for one in seeds):
        raise InputError("pass the predictions of at least one seed, all with the same kinds of places")
    own = [one["", OWN] for one in seeds]
    swaps = []
    for where, which in seeds[0]:
        if which == OWN:
            continue
        there = [one[where, which] for one in seeds]
        found, change = over_seeds(there, labels, groups=groups), difference_over_seeds(own, there, labels, groups=groups)
        swaps.append(PlaceSwap(where, which, found.uar, change.uar))
    return PlaceSwapResult(over_seeds(own, labels, groups=groups).uar, tuple(swaps), len(seeds))


def _put(places: np.ndarray) -> HookFunction:
    return lambda sample: torch.from_numpy(np.ascontiguousarray(places)).to(sample)

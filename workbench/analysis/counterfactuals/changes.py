"""What would the model have said of another clip? Edited frames, offsets at zero, branches exchanged, clip by clip."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from ifdd.checkpoints import check_range
from ifdd.errors import InputError
from ifdd.inputs import Clips, each, of_input, rows_of
from ifdd.models.base import VideoModel
from workbench.analysis._models import check_given
from workbench.analysis.counterfactuals.frame_edits import FrameEdit, check_donors, shuffle
from workbench.analysis.counterfactuals.interventions import change_and_flips, effect
from workbench.analysis.counterfactuals.results import Counterfactual, CounterfactualOptions, CounterfactualResult
from workbench.results.bootstrap import draw_weights, group_members, mean_interval
from workbench.results.checks import check_names, check_probabilities
from workbench.results.provenance import record


@dataclass(frozen=True, eq=False)
class FeatureEdit:
    """Activations replaced while the model runs: by those of the clips `donors` (n,), or by zeros where that is None."""

    name: str
    activations: tuple[str, ...]
    donors: np.ndarray | None


@dataclass(frozen=True, eq=False)
class InputEdit:
    """One of several inputs is that of the clips `donors` (n,); the others stay."""

    name: str
    input: str
    donors: np.ndarray

    def apply(self, clips: Clips, rows: slice) -> Clips:
        """Edited clips of the chosen rows, by input, from all clips."""
        taken = check_donors(self.donors, len(of_input(clips, None)))[rows]
        return {
            name: part[taken] if name == self.input else part[rows]
            for name, part in (clips.items() if isinstance(clips, Mapping) else ())
        }


Edit = FrameEdit | FeatureEdit | InputEdit


def zero_offsets(model: VideoModel) -> FeatureEdit:
    """Read at the initial indexes, as if ISSM had learned nothing.

    Raises:
        InputError: a model without offsets.

    >>> from ifdd import create_model
    >>> zero_offsets(create_model("ifdd-mvit-tiny")).activations
    ('issm.offset_S', 'issm.offset_D')
    """
    names = model.with_roles("offset")
    if not names:
        raise InputError(
            f"a model with split {getattr(model.config, 'split', 'none')!r} has no offsets to set to zero; leave this edit out"
        )
    return FeatureEdit("zero offsets", names, None)


def swap(model: VideoModel, branch: str, donors: ArrayLike) -> FeatureEdit:
    """Give each clip one branch, "D" or "S", of another clip: `donors` (n,), its row. The other branch stays its own.

    The head reads the dynamic branch alone, so a swap of D must give the donor's prediction: a check more than a finding. S
    reaches it through the predictor.

    Raises:
        InputError: a baseline, an unknown branch, or donors that are not there.

    >>> from ifdd import create_model
    >>> swap(create_model("ifdd-mvit-tiny"), "S", [1, 0]).activations  # two clips, each with the other's static branch
    ('ladm.Y_S',)
    """
    if "split" not in model.capabilities:
        raise InputError("this model splits nothing and has no branches to swap; leave this edit out")
    if branch not in model.branches:
        raise InputError(f"unknown branch {branch!r}; it is D or S")
    return FeatureEdit(f"swap {model.branches[branch].rpartition('.')[2]}", (model.branches[branch],), np.asarray(donors))


def swap_input(model: VideoModel, name: str, donors: ArrayLike) -> InputEdit:
    """Give each clip one input of another clip, e.g. its scene: `donors` (n,), its row. The other inputs stay its own.

    Raises:
        InputError: a model of one input, or one that is not there.

    >>> from ifdd import create_model
    >>> swap_input(create_model("ous-vit-tiny"), "scene", [1, 0]).name  # two clips, each in the other's scene
    'swap scene'
    """
    known = list(model.inputs)
    if len(known) < 2 or name not in known:
        raise InputError(f"swap {name!r}: this model reads {' and '.join(known)}; one of several inputs can be exchanged")
    return InputEdit(f"swap {name}", name, np.asarray(donors))


DEFAULT = CounterfactualOptions()


@torch.no_grad()
def counterfactuals(
    model: VideoModel,
    clips: Clips,
    edits: Sequence[Edit | Sequence[Edit]],
    options: CounterfactualOptions = DEFAULT,
    *,
    measured: int | None = None,
    label_names: Sequence[str] | None = None,
    clip_ids: Sequence[str] | None = None,
    groups: ArrayLike | None = None,
    progress: Callable[[int], object] | None = None,
) -> CounterfactualResult:
    """Predict clips (n, 3, T, H, W) as they are, after each edit, and in random orders for the order-sensitivity index.

    Args:
        model: on any device; the clips are brought to it by `options.batch`.
        clips: floats in [0, 1], on the CPU; of several inputs by name, whose frames are edited alike.
        edits: see `frame_edits`, `zero_offsets`, `swap`, `swap_input`; each of all clips. Several of one name, in a list, are
            one edit with one donor after the other: each clip then stands with their mean.
        options: how many random orders, clips in one pass, the seed.
        measured: so many clips are measured, the first ones; the others only lend. By default all.
        label_names: one name per class.
        clip_ids: (measured,) names of the clips; by default their row.
        groups: (measured,) e.g. persons, drawn together for the intervals.
        progress: called with the number of clips after each pass.

    Raises:
        InputError: no clips, values outside [0, 1], edits of the same name or planned for others, predictions that are NaN.

    Source: Huang et al. 2018 ("What makes a video a video": how much motion a model uses); Geiger et al. 2021 (interchange).

    >>> from ifdd import create_model
    >>> model = create_model("mvit-tiny-baseline", frames=8, size=(32, 32)).eval()
    >>> still = torch.zeros(2, 3, 8, 32, 32)  # backwards, a clip of equal frames is itself
    >>> from workbench.analysis.counterfactuals import reverse
    >>> found = counterfactuals(model, still, [reverse(2, 8)], CounterfactualOptions(shuffles=0))
    >>> found.edits[0].change.round(3).tolist()
    [0.0, 0.0]
    """
    check_given(model, clips, several=True)
    every = [[edit] if isinstance(edit, Edit) else list(edit) for edit in edits]
    _check(model, clips, every, options)
    names = check_names(label_names, model.config.num_classes)
    read = len(of_input(clips, None))
    n = read if measured is None else measured
    ids = tuple(str(i) for i in range(n)) if clip_ids is None else tuple(str(item) for item in clip_ids)
    if len(ids) != n:
        raise InputError(f"clip_ids has {len(ids)} names for {n} clips; pass one per clip")
    members, seed = group_members(groups, n), options.seed

    def run(edit: Edit | None) -> np.ndarray:
        return _predict(model, clips, n, edit, options.batch, progress)

    before = run(None)
    done = []
    for same in every:
        after = np.stack([run(edit) for edit in same])
        mean = effect(same[0].name, before, after, members, seed)
        done.append(Counterfactual(same[0].name, after.mean(0), *change_and_flips(before, after), mean))
    order, index = None, None
    if options.shuffles:
        changes = [distance(before, run(shuffle(read, model.frames, seed=seed + 1 + i))) for i in range(options.shuffles)]
        order = np.mean(changes, axis=0)
        index = mean_interval(order, draw_weights(members, 1000, seed))
    settings = {
        "edits": [same[0].name for same in every],
        "donors": max(map(len, every), default=1),
        "shuffles": options.shuffles,
        "seed": seed,
        "grouped": groups is not None,
        "label_names": list(names),
    }
    return CounterfactualResult(
        label_names=names,
        clip_ids=ids,
        before=before,
        edits=tuple(done),
        order=order,
        order_sensitivity=index,
        shuffles=options.shuffles,
        notes=_notes(model, [edit for same in every for edit in same], alone=members.max() == 0),
        provenance=record("counterfactuals", settings, {"before": before}, ["torch"]),
    )


def distance(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Total variation distance (n,) of probabilities (n, C): half the sum of absolute differences.

    >>> distance(np.array([[1.0, 0.0]]), np.array([[0.25, 0.75]])).tolist()
    [0.75]
    """
    total: np.ndarray = 0.5 * np.abs(after - before).sum(axis=1)
    return total


def _check(model: VideoModel, clips: Clips, edits: Sequence[Sequence[Edit]], options: CounterfactualOptions) -> None:
    if not len(of_input(clips, None)):
        raise InputError("no clip to edit; give one or more")
    for part in model.check_clips(clips).values():
        check_range(part)
    if not all(edits):
        raise InputError("an edit has no plan; give one, or a list of one for each donor")
    told = [same[0].name for same in edits]
    if twice := sorted({name for name in told if told.count(name) > 1}):
        raise InputError(f"two edits are called {twice[0]!r}; give each another name")
    if options.shuffles < 0:
        raise InputError(f"shuffles is {options.shuffles}; use 0 or more")


def _notes(model: VideoModel, edits: Sequence[Edit], *, alone: bool) -> tuple[str, ...]:
    """What a reader has to know; `alone`: all clips are of one group."""
    notes = ["one clip, or one group: no interval can be given"] if alone else []
    if any(isinstance(edit, FeatureEdit) and model.branches.get("D") in edit.activations for edit in edits):
        notes.append("the head reads the dynamic branch alone: its swap gives the donor's prediction by construction")
    return tuple(notes)


def _predict(
    model: VideoModel, clips: Clips, n: int, edit: Edit | None, batch: int, progress: Callable[[int], object] | None
) -> np.ndarray:
    """Probabilities of the first n clips."""
    device = next(model.parameters()).device

    def to_device(part: Tensor) -> Tensor:
        return part.to(device)

    donors = (
        check_donors(edit.donors, len(of_input(clips, None)))
        if isinstance(edit, FeatureEdit) and edit.donors is not None
        else None
    )
    found = []
    with model.evaluating():
        for first in range(0, n, batch):
            rows = slice(first, min(first + batch, n))
            shown = each(_shown(clips, edit, rows), to_device)
            if isinstance(edit, FeatureEdit):
                given: dict[str, Tensor] = {}
                if donors is not None:
                    theirs = each(each(clips, itemgetter(donors[rows])), to_device)
                    _, given = model.run_with_cache(theirs, names=edit.activations)
                with model.hooks({name: _put(given.get(name)) for name in edit.activations}):
                    logits = model(shown).logits
            else:
                logits = model(shown).logits
            found.append(logits.float().softmax(-1).cpu())
            if progress is not None:
                progress(len(of_input(shown, None)))
    return check_probabilities(torch.cat(found).numpy())


def _shown(clips: Clips, edit: Edit | None, rows: slice) -> Clips:
    if isinstance(edit, InputEdit):
        return edit.apply(clips, rows)
    # frames of all inputs are of the same moments, and are moved alike
    return each(clips, partial(edit.apply, rows=rows)) if isinstance(edit, FrameEdit) else rows_of(clips, rows)


def _put(value: Tensor | None) -> Callable[[Tensor], Tensor]:
    """A hook that replaces an activation, by zeros without a value."""
    return lambda own: torch.zeros_like(own) if value is None else value

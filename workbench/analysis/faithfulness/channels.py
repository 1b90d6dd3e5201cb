"""Which channels of a branch does the score hang on? Deletion and insertion over the channels of Y_D, Y_S or any activation.

A channel is taken away by giving it its mean over the clips, position by position, so that the features stay in range. The
order is that of gradient × (activation − mean), summed over positions; on Y_D, which the logits are linear in, that is exactly
what the logit loses. The controls are a random order and the channels that vary most; centre and edge mean nothing here.
`whole` − `nothing` of the result is what the score owes to this activation's being of this clip.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from ifdd.errors import InputError
from ifdd.inputs import Clips, of_input, rows_of
from ifdd.models.base import VideoModel
from workbench.analysis._models import (
    Classes,
    Contrast,
    arrays_of,
    check_given,
    choose_contrast,
    describe,
    in_chunks,
    logits_of,
)
from workbench.analysis.faithfulness.curves import PLAIN, RANDOM, CurveRequest, Units, all_curves, check_kind, summarise
from workbench.analysis.faithfulness.results import PerturbationResult
from workbench.analysis.saliency.activations import run_to
from workbench.results.provenance import record

ORDER, LARGEST = "gradient × activation", "largest"


def perturb_channels(
    model: VideoModel,
    clips: Clips,
    activation: str,
    target: Classes = None,
    request: CurveRequest = PLAIN,
    *,
    against: Classes = None,
    groups: ArrayLike | None = None,
    seed: int = 0,
) -> PerturbationResult:
    """Deletion and insertion of the channels of one activation of clips (n, 3, T, H, W), two clips or more, by input.

    `target` and `against` as in `saliency.gradcam`; `groups` (n,), e.g. persons, are drawn as a whole for the intervals.

    Raises:
        InputError: one clip alone, an activation without places, a class that is not there.

    Source: Petsiuk et al. 2018 (RISE), section 4.2, over channels.

    >>> import ifdd
    >>> model = ifdd.create_model("ifdd-mvit-tiny", frames=8, size=(32, 32))
    >>> found = perturb_channels(model, torch.rand(2, 3, 8, 32, 32), "ladm.Y_D", 0, CurveRequest(steps=2))
    >>> found.unit, [row.name for row in found.scores]
    ('channels of ladm.Y_D', ['gradient × activation', 'largest', 'random'])
    """
    check_given(model, clips, several=True)
    if len(of_input(clips, None)) < 2:
        raise InputError("channels are replaced by their mean over clips, and there is one clip; pass two or more")
    check_kind(request, against)
    if describe(model, activation).role == "stage":
        behind = ", ".join(model.with_roles("X"))
        raise InputError(f"{activation} lies inside the backbone; channels are exchanged behind it: {behind}, or a branch")
    with model.evaluating(), torch.no_grad():
        contrast = choose_contrast(model, target, against, in_chunks(lambda part: logits_of(model, part), clips, request.batch))
    one_by_one = [_sloped(model, clips, activation, contrast, i) for i in range(len(contrast.classes))]
    features, slope = (torch.cat(parts) for parts in zip(*one_by_one, strict=True))
    dim = 1 if features.dim() == 5 else 2
    over = tuple(d for d in range(1, features.dim()) if d != dim)
    moved = features - features.mean(0)
    values = {
        ORDER: (slope * moved).sum(over).double().cpu().numpy(),
        LARGEST: moved.abs().sum(over).double().cpu().numpy(),
    }
    values[RANDOM] = np.random.default_rng([seed, 3]).random(values[ORDER].shape)
    shape = [1] * features.dim()
    shape[dim] = -1

    def evaluator(i: int) -> Callable[[Tensor], Tensor]:
        stages = [stage[i : i + 1] for stage in encoded]

        def evaluate(keep: Tensor) -> Tensor:
            count = len(keep)
            mixed = torch.where(keep.view(count, *shape[1:]), features[i], features.mean(0))
            with model.hooks({activation: lambda _: mixed}):
                found = model.decode(tuple(stage.expand(count, *stage.shape[1:]) for stage in stages)).logits
            own = contrast.of_clip(i, count)
            return own.probability(found) if request.kind == "probability" else own.score(found)

        return evaluate

    with model.evaluating(), torch.no_grad():
        encoded = model.encode(clips)
        curves = all_curves(values, evaluator, request, seed=seed, device=features.device, what="channels")
    parameters = {
        "activation": activation,
        "kind": request.kind,
        "steps": request.steps,
        "resamples": request.resamples,
        "seed": seed,
    }
    units = Units(f"channels of {activation}", values[ORDER].shape[1], "mean over clips", frozenset({RANDOM, LARGEST}))
    source = record("deletion and insertion", parameters, arrays_of(clips), ("torch",))
    return summarise(curves, units, request, source, groups=groups, seed=seed)


def _sloped(model: VideoModel, clips: Clips, activation: str, contrast: Contrast, i: int) -> tuple[Tensor, Tensor]:
    """The activation of clip `i`, and the slope of its score there; clip by clip, for a graph of all of them may be large."""
    logits, cache = run_to(model, rows_of(clips, slice(i, i + 1)), (activation,))
    with torch.enable_grad():
        total = contrast.of_clip(i, 1).score(logits).sum()
    (gradient,) = torch.autograd.grad(total, cache[activation], allow_unused=True)
    features = cache[activation].detach()
    return features, torch.zeros_like(features) if gradient is None else gradient

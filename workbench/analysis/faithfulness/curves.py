"""Curves of deletion and insertion over units of any kind, and what they say with intervals over clips."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import get_args

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from ifdd.errors import InputError
from ifdd.progress import tqdm
from workbench.analysis._models import in_chunks
from workbench.analysis.faithfulness.results import Kind, PerturbationResult, PerturbationScore
from workbench.analysis.saliency.cam import check_choice
from workbench.results.bootstrap import draw_weights, group_members, mean_interval
from workbench.results.provenance import Provenance

RANDOM = "random"


@dataclass(frozen=True)
class CurveRequest:
    """What is measured along a curve (`kind` of score) at how many points, masks in memory at a time, draws of the bootstrap."""

    kind: Kind = "probability"
    steps: int = 10
    batch: int = 16
    resamples: int = 1000


PLAIN = CurveRequest()


def check_kind(request: CurveRequest, against: object) -> None:
    """Refuse an unknown kind of score, or the probability of a difference of two logits. Raises: InputError."""
    check_choice("kind", request.kind, get_args(Kind))
    if against is not None and request.kind != "logit":
        raise InputError("a difference of two logits has no probability; give kind='logit' with against")


def all_curves(
    values: Mapping[str, np.ndarray],
    evaluator: Callable[[int], Callable[[Tensor], Tensor]],
    request: CurveRequest,
    *,
    seed: int,
    device: torch.device,
    what: str,
) -> dict[str, np.ndarray]:
    """Deletion and insertion curves (n, 2, steps + 1) of each order; values (n, units), most important first, ties at random.

    `evaluator(i)` scores clip i for masks (m, units) of what is kept.
    """
    n, units = next(iter(values.values())).shape
    steps, batch = request.steps, request.batch
    if steps < 2 or units < 2 or batch < 1:
        raise InputError(
            f"{steps} steps over {units} {what} and a batch of {batch} give no curve; take 2 steps and 2 cells or more"
        )
    counts = _counts(units, steps)
    rng = np.random.default_rng([seed, 4])
    curves = {name: np.empty((n, 2, steps + 1)) for name in values}
    for i in tqdm(range(n), desc=f"take away {what}", unit="clip", disable=None, leave=False):
        masks = [np.ones(units, bool), np.zeros(units, bool)]
        for row in values.values():
            place = np.empty(units, int)
            place[np.lexsort((rng.random(units), -row[i]))] = np.arange(units)
            masks += [place >= count for count in counts[1:-1]] + [place < count for count in counts[1:-1]]
        keep = torch.from_numpy(np.stack(masks)).to(device)
        found = in_chunks(evaluator(i), keep, batch).double().cpu().numpy()
        whole, nothing, inner = found[0], found[1], found[2:].reshape(len(values), 2, steps - 1)
        for name, (deleted, inserted) in zip(values, inner, strict=True):
            curves[name][i] = [[whole, *deleted, nothing], [nothing, *inserted, whole]]
    return curves


@dataclass(frozen=True)
class Units:
    """What was taken away: `count` units called `name`, what stood in for them, the orders that know nothing of the model."""

    name: str
    count: int
    fill: str
    controls: frozenset[str]


def summarise(
    curves: Mapping[str, np.ndarray],
    units: Units,
    request: CurveRequest,
    provenance: Provenance,
    *,
    groups: ArrayLike | None,
    seed: int,
) -> PerturbationResult:
    """Areas under curves (n, 2, steps + 1) with 95 % intervals over clips, whole groups drawn."""
    first = next(iter(curves.values()))
    n = len(first)
    draws = draw_weights(group_members(groups, n), request.resamples, seed)
    # as they are: equal steps would give a map that knows nothing a gap
    fractions = _counts(units.count, request.steps) / units.count
    areas = {name: np.trapezoid(curve, fractions, axis=2) for name, curve in curves.items()}
    gaps = {name: area[:, 1] - area[:, 0] for name, area in areas.items()}
    rows = [
        PerturbationScore(
            name=name,
            control=name in units.controls,
            deletion=mean_interval(areas[name][:, 0], draws),
            insertion=mean_interval(areas[name][:, 1], draws),
            gap=mean_interval(gap, draws),
            beyond_random=mean_interval(np.full(n, np.nan) if name == RANDOM else gap - gaps[RANDOM], draws),
            deletion_curve=curves[name][:, 0].mean(0),
            insertion_curve=curves[name][:, 1].mean(0),
        )
        for name, gap in gaps.items()
    ]
    return PerturbationResult(
        unit=units.name,
        kind=request.kind,
        fill=units.fill,
        units=units.count,
        n=n,
        fractions=fractions,
        scores=tuple(rows),
        whole=float(first[:, 0, 0].mean()),
        nothing=float(first[:, 0, -1].mean()),
        provenance=provenance,
    )


def _counts(units: int, steps: int) -> np.ndarray:
    """How many units are taken away, or shown, at each point (steps + 1,) of a curve."""
    return np.rint(np.linspace(0, units, steps + 1)).astype(int)

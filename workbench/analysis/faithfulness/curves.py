"""Curves of deletion and insertion over units of any kind, and what they say with intervals over clips."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from tqdm import tqdm

from ifdd.errors import InputError
from workbench.analysis.faithfulness.results import Kind, PerturbationResult, PerturbationScore
from workbench.analysis.saliency.attribution import in_chunks
from workbench.results.bootstrap import draw_weights, group_members, mean_interval
from workbench.results.provenance import Provenance

RANDOM = "random"


def all_curves(
    values: Mapping[str, np.ndarray],
    evaluator: Callable[[int], Callable[[Tensor], Tensor]],
    *,
    steps: int,
    batch: int,
    seed: int,
    device: torch.device,
    what: str,
) -> dict[str, np.ndarray]:
    """Deletion and insertion curves (n, 2, steps + 1) of each order; values (n, units), most important first, ties at random.

    `evaluator(i)` scores clip i for masks (m, units) of what is kept.
    """
    n, units = next(iter(values.values())).shape
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


def summarise(
    curves: Mapping[str, np.ndarray],
    *,
    controls: set[str],
    unit: str,
    kind: Kind,
    fill: str,
    units: int,
    groups: ArrayLike | None,
    resamples: int,
    seed: int,
    provenance: Provenance,
) -> PerturbationResult:
    """Areas under curves (n, 2, steps + 1) with 95 % intervals over clips, whole groups drawn."""
    first = next(iter(curves.values()))
    n, steps = len(first), first.shape[2] - 1
    draws = draw_weights(group_members(groups, n), resamples, seed)
    fractions = _counts(units, steps) / units  # as they are: equal steps would give a map that knows nothing a gap
    areas = {name: np.trapezoid(curve, fractions, axis=2) for name, curve in curves.items()}
    gaps = {name: area[:, 1] - area[:, 0] for name, area in areas.items()}
    rows = [
        PerturbationScore(
            name=name,
            control=name in controls,
            deletion=mean_interval(areas[name][:, 0], draws),
            insertion=mean_interval(areas[name][:, 1], draws),
            gap=mean_interval(gap, draws),
            beyond_random=mean_interval(np.full(n, np.nan) if name == RANDOM else gap - gaps[RANDOM], draws),
            deletion_curve=curves[name][:, 0].mean(0),
            insertion_curve=curves[name][:, 1].mean(0),
        )
        for name, gap in gaps.items()
    ]
    whole, nothing = float(first[:, 0, 0].mean()), float(first[:, 0, -1].mean())
    return PerturbationResult(unit, kind, fill, units, n, fractions, tuple(rows), whole, nothing, provenance)


def _counts(units: int, steps: int) -> np.ndarray:
    """How many units are taken away, or shown, at each point (steps + 1,) of a curve."""
    return np.rint(np.linspace(0, units, steps + 1)).astype(int)

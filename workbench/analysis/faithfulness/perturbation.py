"""Does the score follow the map? Take away what it calls important (deletion), or show nothing else (insertion).

After Petsiuk et al. 2018 (RISE, section 4.2), in space and time. A clip is cut into cells; the map's mean in each cell gives
the order. The gap is the area under the insertion curve minus that under the deletion curve. A map that knows nothing has gap
0 by symmetry: to delete a random share is to insert the rest. Beside every map stand orders that know nothing of the model:
at random, from the centre outwards, and by the edges in the picture; in time also by motion.

A clip with holes is none that the model was trained on, so only differences to these controls speak for a map.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from ifdd.errors import InputError
from ifdd.inputs import Clips
from workbench.analysis._models import (
    Classes,
    arrays_of,
    check_finite,
    check_given,
    choose_contrast,
    evaluating,
    in_chunks,
    logits_of,
)
from workbench.analysis.faithfulness.curves import RANDOM, CurveRequest, Units, all_curves, check_kind, summarise
from workbench.analysis.faithfulness.results import PerturbationResult
from workbench.analysis.saliency.cam import check_choice
from workbench.analysis.saliency.fills import Fill, fill_of
from workbench.results.provenance import record

Unit = Literal["pixels", "frames"]


@dataclass(frozen=True)
class RemovalRequest(CurveRequest):
    """Which units of a clip are taken away, and what stands in for them.

    `cell` (frames, height, width) of pixels is what is taken away at once, by default an eighth of the time and a fourteenth of
    each side.
    """

    unit: Unit = "pixels"
    cell: tuple[int, int, int] | None = None
    fill: Fill = "mean"


@torch.no_grad()
def perturb_clips(
    model: nn.Module,
    clips: Clips,
    maps: Mapping[str, ArrayLike],
    target: Classes = None,
    request: RemovalRequest = RemovalRequest(),
    *,
    against: Classes = None,
    of: str | None = None,
    groups: ArrayLike | None = None,
    seed: int = 0,
) -> PerturbationResult:
    """Deletion and insertion of the pixels, or of whole frames, of clips (n, 3, T, H, W) in the order of maps by name.

    Maps are (n, T, H, W), signed or not; for frames also (n, T). `target` and `against` as in `saliency.gradcam`; a contrast has
    a logit only. `groups` (n,), e.g. persons, are drawn as a whole for the intervals. Of a model with several inputs clips are by
    name, and pixels those of the input `of`, the others being as they are; a frame is taken from all of them, and its
    controls are of the first.

    Raises:
        InputError: maps that do not fit or are undefined, unknown names, sizes below 1, a class that is not there; clips by name
            without one of their names where pixels are taken.

    Source: Petsiuk et al. 2018 (RISE), section 4.2, in space and time.

    >>> brightness = nn.Sequential(nn.Flatten(), nn.Linear(96, 2, bias=False))
    >>> _ = brightness[1].weight.data.copy_(torch.tensor([[1.0], [0.0]]).expand(2, 96))
    >>> clips = torch.rand(2, 3, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    >>> request = RemovalRequest(kind="logit", steps=4, fill="black", cell=(1, 1, 1))
    >>> found = perturb_clips(brightness, clips, {"brightness": clips.sum(1)}, 0, request)
    >>> found.score("brightness").gap.value > found.score("centre").gap.value
    True
    """
    check_given(model, clips, several=True)
    check_choice("unit", request.unit, get_args(Unit))
    check_kind(request, against)
    if isinstance(clips, Mapping) and request.unit == "pixels" and of not in clips:
        raise InputError(f"pixels of {of or 'which input'}? These clips have {' and '.join(clips)}; name one with of")
    named = dict(clips) if isinstance(clips, Mapping) else {of or "": clips}
    removed = {name: part for name, part in named.items() if name == (of or "") or request.unit == "frames"}
    if len({part.shape[2:3] for part in removed.values()}) > 1:
        raise InputError("inputs have other numbers of frames, and a frame is taken from all of them; give them the same moments")
    filled = {name: fill_of(part, request.fill) for name, part in removed.items()}
    lead = next(iter(removed.values()))
    n, _, frames, height, width = lead.shape
    small = (max(frames // 8, 1), max(height // 14, 1), max(width // 14, 1))
    cell = (1, height, width) if request.unit == "frames" else request.cell or small
    places = _cells((frames, height, width), cell)
    values = {name: _cell_means(_checked(name, array, tuple(lead.shape)), places) for name, array in maps.items()}
    if taken := set(values) & {RANDOM, "centre", "edge", "motion"}:
        raise InputError(f"{sorted(taken)[0]} is the name of a control; call the map something else")
    controls = _controls(lead, request.unit)
    values |= {name: _cell_means(array, places) for name, array in controls.items()}
    values[RANDOM] = np.random.default_rng([seed, 3]).random((n, int(places.max()) + 1))
    where = {name: _in(part, places, request.unit) for name, part in removed.items()}
    with evaluating(model):
        logits = in_chunks(lambda part: logits_of(model, part), clips, request.batch)
        check_finite(logits, "the logits")
        contrast = choose_contrast(model, target, against, logits)

        def evaluator(i: int) -> Callable[[Tensor], Tensor]:
            def evaluate(keep: Tensor) -> Tensor:
                shown = {name: part[i].expand(len(keep), *part[i].shape) for name, part in named.items()}
                shown |= {
                    name: torch.where(keep[:, where[name]][:, None], part[i], filled[name][i]) for name, part in removed.items()
                }
                found = logits_of(model, _as_given(clips, shown))
                own = contrast.of_clip(i, len(keep))
                return own.probability(found) if request.kind == "probability" else own.score(found)

            return evaluate

        curves = all_curves(values, evaluator, request, seed=seed, device=lead.device, what=request.unit)
    parameters = {
        "unit": request.unit,
        "cell": list(cell),
        "fill": request.fill,
        "kind": request.kind,
        "steps": request.steps,
        "resamples": request.resamples,
        "seed": seed,
    }
    inputs = arrays_of(clips) | {name: values[name] for name in maps}
    source = record("deletion and insertion", parameters, inputs, ("torch",))
    unit = f"pixels of {of}" if isinstance(clips, Mapping) and request.unit == "pixels" else request.unit
    units = Units(unit, int(places.max()) + 1, request.fill, frozenset({*controls, RANDOM}))
    return summarise(curves, units, request, source, groups=groups, seed=seed)


def _in(clips: Tensor, places: np.ndarray, unit: Unit) -> Tensor:
    """Number of the cell of each pixel of an input (T, H, W); frames of another size have the same numbers."""
    frames, *size = clips.shape[2:]
    found = np.broadcast_to(places[:, :1, :1], (frames, *size)).copy() if unit == "frames" else places
    return torch.from_numpy(found).to(clips.device)


def _as_given(clips: Clips, shown: Mapping[str, Tensor]) -> Clips:
    return {name: shown[name] for name in clips} if isinstance(clips, Mapping) else next(iter(shown.values()))


def _checked(name: str, values: ArrayLike, shape: tuple[int, ...]) -> np.ndarray:
    array, (n, _, frames, height, width) = np.asarray(values, np.float64), shape
    if array.shape == (n, frames):
        array = np.broadcast_to(array[:, :, None, None], (n, frames, height, width))
    if array.shape != (n, frames, height, width):
        raise InputError(f"{name} has shape {array.shape}; pass ({n}, {frames}, {height}, {width}), one map for each clip")
    if not np.isfinite(array).all():
        raise InputError(f"{name} holds NaN or infinity; an order needs numbers")
    return array


def _cells(size: Sequence[int], cell: Sequence[int]) -> np.ndarray:
    """Number of the cell (T, H, W) that each pixel lies in."""
    if any(not 1 <= part <= whole for part, whole in zip(cell, size, strict=True)):
        raise InputError(
            f"cell {tuple(cell)} does not fit clips of {size[0]} frames, {size[1]} × {size[2]}; pass frames, height, width"
        )
    t, y, x = (np.arange(whole) // part for whole, part in zip(size, cell, strict=True))
    return (t[:, None, None] * (y[-1] + 1) + y[:, None]) * (x[-1] + 1) + x


def _cell_means(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Mean (n, cells) of values (n, T, H, W) in each cell."""
    flat = places.ravel()
    counts = np.bincount(flat)
    return np.stack([np.bincount(flat, row.ravel()) / counts for row in values])


def _controls(clips: Tensor, unit: Unit) -> dict[str, np.ndarray]:
    """Maps (n, T, H, W) that know nothing of the model."""
    gray = clips.mean(1).double().cpu().numpy()
    n, frames, height, width = gray.shape
    y, x = ((np.arange(size) + 0.5) / size - 0.5 for size in (height, width))
    centre = np.broadcast_to(-np.hypot(y[:, None], x), gray.shape)
    edges = np.stack([edge_map(clip) for clip in gray])
    if unit == "pixels":
        return {"centre": centre, "edge": edges}
    middle = -np.abs(np.arange(frames) - (frames - 1) / 2)
    step = np.abs(np.diff(gray, axis=1)).mean((2, 3))
    motion = np.concatenate((step[:, :1], step), 1) if frames > 1 else np.zeros((n, frames))
    shape = (n, frames, height, width)
    times = {"centre": np.broadcast_to(middle, (n, frames)), "edge": edges.mean((2, 3)), "motion": motion}
    return {name: np.broadcast_to(values[:, :, None, None], shape) for name, values in times.items()}


def edge_map(gray: np.ndarray) -> np.ndarray:
    """Magnitude of Sobel's gradient of pictures (T, H, W): a map that no model takes part in."""
    return np.stack([np.hypot(cv2.Sobel(frame, -1, 1, 0), cv2.Sobel(frame, -1, 0, 1)) for frame in gray])

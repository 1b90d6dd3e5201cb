"""Do maps lie on the pixels that the emotion moves? Shares of their energy, against area and simple maps."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ifdd.errors import InputError
from workbench.analysis.disentanglement.results import LocalisationResult, LocalisationScore
from workbench.results.bootstrap import draw_weights, group_members, mean_interval
from workbench.results.controls import other_clips
from workbench.results.provenance import record

OTHERS, TOLD = "other clips", "told"


def localisation(
    maps: ArrayLike | Mapping[str, ArrayLike],
    masks: ArrayLike,
    *,
    pixels: ArrayLike | None = None,
    regions: ArrayLike | None = None,
    region_names: tuple[str, ...] = (),
    groups: ArrayLike | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> LocalisationResult:
    """Score non-negative maps (n, T, H, W), one array or several by name, against masks (n, T, H, W) of moved pixels.

    Only frames with a mask count. Beside them stand the maps of other people's clips (what a map tells of faces, and not of this
    clip), the mask itself ("told": the most there is), a random map, one that is bright in the middle, and with `pixels`
    (n, T, H, W) or (n, T, H, W, 3) the difference of successive frames. `regions` (n, T, H, W) holds indexes into `region_names`.

    Source: Arras et al. 2022 (relevance mass); Zhang et al. 2018 (pointing game).

    Raises:
        InputError: shapes that do not fit, negative or undefined maps, or masks that are all empty.

    >>> moved = np.zeros((2, 1, 4, 4), bool)
    >>> moved[:, :, 0, 0] = True
    >>> found = localisation(moved.astype(float), moved).score("maps")
    >>> found.share.value, found.ratio.value
    (1.0, 16.0)
    """
    named = dict(maps) if isinstance(maps, Mapping) else {"maps": maps}
    mask: np.ndarray = np.asarray(masks, bool)
    arrays = {name: _checked(name, values, mask.shape) for name, values in named.items()}
    shown: np.ndarray = np.asarray(mask.any((2, 3)))
    if not shown.any():
        raise InputError("every mask is empty; pass clips in which the emotion moves something")
    members = group_members(groups, len(mask))
    if len(mask) > 1:
        other = other_clips(members, 1, seed)[0]
        arrays |= {f"{name}, {OTHERS}": values[other] for name, values in arrays.items()}
    arrays |= {TOLD: mask.astype(np.float32)} | _simple_maps(mask.shape, pixels, seed)
    draws = draw_weights(members, resamples, seed)
    areas: Any = None if regions is None else np.asarray(regions, np.int64)
    if areas is None and region_names:
        raise InputError(f"region_names {', '.join(region_names)} come without regions; pass the map of each frame")
    if areas is not None and (areas.shape != mask.shape or areas.max() >= len(region_names)):
        raise InputError(f"regions of shape {areas.shape} must be {mask.shape} with indexes below {len(region_names)}")
    scores = []
    for name, values in arrays.items():
        share, ratio, pointing = _by_clip(values, mask, shown)
        by_region = {}
        for i, region in enumerate(region_names):
            inside = areas == i
            by_region[region] = mean_interval(_by_clip(values, inside, shown & inside.any((2, 3)))[1], draws)
        first, second, third = (mean_interval(column, draws) for column in (share, ratio, pointing))
        scores.append(LocalisationScore(name, first, second, third, by_region))
    return LocalisationResult(
        scores=tuple(scores),
        clips=int(shown.any(1).sum()),
        frames=int(shown.sum()),
        without=int((~shown.any(1)).sum()),
        provenance=record("localisation", {"resamples": resamples, "seed": seed}, {"masks": mask}),
    )


def _checked(name: str, values: ArrayLike, shape: tuple[int, ...]) -> np.ndarray:
    array = np.asarray(values, np.float32)
    if array.shape != shape or len(shape) != 4:
        raise InputError(f"{name} has shape {array.shape}, masks {shape}; both must be (clips, T, H, W)")
    if not np.isfinite(array).all() or array.min() < 0:
        raise InputError(f"{name} holds negative or undefined numbers; pass rectified maps")
    return array


def _simple_maps(shape: tuple[int, ...], pixels: ArrayLike | None, seed: int) -> dict[str, np.ndarray]:
    """Random, centre and frame-difference maps (n, T, H, W)."""
    _, _, height, width = shape
    y = (np.arange(height)[:, None] + 0.5) / height - 0.5
    x = (np.arange(width) + 0.5) / width - 0.5
    found = {
        "random": np.random.default_rng([seed, 2]).random(shape, np.float32),
        "centre": np.broadcast_to(np.exp(-(x**2 + y**2) / (2 * 0.2**2)).astype(np.float32), shape),
    }
    if pixels is not None:
        frames = np.asarray(pixels, np.float32)
        frames = frames.mean(-1) if frames.ndim == 5 else frames
        if frames.shape != shape:
            raise InputError(f"pixels has shape {np.shape(pixels)}; pass {shape}, with or without three colours last")
        step = np.abs(np.diff(frames, axis=1))
        found["frame difference"] = np.concatenate((step[:, :1], step), 1)
    return found


def _by_clip(values: np.ndarray, mask: np.ndarray, shown: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Share inside, share over share of area, hits of the largest value: (n,) each, over the frames that are shown."""
    share, ratio, pointing = np.full((3, len(values)), np.nan)
    for i in np.flatnonzero(shown.any(1)):
        kept, inside = values[i, shown[i]].astype(np.float64), mask[i, shown[i]]
        if kept.sum() > 0:
            share[i] = (kept * inside).sum() / kept.sum()
            ratio[i] = share[i] / inside.mean() if inside.any() else np.nan
        flat = kept.reshape(len(kept), -1)
        points = flat.max(1) > flat.min(1)  # a flat map points nowhere
        if points.any():
            hits = np.take_along_axis(inside.reshape(flat.shape), flat.argmax(1)[:, None], 1)[:, 0]
            pointing[i] = hits[points].mean()
    return share, ratio, pointing

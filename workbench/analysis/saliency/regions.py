"""How is the attribution spent on the parts of the face? Shares by region, over time, against the area as null.

A map that knows nothing spends on every region as much as its area: ratio 1. A ratio of 2 is twice that.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from ifdd.errors import InputError
from workbench.analysis.saliency.results import RegionBudget, RegionShare
from workbench.results.bootstrap import draw_weights, group_members, mean_interval
from workbench.results.provenance import record

FACE_RECTANGLES: dict[str, tuple[float, float, float, float]] = {
    "face": (0.05, 0.05, 0.95, 1.0),
    "brows": (0.14, 0.20, 0.86, 0.34),
    "eyes": (0.14, 0.34, 0.86, 0.48),
    "nose": (0.36, 0.40, 0.64, 0.66),
    "mouth": (0.27, 0.68, 0.73, 0.88),
}
"""Parts of an upright face in the square that a face detector draws, as (x0, y0, x1, y1) shares of its side; a later one lies
on top of an earlier one. Proportions of an average frontal face: good for a budget, not for a landmark."""


def region_budget(
    maps: ArrayLike,
    regions: ArrayLike,
    names: Sequence[str],
    *,
    source: str,
    groups: ArrayLike | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> RegionBudget:
    """Budget of non-negative maps (n, T, H, W) over regions (n, T, H, W), indexes into `names`; whole groups are drawn.


    Raises:
        InputError: shapes that do not fit, negative or undefined maps, unknown regions, or maps that are all zero.

    Source: Arras et al. 2022 (relevance mass), against the area as null.

    >>> regions = np.array([[[[0, 0, 0, 1]]]])
    >>> found = region_budget(np.ones((1, 1, 1, 4)), regions, ["rest", "mouth"], source="by hand")
    >>> found.region("mouth").share.value, found.region("mouth").ratio.value
    (0.25, 1.0)
    """
    values, areas = np.asarray(maps, np.float64), np.asarray(regions)
    if values.ndim != 4 or values.shape != areas.shape or not len(values):
        raise InputError(f"maps have shape {values.shape}, regions {areas.shape}; both must be (clips, T, H, W)")
    if not np.isfinite(values).all() or values.min() < 0:
        raise InputError("maps hold negative or undefined numbers; pass rectified maps, or their magnitude")
    if areas.dtype.kind not in "iu" or areas.min() < 0 or areas.max() >= len(names):
        raise InputError(f"regions must be whole numbers from 0 to {len(names) - 1}, one for each of {', '.join(names)}")
    total = values.sum((1, 2, 3))
    known = total > 0
    if not known.any():
        raise InputError("every map is zero; there is no attribution to share out")
    draws = draw_weights(group_members(groups, len(values)), resamples, seed)
    rows, by_clip = [], np.full((len(values), len(names)), np.nan)
    for i, name in enumerate(names):
        inside = areas == i
        if not inside.any():
            continue
        spent = np.divide(
            (values * inside).sum((2, 3)), total[:, None], out=np.full(values.shape[:2], np.nan), where=known[:, None]
        )
        share, area = spent.sum(1), inside.mean((1, 2, 3))
        by_clip[:, i] = share
        here = area > 0
        ratio = np.divide(share, area, out=np.full(len(area), np.nan), where=here)
        rows.append(
            RegionShare(
                name=name,
                clips=int((here & known).sum()),
                share=mean_interval(share, draws),
                area=mean_interval(np.where(known, area, np.nan), draws),
                ratio=mean_interval(ratio, draws),
                over_time=np.nanmean(spent[known], 0),
                area_over_time=inside[known].mean((0, 2, 3)),
            )
        )
    parameters = {"source": source, "names": list(names), "resamples": resamples, "seed": seed}
    return RegionBudget(
        regions=tuple(rows),
        source=source,
        clips=int(known.sum()),
        empty=int((~known).sum()),
        by_clip=by_clip,
        provenance=record("region budget", parameters, {"maps": values, "regions": areas}),
    )


def face_rectangles(size: tuple[int, int], margin: float = 0.0) -> tuple[np.ndarray, tuple[str, ...]]:
    """Regions (H, W) of an aligned face crop, and their names; `margin` widens the crop on each side, as a share of the face.

    Raises: InputError for a negative margin or an empty picture.
    """
    height, width = size
    if margin < 0 or height < 1 or width < 1:
        raise InputError(f"size {size} and margin {margin} are no face crop; pass pixels, and a margin of 0 or more")
    names = ("background", *FACE_RECTANGLES)
    y, x = (((np.arange(n) + 0.5) / n * (1 + 2 * margin) - margin) for n in (height, width))
    regions = np.zeros(size, np.uint8)
    for i, (x0, y0, x1, y1) in enumerate(FACE_RECTANGLES.values(), start=1):
        regions[np.ix_((y >= y0) & (y < y1), (x >= x0) & (x < x1))] = i
    return regions, names

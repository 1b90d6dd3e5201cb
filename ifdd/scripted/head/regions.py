"""Which part of the face every vertex belongs to, and the map of what each pixel shows."""

import numpy as np

REGIONS = ("background", "brows", "eyes", "nose", "mouth", "face", "occluder")
"""Names of the values of a region map. `face` is the rest of its skin, with the ears; hair, neck and clothes are background."""


def part_regions(name: str, count: int) -> np.ndarray:
    """One region for `count` vertices: (count,) uint8."""
    return np.full(count, REGIONS.index(name), np.uint8)


def skin_regions(xy: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Region (V,) uint8 of the skin's vertices of the built-in head, by frontal position (V, 2) and template height (V,), cm."""
    x, y = np.abs(xy[:, 0]), xy[:, 1]
    out = part_regions("face", len(xy))
    nose = (y < 1.3) & (y > -5.15) & (x < 1.2 + 0.25 * np.clip(-y, 0, 4))
    for name, where in (
        ("nose", nose),
        ("eyes", (x > 1.3) & (x < 5.1) & (y > -1.3) & (y < 1.3)),
        ("brows", (x < 5.4) & (y >= 1.3) & (y < 3.6)),  # with what lies between them, where a frown shows
        ("mouth", (x < 3.3) & (y <= -5.15) & (y > -8.9)),
        ("background", height < -12.5),
    ):
        out[where] = REGIONS.index(name)
    return out


def region_map(face: np.ndarray, bary: np.ndarray, triangles: np.ndarray, regions: np.ndarray, samples: int) -> np.ndarray:
    """What each pixel shows: (H, W) uint8, from the triangle of every sample (face (h, w), -1 for none; bary (h, w, 2)).

    A sample has the region of the corner that weighs most, a pixel that of most of its samples (first in `REGIONS` on a tie).
    """
    fine = np.zeros(face.shape, np.uint8)
    seen = face >= 0
    second, third = bary[seen].T
    first = 1 - second - third
    corner = np.where(first >= np.maximum(second, third), 0, np.where(second >= third, 1, 2))
    fine[seen] = regions[triangles[face[seen], corner]]
    cells = [fine[i::samples, j::samples] for i in range(samples) for j in range(samples)]
    votes = np.stack([sum((cell == r).astype(np.uint8) for cell in cells) for r in range(len(REGIONS))])
    return votes.argmax(0).astype(np.uint8)

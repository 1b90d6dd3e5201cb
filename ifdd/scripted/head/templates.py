"""The flat template of the built-in head: where its vertices lie, before any of them has a depth.

Coordinates are (a, t): azimuth around the head's axis in radians, and a height in cm that equals y on the front of the face.
`surface` turns them into a smooth head without features. Holes for the eyes and the mouth are cut here, so that lids and lips
have true edges.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.spatial import Delaunay

EYE = np.array([3.15, 0.0])
"""Centre of the eye on the side x > 0, cm."""
EYE_INNER, EYE_OUTER = 1.66, 4.62
MOUTH_Y = -7.05
MOUTH_HALF = 2.45
GAP = 0.24
"""Half height of the mouth's hole in the template; `sculpt` closes it."""

_KNOTS = np.array(
    # t      width  front  back   lift
    [
        [-14.0, 3.6, 2.6, 4.5, 5.2],
        [-12.5, 4.9, 6.6, 6.0, 5.0],
        [-11.5, 5.6, 8.5, 6.5, 4.5],
        [-10.4, 5.95, 9.0, 7.0, 3.5],
        [-9.0, 6.25, 9.05, 7.5, 2.5],
        [-7.0, 6.55, 9.2, 8.0, 1.3],
        [-4.8, 6.85, 9.25, 8.6, 0.4],
        [-2.0, 7.2, 9.2, 9.2, 0.0],
        [0.5, 7.45, 9.15, 9.6, 0.0],
        [2.5, 7.6, 9.35, 9.8, 0.0],
        [5.0, 7.5, 9.2, 9.7, 0.0],
        [7.5, 6.95, 8.35, 9.0, 0.0],
        [9.5, 5.6, 6.5, 7.3, 0.0],
        [10.8, 3.8, 4.3, 5.0, 0.0],
        [11.5, 2.1, 2.3, 2.8, 0.0],
        [11.8, 0.0, 0.0, 0.0, 0.0],
    ]
)
_CURVES = PchipInterpolator(_KNOTS[:, 0], _KNOTS[:, 1:])


def surface(a: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Featureless head at template coordinates: (..., 3), cm; x to the image's right, y up, z to the camera."""
    width, front, back, lift = np.moveaxis(_CURVES(np.clip(t, -14.0, 11.8)), -1, 0)
    s, c = np.sin(a), np.cos(a)
    # flatter in front than an ellipse, as faces are
    z = np.where(c > 0, front, back) * np.sign(c) * np.abs(c) ** 0.85
    y = np.maximum(t, -11.5 + 0.12 * (t + 11.5)) + lift * np.abs(np.sin(np.clip(a, -np.pi / 2, np.pi / 2))) ** 2.6
    return np.stack([width * s, y, z], -1)


def to_template(xy: np.ndarray) -> np.ndarray:
    """Template coordinates of points given by their frontal position (n, 2); the inverse of `surface` on the front."""
    a, t = np.zeros(len(xy)), xy[:, 1].copy()
    for _ in range(40):
        width, _, _, lift = np.moveaxis(_CURVES(np.clip(t, -14.0, 11.8)), -1, 0)
        a = np.arcsin(np.clip(xy[:, 0] / width, -0.999, 0.999))
        t = 0.5 * t + 0.5 * (xy[:, 1] - lift * np.abs(np.sin(a)) ** 2.6)
    return np.stack([a, t], -1)


def lid_lines(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Upper and lower edge (y, cm) of the open eye at |x|."""
    u = np.clip((np.abs(x) - EYE_INNER) / (EYE_OUTER - EYE_INNER), 0, 1)
    corner = -0.12 + 0.26 * u
    upper = corner + 0.6 * np.clip(4 * u * (1 - u), 0, 1) ** 0.62 * (1 + 0.12 * (0.5 - u))
    lower = corner - 0.5 * np.clip(4 * u * (1 - u), 0, 1) ** 0.8 * (1 - 0.25 * (0.5 - u))
    return upper, lower


def mouth_gap(x: np.ndarray) -> np.ndarray:
    """Half height of the template's mouth hole at x, cm."""
    return GAP * np.sqrt(np.clip(1 - (x / MOUTH_HALF) ** 2, 0, 1))


def lip_heights(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Height of the red of the upper and the lower lip above and below the mouth line at x in the template, cm."""
    r = np.clip(np.abs(x) / (MOUTH_HALF + 0.1), 0, 1)
    upper = 0.9 * (1 - r**2) ** 0.8 - 0.13 * np.exp(-((x / 0.25) ** 2))
    lower = 1.12 * (1 - r**2.4) ** 0.8
    return upper, lower


def _eye_ring(offset: float, n: int) -> np.ndarray:
    u = 0.5 - 0.5 * np.cos(np.linspace(0, np.pi, n))
    x = EYE_INNER + u * (EYE_OUTER - EYE_INNER)
    upper, lower = lid_lines(x)
    ring = np.concatenate([np.stack([x, upper], -1), np.stack([x, lower], -1)[1:-1][::-1]])
    away = ring - EYE
    return ring + away / np.linalg.norm(away, axis=1, keepdims=True) * offset


def _mouth_ring(offset: float, n: int, gap: float = 1.0) -> np.ndarray:
    theta = np.linspace(0, 2 * np.pi, n, endpoint=False)
    x = (MOUTH_HALF + offset * 0.7 - 0.12 * (1 - gap)) * np.cos(theta)
    height = gap * GAP + offset
    return np.stack([x, MOUTH_Y + height * np.sin(theta)], -1)


@dataclass(frozen=True, eq=False)
class Template:
    """Vertices in (a, t), their frontal position, and the triangles between them."""

    points: np.ndarray  # (V, 2) a, t
    xy: np.ndarray  # (V, 2) frontal position, the mouth open by GAP
    triangles: np.ndarray  # (F, 3)


@cache
def template() -> Template:
    """The one template that every person shares."""
    rings = []
    for offset in (0.0, 0.1, 0.24, 0.42, 0.66, 0.95, 1.3):
        right = _eye_ring(offset, 19)
        rings += [right, right * [-1, 1]]
    for offset, gap in ((0.0, 0.45), (0.0, 1.0), (0.1, 1.0), (0.24, 1.0), (0.42, 1.0), (0.62, 1.0), (0.85, 1.0), (1.15, 1.0)):
        rings.append(_mouth_ring(offset, 56, gap))
    fixed = to_template(np.concatenate(rings))
    scale = 7.4  # cm per radian, about: makes the plane nearly metric

    def grid(step: float, x0: float, x1: float, y0: float, y1: float) -> np.ndarray:
        x, y = np.meshgrid(np.arange(x0, x1 + 1e-9, step), np.arange(y0, y1 + 1e-9, step * 0.866))
        x[1::2] += step / 2
        return np.stack([x.ravel() / scale, y.ravel()], -1)

    clouds = [fixed]
    for cloud, keep in (
        (grid(0.26, -2.6, 2.6, -5.4, 1.2), 0.17),
        (grid(0.42, -6.2, 6.2, -11.9, 5.2), 0.27),
        (grid(0.8, -17.5, 17.5, -14.0, 11.8), 0.5),
    ):
        have = np.concatenate(clouds)
        gap2 = np.array([np.min(((have - p) * [scale, 1]) ** 2 @ [1, 1]) for p in cloud])
        clouds.append(cloud[gap2 > keep**2])
    points = np.concatenate(clouds)
    flat = surface(points[:, 0], points[:, 1])[:, :2]
    triangles = Delaunay(points * [scale, 1]).simplices
    centre = points[triangles].mean(1)
    front = np.abs(centre[:, 0]) < 0.9
    xy = surface(centre[:, 0], centre[:, 1])[:, :2]
    upper, lower = lid_lines(xy[:, 0])
    x = np.abs(xy[:, 0])
    eye = front & (x > EYE_INNER) & (x < EYE_OUTER) & (xy[:, 1] < upper) & (xy[:, 1] > lower)
    mouth = front & (np.hypot(xy[:, 0] / (MOUTH_HALF - 0.066), (xy[:, 1] - MOUTH_Y) / (0.45 * GAP)) < 0.97)
    triangles = triangles[~(eye | mouth)]
    e = points[triangles]
    u, v = e[:, 1] - e[:, 0], e[:, 2] - e[:, 0]
    area = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    triangles = np.where(area[:, None] < 0, triangles[:, ::-1], triangles)[np.abs(area) > 1e-6]
    used = np.unique(triangles)
    renumber = np.zeros(len(points), int)
    renumber[used] = np.arange(len(used))
    return Template(points[used], flat[used], renumber[triangles].astype(np.int32))

"""Paint, hair and eyeballs for the ICT head.

The built-in head's texture is laid over it: both heads have the same size and nearly the same proportions, and a smooth warp
brings lids, lips and nose together. Points are the neutral head in cm, moved to the axis of the head's turns.
"""

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.sparse import coo_matrix
from scipy.spatial import cKDTree

from ifdd.scripted.head.anatomy import EYE_CENTRE, EYE_RADIUS, smoothstep
from ifdd.scripted.head.painting import A_RANGE, SIZE, T_RANGE, paint, skin_tone
from ifdd.scripted.head.parts import Part, eyeball, hair
from ifdd.scripted.head.regions import REGIONS, skin_regions
from ifdd.scripted.head.templates import (
    EYE_INNER,
    EYE_OUTER,
    MOUTH_HALF,
    MOUTH_Y,
    lid_lines,
    lip_heights,
    mouth_gap,
    surface,
    to_template,
)
from ifdd.scripted.raster import rasterise, to_linear
from ifdd.scripted.script.elements import Appearance

PAD = 48
"""Texels of plain skin around the painted face: left, right and below."""
_NECK = 0.62  # shade of the skin below the chin

# frontal positions (x, y), cm, on the neutral head; x > 0, mirrored
_EYE_CORNERS = ((1.84, -0.35), (4.46, -0.17))
_LIP_LINE = ((0.0, -6.96), (1.03, -6.94), (2.0, -7.05), (2.35, -7.1))
_LIP_EDGES = ((0.0, -6.08), (0.73, -6.02), (1.7, -6.38), (1.8, -7.66), (1.03, -7.9), (0.0, -7.98))
_NOSE = ((0.0, -3.2), (0.78, -4.33), (0.0, -4.8), (1.5, -4.1), (1.25, -4.74))
_NOSE_TARGET = ((0.0, -3.8), (0.62, -4.74), (0.0, -5.1), (1.66, -4.2), (1.4, -5.0))
_FIXED = (
    (0.0, -1.5),
    (0.0, 0.2),
    (1.2, 2.2),
    (3.0, 2.5),
    (5.0, 2.2),
    (0.0, 5.0),
    (3.5, 5.0),
    (5.8, 0.0),
    (6.2, 4.0),
    (3.5, -2.6),
    (5.8, -4.0),
    (4.2, -6.5),
    (0.0, -9.3),
    (0.0, -11.2),
    (2.5, -10.0),
    (4.5, -9.6),
    (2.0, -1.8),
    (4.6, -2.0),
)


def lid_edges(points: np.ndarray, kind: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Vertices that show as the edge of one eye's upper and lower lid, from the nose outward: lowest and highest by column."""
    (x0, y0), (x1, y1) = _EYE_CORNERS
    x, y = points[:, 0] * side, points[:, 1]
    axis = y0 + (x - x0) / (x1 - x0) * (y1 - y0)
    near = (kind == 0) & (points[:, 2] > 5.5) & (np.abs(y) < 1.2)
    upper, lower = [], []
    for low, high in pairwise(np.linspace(x0 + 0.15, x1 - 0.15, 10)):
        above = np.flatnonzero(near & (x >= low) & (x < high) & (y > axis + 0.02))
        below = np.flatnonzero(near & (x >= low) & (x < high) & (y < axis - 0.02))
        upper.append(above[y[above].argmin()])
        lower.append(below[y[below].argmax()])
    return np.array(upper), np.array(lower)


def _anchors(points: np.ndarray, kind: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frontal positions here (n, 2) and on the built-in head (n, 2)."""
    (x0, y0), (x1, y1) = _EYE_CORNERS
    edges = np.concatenate(lid_edges(points, kind, 1))
    lids = np.concatenate([points[edges, :2], _EYE_CORNERS])
    u = EYE_INNER + (lids[:, 0] - x0) * (EYE_OUTER - EYE_INNER) / (x1 - x0)
    upper, lower = lid_lines(u)
    axis = y0 + (lids[:, 0] - x0) / (x1 - x0) * (y1 - y0)
    lid_target = np.column_stack([u, np.where(lids[:, 1] >= axis, upper, lower)])
    line, edges, fixed = np.array(_LIP_LINE), np.array(_LIP_EDGES), np.array(_FIXED)
    scale = MOUTH_HALF / 2.45
    up, low = lip_heights(edges[:, 0] * scale)
    line_target = np.column_stack([line[:, 0] * scale, np.full(len(line), MOUTH_Y)])
    edge_target = np.column_stack([edges[:, 0] * scale, MOUTH_Y + np.where(edges[:, 1] > MOUTH_Y, up, -low)])
    here = np.concatenate([lids, line, edges, fixed, _NOSE])
    there = np.concatenate([lid_target, line_target, edge_target, fixed, _NOSE_TARGET])
    off = here[:, 0] > 0  # what lies on the middle line has no mirror image
    return np.concatenate([here, here[off] * [-1, 1]]), np.concatenate([there, there[off] * [-1, 1]])


def chart(points: np.ndarray, jaw: np.ndarray, kind: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Texture coordinates (V, 2) in the padded texture, -1 off the skin, and regions (V,). jaw (V, 3): what opening it adds."""
    here, there = _anchors(points, kind)
    warp = RBFInterpolator(here, there - here, kernel="thin_plate_spline", smoothing=1e-3)
    xy = points[:, :2].copy()
    face = (points[:, 2] > 2.0) & (np.abs(points[:, 1]) < 13) & (kind == 0)
    xy[face] += warp(xy[face])
    # the painted lips are apart by a gap in which it is dark
    lips = face & (np.abs(xy[:, 0]) < MOUTH_HALF) & (np.abs(xy[:, 1] - MOUTH_Y) < 1.3)
    sign = np.where(jaw[:, 1] < -0.5 * np.abs(jaw[lips, 1]).max(), -1.0, 1.0)
    dy = np.maximum((xy[:, 1] - MOUTH_Y) * sign, 0.0)
    gap = mouth_gap(xy[:, 0])
    xy[:, 1] = np.where(lips, MOUTH_Y + sign * (dy + 0.85 * gap * (1 - np.minimum(dy / 1.0, 1.0))), xy[:, 1])
    front = to_template(xy)
    # sideways the frontal position says nothing: there the azimuth counts
    width = surface(np.full(len(points), np.pi / 2), points[:, 1])[:, 0]
    depth = np.where(points[:, 2] > 0, surface(np.zeros(len(points)), points[:, 1])[:, 2], 8.0)
    a = np.arctan2(points[:, 0] / np.maximum(width, 4.0), points[:, 2] / np.maximum(depth, 4.0))
    side = smoothstep(np.abs(a), 0.75, 1.1)[:, None]
    at = front + side * (np.column_stack([a, np.minimum(points[:, 1], front[:, 1])]) - front)
    u = PAD + (at[:, 0] + A_RANGE) / (2 * A_RANGE) * (SIZE - 1)
    v = (T_RANGE[1] - at[:, 1]) / (T_RANGE[1] - T_RANGE[0]) * (SIZE - 1)
    uv = np.column_stack([u / (SIZE + 2 * PAD - 1), v / (SIZE + PAD - 1)]).clip(0, 1)
    uv[kind > 0] = -1.0
    regions = skin_regions(xy, points[:, 1])
    beside = (points[:, 2] < 2.0) & (points[:, 1] > -6.0)
    regions[beside] = REGIONS.index("face")
    regions[(points[:, 2] < 2.0) & ~beside] = REGIONS.index("background")
    regions[kind > 0] = REGIONS.index("mouth")
    return uv, regions


def skin_texture(appearance: Appearance, identity: int, age: float) -> np.ndarray:
    """Linear texture (SIZE + PAD, SIZE + 2 PAD, 3): the built-in head's paint, fading to plain skin around it."""
    image = np.pad(paint(appearance, identity, age), ((0, PAD), (PAD, PAD), (0, 0)), mode="edge")
    y, x = np.mgrid[: SIZE + PAD, : SIZE + 2 * PAD]
    beyond = np.maximum(np.maximum(PAD - x, x - (SIZE + PAD - 1)), y - (SIZE - 1))
    plain = skin_tone(appearance) * np.where(y > SIZE, _NECK, 0.8)[..., None]
    return (image + smoothstep(beyond, -8.0, 0.7 * PAD)[..., None] * (plain - image)).astype(np.float32)


def hollows(points: np.ndarray, triangles: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """Shade (V,) in (0, 1]: less light reaches hollows such as nostrils and the ear."""
    n = len(points)
    i, j = triangles[:, [0, 1, 2]].ravel(), triangles[:, [1, 2, 0]].ravel()
    link = coo_matrix((np.ones(2 * len(i)), (np.concatenate([i, j]), np.concatenate([j, i]))), shape=(n, n)).tocsr()
    link.data[:] = 1.0
    degree = np.maximum(np.asarray(link.sum(1)).ravel(), 1)[:, None]
    corner = points[triangles]
    area = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    normal = np.zeros_like(points)
    for k in range(3):
        np.add.at(normal, triangles[:, k], area)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-12
    smooth = points
    for _ in range(6):
        smooth = (link @ smooth) / degree
    depth = ((smooth - points) * normal).sum(1)
    for _ in range(2):
        depth = (link @ depth) / degree[:, 0]
    # the skull is smooth: what looks hollow there comes from the mesh
    shade = 1 - 0.6 * smoothstep(depth, 0.03, 0.22) * smoothstep(points[:, 1], 4.0, 3.2)
    return np.where(kind == 0, shade * (1 - 0.9 * _nostrils(points, triangles)), 1.0)


def _nostrils(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Share (V,) to which a vertex lies inside a nostril: seen from the front, behind a surface that spans the hole."""
    step, top, half = 0.04, -3.4, 1.4
    side = round(2 * half / step)
    screen = np.column_stack([(points[:, 0] + half) / step, (top - points[:, 1]) / step, points[:, 2] + 30.0])
    z, face = np.empty((side, side), np.float32), np.empty((side, side), np.int32)
    rasterise(screen.astype(np.float32), triangles.astype(np.int32), z, face, np.empty((side, side, 2), np.float32))
    spanned = cv2.morphologyEx(z, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (19, 19)))
    x, y = screen[:, 0].astype(int).clip(0, side - 1), screen[:, 1].astype(int).clip(0, side - 1)
    behind = spanned[y, x] - screen[:, 2]
    # the crease beside the wing of the nose and the lip below are no holes
    inside = (np.abs(np.abs(points[:, 0]) - 0.65) < 0.5) & (points[:, 1] > -5.0) & (points[:, 1] < -4.0) & (points[:, 2] > 5)
    return np.where(inside, smoothstep(behind, 0.1, 0.3), 0.0)


def colours(points: np.ndarray, kind: np.ndarray, hollow: np.ndarray, appearance: Appearance) -> tuple[np.ndarray, np.ndarray]:
    """Colour (V, 3) and gloss (V,) of the head's own vertices."""
    x, y, z = points.T
    shade = np.column_stack([hollow, hollow**1.3, hollow**1.4])  # shade on skin is warm
    enamel = to_linear(np.array([0.93, 0.9, 0.83]) - appearance.teeth_yellow * np.array([0.05, 0.1, 0.25]))
    back = (0.25 + 0.75 * smoothstep(z, 4.5, 8.3))[:, None]
    side = (1 - 0.9 * smoothstep(np.abs(x), 0.9, 2.2))[:, None]  # the cheeks and lips leave the side teeth in the dark
    colour = np.where((kind == 1)[:, None], np.array([0.022, 0.004, 0.004]), shade)
    colour = np.where((kind == 2)[:, None], np.array([0.28, 0.06, 0.06]) * back, colour)
    colour = np.where((kind == 3)[:, None], 0.8 * enamel * back * side, colour)
    cloth = (kind == 0) & (y < -15.5 - 0.25 * np.maximum(z, -2.0) + 0.1 * np.abs(x))
    # the texture is plain there; to take cloth out of it would leave a seam of mixed triangles
    colour[cloth] = to_linear(np.array(appearance.clothes)) / (_NECK * skin_tone(appearance))
    gloss = np.choose(kind, [0.05 + 0.06 * appearance.oily, 0.0, 0.1, 0.12])
    return colour, np.where(cloth, 0.0, gloss)


def ball(side: int, appearance: Appearance, centre: np.ndarray, radius: float) -> Part:
    """The built-in eyeball at another centre and radius, iris and pupil keeping their size in cm."""
    part = eyeball(side, appearance)
    local = (part.vertices - EYE_CENTRE * [side, 1, 1]) / EYE_RADIUS
    across = np.hypot(local[:, 0], local[:, 1])
    angle = np.arctan2(across, local[:, 2]) * EYE_RADIUS / radius
    ring = (np.sin(angle) / np.maximum(across, 1e-9))[:, None] * local[:, :2]
    return replace(part, vertices=centre + radius * np.column_stack([ring, np.cos(angle)]))


def hair_over(skin: np.ndarray, appearance: Appearance, identity: int) -> list[Part]:
    """The built-in hair, each of its points moved out or in from the head's middle as the skull (n, 3) there differs."""
    parts = hair(appearance, identity)
    if not parts:
        return []
    middle = np.array([0.0, 2.0, -1.0])
    a, t = np.meshgrid(np.linspace(-np.pi, np.pi, 97), np.linspace(-6.0, 11.79, 60))
    template = surface(a, t).reshape(-1, 3)
    ears = (np.abs(skin[:, 0]) > 6.9) & (np.abs(skin[:, 1] + 1.5) < 4.5)
    here = skin[~ears & (skin[:, 1] > -6)]
    radii = []
    for cloud in (template, here):
        rays = cloud - middle
        length = np.linalg.norm(rays, axis=1)
        radii.append((cKDTree(rays / length[:, None]), length))
    moved = []
    for part in parts:  # parts may share their vertices: none is changed in place
        ray = part.vertices - middle
        length = np.linalg.norm(ray, axis=1, keepdims=True)
        level = part.vertices * [1, 0, 1] + np.maximum(part.vertices[:, 1], -3.0)[:, None] * [0, 1, 0] - middle
        direction = level / np.linalg.norm(level, axis=1, keepdims=True)
        built, own = (lengths[tree.query(direction, k=6)[1]] for tree, lengths in radii)
        moved.append(replace(part, vertices=part.vertices + ray / length * (own.max(1) - built.mean(1) + 0.1)[:, None]))
    return moved

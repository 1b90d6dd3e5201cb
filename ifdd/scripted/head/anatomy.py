"""Features of the resting face and what each action unit does to them, on the canonical head (cm).

Everything is a sum of smooth bumps placed by their frontal position, so that the whole face is these numbers and no file.
"""

import numpy as np
from scipy.interpolate import PchipInterpolator

from ifdd.scripted.head.templates import MOUTH_HALF, MOUTH_Y, Template, lid_lines, lip_heights, mouth_gap, surface
from ifdd.scripted.script.units import INDEX, UNITS

EYE_RADIUS = 1.9
EYE_CENTRE = np.array([3.15, 0.02, 5.85])
"""Centre of the eyeball on the side x > 0, cm."""
JAW_HINGE = np.array([-1.5, 0.8])
"""Axis of the jaw (y, z), parallel to x, cm."""


def smoothstep(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below `low`, 1 above `high`, smooth between (either order)."""
    u = np.clip((x - low) / (high - low), 0.0, 1.0)
    return u * u * (3 - 2 * u)


def bump(x: np.ndarray, y: np.ndarray, cx: float, cy: float, sx: float, sy: float) -> np.ndarray:
    """Gaussian bump of height 1, exactly 0 beyond 3 standard deviations so that nothing leaks over the face."""
    r2 = ((x - cx) / sx) ** 2 + ((y - cy) / sy) ** 2
    return np.exp(-0.5 * r2) * smoothstep(r2, 9.0, 6.0)


_BRIDGE = PchipInterpolator(
    [-5.5, -5.15, -4.85, -4.4, -3.8, -2.8, -1.4, 0.2, 1.2], [0, 0.15, 0.75, 1.75, 2.15, 1.75, 1.05, 0.42, 0.1]
)
_BRIDGE_WIDTH = PchipInterpolator([-5.5, -4.2, -3.0, -1.0, 1.2], [1.05, 1.0, 0.95, 0.85, 0.9])


def lid_distance(xy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance to the lid's edge (cm, vertical where it can be) and whether the point belongs to the upper lid."""
    x, y = np.abs(xy[:, 0]), xy[:, 1]
    upper, lower = lid_lines(x)
    is_upper = y >= 0.5 * (upper + lower)
    beside = np.maximum(np.maximum(1.66 - x, x - 4.62), 0.0)
    above = np.where(is_upper, y - upper, lower - y)
    return np.hypot(np.maximum(above, 0.0), beside), is_upper


def rest(template: Template) -> np.ndarray:
    """Vertices (V, 3) of the canonical resting face, the mouth closed."""
    p = surface(template.points[:, 0], template.points[:, 1])
    front = np.abs(template.points[:, 0]) < 1.35
    x, y = np.abs(template.xy[:, 0]), template.xy[:, 1]
    z = np.zeros(len(p))
    z += 0.42 * bump(x, y, 2.7, 2.05, 1.7, 0.75) + 0.2 * bump(x, y, 0.0, 1.9, 1.2, 0.9)
    z -= 0.35 * bump(x, y, 0.0, 0.5, 0.9, 0.9)
    z -= 0.95 * bump(x, y, 3.1, 0.25, 1.5, 0.95) + 0.5 * bump(x, y, 1.45, 0.2, 0.5, 0.8)
    z += 0.5 * bump(x, y, 4.5, -2.2, 1.5, 1.2) - 0.25 * bump(x, y, 4.6, -5.6, 1.5, 1.6)
    z += _BRIDGE(np.clip(y, -5.5, 1.2)) * np.exp(-((x / _BRIDGE_WIDTH(np.clip(y, -5.5, 1.2))) ** 2)) * ((y > -5.5) & (y < 1.2))
    z += 0.18 * bump(x, y, 0.0, -3.95, 0.55, 0.5)
    z += 0.9 * bump(x, y, 1.25, -4.1, 0.42, 0.46) - 0.2 * bump(x, y, 1.95, -4.1, 0.25, 0.6)
    z -= 0.5 * bump(x, y, 0.62, -4.78, 0.26, 0.2)  # nostrils
    z -= 0.22 * np.exp(-(((x - (1.95 + 0.42 * (-4.3 - y))) / 0.32) ** 2)) * smoothstep(y, -4.0, -4.8) * smoothstep(y, -7.6, -6.2)
    z += 0.65 * bump(x, y, 0.0, -6.8, 2.3, 1.6)
    z -= 0.14 * bump(x, y, 0.0, -5.5, 0.22, 0.5) - 0.1 * bump(x, y, 0.45, -5.6, 0.16, 0.5)
    z -= 0.38 * bump(x, y, 0.0, -8.8, 1.5, 0.4)
    z += 0.6 * bump(x, y, 0.0, -10.1, 1.5, 0.95)
    # lips: a roll over each half of the red, thinner to the corners, and an inner ring turned into the mouth
    up, low = lip_heights(x)
    gap = mouth_gap(x)
    dy = y - MOUTH_Y
    fraction = np.where(dy > 0, (dy - gap) / np.maximum(up - gap, 0.05), (-dy - gap) / np.maximum(low - gap, 0.05))
    roll = np.where(dy > 0, 0.3, 0.42) * np.sqrt(np.clip(1 - (x / (MOUTH_HALF + 0.15)) ** 2, 0, 1))
    z += (
        roll
        * np.where(fraction < 1.7, np.clip(1 - ((fraction - 0.45) / 0.95) ** 2, -0.2, 1.0), -0.2)
        * (fraction < 2.4)
        * (x < MOUTH_HALF + 0.15)
    )
    inner = (np.abs(dy) < 0.8 * gap) & (x < MOUTH_HALF)
    z -= np.where(inner, 0.75, 0.0)
    z -= 0.2 * bump(x, y, MOUTH_HALF + 0.1, MOUTH_Y, 0.35, 0.4)
    p[:, 2] += np.where(front, z, 0.0)
    # lids lie on the eyeball
    d, _ = lid_distance(template.xy)
    r2 = (x - EYE_CENTRE[0]) ** 2 + (y - EYE_CENTRE[1]) ** 2
    lid = EYE_CENTRE[2] + np.sqrt(np.maximum((EYE_RADIUS + 0.12) ** 2 - r2, 0.25))
    weight = np.where(front & (r2 < 9), np.exp(-((d / 0.42) ** 2)), 0.0)
    p[:, 2] += weight * (lid - p[:, 2])
    # tip of the nose hangs over the lip
    p[:, 1] -= np.where(front, 0.35 * bump(x, y, 0.0, -4.35, 0.8, 0.45), 0.0)
    # close the mouth
    fall = np.exp(-((np.maximum(np.abs(dy) - gap, 0) / 0.55) ** 2))
    p[:, 1] -= np.where(front & (x < MOUTH_HALF + 0.6), np.sign(dy) * np.minimum(gap, np.abs(dy)) * fall, 0.0)
    # corners of the resting mouth go back a little: a gentle bow
    p[:, 1] += np.where(front, 0.1 * bump(x, y, 0.0, MOUTH_Y, 0.8, 0.5), 0.0)
    return p


def jaw_weight(template: Template) -> np.ndarray:
    """Share (V,) of the jaw's turn that each vertex follows: 1 on the chin and lower lip, 0 on the upper lip and above."""
    x, y, t = np.abs(template.xy[:, 0]), template.xy[:, 1], template.points[:, 1]
    cheek = smoothstep(y, -4.6, -9.2)
    lips = 1 - smoothstep(x, 0.6, MOUTH_HALF + 0.4)
    lips = lips * smoothstep(np.abs(y - MOUTH_Y), 3.2, 1.2)
    split = np.where(y < MOUTH_Y, 1.0, 0.0)
    side = smoothstep(np.abs(template.points[:, 0]), 1.7, 1.2)
    return (cheek * (1 - lips) + split * lips) * side * smoothstep(t, -14.0, -12.6)


def turn_jaw(points: np.ndarray, weight: np.ndarray, degrees: float) -> np.ndarray:
    """Displacement (n, 3) of `points` when the jaw opens by `degrees`."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    y, z = points[:, 1] - JAW_HINGE[0], points[:, 2] - JAW_HINGE[1]
    return weight[:, None] * np.stack([np.zeros(len(y)), (c - 1) * y - s * z, s * y + (c - 1) * z], -1)


JAW_DEGREES = {"AU26": 10.0, "AU27": 19.0}


def displacements(template: Template, p: np.ndarray) -> np.ndarray:
    """What each unit of `UNITS` adds at full weight to the resting vertices `p`: (A, V, 3), cm."""
    out = np.zeros((len(UNITS), len(p), 3))
    front = (np.abs(template.points[:, 0]) < 1.45).astype(float)
    sx = np.tanh(template.xy[:, 0] / 0.35)  # side, smooth across the middle
    x, y = np.abs(template.xy[:, 0]), template.xy[:, 1]
    dy = y - MOUTH_Y
    gap = mouth_gap(x)
    red = np.maximum(np.abs(dy) - gap, 0.0)
    lip_x = np.sqrt(np.clip(1 - (x / (MOUTH_HALF + 0.15)) ** 2, 0, 1))
    upper_lip = (dy > 0) * np.exp(-((red / 1.0) ** 2)) * lip_x
    lower_lip = (dy <= 0) * np.exp(-((red / 1.0) ** 2)) * lip_x
    d, is_upper = lid_distance(template.xy)
    lid_top, lid_low = lid_lines(x)
    in_lid = (x > 1.5) & (x < 4.8) & (np.abs(y) < 2.0)
    upper_lid = np.where(in_lid & is_upper, np.exp(-((d / 0.55) ** 2)), 0.0)
    lower_lid = np.where(in_lid & ~is_upper, np.exp(-((d / 0.5) ** 2)), 0.0)
    opening = lid_top - lid_low
    eye_x = np.clip(4 * (x - 1.66) * (4.62 - x) / (4.62 - 1.66) ** 2, 0, 1)
    above_eye = smoothstep(d, 0.25, 0.9) * ((y > 0.3) | (x < 1.6))  # brows may not drag the lid's edge far

    def add(unit: str, dx: np.ndarray | float = 0.0, dy: np.ndarray | float = 0.0, dz: np.ndarray | float = 0.0) -> None:
        """Adds; dx is outward on both sides."""
        o = out[INDEX[unit]]
        o[:, 0] += front * sx * dx
        o[:, 1] += front * dy
        o[:, 2] += front * dz

    def b(cx: float, cy: float, wx: float, wy: float) -> np.ndarray:
        return bump(x, y, cx, cy, wx, wy)

    corner = b(MOUTH_HALF, MOUTH_Y, 0.95, 0.85)
    brow = above_eye
    add("AU01", dy=0.95 * brow * b(1.2, 2.5, 1.0, 1.2), dx=-0.1 * brow * b(1.6, 2.4, 0.9, 0.9))
    add("AU02", dy=0.95 * brow * b(4.1, 2.7, 1.15, 1.25))
    add("AU02", dy=0.12 * upper_lid)
    add("AU04", dy=-brow * (0.9 * b(1.5, 2.3, 1.2, 0.95) + 0.4 * b(3.8, 2.4, 1.2, 0.9)), dx=-0.42 * b(1.25, 2.1, 0.8, 0.8))
    add("AU04", dz=0.22 * b(0.75, 1.9, 0.5, 0.6))
    add("AU05", dy=0.42 * upper_lid * eye_x**0.7)
    add("AU06", dy=0.6 * b(3.7, -2.0, 1.3, 0.95), dz=0.38 * b(3.8, -1.9, 1.1, 0.8))
    add("AU06", dy=0.22 * lower_lid * eye_x + -0.14 * b(5.2, 1.0, 0.9, 0.9) * above_eye)
    add("AU07", dy=0.26 * lower_lid * eye_x - 0.2 * upper_lid * eye_x)
    add("AU09", dy=0.5 * b(1.35, -3.9, 0.75, 0.7) + 0.55 * b(1.3, -2.3, 0.8, 1.0), dz=0.25 * b(1.0, -0.9, 0.6, 0.8))
    add(
        "AU09",
        dy=-0.55 * brow * b(1.3, 2.1, 1.1, 0.9) + 0.45 * upper_lip * np.exp(-(((x - 1.2) / 0.8) ** 2)),
        dx=-0.2 * b(1.2, 2.0, 0.8, 0.8),
    )
    add("AU09", dy=0.16 * lower_lid * eye_x, dx=0.12 * b(1.35, -4.1, 0.5, 0.5))
    add("AU10", dy=0.62 * upper_lip * (0.55 + 0.45 * np.exp(-(((x - 1.3) / 0.7) ** 2))) + 0.35 * b(1.6, -5.4, 0.9, 0.7))
    add("AU10", dz=0.18 * b(1.9, -5.2, 0.7, 0.7), dx=0.1 * b(1.3, -4.1, 0.5, 0.5))
    add(
        "AU12",
        dx=0.85 * corner + 0.25 * b(3.6, -5.6, 0.9, 1.0),
        dy=0.95 * corner + 0.4 * b(3.5, -4.6, 1.1, 0.9),
        dz=-0.4 * corner,
    )
    add("AU12", dz=0.45 * b(3.5, -3.9, 1.0, 0.9), dy=-0.08 * lower_lip)
    add(
        "AU14",
        dx=0.5 * b(MOUTH_HALF + 0.2, MOUTH_Y, 0.8, 0.7),
        dz=-0.5 * b(MOUTH_HALF + 0.35, MOUTH_Y, 0.45, 0.6),
        dy=0.1 * corner,
    )
    add("AU15", dy=-0.85 * b(MOUTH_HALF + 0.1, MOUTH_Y - 0.1, 0.85, 0.8), dx=0.12 * corner, dz=-0.15 * corner)
    add(
        "AU16",
        dy=-0.55 * lower_lip * (0.6 + 0.4 * np.exp(-(((x - 1.1) / 0.7) ** 2))) - 0.25 * b(1.2, -8.4, 1.0, 0.6),
        dz=0.1 * lower_lip,
    )
    add("AU17", dy=0.6 * b(0.0, -9.2, 1.5, 0.75) + 0.34 * lower_lip + 0.26 * upper_lip * np.exp(-((x / 1.2) ** 2)))
    add("AU17", dz=0.28 * b(0.0, -9.5, 1.1, 0.7) + 0.3 * lower_lip)
    mouth = b(0.0, MOUTH_Y, 1.7, 1.0)
    add("AU18", dx=-0.48 * x * mouth * smoothstep(x, 3.8, 2.2), dz=0.7 * mouth, dy=0.1 * np.sign(dy) * mouth)
    add("AU20", dx=1.0 * b(MOUTH_HALF, MOUTH_Y, 1.05, 0.8), dy=-0.22 * corner - 0.18 * lower_lip, dz=-0.4 * corner)
    add("AU22", dx=-0.3 * x * mouth * smoothstep(x, 3.8, 2.2), dz=0.65 * mouth, dy=0.4 * upper_lip - 0.42 * lower_lip)
    thin = np.where(np.abs(dy) < 1.6, red * np.exp(-((red / 0.8) ** 2)), 0.0) * lip_x
    add("AU23", dy=-0.75 * np.sign(dy) * thin, dx=-0.16 * x * mouth * smoothstep(x, 3.6, 2.4), dz=-0.12 * mouth)
    add("AU24", dy=-0.95 * np.sign(dy) * thin, dz=-0.22 * mouth + 0.15 * b(0.0, -8.8, 1.2, 0.5))
    add("AU25", dy=0.14 * upper_lip - 0.36 * lower_lip)
    weight = jaw_weight(template)
    for unit, degrees in JAW_DEGREES.items():
        out[INDEX[unit]] += turn_jaw(p, weight, degrees)
        squeeze = b(MOUTH_HALF, MOUTH_Y - 0.5, 0.9, 1.0) * degrees / 10.0
        add(unit, dx=-0.45 * squeeze)
    add("AU27", dy=0.12 * upper_lip)
    add("AU45", dy=-0.9 * opening * upper_lid + 0.1 * opening * lower_lid)
    return out

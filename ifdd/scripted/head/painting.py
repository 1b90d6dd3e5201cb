"""Skin, lips, brows, lashes and creases, painted on the template in code."""

from functools import cache
from itertools import pairwise

import cv2
import numpy as np

from ifdd.scripted.head.anatomy import bump, lid_distance, smoothstep
from ifdd.scripted.head.templates import MOUTH_HALF, MOUTH_Y, lip_heights, mouth_gap, surface
from ifdd.scripted.raster import to_linear
from ifdd.scripted.script.elements import Appearance
from ifdd.scripted.script.units import INDEX, UNITS

A_RANGE, T_RANGE = 1.4, (-13.0, 10.0)
SIZE = 320
"""Texels per side."""

_TONES = np.array(
    [[0.99, 0.86, 0.78], [0.95, 0.78, 0.67], [0.87, 0.67, 0.53], [0.74, 0.53, 0.39], [0.55, 0.37, 0.26], [0.36, 0.235, 0.17]]
)

CREASE_UNITS: tuple[dict[str, float], ...] = (
    {"AU01": 0.9, "AU02": 0.6},
    {"AU04": 1.0, "AU09": 0.4},
    {"AU09": 1.0},
    {"AU12": 0.8, "AU10": 0.8, "AU09": 0.7, "AU20": 0.3},
    {"AU06": 1.0, "AU12": 0.2},
    {"AU17": 1.0, "AU24": 0.3},
    {"AU14": 1.0, "AU20": 0.4, "AU12": 0.3},
    {"AU15": 1.0, "AU17": 0.2},
)
"""Which units deepen each crease: forehead, frown, nose root, nasolabial, crow's feet, chin, mouth corner, below the corner."""


def texture_uv(points: np.ndarray) -> np.ndarray:
    """Texture coordinates (n, 2) in [0, 1] of template coordinates (n, 2)."""
    u = (points[:, 0] + A_RANGE) / (2 * A_RANGE)
    v = (T_RANGE[1] - points[:, 1]) / (T_RANGE[1] - T_RANGE[0])
    return np.clip(np.stack([u, v], -1), 0.0, 1.0)


@cache
def _texels() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frontal position x, y (h, w) and azimuth of every texel."""
    a, t = np.meshgrid(np.linspace(-A_RANGE, A_RANGE, SIZE), np.linspace(T_RANGE[1], T_RANGE[0], SIZE))
    p = surface(a, t)
    return p[..., 0].astype(np.float32), p[..., 1].astype(np.float32), a.astype(np.float32)


def line(x: np.ndarray, y: np.ndarray, knots: tuple[tuple[float, float], ...], width: float) -> np.ndarray:
    """A soft stroke of half width `width` cm along straight pieces between knots, fading at its ends."""
    best = np.zeros_like(x)
    for (x0, y0), (x1, y1) in pairwise(knots):
        dx, dy = x1 - x0, y1 - y0
        u = np.clip(((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy), 0, 1)
        best = np.maximum(best, np.exp(-(((x - x0 - u * dx) ** 2 + (y - y0 - u * dy) ** 2) / width**2)))
    return best


@cache
def creases() -> np.ndarray:
    """Crease maps (h, w, K) in [0, 1]."""
    x, y, _ = _texels()
    ax = np.abs(x)
    forehead = sum(
        (0.7 - 0.12 * i) * line(ax, y, ((0.0, 3.7 + 0.95 * i), (2.0, 4.0 + 0.95 * i), (4.4, 3.6 + 0.95 * i)), 0.2)
        for i in range(3)
    ) * smoothstep(ax, 5.0, 3.6)
    frown = 0.85 * line(ax, y, ((0.5, 1.3), (0.6, 2.5)), 0.2) + 0.4 * bump(ax, y, 1.2, 1.3, 0.8, 0.5)
    root = 0.6 * line(ax, y, ((0.0, 0.5), (0.8, 0.3)), 0.2) + 0.6 * line(ax, y, ((0.4, -0.7), (1.3, -1.5)), 0.26)
    root = root + 0.45 * line(ax, y, ((0.2, -0.1), (1.1, -0.7)), 0.2)
    # the fold starts beside the wing of the nose and fades before it reaches the corner
    fold = 0.75 * line(ax, y, ((1.95, -3.9), (2.6, -4.9), (3.15, -6.0), (3.4, -7.0)), 0.34) * smoothstep(y, -7.3, -5.6)
    feet = 0.45 * sum(line(ax, y, ((5.1, 0.1 - 0.4 * i), (5.8, 0.5 - 0.75 * i)), 0.17) for i in range(3))
    feet = feet + 0.5 * line(ax, y, ((2.0, -1.0), (3.2, -1.4), (4.5, -1.0)), 0.26)
    chin = 0.5 * line(ax, y, ((0.0, -8.85), (1.3, -9.1)), 0.3) + 0.3 * bump(ax, y, 0.5, -9.9, 0.25, 0.25)
    chin = chin + 0.2 * bump(ax, y, 0.0, -10.3, 0.2, 0.2)
    dimple = 0.7 * line(ax, y, ((MOUTH_HALF + 0.6, -6.7), (MOUTH_HALF + 0.65, -7.4)), 0.25)
    below = 0.6 * line(ax, y, ((MOUTH_HALF + 0.1, -7.4), (MOUTH_HALF + 0.45, -8.4)), 0.3)
    return np.stack([forehead, frown, root, fold, feet, chin, dimple, below], -1).clip(0, 1).astype(np.float32)


def crease_mix(age: float) -> np.ndarray:
    """(K, A) weights from units to creases; older skin folds deeper."""
    mix = np.zeros((len(CREASE_UNITS), len(UNITS)), np.float32)
    for k, units in enumerate(CREASE_UNITS):
        for unit, weight in units.items():
            mix[k, INDEX[unit]] = weight * (0.34 + 0.2 * age)
    return mix


def _noise(rng: np.random.Generator, sigma: float) -> np.ndarray:
    coarse = max(int(SIZE / max(sigma, 1.0)), 4)
    field = rng.standard_normal((coarse, coarse), np.float32)
    return cv2.resize(field, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)


def skin_tone(appearance: Appearance) -> np.ndarray:
    """Linear colour (3,) of the skin."""
    position = appearance.skin * (len(_TONES) - 1)
    i = min(int(position), len(_TONES) - 2)
    tone = _TONES[i] + (position - i) * (_TONES[i + 1] - _TONES[i])
    return to_linear(np.clip(tone + appearance.warmth * np.array([0.02, 0.0, -0.035]), 0, 1))


def paint(appearance: Appearance, identity: int, age: float) -> np.ndarray:
    """Linear texture (h, w, 3) float32 of one identity's face."""
    rng = np.random.default_rng([identity, 23])
    x, y, a = _texels()
    ax = np.abs(x)
    skin = skin_tone(appearance)
    hair = to_linear(np.array(appearance.hair))
    image = np.tile(skin, (SIZE, SIZE, 1)).astype(np.float32)

    def blend(mask: np.ndarray, colour: np.ndarray) -> None:
        image[:] += np.clip(mask, 0, 1)[..., None].astype(np.float32) * (colour.astype(np.float32) - image)

    def darken(mask: np.ndarray, amount: float) -> None:
        shade = (1 - amount * np.clip(mask, 0, 1)).astype(np.float32)
        image[..., 0] *= shade  # green and blue fall faster: shade on skin is warm
        image[..., 1] *= shade * (0.75 + 0.25 * shade)
        image[..., 2] *= shade * (0.7 + 0.3 * shade)

    image *= 1 + 0.035 * _noise(rng, 30)[..., None] + 0.025 * _noise(rng, 5)[..., None]
    red = 0.5 * bump(ax, y, 3.9, -3.2, 1.5, 1.3) + 0.5 * bump(x, y, 0.0, -4.0, 0.9, 0.8) + 0.2 * bump(x, y, 0, -10, 1.5, 1.0)
    image *= 1 + red[..., None] * appearance.blush * np.array([0.06, -0.2, -0.2])
    if appearance.freckles > 0:
        spots = smoothstep(_noise(rng, 3.0), 1.3, 2.0) * bump(ax, y, 2.0, -2.3, 2.0, 1.5)
        blend(spots * appearance.freckles, skin * np.array([0.6, 0.45, 0.35]))
    if appearance.beard > 0:
        jaw = smoothstep(y + 0.35 * np.maximum(ax - 3.0, 0) * -1.0, -5.0, -8.2) + bump(x, y, 0, -5.5, 1.9, 0.42) * 0.9
        jaw = np.maximum(jaw, smoothstep(np.abs(a), 0.95, 1.15) * smoothstep(y, 0.0, -3.0))
        jaw = np.clip(jaw, 0, 1) * (1 - bump(x, y, 0, MOUTH_Y, 1.7, 0.8))
        blend(jaw * appearance.beard * (0.75 + 0.25 * _noise(rng, 2.0)), 0.55 * hair + 0.12 * skin)
    # soft shade in hollows, as ambient light leaves it
    darken(bump(ax, y, 2.0, 0.45, 0.9, 0.75), 0.3)
    darken(bump(ax, y, 3.2, 1.0, 1.5, 0.4), 0.2)
    darken(bump(ax, y, 2.9, -0.95, 1.2, 0.35), 0.12 + 0.2 * appearance.tired)
    darken(bump(ax, y, 1.9, -4.3, 0.3, 0.55), 0.3)
    darken(bump(x, y, 0, -5.15, 1.2, 0.3), 0.35)
    darken(bump(x, y, 0, -8.6, 1.4, 0.3), 0.25)
    darken(smoothstep(y, -10.9, -12.2), 0.5)
    darken(smoothstep(np.abs(a), 1.05, 1.4), 0.2)
    folds = creases()
    darken(folds @ np.array([0.5, 0.4, 0.1, 0.6, 0.6, 0.2, 0.0, 0.4]), 0.05 + 0.4 * age**1.5)
    darken(line(ax, y, ((1.85, -4.0), (2.5, -5.1), (2.95, -6.2)), 0.28), 0.1 + 0.08 * age)
    darken(1.2 * bump(ax, y, 0.62, -4.72, 0.3, 0.19), 0.85)  # nostrils
    darken(line(ax, y, ((1.62, -3.7), (1.72, -4.2), (1.5, -4.62)), 0.14), 0.4)  # wings of the nose
    # lids
    d, is_upper = lid_distance(np.stack([x.ravel(), y.ravel()], -1))
    d, is_upper = d.reshape(x.shape), is_upper.reshape(x.shape)
    near = (ax > 1.2) & (ax < 5.2) & (np.abs(y) < 2)
    darken(np.where(near & is_upper, np.exp(-(((d - 0.5 * appearance.lid_fold) / 0.11) ** 2)), 0), 0.5)
    darken(np.where(near & is_upper, smoothstep(d, 0.5, 0.1), 0), 0.18 + 0.3 * appearance.eye_makeup)
    lash = np.where(near & is_upper, smoothstep(d, 0.2, 0.06), 0) + 0.45 * np.where(
        near & ~is_upper, smoothstep(d, 0.13, 0.03), 0
    )
    blend(lash * (ax > 1.75), 0.35 * hair * 0.5 + 0.012)
    blend(np.where((ax < 1.85) & near, smoothstep(d, 0.2, 0.0), 0), skin * np.array([1.0, 0.6, 0.55]))
    # lips
    up, low = lip_heights(x)
    dy = y - MOUTH_Y
    edge = np.where(dy > 0, up - dy, low + dy)
    lips = smoothstep(edge, -0.07, 0.1) * (ax < MOUTH_HALF + 0.15)
    colour = skin * np.array([0.92, 0.55, 0.55]) * (1 - 0.25 * appearance.lip_redness) + appearance.lip_redness * np.array(
        [0.14, 0.0, 0.012]
    )
    blend(0.9 * lips, colour * (1 + 0.06 * _noise(rng, 3.0)[..., None]))
    darken(lips * np.where(dy > 0, 1.0, 0.0), 0.2)
    inner = np.abs(dy) - mouth_gap(x)
    darken(np.exp(-((np.maximum(inner, 0) / 0.12) ** 2)) * (ax < MOUTH_HALF + 0.05), 0.65)
    blend((np.abs(dy) < 0.8 * mouth_gap(x)) * 1.0, np.array([0.1, 0.025, 0.025]))
    darken(bump(ax, y, MOUTH_HALF + 0.08, MOUTH_Y, 0.22, 0.16), 0.6)
    # brows: hairs along an arch
    u = np.clip((ax - 1.0) / (5.1 - 1.0), 0, 1)
    middle = (
        1.95
        + appearance.brow_arch * 0.75 * np.sin(np.pi * np.clip(u * 0.8, 0, 1))
        + appearance.brow_tilt * (u - 0.4)
        - 0.55 * smoothstep(u, 0.62, 1.0)
    )
    half = (
        (0.2 + 0.17 * appearance.brow_thickness) * (1 - 0.65 * smoothstep(u, 0.45, 1.0)) * (0.8 + 0.2 * smoothstep(u, 0.0, 0.2))
    )
    inside = smoothstep(half - np.abs(y - middle), -0.1, 0.12) * smoothstep(ax, 0.9, 1.25) * smoothstep(ax, 5.3, 4.9)
    strokes = 0.5 + 0.5 * np.clip(
        cv2.GaussianBlur(rng.standard_normal(x.shape, np.float32), (0, 0), 0.7, sigmaY=2.6) * 2.2, -1, 1
    )
    blend(inside * appearance.brow_density * (0.6 + 0.4 * strokes), hair * 0.45 + 0.006)
    return np.clip(image, 0.003, 1.0).astype(np.float32)

"""What is behind the face and what is before it: backgrounds, and patches that cover part of it."""

import cv2
import numpy as np

from ifdd.scripted.raster import to_linear
from ifdd.scripted.script.elements import Background, Occluder

KINDS = ("plain", "gradient", "blobs", "room", "balloons")


def paint_background(background: Background, size: int) -> np.ndarray:
    """Linear picture (size, size, 3) float32 of what is behind the head."""
    rng = np.random.default_rng(background.seed)
    colours = to_linear(np.array(background.colours))
    y, x = np.mgrid[0:size, 0:size] / size
    image = np.tile(colours[0], (size, size, 1))
    if background.kind == "gradient":
        turn = rng.uniform(0, 2 * np.pi)
        u = np.clip(0.5 + (x - 0.5) * np.cos(turn) + (y - 0.5) * np.sin(turn), 0, 1)[..., None]
        image = colours[0] + u * (colours[1] - colours[0])
    elif background.kind == "blobs":
        for colour in np.concatenate([colours, colours[::-1]]):
            cx, cy, r = rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(0.08, 0.3)
            weight = np.exp(-(((x - cx) ** 2 + (y - cy) ** 2) / r**2))[..., None]
            image = image + weight * (colour - image)
    elif background.kind == "room":
        for colour in np.concatenate([colours[1:], colours[1:]]):
            x0, y0, w, h = rng.uniform(-0.1, 0.9), rng.uniform(-0.2, 0.9), rng.uniform(0.05, 0.4), rng.uniform(0.1, 0.9)
            image[(x > x0) & (x < x0 + w) & (y > y0) & (y < y0 + h)] = colour
    elif background.kind == "balloons":
        for i in range(12):  # in turn at the left and the right edge, where the head leaves room
            cx, cy, r = i % 2 + (1 - 2 * (i % 2)) * rng.uniform(0, 0.25), rng.uniform(0, 1), rng.uniform(0.05, 0.12)
            d2 = ((x - cx) / r) ** 2 + ((y - cy) / (1.25 * r)) ** 2
            spot = np.exp(-(((x - cx + 0.4 * r) ** 2 + (y - cy + 0.5 * r) ** 2) / (0.35 * r) ** 2))[..., None]
            colour = colours[1 + i % (len(colours) - 1)] * (1 - 0.35 * np.clip(d2, 0, 1))[..., None]
            image = np.where((d2 < 1)[..., None], colour + 0.5 * spot * (1 - colour), image)
    return cv2.GaussianBlur(image.astype(np.float32), (0, 0), max(background.blur * size, 0.5))


def _capsule(u: np.ndarray, v: np.ndarray, a: tuple[float, float], b: tuple[float, float], radius: float) -> np.ndarray:
    """Signed distance to a thick line from a to b."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    along = np.clip(((u - a[0]) * dx + (v - a[1]) * dy) / (dx * dx + dy * dy), 0, 1)
    return np.hypot(u - a[0] - along * dx, v - a[1] - along * dy) - radius


def _hand(u: np.ndarray, v: np.ndarray, w: float, h: float) -> np.ndarray:
    """Signed distance to an open hand with its forearm, fingers up."""
    parts = [_capsule(u, v, (0.0, 0.3 * h), (0.0, 2.5 * h), 0.27 * w), _capsule(u, v, (0.0, 0.1 * h), (0.0, 0.22 * h), 0.4 * w)]
    for x, top in ((-0.33, 0.34), (-0.11, 0.47), (0.11, 0.5), (0.32, 0.42)):
        parts.append(_capsule(u, v, (x * w, 0.05 * h), (1.15 * x * w, -(top - 0.09) * h), 0.095 * w))
    parts.append(_capsule(u, v, (0.25 * w, 0.2 * h), (0.6 * w, 0.0), 0.11 * w))
    return np.minimum.reduce(parts)


def occluder_alpha(occluder: Occluder, value: float, size: int) -> tuple[np.ndarray, np.ndarray]:
    """How much a patch covers each pixel, and its shading there: two (size, size), in [0, 1], at `value` of its curve."""
    y, x = (np.mgrid[0:size, 0:size] + 0.5) / size
    dx, dy = x - occluder.x - (1 - value) * occluder.dx, y - occluder.y - (1 - value) * occluder.dy
    c, s = np.cos(np.radians(occluder.angle)), np.sin(np.radians(occluder.angle))
    u, v = c * dx - s * dy, s * dx + c * dy
    w, h = occluder.width, occluder.height
    if occluder.kind == "hand":
        distance, shade = _hand(u, v, w, h), 0.0
    else:
        wave = 0.02 * np.sin(9 * u / w) if occluder.kind == "scarf" else 0.0
        distance = np.maximum(np.abs(u) - 0.5 * w, np.abs(v + wave) - 0.5 * h)
        shade = 0.15 * np.sin(60 * v + 8 * u) if occluder.kind == "scarf" else -0.3 * np.abs(u) / (0.5 * w)
    alpha = np.clip(0.5 - distance * size, 0, 1)
    return alpha, np.clip(0.78 + 0.22 * np.clip(-distance / 0.04, 0, 1) + shade, 0, 1)


def cover(image: np.ndarray, occluder: Occluder, value: float) -> np.ndarray:
    """The picture (H, W, 3) uint8 with the patch before it."""
    alpha, shade = occluder_alpha(occluder, value, len(image))
    paint = 255 * np.array(occluder.colour) * shade[..., None]
    return (image + alpha[..., None] * (paint - image) + 0.5).astype(np.uint8)

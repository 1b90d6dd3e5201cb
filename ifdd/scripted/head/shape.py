"""One identity's bone and flesh: a smooth warp of the canonical head."""

import numpy as np

from ifdd.scripted.head.anatomy import smoothstep
from ifdd.scripted.script.looks import Shape


def _bell(p: np.ndarray, centre: tuple[float, float], size: tuple[float, float]) -> np.ndarray:
    return np.exp(-0.5 * (((np.abs(p[..., 0]) - centre[0]) / size[0]) ** 2 + ((p[..., 1] - centre[1]) / size[1]) ** 2))


def warp(shape: Shape, points: np.ndarray) -> np.ndarray:
    """Moves canonical points (..., 3) to an identity; smooth, so that closed lips and lids stay closed."""
    v, f, age = shape.values, shape.feminine, shape.age
    p = np.array(points, np.float64)
    x, y, z = p[..., 0].copy(), p[..., 1].copy(), p[..., 2].copy()
    side = np.tanh(x / 0.4)
    face = smoothstep(z, 2.0, 6.5)
    eye = _bell(p, (3.15, 0.0), (1.5, 1.1)) * face
    mouth = _bell(p, (0.0, -7.05), (2.6, 1.2)) * face
    nose = _bell(p, (0.0, -2.8), (1.3, 1.9)) * face
    nostrils = _bell(p, (0.9, -4.3), (0.9, 0.9)) * face
    jaw = smoothstep(y, -3.0, -9.5)
    chin = _bell(p, (0.0, -10.6), (2.2, 1.4)) * face
    brow = _bell(p, (2.4, 2.2), (2.4, 1.1)) * face
    cheek = _bell(p, (4.3, -3.8), (1.8, 2.2)) * face
    dx = x * (0.035 * v[1] - 0.02 * f + jaw * (0.06 * v[2] - 0.045 * f + 0.03 * age))
    dx += side * (0.18 * v[3] * eye + 0.1 * v[4] * brow + (0.22 * v[5]) * cheek)
    dx += x * nostrils * (0.17 * v[6] - 0.06 * f + 0.05 * age) + x * mouth * (0.1 * v[7] - 0.02 * f)
    dx += (x - side * 3.15) * eye * (shape.eye_size() - 1 + 0.03 * v[8])
    dy = y * (0.025 * v[9]) + jaw * (-0.35 * v[10] + 0.25 * f) + chin * (-0.35 * v[11] + 0.1 * f)
    dy += y * eye * (shape.eye_size() - 1 + 0.1 * v[12] - 0.12 * age) + 0.16 * v[13] * eye * (np.abs(x) - 3.0) - 0.12 * age * eye
    dy += nose * 0.22 * v[14] + mouth * ((y + 7.05) * (0.17 * v[15] + 0.07 * f - 0.14 * age) + 0.22 * v[16])
    dy += brow * (0.18 * v[17] + 0.12 * f - 0.1 * age) + smoothstep(y, 3.0, 9.0) * 0.5 * v[18]
    dz = nose * (0.32 * v[19] - 0.12 * f) + chin * (0.3 * v[20] - 0.1 * f) + brow * (0.14 * v[21] - 0.2 * f)
    dz += cheek * (0.22 * v[22] - 0.25 * age) + mouth * 0.16 * v[23] + smoothstep(y, 3.0, 8.0) * face * 0.25 * f
    p[..., 0] += dx
    p[..., 1] += dy
    p[..., 2] += dz
    return p

"""What a transparent picture is seen on."""

import numpy as np

BACKGROUND = (0, 0, 0)
"""RGB behind transparent pixels: black, as players show them. The colour stored under them is nobody's to see."""


def over_background(rgba: np.ndarray) -> np.ndarray:
    """(H, W, 4) uint8 RGBA with straight alpha -> (H, W, 3) uint8 RGB over `BACKGROUND`, rounded to nearest."""
    alpha = rgba[..., 3:].astype(np.uint32)
    mixed = rgba[..., :3] * alpha + np.array(BACKGROUND, np.uint32) * (255 - alpha)
    return ((mixed + 127) // 255).astype(np.uint8)

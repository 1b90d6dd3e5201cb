"""From a decoded frame to upright RGB pixels."""

from fractions import Fraction
from typing import Any

import av
import numpy as np

from ifdd.data.video.colour import to_rgb


def square_pixels(frame: av.VideoFrame, aspect: Fraction | None) -> tuple[int, int]:
    """(width, height) to scale to before turning; an aspect within 1 % of square is a header's rounding."""
    if not aspect or abs(float(aspect) - 1) < 0.01:
        return frame.width, frame.height
    return max(1, round(frame.width * float(aspect))), frame.height


def display_matrix(frame: av.VideoFrame) -> tuple[int, int, int, int]:
    """(a, b, c, d) of x' = a·x + c·y, y' = b·x + d·y; the identity where a frame states none."""
    side_data: Any = frame.side_data  # a mapping that also takes names, which its stub does not say
    if "DISPLAYMATRIX" not in side_data:
        return 1, 0, 0, 1
    a, b, _, c, d = np.frombuffer(side_data["DISPLAYMATRIX"], np.int32)[:5].tolist()
    return a, b, c, d


def upright(frame: av.VideoFrame, shape: tuple[int, int], turn: tuple[int, int, int, int]) -> np.ndarray:
    """(H, W, 3) uint8 RGB, turned and mirrored in quarter turns as the display matrix asks."""
    image = to_rgb(frame, *shape)
    a, b, c, d = turn
    if abs(b) > abs(a):
        image, (a, d) = image.transpose(1, 0, 2), (c, b)
    return np.ascontiguousarray(image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])

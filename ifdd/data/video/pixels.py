"""From a decoded frame to upright RGB pixels."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from ifdd.data.video.colour import UnknownColour, to_rgb
from ifdd.errors import InputError

_WIDEST = 4
"""Pixel aspects beyond 4:1 and 1:4 are a slip: the widest that formats name is about 2."""


def square_pixels(frame: av.VideoFrame, aspect: Fraction | None, path: Path) -> tuple[int, int]:
    """(width, height) to scale to before turning; an aspect within 1 % of square is a header's rounding.

    Raises: InputError for an aspect that no camera has.
    """
    if not aspect or abs(float(aspect) - 1) < 0.01:
        return frame.width, frame.height
    if not 1 / _WIDEST <= aspect <= _WIDEST:
        raise InputError(
            f"{path}: a pixel {aspect.numerator}:{aspect.denominator} wide is a slip; set it with ffmpeg -vf setsar=1"
        )
    return max(1, round(frame.width * float(aspect))), frame.height


def display_matrix(frame: av.VideoFrame) -> tuple[int, int, int, int]:
    """(a, b, c, d) of x' = a·x + c·y, y' = b·x + d·y; the identity where a frame states none."""
    side_data: Any = frame.side_data  # a mapping that also takes names, which its stub does not say
    if "DISPLAYMATRIX" not in side_data:
        return 1, 0, 0, 1
    a, b, _, c, d = np.frombuffer(side_data["DISPLAYMATRIX"], np.int32)[:5].tolist()
    return a, b, c, d


def upright(frame: av.VideoFrame, shape: tuple[int, int], turn: tuple[int, int, int, int], path: Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB, turned and mirrored in quarter turns as the display matrix asks.

    Raises: InputError for colours that cannot be converted.
    """
    try:
        image = to_rgb(frame, *shape)
    except UnknownColour as error:
        hint = "convert it with ffmpeg -vf zscale=t=bt709:p=bt709:m=bt709,format=yuv420p"
        raise InputError(f"{path}: its colours cannot be read: {error}; {hint}") from error
    a, b, c, d = turn
    if abs(b) > abs(a):
        image, (a, d) = image.transpose(1, 0, 2), (c, b)
    return np.ascontiguousarray(image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])

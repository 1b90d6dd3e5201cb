"""Tiny videos for the tests."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

CORNERS = np.array([[(255, 0, 0), (0, 255, 0)], [(0, 0, 255), (255, 255, 255)]], np.uint8)
"""Red, green / blue, white: tells every turn and mirroring apart."""


def corners_image(height: int = 64, width: int = 96) -> np.ndarray:
    """(height, width, 3): four coloured quarters."""
    return np.repeat(np.repeat(CORNERS, height // 2, axis=0), width // 2, axis=1)


def gray_images(values: Iterable[int], height: int = 48, width: int = 64) -> list[np.ndarray]:
    """One even gray frame per value."""
    return [np.full((height, width, 3), value, np.uint8) for value in values]


def write_video(
    path: Path,
    images: Sequence[np.ndarray],
    *,
    milliseconds: Sequence[int] | None = None,
    rotation: int = 0,
    mirrored: bool = False,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
) -> Path:
    """Encode `images` at 25 frames per second, or at the given time stamps."""
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "10", "g": "10"}
        unit = Fraction(1, 25) if milliseconds is None else Fraction(1, 1000)
        stream.time_base = stream.codec_context.time_base = unit
        if rotation or mirrored:
            stream.set_display_rotation(rotation, hflip=mirrored)
        for index, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.time_base = unit
            frame.pts = index if milliseconds is None else milliseconds[index]
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_sound(path: Path) -> Path:
    """A second of silence."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000, layout="mono")
        for start in range(0, 8192, 1024):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 8000, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path

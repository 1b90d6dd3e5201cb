"""Pictures for pages and files: pixels with text beside them, as PNG or as a short film."""

import base64
import io
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

FILM_FPS = 5
"""Frames a second of a film of a clip: slow enough to look at each; the clip's own time is written into the picture."""
_PANEL = 320  # pixels, width of one picture of a film
_HEAD, _LINE, _GAP = 30, 24, 8


def data_uri(image: np.ndarray) -> str:
    """(H, W, 3) uint8 → a PNG as plotly and web pages take it."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def side_by_side(panels: Mapping[str, np.ndarray], captions: list[str], footer: list[str]) -> np.ndarray:
    """Films next to each other: names → (T, H, W, 3) uint8, all of one shape; returns (T, h, w, 3) uint8 with even sides.

    `captions` stand below the pictures in every frame; `footer` has one line for each frame.
    """
    first = next(iter(panels.values()))
    frames, height, width = first.shape[:3]
    tall = round(_PANEL * height / width)
    size = (len(panels) * (_PANEL + _GAP) - _GAP, _HEAD + tall + _LINE * (len(captions) + 1) + _GAP)
    page = Image.new("RGB", (size[0] + size[0] % 2, size[1] + size[1] % 2), "white")
    draw = ImageDraw.Draw(page)
    for column, name in enumerate(panels):
        draw.text((column * (_PANEL + _GAP) + 4, 4), name, fill="black", font=_font(18))
    for line, caption in enumerate(captions):
        draw.text((4, _HEAD + tall + _GAP // 2 + line * _LINE), _fit(caption, page.width - 8), fill="black", font=_font(15))
    film = np.empty((frames, page.height, page.width, 3), np.uint8)
    for frame in range(frames):
        picture = page.copy()
        for column, images in enumerate(panels.values()):
            panel = Image.fromarray(images[frame]).resize((_PANEL, tall), Image.Resampling.BICUBIC)
            picture.paste(panel, (column * (_PANEL + _GAP), _HEAD))
        below = (4, _HEAD + tall + _GAP // 2 + len(captions) * _LINE)
        ImageDraw.Draw(picture).text(below, _fit(footer[frame], page.width - 8), fill="black", font=_font(15))
        film[frame] = np.asarray(picture)
    return film


def write_film(path: Path, film: np.ndarray, fps: int = FILM_FPS) -> None:
    """Write (T, H, W, 3) uint8 as .mp4 (H.264) or as an endless .gif.

    Raises: OSError if it cannot be written, e.g. on a full disk.
    """
    if path.suffix == ".gif":
        images = [Image.fromarray(frame) for frame in film]
        images[0].save(path, save_all=True, append_images=images[1:], duration=round(1000 / fps), loop=0, optimize=False)
        return
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(fps), options={"crf": "18", "preset": "veryfast", "threads": "1"})
        stream.height, stream.width, stream.pix_fmt = film.shape[1], film.shape[2], "yuv420p"
        for frame in film:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


def can_write_mp4() -> bool:
    """Whether this build of FFmpeg has an H.264 encoder."""
    return "libx264" in av.codecs_available


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(font_manager.findfont("DejaVu Sans"), size)


def _fit(text: str, width: int) -> str:
    """Shorten text that is too wide in the middle, where a path matters least."""
    font, shown, keep = _font(15), text, len(text)
    while keep > 2 and font.getlength(shown) > width:
        keep -= 2
        shown = f"{text[: keep // 2].rstrip()} … {text[-(keep // 2) :].lstrip()}"
    return shown

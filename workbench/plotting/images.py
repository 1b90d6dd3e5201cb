"""Pictures for pages and files: pixels with text beside them, as PNG or as a short film."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

FILM_FPS = 5
"""Frames a second of a film of a clip: slow enough to look at each; the clip's own time is written into the picture."""
_NARROW, _WIDE = 320, 480  # pixels, width of one picture of a film
_HEAD, _LINE, _CHIP_LINE, _GAP = 30, 24, 17, 8


def data_uri(image: np.ndarray) -> str:
    """(H, W, 3) uint8 → a PNG as plotly and web pages take it."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


@dataclass(frozen=True, eq=False)
class FilmPanel:
    """One picture of a film: `images` (T, H, W, 3) uint8 below its title; `badge` (words, colour) stands between the two.

    `unread` (T,): frames that get the sign "not read" in their corner.
    """

    title: str
    images: np.ndarray
    badge: tuple[str, str] | None = None
    unread: np.ndarray | None = None


def side_by_side(panels: Sequence[FilmPanel], captions: list[str], footer: list[str]) -> np.ndarray:
    """Films next to each other, all of one shape; returns (T, h, w, 3) uint8 with even sides.

    `captions` stand below the pictures in every frame, in as many lines as they need; `footer` has one line for each frame.
    """
    frames, height, width = panels[0].images.shape[:3]
    wide = min(max(width, _NARROW), _WIDE)
    tall = round(wide * height / width)
    page_width = len(panels) * (wide + _GAP) - _GAP
    lines = [line for caption in captions for line in _lines(caption, page_width - 8)]
    chips = [_lines(panel.badge[0], wide - 24, 13) if panel.badge else [] for panel in panels]
    head = _HEAD + _LINE * any(chips) + _CHIP_LINE * max(len(lines) - 1 if lines else 0 for lines in chips)
    page_height = head + tall + _LINE * (len(lines) + 1) + _GAP
    page = Image.new("RGB", (page_width + page_width % 2, page_height + page_height % 2), "white")
    draw = ImageDraw.Draw(page)
    for column, panel in enumerate(panels):
        left = column * (wide + _GAP)
        draw.text((left + 4, 4), _fit(panel.title, wide - 8, 18), fill="black", font=_font(18))
        if panel.badge is not None:
            _chip(draw, (left + 4, _HEAD - 2), chips[column], panel.badge[1])
    for number, line in enumerate(lines):
        draw.text((4, head + tall + _GAP // 2 + number * _LINE), line, fill="black", font=_font(15))
    film = np.empty((frames, page.height, page.width, 3), np.uint8)
    for frame in range(frames):
        picture = page.copy()
        draw = ImageDraw.Draw(picture)
        for column, panel in enumerate(panels):
            left = column * (wide + _GAP)
            image = Image.fromarray(panel.images[frame]).resize((wide, tall), Image.Resampling.BICUBIC)
            picture.paste(image, (left, head))
            if panel.unread is not None and panel.unread[frame]:
                _chip(draw, (left + 6, head + 6), ["not read"], "#404040")
        below = (4, head + tall + _GAP // 2 + len(lines) * _LINE)
        draw.text(below, _fit(footer[frame], page.width - 8, 15), fill="black", font=_font(15))
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
    import av  # here: most pictures are no films

    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(fps), options={"crf": "18", "preset": "veryfast", "threads": "1"})
        stream.height, stream.width, stream.pix_fmt = film.shape[1], film.shape[2], "yuv420p"
        for frame in film:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


def can_write_mp4() -> bool:
    """Whether this build of FFmpeg has an H.264 encoder."""
    import av

    return "libx264" in av.codecs_available


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(font_manager.findfont("DejaVu Sans"), size)


def _chip(draw: ImageDraw.ImageDraw, corner: tuple[int, int], lines: Sequence[str], colour: str) -> None:
    """White words on a coloured ground, from their upper left corner."""
    font = _font(13)
    (left, top), wide = corner, max(map(font.getlength, lines), default=0)
    draw.rounded_rectangle((left, top, left + wide + 12, top + 2 + _CHIP_LINE * len(lines)), 4, fill=colour)
    for number, words in enumerate(lines):
        draw.text((left + 6, top + 1 + number * _CHIP_LINE), words, fill="white", font=font)


def _lines(text: str, width: int, size: int = 15) -> list[str]:
    """Text in lines of at most `width` pixels; a word that is too long for one is shortened in its middle."""
    lines: list[str] = []
    for word in (_fit(word, width, size) for word in text.split(" ")):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _font(size).getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _fit(text: str, width: int, size: int) -> str:
    """Shorten text that is too wide in the middle, where a path matters least."""
    font, shown, keep = _font(size), text, len(text)
    while keep > 2 and font.getlength(shown) > width:
        keep -= 2
        shown = f"{text[: keep // 2].rstrip()} … {text[-(keep // 2) :].lstrip()}"
    return shown

"""Animated WebP, which FFmpeg does not read."""

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image

from ifdd.data.video.frames import MAX_PIXELS, Shown
from ifdd.data.video.images import one_line, webp_hole
from ifdd.data.video.transparency import over_background
from ifdd.errors import InputError

SHORTEST, INSTEAD = 0.01, 0.1
"""Seconds: a picture that is to be shown no longer than the first is shown for the second, as browsers and FFmpeg up to 7 do."""


def frame_ends(path: Path) -> np.ndarray:
    """Seconds (n,) at which the frames of an animated WebP end; empty for any other file (RFC 9649, 2.7).

    Raises: InputError for a file that cannot be opened, or is cut short.
    """
    lasting = []
    try:
        with path.open("rb") as file:
            head = file.read(12)
            if head[:4] != b"RIFF" or head[8:] != b"WEBP":
                return np.zeros(0)
            size = path.stat().st_size
            while len(head := file.read(8)) == 8:
                length = int.from_bytes(head[4:], "little")
                follows = file.tell() + length + length % 2
                if head[:4] == b"ANMF":
                    seconds = int.from_bytes(file.read(16)[12:15], "little") / 1000
                    lasting.append(seconds if seconds > SHORTEST else INSTEAD)
                if lasting and follows > size:
                    raise InputError(f"{path}: the file is cut short; give a whole one")
                file.seek(follows)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; give a file that can be read") from error
    return np.cumsum(lasting)


def decode_animation(path: Path, ends: np.ndarray) -> Iterator[Shown]:
    """The frames of an animated WebP that end at `ends`, over black where they are transparent.

    Raises: InputError for a damaged or very large one.
    """
    if webp_hole(path.read_bytes()):
        raise InputError(f"{path}: damaged: a hole of zeros; give a whole file")
    index = 0
    try:
        with Image.open(path, formats=("WEBP",)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise InputError(f"{path}: {image.width}x{image.height} is more than {MAX_PIXELS // 10**6} million pixels")
            for index, (start, end) in enumerate(pairwise([0.0, *ends.tolist()])):
                image.seek(index)
                rgba = np.asarray(image.convert("RGBA"))
                yield Shown(index, start, end, image.size, partial(over_background, rgba))
    except InputError:
        raise
    except Exception as error:  # a reader of damaged bytes may fail in any way
        raise InputError(f"{path}: damaged: frame {index} cannot be read ({one_line(error)}); give a whole file") from error

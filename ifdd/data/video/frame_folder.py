"""A folder of frames: its images in their order, decoded one by one."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from ifdd.data.video.frames import Picture
from ifdd.errors import InputError

FOLDER_FPS = 25.0
"""Frame rate of a folder of frames unless the caller states another one."""
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")


def image_files(folder: Path) -> list[Path]:
    """Images of a folder in natural order; hidden and other files are left out.

    Raises:
        InputError: the folder holds no image.
    """
    files = [file for file in folder.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES and not file.name.startswith(".")]
    if not files:
        raise InputError(f"{folder}: the folder holds no image ({', '.join(IMAGE_SUFFIXES)}); give a video or a folder of frames")
    return sorted(files, key=lambda file: natural_key(file.name))


def natural_key(name: str) -> tuple[list[tuple[int, str]], str]:
    """Sort key that counts: 2.png before 10.png."""
    parts = re.split(r"([0-9]+)", name.lower())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], name


def decode_folder(folder: Path, fps: float) -> Iterator[tuple[float, Picture]]:
    """(seconds, picture) of every image at `fps`; a picture is (H, W, 3) uint8 RGB, made only when called.

    Raises: InputError for a file that is no image, images of different sizes.
    """
    first: tuple[Path, tuple[int, ...]] | None = None
    for index, file in enumerate(image_files(folder)):
        data = np.fromfile(file, np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB) if len(data) else None
        if image is None:
            raise InputError(f"{file}: not an image that can be read; remove it or write it anew")
        first = first or (file, image.shape)
        if image.shape != first[1]:
            (h0, w0), (h, w) = first[1][:2], image.shape[:2]
            raise InputError(
                f"{folder}: frames of different sizes: {first[0].name} is {w0}x{h0}, {file.name} is {w}x{h}; make them one size"
            )
        yield index / fps, partial(np.asarray, image)

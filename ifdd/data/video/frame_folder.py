"""A folder of frames: its images in their order, decoded one by one."""

import filecmp
import mimetypes
import re
from collections.abc import Container, Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from ifdd.data.video.frames import Picture
from ifdd.data.video.images import read_image
from ifdd.errors import InputError

FOLDER_FPS = 25.0
"""Frame rate of a folder of frames unless the caller states another one."""
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")

# 0.15 and 0,15 are one number, 1.2.3 are three
_DECIMAL = re.compile(r"(?<![\d.,])\d+[.,]\d+(?![.,]?\d)|\d+")
_WHOLE = re.compile(r"\d+")
# what file managers add to the name of a copy: "7 (1)", "7 - Copy", "7 copy 2"
_COPY = re.compile(r"(?<=\d)(?: ?\(\d+\)| - \w+(?: \(\d+\))?| copy(?: \d+)?)$", re.IGNORECASE)


def image_files(folder: Path) -> list[Path]:
    """Images of a folder in the order of their numbers; hidden files and files of other kinds are left out.

    Numbers may have decimals, and a minus: at the beginning, after a blank or one of _=([, or where the same name occurs
    without it. 1.9 and 1.10 are counts, as nobody writes the decimal number 1.10 beside 1.9.

    Raises:
        InputError: no image, a number that occurs twice, a copy, an image of a kind that is not read.
    """
    try:
        files = [file for file in folder.iterdir() if not file.name.startswith(".") and not file.is_dir()]
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror or error}; make the folder readable") from error
    images = [file for file in files if file.suffix.lower() in IMAGE_SUFFIXES]
    if not images:
        raise InputError(f"{folder}: the folder holds no image ({', '.join(IMAGE_SUFFIXES)}); give a video or a folder of frames")
    for file in files:
        if file.suffix.lower() in IMAGE_SUFFIXES:
            if not file.is_file():
                raise InputError(f"{file}: not a file that can be read; remove it")
        elif (mimetypes.guess_type(file.name)[0] or "").startswith("image/"):
            raise InputError(f"{file}: images of this kind are not read; write it as PNG or JPEG, or move it elsewhere")
    return _in_order(folder, images)


def natural_key(name: str) -> tuple[list[tuple[int, Decimal, str]], str]:
    """Sort key that counts: 2.png before 10.png, 0.15.png before 0.2.png, -1.png before 0.png."""
    return _parts(name, _DECIMAL), name


def _parts(name: str, numbers: re.Pattern[str], templates: Container[str] = ()) -> list[tuple[int, Decimal, str]]:
    """Numbers and the text between them, in a form that sorts; `templates` are names with # for each number."""
    parts: list[tuple[int, Decimal, str]] = []
    at, name = 0, name.casefold()
    for found in numbers.finditer(name):
        before, text = name[: found.start()], name[at : found.start()]
        value = Decimal(found[0].replace(",", "."))
        if text.endswith("-"):
            rest = before[:-1]
            if not rest or rest[-1] in " _=([" or numbers.sub("#", f"{rest}0{name[found.end() :]}") in templates:
                text, value = text[:-1], -value
        parts += [(1, Decimal(0), text)] * bool(text) + [(0, value, "")]
        at = found.end()
    return parts + [(1, Decimal(0), name[at:])] * (at < len(name))


def _in_order(folder: Path, images: list[Path]) -> list[Path]:
    decimals = [found[0] for file in images for found in _DECIMAL.finditer(file.stem) if not found[0].isdecimal()]
    lengths = {len(re.split("[.,]", number)[1]) for number in decimals}
    counts = len(lengths) > 1 and any(number[-2:].isdecimal() and number.endswith("0") for number in decimals)
    numbers = _WHOLE if counts else _DECIMAL
    templates = {numbers.sub("#", file.stem.casefold()) for file in images}
    keys = {file: _parts(file.stem, numbers, templates) for file in images}
    ordered = sorted(images, key=lambda file: (keys[file], file.name))
    for one, two in pairwise(ordered):
        if keys[one] == keys[two]:
            raise InputError(f"{folder}: {one.name} and {two.name} are the same frame twice; remove one, or number them apart")
    stems = {file.stem: file for file in images}
    for file in images:
        one = stems.get(_COPY.sub("", file.stem), file)
        if one is not file and _equal(one, file):
            raise InputError(f"{folder}: {file.name} is a copy of {one.name}; remove it")
    return ordered


def _equal(one: Path, other: Path) -> bool:
    try:
        return filecmp.cmp(one, other, shallow=False)
    except OSError:  # told where the picture is read
        return False


def decode_folder(folder: Path) -> Iterator[tuple[tuple[int, int], Picture]]:
    """((width, height), picture) of every image in order; a picture is (H, W, 3) uint8 RGB, made only when called.

    Raises: InputError for a file that is no whole image, images of different sizes.
    """
    first: tuple[Path, int, int] | None = None
    for file in image_files(folder):
        width, height, picture = read_image(file)
        first = first or (file, width, height)
        if (width, height) != first[1:]:
            raise InputError(
                f"{folder}: frames of different sizes: {first[0].name} is {first[1]}x{first[2]}, "
                f"{file.name} is {width}x{height}; make them one size"
            )
        yield (width, height), picture

"""A folder of frames: its images in their order, decoded one by one."""

import filecmp
import mimetypes
import os
import re
from collections import Counter
from collections.abc import Container, Iterator
from decimal import Decimal
from itertools import pairwise, zip_longest
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
    """Frames of a folder in the order of their numbers; hidden files and what `left_out` tells are left out.

    Numbers may have decimals, and a minus: at the beginning, after a blank or one of _=([, or where the same name occurs
    without it. 1.9 and 1.10 are counts, as nobody writes the decimal number 1.10 beside 1.9.

    Raises:
        InputError: no image, a number that occurs twice, a copy, names of several kinds, an image of a kind that is not read.
    """
    frames, _ = _frames_and_others(folder)
    return _in_order(folder, frames)


def left_out(folder: Path) -> list[str]:
    """Names of the images of a folder that are no frames of it: without a number, and of another suffix than those with one.

    Raises: InputError as `image_files`.
    """
    _, others = _frames_and_others(folder)
    return sorted(file.name for file in others)


def _frames_and_others(folder: Path) -> tuple[list[Path], list[Path]]:
    try:
        with os.scandir(folder) as entries:  # which, unlike a path, knows what it is
            found = {folder / entry.name: entry for entry in entries if not entry.name.startswith(".") and not entry.is_dir()}
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror or error}; make the folder readable") from error
    pictures = [file for file in found if _is_image(file)]
    numbered = [file.suffix.lower() for file in pictures if _WHOLE.search(file.stem)]
    # a preview or an icon that some program left beside the frames
    others = [
        file for file in pictures if len(numbered) > 1 and file.suffix.lower() not in numbered and not _WHOLE.search(file.stem)
    ]
    frames = [file for file in pictures if file not in others]
    if not any(file.suffix.lower() in IMAGE_SUFFIXES for file in frames):
        raise InputError(f"{folder}: the folder holds no image ({', '.join(IMAGE_SUFFIXES)}); give a video or a folder of frames")
    for file in frames:
        if file.suffix.lower() not in IMAGE_SUFFIXES:
            raise InputError(f"{file}: images of this kind are not read; write it as PNG or JPEG, or move it elsewhere")
        if not found[file].is_file():
            raise InputError(f"{file}: not a file that can be read; remove it")
    return frames, others


def _is_image(file: Path) -> bool:
    return file.suffix.lower() in IMAGE_SUFFIXES or (mimetypes.guess_type(file.name)[0] or "").startswith("image/")


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
    if (order := _by_last_number(images)) is not None:
        return order
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
    _check_one_kind(folder, ordered, keys, numbers)
    return ordered


def _by_last_number(images: list[Path]) -> list[Path] | None:
    """The images in order where whole numbers at the end of their names, each another one, are all that differs; else None.

    So most folders are; what `_in_order` does besides would change nothing, and takes ten times as long.
    """
    numbers: dict[int, Path] = {}
    before: str | None = None
    for file in images:
        stem = file.stem
        start = len(stem.rstrip("0123456789"))
        before = stem[:start] if before is None else before
        if start == len(stem) or stem[:start] != before or before.endswith(("-", ".", ",")):
            return None
        numbers[int(stem[start:])] = file
    return [numbers[number] for number in sorted(numbers)] if len(numbers) == len(images) else None


def _check_one_kind(
    folder: Path, ordered: list[Path], keys: dict[Path, list[tuple[int, Decimal, str]]], numbers: re.Pattern[str]
) -> None:
    """A number, not a text, must tell which of two frames comes first, unless no name has a number.

    Raises: InputError for img_1 beside depth_1, 1 beside 1_mask.
    """
    if not any(_WHOLE.search(file.stem) for file in ordered):
        return
    for one, two in pairwise(ordered):
        differ = next(pair for pair in zip_longest(keys[one], keys[two]) if pair[0] != pair[1])
        if any(part is None or part[0] for part in differ):
            kinds = Counter(f"{numbers.sub('#', file.stem)}{file.suffix}" for file in ordered).most_common()
            told = ", ".join(f"{name} ({count})" for name, count in kinds[:4]) + (" …" if len(kinds) > 4 else "")
            raise InputError(
                f"{folder}: no number tells whether {one.name} or {two.name} comes first; the names are of {len(kinds)} kinds, "
                f"{told}: keep one kind and move the others to a folder of their own"
            )


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

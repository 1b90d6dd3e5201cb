"""One image file, whole and upright."""

import warnings
import zlib
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from ifdd.data.video.frames import MAX_PIXELS, Picture
from ifdd.data.video.transparency import BACKGROUND, over_background
from ifdd.errors import InputError

# a file above Pillow's limit is refused below, one line is enough
warnings.simplefilter("ignore", Image.DecompressionBombWarning)
_FORMATS = ("JPEG", "PNG", "BMP", "WEBP")
_ANIMATED = ("PNG", "WEBP")


def read_image(file: Path) -> tuple[int, int, Picture]:
    """(width, height) of an image file as it is seen, and its picture, (H, W, 3) uint8 RGB, decoded only when called.

    The file is checked at once: marks and codes of a JPEG, check sums of a PNG, lengths of the others. EXIF orientation is
    honoured, transparency lies over `BACKGROUND`, 16 bits are cut to the upper 8.

    Raises:
        InputError: no image, damaged, several pictures, too large; the picture raises it for what only decoding shows.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: {error.strerror or error}; make it readable, or remove it") from error
    image = _open(file, data)
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise InputError(f"{file}: {width}x{height} is more than {MAX_PIXELS // 10**6} million pixels; make it smaller")
    if image.format in _ANIMATED and getattr(image, "n_frames", 1) > 1:
        raise InputError(f"{file}: holds several pictures, a folder of frames needs one in each; give the file itself as a video")
    if why := _damage(image.format or "", data):
        raise InputError(f"{file}: damaged: {why}; remove it or write it anew")
    turn = _orientation(file, image, data)
    if turn > 4:  # a quarter turn
        width, height = height, width
    return width, height, partial(_picture, file, image, turn)


def image_size(file: Path) -> tuple[int, int]:
    """(width, height) of an image file as it is seen, from its header alone: whether the rest is whole is not looked at.

    Raises: InputError for what cannot be opened, or is no image that is read.
    """
    try:
        with Image.open(file, formats=_FORMATS) as image:
            width, height = image.size
            turned = image.format != "BMP" and "exif" in image.info and image.getexif().get(0x0112, 1) in range(5, 9)
    except Image.UnidentifiedImageError as error:
        raise InputError(f"{file}: not an image that can be read; remove it or write it anew as PNG or JPEG") from error
    except OSError as error:
        raise InputError(f"{file}: {error.strerror or one_line(error)}; make it readable, or remove it") from error
    except Exception as error:  # a reader of damaged bytes may fail in any way
        raise InputError(f"{file}: damaged: {one_line(error)}; remove it or write it anew") from error
    return (height, width) if turned else (width, height)


def is_animated(file: Path) -> bool:
    """Whether an image file holds several pictures to be shown one after the other."""
    try:
        with Image.open(file, formats=_ANIMATED) as image:
            return getattr(image, "n_frames", 1) > 1
    except Exception:  # no image, or a damaged one
        return False


def _open(file: Path, data: bytes) -> Image.Image:
    try:
        return Image.open(BytesIO(data), formats=_FORMATS)
    except Image.UnidentifiedImageError as error:
        raise InputError(f"{file}: not an image that can be read; remove it or write it anew as PNG or JPEG") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(f"{file}: more than {MAX_PIXELS // 10**6} million pixels; make it smaller") from error
    except Exception as error:  # a reader of damaged bytes may fail in any way
        raise InputError(f"{file}: damaged: {one_line(error)}; remove it or write it anew") from error


def one_line(error: Exception) -> str:
    """What an error says, without line breaks."""
    return " ".join(str(error).split()) or type(error).__name__


def _picture(file: Path, image: Image.Image, turn: int) -> np.ndarray:
    try:
        image.load()
        return np.ascontiguousarray(_rgb(ImageOps.exif_transpose(image) if turn > 1 else image))
    except Exception as error:  # as above
        raise InputError(f"{file}: damaged: {one_line(error)}; remove it or write it anew") from error


def _rgb(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I"):  # 16-bit gray: Pillow itself would clip it at 255
        values = np.asarray(image).astype(np.uint32)
        gray = np.repeat((values >> 8).astype(np.uint8)[..., None], 3, axis=2)
        if isinstance(hidden := image.info.get("transparency"), int):
            gray[values == hidden] = BACKGROUND
        return gray
    if image.has_transparency_data:
        return over_background(np.asarray(image.convert("RGBA")))
    return np.asarray(image.convert("RGB"))


def _orientation(file: Path, image: Image.Image, data: bytes) -> int:
    """The EXIF orientation, 1 to 8."""
    if image.format == "PNG" and b"eXIf" not in data and not {"Raw profile type exif", "XML:com.adobe.xmp"} & set(image.info):
        return 1  # Pillow would decode the whole picture to look for it
    try:
        turn = image.getexif().get(0x0112, 1)
    except Exception as error:  # as above
        raise InputError(f"{file}: damaged EXIF data: {one_line(error)}; remove it or write it anew") from error
    return turn if turn in range(1, 9) else 1


def _damage(kind: str, data: bytes) -> str | None:
    if kind in ("JPEG", "MPO"):
        from ifdd.data.video import jpeg  # machine code, which takes most of a second to load

        return jpeg.damage(data)
    if kind == "PNG":
        return _png_damage(data)
    if kind == "WEBP" and webp_hole(data):
        return "a hole of zeros"
    stated = int.from_bytes(data[4:8], "little") + 8 if kind == "WEBP" else int.from_bytes(data[2:6], "little")
    return f"it is cut short, {len(data)} of {stated} bytes" if len(data) < stated else None


def webp_hole(data: bytes, at: int = 12) -> bool:
    """Lossy WebP has no check of its own, but its arithmetic code never holds a long run of zeros; parts begin at `at`."""
    while at + 8 < len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        kind, body = data[at : at + 4], data[at + 8 : at + 8 + length]
        if (kind == b"VP8 " and bytes(64) in body) or (kind == b"ANMF" and webp_hole(body, 16)):
            return True
        at += 8 + length + length % 2
    return False


def _png_damage(data: bytes) -> str | None:
    """Walk the chunks to the last one; each carries a check sum."""
    at = 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        end = at + 12 + length
        if end > len(data):
            break
        if zlib.crc32(data[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            return f"wrong check sum of a part at byte {at}"
        if data[at + 4 : at + 8] == b"IEND":
            return None
        at = end
    return "it is cut short"

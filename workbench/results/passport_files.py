"""Read passports back from PNG, SVG, PDF and HTML."""

import re
import struct
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from ifdd.documents import one_line
from ifdd.errors import InputError
from workbench.results.passport import Passport

PAGE_MARK = '<script type="application/json" id="passport">'
"""What stands before a page's passport."""
_DESCRIPTION = "{http://purl.org/dc/elements/1.1/}description"
MAX_FILE, MAX_TEXT = 256 * 2**20, 2**20
UNREADABLE = (
    ET.ParseError,
    OSError,
    SyntaxError,
    ValueError,
    LookupError,
    EOFError,
    OverflowError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
"""What Pillow and the XML parser raise of a damaged file; none of them has one class for it."""
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def read_passport(path: str | Path) -> Passport:
    """Read the passport of a figure or of a page.

    Raises: InputError for a file that is not there, of another format, or without a passport.
    """
    path = Path(path)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"{path}: passports are in {', '.join(_READERS)} files; give one of those")
    if not path.is_file():
        raise InputError(f"{path} is not there; give a file that workbench saved")
    if path.stat().st_size > MAX_FILE:
        raise InputError(f"{path} has more than {MAX_FILE // 2**20} MB; no figure or page of workbench has")
    try:
        text = reader(path)
    except UNREADABLE as error:
        raise InputError(
            f"{path} is no whole {path.suffix[1:].upper()} file ({one_line(error)}); save the figure again"
        ) from error
    if '"passport"' not in text:
        raise InputError(f"{path} carries no passport; only figures and pages saved by workbench do")
    return Passport.from_json(text, f"{path}: its passport")


def _png(path: Path) -> str:
    with Image.open(path) as image:
        image.load()  # text may stand behind the pixels
        return str(getattr(image, "text", {}).get("Description", ""))


def _svg(path: Path) -> str:
    with path.open("rb") as stream:  # iterparse would leave a file open that is not read to its end
        return next((element.text or "" for _, element in ET.iterparse(stream) if element.tag == _DESCRIPTION), "")


def _pdf(path: Path) -> str:
    """The literal string after /Subject (PDF 32000-1:2008, 7.3.4.2)."""
    content = path.read_bytes()
    found = re.search(rb"/Subject\s*\(", content)
    if found is None:
        return ""
    text, depth, at = bytearray(), 1, found.end()
    while at < min(len(content), found.end() + MAX_TEXT):
        sign = content[at : at + 1]
        if sign == b"\\":
            at += 1
            sign = content[at : at + 1]
            text += _ESCAPED.get(sign, sign)
        else:
            depth += {b"(": 1, b")": -1}.get(sign, 0)
            if depth == 0:
                break
            text += sign
        at += 1
    return text.decode("ascii", "replace")


def _html(path: Path) -> str:
    _, _, rest = path.read_text(encoding="utf-8").partition(PAGE_MARK)
    return rest.partition("</script>")[0]


_READERS: dict[str, Callable[[Path], str]] = {".png": _png, ".svg": _svg, ".pdf": _pdf, ".html": _html}

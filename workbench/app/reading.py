"""How to read each plot, and what misleads: the texts of the gallery (docs/gallery), which the app shows beside its plots."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ifdd.documents import read_text
from ifdd.errors import InputError

GALLERY = Path(__file__).resolve().parents[2] / "docs" / "gallery"
"""The app runs from a clone of the repository (`workbench.app.serve`), and so do these."""
INDEX = GALLERY / "README.md"

_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\([^)]*\)")
_ROW = re.compile(r"^\| <img .*\]\((\w+)\.md\) \|", re.MULTILINE)
_PICTURE = re.compile(r"^!\[([^\]]*)\]\(([\w-]+\.png)\)$", re.MULTILINE)
_TITLE = re.compile(r"# (?P<title>.+)\n\n\*\*(?P<question>.+)\*\*\n")
_SECTION = re.compile(r"^## (?P<head>.+)\n(?P<text>(?:(?!^## )(?s:.))*)", re.MULTILINE)
READ, MISLEADS, MAKE = "How to read it", "What misleads", "Make it"


@dataclass(frozen=True)
class Reading:
    """One page of the gallery. `read` and `misleads` are Markdown; links to other pages are plain text in them.

    `pictures`: (what it shows in words, file) of each. `python` follows the first lines of the gallery (`first_lines`).
    """

    name: str
    title: str
    question: str
    read: str
    misleads: str
    python: str
    console: str
    source: str
    pictures: tuple[tuple[str, Path], ...]


@cache
def reading_names() -> tuple[str, ...]:
    """Names of the plots that are explained, in the order of the gallery."""
    return tuple(_ROW.findall(read_text(INDEX)))


@cache
def reading(name: str) -> Reading:
    """The text on one plot.

    Raises: InputError for a name that is unknown, or a page that lacks a part.
    """
    if name not in reading_names():
        raise InputError(f"there is no page {name!r} in the gallery; choose one of {', '.join(reading_names())}")
    return parse(name, read_text(GALLERY / f"{name}.md"))


@cache
def first_lines() -> str:
    """The Python that every page of the gallery starts from."""
    return _block("python", read_text(INDEX), "README")


def parse(name: str, text: str) -> Reading:
    """A page of the gallery by its parts.

    Raises: InputError if one is missing.
    """
    head = _TITLE.match(text)
    parts = {found["head"]: found["text"].strip() for found in _SECTION.finditer(text)}
    missing = [part for part in (READ, MISLEADS, MAKE) if not parts.get(part)]
    if head is None or missing:
        raise InputError(f"{name}.md lacks {', '.join(missing) or 'a title and a question'}; see the other pages of docs/gallery")
    source = re.search(r"^Source: (.+)$", parts[MAKE], re.MULTILINE)
    return Reading(
        name,
        head["title"],
        head["question"],
        _LINK.sub(r"\1", parts[READ]),
        _LINK.sub(r"\1", parts[MISLEADS]),
        _block("python", parts[MAKE], name),
        _block("console", parts[MAKE], name),
        _LINK.sub(r"\1", source[1]) if source else "",
        tuple((alt, GALLERY / file) for alt, file in _PICTURE.findall(text)),
    )


def _block(language: str, text: str, name: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise InputError(f"{name}.md has no block of {language}; see the other pages of docs/gallery")
    return found[1].rstrip()

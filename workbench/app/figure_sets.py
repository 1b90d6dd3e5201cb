"""Sets of paper figures that `workbench figures` has written, as the page Figures shows them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from ifdd.documents import read_text
from ifdd.errors import InputError
from workbench.figures.names import FIGURES

CAPTIONS = "captions.md"
DPI, INCH = 300, 25.4
DEPTH = 3
"""So deep below the results are sets looked for: those of jobs lie in folders of their own."""
_CAPTION = re.compile(r"^\*\*\d+\. (?P<stem>\w+)\*\* \(after (?P<paper>[^)]+)\)\. (?P<caption>.+)$", re.MULTILINE)
_LEFT_OUT = re.compile(r"^- (?P<stem>\w+): (?P<reason>.+)$", re.MULTILINE)


@dataclass(frozen=True)
class PaperFigure:
    """One figure: the paper's that it follows, its caption (Markdown), and its files by suffix."""

    stem: str
    paper: str
    caption: str
    files: dict[str, Path]

    @property
    def title(self) -> str:
        """What it shows, and which of the papers' it is."""
        return f"{FIGURES.get(self.stem, self.stem)} ({self.paper})"

    @property
    def width(self) -> float | None:
        """Millimetres, of the PNG; None without one."""
        if "png" not in self.files:
            return None
        with Image.open(self.files["png"]) as image:
            return image.width / DPI * INCH


@dataclass(frozen=True)
class FigureSet:
    """The figures of one folder, and of those that were left out the reason (Markdown)."""

    folder: Path
    figures: tuple[PaperFigure, ...]
    left_out: dict[str, str]


def figure_sets(places: Iterable[Path]) -> list[FigureSet]:
    """The sets that are, or lie below, these folders; the newest first, each once."""
    pattern = ["/".join(["*"] * depth + [CAPTIONS]) for depth in range(DEPTH + 1)]
    files = {file.resolve(): file for place in places if place.is_dir() for one in pattern for file in place.glob(one)}
    return [read_set(file.parent) for file in sorted(files.values(), key=lambda file: file.stat().st_mtime, reverse=True)]


def read_set(folder: Path) -> FigureSet:
    """A folder that `workbench figures` wrote. Raises: InputError for any other."""
    file = folder / CAPTIONS
    try:
        text, _, left = read_text(file).partition("## Left out")
    except FileNotFoundError:
        raise InputError(f"{file} is missing; make the figures anew with workbench figures") from None
    figures = tuple(
        PaperFigure(one["stem"], one["paper"], one["caption"], _files(folder, one["stem"])) for one in _CAPTION.finditer(text)
    )
    return FigureSet(folder, figures, {one["stem"]: one["reason"] for one in _LEFT_OUT.finditer(left)})


def _files(folder: Path, stem: str) -> dict[str, Path]:
    return {kind: file for kind in ("png", "svg", "pdf", "csv") if (file := folder / f"{stem}.{kind}").is_file()}

"""Sets of paper figures that `workbench figures` has written, as the page Figures shows them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from ifdd.documents import read_text, shown
from ifdd.errors import InputError
from ifdd.io import write_text
from workbench.figures.names import FIGURES, Column
from workbench.store.layout import written_below

CAPTIONS = "captions.md"
NAME = "name.txt"
"""Beside the captions: what its reader calls a set."""
LONGEST = 60
DPI, INCH = 300, 25.4
_CAPTION = re.compile(r"^\*\*\d+\. (?P<stem>\w+)\*\* \(after (?P<paper>[^)]+)\)\. (?P<caption>.+)$", re.MULTILINE)
_LEFT_OUT = re.compile(r"^- (?P<stem>\w+): (?P<reason>.+)$", re.MULTILINE)


@dataclass(frozen=True)
class FiguresAsked:
    """What the figures should show: of which models on which dataset of a workspace, how wide, which of them (all: None)."""

    workspace: Path
    dataset: str
    models: tuple[str, ...]
    column: Column
    only: tuple[str, ...] | None
    benchmark: Path | None = None

    @property
    def argv(self) -> list[str]:
        """The command."""
        about = ["--workspace", str(self.workspace), "--dataset", self.dataset, "--column", self.column]
        only = [] if self.only is None else ["--only", ",".join(self.only)]
        table = [] if self.benchmark is None else ["--benchmark", str(self.benchmark)]
        return ["workbench", "figures", *self.models, *about, *only, *table]

    @property
    def python(self) -> str:
        """The same in Python."""
        told = [f"column={self.column!r}"]
        told += [] if self.only is None else [f"only={self.only!r}"]
        told += [] if self.benchmark is None else [f"benchmark=Path({str(self.benchmark)!r})"]
        return f"""
from pathlib import Path

from workbench.figures.study import open_study
from workbench.figures.task import Request, run, write
from workbench.store.given import Given

given = Given(Path({str(self.workspace)!r}), {self.dataset!r})
study = open_study({list(self.models)!r}, None, Path("kept"), given=given)
write(run(study, Request({", ".join(told)})), Path("figures"), study.context())
"""


@dataclass(frozen=True)
class ReportAsked:
    """What the report should tell of: which models on which dataset of a workspace, and which file of `workbench scenes`."""

    workspace: Path
    dataset: str
    models: tuple[str, ...]
    scenes: Path | None = None

    @property
    def argv(self) -> list[str]:
        """The command."""
        given = [] if self.scenes is None else ["--scenes", str(self.scenes)]
        return ["workbench", "report", *self.models, "--workspace", str(self.workspace), "--dataset", self.dataset, *given]

    @property
    def python(self) -> str:
        """The same in Python."""
        given = "" if self.scenes is None else f", given=given_sections(scenes=Path({str(self.scenes)!r}))"
        return f"""
from pathlib import Path

from workbench.figures.study import open_study
from workbench.report.task import {"run, write" if self.scenes is None else "given_sections, run, write"}
from workbench.store.given import Given

given = Given(Path({str(self.workspace)!r}), {self.dataset!r})
study = open_study({list(self.models)!r}, None, Path("kept"), given=given)
write(run(study{given}), Path("report.html"), study.context())
"""


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
    """The figures of one folder, made at `made` (seconds since 1970), and of those that were left out the reason (Markdown).

    `name`: what its reader calls it; empty where nobody has named it.
    """

    folder: Path
    made: float
    figures: tuple[PaperFigure, ...]
    left_out: dict[str, str]
    name: str = ""


def figure_sets(places: Iterable[Path]) -> list[FigureSet]:
    """The sets that are, or lie below, these folders; the newest first, each once."""
    return [read_set(file.parent) for file in written_below(places, CAPTIONS)]


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
    left_out = {one["stem"]: one["reason"] for one in _LEFT_OUT.finditer(left)}
    return FigureSet(folder, file.stat().st_mtime, figures, left_out, _name(folder))


def call(folder: Path, name: str) -> None:
    """Give a set a name, or none. Raises: InputError for one that is too long or cannot be printed; OSError as the disk."""
    name = " ".join(name.split())
    if len(name) > LONGEST or not name.isprintable():
        raise InputError(f"{shown(name)} cannot be the name of a set of figures; give up to {LONGEST} letters, digits or signs")
    write_text(folder / NAME, name)


def _name(folder: Path) -> str:
    try:
        return " ".join(read_text(folder / NAME).split())[:LONGEST]
    except (OSError, InputError):  # it has none
        return ""


def _files(folder: Path, stem: str) -> dict[str, Path]:
    return {kind: file for kind in ("png", "svg", "pdf", "csv") if (file := folder / f"{stem}.{kind}").is_file()}

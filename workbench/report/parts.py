"""What a section of the report is made of: text, tables and charts. The app shows the same sections."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import plotly.graph_objects as go

from ifdd.documents import located, shown
from ifdd.errors import InputError
from workbench.plotting.base import Display, with_short_names, without_markup
from workbench.plotting.style import plotly_template


@dataclass(frozen=True)
class Table:
    """Cells as text; the first column names the rows. Columns differ in their names."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Chart:
    """An interactive plot, what its passport says of it, and the display that can be saved as a figure."""

    caption: str
    figure: go.Figure
    provenance: str = ""
    normalisation: str = "none"
    display: Display | None = None


@dataclass(frozen=True)
class Section:
    """A heading, a paragraph on what the section answers, tables and charts."""

    heading: str
    about: str
    parts: Sequence[Table | Chart]


class NothingToAsk(InputError):
    """The question of a section does not arise of these models: a report goes on without it, and misses nothing."""


def section_by(face: ModuleType, study: Any, options: "Options") -> Section:
    """What a concept's `section.py` makes of a study.

    Raises: NothingToAsk and InputError as it does; InputError with the line for any other error in it: one section costs
    neither report nor app.
    """
    try:
        made = face.section(study, options)
    except (InputError, OSError):
        raise
    except Exception as error:
        raise InputError(located(error, Path(str(face.__file__)).parent)) from error
    if not isinstance(made, Section):
        raise InputError(f"{face.__file__}: section returned {shown(made)}, not a Section; see docs/adding_an_analysis.md")
    return made


def chart(display: Display, caption: str, figure: go.Figure | None = None) -> Chart:
    """A display's interactive form, in the colours of the page; a margin at the top that the display has not set is small."""
    drawn = with_short_names(without_markup(figure or display.to_plotly()))
    drawn.update_layout(template=plotly_template())
    if drawn.layout.margin.t is None:
        drawn.update_layout(margin_t=60 if drawn.layout.title.text else 30)
    return Chart(
        caption,
        drawn,
        display.provenance(),
        display.normalisation,
        display,
    )


@dataclass(frozen=True)
class Options:
    """What can be asked of a section beside the study.

    `seed` is of all draws. `verdicts` is a report of workbench faithfulness, by default that beside the card; without `badges`
    none is drawn. `published` names rows of papers that stand beside the models, as `performance.published_rows`.
    """

    seed: int = 0
    verdicts: Path | None = None
    badges: bool = True
    published: tuple[str, ...] = ()


def also(notes: Sequence[str]) -> str:
    """Notes as a sentence that follows another; a name of a model or file at its start stays as it is.

    >>> also(["two clips have no label", "clips count as independent"])
    ' Two clips have no label; clips count as independent.'
    >>> also(["r3d-mine: 2 clips left out"])
    ' r3d-mine: 2 clips left out.'
    """
    told = "; ".join(notes)
    first = told.partition(" ")[0]
    return f" {told[0].upper() if first.isalpha() else told[0]}{told[1:]}." if told else ""

"""The report of a study: its sections, and one page of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ifdd.errors import InputError
from ifdd.progress import tqdm
from workbench.analysis.registry import faces
from workbench.benchmark.scenes.results import read_scenes
from workbench.benchmark.stored import read_benchmark
from workbench.figures.study import Study
from workbench.report import sections
from workbench.report.page import write_page
from workbench.report.parts import NothingToAsk, Options, Section, section_by
from workbench.report.scores import scorecard_section
from workbench.results.passport import PYTHON_CALL, Context

DEFAULT = Options()
TITLE = "Report on models of dynamic facial expressions"


def check_out(out: Path) -> None:
    """Refuse what cannot be written, before minutes are spent. Raises: InputError."""
    if out.suffix.lower() != ".html":
        raise InputError(f"{out}: a report is a page; give a file that ends in .html")
    if out.exists():
        raise InputError(f"{out} exists; choose another file or remove it")


def given_sections(scorecard: Path | None = None, benchmark: Path | None = None, scenes: Path | None = None) -> list[Section]:
    """Sections of files that were made before. Raises: InputError for one that cannot be read."""
    found = [] if scorecard is None else [scorecard_section(scorecard)]
    found += [] if benchmark is None else [sections.variants(read_benchmark(benchmark))]
    return found if scenes is None else [*found, sections.scenes(read_scenes(scenes))]


@dataclass(frozen=True)
class Report:
    """A page: what it is of, its sections, and of those that could not be made the reason."""

    lead: str
    sections: tuple[Section, ...]
    left_out: dict[str, str]


def run(study: Study, *, given: Sequence[Section] = (), options: Options = DEFAULT) -> Report:
    """Every section that the study allows, a concept after the other, and the sections `given` at the end.

    `left_out` names those that could not be made; one whose question does not arise, as of one input, is not missed.
    """
    makers = {"models": sections.models} | {name: partial(section_by, face) for name, face in faces("section").items()}
    made: list[Section] = []
    left_out: dict[str, str] = {}
    for name, make in tqdm(makers.items(), desc="report", unit="section", disable=None):
        try:
            made.append(make(study, options))
        except NothingToAsk:
            continue
        except InputError as error:
            left_out[name] = str(error)
    made += given
    if left_out:
        about = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
        made.append(Section("Left out", about + ".", []))
    lead = f"{len(study.collections)} models on {len(study.clips)} labelled clips: {', '.join(study.collections)}."
    return Report(lead, tuple(made), left_out)


def write(report: Report, out: Path, context: Context = PYTHON_CALL) -> list[Path]:
    """Write the page, whole or not at all; returns the file.

    Raises: InputError as `check_out`.
    """
    check_out(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_page(TITLE, report.lead, report.sections, out, context)
    return [out]

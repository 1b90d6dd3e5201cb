"""All figures of a study: what is requested is drawn, then every file appears, or none does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ifdd.data.manifest import data_hash, read_manifest
from ifdd.documents import shown
from ifdd.errors import InputError
from ifdd.io import check_folder, filled_folder, write_text
from ifdd.plain import markdown_line
from ifdd.progress import tqdm
from ifdd.tables import csv_text
from workbench.analysis.saliency.verdicts import known_verdicts
from workbench.benchmark.stored import read_benchmark
from workbench.figures.ifdd2_embedding import embedding_sheet
from workbench.figures.ifdd2_maps import Verdicts, maps_sheet, pick_clips
from workbench.figures.ifdd3_table import VariantTable
from workbench.figures.ifdd3_variants import variants_sheet
from workbench.figures.ifdd4_radar import radar_sheet
from workbench.figures.ifdd5_confidence import confidence_sheet
from workbench.figures.names import FIGURES, TABLE
from workbench.figures.ous4_stages import stages_sheet
from workbench.figures.ous5_confusion import confusion_sheet
from workbench.figures.published import published_recalls
from workbench.figures.sheet import Column, Sheet
from workbench.figures.study import Study
from workbench.results.passport import PYTHON_CALL, Context
from workbench.store.workspace import near

CAPTIONS = "captions.md"
NUMBERS = ".csv"
FORMATS = ("png", "svg", "pdf")
DPI = 300


@dataclass(frozen=True)
class Request:
    """What the figures should show; see the command's options. `only` names some of `names.FIGURES`; None: all."""

    column: Column = "double"
    published: tuple[str, ...] | None = None
    clip: str | None = None
    clips: tuple[str, ...] | None = None
    method: str = "gradcam"
    verdicts: Path | None = None
    badges: bool = True
    benchmark: Path | None = None
    seed: int = 0
    only: tuple[str, ...] | None = None


@dataclass(frozen=True)
class DrawnFigures:
    """Figures by stem, and for those that could not be drawn the reason."""

    sheets: dict[str, Sheet]
    left_out: dict[str, str]


def run(study: Study, request: Request) -> DrawnFigures:
    """Draw every figure that is asked for; one whose data do not allow it is left out with its reason.

    Raises: InputError for options that cannot be met, or if no figure can be drawn.
    """
    check_names(request.only)
    column = request.column
    bundle = study.bundles.get(study.main)
    published_recalls(request.published or (), study.labels)
    clips = data_hash(read_manifest(study.manifest))
    verdicts: Verdicts = known_verdicts(bundle, request.verdicts, clips) if request.badges and bundle is not None else {}
    family = None if request.benchmark is None else read_benchmark(request.benchmark)
    if request.clip is not None and request.clip not in set(study.collections[study.main].predictions["clip_id"]):
        raise InputError(f"{study.manifest} has no clip {request.clip!r}; its first is {study.clips['clip_id'].iloc[0]!r}")
    if request.clips is not None:
        pick_clips(study, request.clips)
    makers: dict[str, Callable[[], Sheet]] = {
        "ifdd_fig2_maps": lambda: maps_sheet(study, column, request.method, verdicts, request.clips),
        "ifdd_fig2_tsne": lambda: embedding_sheet(study, column, request.seed),
        "ifdd_fig3_variants": lambda: variants_sheet(study, column, request.clip),
        "ifdd_fig4_radar": lambda: radar_sheet(study, column, request.published),
        "ifdd_fig5_confidence": lambda: confidence_sheet(study, column),
        "ous_fig4_stages": lambda: stages_sheet(study, column, request.seed),
        "ous_fig5_confusion": lambda: confusion_sheet(study, column),
    }
    if family is not None:
        makers[TABLE] = lambda: VariantTable(family)
    sheets: dict[str, Sheet] = {}
    left_out: dict[str, str] = {}
    if request.only is not None:
        if TABLE in request.only and family is None:
            left_out[TABLE] = "it is drawn of what workbench benchmark measured; give --benchmark"
        makers = {stem: make for stem, make in makers.items() if stem in request.only}
    for stem, make in tqdm(sorted(makers.items()), desc="figures", unit="figure", disable=None):
        try:
            sheets[stem] = make()
        except InputError as error:
            left_out[stem] = str(error)
    if not sheets:
        raise InputError(f"no figure can be drawn: {next(iter(left_out.values()))}")
    return DrawnFigures(sheets, left_out)


def check_names(only: Sequence[str] | None) -> None:
    """Refuse figures that are unknown, before minutes are spent. Raises: InputError."""
    if unknown := [name for name in only or () if name not in FIGURES]:
        raise InputError(f"figure {shown(unknown[0])} is unknown{near(unknown[0], FIGURES)}; choose from {', '.join(FIGURES)}")


def check_room(out: Path, formats: Sequence[str]) -> None:
    """Refuse formats that are unknown, and a folder that holds figures already, before minutes are spent.

    Raises: InputError.
    """
    if unknown := [name for name in formats if name not in FORMATS]:
        raise InputError(f"format {unknown[0]!r} is unknown; choose from {', '.join(FORMATS)}")
    check_folder(out)
    if (out / CAPTIONS).exists():
        raise InputError(f"{out} holds figures already; choose another --out or remove it")


def write(drawn: DrawnFigures, out: Path, context: Context = PYTHON_CALL, *, formats: Sequence[str] = FORMATS) -> list[Path]:
    """Write all figures, the numbers of each as CSV, and captions.md into `out`; nothing appears before all are whole.

    Returns the files; maps alone have no numbers but pixels.

    Raises: InputError as `check_room`.
    """
    check_room(out, formats)
    with filled_folder(out, last=CAPTIONS) as work:  # the captions last: they say that all is there
        for stem, sheet in tqdm(drawn.sheets.items(), desc="write", unit="figure", disable=None):
            for suffix in formats:
                sheet.save(work / f"{stem}.{suffix}", dpi=DPI, context=context)
            if len(numbers := sheet.numbers()):
                write_text(work / f"{stem}{NUMBERS}", csv_text(numbers))
        write_text(work / CAPTIONS, captions(drawn))
        names = sorted((file.name for file in work.iterdir()), key=lambda name: name == CAPTIONS)
    return [out / name for name in names]


def captions(drawn: DrawnFigures) -> str:
    """The captions in Markdown, and what was left out and why."""
    lines = ["# Figures", ""]
    for number, (stem, sheet) in enumerate(drawn.sheets.items(), 1):
        lines += [f"**{number}. {stem}** (after {sheet.paper}). {markdown_line(sheet.caption)}", ""]
    if drawn.left_out:
        lines += ["## Left out", "", *(f"- {stem}: {markdown_line(reason)}" for stem, reason in drawn.left_out.items()), ""]
    return "\n".join(lines)

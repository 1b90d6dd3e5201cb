"""The commands `workbench figures`, `report` and `passport`."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

figures_app = typer.Typer()

Runs = Annotated[
    list[str] | None, typer.Option("--runs", help="Checkpoint, or run folder; several: give it again, or name them after it.")
]
More = Annotated[list[str] | None, typer.Argument(metavar="[RUN...]", help="Checkpoints or run folders, as --runs.")]
Data = Annotated[Path | None, typer.Option(help="List of clips, or its folder; by default the demo's.")]
Collections = Annotated[
    Path | None, typer.Option(help="Folder of collections named as the checkpoints; by default made, or the demo's used.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Benchmark = Annotated[Path | None, typer.Option(help="benchmark.json of workbench benchmark, for the table of variants.")]
Verdicts = Annotated[Path | None, typer.Option(help="Of workbench faithfulness; default: beside the card.")]
Badges = Annotated[bool, typer.Option(help="Draw these verdicts on the maps.")]
Seed = Annotated[int, typer.Option(help="Of t-SNE and of random draws.")]


@figures_app.command()
def figures(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="Folder for the figures, captions.md, and collections that are made.")],
    more: More = None,
    runs: Runs = None,
    data: Data = None,
    collections: Collections = None,
    column: Annotated[Literal["single", "double"], typer.Option(help="Width: 89 or 183 mm.")] = "double",
    formats: Annotated[str, typer.Option(help="With commas between.")] = "png,svg,pdf",
    published: Annotated[
        str | None, typer.Option(help="Rows of papers for the radar, with commas; by default three, and those on DFEW alone.")
    ] = None,
    clip: Annotated[str | None, typer.Option(help="Clip of the schematic; by default the first that is not neutral.")] = None,
    clips: Annotated[
        str | None,
        typer.Option(help="Clips of the maps, with commas, a row each; by default one of each class that is read correctly."),
    ] = None,
    method: Annotated[str, typer.Option(help="Of the maps, as workbench saliency.")] = "gradcam",
    verdicts: Verdicts = None,
    badges: Badges = True,
    benchmark: Benchmark = None,
    device: Device = "auto",
    seed: Seed = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print files, captions and what was left out.")] = False,
) -> None:
    """Rebuild the figures of the IFDD and OUS papers from checkpoints, each with caption and passport.

    Example: workbench figures --runs scripted-tiny-baseline scripted-tiny-ifdd --data demo/clips --out figures
    """
    from ifdd.device import choose_device
    from ifdd.io import claim
    from workbench.benchmark.stored import read_benchmark
    from workbench.figures.make import Wish, check_room, make_figures, write_figures
    from workbench.figures.study import open_study
    from workbench.results.passport import command_line

    kinds, rows = _names(formats), None if published is None else tuple(_names(published))
    check_room(out, kinds)
    ctx.with_resource(claim(out))
    if benchmark is not None:
        read_benchmark(benchmark)  # before minutes are spent
    study = open_study([*(runs or []), *(more or [])], data, out, collections, choose_device(device))
    chosen = None if clips is None else tuple(_names(clips))
    made = make_figures(study, Wish(column, rows, clip, chosen, method, verdicts, badges, benchmark, seed))
    files = write_figures(made, out, kinds, study.context(command_line()))
    for stem, reason in made.left_out.items():
        typer.echo(f"warning: {stem} left out: {reason}", err=True)
    if as_json:
        told = {stem: sheet.caption for stem, sheet in made.sheets.items()}
        typer.echo(json.dumps({"files": [str(file) for file in files], "captions": told, "left_out": made.left_out}))
    else:
        typer.echo(f"{out}: {len(made.sheets)} figures as {', '.join(kinds)}")


@figures_app.command()
def report(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="File to make, .html.")],
    more: More = None,
    runs: Runs = None,
    data: Data = None,
    collections: Collections = None,
    scorecard: Annotated[Path | None, typer.Option(help="scorecard.json of workbench scorecard.")] = None,
    benchmark: Benchmark = None,
    verdicts: Verdicts = None,
    badges: Badges = True,
    device: Device = "auto",
    seed: Seed = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the file and what was left out.")] = False,
) -> None:
    """Put every table and interactive plot of some checkpoints into one HTML file that needs no network.

    Collections that are made are kept beside it, in a folder of the page's name.
    Example: workbench report --runs scripted-tiny-baseline scripted-tiny-ifdd --data demo/clips --out report.html
    """
    from ifdd.device import choose_device
    from ifdd.io import claim
    from workbench.figures.study import open_study
    from workbench.report.make import check_out, given_sections, write_report
    from workbench.results.passport import command_line

    check_out(out)
    ctx.with_resource(claim(out))
    given = given_sections(scorecard, benchmark)  # before minutes are spent
    study = open_study([*(runs or []), *(more or [])], data, out.with_suffix(""), collections, choose_device(device))
    context = study.context(command_line())
    left_out = write_report(study, out, given=given, seed=seed, verdicts=verdicts, badges=badges, context=context)
    for name, reason in left_out.items():
        typer.echo(f"warning: {name} left out: {reason}", err=True)
    size = out.stat().st_size / 2**20
    typer.echo(json.dumps({"file": str(out), "left_out": left_out}) if as_json else f"{out}: {size:.1f} MB, needs no network")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


@figures_app.command()
def passport(
    file: Annotated[Path, typer.Argument(help="PNG, SVG, PDF or HTML that workbench saved.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
) -> None:
    """Print what a figure or a report was made from: runs, clips, normalisation, command, versions.

    Example: workbench passport figures/ous_fig5_confusion.pdf
    """
    from workbench.results.passport_files import read_passport

    found = read_passport(file)
    typer.echo(json.dumps(found.to_dict(), sort_keys=True) if as_json else "\n".join(found.lines()))

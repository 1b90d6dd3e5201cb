"""The command `workbench figures`."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from workbench.options import DataOption, DatasetOption, Device, ResultsOption, WorkspaceOption, names_in

figures_app = typer.Typer()

Runs = Annotated[
    list[str] | None, typer.Option("--runs", help="Checkpoint, or run folder; several: give it again, or name them after it.")
]
More = Annotated[list[str] | None, typer.Argument(metavar="[RUN...]", help="Checkpoints or run folders, as --runs.")]
Collections = Annotated[
    Path | None,
    typer.Option(help="Folder of collections named as the checkpoints; by default the workspace's, made where they are missing."),
]
Benchmark = Annotated[Path | None, typer.Option(help="benchmark.json of workbench benchmark, for the table of variants.")]
Verdicts = Annotated[Path | None, typer.Option(help="Of workbench faithfulness; default: beside the card.")]
Badges = Annotated[bool, typer.Option(help="Draw these verdicts on the maps.")]
Seed = Annotated[int, typer.Option(help="Of t-SNE and of random draws.")]


@figures_app.command()
def figures(
    ctx: typer.Context,
    more: More = None,
    out: ResultsOption = None,
    runs: Runs = None,
    data: DataOption = None,
    workspace: WorkspaceOption = None,
    dataset: DatasetOption = None,
    collections: Collections = None,
    column: Annotated[Literal["single", "double"], typer.Option(help="Width: 89 or 183 mm.")] = "double",
    only: Annotated[str | None, typer.Option(help="Figures to draw, with commas, e.g. ifdd_fig4_radar; default: all.")] = None,
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
    """Rebuild the figures of the IFDD and OUS papers from checkpoints, each with caption, passport, and its numbers as CSV.

    Collections that are made are kept in the workspace; of clips given with --data under --out.
    Example: workbench figures --runs scripted-tiny-baseline scripted-tiny-ifdd --data demo/datasets/demo --out figures
    """
    from ifdd.device import choose_device
    from ifdd.io import claim
    from workbench.benchmark.stored import read_benchmark
    from workbench.figures.study import open_study
    from workbench.figures.task import Request, check_names, check_room, run, write
    from workbench.results.passport import command_line
    from workbench.store.given import Given

    given = Given(workspace, dataset)
    out = given.out(out, "figures")
    kinds, rows = names_in(formats), None if published is None else tuple(names_in(published))
    wanted = None if only is None else tuple(names_in(only))
    check_names(wanted)
    check_room(out, kinds)
    ctx.with_resource(claim(out))
    if benchmark is not None:
        read_benchmark(benchmark)  # before minutes are spent
    study = open_study([*(runs or []), *(more or [])], data, out, collections, choose_device(device), given)
    chosen = None if clips is None else tuple(names_in(clips))
    drawn = run(study, Request(column, rows, clip, chosen, method, verdicts, badges, benchmark, seed, wanted))
    files = write(drawn, out, study.context(command_line()), formats=kinds)
    for stem, reason in drawn.left_out.items():
        typer.echo(f"warning: {stem} left out: {reason}", err=True)
    if as_json:
        told = {stem: sheet.caption for stem, sheet in drawn.sheets.items()}
        typer.echo(json.dumps({"files": [str(file) for file in files], "captions": told, "left_out": drawn.left_out}))
    else:
        typer.echo(f"{out}: {len(drawn.sheets)} figures as {', '.join(kinds)}")

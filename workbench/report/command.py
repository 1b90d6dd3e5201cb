"""The command `workbench report`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from workbench.figures.command import Badges, Benchmark, Collections, More, Runs, Seed, Verdicts
from workbench.options import DataOption, DatasetOption, Device, PublishedOption, WorkspaceOption, names_if_given

report_app = typer.Typer()


@report_app.command()
def report(
    ctx: typer.Context,
    more: More = None,
    out: Annotated[
        Path | None,
        typer.Option(help="File to make, .html; default: results/report-<n>/report.html of the workspace.", show_default=False),
    ] = None,
    runs: Runs = None,
    data: DataOption = None,
    workspace: WorkspaceOption = None,
    dataset: DatasetOption = None,
    collections: Collections = None,
    scorecard: Annotated[Path | None, typer.Option(help="scorecard.json of workbench scorecard.")] = None,
    benchmark: Benchmark = None,
    scenes: Annotated[Path | None, typer.Option(help="scenes.json of workbench scenes, for UAR against ρ.")] = None,
    verdicts: Verdicts = None,
    badges: Badges = True,
    published: PublishedOption = None,
    device: Device = "auto",
    seed: Seed = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the file and what was left out.")] = False,
) -> None:
    """Put every table and interactive plot of some checkpoints into one HTML file that needs no network.

    Collections that are made are kept in the workspace; of clips given with --data beside the page, in a folder of its name.
    Example: workbench report --runs scripted-tiny-baseline scripted-tiny-ifdd --data demo/datasets/demo --out report.html
    """
    from ifdd.device import choose_device
    from ifdd.io import claim
    from workbench.analysis.performance import published_rows
    from workbench.figures.study import open_study
    from workbench.report.parts import Options
    from workbench.report.task import check_out, given_sections, run, write
    from workbench.results.passport import command_line
    from workbench.store.given import Given

    given = Given(workspace, dataset)
    out = given.out(out, "report", "report.html")
    check_out(out)
    ctx.with_resource(claim(out))
    before = given_sections(scorecard, benchmark, scenes)  # before minutes are spent
    study = open_study([*(runs or []), *(more or [])], data, out.with_suffix(""), collections, choose_device(device), given)
    papers = tuple(names_if_given(published) or ())
    published_rows(papers, study.labels)  # before minutes are spent
    made = run(study, given=before, options=Options(seed, verdicts, badges, papers))
    write(made, out, study.context(command_line()))
    for name, reason in made.left_out.items():
        typer.echo(f"warning: {name} left out: {reason}", err=True)
    size = out.stat().st_size / 2**20
    about = {"file": str(out), "left_out": made.left_out}
    typer.echo(json.dumps(about) if as_json else f"{out}: {size:.1f} MB, needs no network")

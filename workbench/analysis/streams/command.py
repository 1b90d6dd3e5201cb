"""The command `workbench streams`."""

from typing import Annotated

import typer

from workbench.analysis import CLIPS, DONORS
from workbench.options import (
    DataOption,
    DatasetOption,
    Device,
    Json,
    ResultsOption,
    WorkspaceOption,
    load_bundle,
    say,
    tell_where,
)
from workbench.results.written import written

app = typer.Typer()


@app.command()
def streams(
    ctx: typer.Context,
    checkpoints: Annotated[list[str], typer.Argument(metavar="CHECKPOINT...", help="Names or folders.", show_default=False)],
    out: ResultsOption = None,
    workspace: WorkspaceOption = None,
    dataset: DatasetOption = None,
    data: DataOption = None,
    clip: Annotated[list[str] | None, typer.Option(help="Id of a clip; give it again for more.")] = None,
    clips: Annotated[int, typer.Option(min=2, help="How many clips, if none is named.")] = CLIPS,
    donors: Annotated[int, typer.Option(min=1, max=64, help="Clips of other people for each.")] = DONORS,
    batch: Annotated[int, typer.Option(min=1, help="Clips in one pass of the model.")] = 8,
    device: Device = "auto",
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the donors.")] = 0,
    as_json: Json = False,
) -> None:
    """What does each of two inputs do? Face and scene exchanged between clips: shares of the logit, changed answers, roll-out.

    Models of one input are left out.

    Example: workbench streams scenes-ous-r90-0 scenes-late-r90-0 --data clips/
    """
    from ifdd.io import check_new, claim
    from workbench.analysis.streams.displays import markdown
    from workbench.analysis.streams.task import Options, left_out, of_two_inputs, report_text, run, write
    from workbench.results.passport import Context, command_line
    from workbench.store.given import Given

    given, asked = Given(workspace, dataset), out
    out = given.out(out, "streams")
    check_new(out)
    ctx.with_resource(claim(out))
    manifest = given.data(data).manifest
    named = [load_bundle(given.checkpoint(name), device) for name in checkpoints]
    bundles = of_two_inputs(named)
    if line := left_out([bundle.name for bundle in named], [bundle.name for bundle in bundles]):
        say(line)
    found = run(bundles, manifest, Options(clip, clips, donors, batch, seed))
    told = next(iter(found.values())).data_hash
    write(found, out, Context.of(command_line(), bundles=bundles).with_data(manifest, told))
    if as_json:
        typer.echo(report_text(found), nl=False)
        tell_where(out, asked)
        return
    typer.echo(f"{markdown(found)}\n{written(out)}")

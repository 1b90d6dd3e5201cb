"""The command `workbench splits`: what the splits of checkpoints do, compared."""

from typing import Annotated

import typer

from workbench.options import (
    DataOption,
    DatasetOption,
    Device,
    ResultsOption,
    WorkspaceOption,
    load_bundles,
    tell_where,
)
from workbench.results.written import written

app = typer.Typer()


@app.command()
def splits(
    ctx: typer.Context,
    checkpoints: Annotated[list[str], typer.Argument(help="Names or folders of checkpoints with a split.", show_default=False)],
    data: DataOption = None,
    out: ResultsOption = None,
    workspace: WorkspaceOption = None,
    dataset: DatasetOption = None,
    clips: Annotated[int, typer.Option(min=2, help="Clips to measure, of each class alike; many, as each is read once.")] = 210,
    clip: Annotated[str | None, typer.Option(help="Clip of the schematic; by default the first that is not neutral.")] = None,
    device: Device = "auto",
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of bootstrap and shuffles.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print splits.json.")] = False,
) -> None:
    """Measure what splits do: places, occupancy by class, awareness, content R², stability, agreement with motion.

    Example: workbench splits scripted-tiny-ifdd --data demo/datasets/demo --out runs/splits
    """
    from ifdd.io import check_folder, claim
    from workbench.analysis.splits.displays.summary import markdown
    from workbench.analysis.splits.task import run, write
    from workbench.results.passport import Context, command_line
    from workbench.store.given import Given

    given, asked = Given(workspace, dataset), out
    out = given.out(out, "splits")
    check_folder(out)
    ctx.with_resource(claim(out))
    manifest = given.data(data).manifest
    bundles = load_bundles([given.checkpoint(name) for name in checkpoints], device)
    found = run(bundles, manifest, clips=clips, clip=clip, seed=seed)
    write(found, out, Context.of(command_line(), bundles=bundles).with_data(manifest, found.data_hash))
    typer.echo(found.to_json() if as_json else f"{markdown(found.summaries)}\n{written(out)}")
    if as_json:
        tell_where(out, asked)

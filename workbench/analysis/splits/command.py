"""The command `workbench splits`: what the splits of checkpoints do, compared."""

from pathlib import Path
from typing import Annotated

import typer

from workbench.options import Device, load_bundles
from workbench.results.written import written

app = typer.Typer()


@app.command()
def splits(
    ctx: typer.Context,
    checkpoints: Annotated[list[str], typer.Argument(help="Names or folders of checkpoints with a split.", show_default=False)],
    data: Annotated[Path, typer.Option(help="List of clips, or its folder.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Folder for splits.md, splits.json and pictures.", show_default=False)],
    clips: Annotated[int, typer.Option(min=2, help="Clips to measure, of each class alike.")] = 210,
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

    check_folder(out)
    ctx.with_resource(claim(out))
    bundles = load_bundles(checkpoints, device)
    found = run(bundles, data, clips=clips, clip=clip, seed=seed)
    write(found, out, Context.of(command_line(), bundles=bundles).with_data(data, found.data_hash))
    typer.echo(found.to_json() if as_json else f"{markdown(found.summaries)}\n{written(out)}")

"""`workbench scenes`: trained variants over ρ, the correlation of scene and emotion."""

from pathlib import Path
from typing import Annotated

import typer

from workbench.options import Device, ResultsOption, WorkspaceOption, load_bundle, names_in
from workbench.results.written import written

scenes_app = typer.Typer(rich_markup_mode=None)


@scenes_app.command()
def scenes(
    ctx: typer.Context,
    checkpoints: Annotated[list[str], typer.Argument(metavar="CHECKPOINT...", help="Names or folders.", show_default=False)],
    out: ResultsOption = None,
    workspace: WorkspaceOption = None,
    rhos: Annotated[str, typer.Option(help="Correlations in the test, from -1 to 1, with commas.")] = "-0.9,-0.5,0,0.5,0.9",
    suite: Annotated[str, typer.Option(help="Whose faces and scenes.")] = "standard-v2",
    clips: Annotated[int, typer.Option(min=14, help="Test clips.")] = 560,
    identities: Annotated[int, typer.Option(min=7, help="People in them.")] = 140,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the clips.")] = 11,
    cache: Annotated[Path, typer.Option(help="Where rendered clips, and what was read from them, are kept.")] = Path("cache"),
    device: Device = "auto",
) -> None:
    """Is the scene noise or signal? Score variants on the same faces, in scenes that go with the emotion and against it.

    Checkpoints whose names differ in their seed at the end (…-0, …-1) are one variant.
    Example: workbench scenes runs/scenes/checkpoints/* --out runs/scenes/report
    """
    from ifdd.io import check_folder, claim
    from workbench.benchmark.scenes.results import markdown
    from workbench.benchmark.scenes.task import measure_scenes, write
    from workbench.results.passport import Context, command_line
    from workbench.store.given import Given

    given = Given(workspace)
    asked = [_number(name) for name in names_in(rhos)]
    out = given.out(out, "scenes")
    check_folder(out)
    ctx.with_resource(claim(out))
    bundles = [load_bundle(given.checkpoint(name), device) for name in checkpoints]
    found = measure_scenes(bundles, rhos=asked, suite=suite, clips=clips, identities=identities, seed=seed, cache=cache)
    context = Context.of(command_line(), bundles=bundles)
    for rho, told in zip(found.rhos, found.hashes, strict=True):
        context = context.with_data(f"suite {suite}, rho {rho:g}", told)
    write(found, out, context)
    typer.echo(f"{markdown(found)}\n{written(out)}")


def _number(text: str) -> float:
    from ifdd.errors import InputError

    try:
        return float(text)
    except ValueError:
        raise InputError(f"--rhos: {text!r} is no number; give e.g. --rhos=-0.9,0,0.9") from None

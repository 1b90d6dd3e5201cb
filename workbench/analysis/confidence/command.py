"""The command `workbench calibrate`."""

from pathlib import Path
from typing import Annotated

import typer

from workbench.options import Json, NewFolder
from workbench.results.written import written

app = typer.Typer()


@app.command()
def calibrate(
    ctx: typer.Context,
    collection: Annotated[Path, typer.Argument(help="Made by workbench collect.", show_default=False)],
    out: NewFolder,
    validation: Annotated[
        Path | None, typer.Option(help="Collection of other clips by the same checkpoint, to fit a temperature on.")
    ] = None,
    bins: Annotated[
        int | None, typer.Option(min=1, help="Of confidence; default: 15, with few clips so many that each holds about 20.")
    ] = None,
    binning: Annotated[
        str | None, typer.Option(help="mass or width: what the bins have in common; default: by the number of clips.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the bootstrap.")] = 0,
    as_json: Json = False,
) -> None:
    """Measure whether a model is right as often as it is sure; with validation clips, mend it by a temperature.

    Where the manifest has columns votes_<class>, the annotators' disagreement is compared with the model's.
    Example: workbench calibrate runs/test --validation runs/validation --out runs/calibration
    """
    from ifdd.io import check_new, claim
    from workbench.analysis.confidence.results import CalibrationOptions
    from workbench.analysis.confidence.task import run, write
    from workbench.results.passport import Context, command_line
    from workbench.store.collection import open_collection

    check_new(out)
    ctx.with_resource(claim(out))
    other = None if validation is None else open_collection(validation)
    test = open_collection(collection)
    found = run(test, other, CalibrationOptions(bins, binning, seed))  # type: ignore[arg-type]  # checked there
    write(found, out, Context.of(command_line(), collections=[test] if other is None else [other, test]))
    if as_json:
        typer.echo((out / "calibration.json").read_text(encoding="utf-8").rstrip())
    else:
        typer.echo(f"{(out / 'calibration.md').read_text(encoding='utf-8')}\n{written(out)}")

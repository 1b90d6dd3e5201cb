"""The command `workbench calibrate`."""

from pathlib import Path
from typing import Annotated

import typer

from ifdd.errors import InputError
from workbench.options import DatasetOption, Json, ResultsOption, WhereOption, WorkspaceOption, tell_where
from workbench.results.written import written

app = typer.Typer()


@app.command()
def calibrate(
    ctx: typer.Context,
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL", help="Checkpoint that has read the dataset, by name, or folder of a collection.", show_default=False
        ),
    ],
    out: ResultsOption = None,
    validation: Annotated[
        Path | None,
        typer.Option(
            help="Other clips to fit a temperature on: a dataset that the checkpoint has read, or folder of a collection."
        ),
    ] = None,
    workspace: WorkspaceOption = None,
    dataset: DatasetOption = None,
    bins: Annotated[
        int | None, typer.Option(min=1, help="Of confidence; default: 15, with few clips so many that each holds about 20.")
    ] = None,
    binning: Annotated[
        str | None, typer.Option(help="mass or width: what the bins have in common; default: by the number of clips.")
    ] = None,
    where: WhereOption = None,
    fit_where: Annotated[
        list[str] | None,
        typer.Option(
            "--fit-where",
            help="Fit a temperature on these clips of the dataset, as --where, and judge it on the others.",
            show_default=False,
        ),
    ] = None,
    half: Annotated[
        bool, typer.Option("--halves", help="Fit a temperature on the clips of half of the persons, and judge it on the others.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the bootstrap.")] = 0,
    as_json: Json = False,
) -> None:
    """Measure whether a model is right as often as it is sure; with validation clips, mend it by a temperature.

    Where the manifest has columns votes_<class>, the annotators' disagreement is compared with the model's.
    Example: workbench calibrate scripted-tiny-ifdd --dataset test --validation val
    """
    from ifdd.io import check_new, claim
    from workbench.analysis.confidence.results import CalibrationOptions
    from workbench.analysis.confidence.task import halves, run, write
    from workbench.app.measured import clips_where
    from workbench.results.passport import Context, command_line
    from workbench.store.given import Given

    if (validation is not None) + bool(fit_where) + half > 1:
        raise InputError("a temperature is fitted on one set of clips; give one of --validation, --fit-where and --halves")
    given, asked = Given(workspace, dataset), out
    out = given.out(out, "calibrate")
    check_new(out)
    ctx.with_resource(claim(out))
    other = None if validation is None else given.further(validation, model)
    test = given.collection(model)
    named = {model: test}
    clips = clips_where(where, named, given.place.results)
    fit = halves(test, clips, seed) if half else clips_where(fit_where, named, given.place.results)
    found = run(test, other, CalibrationOptions(bins, binning, seed), clips, fit)  # type: ignore[arg-type]  # checked there
    write(found, out, Context.of(command_line(), collections=[test] if other is None else [other, test]))
    if as_json:
        typer.echo((out / "calibration.json").read_text(encoding="utf-8").rstrip())
        tell_where(out, asked)
    else:
        typer.echo(f"{(out / 'calibration.md').read_text(encoding='utf-8')}\n{written(out)}")

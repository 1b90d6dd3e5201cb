"""The commands `workbench compare` and `workbench calibrate`."""

from pathlib import Path
from typing import Annotated

import typer

from workbench.options import Json, NewFolder, names_if_given
from workbench.results.written import written

compare_app = typer.Typer()


@compare_app.command()
def compare(
    ctx: typer.Context,
    collections: Annotated[
        list[Path], typer.Argument(metavar="COLLECTION...", help="Two or more, of the same clips.", show_default=False)
    ],
    out: NewFolder,
    reference: Annotated[str | None, typer.Option(help="Compare with this model only; by default all pairs.")] = None,
    slices: Annotated[str | None, typer.Option(help="Columns to slice by, with commas; by default all factors.")] = None,
    bins: Annotated[int, typer.Option(min=2, help="Bins of numbers, of about equal counts.")] = 4,
    min_n: Annotated[int, typer.Option("--min-n", min=2, help="Clips that a slice needs in the search for bad ones.")] = 20,
    draws: Annotated[int, typer.Option(min=100, help="Of the bootstrap and of the exchange tests.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of all draws.")] = 0,
    as_json: Json = False,
) -> None:
    """Compare models on the same clips: differences with intervals and tests, flips, recalls, slices.

    Persons are drawn as a whole where the manifest names them.
    Example: workbench compare runs/baseline runs/ifdd --out runs/comparison
    """
    from ifdd.io import check_new, claim
    from workbench.analysis.comparison.files import write_comparison
    from workbench.analysis.comparison.task import compare_collections, slice_collections
    from workbench.results.passport import Context, command_line
    from workbench.store.collection import open_collection

    check_new(out)
    ctx.with_resource(claim(out))
    opened = [open_collection(folder) for folder in collections]
    result, clips = compare_collections(opened, reference=reference, n_boot=draws, seed=seed)
    found, searches, left_out = slice_collections(clips, names_if_given(slices), bins=bins, seed=seed, min_n=min_n)
    context = Context.of(command_line(), collections=opened)
    text, page = write_comparison(result, clips, found, searches, left_out, out, context)
    typer.echo(text.rstrip() if as_json else f"{page}\n{written(out)}")


@compare_app.command()
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
    from workbench.analysis.comparison.files import write_calibration
    from workbench.results.passport import Context, command_line
    from workbench.store.collection import open_collection

    check_new(out)
    ctx.with_resource(claim(out))
    other = None if validation is None else open_collection(validation)
    test = open_collection(collection)
    context = Context.of(command_line(), collections=[test] if other is None else [other, test])
    text, page = write_calibration(test, other, out, bins, seed, binning, context)  # type: ignore[arg-type]  # checked there
    typer.echo(text.rstrip() if as_json else f"{page}\n{written(out)}")

"""The command `workbench compare`."""

from typing import Annotated

import typer

from ifdd.errors import InputError
from workbench.options import (
    CollectionsArgument,
    DatasetOption,
    Json,
    PublishedOption,
    ResultsOption,
    WhereOption,
    WorkspaceOption,
    names_if_given,
    tell_where,
)
from workbench.results.written import written

app = typer.Typer()


@app.command()
def compare(
    ctx: typer.Context,
    models: CollectionsArgument,
    out: ResultsOption = None,
    workspace: WorkspaceOption = None,
    dataset: DatasetOption = None,
    reference: Annotated[str | None, typer.Option(help="Compare with this model only; by default all pairs.")] = None,
    slices: Annotated[str | None, typer.Option(help="Columns to slice by, with commas; by default all factors.")] = None,
    bins: Annotated[int, typer.Option(min=2, help="Bins of numbers, of about equal counts.")] = 4,
    min_n: Annotated[int, typer.Option("--min-n", min=2, help="Clips that a slice needs in the search for bad ones.")] = 20,
    published: PublishedOption = None,
    draws: Annotated[int, typer.Option(min=100, help="Of the bootstrap and of the exchange tests.")] = 2000,
    where: WhereOption = None,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of all draws.")] = 0,
    as_json: Json = False,
) -> None:
    """Compare models on the same clips: differences with intervals and tests, flips, recalls, slices.

    Persons are drawn as a whole where the manifest names them. Rows of papers are of another protocol, and in no test.
    Example: workbench compare scripted-tiny-baseline scripted-tiny-ifdd --dataset clips
    """
    from ifdd.io import check_new, claim
    from workbench.analysis.comparison.task import Options, run, write
    from workbench.app.measured import clips_where
    from workbench.results.passport import Context, command_line
    from workbench.store.given import Given

    if len(models) < 2:
        raise InputError(
            f"{models[0]} alone is given; a comparison needs two models or more on the same clips "
            "(workbench report shows one, with rows of papers beside it: --published)"
        )
    given, asked = Given(workspace, dataset), out
    out = given.out(out, "compare")
    check_new(out)
    ctx.with_resource(claim(out))
    opened = [given.collection(name) for name in models]
    papers = tuple(names_if_given(published) or ())
    clips = clips_where(where, dict(zip(models, opened, strict=True)), given.place.results)
    found = run(opened, Options(reference, names_if_given(slices), bins, min_n, draws, seed, papers), clips)
    write(found, out, Context.of(command_line(), collections=opened))
    if as_json:
        typer.echo((out / "comparison.json").read_text(encoding="utf-8").rstrip())
        tell_where(out, asked)
    else:
        typer.echo(f"{(out / 'comparison.md').read_text(encoding='utf-8')}\n{written(out)}")

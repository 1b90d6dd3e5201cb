"""The command `workbench score`."""

import typer

from workbench.options import CollectionsArgument, DatasetOption, Json, ResultsOption, WhereOption, WorkspaceOption, tell_where
from workbench.results.written import written

app = typer.Typer()


@app.command()
def score(
    ctx: typer.Context,
    models: CollectionsArgument,
    out: ResultsOption = None,
    workspace: WorkspaceOption = None,
    dataset: DatasetOption = None,
    where: WhereOption = None,
    as_json: Json = False,
) -> None:
    """How good models are on clips that they have read: WAR, UAR and recalls with intervals, confusion.

    Example: workbench score scripted-tiny-baseline scripted-tiny-ifdd --dataset clips
    """
    from ifdd.io import check_new, claim
    from workbench.analysis.performance.task import run, write
    from workbench.app.measured import clips_where
    from workbench.results.passport import Context, command_line
    from workbench.store.given import Given

    given, asked = Given(workspace, dataset), out
    out = given.out(out, "score")
    check_new(out)
    ctx.with_resource(claim(out))
    opened = {name: given.collection(name) for name in models}
    found = run(opened, clips_where(where, opened, given.place.results))
    write(found, out, Context.of(command_line(), collections=list(opened.values())))
    if as_json:
        typer.echo((out / "scores.json").read_text(encoding="utf-8").rstrip())
        tell_where(out, asked)
    else:
        typer.echo(f"{(out / 'scores.md').read_text(encoding='utf-8')}\n{written(out)}")

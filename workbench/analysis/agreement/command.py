"""The command `workbench agreement`."""

import typer

from workbench.options import CollectionsArgument, DatasetOption, Json, ResultsOption, WhereOption, WorkspaceOption, tell_where
from workbench.results.written import written

app = typer.Typer()


@app.command()
def agreement(
    ctx: typer.Context,
    models: CollectionsArgument,
    out: ResultsOption = None,
    workspace: WorkspaceOption = None,
    dataset: DatasetOption = None,
    where: WhereOption = None,
    as_json: Json = False,
) -> None:
    """How far models agree on the same clips: share called alike, Cohen's kappa, where they differ. Needs no labels.

    Intervals are over persons where the manifest names them.
    Example: workbench agreement scripted-tiny-baseline scripted-tiny-ifdd --dataset clips
    """
    from ifdd.io import check_new, claim
    from workbench.analysis.agreement.task import run, write
    from workbench.app.measured import clips_where
    from workbench.results.passport import Context, command_line
    from workbench.store.given import Given

    given, asked = Given(workspace, dataset), out
    out = given.out(out, "agreement")
    check_new(out)
    ctx.with_resource(claim(out))
    opened = [given.collection(name) for name in models]
    clips = clips_where(where, dict(zip(models, opened, strict=True)), given.place.results)
    write(run(opened, clips), out, Context.of(command_line(), collections=opened))
    if as_json:
        typer.echo((out / "agreement.json").read_text(encoding="utf-8").rstrip())
        tell_where(out, asked)
    else:
        typer.echo(f"{(out / 'agreement.md').read_text(encoding='utf-8')}\n{written(out)}")

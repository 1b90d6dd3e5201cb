"""The command `workbench training`."""

from pathlib import Path
from typing import Annotated

import typer

from workbench.options import Json, ResultsOption, WorkspaceOption, tell_where
from workbench.results.written import written

app = typer.Typer()


@app.command()
def training(
    ctx: typer.Context,
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="Folders of ifdd train, finished or not, or folders above.", show_default=False),
    ],
    out: ResultsOption = None,
    workspace: WorkspaceOption = None,
    as_json: Json = False,
) -> None:
    """Show how trainings went: curves by epoch, the epoch that is kept, and in what their recipes differ.

    Runs that go on are read as far as they are.
    Example: workbench training runs
    """
    from ifdd.io import check_new, claim
    from workbench.analysis.training.task import run, write
    from workbench.results.passport import Context, command_line
    from workbench.store.given import Given

    found, asked = run(runs), out
    out = Given(workspace).out(out, "training")
    check_new(out)
    ctx.with_resource(claim(out))
    write(found, out, Context(command_line()))
    if as_json:
        typer.echo((out / "training.json").read_text(encoding="utf-8").rstrip())
        tell_where(out, asked)
    else:
        typer.echo(f"{(out / 'training.md').read_text(encoding='utf-8')}\n{written(out)}")

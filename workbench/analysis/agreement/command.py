"""The command `workbench agreement`."""

from pathlib import Path
from typing import Annotated

import typer

from workbench.options import Json, NewFolder
from workbench.results.written import written

app = typer.Typer()


@app.command()
def agreement(
    ctx: typer.Context,
    collections: Annotated[
        list[Path], typer.Argument(metavar="COLLECTION...", help="Two or more, of the same clips.", show_default=False)
    ],
    out: NewFolder,
    as_json: Json = False,
) -> None:
    """How far models agree on the same clips: share called alike, Cohen's kappa, where they differ. Needs no labels.

    Intervals are over persons where the manifest names them.
    Example: workbench agreement runs/baseline runs/ifdd --out runs/agreement
    """
    from ifdd.io import check_new, claim
    from workbench.analysis.agreement.task import run, write
    from workbench.results.passport import Context, command_line
    from workbench.store.collection import open_collection

    check_new(out)
    ctx.with_resource(claim(out))
    opened = [open_collection(folder) for folder in collections]
    write(run(opened), out, Context.of(command_line(), collections=opened))
    if as_json:
        typer.echo((out / "agreement.json").read_text(encoding="utf-8").rstrip())
    else:
        typer.echo(f"{(out / 'agreement.md').read_text(encoding='utf-8')}\n{written(out)}")

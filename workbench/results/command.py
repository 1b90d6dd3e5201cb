"""The command `workbench passport`."""

import json
from pathlib import Path
from typing import Annotated

import typer

passport_app = typer.Typer()


@passport_app.command()
def passport(
    file: Annotated[Path, typer.Argument(help="PNG, SVG, PDF or HTML that workbench saved.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
) -> None:
    """Print what a figure or a report was made from: runs, clips, normalisation, command, versions.

    Example: workbench passport figures/ous_fig5_confusion.pdf
    """
    from workbench.results.passport_files import read_passport

    found = read_passport(file)
    typer.echo(json.dumps(found.to_dict(), sort_keys=True) if as_json else "\n".join(found.lines()))

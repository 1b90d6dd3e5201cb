"""The command `ifdd`: models, training, evaluation, prediction, data, weights; a file for each group.

A command imports what it works with when it runs: a help page loads no network.
"""

import sys
import warnings

import typer

from ifdd.cli.cropping import data_app
from ifdd.cli.models import models_app
from ifdd.cli.published import published_app
from ifdd.cli.scoring import scoring_app
from ifdd.cli.training import training_app
from ifdd.cli.weights import weights_app
from ifdd.errors import InputError
from ifdd.interrupts import Commands
from ifdd.own_code import ImportOption, name_modules
from ifdd.plain import escape_what_cannot_be_printed, terminal_text

app = typer.Typer(cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
app.add_typer(models_app)
app.add_typer(training_app)
app.add_typer(scoring_app)
app.add_typer(published_app)
app.add_typer(data_app, name="data")
app.add_typer(weights_app, name="weights")


@app.callback()
def about(modules: ImportOption = None) -> None:
    """Dynamic facial expression recognition with IFDD and its baselines."""
    name_modules(modules)


def main() -> None:
    """Run the command line; bad input ends with one line on standard error and exit code 1 (Ctrl-C: 130)."""
    warnings.showwarning = _show_warning
    escape_what_cannot_be_printed()
    try:
        app(standalone_mode=True)
    except InputError as error:
        _fail(str(error))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"{where}{error.strerror or error}")


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    typer.echo(f"warning: {terminal_text(message)}", err=True)


def _fail(message: str) -> None:
    typer.echo(f"error: {terminal_text(message)}", err=True)
    sys.exit(1)

"""The `workbench` command: mounts the commands of all concepts, in the order of `workbench --help`."""

import sys
import warnings

import typer

from ifdd.errors import InputError
from ifdd.interrupts import Commands
from ifdd.own_code import ImportOption, name_modules
from ifdd.plain import escape_what_cannot_be_printed
from workbench.analysis.registry import faces
from workbench.app.command import serve_app
from workbench.benchmark.command import benchmark_app
from workbench.benchmark.scenes.command import scenes_app
from workbench.explain.command import explain_app
from workbench.figures.command import figures_app
from workbench.options import fail, one_line, say
from workbench.report.command import report_app
from workbench.results.command import passport_app
from workbench.store.command import collect_app, demo_app, init_app
from workbench.store.foreign.command import import_app

app = typer.Typer(
    name="workbench",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
try:
    concepts = faces("command").values()
except InputError as error:  # before `main`, which tells the errors of commands
    fail(one_line(error))
    sys.exit(1)
for command in (
    init_app,
    demo_app,
    collect_app,
    import_app,
    explain_app,
    *(concept.app for concept in concepts),
    benchmark_app,
    scenes_app,
    figures_app,
    report_app,
    passport_app,
    serve_app,
):
    app.add_typer(command)


@app.callback()
def about(modules: ImportOption = None) -> None:
    """See and measure what a model of facial expressions does with a video."""
    name_modules(modules)


def main() -> None:
    """Entry point: an error is one line on standard error and exit code 1 (Ctrl-C: 130)."""
    warnings.showwarning = _show_warning
    escape_what_cannot_be_printed()
    try:
        app()
    except (InputError, OSError) as error:
        fail(one_line(error))
        sys.exit(1)


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    say(f"warning: {message}")

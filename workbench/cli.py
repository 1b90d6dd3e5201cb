"""The `workbench` command: mounts the commands of all concepts, in the order of `workbench --help`."""

import sys
import warnings

import typer

from ifdd.errors import InputError
from ifdd.plain import escape_what_cannot_be_printed
from workbench.analysis.comparison.command import compare_app
from workbench.analysis.confidence.command import calibrate_app
from workbench.analysis.counterfactuals.command import counterfactual_app
from workbench.analysis.disentanglement.command import scorecard_app
from workbench.analysis.embedding.command import maps_app
from workbench.analysis.faithfulness.command import faithfulness_app
from workbench.analysis.saliency.command import saliency_app
from workbench.analysis.splits.command import splits_app
from workbench.app.command import serve_app
from workbench.benchmark.command import benchmark_app
from workbench.explain.command import explain_app
from workbench.figures.command import figures_app
from workbench.options import fail, one_line, say
from workbench.report.command import report_app
from workbench.results.command import passport_app
from workbench.store.command import collect_app, demo_app, init_app

app = typer.Typer(
    name="workbench",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="See and measure what a model of facial expressions does with a video.",
)
app.add_typer(explain_app)
app.add_typer(collect_app)
app.add_typer(scorecard_app)
app.add_typer(init_app)
app.add_typer(demo_app)
app.add_typer(serve_app)
app.add_typer(benchmark_app)
app.add_typer(compare_app)
app.add_typer(calibrate_app)
app.add_typer(counterfactual_app)
app.add_typer(figures_app)
app.add_typer(report_app)
app.add_typer(passport_app)
app.add_typer(maps_app)
app.add_typer(saliency_app)
app.add_typer(faithfulness_app)
app.add_typer(splits_app)


def main() -> None:
    """Entry point: an error is one line on standard error and exit code 1."""
    warnings.showwarning = _show_warning
    escape_what_cannot_be_printed()
    try:
        app()
    except (InputError, OSError) as error:
        fail(one_line(error))
        sys.exit(1)
    except KeyboardInterrupt:
        fail("interrupted")
        sys.exit(130)


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    say(f"warning: {message}")

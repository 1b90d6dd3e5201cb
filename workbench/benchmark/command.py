"""`workbench benchmark`: trained variants over the suites of ScriptedFaces."""

from pathlib import Path
from typing import Annotated

import typer

from workbench.options import Device, ResultsOption, WorkspaceOption, load_bundle, names_in
from workbench.results.written import written

benchmark_app = typer.Typer(rich_markup_mode=None)


@benchmark_app.command()
def benchmark(
    ctx: typer.Context,
    checkpoints: Annotated[list[str], typer.Argument(metavar="CHECKPOINT...", help="Names or folders.", show_default=False)],
    out: ResultsOption = None,
    workspace: WorkspaceOption = None,
    suites: Annotated[
        str, typer.Option(help="Suites of the benchmark, with commas.")
    ] = "noisy-00,noisy-25,noisy-50,noisy-75,subtle,occluded,head-motion",
    scored: Annotated[str, typer.Option(help="The suite on which splits and branches are measured.")] = "noisy-50",
    clips: Annotated[int, typer.Option(min=14, help="Test clips of each suite.")] = 560,
    identities: Annotated[int, typer.Option(min=7, help="People in them.")] = 140,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the clips and of the bootstrap.")] = 11,
    cache: Annotated[Path, typer.Option(help="Where rendered clips, and what was read from them, are kept.")] = Path("cache"),
    table: Annotated[
        Path | None, typer.Option(help="A Markdown file; what stands between its benchmark marks is replaced.")
    ] = None,
    earlier: Annotated[
        Path | None,
        typer.Option(help="An earlier benchmark.json of the same clips: variants and suites not measured now keep their scores."),
    ] = None,
    device: Device = "auto",
) -> None:
    """Score trained variants over the suites of ScriptedFaces: robustness curves, and one table with what splits and branches do.

    Checkpoints whose names differ in their seed at the end (…-0, …-1) are one variant.
    Example: workbench benchmark runs/noisy/checkpoints/* --out runs/noisy/report
    """
    from ifdd.io import between, check_folder, claim, replace_between
    from workbench.benchmark.displays.table import family_markdown
    from workbench.benchmark.stored import check_earlier, with_earlier
    from workbench.benchmark.task import run, write
    from workbench.results.passport import Context, command_line
    from workbench.store.given import Given

    given = Given(workspace)
    out = given.out(out, "benchmark")
    check_folder(out)
    ctx.with_resource(claim(out))
    if table is not None:
        between(table, "benchmark")  # before hours are spent
    if earlier is not None:
        check_earlier(earlier)
    bundles = [load_bundle(given.checkpoint(name), device) for name in checkpoints]
    found = run(bundles, names_in(suites), scored, clips=clips, identities=identities, seed=seed, cache=cache)
    context = Context.of(command_line(), bundles=bundles)
    for measured in found.robustness.suites:
        context = context.with_data(f"suite {measured.suite}", measured.hash)
    result = found if earlier is None else with_earlier(found, earlier)
    write(result, out, context)
    text = family_markdown(result)
    if table is not None:
        replace_between(table, "benchmark", text)
    typer.echo(f"{text}\n{written(out)}")

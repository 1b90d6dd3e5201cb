"""The command `workbench faithfulness`."""

import json
from typing import Annotated

import typer

from workbench.options import (
    DataOption,
    DatasetOption,
    Device,
    Fill,
    ResultsOption,
    WorkspaceOption,
    load_bundle,
    names_in,
    tell_where,
)
from workbench.results.written import written

app = typer.Typer()


@app.command()
def faithfulness(
    ctx: typer.Context,
    checkpoint: Annotated[str, typer.Argument(help="Name or folder of a checkpoint.", show_default=False)],
    data: DataOption = None,
    out: ResultsOption = None,
    workspace: WorkspaceOption = None,
    dataset: DatasetOption = None,
    methods: Annotated[str, typer.Option(help="With commas between.")] = "gradcam,hirescam,saliency",
    activation: Annotated[str | None, typer.Option(help="With commas between; by default the model's branches.")] = None,
    clips: Annotated[
        int, typer.Option(min=2, help="Clips, those of each class alike; few, as each takes up to half a minute.")
    ] = 28,
    fill: Annotated[Fill, typer.Option(help="What stands in for what is taken away.")] = "mean",
    steps: Annotated[int, typer.Option(min=2, help="Points of a curve.")] = 10,
    shuffled: Annotated[str | None, typer.Option(help="Checkpoint trained on shuffled labels.")] = None,
    independent: Annotated[bool, typer.Option(help="Also forget each block alone.")] = True,
    device: Device = "auto",
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of random orders, forgotten weights and the bootstrap.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print faithfulness.json.")] = False,
) -> None:
    """Test whether maps are true: deletion and insertion, parameter randomisation; a verdict for each.

    Example: workbench faithfulness scripted-tiny-ifdd --data data/scripted-test/clips.parquet --out runs/faithfulness
    """
    from ifdd.io import check_folder, claim
    from workbench.analysis.faithfulness.displays import markdown
    from workbench.analysis.faithfulness.task import FaithfulnessRequest, run, write
    from workbench.results.passport import Context, command_line
    from workbench.store.given import Given

    given, asked = Given(workspace, dataset), out
    out = given.out(out, "faithfulness")
    check_folder(out)
    ctx.with_resource(claim(out))
    names = None if activation is None else tuple(names_in(activation))
    manifest = given.data(data).manifest
    bundle = load_bundle(given.checkpoint(checkpoint), device)
    other = None if shuffled is None else load_bundle(given.checkpoint(shuffled), device)
    request = FaithfulnessRequest(tuple(names_in(methods)), names, clips, fill, steps, independent, seed)
    report = run(bundle, manifest, request, other)
    context = Context.of(command_line(), bundles=[bundle] if other is None else [bundle, other])
    write(report, out, context.with_data(manifest, report.data_hash))
    typer.echo(json.dumps(report.to_dict(), ensure_ascii=False) if as_json else f"{markdown(report)}\n{written(out)}")
    if as_json:
        tell_where(out, asked)

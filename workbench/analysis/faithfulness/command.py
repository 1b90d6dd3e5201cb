"""The command `workbench faithfulness`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from workbench.options import Device, Fill, load_bundle, names_in
from workbench.results.written import written

app = typer.Typer()


@app.command()
def faithfulness(
    ctx: typer.Context,
    checkpoint: Annotated[str, typer.Argument(help="Name or folder of a checkpoint.", show_default=False)],
    data: Annotated[Path, typer.Option(help="List of clips, or its folder.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Folder for faithfulness.json, .md and pictures.", show_default=False)],
    methods: Annotated[str, typer.Option(help="With commas between.")] = "gradcam,hirescam,saliency",
    activation: Annotated[str | None, typer.Option(help="With commas between; by default the model's branches.")] = None,
    clips: Annotated[int, typer.Option(min=2, help="Clips, those of each class alike.")] = 28,
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

    check_folder(out)
    ctx.with_resource(claim(out))
    names = None if activation is None else tuple(names_in(activation))
    bundle = load_bundle(checkpoint, device)
    other = None if shuffled is None else load_bundle(shuffled, device)
    request = FaithfulnessRequest(tuple(names_in(methods)), names, clips, fill, steps, independent, seed)
    report = run(bundle, data, request, other)
    context = Context.of(command_line(), bundles=[bundle] if other is None else [bundle, other])
    write(report, out, context.with_data(data, report.data_hash))
    typer.echo(json.dumps(report.to_dict(), ensure_ascii=False) if as_json else f"{markdown(report)}\n{written(out)}")

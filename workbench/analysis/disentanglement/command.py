"""The command `workbench scorecard`."""

from pathlib import Path
from typing import Annotated

import typer

from workbench.options import Device, load_bundles, names_in
from workbench.results.written import written

app = typer.Typer()


@app.command()
def scorecard(
    ctx: typer.Context,
    checkpoints: Annotated[list[str], typer.Argument(help="Names or folders of checkpoints.", show_default=False)],
    data: Annotated[Path, typer.Option(help="List of clips, scripted or of any corpus, or its folder.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Folder for scorecard.md, scorecard.json, probes.png.", show_default=False)],
    factors: Annotated[str | None, typer.Option(help="Further columns to probe, with commas between.")] = None,
    maps: Annotated[int, typer.Option(min=4, help="Clips to explain, and to change the order of.")] = 42,
    device: Device = "auto",
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the bootstrap, folds and random choices.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print scorecard.json.")] = False,
) -> None:
    """Measure whether the disentanglement is real: splits, probes, maps, dependence, interventions.

    Collections are kept under --out and used again by the next call.
    Example: workbench scorecard scripted-tiny-ifdd scripted-tiny-baseline --data data/scripted-test --out runs/scorecard
    """
    from ifdd.io import check_folder, claim
    from workbench.analysis.disentanglement.displays.tables import markdown
    from workbench.analysis.disentanglement.task import run, to_json, write
    from workbench.results.passport import Context, command_line

    check_folder(out)
    ctx.with_resource(claim(out))
    bundles = load_bundles(checkpoints, device)
    cards = run(bundles, data, out, factors=names_in(factors or ""), maps=maps, seed=seed)
    write(cards, out, Context.of(command_line(), bundles=bundles).with_data(data.resolve(), cards[0].data_hash))
    typer.echo(to_json(cards) if as_json else f"{markdown(cards)}\n{written(out)}")

"""The command `workbench scorecard`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ifdd.errors import InputError
from workbench.options import Device, load_bundle, names_in
from workbench.results.written import written

scorecard_app = typer.Typer()


@scorecard_app.command()
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
    from ifdd.io import check_folder, claim, filled_folder, write_text
    from workbench.analysis.disentanglement.displays.probes import ProbeDisplay
    from workbench.analysis.disentanglement.displays.tables import markdown
    from workbench.analysis.disentanglement.task import make_scorecard
    from workbench.results.passport import Context, command_line

    check_folder(out)
    ctx.with_resource(claim(out))
    bundles = [load_bundle(name, device) for name in checkpoints]
    if len({bundle.name for bundle in bundles}) < len(bundles):
        raise InputError(f"a checkpoint is named twice: {', '.join(bundle.name for bundle in bundles)}; name each once")
    extra = names_in(factors or "")
    cards = [make_scorecard(b, data, out / b.name, factors=extra, maps=maps, seed=seed) for b in bundles]
    context = Context.of(command_line(), bundles=bundles).with_data(data.resolve(), cards[0].data_hash)
    text = json.dumps({card.checkpoint: card.to_dict() for card in cards}, indent=1, ensure_ascii=False) + "\n"
    with filled_folder(out, last="scorecard.json") as work:
        if probed := {card.checkpoint: card.probes for card in cards if card.probes}:
            ProbeDisplay.from_result(probed).save(work / "probes.png", context=context)
        write_text(work / "scorecard.md", markdown(cards))
        write_text(work / "scorecard.json", text)
    typer.echo(text if as_json else f"{markdown(cards)}\n{written(out)}")

"""The command `workbench scorecard`."""

from typing import Annotated

import typer

from workbench.analysis import CLIPS
from workbench.options import (
    DataOption,
    DatasetOption,
    Device,
    ResultsOption,
    WorkspaceOption,
    load_bundles,
    names_in,
    tell_where,
)
from workbench.results.written import written

app = typer.Typer()


@app.command()
def scorecard(
    ctx: typer.Context,
    checkpoints: Annotated[list[str], typer.Argument(help="Names or folders of checkpoints.", show_default=False)],
    data: DataOption = None,
    out: ResultsOption = None,
    workspace: WorkspaceOption = None,
    dataset: DatasetOption = None,
    factors: Annotated[str | None, typer.Option(help="Further columns to probe, with commas between.")] = None,
    maps: Annotated[int, typer.Option(min=4, help="Clips to explain, and to change the order of.")] = CLIPS,
    device: Device = "auto",
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the bootstrap, folds and random choices.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print scorecard.json.")] = False,
) -> None:
    """Measure whether the disentanglement is real: splits, probes, maps, dependence, interventions.

    Collections are kept in the workspace; of clips given with --data under --out. The next call uses them again.
    Example: workbench scorecard scripted-tiny-ifdd scripted-tiny-baseline --data data/scripted-test --out runs/scorecard
    """
    from ifdd.data.manifest import need_labels, read_manifest
    from ifdd.io import check_folder, claim
    from workbench.analysis.disentanglement.displays.tables import markdown
    from workbench.analysis.disentanglement.task import activations_of, run, to_json, write
    from workbench.results.passport import Context, command_line
    from workbench.store.given import Given

    given, asked = Given(workspace, dataset), out
    out = given.out(out, "scorecard")
    check_folder(out)
    ctx.with_resource(claim(out))
    clips = given.data(data)
    need_labels(read_manifest(clips.manifest), clips.manifest, "the scorecard")  # before they are read
    bundles = load_bundles([given.checkpoint(name) for name in checkpoints], device)
    kept = {
        bundle.name: found
        for name, bundle in zip(checkpoints, bundles, strict=True)
        if clips.named and (found := given.collected(bundle, given.name(name), clips, activations_of(bundle.model)))
    }
    cards = run(bundles, clips.manifest, out, kept=kept, factors=names_in(factors or ""), maps=maps, seed=seed)
    write(cards, out, Context.of(command_line(), bundles=bundles).with_data(clips.manifest.resolve(), cards[0].data_hash))
    typer.echo(to_json(cards) if as_json else f"{markdown(cards)}\n{written(out)}")
    if as_json:
        tell_where(out, asked)

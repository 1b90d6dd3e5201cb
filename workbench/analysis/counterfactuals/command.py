"""The command `workbench counterfactual`."""

from pathlib import Path
from typing import Annotated

import typer

from ifdd.errors import InputError
from workbench.analysis import CLIPS, DONORS
from workbench.options import DatasetOption, Device, Json, ResultsOption, WorkspaceOption, names_if_given, tell_where
from workbench.results.written import written

app = typer.Typer()


@app.command()
def counterfactual(
    ctx: typer.Context,
    checkpoint: Annotated[str, typer.Argument(help="Name or folder of a checkpoint.", show_default=False)],
    manifest: Annotated[
        Path | None,
        typer.Argument(help="List of clips (docs/manifest.md), its folder, or a dataset of the workspace.", show_default=False),
    ] = None,
    out: ResultsOption = None,
    workspace: WorkspaceOption = None,
    dataset: DatasetOption = None,
    edits: Annotated[
        str | None,
        typer.Option(
            help="freeze, reverse, shuffle, drop, replace, zero-offsets, swap-D, swap-S, swap-INPUT; by default all possible."
        ),
    ] = None,
    frames: Annotated[str | None, typer.Option(help="Those to drop or replace, e.g. 4-7,12; by default the middle half.")] = None,
    still: Annotated[int | None, typer.Option(min=0, help="The frame that freeze shows; by default the middle one.")] = None,
    clip: Annotated[list[str] | None, typer.Option(help="Id of a clip; give it again for more.")] = None,
    clips: Annotated[int, typer.Option(min=1, help="How many clips, if none is named.")] = CLIPS,
    donors: Annotated[
        int, typer.Option(min=1, max=64, help="Other people's clips that each takes from: the mean over them.")
    ] = DONORS,
    take_from: Annotated[
        list[str] | None,
        typer.Option(
            help="Id of a clip to take from, again for more, all of which each takes from; default: --donors of the list's first "
            f"{CLIPS}, of each class alike."
        ),
    ] = None,
    shuffles: Annotated[int, typer.Option(min=0, help="Random orders of each clip, for the order-sensitivity index.")] = 4,
    batch: Annotated[int, typer.Option(min=1, help="Clips in one pass of the model.")] = 8,
    device: Device = "auto",
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of orders, donors and the bootstrap.")] = 0,
    as_json: Json = False,
) -> None:
    """Change clips or features and measure what the probabilities do: order of frames, lost frames, offsets, branches.

    Example: workbench counterfactual scripted-tiny-ifdd clips.parquet --edits freeze,swap-S --out runs/counterfactual
    """
    from ifdd.checkpoints import load_checkpoint
    from ifdd.device import choose_device
    from ifdd.io import check_new, claim
    from workbench.analysis.counterfactuals.task import Options, check_edits, report_text, run, write
    from workbench.results.passport import Context, command_line
    from workbench.store.given import Given

    names, numbers = names_if_given(edits), _numbers(frames)
    given, asked = Given(workspace, dataset), out
    out = given.out(out, "counterfactual")
    check_new(out)
    ctx.with_resource(claim(out))
    place = choose_device(device)
    data = given.data(manifest).manifest
    bundle = load_checkpoint(given.checkpoint(checkpoint))
    check_edits(bundle, names)
    bundle.model.to(place)
    options = Options(
        shuffles,
        batch,
        seed,
        edits=names,
        clip_ids=clip,
        clips=clips,
        frames=numbers,
        still=still,
        donors=donors,
        lenders=take_from,
    )
    result = run(bundle, data, options)
    write(result, out, Context.of(command_line(), bundles=[bundle]).with_data(data, result.data_hash))
    if as_json:
        typer.echo(report_text(result), nl=False)
        tell_where(out, asked)
        return
    found = result.counterfactuals
    for effect in (edit.mean for edit in found.edits):
        bounds = "" if effect.change.low != effect.change.low else f" [{effect.change.low:.3f}, {effect.change.high:.3f}]"
        typer.echo(f"{effect.name}: change {effect.change.value:.3f}{bounds}, {100 * effect.flips.value:.0f} % flip")
    typer.echo(found.caption)
    for note in found.notes:
        typer.echo(f"note: {note}")
    typer.echo(written(out))


def _numbers(text: str | None) -> list[int] | None:
    """Numbers and ranges, both ends included: "4-7,12"."""
    found: list[int] = []
    for part in names_if_given(text) or []:
        first, dash, last = part.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()) or (dash and int(last) < int(first)):
            raise InputError(f"frames {part!r} is neither a number nor a range; write e.g. 4-7,12, from 0")
        found += range(int(first), int(last if dash else first) + 1)
    return found or None

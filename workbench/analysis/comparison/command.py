"""The commands `workbench compare`, `calibrate` and `counterfactual`."""

from pathlib import Path
from typing import Annotated

import typer

from ifdd.errors import InputError
from workbench.results.written import written

compare_app = typer.Typer()

Json = Annotated[bool, typer.Option("--json", help="Print the JSON file.")]
Out = Annotated[Path, typer.Option(help="Folder to make.", show_default=False)]


@compare_app.command()
def compare(
    ctx: typer.Context,
    collections: Annotated[
        list[Path], typer.Argument(metavar="COLLECTION...", help="Two or more, of the same clips.", show_default=False)
    ],
    out: Out,
    reference: Annotated[str | None, typer.Option(help="Compare with this model only; by default all pairs.")] = None,
    slices: Annotated[str | None, typer.Option(help="Columns to slice by, with commas; by default all factors.")] = None,
    bins: Annotated[int, typer.Option(min=2, help="Bins of numbers, of about equal counts.")] = 4,
    min_n: Annotated[int, typer.Option("--min-n", min=2, help="Clips that a slice needs in the search for bad ones.")] = 20,
    draws: Annotated[int, typer.Option(min=100, help="Of the bootstrap and of the exchange tests.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of all draws.")] = 0,
    as_json: Json = False,
) -> None:
    """Compare models on the same clips: differences with intervals and tests, flips, recalls, slices.

    Persons are drawn as a whole where the manifest names them.
    Example: workbench compare runs/baseline runs/ifdd --out runs/comparison
    """
    from ifdd.io import check_new, claim
    from workbench.analysis.comparison.files import write_comparison
    from workbench.analysis.comparison.task import compare_collections, slice_collections
    from workbench.results.passport import Context, command_line
    from workbench.store.collection import open_collection

    check_new(out)
    ctx.with_resource(claim(out))
    opened = [open_collection(folder) for folder in collections]
    result, clips = compare_collections(opened, reference=reference, n_boot=draws, seed=seed)
    found, searches, left_out = slice_collections(clips, _names(slices), bins=bins, seed=seed, min_n=min_n)
    context = Context.of(command_line(), collections=opened)
    text, page = write_comparison(result, clips, found, searches, left_out, out, context)
    typer.echo(text.rstrip() if as_json else f"{page}\n{written(out)}")


@compare_app.command()
def calibrate(
    ctx: typer.Context,
    collection: Annotated[Path, typer.Argument(help="Made by workbench collect.", show_default=False)],
    out: Out,
    validation: Annotated[
        Path | None, typer.Option(help="Collection of other clips by the same checkpoint, to fit a temperature on.")
    ] = None,
    bins: Annotated[
        int | None, typer.Option(min=1, help="Of confidence; default: 15, with few clips so many that each holds about 20.")
    ] = None,
    binning: Annotated[
        str | None, typer.Option(help="mass or width: what the bins have in common; default: by the number of clips.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the bootstrap.")] = 0,
    as_json: Json = False,
) -> None:
    """Measure whether a model is right as often as it is sure; with validation clips, mend it by a temperature.

    Where the manifest has columns votes_<class>, the annotators' disagreement is compared with the model's.
    Example: workbench calibrate runs/test --validation runs/validation --out runs/calibration
    """
    from ifdd.io import check_new, claim
    from workbench.analysis.comparison.files import write_calibration
    from workbench.results.passport import Context, command_line
    from workbench.store.collection import open_collection

    check_new(out)
    ctx.with_resource(claim(out))
    other = None if validation is None else open_collection(validation)
    test = open_collection(collection)
    context = Context.of(command_line(), collections=[test] if other is None else [other, test])
    text, page = write_calibration(test, other, out, bins, seed, binning, context)  # type: ignore[arg-type]  # checked there
    typer.echo(text.rstrip() if as_json else f"{page}\n{written(out)}")


@compare_app.command()
def counterfactual(
    ctx: typer.Context,
    checkpoint: Annotated[str, typer.Argument(help="Name or folder of a checkpoint.", show_default=False)],
    manifest: Annotated[Path, typer.Argument(help="List of clips (docs/manifest.md), or its folder.", show_default=False)],
    out: Out,
    edits: Annotated[
        str | None,
        typer.Option(help="freeze, reverse, shuffle, drop, replace, zero-offsets, swap-D, swap-S; by default all possible."),
    ] = None,
    frames: Annotated[str | None, typer.Option(help="Those to drop or replace, e.g. 4-7,12; by default the middle half.")] = None,
    clip: Annotated[list[str] | None, typer.Option(help="Id of a clip; give it again for more.")] = None,
    clips: Annotated[int, typer.Option(min=1, help="How many clips, if none is named.")] = 42,
    shuffles: Annotated[int, typer.Option(min=0, help="Random orders of each clip, for the order-sensitivity index.")] = 4,
    batch: Annotated[int, typer.Option(min=1, help="Clips in one pass of the model.")] = 8,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of orders, donors and the bootstrap.")] = 0,
    as_json: Json = False,
) -> None:
    """Change clips or features and measure what the probabilities do: order of frames, lost frames, offsets, branches.

    Example: workbench counterfactual scripted-tiny-ifdd clips.parquet --edits freeze,swap-S --out runs/counterfactual
    """
    from ifdd.checkpoints import load_checkpoint
    from ifdd.device import choose_device
    from ifdd.io import check_new, claim
    from workbench.analysis.counterfactuals.task import check_edits, edit_clips, write_counterfactuals
    from workbench.results.passport import Context, command_line

    names, numbers = _names(edits), _numbers(frames)
    check_new(out)
    ctx.with_resource(claim(out))
    place = choose_device(device)
    bundle = load_checkpoint(checkpoint)
    check_edits(bundle, names)
    bundle.model.to(place)
    edited = edit_clips(
        bundle, manifest, names, clip_ids=clip, clips=clips, frames=numbers, shuffles=shuffles, batch=batch, seed=seed
    )
    context = Context.of(command_line(), bundles=[bundle]).with_data(manifest, edited.data_hash)
    text = write_counterfactuals(bundle, edited, out, context)
    if as_json:
        typer.echo(text, nl=False)
        return
    for effect in (edit.mean for edit in edited.result.edits):
        bounds = "" if effect.change.low != effect.change.low else f" [{effect.change.low:.3f}, {effect.change.high:.3f}]"
        typer.echo(f"{effect.name}: change {effect.change.value:.3f}{bounds}, {100 * effect.flips.value:.0f} % flip")
    typer.echo(edited.result.caption)
    for note in edited.result.notes:
        typer.echo(f"note: {note}")
    typer.echo(written(out))


def _names(text: str | None) -> list[str] | None:
    """Names with commas between; None stays."""
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise InputError(f"{text!r} names nothing; give names with commas between, or leave the option out")
    return list(dict.fromkeys(names))


def _numbers(text: str | None) -> list[int] | None:
    """Numbers and ranges, both ends included: "4-7,12"."""
    found: list[int] = []
    for part in _names(text) or []:
        first, dash, last = part.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()) or (dash and int(last) < int(first)):
            raise InputError(f"frames {part!r} is neither a number nor a range; write e.g. 4-7,12, from 0")
        found += range(int(first), int(last if dash else first) + 1)
    return found or None

"""The commands `ifdd evaluate`, `ifdd audit` and `ifdd predict`."""

from pathlib import Path
from typing import Annotated

import typer

from ifdd.cli.options import Batch, Device, Json, OnErrorOption, SceneFaceOption, say_json, show_metrics
from ifdd.errors import InputError, NoFaceError
from ifdd.own_code import ModelOption
from ifdd.plain import terminal_text

scoring_app = typer.Typer()


@scoring_app.command()
def evaluate(
    ctx: typer.Context,
    checkpoint: Annotated[str, typer.Argument(help="Name or folder of a checkpoint.")],
    out: Annotated[Path, typer.Option(help="New folder for metrics.json and predictions.parquet.")],
    manifest: Annotated[Path | None, typer.Option(help="List of clips (docs/manifest.md), or its folder.")] = None,
    suite: Annotated[str | None, typer.Option(help="train, val or test of the checkpoint's own scripted data.")] = None,
    rho: Annotated[
        float | None,
        typer.Option(
            min=-1, max=1, help="With --suite: another correlation of its scenes with the emotions.", show_default=False
        ),
    ] = None,
    cache: Annotated[Path, typer.Option(help="Where decoded or rendered clips are kept.")] = Path("cache"),
    clips_per_video: Annotated[
        int | None,
        typer.Option(
            "--clips",
            min=1,
            max=100,
            help="Clips of each video whose probabilities are averaged, at as many moments of each segment; default: as many as "
            "the checkpoint's own test.",
            show_default=False,
        ),
    ] = None,
    on_error: OnErrorOption = "stop",
    batch: Batch = 16,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Score a checkpoint on a manifest, or on a split of the scripted data that its card names.

    Example: ifdd evaluate scripted-tiny-ifdd --suite test --out runs/again
    """
    from dataclasses import replace

    from ifdd.checkpoints import load_checkpoint
    from ifdd.data.decoded import from_inputs
    from ifdd.data.manifest import read_manifest
    from ifdd.data.streamed import streamed
    from ifdd.device import choose_device
    from ifdd.io import claim
    from ifdd.training.clipsets import from_suites, shown_to, suite_of_card, with_class_notes
    from ifdd.training.evaluation import write_evaluation

    if (manifest is None) == (suite is None):
        raise InputError("give either --manifest or --suite: the clips to evaluate on")
    if rho is not None and suite is None:
        raise InputError(f"--rho {rho:g}: goes with --suite, whose clips are rendered; leave it out")
    if out.exists():
        raise InputError(f"{out} exists; choose another --out or remove it")
    ctx.with_resource(claim(out))
    bundle = load_checkpoint(checkpoint)
    views = clips_per_video or (bundle.card.test_clips if manifest is not None else 1)
    if manifest is not None and views > 1:
        read = read_manifest(manifest)
        clips = with_class_notes(streamed(manifest, read, bundle.inputs, bundle.labels, on_error=on_error), manifest)
    elif manifest is not None:
        clips = with_class_notes(from_inputs(manifest, bundle.inputs, bundle.labels, cache, on_error=on_error), manifest)
    else:
        assert suite is not None
        if views > 1:
            raise InputError(f"--clips {views}: rendered clips are shown in one way; give --manifest")
        config = suite_of_card(bundle.card, suite)
        if rho is not None:
            config = replace(config, rho=rho)
        clips = from_suites(config, bundle.inputs, cache)
    clips = shown_to(bundle.card, clips)
    place = str(choose_device(device))
    metrics = write_evaluation(bundle, clips, out, batch=batch, device=place, views=views, on_error=on_error)
    show_metrics(metrics, as_json, {"out": str(out)})


@scoring_app.command()
def audit(
    ctx: typer.Context,
    run: Annotated[Path, typer.Argument(help="Folder of a run of ifdd train.")],
    out: Annotated[Path | None, typer.Option(help="New folder for audit.json.", show_default=False)] = None,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Show the checkpoints that a run kept side by side, on validation and test, and how much a choice on test would have lied.

    Best on validation, last, averaged weights (ema) and those that they are averages of. Nothing is written without --out.
    Example: ifdd audit runs/dfew/fold-1
    """
    from ifdd.io import check_new, claim, new_folder, write_json
    from ifdd.training.audit import audit as score_kept

    if out is not None:
        check_new(out)
        ctx.with_resource(claim(out))
    found = score_kept(run, device=device)
    if out is not None:
        with new_folder(out) as folder:
            write_json(folder / "audit.json", found.to_dict())
    if as_json:
        say_json(found.to_dict())
        return
    widths = [max(map(len, column)) for column in zip(*found.table, strict=True)]
    for row in found.table:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    typer.echo(f"percent, 95 % intervals {found.candidates[0].test.units} on test\n{found.words}")


@scoring_app.command()
def predict(
    video: Annotated[Path, typer.Argument(help="Video file or folder of frames.")],
    checkpoint: Annotated[str | None, typer.Option(help="Name or folder of a checkpoint.", show_default=False)] = None,
    model: ModelOption = None,
    crop: Annotated[str | None, typer.Option(help="face, center or none; default: the checkpoint's.")] = None,
    scene: Annotated[
        Path | None,
        typer.Option(
            help="What is around the face: a video or folder of as many frames; default: VIDEO itself, if it is cropped."
        ),
    ] = None,
    scene_face: SceneFaceOption = "kept",
    face: Annotated[int | None, typer.Option(min=1, help="Which face, from 1, largest first.")] = None,
    start: Annotated[float | None, typer.Option(min=0, help="Seconds.")] = None,
    end: Annotated[float | None, typer.Option(min=0, help="Seconds.")] = None,
    fps: Annotated[float | None, typer.Option(help="Frame rate of a folder of frames.")] = None,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Print the probabilities of the classes for one video.

    Example: ifdd predict smile.mp4 --checkpoint scripted-tiny-ifdd
    """
    from ifdd.adapting import load_own
    from ifdd.checkpoints import load_checkpoint
    from ifdd.data.clips import as_clips, load_inputs
    from ifdd.data.scenes import read_as_asked
    from ifdd.device import choose_device
    from ifdd.inputs import batch_of

    if (checkpoint is None) == (model is None):
        raise InputError("give a checkpoint with --checkpoint, or a network of your own with --model MODULE:FACTORY; one of them")
    bundle = load_own(model or "") if checkpoint is None else load_checkpoint(checkpoint)
    inputs = read_as_asked(bundle.inputs, bundle.name, crop, scene, scene_face)
    try:
        found = load_inputs(video, inputs, scene=scene, face=face, start=start, end=end, fps=fps)
    except NoFaceError as error:
        raise NoFaceError(error.finding, NoFaceError.OPTIONS) from None
    warned = list(dict.fromkeys(note for clip in found.values() for note in clip.warnings))
    for warning in warned:
        typer.echo(f"warning: {video}: {warning}", err=True)
    place = choose_device(device)
    bundle.model.to(place)
    probabilities = bundle.predict(batch_of(as_clips(found), place))[0].tolist()
    named = dict(zip(bundle.labels, probabilities, strict=True))
    if as_json:
        about = {"video": str(video), "checkpoint": bundle.name, "notice": bundle.card.notice}
        say_json({**about, "probabilities": named, "warnings": warned})
        return
    typer.echo(f"note: {terminal_text(bundle.card.notice)}", err=True)
    for label, probability in sorted(named.items(), key=lambda item: -item[1]):
        typer.echo(f"{label:<10} {probability:6.1%}")

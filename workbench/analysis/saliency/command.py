"""The command `workbench saliency`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from ifdd.errors import InputError
from ifdd.own_code import ModelOption
from workbench.options import (
    DataOption,
    DatasetOption,
    DetectorOption,
    DetectorWeightsOption,
    Device,
    Fill,
    ResultsOption,
    WorkspaceOption,
    load_bundle,
    named_bundle,
    names_in,
)

app = typer.Typer()


@app.command()
def saliency(
    ctx: typer.Context,
    videos: Annotated[list[Path] | None, typer.Argument(metavar="[VIDEO...]", help="Videos, or folders of frames.")] = None,
    checkpoint: Annotated[str | None, typer.Option(help="Name or folder of a checkpoint.", show_default=False)] = None,
    model: ModelOption = None,
    out: ResultsOption = None,
    data: DataOption = None,
    workspace: WorkspaceOption = None,
    dataset: DatasetOption = None,
    clips: Annotated[
        int, typer.Option(min=1, help="Clips of the list, of each class alike, if no video is given; few, as each has a folder.")
    ] = 7,
    clip: Annotated[list[str] | None, typer.Option(help="Id of a clip of the list; give it again for more.")] = None,
    method: Annotated[
        str,
        typer.Option(
            help="gradcam, gradcam++, xgradcam, layercam, hirescam; of the pixels saliency, integrated-gradients, occlusion; "
            "package:NAME of the grad-cam package."
        ),
    ] = "gradcam",
    activation: Annotated[str | None, typer.Option(help="With commas between; by default the model's branches.")] = None,
    target: Annotated[str | None, typer.Option(help="Class to explain; by default the predicted one.")] = None,
    against: Annotated[str | None, typer.Option(help="Class whose logit is subtracted: why the target rather than this?")] = None,
    weights: Annotated[
        Literal["global", "per-step"], typer.Option(help="Channel weights over all positions, or by step.")
    ] = "global",
    normalise: Annotated[
        Literal["clip", "frame", "none"], typer.Option(help="Scale by the maximum of clip, frame, or not.")
    ] = "clip",
    fill: Annotated[Fill, typer.Option(help="What integrated gradients and occlusion start from.")] = "black",
    steps: Annotated[int, typer.Option(min=1, help="Of integrated gradients.")] = 50,
    versus: Annotated[str | None, typer.Option(help="Another checkpoint, whose maps are subtracted.")] = None,
    verdicts: Annotated[Path | None, typer.Option(help="Of workbench faithfulness; default: beside the card.")] = None,
    badges: Annotated[bool, typer.Option(help="Draw the verdicts of workbench faithfulness on the maps.")] = True,
    frames: Annotated[bool, typer.Option("--frames", help="Also the importance of each frame.")] = False,
    summary: Annotated[
        bool, typer.Option("--summary", help="Only what is said of all clips (regions, pooling): no folder for each.")
    ] = False,
    crop: Annotated[
        Literal["face", "center", "none"] | None, typer.Option(help="Of videos; default: the checkpoint's own.")
    ] = None,
    detector: DetectorOption = "haar",
    detector_weights: DetectorWeightsOption = None,
    device: Device = "auto",
) -> None:
    """Maps of any activation or of the pixels, by any method; region budget; differences.

    Of videos, or without one of clips of a list or dataset; each gets a folder of its own in the results.
    Example: workbench saliency clip.mp4 --checkpoint scripted-tiny-ifdd --method hirescam --activation ladm.Y_D --out out
    """
    from ifdd.data.manifest import data_hash, read_manifest
    from ifdd.io import check_folder, check_new, claim
    from workbench.analysis.saliency.requests import Request
    from workbench.analysis.saliency.shown import from_manifest, from_videos
    from workbench.analysis.saliency.task import run, write
    from workbench.analysis.saliency.verdicts import known_verdicts
    from workbench.results.passport import Context, command_line
    from workbench.store.given import Given
    from workbench.store.sources import SourceOptions, output_names

    if summary and frames:
        raise InputError("--frames are of single clips, and --summary leaves those out; give one of them")
    given = Given(workspace, dataset)
    of_list = data is not None or (given.asked if not videos else dataset is not None)
    if bool(videos) == of_list:
        raise InputError("give either videos or --data clips.parquet, or --dataset NAME of a workspace")
    out = given.out(out, "saliency")
    folders = output_names(videos or [])
    check_folder(out)
    for folder in folders.values():
        check_new(out / folder)
    ctx.with_resource(claim(out))
    if not videos and crop is not None:
        raise InputError(f"--crop {crop} is for videos; clips of a list are read as their manifest says, leave it out")
    if not videos and detector != "haar":
        raise InputError(f"--detector {detector} is for videos; clips of a list have the landmarks that `ifdd data crop` found")
    if videos and clip:
        raise InputError(f"--clip {clip[0]} is of a list, and videos are given; leave one of them out")
    source = SourceOptions(crop=crop, detector=detector, detector_weights=detector_weights)
    manifest = None if videos else given.data(data).manifest
    bundle = named_bundle(given, checkpoint, model, device)
    names = None if activation is None else tuple(names_in(activation))
    request = Request(method, names, target, against, weights, normalise, fill, steps)
    request.check(bundle)
    shown_hash = None if manifest is None else data_hash(read_manifest(manifest))
    known = known_verdicts(bundle, verdicts, shown_hash) if badges else {}
    other = None if versus is None else load_bundle(given.checkpoint(versus), device)
    context = Context.of(command_line(), bundles=[bundle] if other is None else [bundle, other])
    if manifest is not None:
        rows, shown = from_manifest(bundle, manifest, clips, out, clip)
        margin = 0.0
        context = context.with_data(manifest, data_hash(rows))
    else:
        rows, shown = None, from_videos(bundle, videos or [], source, folders)
        margin = bundle.preprocessing.margin if (crop or bundle.preprocessing.crop) == "face" else 0.0
    report = run(bundle, shown, request, rows=rows, margin=margin, verdicts=known, versus=other, frames=frames)
    write(report, out, context, summary=summary)
    for line in report.lines(None if summary else out):
        typer.echo(line)

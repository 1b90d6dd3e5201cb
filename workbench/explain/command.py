"""The command `workbench explain`."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from ifdd.cli.options import SceneFaceOption
from ifdd.errors import InputError
from ifdd.own_code import ModelOption
from workbench.options import (
    DetectorOption,
    DetectorWeightsOption,
    Device,
    ResultsOption,
    WorkspaceOption,
    fail,
    named_bundle,
    names_in,
    one_line,
    say,
)

explain_app = typer.Typer()


@explain_app.command()
def explain(
    videos: Annotated[list[Path], typer.Argument(metavar="VIDEO...", help="Videos, or folders of frames.", show_default=False)],
    checkpoint: Annotated[str | None, typer.Option(help="Name or folder of a checkpoint.", show_default=False)] = None,
    model: ModelOption = None,
    out: ResultsOption = None,
    workspace: WorkspaceOption = None,
    target: Annotated[str | None, typer.Option(help="Class to explain; by default the predicted one.")] = None,
    face: Annotated[int | None, typer.Option(help="Which face, from 1; by default the largest.")] = None,
    crop: Annotated[Literal["face", "center", "none"] | None, typer.Option(help="Default: the checkpoint's own.")] = None,
    start: Annotated[float | None, typer.Option(help="Seconds.")] = None,
    end: Annotated[float | None, typer.Option(help="Seconds.")] = None,
    window: Annotated[float | None, typer.Option(help="Seconds: predict windows, explain the most probable one.")] = None,
    stride: Annotated[float | None, typer.Option(help="Seconds from one window to the next; by default its length.")] = None,
    fps: Annotated[float | None, typer.Option(help="Frame rate of a folder of frames.")] = None,
    scene: Annotated[
        Path | None,
        typer.Option(help="What lies around VIDEO, of as many frames, for a model that reads it; default: VIDEO itself."),
    ] = None,
    method: Annotated[
        str, typer.Option(help="As of workbench saliency, or tested: the maps that pass workbench faithfulness.")
    ] = "gradcam",
    activation: Annotated[str | None, typer.Option(help="With commas between; by default the model's branches.")] = None,
    against: Annotated[str | None, typer.Option(help="Class whose logit is subtracted: why the target rather than this?")] = None,
    weights: Annotated[
        Literal["global", "per-step"], typer.Option(help="Average each channel's weight over all positions or per time step.")
    ] = "global",
    normalise: Annotated[
        Literal["clip", "frame", "none"], typer.Option(help="Scale maps by the maximum of the clip, of each frame, or not.")
    ] = "clip",
    badges: Annotated[bool, typer.Option(help="Draw the verdicts of workbench faithfulness on the maps.")] = True,
    film: Annotated[Literal["mp4", "gif"] | None, typer.Option("--format", help="Of the overlay; default: mp4.")] = None,
    scene_face: SceneFaceOption = "kept",
    detector: DetectorOption = "haar",
    detector_weights: DetectorWeightsOption = None,
    device: Device = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON for each video.")] = False,
) -> None:
    """Write overlay, film strip and explain.json for each video, into a folder of its own in the results.

    Example: workbench explain clip.mp4 --checkpoint scripted-tiny-ifdd --out out
    """
    from ifdd.data.video import file_sha256
    from ifdd.io import claim
    from workbench.explain.task import Options, check_format, run, write
    from workbench.results.passport import Context, command_line
    from workbench.store.given import Given
    from workbench.store.sources import SourceOptions, check_untaken, output_names

    given = Given(workspace)
    out = given.out(out, "explain")
    if scene is not None and len(videos) > 1:
        raise InputError(f"--scene {scene}: {len(videos)} videos are given, and it lies around one; explain them one by one")
    names = output_names(videos)
    check_untaken(out, names.values())
    film_format = check_format(film)
    bundle = named_bundle(given, checkpoint, model, device)
    read = SourceOptions(crop, face, start, end, window, stride, fps, detector, detector_weights, scene, scene_face)
    activations = None if activation is None else tuple(names_in(activation))
    options = Options(**vars(read), target=target, method=method, activations=activations, badges=badges)
    options = replace(options, against=against, weights=weights, normalise=normalise)
    options.request(bundle)
    context = Context.of(command_line(), bundles=[bundle])
    failed = 0
    for video, name in names.items():
        try:
            folder = out / name
            if folder.exists():
                raise InputError(f"{folder} exists; choose another --out or remove it")
            with claim(folder):
                explanation = run(bundle, video, options)
                about = context.with_data(video, explanation.sha256)
                about = about if explanation.scene is None else about.with_data(explanation.scene, file_sha256(explanation.scene))
                write(explanation, folder, about, film_format)
        except (InputError, OSError) as error:
            failed += 1
            fail(one_line(error, video))
            continue
        for note in explanation.warnings:
            say(f"warning: {video}: {note}")
        if as_json:
            text = (folder / "explain.json").read_text(encoding="utf-8")
            typer.echo(json.dumps({"folder": str(folder), **json.loads(text)}, ensure_ascii=False))
        else:
            typer.echo(f"{video}: {explanation.verdict()} -> {folder}")
    if failed < len(names) and not as_json:
        say(f"note: {bundle.card.notice}")
    if failed:
        raise typer.Exit(1)

"""The `workbench` command."""

import json
import sys
import warnings
from pathlib import Path
from typing import Annotated, Literal

import typer

from ifdd.checkpoints import Bundle, load_checkpoint
from ifdd.cli.data import OnErrorOption
from ifdd.device import choose_device
from ifdd.errors import InputError
from ifdd.plain import escape_what_cannot_be_printed, terminal_text
from workbench.analysis.comparison.command import compare_app
from workbench.analysis.embedding.command import maps_app
from workbench.analysis.saliency.command import saliency_app
from workbench.analysis.splits.command import splits_app
from workbench.benchmark.command import benchmark_app
from workbench.figures.command import figures_app
from workbench.results.written import written

app = typer.Typer(
    name="workbench",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="See and measure what a model of facial expressions does with a video.",
)
app.add_typer(benchmark_app)
app.add_typer(compare_app)
app.add_typer(figures_app)
app.add_typer(maps_app)
app.add_typer(saliency_app)
app.add_typer(splits_app)


Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]


@app.command()
def explain(
    videos: Annotated[list[Path], typer.Argument(metavar="VIDEO...", help="Videos, or folders of frames.", show_default=False)],
    checkpoint: Annotated[str, typer.Option(help="Name or folder of a checkpoint.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Folder; each video gets a folder in it.", show_default=False)],
    target: Annotated[str | None, typer.Option(help="Class to explain; by default the predicted one.")] = None,
    face: Annotated[int | None, typer.Option(help="Which face, from 1; by default the largest.")] = None,
    crop: Annotated[Literal["face", "center", "none"] | None, typer.Option(help="Default: the checkpoint's own.")] = None,
    start: Annotated[float | None, typer.Option(help="Seconds.")] = None,
    end: Annotated[float | None, typer.Option(help="Seconds.")] = None,
    window: Annotated[float | None, typer.Option(help="Seconds: predict windows, explain the most probable one.")] = None,
    stride: Annotated[float | None, typer.Option(help="Seconds from one window to the next; by default its length.")] = None,
    fps: Annotated[float | None, typer.Option(help="Frame rate of a folder of frames.")] = None,
    weights: Annotated[
        Literal["global", "per-step"], typer.Option(help="Average each channel's weight over all positions or per time step.")
    ] = "global",
    normalise: Annotated[
        Literal["clip", "frame", "none"], typer.Option(help="Scale maps by the maximum of the clip, of each frame, or not.")
    ] = "clip",
    badges: Annotated[bool, typer.Option(help="Draw the verdicts of workbench faithfulness on the maps.")] = True,
    film: Annotated[Literal["mp4", "gif"] | None, typer.Option("--format", help="Of the overlay; default: mp4.")] = None,
    device: Device = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON for each video.")] = False,
) -> None:
    """Write overlay, film strip and explain.json for each video.

    Example: workbench explain clip.mp4 --checkpoint scripted-tiny-ifdd --out out
    """
    from ifdd.io import claim
    from workbench.explain.files import check_format, check_untaken, output_names, write_explanation
    from workbench.explain.task import Options, explain_video, target_index
    from workbench.results.passport import Context, command_line

    names = output_names(videos)
    check_untaken(out, names.values())
    film_format = check_format(film)
    bundle = _load(checkpoint, device)
    target_index(target, bundle.labels)
    options = Options(
        target=target, crop=crop, face=face, start=start, end=end, window=window, stride=stride, fps=fps,
        weights=weights, normalise=normalise, badges=badges,
    )  # fmt: skip
    context = Context.of(command_line(), bundles=[bundle])
    failed = 0
    for video, name in names.items():
        try:
            folder = out / name
            if folder.exists():
                raise InputError(f"{folder} exists; choose another --out or remove it")
            with claim(folder):
                explanation = explain_video(bundle, video, options)
                write_explanation(explanation, folder, film_format, context.with_data(video, explanation.sha256))
        except (InputError, OSError) as error:
            failed += 1
            _fail(_one_line(error, video))
            continue
        for note in explanation.warnings:
            _say(f"warning: {video}: {note}")
        if as_json:
            text = (folder / "explain.json").read_text(encoding="utf-8")
            typer.echo(json.dumps({"folder": str(folder), **json.loads(text)}, ensure_ascii=False))
        else:
            typer.echo(f"{video}: {explanation.verdict()} -> {folder}")
    if failed < len(names) and not as_json:
        _say(f"note: {bundle.card.notice}")
    if failed:
        raise typer.Exit(1)


@app.command()
def collect(
    checkpoint: Annotated[str, typer.Argument(help="Name or folder of a checkpoint.", show_default=False)],
    manifest: Annotated[Path, typer.Argument(help="List of clips (docs/manifest.md), or its folder.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Folder to make.", show_default=False)],
    names: Annotated[str | None, typer.Option(help="Activations to keep, with commas between.")] = None,
    pool: Annotated[
        Literal["mean"] | None, typer.Option(help="Keep feature maps and tokens as their mean over positions.")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="Clips in memory at a time.")] = 8,
    on_error: OnErrorOption = "stop",
    cache: Annotated[
        Path, typer.Option(help="Clips that ifdd train or evaluate have decoded into this folder are not decoded again.")
    ] = Path("cache"),
    device: Device = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print the collection's manifest.")] = False,
) -> None:
    """Run a checkpoint over a manifest once; keep predictions and activations.

    An interrupted run is resumed by the same command.
    Example: workbench collect scripted-tiny-ifdd clips.parquet --out runs/scripted --names head.embedding,ladm.Y_D --pool mean
    """
    from ifdd.io import check_new
    from workbench.store.collecting import DEFAULT
    from workbench.store.collecting import collect as run

    check_new(out)

    chosen = DEFAULT if names is None else tuple(name.strip() for name in names.split(",") if name.strip())
    bundle = _load(checkpoint, device)
    try:
        found = run(bundle, manifest, out, chosen, pool, batch=batch, on_error=on_error, cache=cache, progress=True)
    except KeyboardInterrupt:
        _say("interrupted: what was read is kept; the same command goes on from there")
        raise typer.Exit(130) from None
    for note in found.notes:
        _say(f"warning: {note}")
    if as_json:
        typer.echo(json.dumps(found.meta, ensure_ascii=False))
    else:
        typer.echo(f"{out}: {found.meta['clips']} clips, {', '.join(found.activation_names)}")


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
    from ifdd.io import check_folder, claim, filled_folder, write_text
    from workbench.analysis.disentanglement.displays import ProbeDisplay, markdown
    from workbench.analysis.disentanglement.task import make_scorecard
    from workbench.results.passport import Context, command_line

    check_folder(out)
    ctx.with_resource(claim(out))
    bundles = [_load(name, device) for name in checkpoints]
    if len({bundle.name for bundle in bundles}) < len(bundles):
        raise InputError(f"a checkpoint is named twice: {', '.join(bundle.name for bundle in bundles)}; name each once")
    extra = [name.strip() for name in (factors or "").split(",") if name.strip()]
    cards = [make_scorecard(b, data, out / b.name, factors=extra, maps=maps, seed=seed) for b in bundles]
    context = Context.of(command_line(), bundles=bundles).with_data(data.resolve(), cards[0].data_hash)
    text = json.dumps({card.checkpoint: card.to_dict() for card in cards}, indent=1, ensure_ascii=False) + "\n"
    with filled_folder(out, last="scorecard.json") as work:
        if probed := {card.checkpoint: card.probes for card in cards if card.probes}:
            ProbeDisplay.from_result(probed).save(work / "probes.png", context=context)
        write_text(work / "scorecard.md", markdown(cards))
        write_text(work / "scorecard.json", text)
    typer.echo(text if as_json else f"{markdown(cards)}\n{written(out)}")


@app.command()
def demo(
    out: Annotated[Path | None, typer.Option(help="Folder; by default $IFDD_DEMO, or demo beside the package.")] = None,
    clips: Annotated[int, typer.Option(min=7, help="Clips to render.")] = 140,
    device: Device = "auto",
) -> None:
    """Prepare what the app shows: rendered clips, collected with the checkpoints that were tested on such clips.

    Example: workbench demo
    """
    from workbench.store.demo import prepare_demo
    from workbench.store.library import demo_folder

    out = out or demo_folder()
    collections = prepare_demo(out, clips, choose_device(device))
    typer.echo(f"{out}: {clips} clips, collected with {', '.join(collections)}")


@app.command(name="app")
def serve(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8501,
    address: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    allow_host: Annotated[
        list[str] | None, typer.Option(help="A further name under which browsers may ask for the app; may be given again.")
    ] = None,
    with_demo: Annotated[bool, typer.Option("--with-demo", help="Prepare the demo first, if it is missing or old.")] = False,
) -> None:
    """Start the app, and open it in a browser where there is a screen.

    Example: workbench app --port 8502
    """
    from workbench.app.serve import check_port, start_app

    check_port(port, address)  # before minutes are spent on the demo
    if with_demo:
        demo()
    start_app(port, address, allow_host or [])


def main() -> None:
    """Entry point: an error is one line on standard error and exit code 1."""
    warnings.showwarning = _show_warning
    escape_what_cannot_be_printed()
    try:
        app()
    except (InputError, OSError) as error:
        _fail(_one_line(error))
        sys.exit(1)
    except KeyboardInterrupt:
        _fail("interrupted")
        sys.exit(130)


def _load(checkpoint: str, device: str) -> Bundle:
    place = choose_device(device)
    bundle = load_checkpoint(checkpoint)
    bundle.model.to(place)
    return bundle


def _one_line(error: Exception, path: Path | None = None) -> str:
    """An error as one line that names the file."""
    if isinstance(error, OSError) and not isinstance(error, InputError):
        named = error.filename or path
        text = f"{error.strerror or error}"
        return f"{named}: {text}" if named else text
    text = " ".join(str(error).split())
    return text if path is None or str(path) in text else f"{path}: {text}"


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    _say(f"warning: {message}")


def _fail(text: str) -> None:
    _say(f"error: {text}")


def _say(text: str) -> None:
    typer.echo(terminal_text(text), err=True)

"""The command `ifdd`: models, training, evaluation, prediction, data."""

import json
import shlex
import sys
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from ifdd.cli.data import OnErrorOption, data_app
from ifdd.cli.weights import Json, say_json, weights_app
from ifdd.errors import InputError, NoFaceError
from ifdd.plain import escape_what_cannot_be_printed, terminal_text

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
app.add_typer(data_app, name="data")
app.add_typer(weights_app, name="weights")

Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Batch = Annotated[int, typer.Option(min=1, help="Clips in one pass of the model.")]


@app.callback()
def about() -> None:
    """Dynamic facial expression recognition with IFDD and its baselines."""


@app.command()
def models(
    variants_of: Annotated[
        str | None, typer.Option("--variants", help="A model's name: every split and lift it can have.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the models that can be built, with parameters, and multiply-adds (MACs) and FLOPs (= 2 MACs) of one clip.

    Example: ifdd models --variants ifdd-mvit-xs
    """
    from ifdd.models.cost import cost
    from ifdd.models.families import named_config, short_names, variants

    configs = variants(variants_of) if variants_of else {name: named_config(name) for name in short_names()}
    costs = {name: cost(config) for name, config in configs.items()}
    if as_json:
        say_json({name: {"parameters": c.parameters, "macs": c.macs, "flops": c.flops} for name, c in costs.items()})
        return
    for name, c in costs.items():
        typer.echo(f"{name:<24} {c.parameters / 1e6:7.2f} M parameters {c.macs / 1e9:7.2f} GMACs {c.flops / 1e9:7.2f} GFLOPs")


@app.command()
def train(
    recipe: Annotated[Path, typer.Argument(help="YAML file, see recipes/.")],
    out: Annotated[Path | None, typer.Option(help="Run folder; default runs/<name of the recipe>.")] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Continue an interrupted run in its folder; optim.epochs may then be more, also after a complete run: the "
            "learning rate follows the longer schedule from there on.",
        ),
    ] = False,
    seed: Annotated[int | None, typer.Option(min=0, max=2**32 - 1, help="Replaces the recipe's seed.")] = None,
    device: Annotated[str | None, typer.Option(help="Replaces the recipe's device: auto, cpu, cuda or mps.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="Replaces one value, e.g. optim.lr=0.0005.")] = None,
    max_minutes: Annotated[float | None, typer.Option(min=0.01, help="Stop training after so long.")] = None,
    as_json: Json = False,
) -> None:
    """Train a model from a recipe, and test it once at the end.

    Example: ifdd train recipes/scripted-tiny-ifdd.yaml --out runs/mine --set optim.epochs=4
    """
    from ifdd.training import run
    from ifdd.training.keeping import resumed, what_is_kept
    from ifdd.training.recipe import load_recipe

    replaced = [*(settings or [])]
    replaced += [] if seed is None else [f"seed={seed}"]
    replaced += [] if device is None else [f"device={device}"]
    chosen = load_recipe(recipe, replaced)
    folder = out or Path("runs") / chosen.name
    try:
        checkpoint = run.train(chosen, folder, resume=resume, max_minutes=max_minutes)
    except KeyboardInterrupt:
        again = ["ifdd", "train", str(recipe), "--out", str(folder), *(part for text in replaced for part in ("--set", text))]
        typer.echo(f"interrupted: {what_is_kept(chosen, folder)}: {shlex.join([*again, *resumed(folder)])}", err=True)
        raise typer.Exit(130) from None
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    _show_metrics(metrics["test"], as_json, {"checkpoint": str(checkpoint)})


@app.command()
def sweep(
    recipes: Annotated[list[Path], typer.Argument(metavar="RECIPE...", help="YAML files, see recipes/.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Folder of the runs; a run that is complete there is kept.")],
    seeds: Annotated[str, typer.Option(help="Seeds with commas; each trains every recipe.")] = "0",
    jobs: Annotated[int, typer.Option(min=1, help="Trainings at a time; they share the cores.")] = 1,
) -> None:
    """Train several recipes with several seeds; the same command goes on where it stopped.

    Example: ifdd sweep recipes/noisy-*.yaml --seeds 0,1,2 --out runs/noisy --jobs 2
    """
    from ifdd.training.sweep import sweep as train_all

    try:
        numbers = [int(text) for text in seeds.split(",")]
    except ValueError:
        raise InputError(f"--seeds {seeds}: write whole numbers with commas, e.g. 0,1,2") from None
    for checkpoint in train_all(recipes, out, seeds=numbers, jobs=jobs, say=typer.echo):
        typer.echo(str(checkpoint))


@app.command()
def evaluate(
    ctx: typer.Context,
    checkpoint: Annotated[str, typer.Argument(help="Name or folder of a checkpoint.")],
    out: Annotated[Path, typer.Option(help="New folder for metrics.json and predictions.parquet.")],
    manifest: Annotated[Path | None, typer.Option(help="List of clips (docs/manifest.md), or its folder.")] = None,
    suite: Annotated[str | None, typer.Option(help="train, val or test of the checkpoint's own scripted data.")] = None,
    cache: Annotated[Path, typer.Option(help="Where decoded or rendered clips are kept.")] = Path("cache"),
    on_error: OnErrorOption = "stop",
    batch: Batch = 16,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Score a checkpoint on a manifest, or on a split of the scripted data that its card names.

    Example: ifdd evaluate scripted-tiny-ifdd --suite test --out runs/again
    """
    from ifdd.checkpoints import load_checkpoint
    from ifdd.device import choose_device
    from ifdd.io import claim
    from ifdd.training.clipsets import from_inputs, from_suite, joined, shown_to, suite_of_card
    from ifdd.training.evaluation import write_evaluation

    if (manifest is None) == (suite is None):
        raise InputError("give either --manifest or --suite: the clips to evaluate on")
    if out.exists():
        raise InputError(f"{out} exists; choose another --out or remove it")
    ctx.with_resource(claim(out))
    bundle = load_checkpoint(checkpoint)
    if manifest is not None:
        clips = from_inputs(manifest, bundle.inputs, bundle.labels, cache, on_error=on_error)
    else:
        assert suite is not None
        config = suite_of_card(bundle.card, suite)
        clips = joined({name: from_suite(config, read.frames, read.size, cache) for name, read in bundle.inputs.items()})
    clips = shown_to(bundle.card, clips)
    metrics = write_evaluation(bundle, clips, out, batch=batch, device=str(choose_device(device)))
    _show_metrics(metrics, as_json, {"out": str(out)})


@app.command()
def predict(
    video: Annotated[Path, typer.Argument(help="Video file or folder of frames.")],
    checkpoint: Annotated[str, typer.Option(help="Name or folder of a checkpoint.")],
    crop: Annotated[str | None, typer.Option(help="face, center or none; default: the checkpoint's.")] = None,
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
    from dataclasses import replace

    from ifdd.checkpoints import load_checkpoint
    from ifdd.data.clips import as_clips, load_inputs
    from ifdd.device import choose_device
    from ifdd.inputs import each

    bundle = load_checkpoint(checkpoint)
    inputs = {name: read if crop is None else replace(read, crop=crop) for name, read in bundle.inputs.items()}
    try:
        found = load_inputs(video, inputs, face=face, start=start, end=end, fps=fps)
    except NoFaceError as error:
        raise NoFaceError(error.finding, NoFaceError.OPTIONS) from None
    warned = list(dict.fromkeys(note for clip in found.values() for note in clip.warnings))
    for warning in warned:
        typer.echo(f"warning: {video}: {warning}", err=True)
    place = choose_device(device)
    bundle.model.to(place)
    probabilities = bundle.predict(each(as_clips(found), lambda part: part[None].to(place)))[0].tolist()
    named = dict(zip(bundle.labels, probabilities, strict=True))
    if as_json:
        about = {"video": str(video), "checkpoint": bundle.name, "notice": bundle.card.notice}
        say_json({**about, "probabilities": named, "warnings": warned})
        return
    typer.echo(f"note: {terminal_text(bundle.card.notice)}", err=True)
    for label, probability in sorted(named.items(), key=lambda item: -item[1]):
        typer.echo(f"{label:<10} {probability:6.1%}")


def _show_metrics(metrics: dict[str, Any], as_json: bool, where: dict[str, str]) -> None:
    for note in metrics.get("notes", ()):
        typer.echo(f"warning: {terminal_text(note)}", err=True)
    if as_json:
        say_json(metrics | where)
        return
    for name in ("WAR", "UAR"):
        low, high = metrics["intervals"][name]
        guess = metrics["constant_guess"][name]
        typer.echo(f"{name} {metrics[name]:.1%} (95 % interval {low:.1%} – {high:.1%}; constant guess {guess:.1%})")
    for label, recall in metrics["recall"].items():
        low, high = metrics["recall_intervals"][label]
        typer.echo(f"  {label:<10} {recall:6.1%} of {metrics['counts'][label]} (95 % interval {low:.1%} – {high:.1%})")
    typer.echo(f"intervals {metrics['intervals_over']}")
    for key, value in where.items():
        typer.echo(f"{key}: {value}")


def main() -> None:
    """Run the command line; bad input ends with one line on standard error and exit code 1 (Ctrl-C: 130, by Typer)."""
    warnings.showwarning = _show_warning
    escape_what_cannot_be_printed()
    try:
        app(standalone_mode=True)
    except InputError as error:
        _fail(str(error))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"{where}{error.strerror or error}")


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    typer.echo(f"warning: {terminal_text(message)}", err=True)


def _fail(message: str) -> None:
    typer.echo(f"error: {terminal_text(message)}", err=True)
    sys.exit(1)

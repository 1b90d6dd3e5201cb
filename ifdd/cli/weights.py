"""The command `ifdd weights`: checkpoints at hand, whether they are whole, and those of others."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from ifdd.cli.options import Json, say_json
from ifdd.errors import InputError

weights_app = typer.Typer(no_args_is_help=True, help="Checkpoints: which there are, whether they are whole, and those of others.")


@weights_app.command(name="list")
def list_weights(as_json: Json = False) -> None:
    """List the checkpoints that can be loaded by name: model, size on disk, score on their test set.

    They are looked for in $IFDD_CHECKPOINTS, ./checkpoints, and beside the package.

    Example: ifdd weights list
    """
    from ifdd.checkpoints import WEIGHTS, list_checkpoints, read_card

    rows: dict[str, dict[str, Any]] = {}
    for name, folder in list_checkpoints().items():
        try:
            card = read_card(folder)
            file = folder / WEIGHTS
            about = card.model.model_dump(mode="json")
            row: dict[str, Any] = {key: about[key] for key in ("backbone", "split", "lift") if key in about}
            row = row or {"family": card.model.family}
            row |= {"mb": round(file.stat().st_size / 1e6, 2) if file.is_file() else None}
            row |= {key: card.metrics.get("test", {}).get(key) for key in ("WAR", "UAR")}
        except InputError as error:
            row = {"problem": str(error)}
        rows[name] = row | {"path": str(folder)}
    if as_json:
        say_json(rows)
        return
    if not rows:
        typer.echo("no checkpoints; train one with `ifdd train`, or set IFDD_CHECKPOINTS to the folder that holds them")
    for name, row in rows.items():
        if "problem" in row:
            typer.echo(f"{name:<28} {row['problem']}")
            continue
        score = "not tested" if row["WAR"] is None else f"test WAR {row['WAR']:.1%}, UAR {row['UAR']:.1%}"
        size = "no weights" if row["mb"] is None else f"{row['mb']:.1f} MB"
        kind = f"{row['backbone']}, split {row['split']}, lift {row['lift']}" if "backbone" in row else f"family {row['family']}"
        typer.echo(f"{name:<28} {kind}, {size}, {score}")


@weights_app.command()
def verify(
    checkpoints: Annotated[list[str] | None, typer.Argument(help="Names or folders; default: all that can be found.")] = None,
    as_json: Json = False,
) -> None:
    """Check that checkpoints are whole: card, checksum, every weight of its shape and type and finite, one clip goes through.

    Ends with exit code 1 if one is not.

    Example: ifdd weights verify scripted-tiny-ifdd
    """
    from ifdd.checkpoints import list_checkpoints, verify_checkpoint

    problems: dict[str, str | None] = {}
    for name in checkpoints or list_checkpoints():
        try:
            verify_checkpoint(name)
            problems[name] = None
        except InputError as error:
            problems[name] = str(error)
        if not as_json:
            typer.echo(f"{name:<28} {problems[name] or 'whole'}", err=problems[name] is not None)
    if as_json:
        say_json(problems)
    if not problems:
        raise InputError("no checkpoints found; name one, or set IFDD_CHECKPOINTS to the folder that holds them")
    if any(problems.values()):
        raise typer.Exit(1)


@weights_app.command()
def convert(
    file: Annotated[Path, typer.Argument(help="Checkpoint of the released code, .pth, or its weights as safetensors.")],
    out: Annotated[Path, typer.Option(help="New folder; its name is the checkpoint's.")],
    labels: Annotated[str, typer.Option(help="Class names in the order of the logits, with commas.")],
    key: Annotated[
        str | None,
        typer.Option("--key", "--weights", help="Which weights, e.g. ema; default: model, or the only ones in the file."),
    ] = None,
    lift: Annotated[Literal["update-first", "predict-first"] | None, typer.Option(help="Order; default as released.")] = None,
    split: Annotated[Literal["even-odd", "topk"] | None, typer.Option(help="Where the weights tell no split.")] = None,
    frames: Annotated[int | None, typer.Option(help="Frames of a clip: 8, 16 (default) or 32.")] = None,
    kinetics: Annotated[
        str | None,
        typer.Option(
            "--kinetics",
            metavar="MODEL",
            help="The file is torchvision's mvit_v2_s, r3d_18 or r2plus1d_18: what to begin, e.g. "
            "ifdd-mvit-xs; a recipe's init_from takes its backbone.",
        ),
    ] = None,
    clip: Annotated[
        str | None,
        typer.Option(
            "--clip",
            metavar="MODEL",
            help="The file is CLIP's state dict, OpenAI's or open_clip's: what to begin, ous-clip-b32 or ous-clip-l14; "
            "a recipe's init_from takes its encoders.",
        ),
    ] = None,
    gelu: Annotated[
        Literal["quick-gelu", "gelu"] | None, typer.Option(help="Of CLIP's weights: OpenAI's have quick-gelu, the default.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Convert a checkpoint of the released code, or weights of torchvision (Kinetics) or CLIP; nothing in the file is run.

    Options name what leaves no trace in the weights.

    Example: ifdd weights convert dfew.pth --out checkpoints/dfew --labels happy,sad,neutral,angry,surprise,disgust,fear
    """
    from ifdd.labels import parse_labels
    from ifdd.weights import converting as conversion

    told: dict[str, Any] = {
        key: value for key, value in (("lift", lift), ("split", split), ("frames", frames)) if value is not None
    }
    if clip is not None and (kinetics or lift or split):
        raise InputError("--kinetics, --lift and --split are of other weights than --clip; leave them out")
    if gelu is not None and clip is None:
        raise InputError("--gelu is of CLIP's weights; name what to begin from them with --clip, e.g. ous-clip-b32")
    if clip is not None:
        told |= {"gelu": gelu} if gelu else {}
        folder = conversion.convert_clip(file, out, clip, parse_labels(labels), key, **told)
    elif kinetics is None:
        folder = conversion.convert(file, out, parse_labels(labels), key, **told)
    elif lift or split:
        raise InputError(
            "--lift and --split are of the released code's weights; with --kinetics MODEL names them, e.g. ifdd-mvit-xs"
        )
    else:
        folder = conversion.convert_kinetics(file, out, kinetics, parse_labels(labels), key, **told)
    if as_json:
        say_json({"out": str(folder)})
    else:
        typer.echo(folder)

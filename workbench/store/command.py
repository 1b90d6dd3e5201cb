"""The commands `workbench collect` and `workbench demo`."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from ifdd.cli.options import OnErrorOption
from ifdd.errors import InputError
from ifdd.own_code import ModelOption
from workbench.options import DatasetOption, Device, WorkspaceOption, named_bundle, names_in, say

collect_app = typer.Typer()
demo_app = typer.Typer()
init_app = typer.Typer()


@init_app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Folder to make.", show_default=False)],
    dataset: Annotated[
        list[str] | None, typer.Option(metavar="NAME=PATH", help="A manifest, or the folder that holds one; may be given again.")
    ] = None,
    checkpoint: Annotated[
        list[Path] | None, typer.Option(metavar="PATH", help="A checkpoint's or a run's folder; may be given again.")
    ] = None,
) -> None:
    """Make a workspace: a folder of datasets, checkpoints, collections and results, which the app and the commands open.

    Datasets and checkpoints are linked, not copied. Without a checkpoint those known by name are offered.
    Example: workbench init mine --dataset mine=clips/clips.parquet --checkpoint runs/NAME
    """
    from workbench.store.workspace import init_workspace

    datasets: dict[str, Path] = {}
    for text in dataset or ():
        name, between, path = text.partition("=")
        if not between or not path:
            raise InputError(f"--dataset {text}: is not NAME=PATH; write e.g. mine=clips/clips.parquet")
        if name in datasets:
            raise InputError(f"--dataset {text}: there is a dataset {name} already; give it another name")
        datasets[name] = Path(path)
    made = init_workspace(folder, datasets, checkpoint or ())
    typer.echo(f"{made.folder}: datasets {', '.join(made.datasets) or 'none'}; see it with workbench app {made.folder}")


@collect_app.command()
def collect(
    checkpoint: Annotated[
        str | None, typer.Argument(help="Name or folder of a checkpoint; with --model the clips stand here.", show_default=False)
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Argument(help="List of clips (docs/manifest.md), its folder, or a dataset of the workspace.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder to make; of a workspace's dataset by default where the app looks for it.", show_default=False),
    ] = None,
    workspace: WorkspaceOption = None,
    dataset: DatasetOption = None,
    model: ModelOption = None,
    names: Annotated[
        str | None,
        typer.Option(
            help="Activations to keep, with commas between; by default all that is small, in a workspace also means of the "
            "feature maps that figures need.",
            show_default=False,
        ),
    ] = None,
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
    from workbench.store.collecting import collect as run
    from workbench.store.dataset import kept_of
    from workbench.store.given import Given

    if out is not None:
        check_new(out)
    given = Given(workspace, dataset)
    if model is not None and checkpoint is not None:
        if manifest is not None:
            raise InputError(f"both the checkpoint {checkpoint} and --model {model} are given; give one of them")
        manifest, checkpoint = Path(checkpoint), None
    data = given.data(manifest)
    chosen = None if names is None else tuple(names_in(names))
    if checkpoint is not None:
        check_new(out or given.collection_folder(checkpoint, data))
    bundle = named_bundle(given, checkpoint, model, device)
    place = out or given.collection_folder(checkpoint or bundle.name, data)
    check_new(place)
    if out is None and names is None:
        chosen, pool = kept_of(bundle.model), "mean"
    try:
        found = run(bundle, data.manifest, place, chosen, pool, batch=batch, on_error=on_error, cache=cache, progress=True)
    except KeyboardInterrupt:
        say("interrupted: what was read is kept; the same command goes on from there")
        raise typer.Exit(130) from None
    for note in found.notes:
        say(f"warning: {note}")
    if not found.has_labels:
        say(f"warning: {data.manifest} has no labels: predictions are kept, nothing can be scored")
    if as_json:
        typer.echo(json.dumps(found.meta, ensure_ascii=False))
    else:
        typer.echo(f"{place}: {found.meta['clips']} clips, {', '.join(found.activation_names)}")


@demo_app.command()
def demo(
    out: Annotated[Path | None, typer.Option(help="Folder; by default $IFDD_DEMO, or demo beside the package.")] = None,
    clips: Annotated[int, typer.Option(min=7, help="Clips to render.")] = 140,
    device: Device = "auto",
) -> None:
    """Prepare what the app shows: rendered clips, collected with the checkpoints that were tested on such clips.

    Example: workbench demo
    """
    from ifdd.device import choose_device
    from workbench.store.demo import prepare_demo
    from workbench.store.workspace import demo_folder

    out = out or demo_folder()
    collections = prepare_demo(out, clips, choose_device(device))
    typer.echo(f"{out}: {clips} clips, collected with {', '.join(collections)}")

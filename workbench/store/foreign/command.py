"""The command `workbench import`."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from ifdd.errors import InputError
from workbench.options import DataOption, DatasetOption, WorkspaceOption, say

import_app = typer.Typer()


@import_app.command(name="import")
def import_(
    file: Annotated[
        Path,
        typer.Argument(
            help="Predictions: .csv, .tsv, .txt, .parquet, .npz, or a folder of MAE-DFER's 0.txt … (docs/other_models.md).",
            show_default=False,
        ),
    ],
    name: Annotated[str, typer.Option(help="Name of the model, e.g. MAE-DFER.", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder to make; of a workspace's dataset by default where the app looks for it.", show_default=False),
    ] = None,
    data: DataOption = None,
    workspace: WorkspaceOption = None,
    dataset: DatasetOption = None,
    labels: Annotated[
        str | None,
        typer.Option(
            help="Classes in the order of columns without names, with commas between; or a known order: @dfew, @mafw-paper …"
        ),
    ] = None,
    mapping: Annotated[
        str | None, typer.Option("--map", metavar="NAME=CLASS,...", help="What the file's names of classes mean, if not clear.")
    ] = None,
    zeros: Annotated[
        str | None,
        typer.Option(help="Classes that the model does not know, with commas between: it never says them (probability 0)."),
    ] = None,
    id_column: Annotated[str | None, typer.Option("--id", help="Column of clip ids or paths; default: by its name.")] = None,
    logits: Annotated[
        bool | None,
        typer.Option("--logits/--probabilities", help="What the numbers are; default: by the columns' names, or by their sums."),
    ] = None,
    split: Annotated[str | None, typer.Option(help="Part that is taken, of a file with a column split; default: test.")] = None,
    features: Annotated[
        Path | None, typer.Option(help="What the classifier reads, n × d: .npy in the file's order, or .npz, .parquet with ids.")
    ] = None,
    partial: Annotated[bool, typer.Option("--partial", help="The file has a part of the clips only, e.g. one fold.")] = False,
    keep_order: Annotated[
        bool, typer.Option("--keep-order", help="Keep the classes as they are called, though another order explains the labels.")
    ] = False,
    on_error: Annotated[
        Literal["stop", "skip"],
        typer.Option(help="Predictions of clips that the dataset lacks: stop and name them, or leave them out."),
    ] = "stop",
    as_json: Annotated[bool, typer.Option("--json", help="Print the collection's manifest.")] = False,
) -> None:
    """Show what another model predicted, of a file: the result stands beside collections of our own.

    Classes are matched by name, clips by id or by the end of their path. Labels in the file are compared with the dataset's.
    Example: workbench import predictions.csv --dataset clips --name MAE-DFER
    """
    from ifdd.io import check_new
    from ifdd.labels import parse_labels, parse_map
    from workbench.store.foreign.scores import Reading, parse_order
    from workbench.store.foreign.task import Options, import_predictions
    from workbench.store.given import Given

    given = Given(workspace, dataset)
    found = given.data(data)
    if out is None and name in given.place.checkpoints():
        raise InputError(f"--name {name}: is a checkpoint of {given.place.folder}; give the predictions another name")
    place = out or given.collection_folder(name, found)
    check_new(place)
    kind: Literal["logits", "probabilities"] | None = None if logits is None else "logits" if logits else "probabilities"
    order = None if labels is None else parse_order(labels)
    reading = Reading(
        id_column,
        order,
        None if mapping is None else parse_map(mapping),
        kind,
        split,
        () if zeros is None else parse_labels(zeros, "--zeros"),
    )
    made = import_predictions(
        file, found.manifest, name, place, Options(reading, features, partial, on_error == "skip", keep_order)
    )
    for note in (made.meta["imported"]["matched"], *made.notes):
        say(f"note: {note}")
    if as_json:
        typer.echo(json.dumps(made.meta, ensure_ascii=False))
    else:
        kept = ", ".join(made.activation_names)
        typer.echo(f"{place}: {made.meta['clips']} clips, classes {', '.join(made.labels)}{f', kept {kept}' if kept else ''}")

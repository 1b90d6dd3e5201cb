"""The command `workbench embed`: maps of the clips of collections."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from ifdd.errors import InputError
from ifdd.own_code import ModelOption
from workbench.options import (
    CollectionsIfGiven,
    DatasetOption,
    Device,
    ResultsOption,
    WorkspaceOption,
    named_bundle,
    names_in,
    tell_where,
)
from workbench.results.written import written

app = typer.Typer()


@app.command()
def embed(
    ctx: typer.Context,
    models: CollectionsIfGiven = None,
    model: ModelOption = None,
    out: ResultsOption = None,
    workspace: WorkspaceOption = None,
    dataset: DatasetOption = None,
    activation: Annotated[
        str | None,
        typer.Option(
            help="Name, by default what the classifier reads; several with commas between, or 'stages' for all that are kept, "
            "make a film."
        ),
    ] = None,
    method: Annotated[Literal["tsne", "umap", "pca"], typer.Option(help="t-SNE, UMAP or PCA.")] = "tsne",
    place: Annotated[
        Path | None,
        typer.Option(
            help="Further clips to place on the map: a dataset that the checkpoint has read, or folder of a collection."
        ),
    ] = None,
    colour_by: Annotated[
        Literal["label", "prediction", "correct"] | None,
        typer.Option(
            help="What colours tell, in a single map; by default the label, without labels the prediction.", show_default=False
        ),
    ] = None,
    clips: Annotated[
        int | None, typer.Option(min=5, help="At most so many clips, of each class alike; default: all.", show_default=False)
    ] = None,
    perplexity: Annotated[float, typer.Option(help="Of t-SNE.")] = 30.0,
    neighbors: Annotated[int, typer.Option(help="Of UMAP.")] = 15,
    k: Annotated[int, typer.Option(min=1, help="Neighbours of the quality figures.")] = 5,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the map and of the shuffled labels.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Threads; above 1 a map is not the same again to the last digit.")] = 1,
    device: Device = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print embedding.json.")] = False,
) -> None:
    """Map clips to two dimensions, with figures that say how far to trust the map.

    Several collections of the same clips are put side by side; several activations of one make a film over the stages.
    Example: workbench embed scripted-tiny-ifdd --activation stages
    """
    from ifdd.io import check_new, claim
    from workbench.analysis.embedding.results import MapOptions
    from workbench.analysis.embedding.task import Options, run, write
    from workbench.results.passport import Context, command_line
    from workbench.store.given import Given

    given, asked = Given(workspace, dataset), out
    out = given.out(out, "embed")
    check_new(out)
    ctx.with_resource(claim(out))
    opened = [given.collection(name) for name in models or ()]
    if model is not None:
        opened.append(given.read(named_bundle(given, None, model, device)))
    if not opened:
        raise InputError("give a model that has read the dataset by its name, a collection, or --model MODULE:FACTORY")
    further = None if place is None else given.further(place, opened[0].name if model else (models or [""])[0])
    names = None if activation is None else tuple(names_in(activation))
    options = Options(names, method, seed, MapOptions(perplexity, neighbors, k, jobs), clips)
    found = run(opened, options, further)
    context = Context.of(command_line(), collections=opened if further is None else [*opened, further])
    write(found, out, context, colour_by)
    if as_json:
        typer.echo(json.dumps(json.loads((out / "embedding.json").read_text(encoding="utf-8")), ensure_ascii=False))
        tell_where(out, asked)
    else:
        typer.echo(written(out))

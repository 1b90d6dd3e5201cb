"""The command `workbench embed`: maps of the clips of collections."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from ifdd.errors import InputError
from workbench.results.written import written

maps_app = typer.Typer()


@maps_app.command()
def embed(
    ctx: typer.Context,
    collections: Annotated[
        list[Path], typer.Argument(metavar="COLLECTION...", help="Made by workbench collect.", show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="Folder to make.", show_default=False)],
    activation: Annotated[
        str | None,
        typer.Option(
            help="Name, by default what the classifier reads; several with commas between, or 'stages' for all that are kept, "
            "make a film."
        ),
    ] = None,
    method: Annotated[Literal["tsne", "umap", "pca"], typer.Option(help="t-SNE, UMAP or PCA.")] = "tsne",
    place: Annotated[Path | None, typer.Option(help="Collection of further clips to place on the map.")] = None,
    colour_by: Annotated[
        Literal["label", "prediction", "correct"], typer.Option(help="What colours tell, in a single map.")
    ] = "label",
    perplexity: Annotated[float, typer.Option(help="Of t-SNE.")] = 30.0,
    neighbors: Annotated[int, typer.Option(help="Of UMAP.")] = 15,
    k: Annotated[int, typer.Option(min=1, help="Neighbours of the quality figures.")] = 5,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the map and of the shuffled labels.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Threads; above 1 a map is not the same again to the last digit.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print embedding.json.")] = False,
) -> None:
    """Map clips to two dimensions, with figures that say how far to trust the map.

    Several collections of the same clips are put side by side; several activations of one make a film over the stages.
    Example: workbench embed runs/scripted --activation stages --out runs/film
    """
    from ifdd.io import check_new, claim
    from workbench.analysis.embedding.files import write_map, write_series
    from workbench.analysis.embedding.task import embedding_of, film_of_stages, map_clips, map_models, place_clips
    from workbench.results.passport import Context, command_line
    from workbench.store.collection import open_collection

    check_new(out)
    ctx.with_resource(claim(out))
    opened = [open_collection(folder) for folder in collections]
    names = [embedding_of(opened[0])] if activation is None else [part.strip() for part in activation.split(",") if part.strip()]
    if not names:
        raise InputError(f"--activation names nothing; give one, e.g. {embedding_of(opened[0])}")
    options: dict[str, Any] = {"perplexity": perplexity, "neighbors": neighbors, "k": k, "seed": seed, "jobs": jobs}
    film = len(names) > 1 or names == ["stages"]
    if (film or place) and len(opened) > 1:
        raise InputError(f"{'a film' if film else '--place'} is of one collection, {len(opened)} are given; give one")
    if film and place:
        raise InputError("--place is for a map of one activation; give one")
    context = Context.of(command_line(), collections=opened)
    if film:
        series = film_of_stages(opened[0], [] if names == ["stages"] else names, method, **options)
        text = write_series(series, opened[0], out, context)
    elif len(opened) > 1:
        series = map_models(opened, names[0], method, **options)
        text = write_series(series, opened[0], out, context)
    else:
        found = map_clips(opened[0], names[0], method, **options)
        placed = None
        if place is not None:
            further = open_collection(place)
            placed = place_clips(found, opened[0], further, names[0])
            context = Context.of(command_line(), collections=[*opened, further])
        text = write_map(found, opened[0], out, colour_by, placed, context)
    typer.echo(json.dumps(json.loads(text), ensure_ascii=False) if as_json else written(out))

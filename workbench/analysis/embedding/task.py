"""From collections to maps of their clips: one map, several models on the same clips, or a film over the stages of one model.

<out>/  embedding.json   clips.parquet   embedding.png   embedding.svg   embedding.html
        of stages also film.html   film.mp4 (or .gif)
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from ifdd.data.manifest import of_each_class
from ifdd.documents import read_json
from ifdd.errors import InputError
from ifdd.io import new_folder, write_text
from ifdd.tables import read_table
from workbench.analysis.embedding.displays.scatter import ColourBy, EmbeddingDisplay
from workbench.analysis.embedding.displays.series import EmbeddingSeriesDisplay
from workbench.analysis.embedding.placing import place
from workbench.analysis.embedding.projection import embed
from workbench.analysis.embedding.results import (
    NO_LABEL,
    EmbeddingResult,
    EmbeddingSeries,
    MapOptions,
    Method,
    PlacedClips,
    Start,
)
from workbench.analysis.embedding.series import embed_series
from workbench.plotting.base import Display
from workbench.plotting.images import can_write_mp4
from workbench.results.passport import PYTHON_CALL, Context
from workbench.store.collection import Collection, distinct_names
from workbench.store.tables import persons, usable

STAGES = ("stage", "X", "read", "branch", "embedding")
"""Roles of the stages of a network that a film shows, in the order in which a clip passes them."""
_CHUNK = 64  # clips read at a time


@dataclass(frozen=True)
class Options:
    """What is mapped and how: one activation for a map, several or "stages" for a film; none is what the classifier reads.

    `clips`: at most so many, of each class alike; None for all. `measured`: whether the figures of a map's quality are taken.
    """

    activations: tuple[str, ...] | None = None
    method: Method = "tsne"
    seed: int = 0
    map: MapOptions = field(default_factory=MapOptions)
    clips: int | None = None
    measured: bool = True


@dataclass(frozen=True, eq=False)
class Embedded:
    """Maps of the clips in `table`, rows of the first collection; `placed` are further clips with their rows.

    No `Result`: rows of collections, of whatever columns their manifests have, are written as a table (clips.parquet).
    """

    found: EmbeddingResult | EmbeddingSeries
    table: pd.DataFrame
    placed: tuple[PlacedClips, pd.DataFrame] | None = None


DEFAULT = Options()


def run(collections: Sequence[Collection], options: Options = DEFAULT, further: Collection | None = None) -> Embedded:
    """Map the clips of one collection, of several side by side, or over the stages of one; place `further` clips.

    Raises:
        InputError: no activation, a film or `further` clips with several collections, and as what makes the maps.
    """
    first = collections[0]
    names = tuple(map(embedding_of, collections))[:1] if options.activations is None else options.activations
    if not names:
        raise InputError(f"--activation names nothing; give one, e.g. {embedding_of(first)}")
    film = len(names) > 1 or names == ("stages",)
    if (film or further is not None) and len(collections) > 1:
        raise InputError(f"{'a film' if film else '--place'} is of one collection, {len(collections)} are given; give one")
    if film and further is not None:
        raise InputError("--place is for a map of one activation; give one")
    how: dict[str, Any] = {"seed": options.seed, "options": options.map, "clips": options.clips, "measured": options.measured}
    table = same_rows(collections, options.clips)[0]
    if film:
        stages = () if names == ("stages",) else names
        return Embedded(film_of_stages(first, stages, options.method, **how), table)
    if len(collections) > 1:
        asked = None if options.activations is None else names[0]
        return Embedded(map_models(collections, asked, options.method, **how), table)
    found = map_clips(first, names[0], options.method, **how)
    placed = None if further is None else place_clips(found, first, further, names[0])
    return Embedded(found, table, placed)


def write(result: Embedded, out: Path, context: Context = PYTHON_CALL, colour_by: ColourBy | None = None) -> list[Path]:
    """Write the new folder `out`, all of it or nothing; returns its files. `colour_by` is for a single map, as its display.

    Raises:
        InputError: `out` exists.
    """
    if isinstance(result.found, EmbeddingSeries):
        _write_series(result.found, result.table, out, context)
    else:
        _write_map(result.found, result, out, context, colour_by)
    return sorted(out.iterdir())


def _write_map(found: EmbeddingResult, result: Embedded, out: Path, context: Context, colour_by: ColourBy | None) -> None:
    table, placed = result.table, result.placed
    rows = clip_rows({"map": found}, table)
    summary = _without_clips(found.to_dict())
    if placed is not None:
        rows = pd.concat([rows, placed_rows("map", *placed)], ignore_index=True)
        summary["placed"] = placed[0].accuracy.to_dict()
    display = EmbeddingDisplay.from_result(
        found, table["prediction"].to_numpy(), colour_by, placed=None if placed is None else placed[0]
    )
    with new_folder(out) as folder:
        _write_common(folder, summary | {"caption": found.caption}, rows, display, context)
        _write_page(display.to_plotly(clip_ids=list(table["clip_id"])), folder / "embedding.html")


def _write_series(series: EmbeddingSeries, table: pd.DataFrame, out: Path, context: Context) -> None:
    display = EmbeddingSeriesDisplay.from_result(series)
    plain = series.to_dict()
    plain["maps"] = {name: _without_clips(found) for name, found in zip(series.names, plain["maps"], strict=True)}
    rows = clip_rows(dict(zip(series.names, series.maps, strict=True)), table)
    with new_folder(out) as folder:
        _write_common(folder, plain | {"caption": display.caption}, rows, display, context)
        _write_page(display.to_plotly(), folder / "embedding.html")
        if series.onto == "previous":
            _write_page(display.to_film(), folder / "film.html")
            display.save_film(folder / ("film.mp4" if can_write_mp4() else "film.gif"))


def _without_clips(plain: dict[str, Any]) -> dict[str, Any]:
    """A map's numbers without what clips.parquet holds."""
    return {key: value for key, value in plain.items() if key not in ("xy", "labels")}


def _write_common(folder: Path, plain: dict[str, Any], rows: pd.DataFrame, display: Display, context: Context) -> None:
    write_text(folder / "embedding.json", json.dumps(plain, indent=1, ensure_ascii=False) + "\n")
    rows.to_parquet(folder / "clips.parquet", index=False)
    for suffix in ("png", "svg"):
        display.save(folder / f"embedding.{suffix}", context=context)


def _write_page(figure: go.Figure, file: Path) -> None:
    """One page that needs nothing else, online or not."""
    figure.write_html(file, include_plotlyjs=True, full_html=True)


def has_features(collection: Collection) -> bool:
    """Whether it is known what the classifier reads: of predictions alone it is where they came with features."""
    return bool(collection.with_roles("embedding", kept=False))


def embedding_of(collection: Collection) -> str:
    """Name of the activation that the classifier reads. Raises: InputError for predictions that came without features."""
    if not has_features(collection):
        raise InputError(
            f"{collection.folder} has no features, what the classifier of {collection.name} reads; import its predictions with "
            "--features FILE"
        )
    return collection.with_roles("embedding", kept=False)[0]


def vectors(collection: Collection, activation: str) -> np.ndarray:
    """An activation as one row for each clip, (n, d) float32: means over the positions of maps and tokens, else all values.

    Raises: InputError for an activation that was not kept, with the command that keeps it.
    """
    values = collection.activation(activation)
    if not collection.describe(activation).spatial:  # or its mean is kept
        return np.asarray(values, np.float32).reshape(len(values), -1)
    positions = (2, 3, 4) if values.ndim == 5 else (1,)
    chunks = [values[i : i + _CHUNK].astype(np.float32).mean(positions) for i in range(0, len(values), _CHUNK)]
    return np.concatenate(chunks)


def map_clips(
    collection: Collection, activation: str, method: Method = "tsne", *, clips: int | None = None, **options: Any
) -> EmbeddingResult:
    """Map the clips of a collection by one activation, at most so many `clips` of each class alike; `options` as `embed`.

    Raises: InputError as `vectors`, `embed`.
    """
    table = same_rows([collection], clips)[0]
    rows = _rows(collection, activation, table)
    try:
        return embed(rows, _true(table), method, **_labels(collection, table), **options)
    except InputError as error:
        raise InputError(f"{activation} of {collection.folder}: {error}") from error


def place_clips(result: EmbeddingResult, old: Collection, new: Collection, activation: str) -> tuple[PlacedClips, pd.DataFrame]:
    """Place the clips of `new`, of the same checkpoint as `old`, on a map of `old`; and their rows.

    Raises: InputError for another checkpoint, whose axes mean other things.
    """
    if old.model_key != new.model_key:
        raise InputError(
            f"{new.folder} was collected with {new.name}, the map with {old.name}; collect the new clips with {old.name}"
        )
    table = usable(new)
    return place(result, _rows(new, activation, table), _true(table)), table


def map_models(
    collections: Sequence[Collection],
    activation: str | None = None,
    method: Method = "tsne",
    *,
    clips: int | None = None,
    **options: Any,
) -> EmbeddingSeries:
    """Maps of the same clips by several models, turned onto the first; by default of what each classifier reads.

    `clips` as `map_clips`, `options` as `embed_series`.
    Raises: InputError for other clips, or other classes, than the first collection has.
    """
    first = collections[0]
    collections = [collection.in_order(first.labels) for collection in collections]
    tables = same_rows(collections, clips)
    names = distinct_names(collections)
    return embed_series(
        {name: _rows(c, activation or embedding_of(c), t) for name, c, t in zip(names, collections, tables, strict=True)},
        _true(tables[0]),
        method,
        clip_ids={name: list(t["clip_id"]) for name, t in zip(names, tables, strict=True)},
        onto="first",
        **_labels(first, tables[0]),
        **options,
    )


def same_rows(collections: Sequence[Collection], clips: int | None = None) -> list[pd.DataFrame]:
    """`usable` of each collection, without the clips that one of them could not read or has no prediction of.

    `clips`: at most so many, of each class alike.
    """
    gone = frozenset().union(*(collection.left_out for collection in collections))
    tables = [table[~table["clip_id"].isin(gone)] for table in map(usable, collections)]
    if clips is None or clips >= len(tables[0]):
        return tables
    wanted = set(of_each_class(tables[0], clips)["clip_id"])
    return [table[table["clip_id"].isin(wanted)] for table in tables]


def film_of_stages(
    collection: Collection,
    activations: Sequence[str] = (),
    method: Method = "tsne",
    start: Start | None = None,
    *,
    clips: int | None = None,
    **options: Any,
) -> EmbeddingSeries:
    """Maps of the same clips at each stage of one model, each turned onto the one before; without names, all stages kept.

    By default t-SNE and UMAP begin each map from the one before. `clips` as `map_clips`, `options` as `embed_series`.
    Raises: InputError for fewer than two stages, with the command that keeps them.
    """
    names = list(activations) or list(collection.with_roles(*STAGES))
    if len(names) < 2:
        wanted = ",".join(collection.with_roles(*STAGES, kept=False))
        raise InputError(
            f"{collection.folder} holds {len(names)} of the stages, a film needs two or more; collect again with "
            f"workbench collect {collection.meta['checkpoint']['name']} {collection.meta['data']['manifest']} --names {wanted} "
            "--pool mean --out NEW"
        )
    table = same_rows([collection], clips)[0]
    ids = list(table["clip_id"])
    return embed_series(
        {name: _rows(collection, name, table) for name in names},
        _true(table),
        method,
        clip_ids=dict.fromkeys(names, ids),
        onto="previous",
        start=start or ("own" if method == "pca" else "previous"),
        **_labels(collection, table),
        **options,
    )


def mappable(collection: Collection) -> tuple[str, ...]:
    """Activations that a map can be made of: those kept with two numbers or more for each clip, as `vectors` has them."""
    found = []
    for name, about in collection.meta["activations"].items():
        shape = about["shape"]
        # of a map with places (C, T, H, W), or tokens (N, C), the means of the channels are left
        numbers = (shape[0] if len(shape) == 4 else shape[-1]) if collection.describe(name).spatial else int(np.prod(shape))
        found += [name] if numbers >= 2 else []
    return tuple(found)


def read(folder: Path) -> Embedded:
    """What `write` wrote: the maps, which place no further clips, and the rows of their clips (`clip_id`, `label_name`).

    Raises: InputError for another folder, or files that are damaged.
    """
    file, again = folder / "embedding.json", "remove the folder and make it again with workbench embed"
    plain, rows = read_json(file), read_table(folder / "clips.parquet", again)
    plain.pop("caption", None)
    plain.pop("placed", None)
    rows = rows[~rows["placed"]]
    names = list(dict.fromkeys(rows["map"]))
    table = rows[rows["map"] == names[0]].reset_index(drop=True)

    def whole(name: str, told: dict[str, Any]) -> dict[str, Any]:
        known = {label: number for number, label in enumerate(told["label_names"])}
        part = rows[rows["map"] == name]
        labels = [known.get(label, NO_LABEL) for label in part["label_name"]]
        return told | {"xy": part[["x", "y"]].to_numpy().tolist(), "labels": labels}

    if "maps" not in plain:
        return Embedded(EmbeddingResult.from_dict(whole(names[0], plain), str(file), again), table)
    plain["maps"] = [whole(name, told) for name, told in plain["maps"].items()]
    return Embedded(EmbeddingSeries.from_dict(plain, str(file), again), table)


def clip_rows(maps: dict[str, EmbeddingResult], table: pd.DataFrame) -> pd.DataFrame:
    """One row for each clip of each map: map, clip_id, label_name, x, y, placed (False)."""
    parts = [_places(name, found.xy, table, placed=False) for name, found in maps.items()]
    return pd.concat(parts, ignore_index=True)


def placed_rows(name: str, placed: PlacedClips, table: pd.DataFrame) -> pd.DataFrame:
    """The same of clips that were placed on the map `name`."""
    return _places(name, placed.xy, table, placed=True)


def _places(name: str, xy: np.ndarray, table: pd.DataFrame, *, placed: bool) -> pd.DataFrame:
    columns = {"map": name, "clip_id": table["clip_id"].to_numpy(), "label_name": table["label_name"].to_numpy()}
    return pd.DataFrame(columns | {"x": xy[:, 0], "y": xy[:, 1], "placed": placed})


def _rows(collection: Collection, activation: str, table: pd.DataFrame) -> np.ndarray:
    return vectors(collection, activation)[table["row"].to_numpy()]


def _true(table: pd.DataFrame) -> np.ndarray | None:
    """Class indexes (n,); None without labels."""
    return table["label"].to_numpy() if "correct" in table else None


def _labels(collection: Collection, table: pd.DataFrame) -> dict[str, Any]:
    return {"label_names": collection.labels, "groups": persons(table)}

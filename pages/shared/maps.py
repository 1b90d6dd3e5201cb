"""Maps of clips: made while the reader waits or, where that takes minutes, of a sample; and what belongs below them."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd
import streamlit as st

from shared import charts, jobs, looks, scatter, state, tables, view
from workbench.analysis.embedding.displays.colours import Colouring
from workbench.analysis.embedding.displays.scatter import EmbeddingDisplay
from workbench.analysis.embedding.displays.series import EmbeddingSeriesDisplay
from workbench.analysis.embedding.results import EmbeddingResult, EmbeddingSeries
from workbench.analysis.embedding.task import STAGES, Embedded, read, run
from workbench.app.clip_map import coloured, columns_to_colour, facts_of, map_data
from workbench.app.embeddings import Request, axes_of, maps_of, panels, twin
from workbench.app.from_ifdd import InputError
from workbench.app.reading import reading
from workbench.plotting.base import Display
from workbench.store.collection import Collection


def ask(request: Request, collections: Mapping[str, Collection], *, whole: bool = False) -> tuple[Embedded, Request]:
    """The maps of a request and, where not all clips are shown, the request that they are of.

    `whole`: what takes minutes is offered as a job, and shown once it is done; such maps place no further clips.
    """
    count = min(len(found.predictions) for found in collections.values())
    stages = len(next(iter(collections.values())).with_roles(*STAGES))
    if request.quick(count, stages):
        return made(request, collections), request
    sample = request.sampled(stages)
    note = f"t-SNE and UMAP of all {count} clips take minutes: these are {sample.clips}, of each class alike. PCA shows all."
    if not whole:
        looks.note(note)
    elif (folder := _offer(request, collections, note)) is not None:
        try:
            return _read(folder, folder.stat().st_mtime_ns), request
        except (InputError, OSError) as error:  # removed meanwhile, damaged, or of a version that wrote other files
            looks.show_error(error)
    return made(sample, collections), sample


def _offer(request: Request, collections: Mapping[str, Collection], note: str) -> Path | None:
    argv = request.cli(state.dataset().name, str(state.workspace().folder))
    of = [text for found in collections.values() for text in state.key_of(found)]
    return jobs.offer("Map of all clips", [*argv, "--out", "{out}"], "embedding_whole", inputs=of, about=note)


@st.cache_resource(max_entries=8, show_spinner="Reading the map …")
def _read(folder: Path, stamp: int) -> Embedded:
    return read(folder)


def made(request: Request, collections: Mapping[str, Collection]) -> Embedded:
    """The maps, kept for all readers; they place further clips."""
    key = [text for found in collections.values() for text in state.key_of(found)]
    return _made((*key, repr(request)), request, collections)


@st.cache_resource(max_entries=16, show_spinner="Making the map …")
def _made(key: tuple[str, ...], _request: Request, _collections: Mapping[str, Collection]) -> Embedded:
    found = list(_collections.values())
    return run(found, _request.options(len(found[0].predictions)))


def placed(found: Embedded, vectors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Where further clips, of features (d,) by name, lie on a single map. Raises: InputError as `EmbeddingResult.transform`."""
    if not isinstance(found.found, EmbeddingResult):
        raise InputError("further clips are placed on one map; ask for one model and one activation")
    return dict(zip(vectors, found.found.transform(np.stack(list(vectors.values()))), strict=True))


def draw(
    found: Embedded, title: str, key: str, colour: str = "", further: Mapping[str, np.ndarray] | None = None
) -> tuple[pd.DataFrame, Colouring, str]:
    """Draw maps with the selection marked, coloured by a column (by default the class), and `further` clips (2,) as stars.

    Returns the rows of the clips, their colours, and the maps in words.
    """
    rows = state.clip_table().reindex(found.table["clip_id"])
    colour = colour or columns_to_colour(rows)[0]
    colours = coloured(rows, colour)
    alt = f"Map of {len(rows)} clips, coloured by {colour}." + (f" Stars: {', '.join(further)}." if further else "")
    data = map_data(
        panels(found, title, further),
        rows,
        colours,
        column=colour,
        axes=axes_of(found.found),
        alt=alt,
        chosen=rows.index.isin(view.chosen(rows).index) if view.selection() else None,
        facts=facts_of(rows),
        thumbs=f"/thumbs/{quote(state.dataset().name, safe='')}/",
    )
    scatter.show(data, key)
    return rows, colours, alt


def show_below(
    found: EmbeddingResult | EmbeddingSeries, rows: pd.DataFrame, colours: Colouring, request: Request, alt: str
) -> None:
    """How far to trust the maps, their numbers, and ways to take them along."""
    display: Display
    if isinstance(found, EmbeddingResult):
        display = EmbeddingDisplay.from_result(found, colours=colours)
    else:
        display = EmbeddingSeriesDisplay.from_result(found, colours)
    looks.note(f"{display.caption}.")
    for note in dict.fromkeys(note for one in maps_of(found).values() for note in one.notes):
        looks.note(f"{note}.")
    with st.container(horizontal=True):
        _table(found, rows, colours, alt)
        with st.popover("How to read", icon=":material/help:", key="embedding_read"):
            charts.show_reading(reading("stages" if request.shown == "film" else "embedding"))
        charts.save_button({"embedding": display}, "-".join(request.models), "embedding_save")
        clips, place = state.dataset(), str(state.workspace().folder)
        charts.reproduce(request.cli(clips.name, place), request.python(clips.name, place), "embedding")


@st.fragment
def _table(found: EmbeddingResult | EmbeddingSeries, rows: pd.DataFrame, colours: Colouring, alt: str) -> None:
    """The numbers of the maps, made when the menu is opened: of 40,000 clips they are large."""
    with (menu := st.popover("Table", icon=":material/table:", key="embedding_table", on_change="rerun")):
        if menu.open:
            tables.bare(twin(found, rows, colours), "embedding_numbers", alt)

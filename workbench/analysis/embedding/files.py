"""What `workbench embed` writes.

<out>/  embedding.json   clips.parquet   embedding.png   embedding.svg   embedding.html
        of stages also film.html   film.mp4 (or .gif)
"""

import json
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go

from ifdd.io import new_folder, write_text
from workbench.analysis.embedding.displays.scatter import ColourBy, EmbeddingDisplay
from workbench.analysis.embedding.displays.series import EmbeddingSeriesDisplay
from workbench.analysis.embedding.results import EmbeddingResult, EmbeddingSeries, PlacedClips
from workbench.analysis.embedding.task import clip_rows, placed_rows
from workbench.plotting.base import Display
from workbench.plotting.images import can_write_mp4
from workbench.results.passport import PYTHON_CALL, Context
from workbench.store.collection import Collection
from workbench.store.tables import labelled


def write_map(
    result: EmbeddingResult,
    collection: Collection,
    out: Path,
    colour_by: ColourBy = "label",
    placed: tuple[PlacedClips, pd.DataFrame] | None = None,
    context: Context = PYTHON_CALL,
) -> str:
    """Write one map, and the clips placed on it if given, to the new folder `out`; returns embedding.json."""
    table = labelled(collection)
    rows = clip_rows({"map": result}, table)
    summary = {key: value for key, value in result.to_dict().items() if key not in ("xy", "labels")}
    if placed is not None:
        rows = pd.concat([rows, placed_rows("map", *placed)], ignore_index=True)
        summary["placed"] = placed[0].accuracy.to_dict()
    display = EmbeddingDisplay.from_result(
        result, table["prediction"].to_numpy(), colour_by, placed=None if placed is None else placed[0]
    )
    text = json.dumps(summary | {"caption": result.caption}, indent=1, ensure_ascii=False) + "\n"
    with new_folder(out) as folder:
        _common(folder, text, rows, display, context)
        _page(display.to_plotly(clip_ids=list(table["clip_id"])), folder / "embedding.html")
    return text


def write_series(series: EmbeddingSeries, collection: Collection, out: Path, context: Context = PYTHON_CALL) -> str:
    """Write aligned maps of the clips of `collection` to the new folder `out`; returns embedding.json."""
    maps = dict(zip(series.names, series.maps, strict=True))
    rows = clip_rows(maps, labelled(collection))
    display = EmbeddingSeriesDisplay.from_result(series)
    plain = series.to_dict()
    plain["maps"] = {
        name: {key: value for key, value in found.items() if key not in ("xy", "labels")}
        for name, found in zip(series.names, plain["maps"], strict=True)
    }
    text = json.dumps(plain | {"caption": display.caption}, indent=1, ensure_ascii=False) + "\n"
    with new_folder(out) as folder:
        _common(folder, text, rows, display, context)
        _page(display.to_plotly(), folder / "embedding.html")
        if series.onto == "previous":
            _page(display.to_film(), folder / "film.html")
            display.save_film(folder / ("film.mp4" if can_write_mp4() else "film.gif"))
    return text


def _common(folder: Path, text: str, rows: pd.DataFrame, display: Display, context: Context) -> None:
    write_text(folder / "embedding.json", text)
    rows.to_parquet(folder / "clips.parquet", index=False)
    for suffix in ("png", "svg"):
        display.save(folder / f"embedding.{suffix}", context=context)


def _page(figure: go.Figure, file: Path) -> None:
    """One page that needs nothing else, online or not."""
    figure.write_html(file, include_plotlyjs=True, full_html=True)

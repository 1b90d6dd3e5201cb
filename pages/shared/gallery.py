"""Clips as a grid, a strip or a table: what is true, what each model in view says, and a way to the page Clip.

However many they are, the browser has those that are in sight: their rows and pictures come from the server (`pages/_routes.py`).
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlencode

import pandas as pd
import streamlit as st

from shared import state, view
from workbench.app.rows import SHOWN, is_number, models_of
from workbench.app.selection import Selection, in_words
from workbench.plotting.style import class_colour

Layout = Literal["strip", "grid", "table"]
HERE = Path(__file__).parent
_component = st.components.v2.component(
    "ifdd_gallery",
    html='<div class="gallery"></div>',
    css=(HERE / "gallery.css").read_text(encoding="utf-8"),
    js=(HERE / "gallery.js").read_text(encoding="utf-8"),
)


def show(
    clips: pd.DataFrame | Sequence[str],
    key: str,
    layout: Layout = "strip",
    *,
    columns: Sequence[str] = (),
    sort: tuple[str, bool] | None = None,
    height: str = "30rem",
    on_sort: Callable[[str], None] | None = None,
) -> None:
    """Show clips, by their ids or as the rows of a table with the index or column `clip_id`, in this order.

    A click opens a clip, ticked ones are selected. In a table `columns` are shown beside class and answers, and `sort` (column,
    descending) is marked; `height` is that of a grid or a table, in CSS. `on_sort` is called with the column whose head was
    clicked.
    """
    everything = state.clip_table()
    order = everything.index.get_indexer(_ids_of(clips))
    order = order[order >= 0]
    models, labelled = models_of(everything), state.dataset().has_labels
    heads = [("clip", "clip_id"), *([("class", "label_name")] if labelled else [])]
    heads += [(in_words(column), column) for column in columns]
    heads += [(model, f"said {model}") for model in models]
    data = {
        "rows": SHOWN.keep(everything, order, columns),
        "total": len(order),
        "layout": layout,
        "name": f"{len(order)} clips",
        "thumbs": f"/thumbs/{quote(state.dataset().name, safe='')}/",
        "link": f"clip?{urlencode(view.params(clip=''), doseq=True)}",
        "models": list(models),
        "labelled": labelled,
        "colours": {name: class_colour(name) for name in _classes(everything, models)},
        "columns": list(columns),
        "heads": heads,
        "numbers": [name for name in columns if is_number(everything[name])],
        "sort": sort,
        "height": height,
    }

    def sorted_anew() -> None:
        if on_sort is not None and (column := st.session_state[key].sort):
            on_sort(str(column))

    told = _component(
        key=key,
        data=data,
        on_open_change=_nothing,
        on_select_change=_nothing,
        on_sort_change=sorted_anew,
        on_lost_change=_nothing,
    )
    if told.open:
        view.open_clip(str(told.open))
    if told.select:
        view.select(Selection((view.kept_clips().group(map(str, told.select)),)))


def _ids_of(clips: pd.DataFrame | Sequence[str]) -> pd.Index:
    if not isinstance(clips, pd.DataFrame):
        return pd.Index(clips)
    return clips.index if clips.index.name == "clip_id" else pd.Index(clips["clip_id"])


def _nothing() -> None:
    """Streamlit tells what happened in a component only if it may call something."""


def _classes(table: pd.DataFrame, models: Sequence[str]) -> list[str]:
    """Names of the classes that clips have or models say."""
    found = dict.fromkeys(name for model in models for name in table[f"said {model}"].cat.categories)
    true = table["label_name"].dropna().unique() if "label_name" in table else ()
    return [str(name) for name in (*found, *(name for name in true if name not in found and name != ""))]

"""Tables, and those whose numbers lead to the clips behind them.

Streamlit draws a table on a canvas that hides what does not fit. Beside each stands a twin of text in lines, which is shown in
its place where the page is narrow, and in print (`app.css`). A table's file is ours: the one that Streamlit writes in the browser
holds names that a spreadsheet takes for formulas, so that its button is hidden.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from shared import view
from workbench.app.from_ifdd import csv_text
from workbench.app.selection import Selection
from workbench.results.interval import number_text

_OF_A_PAIR = (
    "The interval is of this pair by itself. p is corrected for all pairs of the table (Holm), so that it may be above 0.05 "
)
_OF_A_PAIR += "where the interval leaves out 0."
HELP = {
    "WAR, points": _OF_A_PAIR,
    "UAR, points": _OF_A_PAIR,
    "detectable, points": "The smallest true difference of WAR, and of UAR, that so many clips show with 80 % probability, "
    "in points of percent.",
    "ECE, mean over classes": "The calibration error of each class by itself, averaged: 0 is best, 1 is worst.",
    "ECE of a perfect model": "What a perfectly calibrated model would have on so many clips: never quite 0.",
    "constant guess": "The most frequent class, and the WAR of always saying it.",
}
"""What the names of some columns mean."""

HERE = Path(__file__).parent
MISSING = "–"
_twin = st.components.v2.component(
    "ifdd_table",
    html="<table></table>",
    css=(HERE / "table.css").read_text(encoding="utf-8"),
    js=(HERE / "table.js").read_text(encoding="utf-8"),
)


def show(
    rows: pd.DataFrame | Sequence[Mapping[str, Any]],
    alt: str,
    key: str = "",
    *,
    prose: bool = False,
    column_config: Mapping[str, Any] | None = None,
    **options: Any,
) -> None:
    """A table; `column_config` as Streamlit's. Where two of a page have the same `alt`, each has a `key`.

    `prose`: cells hold sentences, so that the twin is shown however wide the page is.
    """
    key = key or alt
    table = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(rows)
    config = _helped(table) | dict(column_config or {})
    with st.container(key=f"table-{'prose-' * prose}{key}", gap=None):
        st.dataframe(table, hide_index=True, alt=alt, column_config=config, placeholder=MISSING, **options)
        _twin(key=f"twin {key}", data=_data(table, alt, config, {}))
        _file(table, key, alt)


def bare(table: pd.DataFrame, key: str, alt: str) -> None:
    """A table without a twin, for menus: of 40,000 clips it would be long."""
    st.dataframe(table, hide_index=True, alt=alt)
    _file(table, key, alt)


def _file(table: pd.DataFrame, key: str, alt: str) -> None:
    """A button that saves the table; beside others it is seen while a pointer is on the table (`app.css`)."""
    st.download_button(
        "Save as CSV",
        data=lambda: csv_text(table).encode(),
        file_name="-".join(re.findall(r"\w+", alt)[:8]) + ".csv",
        mime="text/csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        key=f"csv-{key}",
    )


def linked(rows: pd.DataFrame, links: Mapping[str, Sequence[str]], key: str, alt: str, **options: Any) -> None:
    """A table; a click on a cell of a column in `links` selects its clips: a selection as text for each row, "" for none."""
    key = f"{key}_{view.generation()}"

    def select(row: int, column: str) -> None:
        if text := links.get(column, [""] * len(rows))[row]:
            view.set_selection(Selection.parse([text]))

    def chosen() -> None:
        for row, column in st.session_state[key].selection.cells[:1]:
            select(row, column)

    def pressed() -> None:
        if told := st.session_state[f"{key}_twin"].cell:
            select(int(told[0]), str(rows.columns[int(told[1])]))

    config = _helped(rows) | {
        name: st.column_config.Column(f"{name} ↗", help="Click a cell to select its clips.")
        for name in links
        if name in rows and name not in HELP
    }
    with st.container(key=f"table-{key}", gap=None):
        st.dataframe(
            rows,
            hide_index=True,
            key=key,
            alt=alt,
            on_select=chosen,
            selection_mode="single-cell",
            column_config=config,
            placeholder=MISSING,
            **options,
        )
        _twin(key=f"{key}_twin", data=_data(rows, alt, config, links), on_cell_change=pressed)
        _file(rows, key, alt)


def _helped(rows: pd.DataFrame) -> dict[str, Any]:
    return {name: st.column_config.Column(help=text) for name, text in HELP.items() if name in rows}


def _data(
    rows: pd.DataFrame, alt: str, config: Mapping[str, Mapping[str, Any]], links: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """What the twin shows: heads with their help, cells as text, and which of them can be clicked."""
    names = [str(name) for name in rows.columns]
    told = [config.get(name) or {} for name in names]
    return {
        "alt": alt,
        "heads": [(one.get("label") or name, one.get("help") or "") for name, one in zip(names, told, strict=True)],
        "numbers": [pd.api.types.is_numeric_dtype(rows.iloc[:, i]) for i in range(len(names))],
        "cells": [list(row) for row in zip(*(_texts(rows.iloc[:, i]) for i in range(len(names))), strict=True)],
        "links": [
            (row, names.index(name)) for name, texts in links.items() if name in names for row, text in enumerate(texts) if text
        ],
    }


def _texts(cells: pd.Series) -> list[str]:
    """Cells as text: numbers that are not all whole with two digits."""
    form = "s"
    if pd.api.types.is_float_dtype(cells):
        form = ".0f" if cells.dropna().map(float.is_integer).all() else ".2f"
    return [MISSING if pd.isna(cell) else number_text(cell, form) if form != "s" else str(cell) for cell in cells]

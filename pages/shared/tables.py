"""Tables whose numbers lead to the clips behind them."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from shared import view
from workbench.app.selection import Selection

HELP = {
    "detectable, points": "The smallest true difference of WAR, and of UAR, that so many clips show with 80 % probability, "
    "in points of percent.",
    "ECE, mean over classes": "The calibration error of each class by itself, averaged: 0 is best, 1 is worst.",
    "ECE of a perfect model": "What a perfectly calibrated model would have on so many clips: never quite 0.",
    "constant guess": "The most frequent class, and the WAR of always saying it.",
}
"""What the names of some columns mean."""


def linked(rows: pd.DataFrame, links: Mapping[str, Sequence[str]], key: str, alt: str, **options: Any) -> None:
    """A table; a click on a cell of a column in `links` selects its clips: a selection as text for each row, "" for none."""
    key = f"{key}_{view.generation()}"

    def chosen() -> None:
        cells = st.session_state[key].selection.cells
        for row, column in cells[:1]:
            if text := links.get(column, [""] * len(rows))[row]:
                view.set_selection(Selection.parse([text]))

    config = {name: st.column_config.Column(help=text) for name, text in HELP.items() if name in rows}
    config |= options.pop("column_config", {})
    config |= {
        name: st.column_config.Column(f"{name} ↗", help="Click a cell to select its clips.")
        for name in links
        if name in rows and name not in config
    }
    st.dataframe(
        rows,
        hide_index=True,
        key=key,
        alt=alt,
        on_select=chosen,
        selection_mode="single-cell",
        column_config=config,
        placeholder="–",
        **options,
    )

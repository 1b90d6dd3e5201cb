"""A small menu that narrows the selection by any column of the clips."""

import pandas as pd
import streamlit as st

from shared import looks, view
from workbench.app.filtering import any_of, between, choice, columns
from workbench.app.selection import Condition, in_words


@st.cache_data(max_entries=16, show_spinner=False)
def _columns(key: tuple[str, ...], _table: pd.DataFrame) -> list[str]:
    return columns(_table)


def show(table: pd.DataFrame, key: tuple[str, ...]) -> None:
    """Draw the menu for a clip table that is known by `key`."""
    with st.popover("Filter", icon=":material/filter_alt:", help="Select clips by any column", key="filter_menu"):
        column = st.selectbox("Column", _columns(key, table), format_func=in_words, key="filter_column")
        found = None if column is None else choice(table, column)
        if found is None:
            looks.note("There is no column to filter by.")
            return
        conditions: list[Condition]
        if found.range is None:
            counts = found.values
            values = st.multiselect(
                "Is any of",
                list(counts),
                format_func=lambda value: f"{value or 'missing'} ({counts[value]})",
                key=f"filter_values_{column}",
            )
            conditions = any_of(found, values)
        else:
            low, high = st.slider("Between", *found.range, value=found.range, key=f"filter_range_{column}")
            conditions = between(found, low, high)
        st.button(
            "Select", disabled=not conditions, key="filter_add", type="primary", on_click=_narrow, args=(conditions, column)
        )


def _narrow(conditions: list[Condition], column: str) -> None:
    for what in ("values", "range"):
        st.session_state.pop(f"filter_{what}_{column}", None)
    view.set_selection(view.selection().and_(*conditions))

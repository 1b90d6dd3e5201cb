"""Clips as points: panels with a lasso that selects clips for all pages, and in which the selection of all pages is marked."""

from pathlib import Path
from typing import Any

import streamlit as st

from shared import looks, view
from workbench.app.from_ifdd import InputError
from workbench.app.selection import Selection

HERE = Path(__file__).parent
_component = st.components.v2.component(
    "ifdd_scatter",
    html='<div class="scatter"></div>',
    css=(HERE / "scatter.css").read_text(encoding="utf-8"),
    js=(HERE / "scatter.js").read_text(encoding="utf-8"),
)


def show(data: dict[str, Any], key: str) -> None:
    """Draw `clip_map.map_data`; a click, a lasso, a box or a click on the legend selects clips."""
    failed = f"{key}_failed"

    def chosen() -> None:
        st.session_state.pop(failed, None)
        try:
            choose(st.session_state[key]["chosen"])
        except (InputError, OSError) as error:  # a group of many clips is kept in the workspace, which may be read-only
            st.session_state[failed] = error

    _component(key=key, data=data, on_chosen_change=chosen)
    if error := st.session_state.get(failed):
        looks.show_error(error)


def choose(told: dict[str, Any] | None) -> None:
    """Select what the browser tells: clips by `ids`, of which none clear the selection, or a `link`."""
    if not told:
        return
    if link := told.get("link"):
        view.set_selection(Selection.parse([link]))
    else:
        ids = told["ids"]
        view.set_selection(Selection((view.kept_clips().group(ids),) if ids else ()))

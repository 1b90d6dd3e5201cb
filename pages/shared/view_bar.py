"""The bar above every page: which dataset, models and reference are in view, and which clips are selected."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from shared import filters, gallery, looks, state, tour, view
from workbench.app.from_ifdd import InputError
from workbench.app.selection import Selection


def show(pages: Mapping[str, st.Page], drawer: DeltaGenerator | None) -> None:
    """Draw the bar; what the address names and is not here is told below it, and the selected clips are shown in a `drawer`.

    Who is new is offered a tour through the `pages`.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="view_bar"):
        lost = view.unknown_in_address()
        state.follow_address()
        with st.popover(looks.markdown_text(_title()), icon=":material/visibility:", help="What all pages show", key="view_menu"):
            state.ask_dataset()
            state.ask_models_in_view()
        state.note_in_address()
        selected = _selection()
        tour.offer(pages)
    for text in lost:
        st.warning(looks.markdown_text(text), icon=":material/link_off:")
    if drawer is not None and selected is not None and len(selected):
        with drawer:
            gallery.show(selected, "strip")


def _title() -> str:
    try:
        names = state.chosen_models()
        return f"{state.dataset().name} · {names[0] if len(names) == 1 else f'{len(names)} models'}"
    except (InputError, OSError):  # the page says what is wrong
        return "View"


def _selection() -> pd.DataFrame | None:
    """A menu that narrows the selection, and a chip for each of its conditions, which removes it; gives the selected clips."""
    try:
        table = state.clip_table()
    except (InputError, OSError):  # the page says what is wrong with the clips
        return None
    try:
        selection = view.selection()
        filters.show(table, state.clip_table_key())
        for number, condition in enumerate(selection.conditions):
            st.button(
                looks.markdown_text(condition.words),
                icon=":material/close:",
                icon_position="right",
                key=f"chip_{number}",
                help=f"Remove: {looks.markdown_text(condition.text)[:200]}",
                on_click=view.clear,
                args=(selection.without(condition),),
            )
        if not selection:
            return None
        chosen = view.chosen(table)
        looks.note(f"{len(chosen)} of {len(table)} clips")
        return chosen
    except (InputError, OSError) as error:
        looks.show_error(error)
        st.button("All clips", icon=":material/close:", key="chip_all", on_click=view.clear, args=(Selection(),))
        st.stop()

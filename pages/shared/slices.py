"""Saved slices: a menu that keeps the selection under a name, and brings one back."""

import streamlit as st

from shared import looks, state, view
from workbench.app.from_ifdd import InputError
from workbench.app.selection import Selection
from workbench.app.slices import SavedSlices

_ERROR, _NAME, _CHOSEN, _NEW = "slices_error", "slices_name", "slices_chosen", "slices_new"


def saved() -> SavedSlices:
    """The slices of the dataset in view."""
    return SavedSlices(state.workspace().results, state.dataset().name)


def menu() -> None:
    """A small menu: save what is selected, show a slice, rename or delete one."""
    with st.popover("Slices", icon=":material/bookmark:", key="slices_menu"):
        if error := st.session_state.pop(_ERROR, None):
            looks.show_error(error)
        selection, kept = view.selection(), saved().all()
        if selection:
            looks.note(selection.words)
            name = st.text_input("Name", key=_NAME, max_chars=60)
            st.button("Save the selection", icon=":material/save:", on_click=_do, args=("save",), disabled=not name)
        else:
            looks.note("All clips are shown. Choose some, by a filter or in a chart, to save them as a slice.")
        if not kept:
            return
        chosen = st.selectbox("Saved", list(kept), key=_CHOSEN)
        looks.note(kept[chosen].words)
        with st.container(horizontal=True):
            st.button("Show", icon=":material/visibility:", on_click=view.clear, args=(kept[chosen],), key="slices_show")
            st.button("Delete", icon=":material/delete:", on_click=_do, args=("delete",), key="slices_delete")
        new = st.text_input("Another name", key=_NEW, max_chars=60)
        st.button("Rename", icon=":material/edit:", on_click=_do, args=("rename",), disabled=not new, key="slices_rename")


def _do(what: str) -> None:
    """What a button of the menu asks for; what goes wrong is told in the menu."""
    asked, slices = st.session_state, saved()
    try:
        if what == "save":
            slices.save(asked[_NAME], view.selection())
            asked[_CHOSEN], asked[_NAME] = " ".join(asked[_NAME].split()), ""
        elif what == "rename":
            slices.call(asked[_CHOSEN], asked[_NEW])
            asked[_CHOSEN], asked[_NEW] = " ".join(asked[_NEW].split()), ""
        else:
            slices.delete(asked[_CHOSEN])
            del asked[_CHOSEN]
    except (InputError, OSError) as error:
        asked[_ERROR] = error


def selections() -> dict[str, Selection]:
    """The saved slices by name; none where the file that holds them is damaged, which the menu tells."""
    try:
        return saved().all()
    except (InputError, OSError):
        return {}

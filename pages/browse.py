"""All clips: as pictures or as a table, by any column."""

import streamlit as st
from shared import gallery, looks, slices, state, view

from workbench.app.browse import as_csv, columns_of, in_order, named
from workbench.app.from_ifdd import InputError

SORT, DOWN = "browse_sort", "browse_down"


def sort_by(column: str) -> None:
    """Sort by the column whose head was clicked; once more turns the order round."""
    again = st.session_state.get(SORT) == column
    st.session_state[DOWN] = not st.session_state.get(DOWN) if again else column.startswith(("loss ", "disagreement"))
    st.session_state[SORT] = column


def find() -> None:
    """Narrow the selection to the clips whose name contains what was written."""
    if not (text := st.session_state["browse_find"].strip()):
        return
    try:
        view.add(named(view.chosen(state.clip_table()), text, view.kept_clips()))
        st.session_state["browse_find"] = ""
    except (InputError, OSError) as error:
        st.session_state["browse_error"] = error


table = state.clip_table()
columns = columns_of(table)
chosen = view.chosen(table)
LAYOUTS: list[gallery.Layout] = ["grid", "table"]
with st.container(horizontal=True, vertical_alignment="center", gap="small", key="browse_bar"):
    looks.heading("Browse")
    layout = st.segmented_control(
        "Show as", LAYOUTS, default="grid", required=True, label_visibility="collapsed", **view.linked("browse_as")
    )
    sort = st.selectbox(
        "Sort by",
        columns,
        index=None,
        placeholder="Sort: as listed",
        label_visibility="collapsed",
        format_func=lambda name: name.replace("_", " "),
        width=205,
        **view.linked(SORT),
    )
    down = st.toggle("↓", help="Sort with the largest first", **view.linked(DOWN))
    st.text_input(
        "Find clips by name",
        key="browse_find",
        placeholder="Find by name",
        label_visibility="collapsed",
        width=130,
        on_change=find,
    )
    shown: list[str] = []
    if layout == "table":
        with st.popover("Columns", icon=":material/view_column:"):
            free = [name for name in columns if not name.startswith("said ") and name not in ("clip_id", "label_name")]
            first = [name for name in ("disagreement", f"loss {view.reference()}") if name in free]
            shown = st.multiselect("Columns", free, default=first, **view.linked("browse_columns"))
        if sort in free and sort not in shown:
            shown = [sort, *shown]
    slices.menu()
    st.download_button(
        "",
        data=lambda: as_csv(chosen if sort is None else in_order(chosen, sort, down)),
        file_name=f"{state.dataset().name}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        help="Download the chosen clips with all columns as CSV",
        key="browse_csv",
    )

if error := st.session_state.pop("browse_error", None):
    looks.show_error(error)
if sort is not None:
    chosen = in_order(chosen, sort, down)
if chosen.empty:
    raise InputError("no clip passes all of these conditions; remove one of the chips above")
gallery.show(
    chosen,
    "browse_gallery",
    layout,
    columns=shown,
    sort=None if sort is None else (sort, down),
    height="calc(100vh - 11rem)",
    on_sort=sort_by,
)

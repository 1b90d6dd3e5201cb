"""All clips: as pictures or as a table, by any column."""

import streamlit as st
from shared import gallery, looks, slices, state, view

from workbench.app.browse import as_csv, columns_of, in_order, named
from workbench.app.from_ifdd import InputError
from workbench.app.selection import in_words

SHAPE, SORT, DOWN = "browse_as", "browse_sort", "browse_down"
LAYOUTS: list[gallery.Layout] = ["grid", "table"]


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


def remember(key: str, known: list[str], default: str | bool | None) -> None:
    """A fresh page shows what its address says; later what the reader chose, also where the browser goes back to it."""
    asked = st.query_params.get(key, "")
    if key not in st.session_state or (known and st.session_state[key] not in (*known, default)):
        st.session_state[key] = asked == "true" if isinstance(default, bool) else asked if asked in known else default


def note_in_address(key: str, default: str | bool | None) -> None:
    """The address says what was chosen, and nothing where it is what a fresh page shows."""
    if (value := st.session_state[key]) != default:
        st.query_params[key] = str(value).lower() if isinstance(value, bool) else value
    elif key in st.query_params:
        del st.query_params[key]


table = state.clip_table()
columns = columns_of(table)
chosen = view.chosen(table)
remember(SHAPE, [*LAYOUTS], "grid")
remember(SORT, columns, None)
remember(DOWN, [], False)
with st.container(horizontal=True, vertical_alignment="center", gap="small", key="browse_bar"):
    looks.heading("Browse")
    layout = st.segmented_control("Show as", LAYOUTS, required=True, label_visibility="collapsed", **looks.kept(SHAPE))
    sort = st.selectbox(
        "Sort by",
        columns,
        placeholder="Sort: as listed",
        label_visibility="collapsed",
        format_func=in_words,
        width=190,
        **looks.kept(SORT),
    )
    down = st.toggle("Down", **looks.kept(DOWN))
    st.text_input(
        "Find clips by name",
        key="browse_find",
        placeholder="Find by name",
        label_visibility="collapsed",
        width=115,
        on_change=find,
    )
    shown: list[str] = []
    if layout == "table":
        with st.popover("Columns", icon=":material/view_column:"):
            free = [name for name in columns if not name.startswith("said ") and name not in ("clip_id", "label_name")]
            first = [name for name in ("disagreement", f"loss {view.reference()}") if name in free]
            shown = st.multiselect("Columns", free, default=first, format_func=in_words, **view.linked("browse_columns"))
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

for key, default in ((SHAPE, "grid"), (SORT, None), (DOWN, False)):
    note_in_address(key, default)
state.tell_who_is_left_out()
if error := st.session_state.pop("browse_error", None):
    looks.show_error(error)
if sort is not None:
    chosen = in_order(chosen, sort, down)
if chosen.empty:
    raise InputError("no clip passes all of these conditions; remove one of the chips above")
gallery.show(
    chosen,
    "browse_gallery",
    "table" if layout == "table" else "grid",
    columns=shown,
    sort=None if sort is None else (sort, down),
    height="calc(100vh - 11rem)",
    on_sort=sort_by,
)

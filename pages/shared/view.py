"""The view that follows from page to page and stands in the address: dataset, models, reference, selection, clip.

The address is the truth: `followed` takes from it what a link, or back and forward, brought; `note_in_address` writes what was
chosen. Widgets of one page alone are bound to the address by Streamlit (`linked`), which knows only those on the screen.
So a link opens the same view, and the browser's back and forward go through the views as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypedDict, TypeVar

import pandas as pd
import streamlit as st

from shared import state
from workbench.app.from_ifdd import InputError
from workbench.app.selection import Condition, KeptClips, Selection

SELECTION, CLIP = "sel", "clip"
_CHARTS, _ASKED = "selections made", "asked by the first address"


class Linked(TypedDict):
    """Options of a widget, by name, so that the type of what the widget returns is known."""

    key: str
    bind: Literal["query-params"]
    persist_state: Literal["session"]


T = TypeVar("T")


def linked(key: str) -> Linked:
    """Options of a widget whose value stands in the address as `key`, and is kept from page to page."""
    return {"key": key, "bind": "query-params", "persist_state": "session"}


def one_of(label: str, options: Sequence[T], key: str, default: T | None = None, **more: Any) -> T:
    """One of several choices side by side, in the address as `key`.

    It begins with `default`, or the first, and goes back to that where the address has the key and nothing behind it.
    """
    first = options[0] if default is None else default
    return st.segmented_control(label, options, default=first, required=True, **linked(key), **more) or first


def part(options: Sequence[str], key: str) -> str:
    """Which part of a page is shown."""
    return one_of("Part", options, key, label_visibility="collapsed")


def only(key: str, shown: str) -> None:
    """Where one value alone is to be had, and so no widget `key` is drawn: an address that asks for another is told of it."""
    if st.query_params.get(key) not in (None, shown):
        del st.query_params[key]
    st.session_state[key] = shown


def followed(key: str, known: Sequence[str], default: Sequence[str]) -> list[str]:
    """What is chosen as `key`: what the address says, where that is new, else what the session has, else the default."""
    asked, had = st.query_params.get_all(key), st.session_state.get(key)
    had = [had] if isinstance(had, str) else had
    if asked != st.session_state.get(_written(key), []):
        st.session_state[_written(key)] = asked
        had = asked or None
    found = [name for name in had or () if name in known]
    return list(default) if had is None or (had and not found) else found


def note_in_address(key: str, chosen: Sequence[str], default: Sequence[str]) -> None:
    """After the widget `key` was drawn: the address says what was chosen, and nothing where it is what a fresh page shows."""
    said = [] if list(chosen) == list(default) else list(chosen)
    if said != st.query_params.get_all(key):
        if said:
            st.query_params[key] = said
        else:
            del st.query_params[key]
    st.session_state[_written(key)] = said


def _written(key: str) -> str:
    return f"{key} in the address"


def models() -> list[str]:
    """Names of the models in view."""
    return state.in_view()


def reference() -> str | None:
    """The model that others are compared with; None where no model is in view."""
    names = models()
    chosen = st.session_state.get(state.REFERENCE)
    return chosen if chosen in names else next(iter(names), None)


def kept_clips() -> KeptClips:
    """Groups of clips that are too long for an address, in the workspace."""
    return KeptClips(state.workspace().results / "selections")


def selection() -> Selection:
    """The clips that are chosen. Raises: InputError for an address that says none."""
    return Selection.parse(st.query_params.get_all(SELECTION))


def set_selection(new: Selection) -> None:
    """Choose clips, for callbacks of widgets: the page runs again after them anyway."""
    st.query_params[SELECTION] = list(new.texts)
    if not new:
        del st.query_params[SELECTION]


def select(new: Selection) -> None:
    """Choose clips, and run the page again with them."""
    set_selection(new)
    st.rerun()


def clear(new: Selection) -> None:
    """As `set_selection`; charts forget which of their points were clicked."""
    st.session_state[_CHARTS] = generation() + 1
    set_selection(new)


def generation() -> int:
    """A number for keys of charts that select: another one whenever they should forget which points were clicked."""
    return int(st.session_state.get(_CHARTS, 0))


def select_points(key: str, whole: Callable[[], None] | None = None) -> Callable[[], None]:
    """A callback for a chart: select the clips of the points that were clicked or surrounded.

    A point's `customdata` is a selection as text; points of single clips become one group.
    """

    def chosen() -> None:
        points = st.session_state[key].selection.points
        texts = list(dict.fromkeys(_text_of(point.get("customdata")) for point in points))
        if texts := [text for text in texts if text]:
            set_selection(of_texts(texts))

    return chosen


def _text_of(data: object) -> str:
    return str((data[0] if data else "") if isinstance(data, (list, tuple)) else data or "")


def of_texts(texts: Iterable[str]) -> Selection:
    """One selection of those of several points: the group of their clips, where they are more than one."""
    found = [Selection.parse([text]) for text in texts]
    if len(found) == 1:
        return found[0]
    single = [item.conditions[0] for item in found if len(item.conditions) == 1 and item.conditions[0].column == "clip_id"]
    if len(single) == len(found):
        ids = [clip for condition in single for clip in condition.values]
    else:
        table, kept = state.clip_table(), kept_clips()
        ids = [str(clip) for clip in table.index[pd.DataFrame([item.mask(table, kept) for item in found]).any()]]
    return Selection((kept_clips().group(ids),))


def chosen(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of a table, by its index or column `clip_id`, that are selected."""
    wanted = selection()
    if not wanted:
        return table
    everything = state.clip_table()
    passing = everything.index[wanted.mask(everything, kept_clips())]
    return table[
        (table["clip_id"] if "clip_id" in table and table.index.name != "clip_id" else table.index.to_series()).isin(passing)
    ]


def params(**changes: str | Iterable[str] | None) -> Mapping[str, str | list[str]]:
    """What a link to another page has to carry: dataset, models, reference, selection, and `changes`."""
    carried: dict[str, str | list[str]] = {}
    for name in (state.DATASET, state.IN_VIEW, state.REFERENCE, SELECTION):
        if values := st.query_params.get_all(name):
            carried[name] = values
    for name, value in changes.items():
        if value is None:
            carried.pop(name, None)
        else:
            carried[name] = value if isinstance(value, str) else list(value)
    return carried


def params_of(page: str) -> Mapping[str, str | list[str]]:
    """`params` for a link in the navigation: that to the page Clip has the clip that was seen last."""
    return params(clip=st.session_state.get(state.of_dataset(CLIP)) if page == CLIP else None)


def open_clip(clip_id: str) -> None:
    """Go to the page Clip with a clip; the selection stays."""
    st.switch_page("clip.py", query_params=params(clip=clip_id))


def add(condition: Condition) -> None:
    """Narrow the selection by one more condition, for callbacks."""
    set_selection(selection().and_(condition))


def unknown_in_address() -> list[str]:
    """What the address names that is not here, in sentences; Streamlit itself leaves such values out without a word."""
    told: list[str] = []
    place = state.workspace().folder
    for key, known, what in (
        (state.DATASET, list(state.workspace().datasets), "dataset"),
        (state.IN_VIEW, _offered(), "model"),
    ):
        lost = [name for name in st.query_params.get_all(key) if name not in known]
        if lost and known:
            told.append(f"The address names the {what} {listed(lost)}, which is not in {place}; another is shown.")
    asked, offered = st.query_params.get_all(state.IN_VIEW), _offered()
    if gone := [name for name in state.chosen_before() if name not in offered and name not in asked]:
        told.append(f"What was in view is not there any more: {listed(gone)}.")
    if (ref := _not_in_view()) is not None:
        told.append(f"The address names the reference {listed([ref])}, which is not among the models in view; another is taken.")
    return told


def _not_in_view() -> str | None:
    """The reference that a new address asks for, where it is none of the models that it shows."""
    asked, offered = st.query_params.get_all(state.REFERENCE), _offered()
    if not offered or asked == st.session_state.get(_written(state.REFERENCE), []):
        return None
    shown = [name for name in st.query_params.get_all(state.IN_VIEW) if name in offered] or state.chosen_models()
    return next((name for name in asked if name not in shown), None)


LONGEST, MOST = 80, 3


def listed(values: Sequence[str]) -> str:
    """What an address names, for a sentence: some of the values, the begin of each, however much stands there."""
    some = [f"{value[:LONGEST]}…" if len(value) > LONGEST else value or "(nothing)" for value in values[:MOST]]
    return ", ".join(some) + (f" and {len(values) - MOST} more" if len(values) > MOST else "")


def ask_at_first() -> None:
    """Note what the address says that a session begins with: later ones are written by the widgets themselves."""
    ours = (state.DATASET, state.IN_VIEW, state.REFERENCE, SELECTION, CLIP)
    st.session_state.setdefault(_ASKED, {key: st.query_params.get_all(key) for key in st.query_params if key not in ours})


def not_taken() -> list[str]:
    """Which settings of the first address no widget took, in sentences: Streamlit leaves them out without a word."""
    told, asked = [], st.session_state[_ASKED]
    for key in [key for key in asked if key in st.session_state]:  # the others are of no widget of this page
        now, values = st.session_state[key], asked.pop(key)
        known = {str(value).lower() for value in (now if isinstance(now, (list, tuple)) else [now])}
        left = st.query_params.get_all(key)  # what Streamlit has left there was taken, but for nothing where one is needed
        known.update(value.lower() for value in left if value or isinstance(now, (list, tuple)))
        if lost := [value for value in values if value.lower() not in known]:
            told.append(f"The address asks for {key} = {listed(lost)}, which is not offered; another is shown.")
    return told


def _offered() -> list[str]:
    try:
        return state.offered()
    except (InputError, OSError):  # the page says what is wrong
        return []

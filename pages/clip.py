"""Why does a model read this clip as it does?"""

import _looks
import _player
import _state
import streamlit as st

from workbench.app.clipview import ClipView, read_truth, said_of
from workbench.app.from_ifdd import InputError
from workbench.explain.task import Options
from workbench.store.tables import clip_table, outcomes

dataset, models = _state.dataset(), _state.usable_models()
collections = _state.collections(_state.shown(models))
alone = {name: found for name, found in collections.items() if name not in models}
table = clip_table(dataset.clips, collections)

asked = st.query_params.get("clip")
key = {name: _state.of_dataset(f"clip_{name}") for name in ("asked", "id", "labels", "outcome")}
if asked and asked not in table.index and asked in st.session_state.get("clip_shown", ()):  # another dataset was chosen
    asked = None
if asked and asked != st.session_state.get(key["asked"]):  # a link from another page: its clip, whatever the filters are
    if asked not in table.index:
        del st.query_params["clip"]
        raise InputError(f"there is no clip {asked} in {dataset.manifest}; choose this page again to see the list")
    st.session_state.update({key["asked"]: asked, key["id"]: asked, key["labels"]: [], key["outcome"]: "all"})

with st.sidebar:
    labels: list[str] = []
    if dataset.has_labels:
        labels = st.pills(
            "True class",
            list(table.sort_values("label")["label_name"].unique()),
            selection_mode="multi",
            format_func=_looks.markdown_text,
            help="None chosen means all.",
            **_looks.kept(key["labels"]),
        )
    filters = outcomes(table)
    outcome = st.selectbox("Outcome", list(filters), help="By what the models predict.", **_looks.kept(key["outcome"]))
    shown = table[filters[outcome] & (table["label_name"].isin(labels) if labels else True)]
    if shown.empty:
        raise InputError("no clip fits these filters; choose another class or outcome")
    marks = "✓ right, ✗ wrong" if dataset.has_labels else "What the models say"
    clip_id = st.selectbox(
        f"Clip ({len(shown)})",
        list(shown.index),
        format_func=table["title"].__getitem__,
        help=f"{marks}, in the order of the models: " + _looks.markdown_text(", ".join(collections)),
        **_looks.kept(key["id"]),
    )
    clip = table.loc[clip_id]
    names = _player.ask_models(models, "clip") if models else []
    known: dict[str, str | None] = {"the true class": clip["label_name"]} if dataset.has_labels else {}
    maps = _player.ask_maps([models[name] for name in names], "clip", known) if names else {}
st.session_state[key["asked"]] = st.query_params["clip"] = clip_id  # the address can be shared
st.session_state["clip_shown"] = (clip_id,)

said = [
    f"{name} says {_looks.class_chip(clip[f'said {name}'])}"
    for name in [*names, *alone]
    if isinstance(clip.get(f"said {name}"), str)
]
_looks.heading(clip_id)
true = "true class " + _looks.class_chip(clip["label_name"]) if dataset.has_labels else "no label"
_looks.lead(" · ".join([true, *said]))
_state.needs_network("a map")
options = Options(**maps, **dataset.reading(clip_id))
truth = read_truth(clip["label_name"] or None, dataset.truth_file(clip_id))
others = {name: told for name, found in alone.items() if (told := said_of(found, clip_id)) is not None}
view = ClipView({name: _state.explanation(name, dataset.path(clip_id), options) for name in names}, truth, others)
if not names:
    picture = _state.clip_thumbnail(str(dataset.path(clip_id)), dataset.apex(clip_id), dataset.frames(clip_id))
    st.image(picture, width=240, alt=clip_id)
_player.show(view, clip_id, "clip")

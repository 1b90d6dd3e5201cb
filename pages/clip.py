"""Why does a model read this clip as it does?"""

import html
from dataclasses import replace

import pandas as pd
import streamlit as st
from shared import clip_parts, looks, player, state, view

from workbench.app.clip_copy import OfClip
from workbench.app.clipview import ClipView, read_truth, said_of, votes_of
from workbench.app.first_clip import worth_a_look
from workbench.app.from_ifdd import InputError
from workbench.app.map_choice import fitting
from workbench.explain.results import Explanation
from workbench.explain.task import Options

AROUND = 200  # so many clips before and after the one in view are in the list; of more a browser would hold megabytes

dataset, models = state.dataset(), state.usable_models()
collections = state.collections(state.shown(models))
alone = {name: found for name, found in collections.items() if name not in models}
table = state.clip_table()
shown = view.chosen(table)
if shown.empty:
    raise InputError("no clip fits the selection; remove a chip above")

asked = st.query_params.get(view.CLIP) or st.session_state.get(state.of_dataset("clip"))
if asked not in shown.index:
    if st.query_params.get(view.CLIP):
        del st.query_params[view.CLIP]
        where = f"in {dataset.manifest}" if asked not in table.index else "among the clips that are selected"
        st.warning(
            looks.markdown_text(f"There is no clip {view.listed([str(asked)])} {where}; another is shown."),
            icon=":material/link_off:",
        )
    asked = worth_a_look(shown, view.reference())
at = int(shown.index.get_indexer(pd.Index([asked]))[0])
near = shown.iloc[max(at - AROUND, 0) : at + AROUND + 1]


def _titles() -> dict[str, str]:
    """Of each clip near the one in view its class, and which models have it right."""
    if not dataset.has_labels:
        return {}
    marks = {"True": "✓", "False": "✗"}
    known = [near[f"right {name}"].to_numpy(object) if f"right {name}" in near else [None] * len(near) for name in collections]
    said = ["".join(marks.get(str(hit), "–") for hit in hits) for hits in zip(*known, strict=True)] or [""] * len(near)
    classes = near["label_name"].to_numpy(object)
    return {clip: f"{clip} · {name} {told}" for clip, name, told in zip(near.index, classes, said, strict=True)}


titles = _titles()


def _go(clip_id: str | None = None) -> None:
    st.query_params[view.CLIP] = clip_id or st.session_state["clip_id"]
    st.session_state.pop("clip_slow", None)  # what takes a minute is asked for again


with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="clip_head"):
    title = st.container()
    for label, icon, keys, step in (("Previous clip", "left", "Shift+Left", -1), ("Next clip", "right", "Shift+Right", 1)):
        target = str(shown.index[(at + step) % len(shown)])
        st.button(
            "", icon=f":material/chevron_{icon}:", key=f"clip_{icon}", help=label, shortcut=keys, on_click=_go, args=(target,)
        )
    st.session_state["clip_id"] = asked
    clip_id = st.selectbox(
        f"Clip {at + 1} of {len(shown)}",
        list(near.index),
        format_func=lambda clip: titles.get(clip, clip),
        accept_new_options=True,
        label_visibility="collapsed",
        width=300,
        key="clip_id",
        on_change=_go,
    )
st.session_state[state.of_dataset("clip")] = st.query_params[view.CLIP] = clip_id  # the address can be shared
clip = table.loc[clip_id].to_dict()
with title:
    looks.heading(clip_id)
said = [
    f"{html.escape(name)} says {looks.class_chip(clip[f'said {name}'])} {100 * clip[f'confidence {name}']:.0f} %"
    for name in collections
    if isinstance(clip.get(f"said {name}"), str)
]
true = "true class " + looks.class_chip(clip["label_name"]) if dataset.has_labels else "no label"
looks.lead(" · ".join([f"{at + 1} of {len(shown)}", true, *said]))
state.needs_network("a map")

names = list(models)[: state.FEW]
if len(models) > len(names):
    looks.note(f"The first {len(names)} of {len(models)} models in view are shown; choose others in the bar above.")
others = {name: told for name, found in alone.items() if (told := said_of(found, clip_id)) is not None}
if (votes := votes_of(clip)) is not None:
    others["votes of people"] = votes
truth = read_truth(clip["label_name"] or None, dataset.truth_file(clip_id))
if not names:
    picture = state.clip_thumbnail(str(dataset.path(clip_id)), dataset.apex(clip_id), dataset.frames(clip_id))
    st.image(picture, width=240, alt=clip_id)
    player.show(ClipView({}, truth, others), clip_id, "clip")
    st.stop()

known: dict[str, str | None] = {"the true class": clip["label_name"]} if dataset.has_labels else {}
maps = player.ask_maps([models[name] for name in names], "clip", known, inline=True)
options = Options(**maps, listed=dataset.hashes[0])


def _read_by(name: str, wanted: Options, clip: str = clip_id) -> Options:
    """The options as the model reads a clip."""
    return fitting(replace(wanted, **dataset.reading(clip, models[name].inputs)), models[name])


def _explain(name: str, wanted: Options, clip: str = clip_id) -> Explanation:
    return state.explained(dataset.path(clip), {name: _read_by(name, wanted, clip)})[name]


def _another(name: str, clip: str) -> Explanation:
    return _explain(name, Options(), clip)


made = state.explained(dataset.path(clip_id), {name: _read_by(name, options) for name in names})
seen = ClipView(made, truth, others)
rows = dataset.clips.loc[[clip_id]].reset_index(drop=True)
rows.attrs = dataset.clips.attrs
place = OfClip(state.workspace().folder, dataset.name, dataset.manifest, clip_id)
player.show(seen, clip_id, "clip", clip_parts.About(place, rows, lambda name: _read_by(name, options), _explain, _another))

"""Why does a model read this clip as it does?"""

import streamlit as st
from shared import looks, player, state, view

from workbench.app.clipview import ClipView, read_truth, said_of
from workbench.app.from_ifdd import InputError
from workbench.explain.task import Options

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
        st.warning(looks.markdown_text(f"There is no clip {asked} {where}; another is shown."), icon=":material/link_off:")
    asked = str(shown.index[0])


def _titled(clip_id: str) -> str:
    if not dataset.has_labels:
        return clip_id
    marks = ["✓" if str(shown.loc[clip_id].get(f"right {name}")) == "True" else "✗" for name in collections]
    return " ".join([clip_id, "·", str(shown.loc[clip_id, "label_name"]), "".join(marks)])


def _other_clip() -> None:
    st.query_params[view.CLIP] = st.session_state["clip_id"]


with st.sidebar:
    st.session_state["clip_id"] = asked
    clip_id = st.selectbox(f"Clip ({len(shown)})", list(shown.index), format_func=_titled, key="clip_id", on_change=_other_clip)
    clip = table.loc[clip_id]
    names = player.ask_models(models, "clip") if models else []
    known: dict[str, str | None] = {"the true class": clip["label_name"]} if dataset.has_labels else {}
    maps = player.ask_maps([models[name] for name in names], "clip", known) if names else {}
st.session_state[state.of_dataset("clip")] = st.query_params[view.CLIP] = clip_id  # the address can be shared

said = [
    f"{name} says {looks.class_chip(clip[f'said {name}'])}"
    for name in [*names, *alone]
    if isinstance(clip.get(f"said {name}"), str)
]
looks.heading(clip_id)
true = "true class " + looks.class_chip(clip["label_name"]) if dataset.has_labels else "no label"
looks.lead(" · ".join([true, *said]))
state.needs_network("a map")
options = Options(**maps, **dataset.reading(clip_id))
truth = read_truth(clip["label_name"] or None, dataset.truth_file(clip_id))
others = {name: told for name, found in alone.items() if (told := said_of(found, clip_id)) is not None}
seen = ClipView({name: state.explanation(name, dataset.path(clip_id), options) for name in names}, truth, others)
if not names:
    picture = state.clip_thumbnail(str(dataset.path(clip_id)), dataset.apex(clip_id), dataset.frames(clip_id))
    st.image(picture, width=240, alt=clip_id)
player.show(seen, clip_id, "clip")

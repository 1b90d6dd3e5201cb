"""How do the classes cluster?"""

import streamlit as st
from shared import looks, maps, state, view

from workbench.analysis.embedding.results import METHOD_NAMES
from workbench.analysis.embedding.task import has_features, mappable
from workbench.app import embeddings
from workbench.app.clip_map import columns_to_colour
from workbench.app.from_ifdd import InputError
from workbench.app.selection import in_words

looks.heading("Embedding", "Every point is a clip; clips that the model sees alike lie together. Draw around some to see them.")
collections = state.collections(state.shown(state.cards()))
known = {name: found for name, found in collections.items() if has_features(found)}
if alone := [name for name in collections if name not in known]:
    text = (
        f"Of {', '.join(alone)} predictions alone were imported; a map needs features, too: workbench import … --features FILE."
    )
    st.info(looks.markdown_text(text), icon=":material/info:")
if not known:
    st.stop()
can = {name: mappable(found) for name, found in known.items()}
table = state.clip_table()

row = st.container(horizontal=True, vertical_alignment="bottom")  # it goes on below where the window is narrow
kinds = [kind for kind in embeddings.SHOWN if kind != "models" or len(known) > 1]
shown = row.selectbox("Show", kinds, format_func=embeddings.SHOWN.__getitem__, width=190, **view.linked("embedding_show"))
one = row.selectbox("Model", list(known), disabled=shown == "models", width=220, **view.linked("embedding_model"))
own = embeddings.activations_of(known if shown == "models" else {one: known[one]}, can if shown == "models" else {one: can[one]})
if not own:
    raise InputError(f"{known[one].folder} holds no vector for each clip; collect it again with workbench collect")
activation = row.selectbox(
    "Activation",
    own,
    disabled=shown == "film",
    help=f"What the map is made of; {own[0]} is what the classifier reads.",
    width=190,
    **view.linked("embedding_activation"),
)
methods = list(METHOD_NAMES)
method = row.selectbox(
    "Method",
    methods,
    index=methods.index("tsne" if len(table) <= embeddings.LARGE else "pca"),
    format_func=METHOD_NAMES.__getitem__,
    help="Distances between far groups mean little in t-SNE and UMAP.",
    width=125,
    **view.linked("embedding_method"),
)
colour = row.selectbox(
    "Colour by",
    columns_to_colour(table),
    format_func=in_words,
    help="Any column of the clips; a click on an entry of the legend selects its clips.",
    width=175,
    **view.linked("embedding_colour"),
)

names = tuple(name for name in known if activation in can[name]) if shown == "models" else (one,)
if missing := [name for name in known if name not in names] if shown == "models" else []:
    looks.note(f"{', '.join(missing)} keeps no {activation}.")
if shown == "models" and len(names) < 2:
    raise InputError(
        f"only {', '.join(names) or 'no model'} has {activation}; choose {own[0]}, or another activation that two have"
    )
request = embeddings.Request(shown, names, activation, method)
found, request = maps.ask(request, {name: known[name] for name in names}, whole=True)
rows, colours, alt = maps.draw(found, one if shown == "film" else f"{one}: {activation}", "embedding_map", colour)
maps.show_below(found.found, rows, colours, request, alt)

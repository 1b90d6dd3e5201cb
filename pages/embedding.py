"""How do the classes cluster?"""

import _gallery
import _looks
import _state
import streamlit as st

from workbench.displays.embedding import METHOD_NAMES, EmbeddingDisplay
from workbench.library import InputError, labelled, vector_activations

_looks.heading("Embedding", "Every point is a clip. Draw a lasso or a box around some, or click one, to see them.")
collections = _state.collections(_state.usable_models())
if not collections:
    raise InputError("no model has been run over the clips; stop the app and run make app")

with st.sidebar:
    name = st.selectbox("Model", list(collections), **_looks.kept("embedding_model"))
    collection = collections[name]
    shapes = vector_activations(collection)
    if not shapes:
        raise InputError(f"{collection.folder} holds no vector for each clip; collect head.embedding")
    activation = st.selectbox(
        "Activation",
        list(shapes),
        index=list(shapes).index("head.embedding") if "head.embedding" in shapes else 0,
        format_func=lambda item: f"{item} ({' × '.join(map(str, shapes[item]))})",
        help="What the map is made of; head.embedding is what the classifier reads.",
        **_looks.kept("embedding_activation"),
    )
    method = st.segmented_control(
        "Method",
        list(METHOD_NAMES),
        default="tsne",
        required=True,
        format_func=METHOD_NAMES.get,
        help="Distances between far groups mean little in t-SNE and UMAP.",
        **_looks.kept("embedding_method"),
    )
    colours = ["label", "prediction", "correct"]
    colour_by = st.segmented_control("Colour by", colours, default="label", required=True, **_looks.kept("embedding_colour"))

key = f"embedding_{name}_{activation}_{method}"
chosen = _looks.chosen_points(st.session_state.get(key))
result, table = _state.embedding(collection, activation, method), labelled(collection)
display = EmbeddingDisplay.from_result(result, table["prediction"].to_numpy(), colour_by)
left, right = st.columns([7, 5], gap="medium")
with left:
    event = _looks.chart(
        display.to_plotly(clip_ids=list(table["clip_id"]), chosen=chosen).update_layout(height=660, legend=_looks.LEGEND_BELOW),
        key,
        f"Map of the clips by {activation} of {name}, coloured by {colour_by}. {result.caption}",
        on_select="rerun",
        selection_mode=("points", "box", "lasso"),
    )
    for note in result.notes:
        st.caption(note)
    _looks.save_button({f"embedding {activation}": display}, name, "embedding_save")
with right:
    chosen = _looks.chosen_points(event)
    if chosen:
        _gallery.show(table, chosen, "embedding_gallery")
    else:
        st.info("Nothing chosen yet. Draw a lasso in the map: its clips appear here.", icon=":material/lasso_select:")

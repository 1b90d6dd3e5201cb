"""How do the classes cluster?"""

import streamlit as st
from shared import charts, gallery, looks, state

from workbench.analysis.embedding.displays.scatter import ColourBy, EmbeddingDisplay
from workbench.analysis.embedding.results import METHOD_NAMES
from workbench.analysis.embedding.task import embedding_of, has_features
from workbench.app.from_ifdd import InputError
from workbench.store.tables import usable, vector_activations

looks.heading("Embedding", "Every point is a clip. Draw a lasso or a box around some, or click one, to see them.")
collections = state.collections(state.shown(state.usable_models()))
known = {name: found for name, found in collections.items() if has_features(found)}
if alone := [name for name in collections if name not in known]:
    text = (
        f"Of {', '.join(alone)} predictions alone were imported; a map needs features, too: workbench import … --features FILE."
    )
    st.info(looks.markdown_text(text), icon=":material/info:")
if not known:
    st.stop()

with st.sidebar:
    name = st.selectbox("Model", list(known), **looks.kept("embedding_model"))
    collection = known[name]
    shapes = vector_activations(collection)
    read = embedding_of(collection)
    if not shapes:
        raise InputError(f"{collection.folder} holds no vector for each clip; collect {read}")
    activation = st.selectbox(
        "Activation",
        list(shapes),
        index=list(shapes).index(read) if read in shapes else 0,
        format_func=lambda item: f"{item} ({' × '.join(map(str, shapes[item]))})",
        help=f"What the map is made of; {read} is what the classifier reads.",
        **looks.kept("embedding_activation"),
    )
    method = st.segmented_control(
        "Method",
        list(METHOD_NAMES),
        default="tsne",
        required=True,
        format_func=METHOD_NAMES.__getitem__,
        help="Distances between far groups mean little in t-SNE and UMAP.",
        **looks.kept("embedding_method"),
    )
    colours: list[ColourBy] = ["label", "prediction", "correct"] if collection.has_labels else ["prediction"]
    colour_by = st.segmented_control(
        "Colour by",
        colours,
        default=colours[0],
        required=True,
        help=None if collection.has_labels else "The clips have no labels: what the model says is all there is to tell.",
        **looks.kept("embedding_colour" if collection.has_labels else "embedding_colour_unlabelled"),
    )

shown = f"{state.of_dataset('embedding')}_{name}_{activation}_{method}"
# with other colours the chart is a new one for Streamlit: what was chosen in the old one is marked in it from the start
memory = st.session_state.get("embedding_chosen", {})
if memory.get("map") != shown:
    memory = {"map": shown, "chosen": []}
if memory.get("colour") != colour_by:
    memory |= {"colour": colour_by, "marked": memory["chosen"], "fresh": True}
result, table = state.embedding(collection, activation, method), usable(collection)
display = EmbeddingDisplay.from_result(result, table["prediction"].to_numpy(), colour_by)
left, right = st.columns([7, 5], gap="medium")
with left:
    event = charts.chart(
        display.to_plotly(clip_ids=list(table["clip_id"]), chosen=memory["marked"]).update_layout(
            height=660, legend=charts.LEGEND_BELOW
        ),
        f"{shown}_{colour_by}",
        f"Map of the clips by {activation} of {name}, coloured by {colour_by}. {result.caption}",
        on_select="rerun",
        selection_mode=("points", "box", "lasso"),
    )
    for note in result.notes:
        looks.note(note)
    charts.save_button({f"embedding {activation}": display}, name, "embedding_save")
with right:
    picked = [str(point["customdata"][0]) for point in event.selection.points]
    fresh = memory["fresh"] and not picked  # after a choice in this chart, an empty one means that it was undone
    chosen = memory["marked"] if fresh else picked
    st.session_state["embedding_chosen"] = memory | {"chosen": chosen, "fresh": fresh}
    if chosen:
        gallery.show(table, chosen, "embedding_gallery")
    else:
        st.info("Nothing chosen yet. Draw a lasso in the map: its clips appear here.", icon=":material/lasso_select:")

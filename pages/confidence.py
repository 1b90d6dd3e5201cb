"""How sure are the models, and are they right to be?"""

import streamlit as st
from shared import charts, looks, state

from workbench.analysis.confidence.displays.densities import CalibrationDisplay, ConfidenceDisplay, Scale
from workbench.app.from_ifdd import InputError
from workbench.store.tables import labelled

looks.heading("Confidence", "How sure are the models of each class, and are they right to be?")
collections = state.collections(state.shown(state.usable_models()))
if not collections or not state.needs_labels("nothing tells whether a model is sure of the right class"):
    st.stop()
with st.sidebar:
    everyone = list(collections)
    names = st.multiselect(
        "Models", everyone, default=everyone[: state.FEW], help="One row of panels each.", **looks.kept("confidence_models")
    )
    scales: list[Scale] = ["peak", "density"]
    scale = st.segmented_control(
        "Height of the curves",
        scales,
        default="peak",
        required=True,
        help="Each up to its own peak, or all in units of density, where sharp ones flatten the rest.",
        **looks.kept("confidence_scale"),
    )
if not names:
    raise InputError("no model is chosen; choose at least one in the side bar")

results = {name: state.confidences(collections[name]) for name in names}
densities = ConfidenceDisplay.from_result({name: result[0] for name, result in results.items()}, scale)
looks.section(
    "Probability of each class",
    "Positives are the clips of the class and should lie right; negatives are all others and should lie left. "
    "n = positives / negatives. Every dot is a clip.",
)
alt = "Density of the probability of each class, positives and negatives, by model"
clips = [list(labelled(collections[name])["clip_id"]) for name in names]
ids = clips[0] if all(other == clips[0] for other in clips) else None
charts.chart(densities.to_plotly(ids), "confidence_density", alt)
notes = [f"- {looks.markdown_text(f'{name}: {note}')}" for name, result in results.items() for note in result[0].notes]
if notes:
    with st.expander(f"{len(notes)} notes on these curves"):
        st.markdown("\n".join(notes))

looks.section("Calibration", "On the dashed line a model is right as often as it is sure; below it, it is too sure.")
calibrations = CalibrationDisplay.from_result({name: result[1] for name, result in results.items()})
left, right = st.columns([3, 2], gap="large")
with left:
    charts.chart(calibrations.to_plotly(), "confidence_calibration", "Accuracy over confidence, by model")
with right:
    for name, result in results.items():
        st.markdown(f"**{looks.markdown_text(name)}**")
        looks.note(result[1].caption)
charts.save_button({"confidence": densities, "calibration": calibrations}, "models", "confidence_save")

"""What does the benchmark show, and what does it know? One scripted clip, made from knobs."""

import streamlit as st
from shared import charts, looks, state

from workbench.app.playground import EMOTIONS, LEVELS, Knobs, strip
from workbench.plotting.truth import TruthDisplay

looks.heading(
    "Benchmark", "Turn the knobs of ScriptedFaces and see a clip with its truth: intensity, distractions, moved pixels."
)
with st.sidebar:
    emotion = st.selectbox("Emotion", EMOTIONS, **looks.kept("benchmark_emotion"))
    level = st.selectbox("Suite", list(LEVELS), format_func=LEVELS.__getitem__, **looks.kept("benchmark_level"))
    person = st.number_input("Person", 0, 9999, 0, help="Who shows it.", **looks.kept("benchmark_person"))
    clip = st.number_input("Clip", 0, 9999, 0, help="Another script of the same kind.", **looks.kept("benchmark_clip"))
    turned: dict[str, float] = {}
    quality = None
    with st.expander("Knobs", expanded=True):
        st.caption("Those that are off stay as the suite has them.")
        for name, title, top, start in (
            ("irrelevant_share", "Irrelevant frames (share)", 0.75, 0.5),
            ("talking", "Talking (probability)", 1.0, 1.0),
            ("resting", "Resting-face bias", 2.0, 1.5),
            ("motion", "Head motion", 3.0, 2.0),
            ("light", "Light", 2.0, 1.5),
            ("rho", "Scene with the emotion (ρ)", 1.0, 0.9),
        ):
            if st.toggle(title, **looks.kept(f"benchmark_{name}_on")):
                low = -1.0 if name == "rho" else 0.0
                turned[name] = st.slider(
                    title, low, top, start, 0.05, label_visibility="collapsed", **looks.kept(f"benchmark_{name}")
                )
        occluded = st.toggle("Something before the face", **looks.kept("benchmark_occluded"))
        cut = st.toggle("A cut", **looks.kept("benchmark_cut"))
        if st.toggle("JPEG compression", **looks.kept("benchmark_jpeg_on")):
            quality = st.slider("Quality", 5, 95, 20, label_visibility="collapsed", **looks.kept("benchmark_quality"))

script, rendered = state.played(
    Knobs(emotion, int(person), int(clip), level, occluded=occluded, cut=cut, quality=quality, **turned)
)
truth = rendered.truth
looks.lead(
    f"{looks.class_chip(emotion)} · {truth.irrelevant_share:.0%} of the time shows something else · "
    f"scene {truth.scene or 'tells nothing'}"
)
st.image(strip(rendered), width="stretch", caption="Eight moments; below, the pixels that the emotion moves.")
display = TruthDisplay.from_result(rendered.seconds, truth.intensity, truth.nuisance, truth.nuisance_names)
looks.section("Truth over time", "Below, each distraction over its own largest value in this clip: dark is strong.")
charts.chart(display.to_plotly(), "benchmark_truth", f"Intensity of {emotion} and strength of the distractions over time")
charts.save_button({"truth": display}, f"{emotion}-{person}-{clip}", "benchmark_save")
with st.expander("Action units of the emotion, and the script", icon=":material/data_object:"):
    st.json(script.to_dict(), expanded=1)

"""What does the benchmark show, what does it know, and what do the models make of it? One scripted clip, made from knobs."""

import numpy as np
import streamlit as st
from shared import charts, looks, player, state, view

from workbench.app.clipview import ClipView, Truth
from workbench.app.from_ifdd import InputError
from workbench.app.playground import AROUND, EMOTIONS, LEVELS, SUITES, Knobs, moments, python_of, strip, surroundings
from workbench.plotting.truth import TruthDisplay

PARTS = ("The clip and its truth", "What the models see")
SLIDERS = (
    ("irrelevant_share", "Irrelevant frames (share)", 0.0, 0.75, 0.5),
    ("talking", "Talking (probability)", 0.0, 1.0, 1.0),
    ("resting", "Resting-face bias", 0.0, 2.0, 1.5),
    ("motion", "Head motion", 0.0, 3.0, 2.0),
    ("light", "Light", 0.0, 2.0, 1.5),
    ("rho", "Scene behind the face, with the emotion (ρ)", -1.0, 1.0, 0.9),
)


def ask_knobs() -> Knobs:
    """Who shows what, and what distracts from it; all of it stands in the address."""
    what, where, who, which, more = st.columns([1.9, 3.6, 1.2, 1.2, 2], gap="small", vertical_alignment="bottom")
    emotion = what.selectbox("Emotion", EMOTIONS, **view.linked("benchmark_emotion"))
    level = where.selectbox("Suite", list(LEVELS), format_func=LEVELS.__getitem__, **view.linked("benchmark_level"))
    person = who.number_input("Person", 0, 9999, 0, help="Who shows it.", **view.linked("benchmark_person"))
    clip = which.number_input("Clip", 0, 9999, 0, help="Another script of the same kind.", **view.linked("benchmark_clip"))
    turned: dict[str, float] = {}
    quality = None
    with more.popover("Knobs", icon=":material/tune:", width="stretch", key="benchmark_knobs"):
        st.caption("Those that are off stay as the suite has them.")
        for name, title, low, top, begin in SLIDERS:
            if st.toggle(title, **view.linked(f"benchmark_{name}_on")):
                key = view.linked(f"benchmark_{name}")
                turned[name] = st.slider(title, low, top, begin, 0.05, label_visibility="collapsed", **key)
        around = st.selectbox(
            "Scene around the face", list(AROUND), format_func=AROUND.__getitem__, **view.linked("benchmark_around")
        )
        occluded = st.toggle("Something before the face", **view.linked("benchmark_occluded"))
        cut = st.toggle("A cut", **view.linked("benchmark_cut"))
        if st.toggle("JPEG compression", **view.linked("benchmark_jpeg_on")):
            quality = st.slider("Quality", 5, 95, 20, label_visibility="collapsed", **view.linked("benchmark_quality"))
    return Knobs(emotion, int(person), int(clip), level, occluded=occluded, cut=cut, quality=quality, around=around, **turned)


def show_truth(knobs: Knobs) -> None:
    """Eight moments, and everything that is known of them."""
    script, rendered = state.played(knobs)
    truth = rendered.truth
    alt = f"Eight moments of a clip of {knobs.emotion}; below, the pixels that the emotion moves are tinted"
    st.image(strip(rendered), width="stretch", alt=alt)
    if knobs.around:
        scene = surroundings(script, rendered)
        alt = f"The {knobs.around} scene around the same clip, at the same moments"
        st.image(np.concatenate(scene[moments(scene)], 1), width="stretch", alt=alt)
    display = TruthDisplay.from_result(rendered.seconds, truth.intensity, truth.nuisance, truth.nuisance_names)
    looks.note(
        f"Tinted: the pixels that the emotion moves.{' Below them the scene around the face.' if knobs.around else ''} Then its "
        "intensity, and each distraction over its largest value: dark is strong."
    )
    alt = f"Intensity of {knobs.emotion} and strength of the distractions over time"
    charts.chart(display.to_plotly().update_layout(height=340), "benchmark_truth", alt)
    with st.container(horizontal=True):
        charts.save_button({"truth": display}, f"{knobs.emotion}-{knobs.person}-{knobs.clip}", "benchmark_save")
        # one clip of other knobs is Python's alone; the command renders the suite that it is of
        which = "--suite-name" if knobs.level in SUITES else "--difficulty"
        cli = ["ifdd", "data", "render", which, knobs.level, "--split", "test", "--out", knobs.level]
        charts.reproduce(cli, python_of(knobs), "benchmark")
    with st.expander("Action units of the emotion, and the script", icon=":material/data_object:"):
        st.json(script.to_dict(), expanded=1)


def show_models(knobs: Knobs) -> None:
    """The same clip through the models in view, the true intensity in step with their maps."""
    models = state.usable_models()
    if not state.needs_network("a map"):
        return
    able = [name for name, bundle in models.items() if knobs.around or not bundle.scenes]
    if others := [name for name in models if name not in able]:
        looks.note(f"{', '.join(others)} read the scene around the face, and there is none; choose one under Knobs.")
    if not able:
        raise InputError("every model in view reads the scene around the face; choose one under Knobs, or another model")
    names = able[: state.FEW]
    truth = Truth(knobs.emotion, state.played(knobs)[1].truth.intensity)
    seen = ClipView(state.played_explained(names, knobs), truth)
    said = [f"{name} says {looks.class_chip(one.labels[one.predicted])}" for name, one in seen.explanations.items()]
    looks.lead(" · ".join(said))
    player.show(seen, f"{knobs.emotion}-{knobs.person}-{knobs.clip}", "benchmark")


looks.heading("Benchmark", "Turn the knobs of ScriptedFaces: a clip, its truth, and what the models make of it.")
knobs = ask_knobs()
known = state.played(knobs)[1].truth
with st.container(horizontal=True, vertical_alignment="center"):
    part = view.part(PARTS, "benchmark_part")
    looks.lead(
        f"{looks.class_chip(knobs.emotion)} · {100 * known.irrelevant_share:.0f} % of the time shows something else · "
        f"scene {known.scene or 'tells nothing'}"
    )
if part == PARTS[0]:
    show_truth(knobs)
else:
    show_models(knobs)

"""One clip seen through several models: the player and what belongs to it. Shown by the pages Clip and Upload."""

import re
from pathlib import Path
from typing import Any

import streamlit as st

from shared import charts, looks, state
from workbench.app.clipview import ClipView
from workbench.app.from_ifdd import Bundle, InputError
from workbench.plotting.base import Display

HERE = Path(__file__).parent
COLOUR_BAR = {
    "orientation": "h",
    "thickness": 10,
    "y": 1.02,
    "yanchor": "bottom",
    "title": {"text": "scaled correlation", "side": "top"},
}
_component = st.components.v2.component(
    "ifdd_player",
    html='<div class="player" tabindex="-1"></div>',
    css=(HERE / "player.css").read_text(encoding="utf-8"),
    js=(HERE / "player.js").read_text(encoding="utf-8"),
)


def ask_models(bundles: dict[str, Bundle], key: str) -> list[str]:
    """Which models are shown.

    Raises: InputError for none.
    """
    names = st.multiselect(
        "Models",
        list(bundles),
        default=list(bundles)[: state.FEW],
        help="Shown side by side, moved by one slider.",
        **looks.kept(f"{key}_models"),
    )
    if not names:
        raise InputError("no model is chosen; choose at least one in the side bar")
    return names


def ask_maps(bundles: list[Bundle], key: str, extra: dict[str, str | None]) -> dict[str, Any]:
    """How maps are made: `target`, `weights`, `normalise`, `badges` of Options; `extra` are further ways to name the target."""
    classes = dict.fromkeys(label for bundle in bundles for label in bundle.labels)
    targets = {"the predicted class": None, **extra, **{name: name for name in classes}}
    target = st.selectbox(
        "Evidence for", list(targets), help="Maps show what speaks for this class.", **looks.kept(f"{key}_target")
    )
    weights = st.segmented_control(
        "Channel weights",
        ["global", "per-step"],
        default="global",
        required=True,
        help="Averaged over all positions, or for each time step alone.",
        **looks.kept(f"{key}_weights"),
    )
    normalise = st.segmented_control(
        "Scale maps by",
        ["clip", "frame", "none"],
        default="clip",
        required=True,
        help="The maximum of the clip (frames compare), of each frame, or not at all.",
        **looks.kept(f"{key}_normalise"),
    )
    badges = st.toggle(
        "Badges", True, help="What tests of such maps found, on the clips that the badge is of.", **looks.kept(f"{key}_badges")
    )
    return {"target": targets[target], "weights": weights, "normalise": normalise, "badges": badges}


def in_words(text: str) -> str:
    """A message of the command line with its options as they are called here: --crop none → Crop none."""
    return re.sub(r"--(crop|face|start|end|window|stride)\b", lambda found: found[1].capitalize(), text)


def show(view: ClipView, name: str, key: str) -> None:
    """The whole view of a clip: player, probabilities, what was read; `name` for files, `key` for widgets."""
    for warning in view.warnings:
        st.warning(looks.markdown_text(in_words(warning)), icon=":material/info:")
    for number, data in enumerate(view.players()):
        _component(key=f"{key}_player_{number}", data=data)
    displays: dict[str, Display] = {f"film strip {model}": view.film_strip(model) for model in view.explanations}
    displays["probabilities"] = probabilities = view.probabilities()
    looks.section("Probabilities")
    charts.chart(probabilities.to_plotly(), f"{key}_probabilities", "Probability of each class, by model")
    for model in view.windowed_models():
        text = "The video was read in windows; above is this model's own: the one with the highest probability of the class."
        looks.section(f"What {model} says over time", text)
        displays[f"timeline {model}"] = windows = view.windows(model)
        charts.chart(windows.to_plotly(), f"{key}_windows_{model}", f"Probability of each class over time, {model}")
    for model in view.split_models():
        looks.section(
            f"What {model} reads",
            "Each step of the dynamic (D) and the static (S) group starts at its initial index, moves by its offset (arrow) "
            "and reads at the triangle; a thin line marks what it asked for, where that is elsewhere. "
            "Right: the correlation between feature frames that the offsets are made from.",
        )
        displays[f"split {model}"] = timeline = view.timeline(model)
        correlation = view.correlation(model)
        left, right = st.columns([7, 3], gap="medium")
        with left:
            alt = f"Frames that each step of {model} reads, over the clip"
            charts.chart(timeline.to_plotly().update_xaxes(tickangle=0, tickfont_size=10), f"{key}_split_{model}", alt)
        if correlation is not None:
            displays[f"correlation {model}"] = correlation
            figure = correlation.to_plotly().update_yaxes(constrain="domain", constraintoward="top").update_layout(height=400)
            figure.update_traces(colorbar=COLOUR_BAR)
            with right:
                charts.chart(figure, f"{key}_correlation_{model}", f"Correlation between feature frames, {model}")
    charts.save_button(displays, name, f"{key}_save")

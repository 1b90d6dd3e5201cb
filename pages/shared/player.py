"""One clip seen through several models: the player, and in tabs what belongs to it. Shown by the pages Clip and Upload."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from shared import charts, clip_parts, looks, view
from workbench.app.clipview import ClipView
from workbench.app.every_frame import MOST, EveryFrame, every_frame
from workbench.app.map_choice import BY_WEIGHTS, METHODS, SLOW

if TYPE_CHECKING:
    from workbench.app.from_ifdd import Bundle

HERE = Path(__file__).parent
_component = st.components.v2.component(
    "ifdd_player",
    html='<div class="player" tabindex="-1"></div>',
    css=(HERE / "player.css").read_text(encoding="utf-8"),
    js=(HERE / "player.js").read_text(encoding="utf-8"),
)


def play(data: dict[str, Any], key: str) -> None:
    """The frame player with the `data` of `player_data`."""
    _component(key=key, data=data)


def ask_maps(bundles: list[Bundle], key: str, extra: dict[str, str | None], *, inline: bool = False) -> dict[str, Any]:
    """How maps are made, as Options takes it; `extra` are further ways to name the target.

    `inline`: in one line, with a menu for what is seldom changed.
    """
    classes = list(dict.fromkeys(label for bundle in bundles for label in bundle.labels))
    methods = [name for name in METHODS if inline or name != SLOW]
    targets = {"the predicted class": None, **extra, **{name: name for name in classes}}
    with st.container(horizontal=inline, vertical_alignment="bottom", gap="small", key=f"{key}_map_choice"):
        wide: Any = 300 if inline else "stretch"
        method = st.selectbox(
            "Maps",
            methods,
            format_func=METHODS.__getitem__,
            icon=":material/blur_on:",
            label_visibility="collapsed" if inline else "visible",
            help="The first shows, of each model, the map that passed the tests of *Attribution* (deletion and insertion, random "
            "parameters) on most of the activations tried; so a model may show one branch alone. Of a model whose maps were not "
            "tested it shows what they begin with. Other methods show both, with a badge that says how they fared.",
            width=wide,
            **view.linked(f"{key}_map"),
        )
        target = st.selectbox(
            "Evidence for",
            list(targets),
            icon=":material/flag:",
            label_visibility="collapsed" if inline else "visible",
            help="Maps show what speaks for this class.",
            width=220 if inline else "stretch",
            **view.linked(f"{key}_for"),
        )
        with st.popover("More", icon=":material/tune:", key=f"{key}_more") if inline else st.container():
            known = list(dict.fromkeys(name for bundle in bundles for name in bundle.model.spatial_activations))
            activations = st.multiselect(
                "Activations",
                known,
                placeholder="those that pass, or the branches",
                help="Where the map is taken from; a model that lacks one shows its branches.",
                **view.linked(f"{key}_of"),
            )
            against = st.selectbox(
                "Rather than",
                classes,
                index=None,
                placeholder="any other class",
                help="The logit of this class is subtracted: why the one rather than the other?",
                **view.linked(f"{key}_against"),
            )
            weights = "global"
            if method in BY_WEIGHTS:
                about = "Averaged over all positions, or for each time step alone."
                weights = view.one_of("Channel weights", ["global", "per-step"], f"{key}_weights", help=about)
            about = "The maximum of the clip (frames compare), of each frame, or not at all."
            normalise = view.one_of("Scale maps by", ["clip", "frame", "none"], f"{key}_scale", help=about)
    if method == SLOW and not st.session_state.get(f"{key}_slow"):
        st.info(
            f"{METHODS[SLOW]} runs the model thousands of times: about a minute for each model and clip.", icon=":material/timer:"
        )
        st.button("Make these maps", key=f"{key}_slow_go", on_click=st.session_state.update, kwargs={f"{key}_slow": True})
        st.stop()
    return {
        "target": targets[target],
        "method": method,
        "activations": tuple(activations) or None,
        "against": against,
        "weights": weights,
        "normalise": normalise,
    }


@st.cache_resource(max_entries=4, show_spinner="Reading every frame …")  # each up to 23 MB
def _read_every(path: str, stamp: int, start: float, end: float, fps: float | None) -> EveryFrame:
    return every_frame(Path(path), start, end, fps)


def in_words(text: str, has_options: bool = True) -> str:
    """A message of the command line with its options as they are called here, or where they are: --crop none → Crop none."""
    where = "" if has_options else " of the page Upload"
    return re.sub(r"--(crop|face|start|end|window|stride)\b", lambda found: f"{found[1].capitalize()}{where}", text)


def show(seen: ClipView, name: str, key: str, about: clip_parts.About | None = None) -> None:
    """The whole view of a clip; `name` for files, `key` for widgets, `about`: what a clip of a dataset has beside them."""
    for warning in seen.warnings:
        st.warning(looks.markdown_text(in_words(warning, has_options=about is None)), icon=":material/info:")
    parts: dict[str, Callable[[], clip_parts.Part]] = {
        "Maps": lambda: _maps(seen, about, key),
        "Classes": lambda: clip_parts.classes(seen, about, key),
        "Split": lambda: clip_parts.split(seen, about, key),
        "Frames": lambda: clip_parts.frames(seen, about, key),
        "Regions": lambda: clip_parts.regions(seen, about, key),
        "Difference": lambda: clip_parts.difference(seen, about, name, key, play),
        "What if": lambda: clip_parts.what_if(seen, about, key, play),
    }
    if not seen.explanations:  # models of whom nothing is known but what they said
        parts = {"Classes": parts["Classes"]}
    for tab, part in zip(st.tabs(list(parts), key=f"{key}_tab", bind="query-params"), parts.values(), strict=True):
        if tab.open:
            with tab, looks.error_panel():
                displays, lines = part()
                with st.container(horizontal=True):
                    if lines:
                        charts.reproduce(*lines[0], key, others=lines[1:])
                    charts.save_button(displays, name, f"{key}_save")


def _maps(seen: ClipView, about: clip_parts.About | None, key: str) -> clip_parts.Part:
    shown = st.container()
    every = st.toggle(
        "Every frame of the video",
        help=f"Also those that no model reads, at most {MOST}; each map is then that of the frame nearest in time.",
        **view.linked(f"{key}_every"),
    )
    fps = None if about is None else about.options(next(iter(seen.explanations))).fps

    def read(path: Path, start: float, end: float) -> EveryFrame:
        return _read_every(str(path), path.stat().st_mtime_ns, start, end, fps)

    with shown:
        for number, data in enumerate(seen.players(read if every else None)):
            play(data, f"{key}_player_{number}")
    return {f"film strip {model}": seen.film_strip(model) for model in seen.explanations}, clip_parts.explained(seen, about)

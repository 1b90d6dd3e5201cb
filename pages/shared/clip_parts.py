"""The parts of the view of a clip: classes, split, frames, regions, difference, and what if; each in a tab of `player.show`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from shared import charts, looks, state, tables, view
from workbench.analysis.counterfactuals.displays import ClipChangeDisplay
from workbench.analysis.saliency.differences import difference as between
from workbench.analysis.saliency.displays.attribution import FrameImportanceDisplay, RegionBudgetDisplay
from workbench.analysis.saliency.displays.differences import DifferenceStrip
from workbench.analysis.saliency.displays.heat import below
from workbench.analysis.saliency.displays.player import difference_group, input_group, map_group, player_data
from workbench.app import clip_analyses as asking
from workbench.app.clip_analyses import Edits
from workbench.app.clip_copy import OfClip, explain_lines, saliency_lines, what_if_lines
from workbench.app.clipview import ClipView
from workbench.app.copying import Copied
from workbench.app.from_ifdd import InputError
from workbench.plotting.base import Display
from workbench.results.interval import number_text

if TYPE_CHECKING:
    from workbench.explain.results import Explanation
    from workbench.explain.task import Options

COLOUR_BAR = {
    "orientation": "h",
    "thickness": 10,
    "y": 1.02,
    "yanchor": "bottom",
    "title": {"text": "scaled correlation", "side": "top"},
}
EDITS = {
    "freeze": "Freeze: one frame throughout",
    "reverse": "Reverse: backwards",
    "shuffle": "Shuffle: in a random order",
    "drop": "Drop: frames are lost, the last one before stays on",
    "replace": "Replace: frames of the other clip",
    "zero-offsets": "Offsets at zero: read at the initial indexes",
    "swap-D": "Swap D: the dynamic branch of the other clip",
    "swap-S": "Swap S: the static branch of the other clip",
    "swap-face": "Swap face: the face of the other clip, in this scene",
    "swap-scene": "Swap scene: this face, in the scene of the other clip",
}
FIRST_EDITS = ("freeze", "reverse", "shuffle", "drop", "zero-offsets", "swap-S", "swap-scene")


@dataclass(frozen=True, eq=False)
class About:
    """What is known of a clip of a dataset beside its pictures: its place, its row of the manifest, how maps were asked for.

    `options` are those of a model by name. `again` explains it with a model and other options, `other` another clip, by its id.
    """

    place: OfClip
    row: pd.DataFrame
    options: Callable[[str], Options]
    again: Callable[[str, Options], Explanation]
    other: Callable[[str, str], Explanation]


Play = Callable[[dict[str, Any], str], None]
"""Shows the data of a player, with a key."""
Part = tuple[dict[str, Display], list[Copied]]
"""Pictures to save, and what reproduces them of each model, where a command finds the clip."""


def explained(seen: ClipView, about: About | None) -> list[Copied]:
    """What makes the maps, the classes and the split."""
    if about is None:
        return []
    return [
        explain_lines(name, state.model(name)[0].path, item.video, about.options(name), about.place)
        for name, item in seen.explanations.items()
    ]


def classes(seen: ClipView, about: About | None, key: str) -> Part:
    """Probabilities of all models, and over the windows of a video."""
    displays: dict[str, Display] = {"probabilities": (bars := seen.probabilities())}
    charts.chart(bars.to_plotly(), f"{key}_probabilities", "Probability of each class, by model")
    for model in seen.windowed_models():
        text = "The video was read in windows; shown is this model's own: the one with the highest probability of the class."
        looks.section(f"What {model} says over time", text)
        displays[f"timeline {model}"] = windows = seen.windows(model)
        charts.chart(windows.to_plotly(), f"{key}_windows_{model}", f"Probability of each class over time, {model}")
    return displays, explained(seen, about)


def split(seen: ClipView, about: About | None, key: str) -> Part:
    """Which frames the groups of each model read."""
    displays: dict[str, Display] = {}
    if not seen.split_models():
        st.info("None of the models splits the clip; choose an IFDD model in the bar above.", icon=":material/info:")
    for model in seen.split_models():
        looks.section(f"What {model} reads")
        displays[f"split {model}"] = timeline = seen.timeline(model)
        correlation = seen.correlation(model)
        left, right = st.columns([7, 3], gap="medium")
        with left:
            alt = f"Frames that each step of {model} reads, over the clip"
            figure = timeline.to_plotly().update_xaxes(tickangle=0, tickfont_size=10)
            charts.chart(figure, f"{key}_split_{model}", alt, read="split")
        if correlation is not None:
            displays[f"correlation {model}"] = correlation
            figure = correlation.to_plotly().update_yaxes(constrain="domain", constraintoward="top").update_layout(height=400)
            figure.update_traces(colorbar=COLOUR_BAR)
            with right:
                alt = f"Correlation between feature frames, {model}"
                charts.chart(figure, f"{key}_correlation_{model}", alt, read="correlation")
    return displays, explained(seen, about)


def frames(seen: ClipView, about: About | None, key: str) -> Part:
    """By how much the score falls without each frame."""
    words = {"freeze": "the frame before it again", "occlude": "the mean colour in its place"}
    how = view.one_of("A frame is taken away by", list(words), f"{key}_how", format_func=words.__getitem__)
    found = {}
    for name, item in seen.explanations.items():
        label = f"{name}, for {item.labels[item.target]}"
        found[label] = _importance(_key(name, item, item.target, how), name, item, how)
    display = FrameImportanceDisplay.from_result(found)
    alt = f"Fall of the score without each frame of the clip, {how}"
    figure = display.to_plotly().update_layout(legend=charts.LEGEND_ABOVE, title=None, margin_t=60)
    charts.chart(figure, f"{key}_importance", alt, read="frames")
    code = (
        "from ifdd.inputs import each\nfrom workbench.analysis.saliency import frame_importance\n\n"
        "clips = each(found.tensor(), lambda part: part[None])\n"
        f"print(frame_importance(bundle.model, clips, {how!r}, found.target).drop)"
    )
    return {"importance of frames": display}, _saliency_lines(seen, about, code, "--frames")


def regions(seen: ClipView, about: About | None, key: str) -> Part:
    """How the maps are spent on the parts of the face."""
    found = {}
    for name, item in seen.explanations.items():
        for branch, budget in _budgets(
            _key(name, item, *_maps_key(item)), name, item, None if about is None else about.row
        ).items():
            found[f"{name} {branch}"] = budget
    if not found:
        if all(item.on_scene(result) for item in seen.explanations.values() for result in item.saliency.values()):
            raise InputError("these models read the scene alone, and regions are those of the face; show a model of the face")
        raise InputError("every map of this clip is zero; choose another method, or another class under Evidence for")
    display = RegionBudgetDisplay.from_result(found)
    figure = display.to_plotly().update_layout(legend=charts.LEGEND_ABOVE, title=None, margin_t=40)
    charts.chart(figure, f"{key}_regions", "Share of the evidence over share of the pixels, by part of the face", read="regions")
    looks.note(f"Regions: {next(iter(found.values())).source}. 1 is what a map that knows nothing spends.")
    code = "from workbench.app.clip_analyses import budgets\n\nprint(budgets(bundle, found))"
    return {"regions": display}, _saliency_lines(seen, about, code)


def difference(seen: ClipView, about: About | None, name: str, key: str, play: Play) -> Part:
    """Where one map has more evidence than another: of two models, or of the branches of one."""
    maps, pair = asking.named_maps(seen.explanations), asking.first_pair(seen.explanations)
    if pair is None:
        raise InputError("there is one map alone; bring another model into view, or choose more Activations under More")
    with st.container(horizontal=True, vertical_alignment="center"):
        left = _ask_map("This map", "add", list(maps), pair[0], f"{key}_first")
        right = _ask_map("less this one", "remove", list(maps), pair[1], f"{key}_second")
    first, second = maps[left], maps[right]
    item, other = seen.explanations[first.model], seen.explanations[second.model]
    if item.on_scene(first.result) != other.on_scene(second.result):
        raise InputError("one of these maps lies on the face and the other on the scene, which have no places in common")
    sizes = [one.result.frames.shape[1:] for one in (first, second)]
    if sizes[0] != sizes[1]:
        reads = [f"{one.model} reads {t} frames of {h}×{w}" for one, (t, h, w) in zip((first, second), sizes, strict=True)]
        raise InputError(f"{' and '.join(reads)}, so that these maps have no places in common; choose two maps of one model")
    label = item.labels[item.target]
    if other.labels[other.target] != label and about is not None:
        second = asking.named_maps({second.model: about.again(second.model, replace(about.options(second.model), target=label))})[
            right
        ]
        says = other.labels[other.target]
        looks.note(f"The map of {second.model}, which says {says}, is for {label} here, so that both can be compared.")
    found = between(first.result, second.result, (left, right))
    for note in found.notes:
        st.warning(looks.markdown_text(note), icon=":material/info:")
    clip, pixels = item.clip, below(item.pictures, first.result)
    groups = [input_group(pixels, clip.seconds)]
    groups += [
        map_group(title, f"for {label}", pixels, clip.seconds, {one.branch: replace(one.result, input="")}, label)
        for title, one in {left: first, right: second}.items()
    ]
    groups.append(difference_group("difference", pixels, clip.seconds, found))
    intensity = None if seen.truth is None else seen.truth.intensity_of(clip.video_index)
    play(player_data(groups, clip.video_index, intensity), f"{key}_difference")
    looks.note(
        f"Share of the evidence that lies in the same places: {found.overlap[0]:.2f} (1 for equal maps). "
        f"Rank correlation: {found.rank[0]:.2f}."
    )
    code = "from workbench.analysis.saliency import difference\n\nother = found\n"
    versus: list[str] = []
    if second.model != first.model:
        versus = ["--versus", second.model]
        code = code.replace(
            "other = found\n",
            f"bundle = load_checkpoint({str(state.model(second.model)[0].path)!r})\n"
            f"other = run(bundle, {str(item.video)!r}, replace(options, target={label!r}))\n",
        )
    code += f"print(difference(found.saliency[{first.branch!r}], other.saliency[{second.branch!r}]).overlap)"
    strip = DifferenceStrip.from_difference(pixels, clip.seconds, found, title=name)
    return {"difference": strip}, _saliency_lines(seen, about, code, *versus, model=first.model)


def _ask_map(label: str, icon: str, names: list[str], chosen: str, key: str) -> str:
    return st.selectbox(
        label,
        names,
        index=names.index(chosen),
        icon=f":material/{icon}:",
        label_visibility="collapsed",
        width=300,
        **view.linked(key),
    )


def _title(edit: str) -> str:
    return EDITS.get(edit, edit).split(":")[0]


def what_if(seen: ClipView, about: About | None, key: str, play: Play) -> Part:
    """Edits of the clip, and what each model then says."""
    items = seen.explanations
    bundles = {name: state.model(name)[0] for name in items}
    first = next(iter(items.values()))
    length = len(first.clip.seconds)
    left, right = st.columns([2, 5], gap="medium")
    with left:
        donor = _ask_donor(about, key)
        offered = asking.possible(bundles, donor is not None)
        names = st.pills(
            "Edits",
            offered,
            selection_mode="multi",
            default=[name for name in FIRST_EDITS if name in offered],
            format_func=_title,
            help="  \n".join(EDITS.get(name, name) for name in offered),
            wrap=True,
            **view.linked(f"{key}_edits"),
        )
        still = st.slider("Freeze shows frame", 0, length - 1, length // 2, **view.linked(f"{key}_still"))
        lost = st.slider(
            "Drop and replace frames", 0, length - 1, (length // 4, length - length // 4 - 1), **view.linked(f"{key}_lost")
        )
        seed = st.number_input("Seed of the shuffle", 0, 2**32 - 1, 0, **view.linked(f"{key}_seed"))
    if not names:
        raise InputError("no edit is chosen; choose one or more")
    if donor is not None and donor not in state.dataset().clips.index:
        raise InputError(f"there is no clip {donor}; choose one of the list, or type the id of another")
    edits = Edits(tuple(names), int(still), (int(lost[0]), int(lost[1])), int(seed), length)
    found = {}
    for name, item in items.items():
        taken = None if donor is None or about is None else about.other(name, donor)
        found[name] = _what_if(_key(name, item, repr(edits), donor or ""), name, item, edits, taken)
    with right:
        with st.container(horizontal=True):
            for name, result in found.items():
                st.metric(
                    f"Order sensitivity of {looks.markdown_text(name)}",
                    "–" if result.order is None else f"{result.order[0]:.2f}",
                    help="How far its probabilities move in random orders of the frames: 0 for a bag of frames, at most 1.",
                )
        told, change = asking.effects(found), "p of the first answer, change"
        tables.show(
            told.assign(**{change: [number_text(value, "+.2f") for value in told[change]]}),
            "What each model says after each edit",
            f"{key}_effects",
            height="content",
            column_config={
                "sure, p": st.column_config.NumberColumn(
                    format="%.2f", help="Probability of the class that the model says after the edit, 0 to 1."
                ),
                change: st.column_config.TextColumn(
                    alignment="right", help="How much the probability of the class that it says of the clip as it is has changed."
                ),
                "all p, change": st.column_config.ProgressColumn(
                    format="%.2f",
                    min_value=0,
                    max_value=1,
                    help="Total variation distance of all probabilities before and after: 0 none has changed, 1 all have.",
                ),
            },
        )
    displays: dict[str, Display] = {}
    for name, result in found.items():
        displays[f"what if {name}"] = display = ClipChangeDisplay.from_result(result)
        looks.section(f"What {name} says after each edit")
        figure = display.to_plotly().update_layout(title=None)
        charts.chart(
            figure,
            f"{key}_change_{name}",
            f"Change of the probability of each class after each edit, {name}",
            read="counterfactuals",
        )
    model = next(iter(bundles))
    other = None if donor is None or about is None else about.other(model, donor).tensor()
    pictures = asking.edited(bundles[model], first.tensor(), edits, other)
    if pictures:
        looks.section("The clip after each edit")
        groups = [input_group(first.pictures, first.clip.seconds, name="as it is")]
        groups += [input_group(pixels, first.clip.seconds, name=name) for name, pixels in pictures.items()]
        intensity = None if seen.truth is None else seen.truth.intensity_of(first.clip.video_index)
        play(player_data(groups, first.clip.video_index, intensity), f"{key}_edited")
    if about is None:
        return displays, []
    asked = {name: edits.of(bundle, 1 + bool(donor)) for name, bundle in bundles.items()}
    return displays, [
        what_if_lines(name, bundles[name].path, options, about.place, donor) for name, options in asked.items() if options.edits
    ]


def _ask_donor(about: About | None, key: str) -> str | None:
    """Another clip of the dataset to take from: at first the next one of another class."""
    if about is None:
        return None
    table = state.clip_table()
    names, ids = table.get("label_name"), table.index
    shown = [table[column].astype(str) for column in ("label_name", "scene") if column in table]
    if names is not None:
        ids = ids[np.argsort(names == about.row["label_name"].iloc[0], kind="stable")]
    ids = ids[ids != about.place.clip_id][:500]  # of more a browser would hold megabytes
    if not len(ids):
        return None
    return st.selectbox(
        "The other clip",
        list(ids),
        format_func=lambda clip: " · ".join([clip, *(told[clip] for told in shown if clip in table.index)]),
        accept_new_options=True,
        help="Whose frames and branches are taken; the id of any clip may be typed.",
        **view.linked(f"{key}_other"),
    )


def _saliency_lines(seen: ClipView, about: About | None, code: str, *flags: str, model: str | None = None) -> list[Copied]:
    """Of each model, or of one."""
    if about is None:
        return []
    found = []
    for name, item in seen.explanations.items():
        if model in (None, name):
            options = about.options(name)
            line, python = saliency_lines(item, name, state.model(name)[0].path, options, about.place, code)
            found.append(([*line, *flags], python))
    return found


# -- kept by what they are of: the checkpoint, the pixels, the question ------------------------------------------------------


def _key(name: str, item: Explanation, *more: object) -> tuple[str, ...]:
    pixels = [hashlib.sha256(clip.pixels.tobytes()).hexdigest() for clip in item.clips.values()]
    return (state.model(name)[0].card.sha256, *pixels, *map(str, more))


def _maps_key(item: Explanation) -> tuple[str, ...]:
    return tuple(hashlib.sha256(np.ascontiguousarray(found.frames).tobytes()).hexdigest() for found in item.saliency.values())


@st.cache_resource(max_entries=128, show_spinner="Taking frames away …")
def _importance(key: tuple[str, ...], _name: str, _item: Explanation, _how: Any) -> Any:
    with state.in_turn(_name) as bundle:
        return asking.importance(bundle, _item, _how)


@st.cache_resource(max_entries=128, show_spinner="Measuring …")
def _budgets(key: tuple[str, ...], _name: str, _item: Explanation, _row: pd.DataFrame | None) -> Any:
    return asking.budgets(state.model(_name)[0], _item, _row)


@st.cache_resource(max_entries=128, show_spinner="Running the model …")
def _what_if(key: tuple[str, ...], _name: str, _item: Explanation, _edits: Edits, _other: Explanation | None) -> Any:
    with state.in_turn(_name) as bundle:
        return asking.what_if(bundle, _item.tensor(), _edits, None if _other is None else _other.tensor())

"""Which regions maps rest on over many clips, whether maps are true, and what changes an answer: measured as jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st
from shared import charts, jobs, looks, state, tables, view

from workbench.analysis import CLIPS
from workbench.analysis.counterfactuals.displays import CounterfactualDisplay
from workbench.analysis.counterfactuals.task import possible_edits
from workbench.analysis.faithfulness.displays import PerturbationDisplay, RandomisationDisplay, verdict_table
from workbench.analysis.faithfulness.task import FaithfulnessRequest
from workbench.analysis.saliency.displays.attribution import RegionBudgetDisplay
from workbench.analysis.saliency.verdicts import FILE as VERDICTS
from workbench.analysis.streams.displays import HEADER as STREAMS
from workbench.analysis.streams.displays import StreamsDisplay
from workbench.analysis.streams.displays import rows as stream_rows
from workbench.analysis.streams.displays import told as stream_notes
from workbench.analysis.streams.task import left_out
from workbench.app.attribution import MOST, Asked, asked_ids, read_edits, read_regions, read_streams, read_tests
from workbench.app.clip_analyses import possible
from workbench.app.copying import Copied
from workbench.app.from_ifdd import InputError
from workbench.app.map_choice import METHODS
from workbench.app.selection import IDS, Selection, linked, where
from workbench.plotting.base import Display

if TYPE_CHECKING:
    from workbench.app.from_ifdd import Bundle

PARTS = ("Regions", "Are maps true?", "What if", "Face and scene")
OF_EACH, SELECTED = "of each class alike", "selected"
TESTED = ("gradcam", "hirescam", "saliency")  # as the command by itself

Shown = tuple[dict[str, Display], list[Copied]]


def ask_clips(part: str) -> tuple[Asked, bool]:
    """Which clips, and whether they are the selected ones."""
    clips = state.dataset()
    chosen = view.chosen(state.clip_table()) if view.selection() else None
    scope = OF_EACH
    if chosen is not None and part != PARTS[1]:
        scope = view.one_of("Clips", [OF_EACH, SELECTED], "saliency_clips")
    place, manifest = state.workspace().folder, clips.manifest
    if chosen is not None and scope == SELECTED:
        ids = asked_ids(clips.clips[clips.clips["clip_id"].isin(chosen.index)], MOST)
        if len(ids) < len(chosen):
            looks.note(f"The first {len(ids)} of the {len(chosen)} selected clips, of each class alike.")
        return Asked(place, clips.name, manifest, len(ids), ids), True
    least = 2 if part in (PARTS[1], PARTS[3]) else 1
    wanted = min(FaithfulnessRequest.clips if part == PARTS[1] else CLIPS, len(clips.clips))
    count = st.number_input("How many clips", least, MOST, max(wanted, least), **view.linked("saliency_count"), width=160)
    return Asked(place, clips.name, manifest, int(count)), False


def measured(
    models: Mapping[str, Bundle],
    title: str,
    button: str,
    key: str,
    line: Callable[[str], list[str]],
    takes: str = "a second or two",
) -> dict[str, Path]:
    """Folders of what a command made of each model; an offer to run it for those where it did not yet."""
    clips, works = state.dataset(), {}
    for name, bundle in models.items():
        inputs = [bundle.card.sha256, *clips.hashes]
        works[name] = jobs.Work(f"{title} {name}", [*line(name), "--out", "{out}"], inputs)
    about = f"Not measured yet for these clips and choices; it runs beside your work, {takes} for each clip and model."
    return jobs.offer_all(works, f"saliency_{key}", button=button, about=about)


def show_regions(models: Mapping[str, Bundle], asked: Asked, method: str) -> Shown:
    """Share of the maps over share of the area, by region, of all models."""
    made = measured(models, "Regions of the maps of", "Measure the regions", "regions", lambda name: asked.regions(name, method))
    found = {f"{name} {key}": budget for name, folder in made.items() for key, budget in read_regions(folder).items()}
    for name, folder in made.items():
        if not read_regions(folder):
            looks.note(f"{name}: no map lies on the face, or all are zero.")
    displays: dict[str, Display] = {}
    if found:
        displays["regions"] = display = RegionBudgetDisplay.from_result(found)
        looks.note("A map that knows nothing gives every region 1, as much as its area. Bars: 95 % intervals.")
        looks.note(f"Regions: {'; '.join(dict.fromkeys(budget.source for budget in found.values()))}.")
        figure = display.to_plotly().update_layout(
            legend=charts.LEGEND_ABOVE, title=None, margin_t=60, height=330 + 26 * len(found)
        )
        charts.chart(figure, "saliency_budget", "Share of the attribution over share of the area, by region", read="regions")
    return displays, [(asked.regions(name, method), asked.regions_python(bundle.path, method)) for name, bundle in models.items()]


def show_tests(models: Mapping[str, Bundle], asked: Asked, methods: list[str]) -> Shown:
    """Verdicts on the maps of each model, and what they rest on."""
    made = measured(
        models, "Test the maps of", "Test the maps", "tests", lambda name: asked.tests(name, methods), "up to half a minute"
    )
    displays: dict[str, Display] = {}
    for name, folder in made.items():
        report = read_tests(folder)
        about = f"{report.clips} clips. A map passes that deletion and insertion follow, and that depends on what was learned."
        looks.section(f"Are the maps of {name} true?", about)
        rows = [
            {"passes": "✓" if v.passes else "✗"} | row
            for v, row in zip(report.verdicts, verdict_table(report.verdicts), strict=True)
        ]
        tables.show(rows, alt=f"Verdicts on the maps of {name}", prose=True)
        if not (models[name].path / VERDICTS).is_file():
            looks.note(
                f"Maps of {name} wear no badge of these tests yet: copy {folder / VERDICTS} into {models[name].path}, where "
                "all who look at the checkpoint find it."
            )
        removed = PerturbationDisplay.from_result(report.removed)
        displays[f"deletion {name}"] = removed
        charts.chart(removed.to_plotly(), f"saliency_removed_{name}", f"Deletion and insertion, maps of {name}", read="deletion")
        forgot = RandomisationDisplay.from_result(report.randomisation)
        displays[f"randomisation {name}"] = forgot
        alt = f"Rank correlation with the map of the trained {name}, while its blocks are forgotten"
        charts.chart(forgot.to_plotly(), f"saliency_forgot_{name}", alt, read="randomisation")
    return displays, [(asked.tests(name, methods), asked.tests_python(bundle.path, methods)) for name, bundle in models.items()]


def show_edits(models: Mapping[str, Bundle], asked: Asked, edits: list[str], linked_bars: bool) -> Shown:
    """How far answers move under edits: a table of all models, and each clip of each model."""

    def own(name: str) -> list[str]:
        return [edit for edit in possible_edits(models[name], asked.count) if edit in edits]

    able = {name: bundle for name, bundle in models.items() if own(name)}
    if not able:
        if any(edit in possible_edits(bundle, 2) for bundle in models.values() for edit in edits):
            raise InputError(f"{', '.join(edits)} takes from another clip, and there is one; choose two or more")
        raise InputError(f"no model in view can take {', '.join(edits)}; choose another edit, or another model")
    made = measured(able, "Edit clips read by", "Edit the clips", "edits", lambda name: asked.edits(name, own(name)))
    found = {name: read_edits(folder).counterfactuals for name, folder in made.items()}
    if found:
        looks.note(
            "Change: total variation distance of the probabilities, 0 to 1, mean over clips. Flips: share of clips of which the "
            "model then says another class. Square brackets: 95 % intervals over people (clips, where none is named)."
        )
        rows: list[dict[str, str | None]] = [
            {"model": name, "edit": edit.name, "change": edit.mean.change.text(), "flips": edit.mean.flips.text(".0f", 100, " %")}
            for name, result in found.items()
            for edit in result.edits
        ]
        rows += [
            {
                "model": name,
                "edit": "any random order (order sensitivity)",
                "change": result.order_sensitivity.text(),
                "flips": None,
            }
            for name, result in found.items()
            if result.order_sensitivity is not None
        ]
        tables.show(rows, height="content", alt="Effect of each edit, by model")
    displays: dict[str, Display] = {}
    for name, result in found.items():
        displays[f"edits {name}"] = display = CounterfactualDisplay.from_result(result)
        looks.section(name, "One bar for each clip; orange where the model then says another class.")
        links = {clip: linked(where(IDS, clip)) for clip in result.clip_ids} if linked_bars else None
        alt = f"How far what {name} says of each clip moves under each edit"
        charts.chart(display.to_plotly(links), f"saliency_edits_{name}", alt, links=linked_bars, read="counterfactuals")
    return displays, [(asked.edits(name, own(name)), asked.edits_python(bundle.path, own(name))) for name, bundle in able.items()]


def show_streams(models: Mapping[str, Bundle], asked: Asked) -> Shown:
    """What each of two inputs does to the answers of the models that have two."""
    able = {name: bundle for name, bundle in models.items() if len(bundle.model.inputs) == 2}
    if not able:
        raise InputError(
            f"no model in view reads two inputs ({', '.join(models)} read one); choose one that reads face and scene"
        )
    made = measured(able, "Exchange the inputs of", "Exchange face and scene", "streams", asked.streams)
    found = {name: result for folder in made.values() for name, result in read_streams(folder).items()}
    displays: dict[str, Display] = {}
    if found:
        looks.note(f"{next(iter(found.values())).caption}.")
        displays["streams"] = display = StreamsDisplay.from_result(found)
        figure = display.to_plotly().update_layout(legend=charts.LEGEND_ABOVE)
        charts.chart(figure, "saliency_streams", "Share of the logit that each input has, by model", read="streams")
        table = pd.DataFrame(stream_rows(found), columns=STREAMS)
        tables.show(table, height="content", alt="What each input does, by model")
        for note in stream_notes(found):
            looks.note(f"{note}.")
    if line := left_out(models, able):
        looks.note(line)
    return displays, [(asked.streams(*able), asked.streams_python([bundle.path for bundle in able.values()]))]


def offer_clips(asked: Asked) -> None:
    """A button that selects the clips that figures are of."""
    ids = asked_ids(state.dataset().clips, asked.count)

    def select() -> None:  # a group is kept in the workspace when it is wanted, not whenever the page is drawn
        view.set_selection(Selection((view.kept_clips().group(ids),)))

    st.button(f"Select these {len(ids)} clips", icon=":material/select_all:", key="saliency_select", on_click=select)


looks.heading(
    "Attribution",
    "Which regions do maps rest on, over many clips? Are the maps true? What changes an answer? What do face and scene do?",
)
usable = state.usable_models()
if not state.needs_network("a map"):
    st.stop()
part = view.part(PARTS, "saliency_part")
own = [name for name in usable if name in state.own_networks()]
if own:
    looks.note(f"{', '.join(own)}: of networks of your own a single clip can be asked, on the page Clip.")
names = [name for name in usable if name not in own]
if len(names) > state.FEW:
    looks.note(f"The first {state.FEW} of the {len(names)} models in view; choose others in the bar above.")
models = {name: usable[name] for name in names[: state.FEW]}
if not models:
    st.stop()
with st.container(horizontal=True, vertical_alignment="bottom", key="saliency_ask"):
    if part == PARTS[0]:
        known = [name for name in METHODS if name != "tested"]
        method = st.selectbox("Maps", known, format_func=METHODS.__getitem__, width=260, **view.linked("saliency_method"))
    elif part == PARTS[1]:
        known = [name for name in METHODS if name != "tested" and not name.startswith("package:")]
        methods = st.multiselect(
            "Maps", known, default=list(TESTED), format_func=METHODS.__getitem__, width=420, **view.linked("saliency_methods")
        )
    elif part == PARTS[2]:
        offered = possible(models, donor=True)
        edits = st.multiselect("Edits", offered, default=offered, width=420, **view.linked("saliency_edits"))
    asked, selected = ask_clips(part)
if part == PARTS[1] and view.selection():
    looks.note("Maps are tested on clips of each class alike, whatever is selected.")
if part == PARTS[0]:
    displays, lines = show_regions(models, asked, method)
elif part == PARTS[1]:
    if not methods:
        raise InputError("no maps are chosen; choose one method or more")
    displays, lines = show_tests(models, asked, methods)
elif part == PARTS[3]:
    displays, lines = show_streams(models, asked)
else:
    if not edits:
        raise InputError("no edit is chosen; choose one or more")
    displays, lines = show_edits(models, asked, edits, linked_bars=not selected)
with st.container(horizontal=True):
    if displays:
        charts.save_button(displays, "attribution", "saliency_save")
        if not selected:
            offer_clips(asked)
    charts.reproduce(*lines[0], "saliency", others=lines[1:])

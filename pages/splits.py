"""Which frames does each group read, and does that follow the clip?"""

import pandas as pd
import streamlit as st
from shared import charts, looks, measures, split_views, state, tables, view

from workbench.analysis.splits.displays.schematic import SplitSchematicDisplay
from workbench.analysis.splits.displays.summary import (
    OccupancyDisplay,
    SplitScoresDisplay,
    SplitStepsDisplay,
    score_rows,
)
from workbench.analysis.splits.displays.timeline import SplitTimelineDisplay
from workbench.analysis.splits.results import CLASS, SplitPlaces
from workbench.analysis.splits.task import schematic
from workbench.app.from_ifdd import InputError
from workbench.app.selection import linked, where
from workbench.figures.ifdd3_variants import NO_SPLIT
from workbench.plotting.base import Display
from workbench.plotting.text import interval_text
from workbench.store.collection import Collection

PARTS = ("Places", "One clip", "Against controls", "What they follow")


def show_places(collections: dict[str, Collection]) -> dict[str, Display]:
    """Steps and occupancy of all models, from what their collections keep."""
    found = split_views.places(collections)
    steps, occupancy = SplitStepsDisplay.from_result(found), OccupancyDisplay.from_result(found)
    alt = "Where each step begins and is read, mean and standard deviation over all clips, by model"
    charts.chart(steps.to_plotly(), "splits_steps", alt, read="split")
    looks.section(
        "What each class is read from",
        "Mean reading weight of each feature frame. A split that follows the clip reads classes differently; one that does not "
        "looks like its last row, where no step moves. A click on a cell selects the class.",
    )
    links = {name: _links(name, result) for name, result in found.items()}
    alt = "Mean reading weight of each feature frame by class, dynamic group left, static right, by model"
    charts.chart(occupancy.to_plotly(links), "splits_occupancy", alt, links=True, read="split")
    rows = [
        {"model": name, "between classes": share.text(".3f"), "with shuffled labels": f"{result.occupancy.class_null:.3f}"}
        for name, result in found.items()
        for share in [result.occupancy.class_share]
    ]
    looks.note("Share of the variance of D's reading weight minus S's that lies between classes, with 95 % intervals.")
    tables.show(rows, alt="Share of the reading weights' variance between classes")
    return {"steps": steps, "occupancy": occupancy}


def _links(name: str, result: SplitPlaces) -> dict[str, str]:
    column = "label_name" if result.classes == CLASS else f"said {name}"
    return {label: linked(where(column, label)) for label in result.occupancy.label_names}


def show_clip(names: list[str]) -> dict[str, Display]:
    """The variants as schematics of one clip, and its time line."""
    chosen = view.chosen(state.clip_table()) if view.selection() else pd.DataFrame()
    found = split_views.one(names, str(chosen.index[0]) if len(chosen) else None)
    clip_id = next(iter(found.values())).clip_id
    with st.container(horizontal=True, vertical_alignment="center"):
        looks.note(f"Clip {clip_id}, " + ("the first of the selection." if len(chosen) else "the first that moves."))
        st.page_link("clip.py", label="Open it", icon=":material/movie:", query_params=view.params(clip=clip_id))
    drawing: SplitSchematicDisplay = schematic(found, {name: state.model(name)[0].card.sha256 for name in names})
    looks.note(
        "In the middle the feature frames of X, above the steps of X_D, below those of X_S, each a blend of the frames that it "
        "reads. Width of a line: weight of the frame."
    )
    charts.chart(
        drawing.to_plotly(), "splits_schematic", f"Split of clip {clip_id} by {', '.join(names)}, drawn", read="split_variants"
    )
    displays: dict[str, Display] = {"schematic": drawing}
    for name, item in found.items():
        displays[f"timeline {name}"] = line = SplitTimelineDisplay.from_result(item.split)
        looks.section(name, "Each step begins at the circle and reads at the triangle.")
        charts.chart(line.to_plotly(), f"splits_timeline_{name}", f"Where the steps of {name} begin and read, clip {clip_id}")
    return displays


def show_controls(collections: dict[str, Collection]) -> dict[str, Display]:
    """Whether D finds the frames of the emotion, beside readers that know nothing or all."""
    found, reasons = split_views.controlled(collections)
    for reason in reasons:
        looks.note(f"{reason}.")
    if not found:
        return {}
    looks.note(
        "AUROC of the reading weight against the true intensity, and its movement, frame by frame. Even-odd, half-way, uniform, "
        "middle and random know nothing of the clip, the largest difference of frames knows its motion, oracle and told the rest."
    )
    return split_views.readers(found, "splits_readers")


def show_scores(names: list[str]) -> dict[str, Display]:
    """What the places follow: awareness, content, persons, motion; the network reads clips and copies of them anew."""
    found = split_views.measured(names)
    scores = SplitScoresDisplay.from_result(found)
    rows = score_rows(found)
    table = pd.DataFrame(
        [
            {"measure": title.strip()} | {name: interval_text(*cell) for name, cell in zip(found, cells, strict=True)}
            for title, cells in rows
        ]
    )
    clips = next(iter(found.values())).clips
    looks.note(f"{clips} clips, of each class alike. In the table round brackets hold what nothing would give.")
    charts.chart(
        scores.to_plotly().update_layout(legend=charts.LEGEND_ABOVE, margin_t=30),
        "splits_scores",
        "What the places of each model follow, with 95 % intervals",
        table=table,
        read="split_follows",
    )
    for note in dict.fromkeys(f"{name}: {note}." for name, result in found.items() for note in result.notes):
        looks.note(note)
    return {"scores": scores}


looks.heading("Splits", "Which frames does each group read, and does that follow the clip?")
models = state.usable_models()
collections = state.collections(state.shown(models))
state.needs_network("a split")
splitting = [name for name, bundle in models.items() if "split" in bundle.model.capabilities]
if collections and not splitting:
    raise InputError(NO_SPLIT)
names = [name for name in collections if name in splitting]  # the others have not read the clips yet
if not names:
    st.stop()
part = view.part(PARTS, "splits_part")
if part != "One clip":
    measures.of_all_clips("; One clip shows the first of those that are selected")
if others := [name for name in collections if name not in names]:
    looks.note(f"{', '.join(others)} split{'s' * (len(others) == 1)} nothing.")
if len(names) > state.FEW:
    looks.note(f"The first {state.FEW} of {len(names)} models that split; choose others in the bar above.")
names = names[: state.FEW]
own = {name: collections[name] for name in names}
if part == "Places":
    displays = show_places(own)
elif part == "One clip":
    displays = show_clip(names)
elif part == "Against controls":
    displays = show_controls(own)
else:
    displays = show_scores(names)
with st.container(horizontal=True):
    if displays:
        charts.save_button(displays, "splits", "splits_save")
    clips, place = state.dataset(), str(state.workspace().folder)
    charts.reproduce(
        ["workbench", "splits", *names, "--clips", str(split_views.MEASURED), "--dataset", clips.name, "--workspace", place],
        f"""
from ifdd import load_checkpoint
from workbench.analysis.splits.task import run
from workbench.store.workspace import open_workspace

place = open_workspace({place!r})
bundles = [load_checkpoint(place.checkpoint(name)) for name in {names!r}]
report = run(bundles, {str(clips.manifest)!r}, clips={split_views.MEASURED})
""",
        "splits",
    )

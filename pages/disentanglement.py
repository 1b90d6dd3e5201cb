"""Is the disentanglement real? The scorecard of the models in view on the clips of the dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st
from shared import charts, looks, measures, split_views, state, tables, view

from workbench.analysis.disentanglement.displays.probes import ProbeDisplay
from workbench.analysis.disentanglement.displays.tables import Row, map_rows, row_groups
from workbench.analysis.disentanglement.results import Scorecard
from workbench.analysis.saliency.verdicts import known_verdicts
from workbench.benchmark.displays.robustness import RobustnessDisplay
from workbench.benchmark.scenes.display import ScenesDisplay
from workbench.benchmark.scenes.results import percent
from workbench.plotting.base import Display
from workbench.store.layout import BENCHMARK, SCENES

if TYPE_CHECKING:
    from workbench.app.from_ifdd import Bundle

PARTS = ("Scorecard", "Frames read", "What features know", "Where maps lie", "Robustness", "Scenes")

MEASURED_BEFORE = ("Robustness", "Scenes")
"""Parts that show what commands measured of the shipped checkpoints."""


def table(rows: Sequence[Row], cards: Sequence[Scorecard], first: str = "measure") -> pd.DataFrame:
    """Rows with a column for each model."""
    names = [card.checkpoint for card in cards]
    return pd.DataFrame([{first: title} | dict(zip(names, cells, strict=True)) for title, cells in rows])


def show_scorecard(cards: Sequence[Scorecard]) -> None:
    """The headline of each question, and all that was measured behind it."""
    looks.note(
        f"{cards[0].clips} clips; square brackets hold 95 % intervals over people (clips, where none is named), round ones what "
        "nothing would give: other clips' features, or one answer for all."
    )
    groups = row_groups(cards)
    heads = [(group.title, title, cells) for group in groups for title, cells in group.rows[: group.headline]]
    shown = table([(title, cells) for _, title, cells in heads], cards)
    shown.insert(0, "question", [question for question, _, _ in heads])
    tables.show(shown, height="content", alt="The headline of each question, by model")
    for group in groups:
        with st.expander(f"{group.title} · {len(group.rows)} measure{'s' * (len(group.rows) != 1)}"):
            looks.note(group.about)
            tables.show(table(group.rows, cards), height="content", alt=group.title)
    for note in dict.fromkeys(note for card in cards for note in card.notes):
        looks.note(f"{note}.")
    for card in cards:
        if card.skipped:
            looks.note(f"Not measured for {card.checkpoint}: {'; '.join(card.skipped)}.")


def show_readers(cards: Sequence[Scorecard]) -> dict[str, Display]:
    """How well each group finds the frames of the emotion."""
    splits = {card.checkpoint: card.split for card in cards if card.split}
    if not splits:
        st.info("No model in view splits its frames with a truth to compare with.", icon=":material/info:")
        return {}
    looks.note("Area under the ROC curve against the true intensity of each frame, and against its movement.")
    return split_views.readers(splits, "disentanglement_readers")


def show_probes(cards: Sequence[Scorecard]) -> dict[str, Display]:
    """What linear probes find in each feature."""
    probes = {card.checkpoint: card.probes for card in cards if card.probes}
    if not probes:
        st.info("No probes: the list of clips names no two people, so none can be held out.", icon=":material/info:")
        return {}
    looks.note(
        "Linear probes on unseen people: 0 is guessing, 1 is knowing. In grey their controls: the features of other clips, and a "
        "feature that is told the factor."
    )
    matrix = ProbeDisplay.from_result(probes)
    alt = "Scores of linear probes, features by factors"
    charts.chart(matrix.to_plotly(), "disentanglement_probes", alt, read="scorecard")
    return {"probes": matrix}


def show_maps(cards: Sequence[Scorecard], models: dict[str, Bundle]) -> None:
    """How much of each map lies on what the emotion moves, and what tests of such maps found."""
    for card in cards:
        if card.maps:
            about = f"Grad-CAM of the true class on the pixels that the emotion moves; {card.maps.frames} frames."
            looks.section(f"Where {card.checkpoint} looks", about)
            tables.show(map_rows(card.maps), alt=f"Localisation of the maps of {card.checkpoint}")
    for name, bundle in models.items():
        verdicts = known_verdicts(bundle, shown=state.dataset().hashes[0])
        if not verdicts:
            looks.note(f"The maps of {name} were not tested: the page Attribution does, or workbench faithfulness {name}.")
            continue
        tested = next(iter(verdicts.values())).tested_on
        looks.section(f"Are the maps of {name} faithful?", f"Deletion and insertion, and random parameters, on {tested}.")
        rows = [
            {"method": v.method, "activation": v.activation, "verdict": ("✓ " if v.passes else "✗ ") + v.badge}
            | {"reasons": " ".join(f"{reason}." for reason in v.reasons)}
            for v in sorted(verdicts.values(), key=lambda v: not v.passes)
        ]
        tables.show(rows, alt=f"Verdicts on the maps of {name}", prose=True)


def show_robustness() -> dict[str, Display]:
    """How far trained variants hold on harder suites."""
    if (file := state.measured(BENCHMARK)) is None:
        st.info(
            "Nothing has been measured on harder suites; `workbench benchmark` with the names of checkpoints does it, and writes "
            "into the results of the workspace.",
            icon=":material/tune:",
        )
        return {}
    benchmark = state.benchmark(file)
    looks.note(
        f"UAR on {benchmark.robustness.suites[0].clips} unseen clips of each suite, from {file.parent.name}/{file.name}. "
        "Dashed: fewer than three trainings."
    )
    everyone = list(benchmark.robustness.members)
    variants = st.multiselect("Variants", everyone, default=state.compared(benchmark), **view.linked("disentanglement_variants"))
    if not variants:
        return {}
    curves = RobustnessDisplay.from_result(benchmark.robustness.of(variants))
    figure = curves.to_plotly().update_layout(height=max(430, 340 + 14 * len(variants)), legend=charts.LEGEND_ABOVE, margin_t=40)
    alt = "UAR of each variant on each suite, with 95 % intervals"
    charts.chart(figure, "disentanglement_robustness", alt, read="robustness")
    return {"robustness": curves}


def show_scenes() -> dict[str, Display]:
    """What trained variants make of the scene around the face."""
    if (file := state.measured(SCENES)) is None:
        st.info(
            "Nothing has been measured over ρ; `workbench scenes` with the names of checkpoints does it, and writes into the "
            "results of the workspace.",
            icon=":material/tune:",
        )
        return {}
    found = state.scenes(file)
    everyone = [row.variant for row in found.rows]
    variants = st.multiselect("Variants", everyone, default=found.compared, **view.linked("disentanglement_scene_variants"))
    if not variants:
        return {}
    chosen = found.of(variants)
    looks.note(
        f"UAR on {found.clips} clips of unseen people, the same faces at every ρ, from {file.parent.name}/{file.name}. ρ: how "
        "far the scene's polarity goes with the emotion's. Dashed: fewer than three trainings."
    )
    curves = ScenesDisplay.from_result(chosen)
    figure = curves.to_plotly().update_layout(height=380, legend=charts.LEGEND_ABOVE, margin_t=60)
    charts.chart(figure, "disentanglement_scenes", "UAR of each variant at each ρ, with 95 % intervals", read="scenes")
    rows = [
        {
            "variant": row.variant,
            "reads": " + ".join(row.reads),
            "ρ in training": "–" if row.trained is None else f"{row.trained:g}",
            "helps / points": percent(row.helps.uar),
            "misleads / points": percent(row.misleads.uar),
            "follows the scene / %": percent(row.follows),
        }
        for row in chosen.rows
    ]
    tables.show(rows, height="content", alt="How far the scene helps, misleads and is followed, by variant")
    return {"scenes": curves}


looks.heading(
    "Disentanglement",
    "Does Y_D hold the emotion and Y_S the rest? Where a truth is known (of rendered clips), for every frame and every pixel.",
)
models = state.usable_models()
if not state.needs_network("the scorecard"):
    st.stop()
part = view.part(PARTS, "disentanglement_part")
measures.of_all_clips()
names = list(models)[: state.FEW]
if len(models) > len(names):
    looks.note(f"The first {state.FEW} of the {len(models)} models in view; choose others in the bar above.")
displays: dict[str, Display] = {}
if part in MEASURED_BEFORE:
    displays = show_robustness() if part == "Robustness" else show_scenes()
elif state.needs_labels("the scorecard cannot ask where the emotion is held") and (cards := state.scorecards(names)):
    if part == "Scorecard":
        show_scorecard(cards)
    elif part == "Frames read":
        displays = show_readers(cards)
    elif part == "What features know":
        displays = show_probes(cards)
    else:
        show_maps(cards, {name: models[name] for name in names})
with st.container(horizontal=True):
    if displays:
        charts.save_button(displays, "disentanglement", "disentanglement_save")
    if part not in MEASURED_BEFORE:
        place = ["--dataset", state.dataset().name, "--workspace", str(state.workspace().folder)]
        charts.reproduce(
            ["workbench", "scorecard", *names, *place],
            f"""
from ifdd import load_checkpoint
from workbench.analysis.disentanglement.task import make_scorecard
from workbench.store.workspace import open_workspace

place = open_workspace({str(state.workspace().folder)!r})
bundle = load_checkpoint(place.checkpoint({names[0]!r}))
card = make_scorecard(bundle, {str(state.dataset().manifest)!r}, "scorecard-clips")
""",
            "disentanglement",
        )

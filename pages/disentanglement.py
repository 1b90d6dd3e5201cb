"""Is the disentanglement real? The scorecard of the chosen models on the clips of the dataset."""

from collections.abc import Sequence

import streamlit as st
from shared import charts, looks, state

from workbench.analysis.disentanglement.displays.probes import CONTROLS, ProbeDisplay
from workbench.analysis.disentanglement.displays.readers import ReaderDisplay
from workbench.analysis.disentanglement.displays.tables import map_rows, summary_rows
from workbench.analysis.disentanglement.results import Scorecard
from workbench.app.from_ifdd import InputError
from workbench.benchmark.displays.robustness import RobustnessDisplay
from workbench.plotting.base import Display


def show_scorecard(cards: Sequence[Scorecard]) -> None:
    """The measures of each model, and how to read them."""
    looks.section(
        "Scorecard",
        f"{cards[0].clips} clips; square brackets hold 95 % intervals over people (clips, where none is named), round ones what "
        "nothing would give: other clips' features, or one answer for all.",
    )
    for note in dict.fromkeys(note for card in cards for note in card.notes):
        looks.note(f"{note}.")
    table = [
        {"measure": title} | dict(zip([card.checkpoint for card in cards], cells, strict=True))
        for title, cells in summary_rows(cards)
    ]
    st.dataframe(table, hide_index=True, height="content", alt="Measures of disentanglement by model")
    with st.expander("How to read it", icon=":material/help:"):
        st.markdown(
            "- **Gap** is 1 if linear probes find the emotion in Y_D alone and all else in Y_S alone, 0 if both know the same.\n"
            "- **Leakage** is what Y_D still knows of the person, pose, light, talking and scene: 0 nothing, 1 all.\n"
            "- **AUROC** asks, frame by frame, whether a group reads the frames in which the emotion shows (or moves): D, S, and "
            "D − S, which is below 0.5 also where both read the emotion and S more. *Other clips* are the model's places in "
            "clips of other people: chance. *Even-odd*, *half-way* and *random* know nothing of the clip, *middle* only that "
            "emotions often lie there; *oracle* knows the truth under the same range of offsets, *told* without one.\n"
            "- **Change of the probabilities**: 0 if nothing is done; *everything of another clip* is what the others are to be "
            "read against.\n"
            "- **Own frames**: a backbone that attends over the whole clip makes “reads frame t” true in name only.\n"
            "- A gap between Y_S and Y_D appears in every model whose loss supervises one of the two; compare with a model "
            "without a lift before crediting the lift."
        )


looks.heading(
    "Disentanglement",
    "Does Y_D hold the emotion and Y_S the rest? Measured where the truth is known for every frame and every pixel.",
)
models = state.usable_models()
if not state.needs_network("the scorecard"):
    st.stop()
with st.sidebar:
    chosen = st.multiselect("Models", list(models), default=list(models)[: state.FEW], **looks.kept("disentanglement_models"))
if not chosen:
    raise InputError("no model is chosen; choose at least one on the left")
cards = state.scorecards(chosen) if state.needs_labels("the scorecard cannot ask where the emotion is held") else []
if cards:
    show_scorecard(cards)
splits = {card.checkpoint: card.split for card in cards if card.split}
probes = {card.checkpoint: card.probes for card in cards if card.probes}
displays: dict[str, Display] = {}
left, right = st.columns([5, 6], gap="medium")
if splits:
    with left:
        looks.section("Which frames are read", "Area under the ROC curve against the true intensity, and against its movement.")
        displays["readers"] = readers = ReaderDisplay.from_result(splits)
        figure = readers.to_plotly().update_layout(height=430, legend=charts.LEGEND_ABOVE, margin_t=40)
        charts.chart(figure, "disentanglement_readers", "AUROC of each reader, with 95 % intervals")
if probes:
    with right:
        looks.section(
            "What each feature knows",
            "Linear probes on unseen people: 0 is guessing, 1 is knowing. Below, their controls: the features of "
            "other clips, and a feature that is told the factor.",
        )
        displays["probes"] = matrix = ProbeDisplay.from_result(probes)
        rows = sum(len(result.features) + len(CONTROLS) for result in probes.values())
        figure = matrix.to_plotly().update_layout(height=140 + 32 * rows)
        charts.chart(figure, "disentanglement_probes", "Scores of linear probes, features by factors")
for card in cards:
    if card.maps:
        looks.section(
            f"Where {card.checkpoint} looks",
            f"Grad-CAM of the true class on the pixels that the emotion moves; {card.maps.frames} frames.",
        )
        st.dataframe(map_rows(card.maps), hide_index=True, alt=f"Localisation of the maps of {card.checkpoint}")
    if card.skipped:
        looks.note(f"Not measured for {card.checkpoint}: {'; '.join(card.skipped)}.")
if benchmark := state.benchmark():
    looks.section(
        "How far models hold",
        f"UAR on {benchmark.robustness.suites[0].clips} unseen clips of each suite, from checkpoints/benchmark.json. "
        "Dashed: fewer than three trainings.",
    )
    variants = st.multiselect(
        "Variants",
        list(benchmark.robustness.members),
        default=state.compared(benchmark),
        **looks.kept("disentanglement_variants"),
    )
    if variants:
        displays["robustness"] = curves = RobustnessDisplay.from_result(benchmark.robustness.of(variants))
        figure = curves.to_plotly().update_layout(height=430, legend=charts.LEGEND_ABOVE, margin_t=40)
        charts.chart(figure, "disentanglement_robustness", "UAR of each variant on each suite, with 95 % intervals")
if displays:
    charts.save_button(displays, "disentanglement", "disentanglement_save")

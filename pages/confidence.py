"""How sure are the models, and are they right to be?"""

import streamlit as st
from shared import charts, gallery, looks, measures, state, tables, view

from workbench.analysis.confidence.displays.densities import CalibrationDisplay, ConfidenceDisplay, Scale
from workbench.analysis.confidence.displays.votes import AmbiguityDisplay
from workbench.analysis.confidence.results import Binning
from workbench.app import links, sureness
from workbench.plotting.base import Display

HEIGHT = 400

looks.heading("Confidence")
collections = state.collections(state.shown(state.cards()))
if not collections or not state.needs_labels("nothing tells whether a model is sure of the right class"):
    st.stop()
among = measures.scope()
every = list(collections)
names = ["Reliability", "Probabilities", "Temperature", "Votes", "Surest mistakes"]
bar = st.container(horizontal=True, vertical_alignment="center")
with bar:
    part = view.part(names, "confidence_part")
binning: Binning | None = None
if part == "Reliability":
    kinds: dict[str, Binning | None] = {"auto": None, "mass": "mass", "width": "width"}
    words = {"auto": "Bins by number of clips", "mass": "Bins of equal mass", "width": "Bins of equal width"}
    with bar:
        kind = st.selectbox(
            "Bins",
            list(kinds),
            format_func=words.__getitem__,
            label_visibility="collapsed",
            width=190,
            **view.linked("confidence_bins"),
        )
    binning = kinds[kind]
calibrations = {name: measures.calibration(found, among, binning) for name, found in collections.items()}
table = measures.rows(among)
rows, cells = sureness.model_rows(calibrations, table, among.selection)
tables.linked(rows, cells, "confidence_models", "Calibration errors of each model, and its sure mistakes", row_height=30)
one = every[0]
if len(every) > 1 and part != "Probabilities":
    with bar:
        one = st.selectbox("Model", every, label_visibility="collapsed", width=190, **view.linked("confidence_model")) or one
if len(every) == 1:
    view.only("confidence_model", one)
displays: dict[str, Display] = {}
copied = measures.copies(collections, among).calibration(one, binning)
notes = [note for found in calibrations.values() for note in found.notes]

if part == "Reliability":
    left, right = st.columns(2, gap="medium")
    displays["calibration"] = reliability = CalibrationDisplay.from_result(calibrations)
    with left:
        figure = reliability.to_plotly().update_layout(height=HEIGHT, legend=charts.LEGEND_ABOVE)
        bins = [sureness.bin_links(found, name, among.selection) for name, found in calibrations.items()]
        links.attach(figure, [["", ""], *bins])
        for trace, name in zip(figure.data[1:], every, strict=True):
            trace.name = name  # the table above has the errors
        alt = "Accuracy over confidence in bins, by model, with 95 % intervals"
        charts.chart(figure, "confidence_calibration", alt, read="calibration", links=True)
    with right:
        looks.note(f"{one}: {calibrations[one].caption}.")
        rows, cells = sureness.bin_rows(calibrations[one], one, among.selection)
        tables.linked(rows, cells, "confidence_bins_table", f"Bins of confidence of {one}", row_height=28)
elif part == "Probabilities":
    scales: list[Scale] = ["peak", "density"]
    alike, told = measures.alike(collections)
    found = {name: measures.densities(collection, among) for name, collection in alike.items()}
    with bar:
        scale = st.selectbox(
            "Height of the curves",
            scales,
            format_func=lambda name: {"peak": "Each up to its peak", "density": "Units of density"}[name],
            label_visibility="collapsed",
            width=190,
            **view.linked("confidence_scale"),
        )
    displays["confidence"] = densities = ConfidenceDisplay.from_result(found, scale)
    ids = measures.clip_links(alike, among)
    figure = densities.to_plotly(ids)
    figure.for_each_annotation(lambda title: title.update(text=title.text.partition("<br>")[0]))  # the table has the numbers
    figure.update_layout(margin_t=60)
    alt = "Density of the probability of each class, positives and negatives, by model"
    charts.chart(figure, "confidence_density", alt, read="confidence", links=ids is not None)
    rows, cells = sureness.apart_rows(found, among.selection)
    tables.linked(rows, cells, "confidence_apart", "How well each probability tells its class from the others")
    notes += [told] * bool(told) + [f"{name}: {note}" for name, result in found.items() for note in result.notes]
elif part == "Temperature":
    sources = measures.fit_sources(one)
    with bar:
        source = st.selectbox(
            "Fitted on", list(sources), label_visibility="collapsed", width=190, **view.linked("confidence_fit")
        )
    scaling, warned = measures.scaling(collections[one], among, binning, sources[source], one)
    notes += warned
    left, right = st.columns(2, gap="medium")
    displays["temperature"] = both = CalibrationDisplay.from_result(
        {"before": scaling.before, f"after, T = {scaling.temperature:.2f}": scaling.after}
    )
    with left:
        figure = both.to_plotly().update_layout(height=HEIGHT, legend=charts.LEGEND_ABOVE)
        charts.chart(figure, "confidence_temperature", f"Reliability of {one} before and after scaling", read="calibration")
    with right:
        looks.note(f"{one}: {scaling.caption}.")
        tables.show(sureness.scaling_rows(scaling), alt=f"What a temperature changes for {one}")
    copied = measures.copies(collections, among).calibration(one, binning, sources[source])
elif part == "Votes":
    votes = measures.votes(collections[one], among)
    if votes is None:
        st.info(
            looks.markdown_text(
                "The list of clips holds no votes of annotators; give it a column votes_<class> for every class and read the "
                "clips again, to see whether the model is unsure where they are."
            ),
            icon=":material/how_to_vote:",
        )
        st.stop()
    displays["votes"] = ambiguity = AmbiguityDisplay.from_result(votes)
    figure = ambiguity.to_plotly(measures.clip_links({one: collections[one]}, among)).update_layout(height=HEIGHT + 40)
    charts.chart(figure, "confidence_votes", f"Entropy of the votes against that of {one}, a point for each clip", links=True)
    looks.note(f"{one}: {votes.caption}.")
    notes += votes.notes
else:
    wrong = sureness.mistakes(table, one)
    looks.note(f"{len(wrong)} of {len(table)} clips that {one} has wrong, the surest first.")
    gallery.show(wrong, "confidence_mistakes", "grid")
looks.note(" · ".join(dict.fromkeys(notes)))
with st.container(horizontal=True):
    if displays:
        charts.save_button(displays, "confidence", "confidence_save")
    charts.reproduce(*copied, key=f"confidence_{part}")

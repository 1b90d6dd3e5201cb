"""Which model is better, by how much, and on which clips?"""

import streamlit as st
from shared import charts, looks, measures, slices, state, tables, view

from workbench.analysis.comparison.displays.pairs import ConfusionDifferenceDisplay, FlipsDisplay, ForestDisplay
from workbench.analysis.comparison.displays.slices import SearchDisplay, SliceDisplay
from workbench.analysis.performance.displays.radar import RadarDisplay
from workbench.analysis.performance.displays.scores import RecallDisplay
from workbench.analysis.performance.published import fitting_names, published_rows
from workbench.app import comparing, links
from workbench.plotting.base import Display
from workbench.store.workspace import across_families

HEIGHT = 330

looks.heading("Compare")
cards = state.cards()
everyone = state.collections(state.shown(cards))
if not everyone or not state.needs_labels("nothing tells which model is better"):
    st.stop()
collections = measures.two_or_more(everyone, "a comparison")
among = measures.scope()
result = measures.comparison(collections, among)
rows, cells = comparing.pair_rows(result, among.selection)
tables.linked(
    rows, cells, "compare_pairs", "Each model against the reference: differences, tests, clips that flip", row_height=30
)

others = [pair.second for pair in result.pairs]
chosen = others[0]
names = ["Differences", "Recalls", "Confusion", "Slices", "Bad slices"]
with st.container(horizontal=True, vertical_alignment="center"):
    part = view.part(names, "compare_part")
    if len(others) > 1 and part in ("Differences", "Confusion"):
        chosen = st.selectbox(
            "Against the reference", others, label_visibility="collapsed", width=280, **view.linked("compare_with")
        )
if len(others) == 1:
    view.only("compare_with", chosen)
number = others.index(chosen)
pair = result.pairs[number]
labels = result.label_names
displays: dict[str, Display] = {}
copied, lacks = measures.copies(collections, among).comparison(pair.first), ""

if part == "Differences":
    left, right = st.columns(2, gap="medium")
    displays["differences"] = forest = ForestDisplay.from_result(result)
    displays["flips"] = flips = FlipsDisplay.from_result(result, number)
    with left:
        figure = links.attach(forest.to_plotly().update_layout(height=HEIGHT), [links.differences(result, among.selection)])
        figure.update_xaxes(title="difference, points of percent, 95 % interval")
        alt = "Paired differences of WAR, UAR and recalls with 95 % intervals"
        charts.chart(figure, "compare_differences", alt, read="comparison", links=True)
    with right:
        figure = flips.to_plotly().update_layout(height=HEIGHT, legend=charts.LEGEND_ABOVE, margin_t=60)
        links.attach(figure, [own[:-1] for own in links.flips(pair, labels, among.selection).values()])
        charts.chart(figure, "compare_flips", f"Clips that flip, {pair.name}, by true class", read="flips", links=True)
elif part == "Recalls":
    papers = st.multiselect(
        "Rows of papers",
        fitting_names(labels),
        placeholder="Show rows of papers beside",
        label_visibility="collapsed",
        help="Of another protocol and not of these clips: they are in no test.",
        **view.linked("compare_papers"),
    )
    published = published_rows(papers, labels)
    if len(labels) > 2:
        radar = RadarDisplay.from_result(result.models, {row.name: row.recalls.tolist() for row in published if len(row.recalls)})
        displays["recalls"], text = radar, radar.caption
        polygons, figure = radar.panels_to_plotly()
        place, points = st.columns([2, 3], gap="medium")
        with place:
            polygons.update_layout(margin={"t": 40, "b": 40, "l": 60, "r": 60}, height=HEIGHT + 40)
            charts.chart(polygons, "compare_radar", "Recall of each class, by model, as a radar", read="radar")
    else:
        displays["recalls"], text = (recalls := RecallDisplay.from_result(result.models)), result.caption
        figure, points = recalls.to_plotly(), st.container()
    links.attach(figure, [links.recalls(found, name, among.selection) for name, found in result.models.items()])
    figure.update_layout(legend=charts.LEGEND_ABOVE, margin_t=40, height=HEIGHT + 40)
    with points:
        alt = "Recall of each class, by model, as points"
        charts.chart(figure, "compare_recalls", alt, table=displays["recalls"].numbers(), read="metrics", links=True)
    looks.note(text)
    for row in published:
        looks.note(f"{row.caption}: WAR {row.war}, UAR {looks.percent(row.uar)}; another protocol, and not of these clips")
elif part == "Confusion":
    displays["confusion"] = confusion = ConfusionDifferenceDisplay.from_result(result, number)
    figure = confusion.to_plotly().update_layout(height=HEIGHT + 60, width=760)
    found = links.confusion_difference(pair, confusion.shares, labels, among.selection)
    charts.clickable_cells(figure, found, labels, confusion.row_names)
    alt = f"Confusion of {pair.second} minus that of {pair.first}, in points of percent of the true class"
    charts.chart(figure, "compare_confusion", alt, read="comparison", links=True, width="content")
    looks.note("Better where the diagonal is positive. A cell leads to the clips that just one of the two models calls so.")
else:
    clips = measures.same(collections, among)
    columns, saved = comparing.choices(clips), slices.saved().all()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = st.multiselect(
            "Slice by",
            [*columns, *(name for name in saved if name not in columns)],
            default=comparing.first_choices(clips, columns),
            format_func=lambda name: f"slice: {name}" if name in saved and name not in columns else name,
            **view.linked("compare_by"),
        )
        bins = int(st.number_input("Bins of numbers", 2, 12, 4, width=130, **view.linked("compare_bins")))
    kept = {name: saved[name] for name in by if name not in columns}
    by = [name for name in by if name in columns]
    factors = comparing.factors(clips, by, bins, kept, measures.inside(kept))
    levels = measures.levels(collections, among, factors)
    copied = measures.copies(collections, among).comparison(pair.first, by, bins)
    lacks = f"Without the slices {', '.join(kept)}: commands slice by columns." if kept else ""
    if part == "Slices":
        displays["slices"] = by_level = SliceDisplay.from_result(measures.slices(collections, among, factors))
        figure = by_level.to_plotly().update_layout(legend=charts.LEGEND_ABOVE, margin_t=40)
        links.attach(figure, [[levels.of(item, among.selection) for item in by_level.rows]] * len(result.models))
        charts.chart(figure, "compare_slices", "WAR of each model at every level of the columns", read="slices", links=True)
    else:
        min_n = 20
        one = st.segmented_control(
            "Of", list(result.models), default=pair.second, required=True, format_func=looks.markdown_text, key="compare_searched"
        )
        searched = measures.search(collections, among, factors, one, min_n, copied[0])
        if searched is not None:
            displays["bad slices"] = search = SearchDisplay.from_result(searched)
            looks.note(search.caption)
            charts.chart(
                links.attach(search.to_plotly(), [[levels.of(item, among.selection) for item in search.rows]]),
                "compare_bad",
                f"Slices on which {one} is worse",
                read="bad_slices",
                links=True,
            )

told = across_families(cards[name] for name in collections if name in cards)
looks.note(" · ".join([result.caption, *told, *result.notes]))
with st.container(horizontal=True):
    if displays:
        charts.save_button(displays, "compare", "compare_save")
    charts.reproduce(*copied, key=f"compare_{part}", lacks=lacks)

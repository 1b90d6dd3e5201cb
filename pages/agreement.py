"""Do the models say the same, right or wrong?"""

import streamlit as st
from shared import charts, looks, measures, state, tables, view

from workbench.analysis.agreement.displays import AgreementDisplay
from workbench.app import agreeing, links

HEIGHT = 400

looks.heading("Agreement")
everyone = state.collections(state.shown(state.cards()))
if not everyone:
    st.stop()
collections = measures.two_or_more(everyone, "agreement")
among = measures.scope()
result = measures.agreement(collections, among)
pairs = {pair.name: number for number, pair in enumerate(result.pairs)}
rows, cells = agreeing.pair_rows(result, among.selection)
tables.linked(rows, cells, "agreement_pairs", "How far each two models agree", row_height=30)
chosen = next(iter(pairs))
if many := len(pairs) > 1:
    chosen = (
        st.selectbox("Models", list(pairs), label_visibility="collapsed", width=480, **view.linked("agreement_pair")) or chosen
    )
else:
    view.only("agreement_pair", chosen)
pair = result.pairs[pairs[chosen]]
left, right = st.columns(2, gap="medium") if many else (None, st.container(width=640))
if left is not None:
    with left:
        figure, names, links_of = agreeing.kappas(result, among.selection)
        charts.clickable_cells(figure.update_layout(height=HEIGHT), links_of, names, names)
        charts.chart(figure, "agreement_kappas", "Cohen's kappa of each two models", read="agreement", links=True)
with right:
    display = AgreementDisplay.from_result(result, pairs[chosen])
    figure = display.to_plotly().update_layout(height=HEIGHT, title=None, margin_t=10).update_traces(showscale=False)
    matrix = links.agreement(pair.first, pair.second, result.label_names, pair.counts, among.selection)
    charts.clickable_cells(figure, matrix, result.label_names, result.label_names)
    alt = f"What {pair.first} (rows) and {pair.second} (columns) say, in clips"
    charts.chart(figure, "agreement_matrix", alt, read="agreement", links=True)
looks.note("What two models both say may still be wrong; labels are not asked.")
looks.note(" · ".join([result.caption, *result.notes]))
with st.container(horizontal=True):
    charts.save_button({f"agreement {chosen}": display}, "agreement", "agreement_save")
    charts.reproduce(*measures.copies(collections, among).agreement(), key="agreement")

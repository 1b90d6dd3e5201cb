"""What is loaded, and how good is it?"""

import html

import streamlit as st
from shared import charts, looks, measures, state, tables, view

from workbench.analysis.performance.displays.scores import ConfusionDisplay, RecallDisplay
from workbench.analysis.performance.results import MetricsResult
from workbench.app import links
from workbench.app.from_ifdd import Card
from workbench.app.measured import Measured
from workbench.app.overview import ClassCountsDisplay, class_counts, class_links, facts, said_counts, score_rows
from workbench.store.collection import Collection
from workbench.store.side_by_side import told_once
from workbench.store.workspace import describe, test_data


def show_scores(collections: dict[str, Collection], among: Measured) -> None:
    """WAR and UAR of every model, recalls of those of the same classes, the confusion matrix of one."""
    found = {name: measures.metrics(collection, among) for name, collection in collections.items()}
    rows, cells = score_rows(found, among.selection)
    tables.linked(
        rows,
        cells,
        "overview_scores",
        "WAR and UAR of each model, with 95 % intervals; how many clips it has wrong",
        row_height=30,
    )
    alike, told = measures.alike(collections)
    left, right = st.columns(2, gap="medium")
    with left:
        recall = show_recall({name: found[name] for name in alike}, among)
    with right:
        chosen, confusion = show_confusion(found, among)
    notes = dict.fromkeys(note for result in found.values() for note in result.notes)
    units = next(iter(found.values())).units
    looks.note(" · ".join([*([told] if told else []), f"95 % intervals {units}", *notes]))
    with st.container(horizontal=True):
        charts.save_button({"recall": recall, f"confusion {chosen}": confusion}, "overview", "overview_save")
        charts.reproduce(*measures.copies(alike, among).scores(), key="overview_score")


def show_recall(results: dict[str, MetricsResult], among: Measured) -> RecallDisplay:
    """Recalls, WAR and UAR of models of the same classes."""
    display = RecallDisplay.from_result(results)
    figure = display.to_plotly().update_layout(legend=charts.LEGEND_ABOVE, margin={"t": 30, "b": 40}, height=335)
    links.attach(figure, [links.recalls(result, name, among.selection) for name, result in results.items()])
    alt = "Recall of each class, WAR and UAR, by model, with 95 % intervals"
    charts.chart(figure, "overview_recall", alt, read="metrics", links=True)
    return display


def show_confusion(results: dict[str, MetricsResult], among: Measured) -> tuple[str, ConfusionDisplay]:
    """What one model takes for what; a cell leads to its clips."""
    names = list(results)
    chosen = names[0]
    if len(names) > 1:
        chosen = st.selectbox(
            "Confusion of",
            names,
            format_func="Confusion of {}".format,
            label_visibility="collapsed",
            **view.linked("overview_model"),
        )
    else:
        view.only("overview_model", chosen)
    result = results[chosen]
    display = ConfusionDisplay.from_result(result)
    figure = display.to_plotly().update_layout(height=295 if len(names) > 1 else 335, margin={"t": 10, "b": 40}, title=None)
    counts = [[str(n) if n else "" for n in row] for row in result.confusion.tolist()]
    figure.update_traces(showscale=False, text=counts, texttemplate="%{text}", textfont={"size": 12})  # each cell says its clips
    figure.update_xaxes(tickangle=-45)
    cells = links.confusion(result, chosen, among.selection)
    charts.clickable_cells(figure, cells, result.label_names, display.row_names, hover=display.told)
    charts.chart(figure, "overview_confusion", f"Confusion matrix of {chosen}", read="metrics", links=True)
    return chosen, display


def show_dataset(collections: dict[str, Collection]) -> None:
    """Clips by class and by part of the list; what the columns hold; how often each model says each class."""
    clips = state.dataset()
    table = state.clip_table()
    shown = view.chosen(table)
    left, right = st.columns(2, gap="medium")
    with left:
        looks.section("Clips of each class", facts(shown, len(table)))
        if clips.has_labels:
            display = ClassCountsDisplay.from_result(class_counts(shown))
            figure = display.to_plotly().update_layout(height=340)
            links.attach(figure, class_links(display.result, view.selection()))
            charts.chart(figure, "overview_classes", "Clips of each class, by part of the list", links=True)
        else:
            looks.note("The clips have no labels.")
    with right:
        looks.section("What the models say", "Clips that each model calls so; click a number to see them.")
        rows, cells = said_counts(shown, {name: found.labels for name, found in collections.items()}, view.selection())
        tables.linked(rows, cells, "overview_said", "How many clips each model calls each class", height="content")


def show_checkpoints(cards: dict[str, Card], alone: dict[str, Collection]) -> None:
    """What the checkpoints say about themselves; where predictions come from that none made."""
    if cards:
        looks.section("Checkpoints", "The figures here are a card's own: of its test set, measured when the model was trained.")
        rows = [
            {
                "name": name,
                "model": describe(card),
                "classes": ", ".join(card.labels),
                "test clips": test.get("n"),
                "WAR": looks.percent(test["WAR"]) if "WAR" in test else None,
                "UAR": looks.percent(test["UAR"]) if "UAR" in test else None,
                "sha256": card.sha256[:12],
                "test data": test_data(card),
            }
            for name, card in cards.items()
            for test in [card.metrics.get("test", {})]
        ]
        tables.show(rows, prose=True, alt="The checkpoints that are loaded")
    if alone:
        looks.section("Predictions of others", "What these models said is known, and not how: there are no maps of them.")
        rows = [
            {
                "name": name,
                "from": found.origin,
                "clips": len(found.predictions),
                "classes": ", ".join(found.labels),
                "features": ", ".join(found.with_roles("embedding")) or None,
                "sha256": found.meta.get("imported", found.meta["checkpoint"])["sha256"][:12],
            }
            for name, found in alone.items()
        ]
        tables.show(rows, prose=True, alt="The models of which predictions alone are known")


looks.heading("Overview")
models = state.cards()
clips = state.dataset()
looks.lead(f"{facts(state.clip_table(), len(clips.clips))} in {html.escape(str(clips.manifest.parent))}")
looks.notice(models.values())
collections = state.collections(state.shown(models))
if told := told_once({name: collection.notes for name, collection in collections.items()}):
    looks.note(" · ".join(told))
measured = bool(collections) and state.needs_labels("nothing tells which prediction is right: there are no WAR, UAR and recalls")
names = ["Scores", "Dataset", "Checkpoints"]
scores, dataset, checkpoints = st.tabs(
    names, default=names[0 if clips.has_labels else 1], key="overview_tab", bind="query-params"
)
if scores.open and measured:
    with scores:
        show_scores(collections, measures.scope())
if dataset.open:
    with dataset:
        show_dataset(collections)
if checkpoints.open:
    with checkpoints:
        show_checkpoints(models, {name: found for name, found in collections.items() if name not in models})

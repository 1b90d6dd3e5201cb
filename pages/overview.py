"""What is loaded, and how good is it?"""

import html
from collections.abc import Sequence

import streamlit as st
from shared import charts, looks, state

from workbench.analysis.performance.displays.scores import ConfusionDisplay, RecallDisplay
from workbench.analysis.performance.results import MetricsResult
from workbench.app.from_ifdd import Bundle
from workbench.store.collection import Collection
from workbench.store.tables import predicted
from workbench.store.workspace import describe, test_data


def _detectable(result: MetricsResult) -> str:
    none = "; –: no difference can" if "–" in result.detectable else ""
    return (
        f"Differences from another model's WAR, UAR below {result.detectable} points cannot be seen with these {result.n} clips "
        f"(80 % power{none}; compared clip by clip, smaller ones can)."
    )


def show_model(name: str, about: str, labels: Sequence[str], result: MetricsResult | None) -> None:
    """A card: what the model is, and what it reaches on the clips."""
    st.markdown(f"#### {looks.markdown_text(name)}")
    looks.note(about)
    st.html('<div class="said">' + " &ensp;".join(looks.class_chip(label) for label in labels) + "</div>")
    if result is None:
        return
    war, uar, guess = st.columns(3)
    war.metric("WAR", looks.percent(result.war.value), help="Weighted average recall: the share of clips that are right.")
    war.caption(f"95 %: {100 * result.war.low:.1f} – {100 * result.war.high:.1f}")
    uar.metric("UAR", looks.percent(result.uar.value), help="Unweighted average recall: the mean of the classes' recalls.")
    uar.caption(f"95 %: {100 * result.uar.low:.1f} – {100 * result.uar.high:.1f}")
    looks.note(_detectable(result))
    guess.metric(
        "Constant guess",
        looks.percent(result.constant_war),
        help=f"WAR of always answering {looks.markdown_text(result.constant_class)}.",
    )
    guess.caption(f"UAR {looks.percent(result.constant_uar)}")


def show_table(abouts: dict[str, str], results: dict[str, MetricsResult]) -> None:
    """The same in a line for each model: side by side there is room for few."""
    rows = [
        {"name": name, "model": about}
        | ({} if (result := results.get(name)) is None else {"WAR": str(result.war), "UAR": str(result.uar)})
        | ({} if result is None else {"detectable WAR, UAR": result.detectable})
        | ({} if result is None else {"constant guess": looks.percent(result.constant_war)})
        for name, about in abouts.items()
    ]
    st.dataframe(rows, hide_index=True, placeholder="–", alt="WAR and UAR of each model, with 95 % intervals")


def show_recall(results: dict[str, MetricsResult]) -> None:
    """Recalls of all models, and the confusion matrix of one."""
    first = next(iter(results.values()))
    looks.section("Recall", f"{first.n} clips; 95 % intervals {first.units}.")
    left, right = st.columns([6, 5], gap="medium")
    recall = RecallDisplay.from_result(results)
    with left:
        figure = recall.to_plotly().update_layout(legend=charts.LEGEND_ABOVE, margin_t=50, height=510)
        charts.chart(figure, "overview_recall", "Recall of each class, WAR and UAR, by model, with 95 % intervals")
    with right:
        chosen = st.segmented_control(
            "Confusion of",
            list(results),
            default=next(iter(results)),
            required=True,
            format_func=looks.markdown_text,
            key="overview_model",
        )
        confusion = ConfusionDisplay.from_result(results[chosen])
        figure = confusion.to_plotly().update_layout(height=460).update_xaxes(tickangle=-45)
        charts.chart(figure, "overview_confusion", f"Confusion matrix of {chosen}")
    notes = dict.fromkeys(note for result in results.values() for note in result.notes)
    looks.note(" · ".join(notes))
    charts.save_button({"recall": recall, f"confusion {chosen}": confusion}, "overview", "overview_save")


def show_said(collections: dict[str, Collection]) -> None:
    """How often each model says each class."""
    counts = {name: predicted(collection)["predicted"].value_counts() for name, collection in collections.items()}
    classes = dict.fromkeys(label for collection in collections.values() for label in collection.labels)
    looks.section("What the models say", "Clips that each model calls so.")
    rows = [{"class": label} | {name: int(found.get(label, 0)) for name, found in counts.items()} for label in classes]
    st.dataframe(rows, hide_index=True, height="content", alt="How many clips each model calls each class")


def show_cards(bundles: dict[str, Bundle]) -> None:
    """What the checkpoints say about themselves."""
    looks.section("Checkpoints", "The figures here are a card's own: of its test set, measured when the model was trained.")
    rows = [
        {
            "name": name,
            "model": describe(bundle.card),
            "test clips": test.get("n"),
            "WAR": test.get("WAR"),
            "UAR": test.get("UAR"),
            "sha256": bundle.card.sha256[:12],
            "test data": test_data(bundle.card),
        }
        for name, bundle in bundles.items()
        for test in [bundle.card.metrics.get("test", {})]
    ]
    percent = st.column_config.NumberColumn(format="percent")
    columns = {"WAR": percent, "UAR": percent}
    st.dataframe(rows, hide_index=True, column_config=columns, placeholder="–", alt="The checkpoints that are loaded")


def show_imported(collections: dict[str, Collection]) -> None:
    """Where predictions come from that no checkpoint made."""
    looks.section("Predictions of others", "What these models said is known, and not how: there are no maps of them.")
    rows = [
        {
            "name": name,
            "from": found.origin,
            "clips": len(found.predictions),
            "features": ", ".join(found.with_roles("embedding")) or None,
            "sha256": found.meta.get("imported", found.meta["checkpoint"])["sha256"][:12],
        }
        for name, found in collections.items()
    ]
    st.dataframe(rows, hide_index=True, placeholder="–", alt="The models of which predictions alone are known")


looks.heading("IFDD Workbench", "What do models of facial expressions look at, which frames do they read, and how good are they?")
models = state.usable_models()
looks.notice(models)
clips = state.dataset()
looks.lead(f"Measured here on the {len(clips.clips)} clips in {html.escape(str(clips.manifest.parent))}")
collections = state.collections(state.shown(models))
alone = {name: found for name, found in collections.items() if name not in models}
abouts = {name: describe(models[name].card) if name in models else alone[name].origin for name in (*models, *alone)}
measured = {name: state.metrics(collection) for name, collection in collections.items() if clips.has_labels}
if told := [f"{name}: {note}" for name, collection in collections.items() for note in collection.notes]:
    looks.note(" · ".join(told))
if len(abouts) <= state.FEW:
    wide = min(len(abouts), 2)  # three side by side have no room for their numbers
    room = [column for _ in range(0, len(abouts), wide) for column in st.columns(wide)] if wide else []
    for column, (name, about) in zip(room, abouts.items(), strict=False):
        with column.container(border=True, height="stretch"):
            show_model(name, about, models[name].labels if name in models else alone[name].labels, measured.get(name))
else:
    show_table(abouts, measured)
if measured:
    show_recall(measured)
if collections and not state.needs_labels("nothing tells which prediction is right: there are no WAR, UAR and recalls"):
    show_said(collections)
if models:
    show_cards(models)
if alone:
    show_imported(alone)

"""What the page Splits shows, kept for all readers: where splits read, one clip, what the places follow, and the controls."""

from collections.abc import Mapping, Sequence

import streamlit as st

from shared import charts, state
from workbench.analysis.disentanglement.displays.readers import ReaderDisplay
from workbench.analysis.disentanglement.results import SplitQualityResult
from workbench.analysis.disentanglement.task import split_scores
from workbench.analysis.splits.results import SplitPlaces, SplitSummary
from workbench.analysis.splits.task import SplitOfClip, measure_split, places_in, split_of_clip
from workbench.plotting.base import Display
from workbench.store.collection import Collection
from workbench.store.tables import persons

MEASURED = 140
"""Clips, of each class alike, on which the network is run anew, with copies of them: half a minute for each model."""


def _key(name: str) -> tuple[str, ...]:
    clips = state.dataset()
    return state.model(name)[0].card.sha256, str(clips.manifest), str(clips.manifest.stat().st_mtime_ns), name


def one(names: Sequence[str], clip_id: str | None) -> dict[str, SplitOfClip]:
    """The splits of one clip; without an id of the first that is not neutral."""
    return {name: _one(_key(name), name, clip_id) for name in names}


@st.cache_resource(max_entries=64, show_spinner="Running the model …")
def _one(key: tuple[str, ...], _name: str, clip_id: str | None) -> SplitOfClip:
    with state.in_turn(_name) as bundle:
        return split_of_clip(bundle, state.dataset().manifest, clip_id)


def places(collections: dict[str, Collection]) -> dict[str, SplitPlaces]:
    """Where each model's split reads the clips."""
    return {name: _places(state.key_of(found), found, one([name], None)[name]) for name, found in collections.items()}


@st.cache_resource(max_entries=16, show_spinner="Measuring …")
def _places(key: tuple[str, ...], _collection: Collection, _one: SplitOfClip) -> SplitPlaces:
    return places_in(_collection, _one)


def measured(names: Sequence[str]) -> dict[str, SplitSummary]:
    """What each model's places follow."""
    return {name: _measured(_key(name), name) for name in names}


@st.cache_resource(max_entries=16, show_spinner="Measuring what the places follow, half a minute for each model …")
def _measured(key: tuple[str, ...], _name: str) -> SplitSummary:
    with state.in_turn(_name) as bundle:
        return measure_split(bundle, state.dataset().manifest, clips=MEASURED)


def controlled(collections: dict[str, Collection]) -> tuple[dict[str, SplitQualityResult], list[str]]:
    """How well each model's split finds the frames of the emotion beside controls, and why not."""
    found: dict[str, SplitQualityResult] = {}
    reasons: list[str] = []
    for name, collection in collections.items():
        result, why = _controlled((*_key(name), *state.key_of(collection)), name, collection)
        found |= {name: result} if result else {}
        reasons += [f"{name}: {reason}" for reason in why]
    return found, reasons


@st.cache_resource(max_entries=16, show_spinner="Comparing with readers that know nothing …")
def _controlled(key: tuple[str, ...], _name: str, _collection: Collection) -> tuple[SplitQualityResult | None, tuple[str, ...]]:
    everything = state.dataset().clips
    clips = everything[everything["clip_id"].isin(_collection.predictions["clip_id"])].reset_index(drop=True)
    clips.attrs = everything.attrs
    with state.in_turn(_name) as bundle:
        return split_scores(bundle, clips, _collection, persons(clips))


def readers(found: Mapping[str, SplitQualityResult], key: str) -> dict[str, Display]:
    """How well each reader finds the frames of the emotion, drawn; what there is to save."""
    display = ReaderDisplay.from_result(found)
    figure = display.to_plotly().update_layout(legend=charts.LEGEND_ABOVE, margin_t=30)
    charts.chart(figure, key, "AUROC of each reader, with 95 % intervals", table=display.numbers(), read="scorecard")
    return {"readers": display}

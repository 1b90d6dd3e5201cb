"""Figures of the models in view, of all clips or of those that are selected; kept for whoever asks for the same."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from shared import jobs, looks, state, view
from workbench.analysis.performance.results import MetricsResult
from workbench.analysis.performance.scores import summary
from workbench.app.copying import Copies, FitOn
from workbench.app.from_ifdd import InputError
from workbench.app.measured import Measured, Scope, clips_where, measured, said, scopes
from workbench.app.overview import part_of
from workbench.app.selection import IDS, Selection, where
from workbench.store.collection import ZEROS, Collection
from workbench.store.side_by_side import SameClips, same_clips

if TYPE_CHECKING:  # what one page alone needs is loaded when it does: the first page is drawn in half the time
    from workbench.analysis.agreement.results import AgreementResult
    from workbench.analysis.comparison.results import ComparisonResult, SearchResult, SliceResult
    from workbench.analysis.confidence.results import (
        AmbiguityResult,
        Binning,
        CalibrationResult,
        ConfidenceResult,
        ScalingResult,
    )
    from workbench.app.comparing import Factors
    from workbench.app.links import Levels

SCOPES: dict[Scope, str] = {"filter": "Filtered", "all": "All", "selected": "Selected"}


def scope() -> Measured:
    """On which clips a page measures: where some are selected the reader is asked, and told how many they are."""
    table, selection = state.clip_table(), view.selection()
    offered = scopes(selection, state.dataset().clips.columns)
    if len(offered) == 1:
        return measured("all", offered["all"], table, view.kept_clips())
    found = {name: measured(name, wanted, table, view.kept_clips()) for name, wanted in offered.items()}
    counts = {name: len(table) if item.clips is None else len(item.clips) for name, item in found.items()}
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="measured_on"):
        first = next(iter(found))
        chosen = st.segmented_control(
            "Measured on",
            list(found),
            default=first,
            required=True,
            format_func=lambda name: f"{SCOPES[name]} ({counts[name]})",
            help="Filtered: by columns of the list, and groups of clips. What models say of a clip, and its class, narrow the "
            "figures only if you ask for the selected clips: of the clips that a model has wrong, none is right.",
            label_visibility="collapsed",
            key=f"scope_{'_'.join(found)}",
        )
        one = found[chosen or first]
        some = f"{counts[one.scope]} of {len(table)} clips: {one.selection.words}"
        looks.note(f"Figures are of {'all clips' if one.clips is None else some}")
    return one


def of_all_clips(besides: str = "") -> None:
    """Where clips are selected: this page measures all of them, `besides` what it says."""
    if view.selection():
        looks.note(f"Figures are of all clips{besides}.")


def alike(collections: Mapping[str, Collection]) -> tuple[dict[str, Collection], str]:
    """The models of the reference's classes, and a sentence on those of others."""
    first = next(iter(collections.values()))
    same = {name: found for name, found in collections.items() if set(found.labels) == set(first.labels)}
    others = [f"{name} ({', '.join(found.labels)})" for name, found in collections.items() if name not in same]
    told = (
        f"Of other classes than {first.name} and not shown beside it: {'; '.join(others)}. Choose another reference to see "
        f"them {ZEROS}."
    )
    return same, told if others else ""


def two_or_more(collections: dict[str, Collection], what: str) -> dict[str, Collection]:
    """The models of the reference's classes, for `what` needs two; others are told. Raises: InputError for one alone."""
    found, told = alike(collections)
    if told:
        looks.note(told)
    if len(found) < 2:
        others = [name for name in state.offered() if name not in collections]
        way_out = "choose another in the bar above"
        if not others:
            way_out = "copy another checkpoint to checkpoints/NAME, or bring in what another model predicted: workbench import"
        raise InputError(f"{what} needs two models or more of the same classes, in view is {next(iter(found))}; {way_out}")
    return found


def metrics(collection: Collection, among: Measured) -> MetricsResult:
    """WAR, UAR and recalls of a model."""
    return _metrics((*state.key_of(collection), among.key), collection, among)


@st.cache_resource(max_entries=64, show_spinner="Measuring …")
def _metrics(key: tuple[str, ...], _collection: Collection, _among: Measured) -> MetricsResult:
    found = said(_collection, _among.clips)
    return summary(found.probs, found.true, found.labels, groups=found.groups)


def same(collections: Mapping[str, Collection], among: Measured, *, need_labels: bool = True) -> SameClips:
    """What several models say of the same clips."""
    return _same((*_key_of(collections, among), str(need_labels)), collections, among, need_labels)


def _key_of(collections: Mapping[str, Collection], among: Measured) -> tuple[str, ...]:
    return (*(text for name, found in collections.items() for text in (name, *state.key_of(found))), among.key)


@st.cache_resource(max_entries=8, show_spinner=False)
def _same(key: tuple[str, ...], _collections: Mapping[str, Collection], _among: Measured, _need_labels: bool) -> SameClips:
    found = same_clips(list(_collections.values()), need_labels=_need_labels)
    probs = dict(zip(_collections, found.probs.values(), strict=True))  # by their names in the workspace
    found = replace(found, probs=probs, sources=dict(zip(_collections, found.sources.values(), strict=True)))
    return found if _among.clips is None else found.among(_among.clips)


def comparison(collections: Mapping[str, Collection], among: Measured) -> ComparisonResult:
    """The first model against each of the others."""
    return _comparison(_key_of(collections, among), collections, among)


@st.cache_resource(max_entries=16, show_spinner="Comparing …")
def _comparison(key: tuple[str, ...], _collections: Mapping[str, Collection], _among: Measured) -> ComparisonResult:
    from workbench.analysis.comparison.task import compare_clips

    clips = same(_collections, _among)
    return compare_clips(clips, reference=next(iter(clips.probs)))


def agreement(collections: Mapping[str, Collection], among: Measured) -> AgreementResult:
    """How far each two models agree."""
    return _agreement(_key_of(collections, among), collections, among)


@st.cache_resource(max_entries=16, show_spinner="Comparing …")
def _agreement(key: tuple[str, ...], _collections: Mapping[str, Collection], _among: Measured) -> AgreementResult:
    from workbench.analysis.agreement.task import run_clips

    return run_clips(same(_collections, _among, need_labels=False))


def densities(collection: Collection, among: Measured) -> ConfidenceResult:
    """Densities of the probability of each class."""
    return _densities((*state.key_of(collection), among.key), collection, among)


@st.cache_resource(max_entries=16, show_spinner="Estimating densities …")
def _densities(key: tuple[str, ...], _collection: Collection, _among: Measured) -> ConfidenceResult:
    from workbench.analysis.confidence import density

    found = said(_collection, _among.clips)
    return density(found.probs, found.true, found.labels, groups=found.groups)


def calibration(collection: Collection, among: Measured, binning: Binning | None) -> CalibrationResult:
    """Reliability and calibration errors, in bins of equal mass or width, or as the number of clips asks for."""
    return _calibration((*state.key_of(collection), among.key), binning, collection, among)


@st.cache_resource(max_entries=32, show_spinner="Measuring …")
def _calibration(key: tuple[str, ...], binning: Binning | None, _collection: Collection, _among: Measured) -> CalibrationResult:
    from workbench.analysis.confidence import calibration

    found = said(_collection, _among.clips)
    return calibration(found.probs, found.true, binning=binning, label_names=found.labels, groups=found.groups)


def copies(collections: Mapping[str, Collection], among: Measured) -> Copies:
    """What makes figures of these models again, elsewhere."""
    return Copies(state.workspace().folder, state.dataset().name, tuple(collections), among.selection)


def inside(saved: Mapping[str, Selection]) -> dict[str, frozenset[str]]:
    """The clips of saved slices."""
    table, kept = state.clip_table(), view.kept_clips()
    return {name: frozenset(table.index[selection.mask(table, kept)]) for name, selection in saved.items()}


def slices(collections: Mapping[str, Collection], among: Measured, by: Factors) -> SliceResult:
    """Accuracy of each model by the levels of columns."""
    return _slices((*_key_of(collections, among), *by.key), collections, among, by)


@st.cache_resource(max_entries=16, show_spinner="Measuring slices …")
def _slices(key: tuple[str, ...], _collections: Mapping[str, Collection], _among: Measured, _by: Factors) -> SliceResult:
    from workbench.app.comparing import sliced

    return sliced(same(_collections, _among), _by)


def levels(collections: Mapping[str, Collection], among: Measured, by: Factors) -> Levels:
    """The clips of each level of columns."""
    return _levels((*_key_of(collections, among), *by.key), by)


@st.cache_resource(max_entries=16, show_spinner=False)
def _levels(key: tuple[str, ...], _by: Factors) -> Levels:
    return _by.levels


def search(
    collections: Mapping[str, Collection], among: Measured, by: Factors, model: str, min_n: int, argv: Sequence[str]
) -> SearchResult | None:
    """Slices on which a model is worse.

    Where the reader would wait for long, the command `argv` searches; None until it has.
    """
    if _takes_long((*_key_of(collections, among), *by.key), collections, among, by):
        inputs = list(_key_of(collections, among))
        if by.saved:
            looks.note(f"Without the slices {', '.join(by.saved)}: a search beside your work is of columns.")
        about = f"So many slices of {len(same(collections, among).table)} clips are searched beside your work, of every model."
        folder = jobs.offer("Search slices", [*argv, "--out", "{out}"], "compare_search", inputs=inputs, about=about)
        return None if folder is None else _found(folder, folder.stat().st_mtime_ns, list(collections).index(model))
    return _search((*_key_of(collections, among), *by.key, model, str(min_n)), collections, among, by, model, min_n)


@st.cache_resource(max_entries=16, show_spinner=False)
def _takes_long(key: tuple[str, ...], _collections: Mapping[str, Collection], _among: Measured, _by: Factors) -> bool:
    from workbench.app.comparing import takes_long

    return takes_long(same(_collections, _among), _by)


@st.cache_resource(max_entries=16, show_spinner=False)
def _found(folder: Path, stamp: int, number: int) -> SearchResult:
    from workbench.app.comparing import found_by_command

    return found_by_command(folder, number)


@st.cache_resource(max_entries=16, show_spinner="Searching slices …")
def _search(
    key: tuple[str, ...], _collections: Mapping[str, Collection], _among: Measured, _by: Factors, model: str, min_n: int
) -> SearchResult:
    from workbench.app.comparing import searched

    return searched(same(_collections, _among), _by, model, min_n)


def rows(among: Measured) -> pd.DataFrame:
    """The clips that figures are of, with what each model says."""
    table = state.clip_table()
    return table if among.clips is None else table[table.index.isin(list(among.clips))]


def clip_links(collections: Mapping[str, Collection], among: Measured) -> list[str] | None:
    """For each row of the models' figures its clip, as a chart's point holds it; None where they are not of the same clips."""
    return _clip_links((*(state.key_of(found) for found in collections.values()), among.key), collections, among)


@st.cache_resource(max_entries=8, show_spinner=False)
def _clip_links(key: tuple[Hashable, ...], _collections: Mapping[str, Collection], _among: Measured) -> list[str] | None:
    found = [said(collection, _among.clips).clip_ids for collection in _collections.values()]
    return [where(IDS, clip).text for clip in found[0]] if all(other == found[0] for other in found) else None


def votes(collection: Collection, among: Measured) -> AmbiguityResult | None:
    """What annotators voted against what a model says; None without votes."""
    return _votes((*state.key_of(collection), among.key), collection, among)


@st.cache_resource(max_entries=16, show_spinner="Measuring …")
def _votes(key: tuple[str, ...], _collection: Collection, _among: Measured) -> AmbiguityResult | None:
    from workbench.analysis.confidence.task import vote_ambiguity

    return vote_ambiguity(_collection, among=_among.clips)


def fit_sources(model: str) -> dict[str, FitOn]:
    """What a temperature of a model can be fitted on, in words: half of the persons, a part of the list, another dataset."""
    place, here = state.workspace(), state.dataset()
    found = {"Half of the persons" if "subject" in here.clips else "Half of the clips": FitOn(half=True)}
    if column := part_of(here.clips):
        parts = sorted(here.clips[column].dropna().unique().tolist())
        found |= {f"{column} {part}": FitOn(where=where(column, part).text) for part in parts}
    others = [name for name in place.datasets if name != here.name and model in place.dataset(name).collected()]
    return found | {f"dataset {name}": FitOn(dataset=name) for name in others}


def scaling(
    collection: Collection, among: Measured, binning: Binning | None, source: FitOn, model: str
) -> tuple[ScalingResult, tuple[str, ...]]:
    """A temperature fitted on some clips, and what it does to the others; and notes."""
    return _scaling((*state.key_of(collection), among.key, repr(source)), binning, collection, among, source, model)


@st.cache_resource(max_entries=16, show_spinner="Fitting …")
def _scaling(
    key: tuple[str, ...], binning: Binning | None, _collection: Collection, _among: Measured, _source: FitOn, _model: str
) -> tuple[ScalingResult, tuple[str, ...]]:
    from workbench.analysis.confidence.results import CalibrationOptions
    from workbench.analysis.confidence.task import halves, scale_collections, scale_within

    options = CalibrationOptions(binning=binning)
    if _source.dataset:
        other = state.workspace().dataset(_source.dataset).collection(None, _model)
        return scale_collections(other, _collection, options, _among.clips)
    if _source.half:
        return scale_within(_collection, halves(_collection, _among.clips), options, _among.clips)
    fit = clips_where([_source.where], {_model: _collection}, state.workspace().results)
    return scale_within(_collection, fit or frozenset(), options, _among.clips)

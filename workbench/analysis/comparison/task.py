"""From collections to comparisons: the same clips by several models, their factors, and what calibration needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ifdd.data.manifest import VOTES
from ifdd.data.persons import person_ids
from ifdd.errors import InputError
from workbench.analysis.comparison.binning import levels
from workbench.analysis.comparison.pairs import compare
from workbench.analysis.comparison.results import ComparisonResult, SearchResult, SliceResult
from workbench.analysis.comparison.slices import bad_slices, slice_metrics
from workbench.analysis.confidence.reliability import log_probabilities, temperature_scaling
from workbench.analysis.confidence.results import AmbiguityResult, ScalingResult
from workbench.analysis.confidence.votes import ambiguity
from workbench.store.collection import Collection, distinct_names
from workbench.store.columns import CONTENT, DERIVED, factor_columns, kept_as, probability_columns, renaming_notes
from workbench.store.same_clips import other_content, other_reading, shared_clips
from workbench.store.tables import labelled, persons, subjects


@dataclass(frozen=True, eq=False)
class SameClips:
    """Labelled clips that several models were run over; rows as in `table`, the first collection's."""

    probs: dict[str, np.ndarray]
    table: pd.DataFrame
    labels: tuple[str, ...]
    sources: dict[str, str]
    notes: tuple[str, ...]

    @property
    def true(self) -> np.ndarray:
        """True class indexes (n,)."""
        return self.table["label"].to_numpy()


def same_clips(collections: Sequence[Collection]) -> SameClips:
    """Put collections of the same clips side by side, by clip id; models are named by checkpoint, or by folder if one is twice.

    Classes are put in the first collection's order, by name. Clips that one of them could not read are left out, with a note.
    Raises: InputError for fewer than two collections, other clips, clips of one id with other content, other classes, or another
    true label.
    """
    if len(collections) < 2:
        raise InputError(f"{len(collections)} collection given; a comparison needs two or more of the same clips")
    names = distinct_names(collections)
    first = collections[0]
    table = _by_clip(first)
    notes = _told_once({name: collection.notes for collection, name in zip(collections, names, strict=True)})
    gone = frozenset().union(*(collection.left_out for collection in collections))
    table = table[~table.index.isin(gone)]
    if table.empty:
        raise InputError(f"{first.folder} shares no clip with the others that all could read")
    probs = {}
    for collection, name in zip(collections, names, strict=True):
        if set(collection.labels) != set(first.labels):
            raise InputError(
                f"{collection.folder} has the classes {', '.join(collection.labels)}, {first.folder} has "
                f"{', '.join(first.labels)}; compare models of the same classes, named alike"
            )
        other = _by_clip(collection)
        other = other[~other.index.isin(gone)]
        _same_ids(first, table, collection, other)
        other = other.loc[table.index]
        if differing := other_content(table, other):
            raise InputError(
                f"{differing[0]} is another clip in {collection.folder} than in {first.folder}, by its content "
                f"({len(differing)} of {len(table)} clips are); collect both with one manifest"
            )
        if (differ := other["label_name"].to_numpy() != table["label_name"].to_numpy()).any():
            row = int(np.flatnonzero(differ)[0])
            clip, here, there = table["clip_id"].iloc[row], other["label_name"].iloc[row], table["label_name"].iloc[row]
            raise InputError(
                f"{clip} is {here} in {collection.folder}, {there} in {first.folder}; collect both with one manifest"
            )
        if other_reading(first, table, collection, other):
            notes.append(f"{name}: its clips were read from other files or cropped otherwise than those of the first collection")
        order = [collection.labels.index(label) for label in first.labels]
        probs[name] = collection.probs[other["row"].to_numpy()][:, order]
    sources = {name: c.meta["checkpoint"]["sha256"] for name, c in zip(probs, collections, strict=True)}
    return SameClips(probs, table.reset_index(drop=True), first.labels, sources, tuple(notes))


def compare_collections(collections: Sequence[Collection], **options: Any) -> tuple[ComparisonResult, SameClips]:
    """Compare models over their collections, by person where they are known; `options` as `comparison.compare`.

    Raises: InputError as `same_clips` and `compare`.
    """
    clips = same_clips(collections)
    result = compare(
        clips.probs,
        clips.true,
        subjects(clips.table),
        label_names=clips.labels,
        clip_ids=list(clips.table["clip_id"]),
        **options,
    )
    return result, clips


def slice_collections(
    clips: SameClips, columns: Sequence[str] | None = None, *, bins: int = 4, seed: int = 0, min_n: int = 20
) -> tuple[SliceResult | None, dict[str, SearchResult], tuple[str, ...]]:
    """Slices by columns of the manifest (all factors by default), a search for bad ones per model, and what was left out.

    Raises: InputError for an unknown column, or columns that are named and cannot be sliced by.
    """
    notes = [note for note in renaming_notes(clips.table) if note not in clips.notes]
    if columns is None:
        factors = []
        for name in factor_columns(clips.table, clips.labels):
            try:
                levels(name, clips.table[name], len(clips.table), bins)
                factors.append(name)
            except InputError as error:
                notes.append(f"slices by {name}: {error}")  # nobody asked for this factor
    else:
        factors = _chosen(clips, columns)
    if not factors:
        return None, {}, (*notes, "slices: the manifest has no factor column with two values or more")
    groups = persons(clips.table)
    table = {name: clips.table[name] for name in factors}
    found = slice_metrics(clips.probs, clips.true, table, groups=groups, label_names=clips.labels, bins=bins, seed=seed)
    if 2 * min_n > len(clips.table):
        return found, {}, (*notes, f"search for bad slices: it needs {2 * min_n} clips or more, there are {len(clips.table)}")
    try:
        searches = {
            name: bad_slices(p, clips.true, table, groups=groups, label_names=clips.labels, bins=bins, min_n=min_n, seed=seed)
            for name, p in clips.probs.items()
        }
    except InputError as error:
        if columns is not None:
            raise
        return found, {}, (*notes, f"search for bad slices: {error}")  # nobody asked for these factors
    return found, searches, tuple(notes)


def scale_collections(
    validation: Collection, test: Collection, bins: int | None = None, **options: Any
) -> tuple[ScalingResult, tuple[str, ...]]:
    """Temperature fitted on one collection and judged on another of the same checkpoint; and notes.

    Raises: InputError for another checkpoint, clips that are in both, and as `temperature_scaling`.
    """
    ours, theirs = (c.meta["checkpoint"] for c in (test, validation))
    if ours["sha256"] != theirs["sha256"]:
        raise InputError(
            f"{validation.folder} was collected with {theirs['name']}, {test.folder} with {ours['name']}; use one checkpoint"
        )
    fit, judge = labelled(validation), labelled(test)
    if both := shared_clips(validation, fit, test, judge):
        raise InputError(
            f"{len(both)} clips are in both collections, e.g. {min(both)}; a temperature is fitted on validation clips "
            "and judged on others"
        )
    people = [set(person_ids(table["subject"]).tolist()) if "subject" in table else set() for table in (fit, judge)]
    shared = (people[0] & people[1]) - {""}
    notes = (f"{len(shared)} persons are in both collections: the gain may not carry over to new ones",) if shared else ()
    parts = [(_logits(c)[t["row"].to_numpy()], t["label"]) for c, t in ((validation, fit), (test, judge))]
    return temperature_scaling(*parts[0], *parts[1], bins=bins, label_names=test.labels, groups=subjects(judge), **options), notes


def vote_ambiguity(collection: Collection, seed: int = 0) -> AmbiguityResult | None:
    """Ambiguity against the votes in columns `votes_<class>`; None where the manifest has none.

    Raises: InputError if some classes have a column and others not.
    """
    table = labelled(collection)
    columns = [f"{VOTES}{name}" for name in collection.labels]
    missing = [c for c in columns if c not in table]
    if len(missing) == len(columns):
        return None
    if missing:
        raise InputError(
            f"{collection.folder} has votes but no column {', '.join(missing)}; give every class one, 0 where nobody chose it"
        )
    probs = collection.probs[table["row"].to_numpy()]
    votes = table[columns].to_numpy(float)
    return ambiguity(probs, votes, collection.labels, groups=persons(table), seed=seed)


def _told_once(notes: Mapping[str, Sequence[str]]) -> list[str]:
    """Notes on several models: those on all of them once, the others with the model's name."""
    everywhere = set.intersection(*(set(own) for own in notes.values()))
    shared = [note for note in next(iter(notes.values())) if note in everywhere]
    return shared + [f"{name}: {note}" for name, own in notes.items() for note in own if note not in everywhere]


def _logits(collection: Collection) -> np.ndarray:
    for name in collection.with_roles("logits"):
        return np.asarray(collection.activation(name), np.float64)
    return log_probabilities(collection.probs)


def _by_clip(collection: Collection) -> pd.DataFrame:
    table = labelled(collection).set_index("clip_id", drop=False)
    if not table.index.is_unique:
        raise InputError(
            f"{collection.folder} holds {table.index[table.index.duplicated()][0]} twice; give every clip an id of its own"
        )
    return table


def _same_ids(first: Collection, table: pd.DataFrame, collection: Collection, other: pd.DataFrame) -> None:
    for whole, part, place, source in ((table, other, collection, first), (other, table, first, collection)):
        lacking = whole.index.difference(part.index)
        if len(lacking):
            raise InputError(
                f"{place.folder} lacks {len(lacking)} of the {len(whole)} clips of {source.folder}, e.g. {lacking[0]}; "
                "collect all models over one manifest"
            )


def _chosen(clips: SameClips, columns: Sequence[str]) -> list[str]:
    """Columns of the manifest by the names that it gives them."""
    renamed = kept_as(columns, clips.labels)
    found = [renamed[name] if name in renamed and renamed[name] in clips.table else name for name in columns]
    ours = {*DERIVED, CONTENT, *probability_columns(clips.labels)}
    unknown = [name for name, column in zip(columns, found, strict=True) if column not in clips.table or column in ours]
    if unknown:
        known = ", ".join(factor_columns(clips.table, clips.labels)) or "none"
        raise InputError(f"unknown column {unknown[0]!r}; the factors are {known}")
    return found

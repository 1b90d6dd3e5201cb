"""From collections to comparisons: the same clips by several models, their factors, and what calibration needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ifdd.errors import InputError
from workbench.analysis.ambiguity import AmbiguityResult, ambiguity
from workbench.analysis.calibration import ScalingResult, log_probabilities, temperature_scaling
from workbench.analysis.comparison import ComparisonResult, compare
from workbench.analysis.slices import SearchResult, SliceResult, bad_slices, slice_metrics
from workbench.collection import Collection, distinct_names
from workbench.library import labelled, persons

VOTES = "votes_"
"""A manifest's column `votes_<class>` holds how many annotators chose that class."""
_NO_FACTOR = {
    "clip_id", "path", "kind", "label", "label_name", "subject", "truth",
    "row", "prediction", "predicted", "confidence", "correct",
}  # fmt: skip


@dataclass(frozen=True)
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

    Raises: InputError for fewer than two collections, other clips, another order of the labels, or another true label.
    """
    if len(collections) < 2:
        raise InputError(f"{len(collections)} collection given; a comparison needs two or more of the same clips")
    names = distinct_names(collections)
    first = collections[0]
    table = _by_clip(first)
    probs, notes = {}, []
    for collection, name in zip(collections, names, strict=True):
        if collection.labels != first.labels:
            raise InputError(
                f"{collection.folder} has the classes {', '.join(collection.labels)}, {first.folder} has "
                f"{', '.join(first.labels)}; compare models of one label list, in one order"
            )
        other = _by_clip(collection)
        _same_ids(first, table, collection, other)
        other = other.loc[table.index]
        if (differ := other["label"].to_numpy() != table["label"].to_numpy()).any():
            row = int(np.flatnonzero(differ)[0])
            clip, here, there = table["clip_id"].iloc[row], other["label_name"].iloc[row], table["label_name"].iloc[row]
            raise InputError(
                f"{clip} is {here} in {collection.folder}, {there} in {first.folder}; collect both with one manifest"
            )
        readings = {c.meta["data"].get("reading") for c in (first, collection)} - {None}
        if len(readings) > 1:
            notes.append(f"{name}: its clips were read from other files or cropped otherwise than those of the first collection")
        probs[name] = collection.probs[other["row"].to_numpy()]
    sources = {name: c.meta["checkpoint"]["sha256"] for name, c in zip(probs, collections, strict=True)}
    return SameClips(probs, table.reset_index(drop=True), first.labels, sources, tuple(notes))


def compare_collections(collections: Sequence[Collection], **options: Any) -> tuple[ComparisonResult, SameClips]:
    """Compare models over their collections, by person where all are known; `options` as `comparison.compare`.

    Raises: InputError as `same_clips` and `compare`.
    """
    clips = same_clips(collections)
    result = compare(
        clips.probs,
        clips.true,
        persons(clips.table),
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
    factors = factor_columns(clips.table) if columns is None else _chosen(clips.table, columns)
    if not factors:
        return None, {}, ("slices: the manifest has no factor column with two values or more",)
    groups = persons(clips.table)
    table = {name: clips.table[name] for name in factors}
    found = slice_metrics(clips.probs, clips.true, table, groups=groups, label_names=clips.labels, bins=bins, seed=seed)
    if 2 * min_n > len(clips.table):
        return found, {}, (f"search for bad slices: it needs {2 * min_n} clips or more, there are {len(clips.table)}",)
    try:
        searches = {
            name: bad_slices(p, clips.true, table, groups=groups, label_names=clips.labels, bins=bins, min_n=min_n, seed=seed)
            for name, p in clips.probs.items()
        }
    except InputError as error:
        if columns is not None:
            raise
        return found, {}, (f"search for bad slices: {error}",)  # nobody asked for these factors
    return found, searches, ()


def factor_columns(table: pd.DataFrame) -> list[str]:
    """Columns of the manifest to slice by: those with two values or more that are neither names of clips nor predictions."""
    columns = [c for c in table.columns if c not in _NO_FACTOR and not c.startswith(("p_", VOTES))]
    return [
        c
        for c in columns
        if table[c].nunique(dropna=False) > 1 and (pd.api.types.is_numeric_dtype(table[c]) or table[c].nunique() < len(table))
    ]


def scale_collections(validation: Collection, test: Collection, bins: int = 15) -> tuple[ScalingResult, tuple[str, ...]]:
    """Temperature fitted on one collection and judged on another of the same checkpoint; and notes.

    Raises: InputError for another checkpoint, clips that are in both, and as `temperature_scaling`.
    """
    ours, theirs = (c.meta["checkpoint"] for c in (test, validation))
    if ours["sha256"] != theirs["sha256"]:
        raise InputError(
            f"{validation.folder} was collected with {theirs['name']}, {test.folder} with {ours['name']}; use one checkpoint"
        )
    fit, judge = labelled(validation), labelled(test)
    both = set(fit["clip_id"]) & set(judge["clip_id"])
    if both:
        raise InputError(
            f"{len(both)} clips are in both collections, e.g. {min(both)}; a temperature is fitted on validation clips "
            "and judged on others"
        )
    people = [persons(table) for table in (fit, judge)]
    shared = set() if people[0] is None or people[1] is None else set(people[0]) & set(people[1])
    notes = (f"{len(shared)} persons are in both collections: the gain may not carry over to new ones",) if shared else ()
    parts = [(_logits(c)[t["row"].to_numpy()], t["label"]) for c, t in ((validation, fit), (test, judge))]
    return temperature_scaling(*parts[0], *parts[1], bins=bins, label_names=test.labels), notes


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


def _logits(collection: Collection) -> np.ndarray:
    if "head.logits" in collection.activation_names:
        return np.asarray(collection.activation("head.logits"), np.float64)
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


def _chosen(table: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    unknown = [name for name in columns if name not in table]
    if unknown:
        raise InputError(f"unknown column {unknown[0]!r}; the factors are {', '.join(factor_columns(table)) or 'none'}")
    return list(columns)

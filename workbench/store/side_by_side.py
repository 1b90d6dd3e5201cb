"""The same clips by several models: their collections put side by side."""

from collections.abc import Collection as Ids
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ifdd.errors import InputError
from workbench.store.collection import ZEROS, Collection, distinct_names
from workbench.store.identity import other_content, other_reading
from workbench.store.tables import labelled, predicted


@dataclass(frozen=True, eq=False)
class SameClips:
    """Clips that several models were run over; rows as in `table`, the first collection's."""

    probs: dict[str, np.ndarray]
    table: pd.DataFrame
    labels: tuple[str, ...]
    sources: dict[str, str]
    notes: tuple[str, ...]

    @property
    def true(self) -> np.ndarray:
        """True class indexes (n,); -1 without labels."""
        return self.table["label"].to_numpy()

    def among(self, clip_ids: Ids[str]) -> "SameClips":
        """The clips that have one of these ids. Raises: InputError if none has."""
        kept = self.table["clip_id"].isin(list(clip_ids)).to_numpy()
        if not kept.any():
            raise InputError(f"none of the {len(kept)} clips that all models have read is among those chosen; choose others")
        table = self.table[kept].reset_index(drop=True)
        return replace(self, probs={name: probs[kept] for name, probs in self.probs.items()}, table=table)


def same_clips(collections: Sequence[Collection], *, need_labels: bool = True) -> SameClips:
    """Put collections of the same clips side by side, by clip id; models are named by checkpoint, or by folder if one is twice.

    Only clips with a label are taken, unless `need_labels` is False: then all are. Classes are called and
    ordered as the first collection has them. Clips that one of them could not read are left out, with a note.
    Raises: InputError for fewer than two collections, other clips, clips of one id with other content, other classes, another
    true label, or no labels where they are needed.
    """
    if len(collections) < 2:
        raise InputError(f"{len(collections)} collection given; a comparison needs two or more of the same clips")
    names = distinct_names(collections)
    first = collections[0]
    table = _by_clip(first, need_labels)
    notes = told_once({name: collection.notes for collection, name in zip(collections, names, strict=True)})
    gone = frozenset().union(*(collection.left_out for collection in collections))
    table = table[~table.index.isin(gone)]
    if table.empty:
        raise InputError(f"{first.folder} shares no clip with the others that all could read")
    probs = {}
    for collection, name in zip(collections, names, strict=True):
        collection = collection.in_words_of(first.labels)
        if collection.labels != first.labels:
            raise InputError(
                f"{collection.folder} has the classes {', '.join(collection.labels)}, {first.folder} has "
                f"{', '.join(first.labels)}; compare models of the same classes, named alike {ZEROS}"
            )
        other = _by_clip(collection, need_labels)
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
            here, there = (rows["label_name"].iloc[row] or "without a label" for rows in (other, table))
            clip = table["clip_id"].iloc[row]
            raise InputError(
                f"{clip} is {here} in {collection.folder}, {there} in {first.folder}; collect both with one manifest"
            )
        if other_reading(first, table, collection, other):
            notes.append(f"{name}: its clips were read from other files or cropped otherwise than those of the first collection")
        order = [collection.labels.index(label) for label in first.labels]
        probs[name] = collection.probs[other["row"].to_numpy()][:, order]
    sources = {name: c.meta["checkpoint"]["sha256"] for name, c in zip(probs, collections, strict=True)}
    return SameClips(probs, table.reset_index(drop=True), first.labels, sources, tuple(notes))


def told_once(notes: Mapping[str, Sequence[str]]) -> list[str]:
    """Notes on several models, each once: with the names of its models where it is not on all of them.

    >>> told_once({"a": ["few clips", "no fear"], "b": ["few clips", "no sad"], "c": ["few clips", "no sad"]})
    ['few clips', 'a: no fear', 'b, c: no sad']
    """
    models: dict[str, list[str]] = {}
    for name, own in notes.items():
        for note in dict.fromkeys(own):
            models.setdefault(note, []).append(name)
    return [note if len(names) == len(notes) else f"{', '.join(names)}: {note}" for note, names in models.items()]


def _by_clip(collection: Collection, need_labels: bool) -> pd.DataFrame:
    table = (labelled if need_labels else predicted)(collection).set_index("clip_id", drop=False)
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

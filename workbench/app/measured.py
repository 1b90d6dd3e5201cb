"""On which clips figures are measured, where some are selected; and what models said of those."""

from collections.abc import Collection as Ids
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from ifdd.errors import InputError
from workbench.app.clip_table import clip_table
from workbench.app.selection import IDS, KeptClips, Selection
from workbench.store.collection import Collection
from workbench.store.tables import labelled, subjects

Scope = Literal["filter", "selected", "all"]
CLASS = "label_name"


@dataclass(frozen=True, eq=False)
class Measured:
    """The clips that figures are of: all that pass `selection`, whose ids are `clips`; None where that is every clip."""

    scope: Scope
    selection: Selection
    clips: frozenset[str] | None

    @property
    def key(self) -> str:
        """What tells these clips from others of the same list: a group of clips is named by its content."""
        return self.selection.text


def filter_of(selection: Selection, columns: Iterable[str]) -> Selection:
    """The conditions that make figures of some clips worth reading: on columns of the list, and groups of clips.

    What a model said of a clip, and its class, do not narrow: of clips that a model has wrong none is right, and of one class
    there is no confusion.
    """
    kept = {*columns, IDS} - {CLASS, "label"}
    return Selection(tuple(item for item in selection.conditions if item.column in kept and item.op != "<>"))


def scopes(selection: Selection, columns: Iterable[str]) -> dict[Scope, Selection]:
    """What figures can be measured on, by name, the one to begin with first; those that are the same stand once."""
    narrow = filter_of(selection, columns)
    offered: dict[Scope, Selection] = {"filter": narrow} if narrow else {}
    offered["all"] = Selection()
    if selection and selection != narrow:
        offered["selected"] = selection
    return offered


def measured(scope: Scope, selection: Selection, table: pd.DataFrame, kept: KeptClips) -> Measured:
    """The clips of a `clip_table` that pass. Raises: InputError if none does, and as `Selection.mask`."""
    if not selection:
        return Measured("all", selection, None)
    found = frozenset(table.index[selection.mask(table, kept)])
    if not found:
        raise InputError(f"no clip passes {selection.words}; remove a chip above")
    return Measured(scope, selection, found)


@dataclass(frozen=True, eq=False)
class Said:
    """What one model says of n clips with a label: `probs` (n, C), true class indexes `true` (n,), persons where known, ids."""

    probs: np.ndarray
    true: np.ndarray
    labels: tuple[str, ...]
    groups: np.ndarray | None
    clip_ids: tuple[str, ...]


def said(collection: Collection, clips: Ids[str] | None = None) -> Said:
    """What a model says of its clips with a label, or of those among `clips`. Raises: InputError as `tables.labelled`."""
    table = labelled(collection, clips)
    probs = collection.probs[table["row"].to_numpy()]
    return Said(probs, table["label"].to_numpy(), collection.labels, subjects(table), tuple(table["clip_id"]))


def clips_where(texts: Sequence[str] | None, collections: Mapping[str, Collection], results: Path) -> frozenset[str] | None:
    """Ids of the clips that pass conditions, as the app's addresses hold them; None without conditions.

    Columns are those of the first collection's clips, and what each model, by its name here, said of them (`clip_table`); groups
    of clips are kept in the folder `results` of a workspace.
    Raises: InputError as `measured` and `Selection.parse`.
    """
    if not texts:
        return None
    first = next(iter(collections.values()))
    table = clip_table(first.predictions.set_index("clip_id", drop=False), collections)
    return measured("selected", Selection.parse(texts), table, KeptClips(results / "selections")).clips

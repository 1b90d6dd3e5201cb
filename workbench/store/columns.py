"""Columns of a collection: which names are ours, and what the manifest's own columns of those names are called there."""

import shlex
from collections.abc import Iterable, Sequence
from itertools import takewhile
from pathlib import Path

import numpy as np
import pandas as pd

from ifdd.data.manifest import VOTES, has_labels
from ifdd.data.manifest.columns import plain
from ifdd.labels import match_labels

DERIVED = ("row", "prediction", "predicted", "confidence", "correct")
"""What `tables.labelled` adds to the predictions."""
CONTENT = "clip_sha256"
"""Hash of the clip's file, or of its frames: tells whether two clips of one id are the same."""
OWN = "manifest_"
"""What a manifest's own column is called where its name is ours: `manifest_confidence`."""
KNOWN = ("clip_id", "fold", "label", "label_name", "path", "kind", "subject", "truth", "crop", CONTENT, *DERIVED)
"""Columns that are no factor."""


def probability_columns(labels: Sequence[str]) -> tuple[str, ...]:
    """Names of the columns that hold what a model says."""
    return tuple(f"p_{label}" for label in labels)


def kept_as(columns: Iterable[str], labels: Sequence[str] = ()) -> dict[str, str]:
    """Columns of a manifest whose names are taken → their names in a collection of a model with the classes `labels`."""
    taken = {*DERIVED, CONTENT, *probability_columns(labels)}
    return {name: f"{OWN}{name}" for name in columns if name in taken or name.startswith(OWN)}


def own_columns(table: pd.DataFrame) -> pd.DataFrame:
    """Predictions as an earlier version may have stored them: the manifest's columns with derived names get the name that
    `kept_as` says, and every further column is made numbers, truth values or text.
    """
    for name in DERIVED:
        if name in table:
            free = f"{OWN}{name}"
            while free in table:
                free = f"{OWN}{free}"
            table = table.rename(columns={name: free})
    odd = [name for name in table.columns if name not in KNOWN and not pd.api.types.is_numeric_dtype(table[name].dtype)]
    return table.assign(**{name: plain(table[name]) for name in odd})


def renaming_notes(table: pd.DataFrame) -> tuple[str, ...]:
    """A line for each column of the manifest that goes by another name."""
    names = [name.removeprefix(OWN) for name in table.columns if name.startswith(OWN)]
    return tuple(f"the manifest's column {name} is called {OWN}{name} here: {name} is what a model says" for name in names)


def factor_columns(table: pd.DataFrame, labels: Sequence[str] | None = None) -> list[str]:
    """Columns of the manifest to slice by: those with two values or more that are neither names of clips nor predictions.

    Without the model's `labels`, its probabilities are the columns p_… that follow `label_name`.
    """
    if labels is None:
        after = list(table.columns)[list(table.columns).index("label_name") + 1 :]
        labels = [name.removeprefix("p_") for name in takewhile(lambda name: name.startswith("p_"), after)]
    ours = {*KNOWN, *probability_columns(labels)}
    columns = [name for name in table.columns if name not in ours and not name.startswith(VOTES)]
    return [
        name
        for name in columns
        if table[name].nunique(dropna=False) > 1
        and (pd.api.types.is_numeric_dtype(table[name]) or table[name].nunique() < len(table))
    ]


def named_as(clips: pd.DataFrame, labels: Sequence[str], manifest: str | Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The clips with classes named and numbered as the checkpoint's, and what has to be told; without labels as they are."""
    if not has_labels(clips):
        return clips, ()
    way_out = f"ifdd data index {shlex.quote(str(manifest))} --out NEW.parquet --map"
    meant, notes = match_labels(clips["label_name"], labels, manifest, way_out=way_out, model="the checkpoint")
    names = clips["label_name"].map(meant)
    return clips.assign(label_name=names, label=names.map(list(labels).index).astype(np.int64)), notes

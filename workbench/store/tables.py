"""A collection as tables and arrays: predictions with what follows from them, persons, activations row by row."""

from collections.abc import Collection as Ids

import numpy as np
import pandas as pd

from ifdd.errors import InputError
from ifdd.metrics import count_units, name_persons
from workbench.store.collection import AGAIN, Collection


def predicted(collection: Collection) -> pd.DataFrame:
    """Predictions of all clips, and what follows from them, with labels or without.

    Further columns: `prediction` (index), `predicted` (its name), `confidence`, `correct` (only with labels), and `row` in the
    activations.
    """
    table = collection.predictions.assign(row=np.arange(len(collection.predictions)))
    best = collection.probs.argmax(1)
    table = table.assign(prediction=best, predicted=np.array(collection.labels)[best], confidence=collection.probs.max(1))
    return table.assign(correct=best == table["label"].to_numpy()) if collection.has_labels else table


def labelled(collection: Collection, clips: Ids[str] | None = None) -> pd.DataFrame:
    """`predicted`, of the clips that have a label; only those among `clips`, by id, where these are given.

    Raises: InputError if no clip has a label, or none among `clips` has.
    """
    table = predicted(collection)
    table = table[table["label"] >= 0]
    if table.empty:
        raise InputError(
            f"{collection.folder} holds no clip with a label, which this needs; add a column label to "
            f"{collection.meta['data']['manifest']} and run workbench collect again"
        )
    if clips is not None:
        table = table[table["clip_id"].isin(list(clips))]
        if table.empty:
            raise InputError(f"{collection.folder} holds none of the {len(clips)} clips that are chosen; choose others")
    return table


def usable(collection: Collection) -> pd.DataFrame:
    """`labelled`; of clips without labels all, as `predicted`."""
    return labelled(collection) if collection.has_labels else predicted(collection)


def subjects(table: pd.DataFrame) -> np.ndarray | None:
    """Person of each clip (n,) as the manifest has it; None where it has no such column."""
    return table["subject"].to_numpy() if "subject" in table else None


def persons(table: pd.DataFrame) -> np.ndarray | None:
    """Person of each clip (n,) by the rule of `ifdd.metrics.count_units`; None where clips count as independent."""
    named = subjects(table)
    return name_persons(named) if named is not None and count_units(named, len(table)).persons else None


def vector_activations(collection: Collection) -> dict[str, tuple[int, ...]]:
    """Activations that a map can be made of, with the shape of one clip's: two numbers or more, not a whole feature map."""
    shapes = {name: tuple(about["shape"]) for name, about in collection.meta["activations"].items()}
    return {name: shape for name, shape in shapes.items() if 1 <= len(shape) <= 2 and int(np.prod(shape)) >= 2}


def features(collection: Collection, activation: str) -> np.ndarray:
    """An activation as one row for each clip, (n, d) float32.

    Raises: InputError for values that are not finite, or as `Collection.activation`.
    """
    values = collection.activation(activation)
    rows = np.asarray(values, np.float32).reshape(len(values), -1)
    if not np.isfinite(rows).all():
        raise InputError(f"{collection.folder}: {activation} holds NaN or infinity; {AGAIN}")
    return rows

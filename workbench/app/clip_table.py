"""All clips of a dataset as one table: what the list says of them, and what each model in view says."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ifdd.data.manifest import has_labels
from workbench.store.collection import Collection

FIRST = 1e-12  # the least probability whose logarithm is taken


def clip_table(clips: pd.DataFrame, collections: Mapping[str, Collection]) -> pd.DataFrame:
    """The clips, indexed by `clip_id`, with what each model M said; a clip that M could not read has missing values.

    `said M` (class by name), `confidence M` (of that class, in [0, 1]); with labels `right M` (True, False, missing), `loss M`
    (-ln p of the true class, nats), `margin M` (p of the true class less the highest other, in [-1, 1]); with two models or more
    `disagreement`, the share of pairs of them that say different classes.
    """
    labels = has_labels(clips)
    columns: dict[str, pd.Series] = {}
    names = clips.get("label_name")
    for model, collection in collections.items():
        rows, probs = collection.predictions, collection.probs
        index, all_rows = pd.Index(rows["clip_id"]), np.arange(len(rows))
        best = probs.argmax(1)
        said = pd.Series(pd.Categorical.from_codes(best, pd.Index(collection.labels)), index)
        columns[f"said {model}"] = said.reindex(clips.index)
        columns[f"confidence {model}"] = pd.Series(probs[all_rows, best], index).reindex(clips.index)
        if not labels:
            continue
        true = rows["label"].to_numpy()
        known = pd.Series(rows["label_name"].to_numpy(), index).reindex(clips.index)
        names = known.where(known.notna(), names)  # as the model spells its classes
        here = np.maximum(probs[all_rows, true], FIRST)
        others = probs.copy()
        others[all_rows, true] = -np.inf
        for what, values in (
            ("right", pd.array(best == true, "boolean")),
            ("loss", -np.log(here)),
            ("margin", probs[all_rows, true] - others.max(1)),
        ):
            columns[f"{what} {model}"] = pd.Series(values, index).reindex(clips.index)
    if names is not None:
        columns["label_name"] = names
    if len(collections) > 1:
        columns["disagreement"] = _disagreement([columns[f"said {model}"] for model in collections])
    return clips.drop(columns=[name for name in columns if name in clips]).assign(**columns)


def _disagreement(said: list[pd.Series]) -> pd.Series:
    """Share of the pairs of models that say different classes of a clip; NaN where fewer than two read it."""
    classes = sorted({str(name) for column in said for name in column.cat.categories})
    codes = np.stack([column.cat.set_categories(classes).cat.codes.to_numpy() for column in said], axis=1)
    counts = np.stack([(codes == number).sum(1) for number in range(len(classes))], axis=1)
    readers = (codes >= 0).sum(1)
    pairs = readers * (readers - 1) / 2
    same = (counts * (counts - 1) / 2).sum(1)
    return pd.Series(np.divide(pairs - same, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0), said[0].index)

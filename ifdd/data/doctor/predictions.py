"""Somebody's predictions of the clips: whether their classes are numbered as the labels are."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ifdd.data.doctor.case import Case
from ifdd.data.doctor.findings import Finding, finding, many
from ifdd.data.label_order import explain_labels
from ifdd.data.manifest import has_labels
from ifdd.data.manifest.table import read_columns
from ifdd.data.persons import without_fraction
from ifdd.documents import read_any_arrays
from ifdd.errors import InputError
from ifdd.labels import match_labels, meant_class

IDS = ("clip_id", "path", "video_name", "id")
CLASS = ("prediction", "predicted", "predicted_name", "pred")
"""Names of the column of predicted classes, by number or name, where there is none of probabilities."""
PREFIXES = ("p_", "logit_")


def of_predictions(case: Case, file: Path) -> Iterator[Finding]:
    """Whether a permutation of the classes explains the predictions in a file (CSV, TSV, parquet, npz) better than none.

    A table has a column clip_id (or path), and p_<class> (or logit_<class>, or <class>) for each class, or one column
    `prediction`; an npz file arrays clip_id (n,) and probabilities, logits (n, classes) or prediction (n,), in the order of its
    `labels` (classes,) or of the list's classes.

    Raises: InputError for a file that cannot be read, no clip of the list, a clip twice, classes that the list lacks.
    """
    if not has_labels(case.frame):
        raise InputError(f"{case.source} has no labels, needed beside --predictions; add a column label")
    pairs = sorted(set(zip(case.frame["label"].tolist(), case.frame["label_name"].tolist(), strict=True)))
    names = tuple(name for _, name in pairs)
    ids, given = _read(file, names)
    twice = pd.Series(ids)[pd.Series(ids).duplicated()]
    if len(twice):
        raise InputError(f"{file}: clip {twice.iloc[0]!r} is there twice; give one row for each clip")
    place = {name: i for i, name in enumerate(ids)}
    own = [_row(place, str(clip), str(path)) for clip, path in zip(case.ids, case.frame["path"], strict=True)]
    rows = np.array([i for i, at in enumerate(own) if at is not None], np.int64)
    if not len(rows):
        raise InputError(f"{file}: none of its clips (e.g. {ids[0]!r}) is in {case.source} (e.g. {case.ids[0]!r})")
    labels = case.frame["label_name"].map(names.index).to_numpy()[rows]
    found = explain_labels(given[[own[i] for i in rows]], labels, names)
    yield finding(
        "error" if found.verdict == "permuted" else "note",
        "predictions",
        found.told(),
        [f"{name} is {meant}" for name, meant in found.moved.items()],
        "read the predictions in the other order: name their columns after the right classes" if found.moved else "",
        count=len(rows),
    )
    if len(rows) < len(ids):
        left = sorted(set(ids) - {ids[own[i]] for i in rows})
        told = f"{many(len(left), 'prediction')} of clips that are not in the list"
        yield finding("warning", "predictions", told, left, "leave them out, or give the list that they are of")


def _row(place: dict[str, int], clip: str, path: str) -> int | None:
    """Where a clip is in the predictions: by its id, its path, or either without a suffix."""
    names = (clip, path, clip.rpartition(".")[0], path.rpartition(".")[0])
    return next((place[name] for name in names if name and name in place), None)


def _read(file: Path, names: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """Ids, and probabilities (n, classes) or predicted numbers (n,), in the order of `names`."""
    if file.suffix.lower() == ".npz":
        return _of_arrays(file, names)
    if file.suffix.lower() not in (".csv", ".tsv", ".parquet") or not file.is_file():
        raise InputError(f"{file}: no table of predictions; give a CSV, TSV, parquet or npz file")
    table = read_columns(file)[1]
    key = next((name for name in IDS if name in table), None)
    if key is None:
        raise InputError(f"{file}: no column clip_id or path; the columns are {', '.join(map(str, table.columns))}")
    ids = [str(without_fraction(value)).strip() for value in table[key]]
    prefix = next((start for start in PREFIXES if any(str(name).startswith(start) for name in table.columns)), None)
    if prefix is not None:
        chances = [str(name) for name in table.columns if str(name).startswith(prefix)]
        known = [name.removeprefix(prefix) for name in chances]
        columns = [chances[i] for i in _columns(file, known, names)]
        return ids, _numbers(table[columns].to_numpy(), file)
    column = next((name for name in CLASS if name in table), None)
    if column is None:
        alone = [str(name) for name in table.columns if meant_class(str(name)) or str(name) in names]
        if not alone:
            lacks = f"no column p_<class> or <class>, and none called {', '.join(CLASS)}"
            raise InputError(f"{file}: {lacks}; name one of them (workbench import reads other files, and asks the same)")
        return ids, _numbers(table[[alone[i] for i in _columns(file, alone, names)]].to_numpy(), file)
    return ids, _classes(table[column].to_numpy(), file, names)


def _of_arrays(file: Path, names: Sequence[str]) -> tuple[list[str], np.ndarray]:
    arrays = read_any_arrays(file, "give a table of predictions")
    key = next((name for name in IDS if name in arrays), None)
    values = next((name for name in ("probabilities", "logits", *CLASS) if name in arrays), None)
    if key is None or values is None:
        raise InputError(f"{file}: needs arrays clip_id and probabilities, logits or prediction; it has {', '.join(arrays)}")
    ids, given = [str(value) for value in arrays[key].tolist()], arrays[values]
    if len(ids) != len(given):
        raise InputError(f"{file}: {len(ids)} clips and {len(given)} predictions; give one for each clip")
    if given.ndim == 1:
        return ids, _classes(given, file, names)
    order = [str(name) for name in arrays["labels"].tolist()] if "labels" in arrays else list(names)
    if given.ndim != 2 or given.shape[1] != len(order):
        raise InputError(f"{file}: {values} has shape {given.shape}, {len(order)} classes are named; give a column for each")
    return ids, _numbers(given[:, _columns(file, order, names)], file)


def _columns(file: Path, known: Sequence[str], names: Sequence[str]) -> list[int]:
    """Where each class of `names` stands among the classes of the file."""
    meant, _ = match_labels(known, names, file)
    found = {label: i for i, name in enumerate(known) if (label := meant[name])}
    if lacking := [name for name in names if name not in found]:
        raise InputError(f"{file}: no column of {lacking[0]}; it has {', '.join(known)}, the labels are {', '.join(names)}")
    return [found[name] for name in names]


def _numbers(values: np.ndarray, file: Path) -> np.ndarray:
    try:
        numbers = values.astype(np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{file}: a probability is no number; write numbers") from None
    if not np.isfinite(numbers).all():
        row = int(np.flatnonzero(~np.isfinite(numbers).all(axis=1))[0])
        raise InputError(f"{file}: row {row} has a probability that is empty or not finite; leave the row out")
    return numbers


def _classes(values: np.ndarray, file: Path, names: Sequence[str]) -> np.ndarray:
    if values.dtype.kind in "iu":
        return values.astype(np.int64)
    if values.dtype.kind == "f":
        if not (np.isfinite(values) & (values == np.round(values))).all():
            raise InputError(f"{file}: a predicted class is no whole number; write numbers from 0, or names")
        return values.astype(np.int64)
    text = [str(value) for value in values]
    meant, _ = match_labels(text, names, file)
    return np.array([list(names).index(meant[name]) for name in text], np.int64)

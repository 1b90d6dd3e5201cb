"""Somebody's predictions of the clips: whether their classes are numbered as the labels are."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ifdd.data.corpora.finding import VIDEOS, split_name
from ifdd.data.corpora.orders import MAFW_LABELS
from ifdd.data.doctor.case import Case
from ifdd.data.doctor.findings import Finding, finding, many
from ifdd.data.label_order import explain_labels
from ifdd.data.manifest import has_labels
from ifdd.data.manifest.table import read_columns
from ifdd.data.persons import without_fraction
from ifdd.documents import read_any_arrays
from ifdd.errors import InputError
from ifdd.labels import match_labels, meant_class

IDS = (
    *("clip_id", "path", "video_name", "id", "clip", "video", "video_id", "video_path", "name", "file", "filename", "file_name"),
    "sample",
)
CLASS = ("prediction", "predicted", "predicted_name", "pred")
"""Names of the column of predicted classes, by number or name, where there is none of probabilities."""
PREFIXES = ("p_", "prob_", "logit_", "score_")
ARRAYS = ("probabilities", "probs", "logits", "scores")
CLASSES = ("classes", "class_names", "labels")
"""Arrays of an npz file that name its columns; `labels` may be the true ones instead."""
_ZEROS = re.compile(r"\.0+")  # of 7.0, as a table with an empty cell writes 7
_DEEPEST = 4
"""Last parts of a path by which clips may be compared: `Action/Happy/0267` of FERV39k needs three."""


def of_predictions(case: Case, file: Path) -> Iterator[Finding]:
    """Whether a permutation of the classes explains the predictions in a file (CSV, TSV, parquet, npz) better than none.

    A table has a column clip_id (or path), and p_<class> (or logit_<class>, or the class alone) for each class, or one column
    `prediction`; an npz file arrays clip_id (n,) and probs, logits (n, classes) or prediction (n,), in the order of its `classes`
    or of the list's. Classes that no clip of the list has are taken along.

    Raises: InputError for a file that cannot be read, no clip of the list, a clip twice, a class of the list without a column.
    """
    if not has_labels(case.frame):
        raise InputError(f"{case.source} has no labels, needed beside --predictions; add a column label")
    numbered = dict(sorted(set(zip(case.frame["label"].tolist(), case.frame["label_name"].tolist(), strict=True))))
    ids, given, names = _read(file, numbered)
    if not ids:
        raise InputError(f"{file}: holds no prediction; give a row for each clip")
    twice = pd.Series(ids)[pd.Series(ids).duplicated()]
    if len(twice):
        raise InputError(f"{file}: clip {twice.iloc[0]!r} is there twice; give one row for each clip")
    own = _rows(case, ids, file)
    rows = np.array([i for i, at in enumerate(own) if at is not None], np.int64)
    if not len(rows):
        raise InputError(f"{file}: none of its clips (e.g. {ids[0]!r}) is in {case.source} (e.g. {str(case.ids[0])!r})")
    labels = case.frame["label_name"].map(names.index).to_numpy()[rows]
    found = explain_labels(given[[own[i] for i in rows]], labels, names)
    yield finding(
        "error" if found.verdict == "permuted" else "note",
        "predictions",
        found.told(),
        (),  # what is told names the classes
        "read the predictions in the other order: name their columns after the right classes" if found.moved else "",
        count=len(rows),
    )
    if len(rows) < len(ids):
        left = sorted(set(ids) - {ids[at] for at in own if at is not None})
        told = f"{many(len(left), 'prediction')} of clips that are not in the list"
        yield finding("warning", "predictions", told, left, "leave them out, or give the list that they are of")


def _rows(case: Case, ids: Sequence[str], file: Path) -> list[int | None]:
    """Where each clip of the list is in the predictions: by its id or path, else by the last parts of its path."""
    place = {name: i for i, name in enumerate(ids)}
    paths = case.frame["path"].astype(str).tolist()
    own = [place.get(clip, place.get(path)) for clip, path in zip(case.ids.tolist(), paths, strict=True)]
    if None not in own:
        return own
    depth = next((n for n in range(1, _DEEPEST) if len({_end(path, n) for path in paths}) == len(set(paths))), _DEEPEST)
    taken = {at for at in own if at is not None}
    ends: dict[tuple[str, ...], int] = {}
    for i, name in enumerate(ids):
        if i not in taken and ends.setdefault(_end(name, depth), i) != i:
            raise InputError(f"{file}: {ids[ends[_end(name, depth)]]!r} and {name!r} may be one clip; give one row for each clip")
    return [
        at if at is not None else ends.get(_end(path, depth), ends.get(_end(clip, depth)))
        for at, clip, path in zip(own, case.ids.tolist(), paths, strict=True)
    ]


def _end(path: str, depth: int) -> tuple[str, ...]:
    """The last parts of a path, without the ending of a video and zeros in front of numbers."""
    parts = [part for part in path.replace("\\", "/").split("/") if part]
    if not parts:
        return (path,)
    stem, suffix = split_name(parts[-1])
    ends = [*parts[:-1], stem if suffix in VIDEOS or _ZEROS.fullmatch(suffix) else parts[-1]]
    return tuple(part.lstrip("0") or "0" if part.isdecimal() else part for part in ends[-depth:])


def _read(file: Path, numbered: Mapping[int, str]) -> tuple[list[str], np.ndarray, tuple[str, ...]]:
    """Ids; probabilities (n, classes) or predicted places (n,); the classes: those of the list, then what else is predicted."""
    if file.suffix.lower() == ".npz":
        return _of_arrays(file, numbered)
    if file.suffix.lower() not in (".csv", ".tsv", ".parquet") or not file.is_file():
        raise InputError(f"{file}: no table of predictions; give a CSV, TSV, parquet or npz file")
    table = read_columns(file)[1]
    by_key = {str(name).strip().casefold(): name for name in table.columns}
    key = next((by_key[name] for name in IDS if name in by_key), None)
    if key is None:
        raise InputError(f"{file}: no column clip_id or path; the columns are {', '.join(map(str, table.columns))}")
    ids = [str(without_fraction(value)).strip() for value in table[key]]
    prefix = next((start for start in PREFIXES if any(name.startswith(start) for name in by_key)), None)
    column = next((by_key[name] for name in CLASS if name in by_key), None)
    named = {name.removeprefix(prefix): by_key[name] for name in by_key if name.startswith(prefix)} if prefix is not None else {}
    if not named and column is None:
        bare = {name: own for name, own in by_key.items() if own != key and _meant(name, tuple(numbered.values()))}
        named = bare if len(bare) > 1 else {}
    if named:
        order, names = _columns(file, list(named), tuple(numbered.values()))
        return ids, _numbers(table[[list(named.values())[i] for i in order]].to_numpy(), file), names
    if column is None:
        lacks = f"no column p_<class> or <class>, and none called {', '.join(CLASS)}"
        raise InputError(f"{file}: {lacks}; name one of them (workbench import reads other files, and asks the same)")
    return ids, *_classes(table[column].to_numpy(), file, numbered)


def _of_arrays(file: Path, numbered: Mapping[int, str]) -> tuple[list[str], np.ndarray, tuple[str, ...]]:
    arrays = read_any_arrays(file, "give a table of predictions")
    key = next((name for name in IDS if name in arrays), None)
    values = next((name for name in (*ARRAYS, *CLASS) if name in arrays), None)
    if key is None or values is None:
        raise InputError(f"{file}: needs arrays clip_id and probs, logits or prediction; it has {', '.join(arrays)}")
    given = arrays[values]
    ids = [_text(value) for value in arrays[key].ravel().tolist()]
    if len(ids) != len(given):
        raise InputError(f"{file}: {len(ids)} clips and {len(given)} predictions; give one for each clip")
    if given.ndim == 1:
        return ids, *_classes(given, file, numbered)
    told = next((name for name in CLASSES if name in arrays and arrays[name].dtype.kind in "US"), None)
    order = list(numbered.values()) if told is None else [_text(name) for name in arrays[told].tolist()]
    if given.ndim != 2 or given.shape[1] != len(order):
        raise InputError(
            f"{file}: {values} has shape {given.shape}, {len(order)} classes are named; give a column for each, and an array "
            "classes with their names"
        )
    at, names = _columns(file, order, tuple(numbered.values()))
    return ids, _numbers(given[:, at], file), names


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(without_fraction(value))


def _meant(name: str, names: Sequence[str]) -> str | None:
    """A class of the list, or of the corpora of the field, that a column is called after."""
    return meant_class(name, tuple(names)) or meant_class(name, MAFW_LABELS)


def _columns(file: Path, known: Sequence[str], names: Sequence[str]) -> tuple[list[int], tuple[str, ...]]:
    """Where each class stands among those of the file; the classes: `names`, then those that no clip of the list has."""
    if strange := [name for name in known if not _meant(name, names)]:
        told = ", ".join(strange[:7])
        raise InputError(f"{file}: {told}: no classes; call the columns after them, p_{', p_'.join(names)}")
    more = [label for name in known if not meant_class(name, tuple(names)) and (label := meant_class(name, MAFW_LABELS))]
    every = tuple(dict.fromkeys([*names, *more]))
    meant, _ = match_labels(known, every, file)
    found = {label: i for i, name in enumerate(known) if (label := meant[name])}
    if lacking := [name for name in names if name not in found]:
        raise InputError(f"{file}: no column of {lacking[0]}; it has {', '.join(known)}, the labels are {', '.join(names)}")
    return [found[name] for name in every], every


def _numbers(values: np.ndarray, file: Path) -> np.ndarray:
    try:
        numbers = values.astype(np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{file}: a probability is no number; write numbers") from None
    if not np.isfinite(numbers).all():
        row = int(np.flatnonzero(~np.isfinite(numbers).all(axis=1))[0])
        raise InputError(f"{file}: row {row} has a probability that is empty or not finite; leave the row out")
    return numbers


def _classes(values: np.ndarray, file: Path, numbered: Mapping[int, str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Places of the predicted classes (n,), by the list's own numbers, and the classes: those of the list, then others."""
    names = tuple(numbered.values())
    if values.dtype.kind in "iuf":
        if not (np.isfinite(values) & (values == np.round(values))).all():
            raise InputError(f"{file}: a predicted class is no whole number; write numbers from 0, or names")
        said = [numbered.get(int(value), f"number {int(value)}") for value in values]
    else:
        text = [_text(value) for value in values]
        more = [label for name in set(text) if not meant_class(name, names) and (label := meant_class(name, MAFW_LABELS))]
        meant, _ = match_labels(text, (*names, *more), file)
        said = [meant[name] for name in text]
    every = tuple(dict.fromkeys([*names, *sorted(set(said))]))
    place = {name: i for i, name in enumerate(every)}
    return np.array([place[name] for name in said], np.int64), every

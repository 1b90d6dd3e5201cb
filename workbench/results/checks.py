"""Checks of the arrays that analyses take: one clear line instead of a wrong number."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ifdd.data.persons import person_ids
from ifdd.errors import InputError

SUM_TOLERANCE = 1e-3


def check_names(label_names: Sequence[str] | None, n_classes: int) -> tuple[str, ...]:
    """Return one name per class; without a list they are called "class 0", "class 1", …

    No emotion names are guessed: corpora order them differently.
    """
    if label_names is None:
        return tuple(f"class {c}" for c in range(n_classes))
    names = tuple(str(name) for name in label_names)
    if len(names) != n_classes:
        raise InputError(f"label_names has {len(names)} names for {n_classes} classes; pass the checkpoint's own list of labels")
    if len(set(names)) != len(names):
        raise InputError(f"label_names names a class twice: {', '.join(names)}; every class needs its own name")
    return names


def check_labels(labels: ArrayLike, n: int, n_classes: int | None = None, what: str = "labels") -> np.ndarray:
    """Return class indexes (n,) as int64; `n_classes` None allows any index from 0 upwards."""
    array = np.asarray(labels)
    if array.shape != (n,):
        raise InputError(f"{what} has shape {array.shape} for {n} clips; pass one class index per clip, shape ({n},)")
    if array.dtype.kind == "f" and np.isfinite(array).all() and (array == np.round(array)).all():
        array = array.astype(np.int64)
    if array.dtype.kind not in "iu":
        example = next((value for value in array.tolist() if not isinstance(value, int)), array.dtype)
        raise InputError(
            f"{what} must be whole class indexes, not {example!r}; map names to indexes and drop clips without a label"
        )
    last = np.iinfo(np.int64).max if n_classes is None else n_classes - 1
    outside = np.flatnonzero((array < 0) | (array > last))
    if outside.size:
        i = int(outside[0])
        allowed = "0 or more" if n_classes is None else f"0 to {last}"
        raise InputError(
            f"{what}[{i}] is {array[i]}, allowed is {allowed}; drop clips without a label, or pass the matching label list"
        )
    return array.astype(np.int64)


def check_scores(values: ArrayLike, name: str) -> np.ndarray:
    """Return numbers (n, C) as float64: n ≥ 1, C ≥ 2, finite; `name` is for the message."""
    array = np.asarray(values)
    if array.ndim != 2 or array.shape[0] < 1 or array.shape[1] < 2 or array.dtype.kind not in "fiu":
        raise InputError(
            f"{name} has shape {array.shape} and type {array.dtype}; pass numbers of shape (clips, classes), two classes or more"
        )
    array = array.astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
    if bad.size:
        raise InputError(
            f"{name}[{bad[0]}] is not finite ({bad.size} of {len(array)} rows); look for a diverged model or an overflow"
        )
    return array


def check_probabilities(probs: ArrayLike) -> np.ndarray:
    """Return probabilities (n, C) as float64: n ≥ 1, C ≥ 2, finite, in [0, 1], each row summing to 1 within 1e-3."""
    array = check_scores(probs, "probs")
    bad = np.flatnonzero((array < 0).any(axis=1) | (array > 1 + SUM_TOLERANCE).any(axis=1))
    if bad.size:
        worst = array[bad[0]][np.argmax(np.abs(array[bad[0]] - 0.5))]
        raise InputError(f"probs[{bad[0]}] holds {worst:.4g}, outside [0, 1]; these look like logits: apply the softmax first")
    total = array.sum(axis=1)
    bad = np.flatnonzero(np.abs(total - 1) > SUM_TOLERANCE)
    if bad.size:
        raise InputError(f"probs[{bad[0]}] sums to {total[bad[0]]:.4g}, not to 1; pass the softmax over all classes")
    return np.minimum(array, 1.0)  # float16 rounding may exceed 1 by a hair


def check_groups(groups: ArrayLike, n: int) -> np.ndarray:
    """Return the group (n,) of each clip; names of any kind as text, those of one person alike (`persons.person_ids`).

    Raises: InputError for another length, or a missing name.
    """
    keys = np.asarray(groups)
    if keys.shape != (n,):
        raise InputError(f"groups has shape {keys.shape} for {n} clips; pass one group (person, video) per clip")
    keys = person_ids(keys) if keys.dtype.kind in "OUS" else keys
    missing = keys == "" if keys.dtype.kind == "U" else pd.isna(keys)
    if missing.any():
        raise InputError(f"groups[{int(missing.argmax())}] is missing; name the group of every clip, or leave groups out")
    return keys


def check_finite(values: ArrayLike, dimensions: int, name: str) -> np.ndarray:
    """Return numbers of so many dimensions as float64, at least one, none of them NaN or infinite."""
    array = np.asarray(values, np.float64)
    if array.ndim != dimensions or not array.size:
        raise InputError(f"{name} has shape {array.shape}; it needs {dimensions} dimensions and at least one clip")
    if not np.isfinite(array).all():
        raise InputError(f"{name} holds NaN or infinity; drop those clips")
    return array


def check_features(features: ArrayLike, minimum: int) -> np.ndarray:
    """Return features (n, d) as float64: n ≥ `minimum`, d ≥ 2, finite.

    Raises: InputError otherwise.
    """
    x = np.asarray(features)
    if x.ndim != 2 or x.dtype.kind not in "fiu":
        raise InputError(
            f"features have shape {x.shape} and type {x.dtype}; pass numbers of shape (clips, features), pooled over positions"
        )
    if len(x) < minimum:
        raise InputError(f"{len(x)} clips are too few for a map; collect {minimum} or more")
    if x.shape[1] < 2:
        raise InputError(f"features have {x.shape[1]} columns; a map needs two or more")
    bad = np.flatnonzero(~np.isfinite(x).all(axis=1))
    if bad.size:
        raise InputError(f"features[{bad[0]}] holds NaN or infinity ({bad.size} of {len(x)} clips); drop those clips")
    return x.astype(np.float64)

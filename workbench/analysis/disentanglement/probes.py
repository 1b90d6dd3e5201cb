"""What does each feature still know? Linear probes of every factor from every feature, on people never seen in training.

Score of a class factor: (balanced accuracy − chance) / (1 − chance), 0 is guessing and 1 is knowing; of a number: R², which is
about 0 for guessing and below it for worse.
Features are standardised and reduced by PCA to one common number of dimensions, fitted on the training folds alone.
"""

import warnings
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ifdd.errors import InputError
from workbench.analysis.disentanglement.results import Probe, ProbeMatrix
from workbench.results.bootstrap import draw_weights, group_members, spread
from workbench.results.provenance import record

DIMENSIONS = 32
FOLDS = 5
PENALTIES = np.logspace(-2, 4, 7)


def probe_matrix(
    features: Mapping[str, ArrayLike],
    factors: Mapping[str, ArrayLike],
    groups: ArrayLike,
    *,
    identity: str | None = None,
    across: str | None = None,
    dimensions: int = DIMENSIONS,
    resamples: int = 500,
    seed: int = 0,
) -> ProbeMatrix:
    """Probe every factor (n,) from every feature (n, d).

    Words, whole numbers and booleans are classes, other numbers are regressed on. Folds never share a group (person). The factor
    named `identity` cannot be held out by person: its folds share no value of the factor `across` (the emotion), so it has to be
    recognised through another expression.
    Raises: InputError for shapes that do not fit, undefined features, a factor with one value, or fewer than two groups.
    """
    arrays, columns, members = _checked(features, factors, groups)
    if identity is not None and (identity not in columns or across not in columns):
        raise InputError(f"identity={identity!r} and across={across!r} must both be factors; there are {', '.join(columns)}")
    dims = min([dimensions, *(array.shape[1] for array in arrays.values()), len(members) // 2])
    draws = draw_weights(members, resamples, seed)
    notes = (
        [] if dims == dimensions else [f"features are reduced to {dims} dimensions: no more in the smallest, or too few clips"]
    )
    cells, samples = [], np.empty((len(arrays), len(columns), resamples))
    for i, (feature, values) in enumerate(arrays.items()):
        for j, (factor, column) in enumerate(columns.items()):
            by = columns[across] if factor == identity and across is not None else members
            held_out = str(across) if factor == identity else "groups"
            known = _known(column)
            folds = len(np.unique(by)) if factor == identity else FOLDS  # every other emotion is needed to know a person by
            try:
                guess = _out_of_fold(values[known], column[known], by[known], dims, seed, folds)
            except ValueError as error:
                raise InputError(f"factor {factor}: {error}; leave it out, or use more clips") from error
            truth, weights = column[known], draws[:, known]
            score = _class_score if _is_class(column) else _number_score
            value, raw = score(truth, guess, np.ones((1, known.sum())))
            samples[i, j] = score(truth, guess, weights)[0]
            classes = len(np.unique(truth)) if _is_class(column) else None
            cells.append(Probe(feature, factor, spread(float(value[0]), samples[i, j]), float(raw[0]), classes, held_out))
    return ProbeMatrix(
        probes=tuple(cells),
        features=tuple(arrays),
        factors=tuple(columns),
        dimensions=dims,
        samples=samples,
        notes=tuple(notes),
        provenance=record(
            "probe_matrix",
            {"dimensions": dims, "folds": FOLDS, "identity": identity, "across": across, "resamples": resamples, "seed": seed},
            arrays,
            ("scikit-learn",),
        ),
    )


def _checked(
    features: Mapping[str, ArrayLike], factors: Mapping[str, ArrayLike], groups: ArrayLike
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], np.ndarray]:
    if not features or not factors:
        raise InputError("a probe matrix needs at least one feature and one factor")
    arrays = {name: np.asarray(values, np.float64) for name, values in features.items()}
    n = len(next(iter(arrays.values())))
    for name, array in arrays.items():
        if array.ndim != 2 or len(array) != n or not array.shape[1]:
            raise InputError(f"feature {name} has shape {array.shape}; pass ({n}, d), averaged over positions")
        if not np.isfinite(array).all():
            raise InputError(f"feature {name} holds NaN or infinity; drop those clips")
    members = group_members(groups, n)
    if members.max() < 1:
        raise InputError("all clips are of one group; probes need at least two persons to hold one out")
    columns = {name: np.asarray(values) for name, values in factors.items()}
    for name, column in columns.items():
        if column.shape != (n,):
            raise InputError(f"factor {name} has shape {column.shape} for {n} clips; pass one value for each clip")
        values = np.unique(column[_known(column)].astype(str))
        if len(values) < 2:
            raise InputError(f"factor {name} has the one value {', '.join(values) or 'NaN'}; a probe needs at least two")
    return arrays, columns, members


def _is_class(column: np.ndarray) -> bool:
    return column.dtype.kind not in "f"


def _known(column: np.ndarray) -> np.ndarray:
    return np.isfinite(column) if column.dtype.kind == "f" else np.ones(len(column), bool)


def _out_of_fold(features: np.ndarray, column: np.ndarray, by: np.ndarray, dims: int, seed: int, folds: int) -> np.ndarray:
    """Prediction of each clip (n,) by a probe that saw no clip with the same value of `by`.

    Raises: ValueError for fewer than two values of `by`, or one class alone in training.
    """
    classes = _is_class(column)
    labels = np.unique(column.astype(str), return_inverse=True)[1] if classes else column
    guess = np.empty(len(column), np.float64)
    values = len(np.unique(by))
    if values < 2:
        raise ValueError("it is known for one group alone, so none can be held out")
    for train, test in GroupKFold(min(folds, values)).split(features, labels, by):
        head = LogisticRegression(class_weight="balanced", max_iter=500) if classes else RidgeCV(PENALTIES)
        if len(np.unique(labels[train])) < 2:
            raise ValueError("all clips of one of its two classes are of one group, so it cannot be learnt without that group")
        reduce = PCA(min(dims, len(train) - 1), random_state=seed)
        probe = make_pipeline(StandardScaler(), reduce, StandardScaler(), head)
        with warnings.catch_warnings():  # people are classes, although there may be few clips of each
            warnings.filterwarnings("ignore", "The number of unique classes is greater")
            guess[test] = probe.fit(features[train], labels[train]).predict(features[test])
    return guess


def _class_score(truth: np.ndarray, guess: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Chance-corrected and plain balanced accuracy (R,) for weights of the clips (R, n)."""
    labels = np.unique(truth.astype(str), return_inverse=True)[1]
    codes = np.eye(labels.max() + 1)[labels]  # (n, classes)
    with np.errstate(invalid="ignore"):
        recalls = (weights * (guess == labels)) @ codes / (weights @ codes)
    balanced = np.nanmean(recalls, 1)
    chance = 1 / codes.shape[1]
    return (balanced - chance) / (1 - chance), balanced


def _number_score(truth: np.ndarray, guess: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """R² (R,), twice, for weights of the clips (R, n); below 0 is worse than the mean, and is not cut off before averages."""
    total = weights.sum(1)
    mean = weights @ truth / total
    variance = weights @ truth**2 / total - mean**2
    r2 = 1 - (weights @ (truth - guess) ** 2 / total) / np.maximum(variance, 1e-300)
    return r2, r2

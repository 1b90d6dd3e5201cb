"""What does each feature still know? Linear probes of every factor from every feature, on people never seen in training.

Score of a class factor: (balanced accuracy − chance) / (1 − chance), 0 is guessing and 1 is knowing; of a number: R², which is
about 0 for guessing and below it for worse.
Beside each score stands its null, the same probe of the features of other people's clips (of clips dealt anew, where the person
is asked for), and what a feature that is told the factor reaches: probes of so many dimensions and clips can find no more.
Features are standardised and reduced by PCA to one common number of dimensions, fitted on the training folds alone.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn import config_context
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import StandardScaler

from ifdd.errors import InputError
from ifdd.progress import tqdm
from workbench.analysis._probing import DIMENSIONS, FOLDS, PENALTIES
from workbench.analysis.disentanglement.results import Probe, ProbeMatrix
from workbench.results.bootstrap import draw_weights, group_members, spread
from workbench.results.controls import dealt_clips, other_clips
from workbench.results.provenance import record

RANK = 1e-6
"""Components of standardised features with a smaller deviation are rounding: blown up to size they would drown the others."""

CHECKED = {"assume_finite": True, "skip_parameter_validation": True}
"""Features are checked once: to check them for each of thousands of small probes takes longer than the probes."""

SHUFFLES = 2
"""How often clips are given the features of others, for the null."""


def probe_matrix(
    features: Mapping[str, ArrayLike],
    factors: Mapping[str, ArrayLike],
    groups: ArrayLike,
    *,
    identity: tuple[str, str] | None = None,
    dimensions: int = DIMENSIONS,
    resamples: int = 500,
    shuffles: int = SHUFFLES,
    seed: int = 0,
) -> ProbeMatrix:
    """Probe every factor (n,) from every feature (n, d).

    Words, whole numbers and booleans are classes, other numbers are regressed on. Folds never share a group (person). The
    first factor of `identity` (the person) cannot be held out by person: its folds share no value of the second (the emotion), so
    it has to be recognised through another expression. `shuffles`: how often the null is drawn, each time a probe.

    Source: Alain and Bengio 2017 (linear probes); Hewitt and Liang 2019 (controls).

    Raises:
        InputError: shapes that do not fit, undefined features, a factor with one value, fewer than two groups, no shuffle.

    >>> emotion = np.arange(24) % 2
    >>> features = {"X": np.random.default_rng(0).normal(size=(24, 2)) + 8 * emotion[:, None]}
    >>> found = probe_matrix(features, {"emotion": emotion}, np.arange(24) // 2 % 6, resamples=20)
    >>> found.probe("X", "emotion").score.value
    1.0
    """
    arrays, columns, members = _checked(features, factors, groups)
    if identity is not None and not set(identity) <= set(columns):
        raise InputError(f"identity={identity!r} must name two factors; there are {', '.join(columns)}")
    person, across = identity or ("", "")
    if shuffles < 1:
        raise InputError(f"shuffles is {shuffles}; a null needs 1 or more")
    dims = min([dimensions, *(array.shape[1] for array in arrays.values()), len(members) // 2])
    draws = draw_weights(members, resamples, seed)
    notes = (
        [] if dims == dimensions else [f"features are reduced to {dims} dimensions: no more in the smallest, or too few clips"]
    )
    samples, told = np.empty((len(arrays), len(columns), resamples)), {}
    questions: dict[str, _Question] = {}
    for factor, column in columns.items():
        by = columns[across] if factor == person else members
        known = _known(column)
        folds = len(np.unique(by)) if factor == person else FOLDS  # every other emotion is needed to know a person by
        question = _Question(factor, column[known], by[known], draws[:, known], known, dims, folds, seed)
        questions[factor] = question
        told[factor] = spread(*question.ask(question.folded(question.code()))[::2])
    cells: dict[tuple[str, str], Probe] = {}
    bar = tqdm(arrays.items(), desc="probe", unit="feature", delay=2, disable=None, leave=False)
    for i, (feature, values) in enumerate(bar):
        rows = seed + i  # drawn anew for each feature, so that the mean of their nulls is that of many draws
        orders: dict[str, list[np.ndarray]] = {}
        for factor, question in questions.items():
            n = len(question.truth)
            others = dealt_clips(n, shuffles, rows) if factor == person else other_clips(members[question.known], shuffles, rows)
            orders[factor] = [np.arange(n), *others]
        asked: dict[str, list[tuple[float, float, np.ndarray]]] = {factor: [] for factor in questions}
        for draw in range(shuffles + 1):
            made: dict[tuple[bool, bytes], list[_Fold]] = {}  # factors that are known for the same clips share them
            for factor, question in questions.items():
                key = factor == person, question.known.tobytes()
                if key not in made:
                    made[key] = question.folded(values[question.known][orders[factor][draw]])
                asked[factor].append(question.ask(made[key]))
        for j, (factor, question) in enumerate(questions.items()):
            value, raw, samples[i, j] = asked[factor][0]
            null = float(np.mean([score for score, _, _ in asked[factor][1:]]))
            classes = len(np.unique(question.truth)) if _is_class(question.truth) else None
            held_out = across if factor == person else "groups"
            cells[feature, factor] = Probe(feature, factor, spread(value, samples[i, j]), null, raw, classes, held_out)
    return ProbeMatrix(
        probes=tuple(cells[feature, factor] for feature in arrays for factor in columns),
        features=tuple(arrays),
        factors=tuple(columns),
        dimensions=dims,
        told=told,
        samples=samples,
        notes=tuple(notes),
        provenance=record(
            "probe_matrix",
            {
                "dimensions": dims,
                "folds": FOLDS,
                "identity": person or None,
                "across": across or None,
                "resamples": resamples,
                "shuffles": shuffles,
                "seed": seed,
            },
            arrays,
            ("scikit-learn",),
        ),
    )


@dataclass(frozen=True, eq=False)
class _Question:
    """One factor of the n clips where it is `known` (all clips,), with the weights (resamples, n) of the bootstrap."""

    factor: str
    truth: np.ndarray
    by: np.ndarray
    weights: np.ndarray
    known: np.ndarray
    dims: int
    folds: int
    seed: int

    def folded(self, values: np.ndarray) -> "list[_Fold]":
        """A feature (n, d) as probes read it; any factor of the same clips and folds may be asked of it."""
        try:
            return _folded(values, self.by, self.dims, self.seed, self.folds)
        except ValueError as error:
            raise self._unknown(error) from error

    def ask(self, folds: "list[_Fold]") -> tuple[float, float, np.ndarray]:
        """Score of a feature, balanced accuracy or R², and the scores of the draws (resamples,)."""
        try:
            guess = _out_of_fold(folds, self.truth)
        except ValueError as error:
            raise self._unknown(error) from error
        score = _class_score if _is_class(self.truth) else _number_score
        value, raw = score(self.truth, guess, np.ones((1, len(guess))))
        return float(value[0]), float(raw[0]), score(self.truth, guess, self.weights)[0]

    def _unknown(self, error: ValueError) -> InputError:
        return InputError(f"factor {self.factor}: {error}; leave it out, or use more clips")

    def code(self) -> np.ndarray:
        """A feature that tells the factor: a number by itself, a class by a random code of as many dimensions as it needs."""
        if not _is_class(self.truth):
            return self.truth[:, None].astype(np.float64)
        classes = np.unique(self.truth.astype(str), return_inverse=True)[1]
        codes: np.ndarray = np.random.default_rng([self.seed, 61]).normal(size=(classes.max() + 1, min(self.dims, classes.max())))
        return codes[classes]


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


@dataclass(frozen=True, eq=False)
class _Fold:
    """Rows of clips that a probe is fitted on and asked, and what it reads of them: None if the feature never changes."""

    train: np.ndarray
    test: np.ndarray
    known: np.ndarray | None = None
    asked: np.ndarray | None = None


def _folded(features: np.ndarray, by: np.ndarray, dims: int, seed: int, folds: int) -> list[_Fold]:
    """Folds that share no value of `by`, with the features scaled and reduced as those of the training clips are.

    Raises: ValueError for fewer than two values of `by`.
    """
    values = len(np.unique(by))
    if values < 2:
        raise ValueError("it is known for one group alone, so none can be held out")
    made = []
    with config_context(**CHECKED):
        for train, test in GroupKFold(min(folds, values)).split(features, groups=by):
            scale = StandardScaler().fit(features[train])
            known, asked = scale.transform(features[train]), scale.transform(features[test])
            if known.std(0).max() < RANK:  # a feature that never changes tells nothing
                made.append(_Fold(train, test))
                continue
            reduce = PCA(min(dims, len(train) - 1, features.shape[1]), random_state=seed)
            known = reduce.fit_transform(known)
            real = known.std(0) > RANK
            even = StandardScaler().fit(known[:, real])
            made.append(_Fold(train, test, even.transform(known[:, real]), even.transform(reduce.transform(asked)[:, real])))
    return made


def _out_of_fold(folds: list[_Fold], column: np.ndarray) -> np.ndarray:
    """Prediction of each clip (n,) by a probe that saw no clip of its fold.

    Raises: ValueError for one class alone in training.
    """
    classes = _is_class(column)
    labels = np.unique(column.astype(str), return_inverse=True)[1] if classes else column
    guess = np.empty(len(column), np.float64)
    for fold in folds:
        head = LogisticRegression(class_weight="balanced", max_iter=500) if classes else RidgeCV(PENALTIES)
        wanted = labels[fold.train]
        if len(np.unique(wanted)) < 2:
            raise ValueError("all clips of one of its two classes are of one group, so it cannot be learnt without that group")
        if fold.known is None or fold.asked is None:
            guess[fold.test] = wanted[0] if classes else wanted.mean()
            continue
        with config_context(**CHECKED), warnings.catch_warnings():
            # people are classes, although there may be few clips of each
            warnings.filterwarnings("ignore", "The number of unique classes is greater")
            guess[fold.test] = head.fit(fold.known, wanted).predict(fold.asked)
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

"""Where does a model fail? Accuracy by the levels of any factor, and a search for slices worse than their classes explain."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from ifdd.errors import InputError
from ifdd.metrics import Units, count_units, estimate_share
from workbench.analysis.comparison.binning import Levels, all_levels
from workbench.analysis.comparison.results import Against, SearchOptions, SearchResult, Slice, SliceResult
from workbench.analysis.performance.scores import FEW_GROUPS, check_predictions, group_index, interval
from workbench.results.interval import Interval
from workbench.results.provenance import record

LISTED = 50
"""Slices that a search lists at most."""
DEFAULT = SearchOptions()


def slice_metrics(
    models: Mapping[str, ArrayLike],
    labels: ArrayLike,
    factors: Mapping[str, ArrayLike],
    *,
    groups: ArrayLike | None = None,
    label_names: Sequence[str] | None = None,
    bins: int = 4,
    seed: int = 0,
) -> SliceResult:
    """Accuracy of each model, (n, C) probabilities or (n,) predictions, at every level of each factor (n,).

    Intervals are those of `ifdd.metrics`, over the `groups` (n,) in the slice: no bounds for one alone. `seed` is without effect.

    Raises:
        InputError: as `check_predictions` and for factors that do not fit.

    >>> found = slice_metrics({"new": [0, 1, 1, 0]}, [0, 1, 0, 0], {"light": ["dark", "dark", "bright", "bright"]})
    >>> [(item.name, item.n, item.war.value) for item in found.models["new"]]
    [('light = bright', 2, 0.5), ('light = dark', 2, 1.0)]
    """
    if not models:
        raise InputError("no model to slice; pass one or more")
    n = np.size(labels)
    members = None if groups is None else group_index(groups, n)
    levels = _single(all_levels(factors, n, bins))
    slices = [(terms, inside, _units(inside, members)) for terms, inside in levels]  # the same for every model
    found = {}
    for name, predicted in models.items():
        guesses, y, _ = check_predictions(predicted, labels, label_names)
        hit = (guesses == y).astype(float)
        expected = _expected(hit, y, "class")
        found[name] = tuple(_slice(*one, hit, expected) for one in slices)
    inputs = {"labels": y, **{f"predicted {name}": np.asarray(values) for name, values in models.items()}}
    settings = {"factors": list(factors), "bins": bins, "seed": seed, "grouped": members is not None}
    return SliceResult(len(y), found, record("slices.slice_metrics", settings, inputs, ["scipy", "pandas"]))


def bad_slices(
    predicted: ArrayLike,
    labels: ArrayLike,
    factors: Mapping[str, ArrayLike],
    search: SearchOptions = DEFAULT,
    *,
    groups: ArrayLike | None = None,
    label_names: Sequence[str] | None = None,
) -> SearchResult:
    """Search all levels of one factor and of pairs of two for slices on which the model is worse than elsewhere.

    With `search.against` "class", each clip is compared with the recall of its class, so a slice of hard emotions is not bad by
    itself; with "all" it is compared with the WAR. The sum of these differences, inside against outside, is divided by its
    standard error over clips or `groups`; random signs for whole clips or groups give the distribution of the largest of all
    such figures, which corrects for every slice that was looked at. A pair that is no worse than one of its two parts counts
    in the correction, but is not listed. A slice needs `search.min_n` clips, inside and outside.

    Raises:
        InputError: as `check_predictions`; for factors that do not fit, settings out of range, no slice that is large enough.

    Source: Westfall and Young 1993 (largest of all); Kline and Santos 2012 (signs of scores, wild bootstrap by group); Chung et
    al. 2019 (Slice Finder).

    >>> predicted, true = np.tile([0, 1, 0, 0], 20), np.tile([0, 1, 1, 0], 20)
    >>> found = bad_slices(predicted, true, {"light": ["dark", "dark", "bright", "bright"] * 20}, SearchOptions(n_draws=100))
    >>> found.slices[0].name, found.slices[0].gap
    ('light = bright', -0.25)
    """
    guesses, y, names = check_predictions(predicted, labels, label_names)
    min_n, level, draws = search.min_n, search.level, search.n_draws
    if min_n < 2 or not 0 < level < 1 or draws < 100:
        raise InputError(f"min_n {min_n}, level {level:g}, n_draws {draws}: use 2 or more, a share, 100 or more")
    members = None if groups is None else group_index(groups, len(y))
    hit = (guesses == y).astype(float)
    parts = all_levels(factors, len(y), search.bins)
    candidates: dict[bytes, tuple[tuple[tuple[str, str], ...], np.ndarray]] = {}
    for terms, inside in (*_single(parts), *_double(parts)):
        if min_n <= inside.sum() <= len(y) - min_n:
            candidates.setdefault(np.packbits(inside).tobytes(), (terms, inside))  # the same clips under two names are one slice
    if not candidates:
        raise InputError(f"no slice has {min_n} clips of {len(y)} inside and outside; lower min_n, or name other factors")
    expected = _expected(hit, y, search.against)
    strata = y if search.against == "class" else np.zeros_like(y)
    cells = np.stack([inside for _, inside in candidates.values()], axis=1)
    p, adjusted = _test(hit - expected, cells, strata, members, draws, search.seed)
    every = [terms for terms, _ in candidates.values()]
    gap = dict(zip(every, ((hit - expected) @ cells / cells.sum(axis=0)).tolist(), strict=True))
    listed = [i for i, terms in enumerate(every) if len(terms) == 1 or gap[terms] < min(gap.get((t,), 0.0) for t in terms)]
    listed.sort(key=lambda i: (adjusted[i], p[i], gap[every[i]]))
    slices = [
        replace(
            _slice(every[i], cells[:, i], _units(cells[:, i], members), hit, expected),
            p=float(p[i]),
            p_adjusted=float(adjusted[i]),
        )
        for i in listed[:LISTED]
    ]
    notes = [] if hit.min() < hit.max() else [f"all {len(y)} clips are {'right' if hit[0] else 'wrong'}: no slice can differ"]
    if members is not None and members.max() + 1 < FEW_GROUPS:
        notes.append(f"only {members.max() + 1} groups: the search finds little")
    settings = {"factors": list(factors), **asdict(search), "grouped": members is not None, "label_names": list(names)}
    origin = record("slices.bad_slices", settings, {"predicted": guesses, "labels": y}, ["pandas"])
    return SearchResult(len(y), tuple(slices), len(every), min_n, search.against, level, tuple(notes), origin)


def _single(parts: Mapping[str, Levels]) -> Iterator[tuple[tuple[tuple[str, str], ...], np.ndarray]]:
    for factor, part in parts.items():
        for code, name in enumerate(part.names):
            yield ((factor, name),), part.codes == code


def _double(parts: Mapping[str, Levels]) -> Iterator[tuple[tuple[tuple[str, str], ...], np.ndarray]]:
    for (first, a), (second, b) in combinations(parts.items(), 2):
        for terms_a, inside_a in _single({first: a}):
            for terms_b, inside_b in _single({second: b}):
                yield terms_a + terms_b, inside_a & inside_b


def _expected(hit: np.ndarray, labels: np.ndarray, against: Against) -> np.ndarray:
    """What each clip (n,) is compared with: the recall of its class, or the WAR."""
    if against == "all":
        return np.full(len(hit), hit.mean())
    sizes = np.bincount(labels)
    recalls: np.ndarray = np.bincount(labels, hit) / np.maximum(sizes, 1)
    return recalls[labels]


def _units(inside: np.ndarray, members: np.ndarray | None) -> Units:
    """The groups in a slice, each clip one where `members` are not known."""
    if members is None:
        return count_units(None, int(inside.sum()))
    own = np.unique(members[inside], return_inverse=True)[1]
    return Units(own, int(own.max()) + 1, True, ())


def _slice(terms: tuple[tuple[str, str], ...], inside: np.ndarray, units: Units, hit: np.ndarray, expected: np.ndarray) -> Slice:
    own = hit[inside]
    if units.persons and units.count == 1:  # it says nothing of other groups
        war = Interval(float(own.mean()), float("nan"), float("nan"))
    else:
        war = interval(estimate_share(own, units))
    mean = float(expected[inside].mean())
    return Slice(terms, len(own), units.count if units.persons else None, war, mean, war.value - mean)


def _test(
    residual: np.ndarray, cells: np.ndarray, strata: np.ndarray, members: np.ndarray | None, n_draws: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """One-sided p-values (S,), alone and for the largest of all, of slices (n, S) whose mean residual (n,) is low."""
    observed, alone, largest = [], [], np.full(n_draws, -np.inf)
    for some in np.array_split(cells, -(-cells.shape[1] // 256), axis=1):  # bounds the memory at 256 × n
        scores = _scores(residual, some, strata, members)
        observed.append(scores.sum(axis=0) - 1e-5)
        alone.append(np.zeros(scores.shape[1]))
        rng = np.random.default_rng(seed)  # the same signs for all
        for first in range(0, n_draws, 256):
            signs = rng.integers(0, 2, (min(256, n_draws - first), len(scores)), np.int8).astype(np.float32) * 2 - 1
            drawn = signs @ scores
            alone[-1] += (drawn >= observed[-1]).sum(axis=0)
            rows = slice(first, first + len(signs))
            largest[rows] = np.maximum(largest[rows], drawn.max(axis=1))
    beyond = len(largest) - np.searchsorted(np.sort(largest), np.concatenate(observed))
    return (1 + np.concatenate(alone)) / (1 + n_draws), (1 + beyond) / (1 + n_draws)


def _scores(residual: np.ndarray, cells: np.ndarray, strata: np.ndarray, members: np.ndarray | None) -> np.ndarray:
    """What each clip, or each group with all its clips, adds to the figure of each slice: (groups, S) of `cells` (n, S).

    Residuals sum to 0 in a stratum, so only a slice's deviation from its share there counts.
    """
    n = np.arange(len(residual))
    loss = -residual.astype(np.float32)
    groups = n if members is None else members
    inside = csr_array((loss, (groups, n))) @ cells.astype(np.float32)
    _, codes = np.unique(strata, return_inverse=True)
    shares = csr_array((np.ones(len(n), np.float32), (codes, n))) @ cells.astype(np.float32) / np.bincount(codes)[:, None]
    scores: np.ndarray = inside - csr_array((loss, (groups, codes))) @ shares.astype(np.float32)
    error = np.sqrt(np.square(scores).sum(axis=0))
    return np.divide(scores, error, out=np.zeros_like(scores), where=error > 1e-6)

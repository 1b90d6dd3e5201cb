"""Is one model better than another on the same clips, or is it luck? Paired differences, tests, and the clips that flip."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from ifdd.errors import InputError
from ifdd.metrics import Estimate, Units, count_units, estimate
from workbench.analysis.comparison.flips import find_flips
from workbench.analysis.comparison.paired import detectable, draw, holm, intervals, mcnemar, swap_test
from workbench.analysis.comparison.results import ClassDifference, ComparisonResult, PairResult, Test
from workbench.analysis.performance.scores import FEW_GROUPS, check_predictions, difference, summary
from workbench.results.checks import check_probabilities
from workbench.results.interval import Interval
from workbench.results.provenance import record


@dataclass(frozen=True, eq=False)
class _Model:
    """Predicted classes (n,), and probabilities (n, C), or the predictions again where nothing else is known."""

    name: str
    guesses: np.ndarray
    probs: np.ndarray


@dataclass(frozen=True, eq=False)
class _Clips:
    """What all models share: true classes (n,), names of the classes, groups (n,) or None, ids of the clips."""

    labels: np.ndarray
    names: tuple[str, ...]
    groups: np.ndarray | None
    ids: tuple[str, ...]


def compare(
    models: Mapping[str, ArrayLike],
    labels: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    label_names: Sequence[str] | None = None,
    clip_ids: Sequence[str] | None = None,
    reference: str | None = None,
    n_boot: int = 2000,
    seed: int = 0,
) -> ComparisonResult:
    """Compare models on the same clips, in the same order.

    Differences of WAR, UAR and recalls have 95 % intervals from a paired bootstrap: clips are drawn again within their class,
    or with `groups` whole groups are. Use groups where clips of one person, video or film are alike.

    Args:
        models: by name, (n, C) probabilities or (n,) predicted class indexes.
        labels: (n,) true class indexes.
        groups: (n,) numbers or names, e.g. the person of each clip, as in `summary`.
        label_names: one name per class.
        clip_ids: (n,) names of the clips, for the list of flips; by default their row.
        reference: compare all others with this model only; by default all pairs.
        n_boot: draws of the bootstrap, and of the exchange tests, 100 or more.
        seed: of both.

    Raises:
        InputError: fewer than two models, models of another number of clips or classes, an unknown reference, and as `summary`.

    Source: Efron and Tibshirani 1993 (bootstrap); Demšar 2006 (several classifiers, Holm); tests as in `comparison.paired`.

    >>> predicted = {"old": [0, 1, 1, 1, 0, 0], "new": [0, 1, 1, 0, 0, 1]}
    >>> pair = compare(predicted, [0, 1, 1, 0, 0, 1], label_names=["happy", "sad"]).pairs[0]
    >>> pair.name, round(pair.war.value, 3), pair.only_second
    ('new − old', 0.333, 2)
    """
    if n_boot < 100:
        raise InputError(f"n_boot is {n_boot}; an interval needs 100 draws or more")
    if len(models) < 2:
        raise InputError(f"{len(models)} model given; a comparison needs two or more on the same clips")
    if reference is not None and reference not in models:
        raise InputError(f"unknown reference {reference!r}; the models are {', '.join(models)}")
    probs = {name: np.asarray(values) for name, values in models.items()}
    shapes = {name: array.shape[:1] if array.ndim == 1 else array.shape for name, array in probs.items()}
    if len({shape[0] for shape in shapes.values() if shape}) > 1 or len({s[1] for s in shapes.values() if len(s) == 2}) > 1:
        told = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise InputError(
            f"the models have other numbers of clips or classes: {told}; compare models on the same clips and labels"
        )
    label_names = _numbered(probs, labels) if label_names is None else label_names

    guesses: dict[str, np.ndarray] = {}
    notes: list[str] = []
    for name, array in probs.items():
        try:
            guesses[name], y, names = check_predictions(array, labels, label_names)
        except InputError as error:
            raise InputError(f"{name}: {error}") from None
        notes += _remarks(name, array, guesses[name], y, names)
    if alone := [names[c] for c in np.flatnonzero(np.bincount(y, minlength=len(names)) == 1)]:
        each, its = ("has one clip", "its") if len(alone) == 1 else ("have one clip each", "their")
        notes.append(f"{', '.join(alone)} {each}: the intervals of differences of the UAR know nothing of {its} uncertainty")
    ids = tuple(str(row) for row in range(len(y))) if clip_ids is None else tuple(str(item) for item in clip_ids)
    if len(ids) != len(y):
        raise InputError(f"clip_ids has {len(ids)} names for {len(y)} clips; pass one per clip")

    units = count_units(None if groups is None else np.asarray(groups), len(y))
    n_groups, keys = (units.count, units.index) if units.persons else (None, None)
    notes += units.notes
    summaries = {name: summary(guess, y, names, groups=groups) for name, guess in guesses.items()}
    chosen = combinations(models, 2) if reference is None else ((reference, name) for name in models if name != reference)
    rng = np.random.default_rng(seed)
    given = {name: _Model(name, guess, probs[name]) for name, guess in guesses.items()}
    clips = _Clips(y, names, keys, ids)
    found = [_pair(given[first], given[second], clips, n_boot, rng) for first, second in chosen]
    notes += [note for _, told in found for note in told]
    if n_groups is not None:
        notes.append("McNemar's test takes clips as independent, the rest does not")
        if n_groups < FEW_GROUPS:
            notes.append(f"only {n_groups} persons: intervals of differences tend to be too narrow")
    inputs = {"labels": y, **{f"predicted {name}": guess for name, guess in guesses.items()}}
    if keys is not None:
        inputs["groups"] = keys
    settings = {"n_boot": n_boot, "seed": seed, "reference": reference, "grouped": keys is not None, "label_names": list(names)}
    return ComparisonResult(
        n=len(y),
        n_groups=n_groups,
        label_names=names,
        models=summaries,
        pairs=_corrected([pair for pair, _ in found]),
        resampling=f"{n_boot} paired draws " + ("within classes" if n_groups is None else f"of {n_groups} groups"),
        notes=tuple(dict.fromkeys(notes)),
        provenance=record("comparison.compare", settings, inputs, ["scipy"]),
    )


def _numbered(probs: Mapping[str, np.ndarray], labels: ArrayLike) -> list[str]:
    """Names by number, as many as the probabilities have columns, else up to the highest index of any model or label."""
    widths = [array.shape[1] for array in probs.values() if array.ndim == 2]
    if widths:
        return [f"class {c}" for c in range(widths[0])]
    indexes = [np.asarray(array) for array in (*probs.values(), labels)]
    highest = max((float(array.max()) for array in indexes if array.size and array.dtype.kind in "iuf"), default=0.0)
    return [f"class {c}" for c in range(int(highest) + 1)]


def _remarks(name: str, array: np.ndarray, guess: np.ndarray, labels: np.ndarray, names: tuple[str, ...]) -> list[str]:
    never = [names[c] for c in np.unique(labels) if not (guess == c).any()]
    notes = [f"{name}: no clip is predicted as {' or '.join(filter(None, [', '.join(never[:-1]), never[-1]]))}"] if never else []
    if array.ndim == 2:
        probs = check_probabilities(array)
        tied = int(((probs == probs.max(axis=1, keepdims=True)).sum(axis=1) > 1).sum())
        if tied:
            have = "1 clip has" if tied == 1 else f"{tied} clips have"
            notes.append(f"{name}: {have} several classes of the same highest probability; the first in the list counts")
    return notes


def _pair(first: _Model, second: _Model, clips: _Clips, n_boot: int, rng: np.random.Generator) -> tuple[PairResult, list[str]]:
    """One pair, and what has to be said of it."""
    y, names, groups = clips.labels, clips.names, clips.groups
    a, b = first.guesses, second.guesses
    d = (b == y).astype(float) - (a == y)
    draws = draw(d, y, len(names), groups, n_boot, rng)
    only_first, only_second = int((d < 0).sum()), int((d > 0).sum())
    swap_war, swap_uar = swap_test(d, y, len(names), groups, n_boot, rng)
    notes = []
    if draws.lost:
        notes.append(f"{100 * draws.lost:.1f} % of the draws lack a class: their UAR is the mean over the others")
    sizes = np.bincount(y, minlength=len(names))
    units = count_units(None, len(y)) if groups is None else Units(groups, int(groups.max()) + 1, True, ())
    by_persons = estimate(d, y, len(names), units)
    recalls = [_never_flat(*both) for both in zip(intervals(draws.recalls), by_persons.recalls, strict=True)]
    found = PairResult(
        first=first.name,
        second=second.name,
        war=_never_flat(intervals(draws.war)[0], by_persons.war),
        uar=_never_flat(intervals(draws.uar)[0], by_persons.uar),
        recalls=tuple(ClassDifference(name, int(n), recall) for name, n, recall in zip(names, sizes, recalls, strict=True)),
        only_first=only_first,
        only_second=only_second,
        mcnemar=Test(mcnemar(only_first, only_second), np.nan),
        swap_war=Test(swap_war, np.nan),
        swap_uar=Test(swap_uar, np.nan),
        detectable_war=detectable(draws.war),
        detectable_uar=detectable(draws.uar),
        moves=np.bincount(a * len(names) + b, minlength=len(names) ** 2).reshape(len(names), -1),
        flips=find_flips(a, b, first.probs, second.probs, y, clips.ids),
    )
    if not draws.war.samples.std():
        notes.append(f"{found.name}: every draw gives the same difference; its interval is that of half a clip more for each")
    return found, notes


def _never_flat(drawn: Interval, found: Estimate) -> Interval:
    """The drawn interval; where all draws agree, as if half a clip more had spoken for either model: none seen is not none."""
    return difference(found) if drawn.low == drawn.high else drawn


def _corrected(pairs: Sequence[PairResult]) -> tuple[PairResult, ...]:
    """The pairs with Holm's correction over all of them, for each kind of test."""
    kinds = ("mcnemar", "swap_war", "swap_uar")
    corrected = {kind: holm([getattr(pair, kind).p for pair in pairs]) for kind in kinds}
    return tuple(
        replace(pair, **{kind: Test(getattr(pair, kind).p, float(corrected[kind][i])) for kind in kinds})  # type: ignore[arg-type]
        for i, pair in enumerate(pairs)
    )

"""Numbers that mean another class than they are taken for: the permutation of the classes that explains what is seen, how sure
that is, and the known order that it comes from.

A wrong order loads without an error and looks like a bad model: FERV39k's lists by DFER-CLIP and by S2D differ in each of their
31,088 training clips.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb, factorial, inf
from typing import Any, Literal

import numpy as np

from ifdd.data.corpora.orders import ORDERS, known_order
from ifdd.errors import InputError
from ifdd.labels import class_key, meant_class

Verdict = Literal["as labelled", "permuted", "cannot tell"]
DRAWS = 1000
"""Of the bootstrap and of the null, always with the same seed."""
SURE = 0.95
"""Share of the bootstrap in which a column must stand for the same class."""
LEVEL = 0.001
"""Highest p at which a permutation is told, corrected for all cycles that could have been found."""
LEAST_GAIN = 0.1
"""Of the mean recall of the classes that change places."""
TIMES_KNOWN, TIMES_OTHER = 2.0, 3.0
"""By how much that recall must grow: a known order is likelier than any other permutation, which a weak model may feign."""
LEAST_RECALL = 0.4
"""Mean recall that a permutation must give its classes if it is no known order: errors of a weak model may look like one."""
ENOUGH = 0.75
"""Of what the best permutation has above chance, so that a known order, or the one that is claimed, explains it."""
_WEIGHT = 10.0
"""Clips by which a class's row is drawn to what is predicted of any clip: a row of three clips says little."""


@dataclass(frozen=True)
class Orders:
    """A pair of known orders that explains a permutation: labels are numbered in the order `labels`, predictions in the other."""

    labels: str
    predictions: str


@dataclass(frozen=True)
class Permutation:
    """What the columns of predictions stand for, as far as the labels show it.

    `names` are the classes by number as they were claimed; `meant[j]` is the class that column j stands for, None where too few
    clips tell. `war` and `uar` are as claimed, `war_explained` and `uar_explained` so read, `uar_best` of the best permutation of
    all, `uar_chance` of the best one of shuffled predictions (its mean; `uar_chance_high` its 99th percentile) and `p_chance` how
    often that is as good. `p` is that the classes which change places are labelled right all the same: exact, and corrected for
    the number of permutations that could have been found; 1 where none changes. `support[j]` is the share of the bootstrap whose
    best permutation agrees.
    """

    verdict: Verdict
    names: tuple[str, ...]
    meant: tuple[str | None, ...]
    n: int
    war: float
    uar: float
    war_explained: float
    uar_explained: float
    uar_best: float
    uar_chance: float
    uar_chance_high: float
    p_chance: float
    p: float
    support: tuple[float, ...]
    orders: tuple[Orders, ...]

    @property
    def undetermined(self) -> tuple[str, ...]:
        """Classes whose column cannot be placed: too rare, or never predicted right."""
        return tuple(name for name, meant in zip(self.names, self.meant, strict=True) if meant is None)

    @property
    def moved(self) -> dict[str, str]:
        """Columns, by the name that they have, that stand for another class."""
        pairs = zip(self.names, self.meant, strict=True)
        return {name: meant for name, meant in pairs if meant is not None and meant != name}

    def told(self) -> str:
        """The finding in one line."""
        if self.verdict == "cannot tell":
            why = "too few clips, or too weak a model" if self.p_chance <= 0.01 else "predictions are as good as shuffled ones"
            return (
                f"{self.n} clips do not tell the order of the labels: {why} (UAR {self.uar:.1%}; the best permutation "
                f"{self.uar_best:.1%}, of shuffled predictions {self.uar_chance:.1%}, p {_p(self.p_chance)})"
            )
        rest = f"; undetermined: {', '.join(self.undetermined)}" if self.undetermined else ""
        if self.verdict == "as labelled":
            return f"labels and predictions are in the same order (UAR {self.uar:.1%} of {self.n} clips){rest}"
        moved = ", ".join(f"{name} is {meant}" for name, meant in self.moved.items())
        known = " or ".join(
            f"as if predictions in {pair.predictions} had been named in the order {pair.labels}" for pair in self.orders
        )
        return (
            f"labels and predictions are in different orders: of the predictions {moved}; so read, UAR is "
            f"{self.uar_explained:.1%} instead of {self.uar:.1%}, WAR {self.war_explained:.1%} instead of {self.war:.1%} "
            f"(p {_p(self.p)}); {known or 'no known order'}{rest}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a report."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "orders"}
        return values | {"orders": [vars(pair) for pair in self.orders], "undetermined": self.undetermined, "told": self.told()}


def explain_labels(probabilities: np.ndarray, labels: np.ndarray, names: Sequence[str], *, seed: int = 0) -> Permutation:
    """The permutation of the classes that makes predictions fit labels best, and whether it is one.

    The best permutation is that of the largest sum of recalls (Hungarian method), so that neither rare classes nor ones that are
    often predicted count more. Known orders are tried first, then its cycles: one is told where the classes that change places
    gain `LEAST_GAIN` of mean recall and it grows `TIMES_KNOWN` (`TIMES_OTHER`, to `LEAST_RECALL`) fold, and more clips are won
    than could be by chance: if labels are right, at most half of those that one of the two readings has right (binomial, times
    the number of permutations that were tried, or of cycles that so many classes have).

    Args:
        probabilities: (n, classes), or logits; or (n,) the predicted numbers.
        labels: (n,) numbers from 0.
        names: of the classes, by number, as they are claimed to be.
        seed: of the bootstrap and of the null.

    Raises:
        InputError: no clips, other lengths, a number without a name, predictions that are not finite.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> truth = rng.integers(0, 3, 300)
        >>> order = ("sad", "happy", "fear")
        >>> found = explain_labels(np.array([1, 0, 2])[truth], truth, order)
        >>> found.verdict, found.moved
        ('permuted', {'sad': 'happy', 'happy': 'sad'})
    """
    predicted, target, names = _checked(probabilities, labels, names)
    classes = len(names)
    counts = confusion(target, predicted, classes)
    rng = np.random.default_rng(seed)
    best = _assigned(counts)
    support = _support(counts, rng)
    null = _null(counts, rng)
    uar_best, claimed = _uar(counts, best), np.arange(classes)
    p_chance = (1 + int((null >= uar_best - 1e-12).sum())) / (1 + len(null))
    verdict, read, p, orders = _reading(counts, best, support, names)
    if p_chance > 0.01:
        verdict, read, p, orders = "cannot tell", claimed, 1.0, ()
    placed = [verdict != "cannot tell" and _associated(counts, int(read[j]), j) for j in range(classes)]
    return Permutation(
        verdict=verdict,
        names=names,
        meant=tuple(names[read[j]] if placed[j] else None for j in range(classes)),
        n=len(target),
        war=_war(counts, claimed),
        uar=_uar(counts, claimed),
        war_explained=_war(counts, read),
        uar_explained=_uar(counts, read),
        uar_best=uar_best,
        uar_chance=float(null.mean()),
        uar_chance_high=float(np.quantile(null, 0.99)),
        p_chance=p_chance,
        p=p,
        support=tuple(float(support[read[j], j]) for j in range(classes)),
        orders=orders,
    )


def _reading(
    counts: np.ndarray, best: np.ndarray, support: np.ndarray, names: tuple[str, ...]
) -> tuple[Verdict, np.ndarray, float, tuple[Orders, ...]]:
    """The verdict if there is any association, the class of each column, p, and the known orders; see `explain_labels`."""
    classes, claimed = len(counts), np.arange(len(counts))
    above = _uar(counts, best) - 1 / classes
    known = _known_permutations(names)
    ranked = sorted(known, key=lambda one: -_uar(counts, np.array(one)))
    if ranked and _uar(counts, np.array(ranked[0])) - 1 / classes >= ENOUGH * above:
        read = np.array(ranked[0])
        p = _p_of(counts, np.flatnonzero(read != claimed), read, TIMES_KNOWN, 0) * len(known)
        if p <= LEVEL:
            return "permuted", read, p, known[ranked[0]]
    read, p = claimed.copy(), 1.0
    possible = sum(comb(classes, k) * factorial(k - 1) for k in range(2, classes + 1))
    for cycle in _cycles(best):
        found = _p_of(counts, cycle, best, TIMES_OTHER, LEAST_RECALL) * possible
        if found <= LEVEL and sum(support[best[j], j] >= SURE for j in cycle) >= 2:
            read[cycle], p = best[cycle], min(p, found)
    if p < 1:
        pairs = [(int(read[j]), j) for j in range(classes) if read[j] != j or _associated(counts, j, j)]
        return "permuted", read, p, known_orders(pairs, classes, names)
    as_claimed = _uar(counts, claimed) - 1 / classes >= ENOUGH * above
    return "as labelled" if as_claimed else "cannot tell", claimed, 1.0, ()


def _known_permutations(names: tuple[str, ...]) -> dict[tuple[int, ...], tuple[Orders, ...]]:
    """The class of each column for every pair of known orders of these classes, and the pairs that it is true of."""
    meant = {_key(name) for name in names}
    found: dict[tuple[int, ...], list[Orders]] = {}
    fitting = {name: order for name, order in ORDERS.items() if set(order) == meant}
    for one, first in fitting.items():
        for other, second in fitting.items():
            if first != second:
                found.setdefault(tuple(first.index(label) for label in second), []).append(Orders(one, other))
    own = known_order(names)
    return {
        permutation: tuple([pair for pair in pairs if own in (pair.labels, pair.predictions)] or pairs)
        for permutation, pairs in found.items()
    }


def confusion(target: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """(classes, classes) int64 counts: row the label's number, column the predicted one."""
    return np.bincount(target * classes + predicted, minlength=classes**2).reshape(classes, classes)


def known_orders(pairs: Sequence[tuple[int, int]], classes: int, names: Sequence[str] | None = None) -> tuple[Orders, ...]:
    """Known orders that put the same class at `i` of one and `j` of the other, for all `pairs` (i, j) of so many classes.

    Pairs of orders of which one is that of `names` come alone, if there are any.

    >>> known_orders([(0, 3), (1, 5), (2, 4)], 7)
    (Orders(labels='dfew', predictions='alphabetical-7'),)
    """
    found = [
        Orders(one, other)
        for one, first in ORDERS.items()
        for other, second in ORDERS.items()
        if len(first) == len(second) == classes and one != other and all(first[i] == second[j] for i, j in pairs)
    ]
    own = known_order(names) if names is not None else None
    return tuple([pair for pair in found if own in (pair.labels, pair.predictions)] or found)


@dataclass(frozen=True)
class ListComparison:
    """Two lists of the same clips: how many have another label, and whether one renaming explains it all.

    `only_first` and `only_second` are clips of one list; `same` and `differ` count those of both by what is written;
    `meant` says for each label of the second list which one of the first it stands for, and `explained` how many clips that
    explains; `orders` are known orders that differ so. Where one list has names and the other numbers (`numbered`, "first" or
    "second"), `same` are the clips whose number always goes with that name, `meant` says number → name, and `order` which known
    order that is.
    """

    clips: int
    only_first: int
    only_second: int
    same: int
    differ: int
    meant: dict[str, str]
    explained: int
    orders: tuple[Orders, ...]
    numbered: str = ""
    order: str = ""

    def told(self) -> str:
        """The finding in one line."""
        if self.numbered:
            names = ", ".join(f"{number} {name}" for number, name in self.meant.items())
            against = f"{self.differ} of {self.clips} clips contradict it" if self.differ else f"as all {self.clips} clips say"
            order = f"the order {self.order}" if self.order else "no known order"
            return f"the {self.numbered} list numbers the classes in {order} ({names}), {against}"
        if not self.differ:
            return f"all {self.clips} clips have the same label in both lists"
        moved = ", ".join(f"{other} is {one}" for other, one in self.meant.items() if one != other)
        known = " or ".join(
            f"the first list is in the order {pair.labels}, the second in {pair.predictions}" for pair in self.orders
        )
        why = f"; one renaming explains {self.explained} of {self.clips} (in the second list {moved})" if moved else ""
        return f"{self.differ} of {self.clips} labels differ{why}; {known or 'no known pair of orders'}"


def compare_labels(first: Mapping[str, str | int], second: Mapping[str, str | int]) -> ListComparison:
    """Compare two lists, clip id → label (a number from 0, or a name), over the clips of both.

    Names are compared as classes (anger is angry). A renaming is found by the Hungarian method; so is what numbers mean, where
    the other list has names.
    Raises: InputError for lists without a common clip.

    >>> found = compare_labels({"a": 0, "b": 3, "c": 0}, {"a": 3, "b": 0, "c": 3})
    >>> found.differ, found.explained, found.meant
    (3, 3, {'0': '3', '3': '0'})
    """
    both = sorted(set(first) & set(second))
    if not both:
        raise InputError(
            f"the lists have no clip in common (e.g. {min(first, default='none')} and {min(second, default='none')}); "
            "are they of one corpus?"
        )
    named = [isinstance(labels[both[0]], str) for labels in (first, second)]
    if named[0] != named[1]:
        return _numbers_by_names(first, second, both, names_first=named[0])
    numbered = not isinstance(first[both[0]], str)
    ours, theirs = [_key(first[clip]) for clip in both], [_key(second[clip]) for clip in both]
    order = sorted({*ours, *theirs}, key=lambda label: (int(label), "") if numbered else (0, label))
    at = {label: i for i, label in enumerate(order)}
    counts = confusion(np.array([at[x] for x in ours]), np.array([at[x] for x in theirs]), len(order))
    column_of = _by_count(counts)
    meant = {order[j]: order[i] for i, j in enumerate(column_of) if counts[i, j]}
    same = int(np.trace(counts))
    orders: tuple[Orders, ...] = ()
    if numbered and same < len(both):
        pairs = [(int(one), int(other)) for other, one in meant.items()]
        orders = next((found for shift in (0, 1) if (found := _shifted(pairs, shift))), ())
    return ListComparison(
        clips=len(both),
        only_first=len(set(first) - set(second)),
        only_second=len(set(second) - set(first)),
        same=same,
        differ=len(both) - same,
        meant=dict(sorted(meant.items(), key=lambda pair: at[pair[0]])),
        explained=int(counts[np.arange(len(order)), column_of].sum()),
        orders=orders,
    )


def _numbers_by_names(
    first: Mapping[str, str | int], second: Mapping[str, str | int], both: Sequence[str], *, names_first: bool
) -> ListComparison:
    """What the numbers of one list mean, by the names of the other."""
    from scipy.optimize import linear_sum_assignment

    names, numbers = (first, second) if names_first else (second, first)
    words, found = sorted({_key(names[clip]) for clip in both}), sorted({int(numbers[clip]) for clip in both})
    counts = np.zeros((len(words), len(found)), np.int64)
    np.add.at(counts, ([words.index(_key(names[clip])) for clip in both], [found.index(int(numbers[clip])) for clip in both]), 1)
    rows, columns = linear_sum_assignment(counts, maximize=True)
    meant = {found[j]: words[i] for i, j in zip(rows.tolist(), columns.tolist(), strict=True) if counts[i, j]}
    explained = int(counts[rows, columns].sum())
    ordered = [meant[number] for number in sorted(meant)]
    return ListComparison(
        clips=len(both),
        only_first=len(set(first) - set(second)),
        only_second=len(set(second) - set(first)),
        same=explained,
        differ=len(both) - explained,
        meant={str(number): meant[number] for number in sorted(meant)},
        explained=explained,
        orders=(),
        numbered="second" if names_first else "first",
        order=known_order(ordered) or "",
    )


def orders_by_counts(counts: Sequence[int], official: Mapping[str, int]) -> dict[str, float]:
    """How far class counts by number are from the official ones in each known order: share of clips in another class.

    Only orders of just these classes; the best first. 0 is a perfect fit.

    >>> official = dict(zip(ORDERS["dfew"], (489, 379, 534, 435, 294, 29, 181)))
    >>> next(iter(orders_by_counts((435, 29, 181, 489, 534, 379, 294), official).items()))
    ('alphabetical-7', 0.0)
    """
    own, total = np.asarray(counts, np.float64), sum(official.values())
    if own.sum() <= 0 or total <= 0:
        return {}
    found = {}
    for name, order in ORDERS.items():
        if len(order) == len(own) and set(order) == set(official):
            expected = np.array([official[label] for label in order]) / total
            found[name] = float(np.abs(own / own.sum() - expected).sum() / 2)
    return dict(sorted(found.items(), key=lambda pair: pair[1]))


def _key(label: str | int) -> str:
    return (meant_class(label) or class_key(label)) if isinstance(label, str) else str(int(label))


def _shifted(pairs: Sequence[tuple[int, int]], start: int) -> tuple[Orders, ...]:
    """Known orders by pairs of numbers that begin at `start`; classes that no clip has are allowed for."""
    if any(min(pair) < start for pair in pairs):
        return ()
    least = max(max(pair) for pair in pairs) - start + 1
    sizes = sorted({len(order) for order in ORDERS.values() if len(order) >= least})
    moved = [(i - start, j - start) for i, j in pairs]
    return next((found for size in sizes if (found := known_orders(moved, size))), ())


def _checked(probabilities: Any, labels: Any, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    given, target = np.asarray(probabilities), np.asarray(labels)
    if not len(target) or target.ndim != 1 or given.ndim not in (1, 2) or len(given) != len(target):
        raise InputError(f"predictions {given.shape} and labels {target.shape} do not fit; give a row and a label for each clip")
    if given.ndim == 2:
        if given.shape[1] != len(names):
            raise InputError(f"predictions have {given.shape[1]} classes, {len(names)} are named; name each of them")
        if not np.isfinite(given).all():
            raise InputError("predictions are not all finite; leave out clips without one")
        given = given.argmax(1)
    for what, values in (("predicted class", given), ("label", target)):
        if values.dtype.kind not in "iu" or (values.min() < 0) or values.max() >= len(names):
            raise InputError(f"{what} {values.min()} to {values.max()}: must be whole numbers from 0 to {len(names) - 1}")
    return given.astype(np.int64), target.astype(np.int64), tuple(names)


def _recalls(counts: np.ndarray) -> np.ndarray:
    """(…, classes, classes): rows that sum to 1, each drawn to the mean of all by `_WEIGHT` clips."""
    any_clip = counts.sum(-2, keepdims=True) / counts.sum((-2, -1), keepdims=True)
    shared: np.ndarray = (counts + _WEIGHT * any_clip) / (counts.sum(-1, keepdims=True) + _WEIGHT)
    return shared


def _assigned(counts: np.ndarray) -> np.ndarray:
    """For each column the class that it stands for, by the sum of recalls."""
    from scipy.optimize import linear_sum_assignment  # no help page loads scipy

    return np.asarray(linear_sum_assignment(_recalls(counts).T, maximize=True)[1])


def _by_count(counts: np.ndarray) -> np.ndarray:
    from scipy.optimize import linear_sum_assignment

    return np.asarray(linear_sum_assignment(counts, maximize=True)[1])


def _war(counts: np.ndarray, class_of: np.ndarray) -> float:
    return float(counts[class_of, np.arange(len(counts))].sum() / counts.sum())


def _uar(counts: np.ndarray, class_of: np.ndarray) -> float:
    rows = counts.sum(1)[class_of]
    hit = counts[class_of, np.arange(len(counts))]
    return float((hit[rows > 0] / rows[rows > 0]).mean())


def _support(counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(classes, classes): share of resampled sets in whose best permutation the column (second) stands for the class (first)."""
    drawn = rng.multinomial(counts.sum(), (counts / counts.sum()).ravel(), DRAWS).reshape(-1, *counts.shape)
    found = np.array([_assigned(one) for one in drawn])
    return np.array([(found == label).mean(0) for label in range(len(counts))])


def _null(counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(DRAWS,): UAR of the best permutation where predictions are dealt to clips anew."""
    from scipy.stats import random_table

    drawn = random_table(counts.sum(1), counts.sum(0)).rvs(DRAWS, random_state=rng).astype(np.int64)
    return np.array([_uar(one, _assigned(one)) for one in drawn])


def _associated(counts: np.ndarray, label: int, column: int) -> bool:
    """Whether a class is predicted as a column more often than other classes are: Fisher's exact test, for each class."""
    from scipy.stats import hypergeom

    hits, row, all_of_it = counts[label, column], counts[label].sum(), counts[:, column].sum()
    return bool(hits > 0 and hypergeom.sf(hits - 1, counts.sum(), row, all_of_it) <= 0.01 / len(counts))


def _cycles(class_of: np.ndarray) -> list[list[int]]:
    """Columns of each cycle of two and more."""
    left, found = set(range(len(class_of))), []
    while left:
        cycle = [min(left)]
        while (after := int(class_of[cycle[-1]])) != cycle[0]:
            cycle.append(after)
        left -= set(cycle)
        if len(cycle) > 1:
            found.append(cycle)
    return found


def _p_of(counts: np.ndarray, columns: Sequence[int] | np.ndarray, class_of: np.ndarray, times: float, least: float) -> float:
    """How likely so many clips are won if the classes of `columns` are labelled right; inf where the gain is small."""
    from scipy.stats import binom

    rows, labels = np.maximum(counts.sum(1), 1), class_of[columns]
    own, moved = counts[columns, columns], counts[labels, columns]
    before, after = float((own / rows[columns]).mean()), float((moved / rows[labels]).mean())
    if after - before < LEAST_GAIN or after < max(times * before, least):
        return inf
    won, lost = int(moved.sum()), int(own.sum())
    return float(binom.sf(won - 1, won + lost, 0.5))


def _p(value: float) -> str:
    return f"{value:.2g}" if value >= 1e-4 else "< 0.0001"

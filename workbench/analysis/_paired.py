"""Two models on the same clips: intervals and tests of the difference of their hits.

Throughout, `d` (n,) is +1 where only the second model is right, −1 where only the first one is, 0 where they agree.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binomtest, norm

from workbench.analysis._result import Result
from workbench.analysis.metrics import LEVEL, Interval, draw_groups, group_index

POWER = 0.8
_STRETCH = float(norm.ppf((1 + LEVEL) / 2) + norm.ppf(POWER))


@dataclass(frozen=True, eq=False)
class Test(Result):
    """P-value of one comparison, and the same after Holm's correction for all pairs that were compared."""

    __test__ = False  # pytest would take it for one of its own

    p: float
    holm: float


@dataclass(frozen=True)
class Draws:
    """Bootstrap draws of the differences: of WAR (n_boot,), of UAR (n_boot,), of the recalls (n_boot, C)."""

    war: np.ndarray
    uar: np.ndarray
    recalls: np.ndarray
    lost: float
    """Share of the draws in which a class does not occur."""


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided exact p-value that two models are right equally often, from the clips that only one has right; 1 for none.

    Clips are taken as independent. Source: McNemar 1947, in its exact binomial form.
    """
    discordant = only_first + only_second
    return float(binomtest(only_first, discordant, 0.5).pvalue) if discordant else 1.0


def holm(p_values: ArrayLike) -> np.ndarray:
    """P-values (m,) corrected for m tests, so that none is wrongly called small with probability above the level; (m,).

    Source: Holm 1979 (step-down).
    """
    p = np.asarray(p_values, float)
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(steps, 1)
    return corrected


def difference(d: np.ndarray, labels: np.ndarray, n_classes: int) -> tuple[float, float, np.ndarray]:
    """Differences of WAR, UAR and recalls (C,); the recall of a class that does not occur is NaN."""
    sizes = np.bincount(labels, minlength=n_classes)
    recalls = np.bincount(labels, d, n_classes) / np.where(sizes, sizes, np.nan)
    return float(d.mean()), float(np.nanmean(recalls)), recalls


def draw(
    d: np.ndarray, labels: np.ndarray, n_classes: int, groups: np.ndarray | None, n_boot: int, rng: np.random.Generator
) -> Draws:
    """Draw the clips again: within each class, or whole groups.

    A draw of m things from m has (m − 1)/m of the variance it stands for, which is felt in a class of 20 clips. So the draws
    are stretched about the estimate by √(m/(m − 1)), m the clips of the class or the groups. In simulation this lifts the
    coverage of the UAR's interval from 93 to 95 % (benchmarks/comparison_coverage.py).
    """
    sizes = np.bincount(labels, minlength=n_classes)
    sums = np.bincount(labels, d, n_classes)
    if groups is None:
        drawn = np.empty((n_boot, n_classes))
        for c in range(n_classes):
            own = d[labels == c]
            counts = [int((own == value).sum()) for value in (-1, 0, 1)]
            times = rng.multinomial(len(own), np.array(counts) / max(len(own), 1), size=n_boot)
            drawn[:, c] = sums[c] + (times[:, 2] - times[:, 0] - sums[c]) * _stretch(len(own))
        drawn_sizes = np.broadcast_to(sizes, drawn.shape)
        stretch = 1.0
    else:
        drawn, drawn_sizes, n_groups = draw_groups(d, labels, groups, n_classes, n_boot, rng)
        stretch = _stretch(n_groups)
    war, uar, recalls = difference(d, labels, n_classes)
    known = drawn_sizes > 0
    drawn_recalls = np.divide(drawn, drawn_sizes, out=np.full(drawn.shape, np.nan), where=known)
    drawn_uar = np.where(known, drawn_recalls, 0).sum(1) / known.sum(1)
    return Draws(
        war=war + (drawn.sum(1) / drawn_sizes.sum(1) - war) * stretch,
        uar=uar + (drawn_uar - uar) * stretch,
        recalls=recalls + (drawn_recalls - recalls) * stretch,
        lost=float((~known & (sizes > 0)).any(1).mean()),
    )


def swap_test(
    d: np.ndarray, labels: np.ndarray, n_classes: int, groups: np.ndarray | None, n_draws: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Two-sided p-values of WAR and UAR when the two models are exchanged at random, for each clip or for each whole group.

    Exact, up to the number of draws, if the models are interchangeable; for WAR and independent clips it is McNemar's test.
    Source: Pitman 1937 (randomisation test of pairs); Durkalski et al. 2003 for pairs that come in groups.
    """
    sizes = np.bincount(labels, minlength=n_classes)
    members = np.arange(len(d)) if groups is None else group_index(groups, len(d))
    weights = np.stack([np.full(len(d), 1 / len(d)), 1 / (sizes[labels] * (sizes > 0).sum())])
    effects = np.stack([np.bincount(members, w * d) for w in weights], axis=1)  # (groups, 2)
    effects = effects[np.abs(effects).max(1) > 0]
    observed = np.abs(effects.sum(0)) - 1e-12
    larger = np.zeros(2)
    for first in range(0, n_draws, 256):  # bounds the memory at 256 × groups
        signs = rng.integers(0, 2, (min(256, n_draws - first), len(effects)), np.int8) * 2.0 - 1
        larger += (np.abs(signs @ effects) >= observed).sum(0)
    war, uar = (1 + larger) / (1 + n_draws)
    return float(war), float(uar)


def interval(value: float, draws: np.ndarray) -> Interval:
    """A difference with the 95 % percentile interval of its draws, within [−1, 1]; all NaN for a class that does not occur."""
    known = draws[np.isfinite(draws)]
    if not known.size:
        return Interval(float("nan"), float("nan"), float("nan"))
    low, high = np.clip(np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]), -1, 1)
    return Interval(float(value), float(low), float(high))


def detectable(draws: np.ndarray) -> float:
    """Smallest true difference that a test at 5 % finds with 80 % probability: 2.80 standard errors; NaN if all draws agree.

    Source: Cohen 1988, chapter 2 (normal approximation), with the standard error of the bootstrap.
    """
    error = float(draws.std(ddof=1))
    return _STRETCH * error if error > 0 else float("nan")


def _stretch(m: int) -> float:
    return float(np.sqrt(m / (m - 1))) if m > 1 else 1.0

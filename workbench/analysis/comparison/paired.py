"""Two models on the same clips: intervals and tests of the difference of their hits.

Throughout, `d` (n,) is +1 where only the second model is right, −1 where only the first one is, 0 where they agree.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binomtest, norm

from ifdd.metrics import LEVEL, students_t
from ifdd.metrics import detectable as detectable_from
from workbench.results.interval import Interval


@dataclass(frozen=True, eq=False)
class BootstrapDraws:
    """Bootstrap draws (n_boot, …) of a difference, and the degrees of freedom (…) behind its standard error."""

    value: np.ndarray
    samples: np.ndarray
    freedom: np.ndarray


@dataclass(frozen=True)
class Draws:
    """Draws of the differences of WAR, UAR, and the recalls (C,); `lost` is the share of draws in which a class is missing."""

    war: BootstrapDraws
    uar: BootstrapDraws
    recalls: BootstrapDraws
    lost: float


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

    A draw of m things from m has (m − 1)/m of the variance it stands for, so the draws are stretched about the estimate by
    √(m/(m − 1)), m the clips of the class or the groups. Degrees of freedom are m − 1; those of WAR and UAR over classes are
    combined (Welch and Satterthwaite).
    """
    sizes = np.bincount(labels, minlength=n_classes)
    values = [np.asarray(value) for value in difference(d, labels, n_classes)]
    if groups is None:
        samples, freedom = _within_classes(d, labels, sizes, n_boot, rng)
        war, uar, recalls = (BootstrapDraws(*part) for part in zip(values, samples, freedom, strict=True))
        return Draws(war, uar, recalls, 0.0)
    sums, drawn_sizes, m = _draw_groups(d, labels, groups, n_classes, n_boot, rng)
    known = drawn_sizes > 0
    shares = np.divide(sums, drawn_sizes, out=np.full(sums.shape, np.nan), where=known)
    drawn = (sums.sum(1) / drawn_sizes.sum(1), np.nan_to_num(shares).sum(1) / known.sum(1), shares)
    war, uar, recalls = (
        BootstrapDraws(value, value + (samples - value) * _stretch(m), np.full(value.shape, m - 1))
        for value, samples in zip(values, drawn, strict=True)
    )
    return Draws(war, uar, recalls, float((~known & (sizes > 0)).any(1).mean()))


def _within_classes(
    d: np.ndarray, labels: np.ndarray, sizes: np.ndarray, n_boot: int, rng: np.random.Generator
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Stretched draws of WAR, UAR and recalls, and their degrees of freedom."""
    recalls = np.full((n_boot, len(sizes)), np.nan)
    variances = np.zeros(len(sizes))
    for c in np.flatnonzero(sizes):
        own = d[labels == c]
        n, mean = len(own), own.mean()
        counts = np.array([(own == value).sum() for value in (-1, 0, 1)])
        times = rng.multinomial(n, counts / n, size=n_boot)  # drawing n clips again, as counts of the three outcomes
        recalls[:, c] = mean + ((times[:, 2] - times[:, 0]) / n - mean) * _stretch(n)
        variances[c] = own.var(ddof=1) / n if n > 1 else 0.0
    weights = [sizes / sizes.sum(), (sizes > 0) / (sizes > 0).sum()]
    combined = [np.array(_combined(np.square(w) * variances, sizes - 1)) for w in weights]
    return [*(np.nan_to_num(recalls) @ w for w in weights), recalls], [*combined, np.maximum(sizes - 1, 0)]


def swap_test(
    d: np.ndarray, labels: np.ndarray, n_classes: int, groups: np.ndarray | None, n_draws: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Two-sided p-values of WAR and UAR when the two models are exchanged at random, for each clip or for each whole group.

    Exact, up to the number of draws, if the models are interchangeable; for WAR and independent clips it is McNemar's test.
    Source: Pitman 1937 (randomisation test of pairs); Durkalski et al. 2003 for pairs that come in groups.
    """
    sizes = np.bincount(labels, minlength=n_classes)
    members = np.arange(len(d)) if groups is None else groups
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


def intervals(drawn: BootstrapDraws) -> list[Interval]:
    """Each difference with its 95 % expanded percentile interval, within [−1, 1]; all NaN for a class that does not occur.

    The draws are widened from the normal to Student's t, whose degrees of freedom say how well so few clips or groups show their
    own variance. Source: Hesterberg 2015, section 5.
    """
    found = []
    samples = drawn.samples.reshape(len(drawn.samples), -1)
    for value, column, freedom in zip(drawn.value.ravel(), samples.T, drawn.freedom.ravel(), strict=True):
        known = column[np.isfinite(column)]
        if not known.size:
            found.append(Interval(float("nan"), float("nan"), float("nan")))
            continue
        wider = students_t(freedom) / norm.ppf((1 + LEVEL) / 2) if freedom > 0 else 1.0
        low, high = np.clip(value + (np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) - value) * wider, -1, 1)
        found.append(Interval(float(value), float(low), float(high)))
    return found


def detectable(drawn: BootstrapDraws) -> float:
    """Smallest true difference in (0, 1] that Student's t finds at 5 % with 80 % probability; NaN if none is, or all draws agree.

    Many clips or groups need 2.80 standard errors, four groups 4.26. Source: Cohen 1988, chapter 2, by the noncentral t of the
    draws' degrees of freedom, with the standard error of the bootstrap.
    """
    error, freedom = float(drawn.samples.std(ddof=1)), float(drawn.freedom)
    return detectable_from(error**2, freedom)


def _combined(parts: np.ndarray, freedom: np.ndarray) -> float:
    """Degrees of freedom of a sum of independent variances (C,), each with its own; infinite for no variance at all."""
    known = parts > 0
    if not known.any():
        return float("inf")
    return float(parts[known].sum() ** 2 / (np.square(parts[known]) / freedom[known]).sum())


def _stretch(m: int) -> float:
    return float(np.sqrt(m / (m - 1))) if m > 1 else 1.0


def _draw_groups(
    hit: np.ndarray, labels: np.ndarray, index: np.ndarray, n_classes: int, n_boot: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, int]:
    """Draw whole groups with replacement: sums of `hit` (n,) and sizes per class, (n_boot, C) each, and the number of groups."""
    n_groups = int(index.max()) + 1
    cells = index * n_classes + labels
    table = np.stack([np.bincount(cells, hit, n_groups * n_classes), np.bincount(cells, minlength=n_groups * n_classes)])
    table = table.reshape(2, n_groups, n_classes)
    drawn = np.empty((2, n_boot, n_classes))
    for start in range(0, n_boot, 256):  # bounds the memory at 256 × groups
        rows = min(256, n_boot - start)
        picks = rng.integers(n_groups, size=(rows, n_groups)) + n_groups * np.arange(rows)[:, None]
        times = np.bincount(picks.ravel(), minlength=rows * n_groups).reshape(rows, n_groups)
        drawn[:, start : start + rows] = times @ table
    return drawn[0], drawn[1], n_groups

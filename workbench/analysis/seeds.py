"""One variant trained with several seeds: its WAR and UAR with an interval over persons and, where there are two, over seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ifdd.errors import InputError
from workbench.analysis._clusters import draw_weights, group_members, spread
from workbench.analysis._inputs import check_labels
from workbench.analysis._result import Result
from workbench.analysis.metrics import Interval

RANKED_FROM = 3
"""Seeds from which a variant may be ranked."""


@dataclass(frozen=True, eq=False)
class SeedScore(Result):
    """Mean over seeds of WAR and UAR; `each` is the UAR by seed; `n` clips, the same for every seed."""

    n: int
    war: Interval
    uar: Interval
    each: tuple[float, ...]

    @property
    def ranked(self) -> bool:
        """Whether there are seeds enough to rank it."""
        return len(self.each) >= RANKED_FROM


def over_seeds(
    predicted: Sequence[ArrayLike], labels: ArrayLike, *, groups: ArrayLike | None = None, resamples: int = 2000, seed: int = 0
) -> SeedScore:
    """Predicted classes (n,) of each seed and the true ones (n,) → mean scores with 95 % percentile intervals.

    Two-level bootstrap: each draw takes persons with replacement, the same for all seeds, and then seeds with replacement.
    One person alone gives no bounds.
    Raises: InputError for no seed or no clip, lengths that differ, or a person who is not named.
    Source: Davison and Hinkley 1997, section 3.8 (hierarchical data).
    """
    if not len(predicted):
        raise InputError("no predictions; pass those of at least one seed")
    truth = check_labels(labels, len(np.asarray(labels)))
    if not len(truth):
        raise InputError("no clip to score; pass the true class of at least one")
    guesses = [check_labels(array, len(truth), what=f"predictions of seed {i}") for i, array in enumerate(predicted)]
    hits = (np.stack(guesses) == truth).astype(np.float64)  # (seeds, n)
    classes = np.eye(truth.max() + 1)[truth]
    classes = classes[:, classes.any(0)]
    members = group_members(groups, len(truth))
    weights = draw_weights(members, resamples if members.max() else 0, seed)
    drawn = np.random.default_rng([seed, 5]).integers(0, len(hits), (len(weights), len(hits)))
    war, uar = [], []
    for row in hits:
        counts, right = weights @ classes, weights @ (classes * row[:, None])
        with np.errstate(invalid="ignore", divide="ignore"):
            uar.append(np.nanmean(np.where(counts > 0, right / counts, np.nan), 1))
        war.append(right.sum(1) / counts.sum(1))
    each_war = hits.mean(1)
    each_uar = (hits @ classes / classes.sum(0)).mean(1)
    rows = np.arange(len(weights))[:, None]
    return SeedScore(
        n=len(truth),
        war=spread(float(each_war.mean()), np.stack(war, 1)[rows, drawn].mean(1)),
        uar=spread(float(each_uar.mean()), np.stack(uar, 1)[rows, drawn].mean(1)),
        each=tuple(float(value) for value in each_uar),
    )

"""Where annotators disagree, is the model unsure? Its probabilities against the shares of their votes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import entr, rel_entr
from scipy.stats import rankdata

from ifdd.errors import InputError
from ifdd.metrics import count_units
from workbench.analysis._clusters import spread
from workbench.analysis._inputs import check_names, check_probabilities
from workbench.analysis._result import Result
from workbench.analysis.calibration import TINY, calibration_error, choose_edges, error_draws, error_interval, reliability
from workbench.analysis.metrics import Interval, group_index
from workbench.provenance import Provenance, record

DRAWS = 1000
DIGITS = 10
"""Entropies that agree so far are one rank: what differs behind it is rounding."""


@dataclass(frozen=True, eq=False)
class AmbiguityResult(Result):
    """Votes against probabilities, for the n clips that have votes; `rows` says which clips those are.

    Entropies are divided by log C: 0 is one class, 1 all alike. `divergence` is KL(votes ‖ model) in nats, `distance` the total
    variation in [0, 1]. `support` is the share of votes that the predicted class has; per bin of confidence it is `mean_support`,
    and `soft_ece` is the calibration error against it instead of against one true class; a perfect model of clips with one vote
    each would have `soft_ece_null`.
    """

    label_names: tuple[str, ...]
    n_without_votes: int
    rows: np.ndarray  # (n,)
    vote_entropy: np.ndarray  # (n,)
    model_entropy: np.ndarray  # (n,)
    divergence: np.ndarray  # (n,)
    distance: np.ndarray  # (n,)
    support: np.ndarray  # (n,)
    correlation: Interval  # Spearman, of the entropies
    edges: np.ndarray  # (bins + 1,)
    counts: np.ndarray  # (bins,)
    mean_confidence: np.ndarray  # (bins,)
    mean_support: np.ndarray  # (bins,)
    soft_ece: float
    soft_ece_interval: Interval
    soft_ece_null: float
    notes: tuple[str, ...]
    provenance: Provenance

    @property
    def n(self) -> int:
        """Number of clips with votes."""
        return len(self.rows)

    @property
    def caption(self) -> str:
        """One sentence: n, rank correlation of the entropies, mean support, error against the votes."""
        return (
            f"n = {self.n}; rank correlation of the entropies {self.correlation.text()}, the predicted class has "
            f"{self.support.mean():.1%} of the votes, calibration error against the votes {self.soft_ece_interval.text('.3f')}"
        )


def ambiguity(
    probs: ArrayLike,
    votes: ArrayLike,
    label_names: Sequence[str] | None = None,
    *,
    groups: ArrayLike | None = None,
    bins: int | None = None,
    seed: int = 0,
) -> AmbiguityResult:
    """Compare probabilities (n, C) with the votes (n, C) of annotators, counts or shares, classes in the same order.

    Clips without a vote are left out and counted. The interval of the rank correlation is a bootstrap over clips, or over
    `groups` (n,).

    Raises: InputError for votes of another shape, negative or not finite, for no votes at all, no bins, and bad probabilities.
    Source: Peterson et al. 2019 (human label distributions); Baan et al. 2022 (calibration against votes).
    """
    p = check_probabilities(probs)
    names = check_names(label_names, p.shape[1])
    v = np.asarray(votes)
    if v.shape != p.shape or v.dtype.kind not in "fiu":
        raise InputError(f"votes has shape {v.shape} and type {v.dtype} for probs {p.shape}; pass one number per clip and class")
    bad = np.argwhere(~np.isfinite(v) | (v < 0))
    if bad.size:
        i, c = bad[0]
        raise InputError(f"votes[{i}] holds {v[i, c]} for {names[c]}; votes are counts, 0 or more")
    rows = np.flatnonzero(v.sum(axis=1) > 0)
    if not rows.size:
        raise InputError(f"none of the {len(v)} clips has a vote; check the columns of the votes")
    keys = None if groups is None else group_index(groups, len(p))[rows]
    p, q = p[rows], v[rows] / v[rows].sum(axis=1, keepdims=True)
    # sorted, so that the same shares have the same entropy to the last digit, whichever classes have them
    vote_entropy, model_entropy = (entr(np.sort(x, axis=1)).sum(axis=1) / np.log(p.shape[1]) for x in (q, p))
    winner = p.argmax(axis=1)
    support = q[np.arange(len(q)), winner]
    edges, _ = choose_edges(p.max(axis=1), bins, None)
    counts, confidence, mean_support = reliability(p.max(axis=1), support, edges)
    soft_ece = calibration_error(counts, confidence, mean_support)
    drawn, null = error_draws(p.max(axis=1), support, edges, count_units(keys, len(p)), seed)
    notes = [f"{name} have the same entropy in every clip: no correlation" for name, e in
             (("the votes", vote_entropy), ("the probabilities", model_entropy)) if np.ptp(e) < 1e-9]  # fmt: skip
    if (p[q > 0] < TINY).any():
        notes.append("a class with votes has probability 0: its divergence is taken at the smallest float32")
    return AmbiguityResult(
        label_names=names,
        n_without_votes=len(v) - len(rows),
        rows=rows,
        vote_entropy=vote_entropy,
        model_entropy=model_entropy,
        divergence=rel_entr(q, np.maximum(p, TINY)).sum(axis=1),
        distance=0.5 * np.abs(q - p).sum(axis=1),
        support=support,
        correlation=_rank_correlation(vote_entropy, model_entropy, keys, seed),
        edges=edges,
        counts=counts,
        mean_confidence=confidence,
        mean_support=mean_support,
        soft_ece=soft_ece,
        soft_ece_interval=error_interval(soft_ece, drawn),
        soft_ece_null=null,
        notes=tuple(notes),
        provenance=record("ambiguity", {"bins": bins, "seed": seed, "grouped": keys is not None}, {"probs": p, "votes": q}),
    )


def _rank_correlation(a: np.ndarray, b: np.ndarray, keys: np.ndarray | None, seed: int) -> Interval:
    """Spearman's correlation of (n,) and (n,), with a percentile interval over clips or groups."""
    members = np.arange(len(a)) if keys is None else np.unique(keys, return_inverse=True)[1]
    clips = [np.flatnonzero(members == group) for group in range(int(members.max()) + 1)]
    rng = np.random.default_rng(seed)
    samples = np.empty(DRAWS if len(clips) > 1 else 0)  # one group alone has no interval
    for i in range(len(samples)):
        drawn = np.concatenate([clips[g] for g in rng.integers(len(clips), size=len(clips))])
        samples[i] = _spearman(a[drawn], b[drawn])
    return spread(_spearman(a, b), samples)


def _spearman(a: np.ndarray, b: np.ndarray) -> float:
    if np.ptp(a) < 1e-9 or np.ptp(b) < 1e-9:
        return float("nan")
    return float(np.corrcoef(*(rankdata(np.round(x, DIGITS)) for x in (a, b)))[0, 1])

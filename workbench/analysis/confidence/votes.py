"""Where annotators disagree, is the model unsure? Its probabilities against the shares of their votes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import entr, rel_entr
from scipy.stats import rankdata

from ifdd.errors import InputError
from ifdd.metrics import count_units
from workbench.analysis.confidence.reliability import (
    TINY,
    calibration_error,
    choose_edges,
    error_draws,
    error_interval,
    reliability,
)
from workbench.analysis.confidence.results import AmbiguityResult
from workbench.analysis.performance.scores import group_index
from workbench.results.bootstrap import rows_of_groups, spread
from workbench.results.checks import check_names, check_probabilities
from workbench.results.interval import Interval
from workbench.results.provenance import record

DRAWS = 1000
DIGITS = 10
"""Entropies that agree so far are one rank: what differs behind it is rounding."""


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

    Raises:
        InputError: votes of another shape, negative or not finite, for no votes at all, no bins, and bad probabilities.

    Source: Peterson et al. 2019 (human label distributions); Baan et al. 2022 (calibration against votes).

    >>> found = ambiguity([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.8, 0.2]], [[5, 0], [3, 2], [1, 4], [0, 0]])
    >>> found.n, found.n_without_votes, found.support.tolist()
    (3, 1, [1.0, 0.6, 0.8])
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
    entropies = {"the votes": vote_entropy, "the probabilities": model_entropy}
    flat = [name for name, values in entropies.items() if np.ptp(values) < 1e-9]
    notes = [f"{name} have the same entropy in every clip: no correlation" for name in flat]
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
    clips = rows_of_groups(members)
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

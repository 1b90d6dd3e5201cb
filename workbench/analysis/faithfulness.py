"""Is the map true? Two tests that a map can fail, and the verdict that is shown beside it.

1. Deletion and insertion (`perturb_clips`): what the map calls important must move the score more than a random choice does.
2. Parameter randomisation (`parameter_randomisation`): the map must change when the network forgets what it learned.

Neither proves a map right; failing one proves it wrong. A third test, where there is a network trained on shuffled labels:
its maps must not be those of the trained one.
"""

from dataclasses import dataclass

import numpy as np

from workbench.analysis._result import Result
from workbench.analysis.channels import perturb_channels
from workbench.analysis.deletion_curves import PerturbationResult, PerturbationScore
from workbench.analysis.metrics import Interval
from workbench.analysis.perturbation import edge_map, perturb_clips
from workbench.analysis.randomisation import LIMIT, RandomisationResult, parameter_randomisation
from workbench.analysis.similarity import Similarity, similarity


@dataclass(frozen=True, eq=False)
class Verdict(Result):
    """Whether the maps of one method on one activation pass; a sentence for each test in `reasons`, those failed by name."""

    method: str
    activation: str
    passes: bool
    reasons: tuple[str, ...]
    failed: tuple[str, ...]
    matched: tuple[str, ...] = ()
    """Controls, which know nothing of the model, that the score follows as much as the map."""
    tested_on: str = ""
    """The clips of the tests, in words."""
    elsewhere: bool = False
    """Whether the verdict is shown with other clips than those, or with some of which nobody knows."""

    @property
    def badge(self) -> str:
        """A few words for a picture."""
        where = " (other clips)" if self.elsewhere else ""
        if not self.passes:
            return f"fails: {', '.join(self.failed)}{where}"
        others = f"{' and '.join(self.matched)} {'do' if len(self.matched) > 1 else 'does'}"
        return f"passes, but {others} as well{where}" if self.matched else f"passes both tests{where}"


def judge(
    method: str,
    activation: str,
    perturbation: PerturbationResult,
    randomisation: RandomisationResult,
    *,
    name: str | None = None,
    labels_at_random: Similarity | None = None,
) -> Verdict:
    """Join the tests; `name` is that of the maps in `perturbation`, by default the method.

    Raises: InputError for a name that is not there.
    """
    row = perturbation.score(name or method)
    follows = above_zero(row.gap) and above_zero(row.beyond_random)
    reasons, failed = [_followed(row, follows, perturbation)], [] if follows else ["deletion and insertion"]
    reasons.append(randomisation.reason)
    if not randomisation.passes:
        failed.append("parameter randomisation")
    if labels_at_random is not None:
        rank = labels_at_random.rank
        learned = (rank.value if np.isnan(rank.high) else rank.high) < LIMIT
        reasons.append(f"rank correlation with the maps of a network trained on shuffled labels: {rank.value:.2f}")
        if not learned:
            failed.append("shuffled labels")
    matched = [other.name for other in perturbation.scores if other.control and other.gap.value >= row.gap.value]
    return Verdict(method, activation, not failed, tuple(reasons), tuple(failed), tuple(matched))


def above_zero(interval: Interval) -> bool:
    """Whether a figure is above zero with its interval; without one (a single group) it shows nothing."""
    return bool(interval.low > 0)


def _followed(row: PerturbationScore, follows: bool, result: PerturbationResult) -> str:
    gap = f"gap {row.gap.text('.3f')}"
    does = "follows" if follows else "does not follow"
    text = f"the {result.kind} {does} the map more than a random order of {result.unit}: {gap}"
    best = max((other for other in result.scores if other.control), key=lambda other: other.gap.value)
    return f"{text}; the best control ({best.name}) has {best.gap.value:.3f}"


__all__ = [
    "LIMIT", "PerturbationResult", "PerturbationScore", "RandomisationResult", "Similarity", "Verdict", "above_zero", "edge_map",
    "judge", "parameter_randomisation", "perturb_channels", "perturb_clips", "similarity",
]  # fmt: skip

"""Is the map true? Two tests that a map can fail, and the verdict that is shown beside it.

1. Deletion and insertion (`perturb_clips`): what the map calls important must move the score more than a random choice does.
2. Parameter randomisation (`parameter_randomisation`): the map must change when the network forgets what it learned.

Neither proves a map right; failing one proves it wrong. A third test, where there is a network trained on shuffled labels:
its maps must not be those of the trained one.
"""

import numpy as np

from workbench.analysis.faithfulness.results import LIMIT, PerturbationResult, PerturbationScore, RandomisationResult
from workbench.analysis.saliency.results import Similarity, Verdict
from workbench.results.interval import Interval


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

    Raises:
        InputError: a name that is not there.

    >>> import torch
    >>> from workbench.analysis.faithfulness import parameter_randomisation, perturb_clips
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(96, 2))
    >>> clips = torch.rand(2, 3, 2, 4, 4)
    >>> brightness = clips.sum(1).numpy()  # knows nothing of the model
    >>> curves = perturb_clips(model, clips, {"brightness": brightness}, 0)
    >>> forgotten = parameter_randomisation(model, clips, lambda model, clips: brightness, "brightness", independent=False)
    >>> "parameter randomisation" in judge("brightness", "input", curves, forgotten).failed
    True
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

"""Small whole results, as commands store them, for tests of what reads them back."""

from typing import Any

import numpy as np

from workbench.analysis.counterfactuals.results import Effect
from workbench.analysis.disentanglement.results import DependenceResult, Scorecard, SplitQualityResult
from workbench.analysis.faithfulness.results import FaithfulnessReport, PerturbationResult
from workbench.analysis.performance.scores import summary
from workbench.analysis.saliency.results import Verdict
from workbench.results.interval import Interval
from workbench.results.provenance import record

MADE = record("test", {}, {})
CURVES = PerturbationResult("cells", "probability", "mean", 8, 3, np.linspace(0, 1, 3), (), 0.9, 0.1, MADE)


def faithfulness_report(checkpoint: str, sha256: str, *verdicts: Verdict, **about: Any) -> dict[str, Any]:
    """faithfulness.json of some verdicts."""
    return FaithfulnessReport(checkpoint, sha256, "d", 28, verdicts, CURVES, CURVES, {}, {}, {}, **about).to_dict()


def scorecard(value: float, split: bool = True) -> Scorecard:
    """A card on which all is `value` ± 0.1; without a split that of a baseline."""
    interval = Interval(value, value - 0.1, value + 0.1)
    scores = summary(np.arange(7), np.arange(7))
    metrics = type(scores)(**{**vars(scores), "war": interval, "uar": interval})
    shares = np.full((2, 2), 0.5)
    quality = SplitQualityResult((), shares, shares, interval, interval, {}, 7, 0, MADE)
    return Scorecard(
        checkpoint="tiny",
        sha256="f",
        clips=7,
        data_hash="d",
        metrics=metrics,
        split=quality if split else None,
        probes=None,
        leakage=interval,
        gap=interval if split else None,
        maps=None,
        dependence=DependenceResult(interval, 0.1, 7, MADE) if split else None,
        stability=None,
        levels={"none": metrics} if split else {},
        order=(Effect("shuffle", interval, interval),),
        patches=(),
        mixing=interval,
        chance_mixing=0.125,
        skipped=() if split else ("split quality: the model has no split",),
    )

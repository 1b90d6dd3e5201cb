"""A family of trained variants in one table: scores by suite, costs, what their split reads and their branches know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ifdd.checkpoints import Bundle
from ifdd.cost import cost
from ifdd.data.scripted import SuiteConfig, render_times, suite_scripts
from ifdd.data.scripted.script import Script
from ifdd.data.scripted.suites import factors
from ifdd.errors import InputError
from ifdd.modules.issm import sampling_weights
from workbench.analysis._result import Result
from workbench.analysis.dependence import dependence
from workbench.analysis.probes import probe_matrix
from workbench.analysis.split_content import content_score
from workbench.analysis.split_quality import split_quality
from workbench.reading import Reading
from workbench.robustness import CLIPS, IDENTITIES, SEED, RobustnessResult, measure_robustness
from workbench.scorecard import COLUMNS, EMOTION, IDENTITY, NUISANCES

SAMPLES = ("issm.sample_S", "issm.sample_D")
FEATURES = ("pyramid.X", "issm.X_S", "issm.X_D", "ladm.Y_S", "ladm.Y_D")
NAMES = (*SAMPLES, *FEATURES)
FINE = 64
"""Times at which a clip's true intensity is known; a multiple of every T' of the family."""


@dataclass(frozen=True, eq=False)
class Figure(Result):
    """A figure by seed; the table prints its mean and, where there are several, its smallest and largest."""

    each: tuple[float, ...]

    def __str__(self) -> str:
        """Mean (smallest – largest); a dash where it is not defined."""
        known = [value for value in self.each if np.isfinite(value)]
        if not known:
            return "–"
        text = f"{np.mean(known):.2f}"
        return text if len(known) < 2 else f"{text} ({min(known):.2f} – {max(known):.2f})"


@dataclass(frozen=True, eq=False)
class FamilyRow(Result):
    """One variant. `trained`: from scratch, tuned (the whole network, from a checkpoint) or frozen (what follows its backbone).

    `measures`, on one suite: mean true intensity that the dynamic group reads, as a share of the clip's maximum ("intensity
    read"); AUROC of its frames for the emotion and for its motion; standard deviation of the read places between clips, feature
    frames; R² of the places from the clip's content, on unseen people, and beyond identity; gap and leakage of linear probes;
    debiased CKA of the branches.
    """

    variant: str
    checkpoints: tuple[str, ...]
    trained: str
    shown: str
    parameters: int
    macs: int
    minutes: Figure
    validation: Figure
    measures: dict[str, Figure]


@dataclass(frozen=True, eq=False)
class FamilyResult(Result):
    """Rows in the order of the checkpoints, and the scores of all of them over the suites."""

    rows: tuple[FamilyRow, ...]
    robustness: RobustnessResult
    scored: str


def measure_family(
    bundles: Sequence[Bundle], suites: Sequence[str], scored: str, *, clips: int = CLIPS, identities: int = IDENTITIES,
    seed: int = SEED, cache: str | Path = "cache", batch: int = 16,
) -> FamilyResult:  # fmt: skip
    """Scores on every suite, and measures of split and branches on the suite `scored`, one of them.

    Raises: InputError as `measure_robustness`, or for a `scored` that is not among the suites.
    """
    if scored not in suites:
        raise InputError(f"suite {scored!r} is to be scored but not among the suites {', '.join(suites)}")
    found = measure_robustness(
        bundles, suites, clips=clips, identities=identities, seed=seed, cache=cache, batch=batch, names=NAMES
    )
    truth = _truth(SuiteConfig("benchmark", seed, clips, identities, "test", scored))
    readings = found.suite(scored).readings
    named = {bundle.name: bundle for bundle in bundles}
    rows = []
    for variant, members in found.members.items():
        own = [named[name] for name in members]
        each = [_measures(bundle, readings[bundle.name], truth, seed) for bundle in own]
        recipe = own[0].card.training.get("recipe", {})
        price = cost(own[0].model.config)
        rows.append(
            FamilyRow(
                variant=variant,
                checkpoints=members,
                trained=_trained(recipe),
                shown=_shown(recipe),
                parameters=price.parameters,
                macs=price.macs,
                minutes=Figure(tuple(float(b.card.training.get("minutes", float("nan"))) for b in own)),
                validation=Figure(tuple(float(b.card.metrics.get("val", {}).get("UAR", float("nan"))) for b in own)),
                measures={key: Figure(tuple(one.get(key, float("nan")) for one in each)) for key in MEASURES},
            )
        )
    return FamilyResult(tuple(rows), found, scored)


MEASURES = (
    "intensity read", "AUROC emotion", "AUROC motion", "spread of places", "content R²", "beyond identity",
    "gap", "leakage", "CKA",
)  # fmt: skip


def _trained(recipe: Mapping[str, object]) -> str:
    if recipe.get("init_from") is None:
        return "scratch"
    return "frozen" if recipe.get("freeze") == "backbone" else "tuned"


def _shown(recipe: Mapping[str, object]) -> str:
    if recipe.get("reads") == "truth":
        return "told the truth"
    return {"all": "", "one": "one frame", "shuffled": "shuffled"}[str(recipe.get("frames_shown", "all"))]


@dataclass(frozen=True)
class _Truth:
    intensity: np.ndarray  # (n, FINE)
    columns: dict[str, np.ndarray]
    persons: np.ndarray


def _truth(config: SuiteConfig) -> _Truth:
    scripts = suite_scripts(config)
    rows = [factors(script) for script in scripts]
    persons = np.array([str(script.identity) for script in scripts])
    columns: dict[str, np.ndarray] = {EMOTION: np.array([script.emotion for script in scripts]), IDENTITY: persons}
    for factor, column in COLUMNS.items():
        values = np.array([row[column] for row in rows])
        if factor == "talking":
            values = np.where(values > 0, "talks", "silent")
        if len(np.unique(values)) > 1:
            columns[factor] = values

    def times(script: Script) -> np.ndarray:
        return render_times(FINE, script.duration)

    return _Truth(np.stack([script.at(times(script)).intensity for script in scripts]), columns, persons)


def _measures(bundle: Bundle, reading: Reading, truth: _Truth, seed: int) -> dict[str, float]:
    found: dict[str, float] = {}
    features = {name: reading.activations[name] for name in FEATURES if name in reading.activations}
    branches = bundle.model.branches
    used = {branches[b] for b in branches} & set(features)
    probes = probe_matrix(
        {name: features[name] for name in sorted(used)}, truth.columns, truth.persons,
        identity=IDENTITY, across=EMOTION, resamples=100, seed=seed,
    )  # fmt: skip
    nuisances = [name for name in NUISANCES if name in truth.columns]
    found["leakage"] = probes.leakage(branches.get("D", branches.get("X", "")), nuisances).value
    if "D" not in branches:
        return found
    found["gap"] = probes.gap(branches["D"], branches["S"], EMOTION, nuisances).value
    found["CKA"] = dependence(features[branches["D"]], features[branches["S"]]).cka.value
    steps = bundle.model.config.feature_frames
    samples = [torch.from_numpy(reading.activations[name]) for name in SAMPLES]
    static, dynamic = (sampling_weights(sample, steps).numpy() for sample in samples)
    quality = split_quality(
        dynamic, static, truth.intensity, groups=truth.persons, offset_range=bundle.model.config.offset_range, seed=seed
    )
    found["intensity read"] = quality.intensity_D.value
    found["AUROC emotion"] = quality.score("model", "intensity").auroc.value
    found["AUROC motion"] = quality.score("model", "motion").auroc.value
    places = torch.cat(samples, 1).numpy()
    found["spread of places"] = float(np.sqrt(places.var(0).mean()))
    if places.var(0).max() > 1e-12:
        content = content_score("pyramid.X", features["pyramid.X"], places, groups=truth.persons, seed=seed)
        found["content R²"], found["beyond identity"] = content.r2.value, content.within.value
    return found

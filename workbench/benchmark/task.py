"""A family of trained variants in one table: scores by suite, costs, what their split reads and their branches know."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ifdd.checkpoints import Bundle
from ifdd.control import Control
from ifdd.errors import InputError
from ifdd.io import filled_folder, write_text
from ifdd.models.cost import cost
from ifdd.modules.issm import sampling_weights
from ifdd.scripted import SuiteConfig, render_times, suite_scripts
from ifdd.scripted.script.script import Script
from ifdd.scripted.suites import factors
from ifdd.training.backbone_cache import as_stages, read_stages
from ifdd.training.clipsets import from_suite, shown_to
from ifdd.training.controls import oracle_places, truth_places
from ifdd.training.order import ordered_batches
from workbench.analysis.disentanglement.cka import dependence
from workbench.analysis.disentanglement.factors import COLUMNS, EMOTION, IDENTITY, NUISANCES
from workbench.analysis.disentanglement.frames_read import split_quality
from workbench.analysis.disentanglement.place_swap import predict_with_places, score_places
from workbench.analysis.disentanglement.probes import probe_matrix
from workbench.analysis.disentanglement.results import GROUPS, OTHERS, PlaceSwapResult
from workbench.analysis.splits.content import INTENSITY, content_score, per_frame
from workbench.analysis.splits.results import CONTENT
from workbench.benchmark.displays.robustness import RobustnessDisplay
from workbench.benchmark.displays.table import family_markdown
from workbench.benchmark.results import (
    MEASURES,
    NO_PLACES,
    OTHERS_CONTROL,
    TOLD_CONTROL,
    UNIFORM_CONTROL,
    FamilyResult,
    FamilyRow,
    Figure,
)
from workbench.benchmark.robustness import CLIPS, IDENTITIES, SEED, measure_robustness
from workbench.results.controls import dealt_clips
from workbench.results.interval import Interval
from workbench.results.passport import PYTHON_CALL, Context
from workbench.store.layout import BENCHMARK
from workbench.store.reading import Reading

FEATURES = ("X", "read", "branch")
"""Roles of the activations that are measured."""
FINE = 64
"""Times at which a clip's true intensity is known; a multiple of every T' of the family."""


def run(
    bundles: Sequence[Bundle],
    suites: Sequence[str],
    scored: str,
    *,
    clips: int = CLIPS,
    identities: int = IDENTITIES,
    seed: int = SEED,
    cache: str | Path = "cache",
    batch: int = 16,
) -> FamilyResult:
    """Scores on every suite, and measures of split and branches on the suite `scored`, one of them.

    Raises: InputError as `measure_robustness`, or for a `scored` that is not among the suites.
    """
    if scored not in suites:
        raise InputError(f"suite {scored!r} is to be scored but not among the suites {', '.join(suites)}")
    kept = [name for bundle in bundles for name in (*bundle.model.with_roles("sample"), *bundle.model.with_roles(*FEATURES))]
    found = measure_robustness(
        bundles, suites, clips=clips, identities=identities, seed=seed, cache=cache, batch=batch, names=list(dict.fromkeys(kept))
    )
    config = SuiteConfig("benchmark", seed, clips, identities, "test", scored)
    truth = _truth(config)
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
                shown=_shown(own[0].card.control),
                parameters=price.parameters,
                macs=price.macs,
                minutes=Figure(tuple(float(b.card.training.get("minutes", float("nan"))) for b in own)),
                validation=_of_cards(own, "val"),
                test=_of_cards(own, "test"),
                measures={key: _joined([one.get(key) for one in each]) for key in MEASURES},
                places=_places(own, config, Path(cache), batch, truth.persons),
            )
        )
    first = next((bundle for bundle in bundles if "split" in bundle.model.capabilities), None)
    features = None if first is None else readings[first.name].activations[first.model.with_roles("X")[0]]
    return FamilyResult(tuple(rows), found, scored, _controls(features, truth, seed))


def write(result: FamilyResult, out: Path, context: Context = PYTHON_CALL) -> list[Path]:
    """Write benchmark.json, benchmark.md and the curves into `out`, all or none; returns the files.

    Raises: InputError if `out` is a file, or if the disk refuses.
    """
    picture = RobustnessDisplay.from_result(result.robustness)
    with filled_folder(out, last=BENCHMARK) as work:
        for suffix in ("png", "svg"):
            picture.save(work / f"robustness.{suffix}", context=context)
        write_text(work / "benchmark.md", family_markdown(result))
        write_text(work / BENCHMARK, json.dumps(result.to_dict(), indent=2, ensure_ascii=False) + "\n")
        names = sorted(file.name for file in work.iterdir())
    return [out / name for name in names]


_Found = tuple[Interval, float]
"""A measure with its interval over persons, and its null."""


def _joined(found: Sequence[_Found | None]) -> Figure:
    nothing = Interval(float("nan"), float("nan"), float("nan")), float("nan")
    known = [one or nothing for one in found]
    return Figure(
        tuple(value.value for value, _ in known),
        tuple((value.low, value.high) for value, _ in known),
        tuple(null for _, null in known),
    )


def _of_cards(bundles: Sequence[Bundle], split: str) -> Figure:
    """UAR on a split of each checkpoint's own data, with the interval of its card."""
    found = [bundle.card.metrics.get(split, {}) for bundle in bundles]
    bounds = [one.get("intervals", {}).get("UAR", (float("nan"), float("nan"))) for one in found]
    return Figure(
        tuple(float(one.get("UAR", float("nan"))) for one in found), tuple((float(low), float(high)) for low, high in bounds)
    )


def _places(bundles: Sequence[Bundle], config: SuiteConfig, cache: Path, batch: int, persons: np.ndarray) -> PlaceSwapResult:
    """UAR with replaced places, over the seeds of one variant."""
    if "split" not in bundles[0].model.capabilities:
        return NO_PLACES
    found, labels = [], np.empty(0)
    for bundle in bundles:
        model, own = bundle.model, bundle.preprocessing
        clips = from_suite(config, own.frames, own.size, cache)
        stages, device = read_stages(model, clips, cache), next(model.parameters()).device
        batches = [as_stages(stages, index, device) for index in ordered_batches(len(clips), batch)]
        told = truth_places(clips.intensity, config.seed) if clips.intensity is not None else None
        found.append(
            predict_with_places(
                model, batches, told=told, own=shown_to(bundle.card, clips).places, groups=persons, seed=config.seed
            )
        )
        labels = clips.target
    return score_places(found, labels, groups=persons)


def _trained(recipe: Mapping[str, object]) -> str:
    if recipe.get("init_from") is None:
        return "scratch"
    return "frozen" if recipe.get("freeze") == "backbone" else "tuned"


def _shown(control: Control) -> str:
    if control.places == "truth":
        return "told the truth"
    return {"all": "", "one": "one frame", "shuffled": "shuffled"}[control.frames]


@dataclass(frozen=True, eq=False)
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


def _measures(bundle: Bundle, reading: Reading, truth: _Truth, seed: int) -> dict[str, _Found]:
    features = {name: reading.activations[name] for name in bundle.model.with_roles(*FEATURES)}
    branches = bundle.model.branches
    if len(branches) > 1 and "D" not in branches:
        return {}  # streams are no halves of a split
    # probes and CKA are of means over all positions
    means = {name: features[name] if features[name].ndim == 2 else features[name].mean(2) for name in branches.values()}
    found = _held(means, branches, truth, seed)
    if "split" in bundle.model.capabilities:
        samples = [reading.activations[name] for name in bundle.model.with_roles("sample")]
        found |= _read(samples, features[bundle.model.with_roles("X")[0]], truth, bundle.model.config.offset_range, seed)
    return found


def _held(means: Mapping[str, np.ndarray], branches: Mapping[str, str], truth: _Truth, seed: int) -> dict[str, _Found]:
    """What the branches hold; `means` (n, C) by feature, `branches` which of them are D and S, or X."""
    probes = probe_matrix(means, truth.columns, truth.persons, identity=(IDENTITY, EMOTION), resamples=100, shuffles=1, seed=seed)
    nuisances = [name for name in NUISANCES if name in truth.columns]
    found: dict[str, _Found] = {}
    for branch, feature in branches.items():
        group = "S" if branch == "S" else "D"
        emotion = probes.probe(feature, EMOTION)
        found[f"emotion {group}"] = emotion.score, emotion.null
        found[f"leakage {group}"] = probes.leakage(feature, nuisances), probes.leakage_null(feature, nuisances)
    if "D" in branches:
        dynamic, static = branches["D"], branches["S"]
        which = dynamic, static, EMOTION, nuisances
        found["gap"] = probes.gap(*which), probes.gap_null(*which)
        shared = dependence(means[dynamic], means[static], groups=truth.persons)
        found["CKA"] = shared.cka, shared.null
    return found


def _read(samples: Sequence[np.ndarray], features: np.ndarray, truth: _Truth, reach: float, seed: int) -> dict[str, _Found]:
    """What the split reads: places (n, K) of S and D, and X averaged over space (n, C, T')."""
    found: dict[str, _Found] = {}
    steps = features.shape[2]
    static, dynamic = (sampling_weights(torch.from_numpy(np.array(sample, np.float64)), steps).numpy() for sample in samples)
    quality = split_quality(dynamic, static, truth.intensity, groups=truth.persons, offset_range=reach, seed=seed)
    for group in ("D", "S"):
        own = quality.intensity_D if group == "D" else quality.intensity_S
        found[f"intensity {group}"] = own, quality.intensity_reference[f"{group}, {OTHERS}"].value
        motion, null = (quality.score(reader, "motion", group=group).auroc for reader in ("model", OTHERS))
        found[f"AUROC motion {group}"] = motion, null.value
    for whose in GROUPS:
        area, null = (quality.score(reader, "intensity", group=whose).auroc for reader in ("model", OTHERS))
        found[f"AUROC {whose}"] = area, null.value
    places = np.concatenate(samples, 1).astype(np.float64)
    nothing = float("nan")
    found["spread of places"] = Interval(float(np.sqrt(places.var(0).mean())), nothing, nothing), nothing
    if places.var(0).max() > 1e-12:
        content = content_score(CONTENT, per_frame(features), places, groups=truth.persons, seed=seed)
        found["content R²"] = content.r2, content.null
        found["beyond identity"] = content.within, content.within_null
        shown = truth.intensity.reshape(len(places), steps, -1).mean(2)
        follows = content_score(INTENSITY, shown, places, groups=truth.persons, seed=seed)
        found["intensity R²"] = follows.r2, follows.null
    return found


def _controls(features: np.ndarray | None, truth: _Truth, seed: int) -> dict[str, dict[str, Figure]]:
    """What the measures say of places and branches that are known: told the truth, told of other clips, reading all frames alike.

    Content is regressed on `features` (n, C, T'), the X of the family's first split.
    """
    n, rng = len(truth.persons), np.random.default_rng([seed, 53])
    people = np.unique(truth.persons, return_inverse=True)[1]
    parts: list[np.ndarray] = [rng.normal(size=(people.max() + 1, 24))[people]]
    for name in NUISANCES:
        if name in truth.columns and name != IDENTITY:
            column = truth.columns[name]
            codes = column[:, None] if column.dtype.kind == "f" else column[:, None] == np.unique(column)
            parts.append((codes - codes.mean(0)) / codes.std(0))
    emotion = (truth.columns[EMOTION][:, None] == np.unique(truth.columns[EMOTION])).astype(float)
    faint = 0.01 * rng.normal(size=(2, n, 40))
    dynamic, static = faint[0], faint[1]
    dynamic[:, : emotion.shape[1]] += emotion
    known = np.concatenate(parts, 1)
    static = np.concatenate([known, static], 1)
    told = _held({"D": dynamic, "S": static}, {"D": "D", "S": "S"}, truth, seed)
    told["CKA"] = dependence(static, static, groups=truth.persons).cka, told["CKA"][1]
    other = dealt_clips(n, 1, seed)[0]  # clips of one person must not go to another one together: that is as easily known
    astray = _held({"D": dynamic[other], "S": static[other]}, {"D": "D", "S": "S"}, truth, seed)
    del astray["CKA"]  # of two features that were exchanged alike
    controls = {TOLD_CONTROL: told, OTHERS_CONTROL: astray}
    if features is None:
        return {name: {key: _joined([found.get(key)]) for key in MEASURES} for name, found in controls.items()}
    steps = features.shape[2]
    places = oracle_places(truth.intensity.reshape(n, steps, -1).mean(2), seed)
    told |= _read([places[:, 0], places[:, 1]], features, truth, steps, seed)
    every = np.broadcast_to(np.arange(steps, dtype=float), (n, steps))
    uniform = _read([every, every], features, truth, steps, seed)
    controls[UNIFORM_CONTROL] = {key: value for key, value in uniform.items() if key.startswith(("intensity ", "AUROC "))}
    return {name: {key: _joined([found.get(key)]) for key in MEASURES} for name, found in controls.items()}

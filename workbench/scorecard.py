"""Is the disentanglement of a checkpoint real? All measures on one set of clips, with what could not be measured and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from ifdd.checkpoints import Bundle
from ifdd.data.manifest import data_hash, read_manifest
from ifdd.errors import InputError
from workbench.analysis import interventions
from workbench.analysis._result import Result
from workbench.analysis.disentanglement import (
    DependenceResult,
    LocalisationResult,
    ProbeMatrix,
    SplitQualityResult,
    dependence,
    localisation,
    probe_matrix,
    split_quality,
)
from workbench.analysis.metrics import Interval, MetricsResult, summary
from workbench.analysis.saliency import gradcam_branches
from workbench.analysis.splits import from_activations
from workbench.collect import collect, load_row
from workbench.collection import Collection, open_collection
from workbench.truth import has_truth, true_intensity, true_masks

FEATURES = ("pyramid.X", "issm.X_S", "issm.X_D", "ladm.Y_S", "ladm.detail", "ladm.Y_D", "head.embedding")
"""Probed where a model has them, averaged over positions."""

EMOTION, IDENTITY = "emotion", "identity"
COLUMNS = {"intensity": "peak", "pose": "yaw_deg", "light": "light_azimuth", "talking": "talking_share", "scene": "background"}
"""Factors beside emotion and identity → the manifest's column, where it has it."""

NUISANCES = (IDENTITY, "pose", "light", "talking", "scene")
MIXED = 4
"""Clips on which temporal mixing is measured; it takes a backward pass for each feature frame."""

FEWEST = 14
"""Clips of a level that are scored on their own."""

LEVELS = ((0.0, "none"), (0.25, "to 25 %"), (0.5, "to 50 %"), (1.0, "above 50 %"))
"""Upper ends of the irrelevant share, and how the rows are called."""


@dataclass(frozen=True, eq=False)
class Scorecard(Result):
    """Measures of one checkpoint; None where `skipped` says why. `gap` and `leakage` are of the model's branches; `levels`
    are the metrics by share of irrelevant frames, where the manifest knows it.

    `mixing`: share of what a feature frame sees that lies in its own clip frames; `chance_mixing` if it saw all alike.
    """

    checkpoint: str
    sha256: str
    clips: int
    data_hash: str
    metrics: MetricsResult
    split: SplitQualityResult | None
    probes: ProbeMatrix | None
    leakage: Interval | None
    gap: Interval | None
    maps: LocalisationResult | None
    dependence: DependenceResult | None
    stability: interventions.Stability | None
    levels: dict[str, MetricsResult]
    order: tuple[interventions.Effect, ...]
    patches: tuple[interventions.Effect, ...]
    mixing: Interval
    chance_mixing: float
    skipped: tuple[str, ...]


def make_scorecard(
    bundle: Bundle,
    manifest: str | Path,
    folder: str | Path,
    *,
    factors: Sequence[str] = (),
    maps: int = 42,
    seed: int = 0,
    batch: int = 8,
) -> Scorecard:
    """Measure `bundle` on the clips of `manifest`; what is collected is kept in the folder `folder` and used again.

    `factors` are further columns to probe; `maps` clips are explained and intervened on. Split quality and localisation need the
    truth of scripted clips; the rest works on any corpus.
    Raises: InputError as `collect`, for a column that is not there, or a truth that cannot be read.
    """
    clips = read_manifest(manifest)
    if missing := [name for name in factors if name not in clips]:
        raise InputError(f"{manifest} has no column {missing[0]!r}; it has {', '.join(clips.columns)}")
    model, folder = bundle.model.eval(), Path(folder)
    wanted = (*FEATURES, *(f"issm.{what}_{group}" for what in ("position", "sample") for group in "SD"))
    names = [name for name in wanted if name in model.activation_names]
    found = open_collection(folder, bundle) if folder.is_dir() else collect(bundle, manifest, folder, names, "mean", batch=batch)
    if found.meta["data"]["hash"] != data_hash(clips) or set(found.activation_names) != set(names):
        raise InputError(f"{folder} was collected from other clips or activations; remove it or choose another folder")
    groups = clips["subject"].astype(str).to_numpy()
    skipped: list[str] = []
    columns = _factors(clips, factors, skipped)
    probes = None
    if len(set(groups)) > 1:
        probes = probe_matrix(
            {name: np.asarray(found.activation(name), np.float64) for name in names if name in FEATURES},
            columns, groups, seed=seed,
            identity=IDENTITY if IDENTITY in columns else None, across=EMOTION if IDENTITY in columns else None,
        )  # fmt: skip
    else:
        skipped.append("probes: all clips are of one person")
    branches = model.branches
    nuisances = [name for name in NUISANCES if name in columns]
    leakage = gap = None
    if probes is not None and nuisances:
        leakage = probes.leakage(branches.get("D", branches.get("X", "")), nuisances)
        if "D" in branches:
            gap = probes.gap(branches["D"], branches["S"], EMOTION, nuisances)
    rows = _spread_over(clips, maps)
    tensors = torch.stack([load_row(clips, row, bundle) for row in rows.to_dict("records")])
    tensors = tensors.to(next(model.parameters()).device)
    some = rows["subject"].astype(str).to_numpy()
    mixing = interventions.temporal_mixing(model, tensors[:MIXED], seed=seed).mean(1)
    return Scorecard(
        checkpoint=bundle.name,
        sha256=bundle.card.sha256,
        clips=len(clips),
        data_hash=data_hash(clips),
        metrics=summary(found.probs.argmax(1), found.predictions["label"].to_numpy(), found.labels, seed=seed, groups=groups),
        split=_split(bundle, clips, found, groups, skipped, seed),
        probes=probes,
        leakage=leakage,
        gap=gap,
        maps=_maps(bundle, rows, tensors, some, skipped, seed),
        dependence=_dependence(found, branches, groups, skipped),
        stability=interventions.split_stability(model, tensors, groups=some, batch=batch, seed=seed) if "D" in branches else None,
        levels=_by_level(clips, found, seed),
        order=interventions.order_sensitivity(model, tensors, groups=some, batch=batch, seed=seed),
        patches=interventions.patch_between_clips(model, tensors, groups=some, batch=batch, seed=seed),
        mixing=Interval(float(mixing.mean()), float(mixing.min()), float(mixing.max())),
        chance_mixing=1 / model.config.feature_frames,
        skipped=tuple(skipped),
    )


def _factors(clips: pd.DataFrame, more: Sequence[str], skipped: list[str]) -> dict[str, np.ndarray]:
    found = {EMOTION: clips["label_name"].to_numpy(str), IDENTITY: clips["subject"].to_numpy(str)}
    for factor, column in COLUMNS.items():
        if factor == "scene" and "scene" in clips and clips["scene"].nunique() > 1:
            column = "scene"  # its polarity, where backgrounds tell one
        if column in clips:
            values = clips[column].to_numpy()
            found[factor] = np.where(values > 0, "talks", "silent") if factor == "talking" else values
    found |= {name: clips[name].to_numpy() for name in more}
    for name, values in list(found.items()):
        found[name] = values = values.astype(str) if values.dtype == object else values
        if len(np.unique(values[~pd.isna(values)])) < 2:
            skipped.append(f"probe of {name}: it has one value in these clips")
            del found[name]
    if EMOTION not in found:
        raise InputError("all clips show one emotion; the scorecard needs at least two")
    emotions = clips.groupby("subject")["label_name"].nunique()
    if IDENTITY in found and (emotions < 2).any():
        skipped.append("probe of identity: some people show one emotion alone, so they cannot be known through another one")
        del found[IDENTITY]
    return found


def _spread_over(clips: pd.DataFrame, count: int) -> pd.DataFrame:
    """Some clips, evenly over the manifest, those of each class alike."""
    order = clips.groupby("label_name").cumcount().sort_values(kind="stable").index
    return clips.loc[sorted(order[:count])]


def _levels(clips: pd.DataFrame) -> np.ndarray | None:
    """Name of each clip's share of irrelevant frames."""
    if "irrelevant_share" not in clips:
        return None
    share = clips["irrelevant_share"].to_numpy(float)
    return np.select([share <= end for end, _ in LEVELS], [name for _, name in LEVELS], LEVELS[-1][1])


def _by_level(clips: pd.DataFrame, found: Collection, seed: int) -> dict[str, MetricsResult]:
    """Metrics of the clips of each level that has enough of them."""
    names = _levels(clips)
    if names is None:
        return {}
    guess, truth = found.probs.argmax(1), found.predictions["label"].to_numpy()
    groups = clips["subject"].astype(str).to_numpy()
    counts = {name: names == name for _, name in LEVELS}
    return {
        name: summary(guess[inside], truth[inside], found.labels, seed=seed, groups=groups[inside])
        for name, inside in counts.items()
        if inside.sum() >= FEWEST and len(set(groups[inside])) > 1
    }


def _split(
    bundle: Bundle, clips: pd.DataFrame, found: Collection, groups: np.ndarray, skipped: list[str], seed: int
) -> SplitQualityResult | None:
    config = bundle.model.config
    if config.split == "none":
        skipped.append("split quality: a baseline has no split")
        return None
    if not has_truth(clips):
        skipped.append("split quality: the manifest names no truth; it is known for scripted clips alone")
        return None
    steps = config.feature_frames
    cache = {
        name: torch.from_numpy(np.array(found.activation(name))).float() for name in found.activation_names if "issm." in name
    }
    initial = {group: torch.arange(first, steps, 2).float() for group, first in (("S", 0), ("D", 1))}
    result = from_activations(cache, initial, config.frames)
    difference = np.empty((len(clips), steps))
    for i, row in enumerate(tqdm(clips.to_dict("records"), desc="frame differences", unit="clip", disable=None, leave=False)):
        change = load_row(clips, row, bundle).diff(dim=1).abs().mean((0, 2, 3))
        padded = torch.cat((change[:1], change)).numpy()
        difference[i] = padded.reshape(steps, -1).mean(1)
    return split_quality(
        result.weights_D, result.weights_S, true_intensity(clips, steps), groups=groups, levels=_levels(clips),
        frame_difference=difference, offset_range=config.offset_range, seed=seed,
    )  # fmt: skip


def _maps(
    bundle: Bundle, rows: pd.DataFrame, tensors: Tensor, groups: np.ndarray, skipped: list[str], seed: int
) -> LocalisationResult | None:
    if not has_truth(rows):
        skipped.append("localisation: the manifest names no truth; it is known for scripted clips alone")
        return None
    config = bundle.model.config
    masks = true_masks(rows, config.frames, config.size)
    if not masks.any():
        skipped.append("localisation: the emotion moves nothing in the chosen clips")
        return None
    found: dict[str, list[np.ndarray]] = {branch: [] for branch in bundle.model.branches}
    bar = tqdm(
        zip(tensors, rows["label_name"], strict=True), desc="maps", unit="clip", total=len(rows), disable=None, leave=False
    )
    for clip, label in bar:
        for branch, result in gradcam_branches(bundle.model, clip[None], bundle.labels.index(label)).items():
            found[branch].append(result.frames[0])
    pixels = tensors.permute(0, 2, 3, 4, 1).cpu().numpy()
    return localisation({name: np.stack(maps) for name, maps in found.items()}, masks, pixels=pixels, groups=groups, seed=seed)


def _dependence(found: Collection, branches: dict[str, str], groups: np.ndarray, skipped: list[str]) -> DependenceResult | None:
    if "D" not in branches:
        skipped.append("dependence: a baseline has one branch")
        return None
    return dependence(*(np.asarray(found.activation(branches[name]), np.float64) for name in "DS"), groups=groups)

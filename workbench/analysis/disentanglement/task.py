"""Is the disentanglement of a checkpoint real? All measures on one set of clips, with what could not be measured and why."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from ifdd.checkpoints import Bundle
from ifdd.data.manifest import data_hash, of_each_class, read_manifest
from ifdd.data.persons import person_ids
from ifdd.errors import InputError
from ifdd.inputs import Clips, each, of_input, stack
from ifdd.scripted import DIFFICULTIES, SUITES, class_note
from workbench.analysis.counterfactuals import interventions
from workbench.analysis.disentanglement import (
    DependenceResult,
    LocalisationResult,
    SplitQualityResult,
    dependence,
    localisation,
    probe_matrix,
    split_quality,
)
from workbench.analysis.disentanglement.results import Scorecard
from workbench.analysis.performance.results import MetricsResult
from workbench.analysis.performance.scores import summary
from workbench.analysis.saliency.maps import gradcam_branches
from workbench.analysis.splits.inspection import from_activations, split_activations
from workbench.results.bootstrap import draw_weights, mean_interval
from workbench.store.collecting import collect, load_row, reading_hash
from workbench.store.collection import Collection, open_collection
from workbench.store.tables import persons, subjects
from workbench.store.truth import has_truth, true_intensity, true_masks

FEATURES = ("X", "read", "branch", "detail", "embedding")
"""Roles of the activations that are probed, averaged over positions."""

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
    probed = model.with_roles(*FEATURES)
    names = (*probed, *model.with_roles("position"), *model.with_roles("sample"))
    found = open_collection(folder, bundle) if folder.is_dir() else collect(bundle, manifest, folder, names, "mean", batch=batch)
    kept = found.meta["data"]["hash"], found.meta["data"].get("reading"), found.meta["pool"], set(found.activation_names)
    if kept != (data_hash(clips), reading_hash(clips), "mean", set(names)):
        raise InputError(f"{folder} was collected from other clips or activations; remove it or choose another folder")
    whole = data_hash(clips)
    clips, attrs = clips[clips["clip_id"].isin(found.predictions["clip_id"])].reset_index(drop=True), clips.attrs
    clips.attrs = attrs
    groups = persons(clips)
    skipped: list[str] = list(found.notes)
    columns = _factors(clips, factors, groups, skipped)
    probes = None
    if groups is not None:
        probes = probe_matrix(
            {name: np.asarray(found.activation(name), np.float64) for name in probed},
            columns, groups, seed=seed,
            identity=IDENTITY if IDENTITY in columns else None, across=EMOTION if IDENTITY in columns else None,
        )  # fmt: skip
    else:
        skipped.append("probes: the manifest names no two subjects, so no person can be held out")
    branches = model.branches
    nuisances = [name for name in NUISANCES if name in columns]
    if "scene" in columns and _scene_column(clips) == "scene":
        nuisances.remove("scene")  # it goes with the emotion, or against it: what knows one knows the other
        skipped.append("scene in leakage and gap: in these clips it goes with the emotion")
    leakage = leakage_null = leakage_told = gap = gap_null = gap_told = None
    if probes is not None and not nuisances:
        skipped.append("leakage and gap: the manifest has no factor beside the emotion")
    if probes is not None and nuisances:
        feature = branches.get("D", next(iter(branches.values())))
        leakage, leakage_null = probes.leakage(feature, nuisances), probes.leakage_null(feature, nuisances)
        leakage_told = float(np.mean([probes.told[name].value for name in nuisances]))
        if "D" in branches:
            which = branches["D"], branches["S"], EMOTION, nuisances
            gap, gap_null, gap_told = probes.gap(*which), probes.gap_null(*which), probes.gap_told(EMOTION, nuisances)
    rows = of_each_class(clips, maps)
    place = next(model.parameters()).device
    tensors = each(stack([load_row(clips, row, bundle) for row in rows.to_dict("records")]), lambda part: part.to(place))
    some = persons(rows)
    mixing = None
    if model.with_roles("X"):
        shares = interventions.temporal_mixing(model, of_input(tensors, None)[:MIXED], seed=seed).mean(1)
        mixing = mean_interval(shares, draw_weights(np.arange(len(shares)), 1000, seed))
    else:
        skipped.append("temporal mixing: the model has no X, the features that all branches are made of")
    return Scorecard(
        checkpoint=bundle.name,
        sha256=bundle.card.sha256,
        clips=len(clips),
        data_hash=whole,
        metrics=summary(found.probs.argmax(1), found.predictions["label"].to_numpy(), found.labels, groups=subjects(clips)),
        split=_split(bundle, clips, found, groups, skipped, seed),
        probes=probes,
        leakage=leakage,
        leakage_null=leakage_null,
        leakage_told=leakage_told,
        gap=gap,
        gap_null=gap_null,
        gap_told=gap_told,
        maps=_maps(bundle, rows, tensors, some, skipped, seed),
        dependence=_dependence(found, branches, groups, skipped),
        stability=interventions.split_stability(model, of_input(tensors, None), groups=some, batch=batch, seed=seed)
        if "split" in model.capabilities
        else None,
        levels=_by_level(clips, found, groups),
        order=interventions.order_sensitivity(model, tensors, groups=some, batch=batch, seed=seed),
        patches=interventions.patch_between_clips(model, tensors, groups=some, batch=batch, seed=seed),
        mixing=mixing,
        chance_mixing=1 / model.config.feature_frames if mixing else None,
        skipped=tuple(skipped),
        notes=_notes(clips),
    )


def _notes(clips: pd.DataFrame) -> tuple[str, ...]:
    """What the suites of scripted clips tell of the class."""
    if "suite" not in clips or not has_truth(clips):
        return ()
    known = [name for name in clips["suite"].dropna().astype(str).unique() if name in {**DIFFICULTIES, **SUITES}]
    return tuple(note for name in known if (note := class_note(name)))


def _scene_column(clips: pd.DataFrame) -> str:
    """The polarity that scenes tell, where they tell one; else the kind of background."""
    return "scene" if "scene" in clips and clips["scene"].nunique() > 1 else COLUMNS["scene"]


def _factors(clips: pd.DataFrame, more: Sequence[str], groups: np.ndarray | None, skipped: list[str]) -> dict[str, np.ndarray]:
    """Columns to probe; those that cannot be, with the reason in `skipped`."""
    wanted = {EMOTION: "label_name", IDENTITY: "subject"} | COLUMNS | {"scene": _scene_column(clips)} | {n: n for n in more}
    found = {}
    for factor, column in wanted.items():
        if column not in clips:
            skipped.append(f"probe of {factor}: the manifest has no column {column}")
            continue
        series = pd.Series(person_ids(clips[column]), clips.index) if factor == IDENTITY else clips[column]
        if factor == "talking":
            series = (series > 0).map({True: "talks", False: "silent"})
        numeric = pd.api.types.is_numeric_dtype(series)
        if series.isna().any() and not numeric:
            skipped.append(f"probe of {factor}: {column} is empty for {int(series.isna().sum())} clips")
            continue
        values = series.to_numpy(np.float64 if numeric and not pd.api.types.is_bool_dtype(series) else str)
        if len(np.unique(values[~pd.isna(series)])) < 2:
            skipped.append(f"probe of {factor}: it has one value in these clips")
        elif factor != IDENTITY and groups is not None and (few := _held_by_one(values, series.notna().to_numpy(), groups)):
            skipped.append(f"probe of {factor}: {few} is of one person alone, who cannot be held out")
        else:
            found[factor] = values
    if EMOTION not in found:
        raise InputError("all clips show one emotion; the scorecard needs at least two")
    emotions = clips.groupby(person_ids(clips["subject"]))["label_name"].nunique()
    if IDENTITY in found and (emotions < 2).any():
        skipped.append("probe of identity: some people show one emotion alone, so they cannot be known through another one")
        del found[IDENTITY]
    return found


def _held_by_one(values: np.ndarray, known: np.ndarray, groups: np.ndarray) -> str:
    """A class that one group alone has (of numbers: all that is known), or ''."""
    if values.dtype.kind == "f":
        return "all that is known" if len(set(groups[known])) < 2 else ""
    return next((str(value) for value in np.unique(values) if len(set(groups[values == value])) < 2), "")


def _levels(clips: pd.DataFrame) -> np.ndarray | None:
    """Name of each clip's share of irrelevant frames."""
    if "irrelevant_share" not in clips:
        return None
    share = clips["irrelevant_share"].to_numpy(float)
    return np.select([share <= end for end, _ in LEVELS], [name for _, name in LEVELS], "unknown")


def _by_level(clips: pd.DataFrame, found: Collection, groups: np.ndarray | None) -> dict[str, MetricsResult]:
    """Metrics of the clips of each level that has enough of them."""
    names = _levels(clips)
    if names is None:
        return {}
    guess, truth = found.probs.argmax(1), found.predictions["label"].to_numpy()
    counts = {name: names == name for _, name in LEVELS}
    return {
        name: summary(guess[inside], truth[inside], found.labels, groups=None if groups is None else groups[inside])
        for name, inside in counts.items()
        if inside.sum() >= FEWEST
    }


def _split(
    bundle: Bundle, clips: pd.DataFrame, found: Collection, groups: np.ndarray | None, skipped: list[str], seed: int
) -> SplitQualityResult | None:
    config = bundle.model.config
    if "split" not in bundle.model.capabilities:
        skipped.append("split quality: a baseline has no split")
        return None
    if not has_truth(clips):
        skipped.append("split quality: the manifest names no truth; it is known for scripted clips alone")
        return None
    steps = config.feature_frames
    kept = {what: name for what, name in split_activations(found).items() if name in found.activation_names}
    cache = {what: torch.from_numpy(np.array(found.activation(name))).float() for what, name in kept.items()}
    initial = {group: torch.arange(first, steps, 2).float() for group, first in (("S", 0), ("D", 1))}
    result = from_activations(cache, initial, bundle.model.frames)
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
    bundle: Bundle, rows: pd.DataFrame, clips: Clips, groups: np.ndarray | None, skipped: list[str], seed: int
) -> LocalisationResult | None:
    if not has_truth(rows):
        skipped.append("localisation: the manifest names no truth; it is known for scripted clips alone")
        return None
    if len(bundle.model.inputs) > 1:
        skipped.append("localisation: the maps of several inputs lie on different pictures")
        return None
    tensors = of_input(clips, None)
    masks = true_masks(rows, bundle.model.frames, bundle.model.size)
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
    pixels = tensors.mean(1).cpu().numpy()
    return localisation({name: np.stack(maps) for name, maps in found.items()}, masks, pixels=pixels, groups=groups, seed=seed)


def _dependence(
    found: Collection, branches: dict[str, str], groups: np.ndarray | None, skipped: list[str]
) -> DependenceResult | None:
    if "D" not in branches:
        skipped.append("dependence: a baseline has one branch")
        return None
    return dependence(*(np.asarray(found.activation(branches[name]), np.float64) for name in "DS"), groups=groups)

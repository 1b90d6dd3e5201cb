"""Is the disentanglement of a checkpoint real? All measures on one set of clips, with what could not be measured and why."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from ifdd.checkpoints import Bundle
from ifdd.data.manifest import data_hash, need_labels, of_each_class, read_manifest
from ifdd.errors import InputError
from ifdd.inputs import Clips, each, of_input, rows_of, stack
from ifdd.io import filled_folder, write_text
from ifdd.models.base import VideoModel
from ifdd.progress import tqdm
from ifdd.scripted import class_notes
from workbench.analysis import CLIPS
from workbench.analysis.counterfactuals import interventions
from workbench.analysis.disentanglement.cka import FEWEST as FEWEST_FOR_CKA
from workbench.analysis.disentanglement.cka import dependence
from workbench.analysis.disentanglement.displays.probes import ProbeDisplay
from workbench.analysis.disentanglement.displays.tables import markdown
from workbench.analysis.disentanglement.factors import (
    EMOTION,
    IDENTITY,
    LEVELS,
    NUISANCES,
    factors_of,
    levels_of,
    scene_column,
)
from workbench.analysis.disentanglement.frames_read import split_quality
from workbench.analysis.disentanglement.localising import localisation
from workbench.analysis.disentanglement.probes import probe_matrix
from workbench.analysis.disentanglement.results import (
    DependenceResult,
    LocalisationResult,
    ProbeMatrix,
    Scorecard,
    SplitQualityResult,
)
from workbench.analysis.performance.results import MetricsResult
from workbench.analysis.performance.scores import summary
from workbench.analysis.saliency.maps import gradcam_branches
from workbench.analysis.splits.inspection import from_activations, split_activations
from workbench.results.bootstrap import draw_weights, mean_interval
from workbench.results.interval import Interval
from workbench.results.passport import PYTHON_CALL, Context
from workbench.store.collecting import collect, load_row
from workbench.store.collection import Collection, open_collection
from workbench.store.identity import reading_hash
from workbench.store.tables import persons, subjects
from workbench.store.truth import has_truth, true_intensity, true_masks

FEATURES = ("X", "read", "branch", "detail", "embedding")
"""Roles of the activations that are probed, averaged over positions."""

REPORT = "scorecard.json"
MIXED = 4
"""Clips on which temporal mixing is measured; it takes a backward pass for each feature frame."""

FEWEST = 14
"""Clips of a level that are scored on their own."""


def run(
    bundles: Sequence[Bundle],
    manifest: str | Path,
    folder: Path,
    *,
    kept: Mapping[str, Collection] | None = None,
    factors: Sequence[str] = (),
    maps: int = CLIPS,
    seed: int = 0,
) -> tuple[Scorecard, ...]:
    """A scorecard of each checkpoint on the same clips.

    What was collected before is `kept`, by the checkpoint's name; what is collected now goes into `folder`, by its name.
    Raises: InputError as `make_scorecard`.
    """
    places = {bundle.name: (kept or {}).get(bundle.name, folder / bundle.name) for bundle in bundles}
    return tuple(make_scorecard(b, manifest, places[b.name], factors=factors, maps=maps, seed=seed) for b in bundles)


def write(cards: Sequence[Scorecard], out: Path, context: Context = PYTHON_CALL) -> list[Path]:
    """Write scorecard.json, scorecard.md and, where there are probes, probes.png into `out`, all or none; returns the files.

    Raises: InputError if `out` is a file, or if the disk refuses.
    """
    with filled_folder(out, last=REPORT) as work:
        if probed := {card.checkpoint: card.probes for card in cards if card.probes}:
            ProbeDisplay.from_result(probed).save(work / "probes.png", context=context)
        write_text(work / "scorecard.md", markdown(cards))
        write_text(work / REPORT, to_json(cards))
        names = sorted(file.name for file in work.iterdir())
    return [out / name for name in names]


def activations_of(model: VideoModel) -> tuple[str, ...]:
    """Activations that a scorecard is made of, each as its mean over places."""
    return (*probed_in(model), *model.with_roles("position"), *model.with_roles("sample"))


def probed_in(model: VideoModel) -> tuple[str, ...]:
    """Features of a model that are probed: those of the roles `FEATURES`, and the stages that are one vector for each clip."""
    found = {name: model.describe(name) for name in model.with_roles("stage", *FEATURES)}
    return tuple(name for name, told in found.items() if told.role != "stage" or told.axes == ("B", "C"))


def _collection(bundle: Bundle, manifest: str | Path, clips: pd.DataFrame, folder: Path, batch: int) -> Collection:
    """What lies in `folder`, or is collected into it. Raises: InputError for one of other clips or activations."""
    names = activations_of(bundle.model)
    found = open_collection(folder, bundle) if folder.is_dir() else collect(bundle, manifest, folder, names, "mean", batch=batch)
    kept = found.meta["data"]["hash"], found.meta["data"].get("reading"), found.meta["pool"], set(found.activation_names)
    if kept != (data_hash(clips), reading_hash(clips), "mean", set(names)):
        raise InputError(f"{folder} was collected from other clips or activations; remove it or choose another folder")
    return found


def to_json(cards: Sequence[Scorecard]) -> str:
    """The text of scorecard.json: a scorecard by checkpoint."""
    return json.dumps({card.checkpoint: card.to_dict() for card in cards}, indent=1, ensure_ascii=False) + "\n"


def make_scorecard(
    bundle: Bundle,
    manifest: str | Path,
    folder: str | Path | Collection,
    *,
    factors: Sequence[str] = (),
    maps: int = CLIPS,
    seed: int = 0,
    batch: int = 8,
) -> Scorecard:
    """Measure `bundle` on the clips of `manifest`; what is collected is kept in `folder` and used again, or is a collection.

    `factors` are further columns to probe; `maps` clips are explained and intervened on. Split quality and localisation need the
    truth of scripted clips; the rest works on any corpus.
    Raises: InputError as `collect`, for a column that is not there, or a truth that cannot be read.
    """
    clips = read_manifest(manifest)
    need_labels(clips, manifest, "the scorecard")
    if missing := [name for name in factors if name not in clips]:
        raise InputError(f"{manifest} has no column {missing[0]!r}; it has {', '.join(clips.columns)}")
    model = bundle.model.eval()
    probed = probed_in(model)
    found = folder if isinstance(folder, Collection) else _collection(bundle, manifest, clips, Path(folder), batch)
    whole = data_hash(clips)
    clips, attrs = clips[clips["clip_id"].isin(found.predictions["clip_id"])].reset_index(drop=True), clips.attrs
    clips.attrs = attrs
    groups = persons(clips)
    columns, not_probed = factors_of(clips, factors, groups)
    skipped = [*found.notes, *not_probed]
    with tqdm(total=7, desc=f"measure {bundle.name}", unit="part", disable=None, leave=False) as bar:
        probes = None
        if groups is not None:
            identity = (IDENTITY, EMOTION) if IDENTITY in columns else None
            features = {name: np.asarray(found.activation(name), np.float64) for name in probed}
            probes = probe_matrix(features, columns, groups, seed=seed, identity=identity)
        else:
            skipped.append("probes: the manifest names no two subjects, so no person can be held out")
        bar.update()
        branches = model.branches
        held, not_held = _held_by_branches(probes, branches, columns, scene_column(clips) == "scene")
        skipped += not_held
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
        bar.update()
        split, no_split = split_scores(bundle, clips, found, groups, seed)
        bar.update()
        localised, no_maps = _maps(bundle, rows, tensors, some, seed)
        bar.update()
        shared, no_dependence = _dependence(found, branches, groups)
        moved = None
        if "split" in model.capabilities:
            moved = interventions.split_stability(model, of_input(tensors, None), groups=some, batch=batch, seed=seed)
        bar.update()
        order = interventions.order_sensitivity(model, tensors, groups=some, batch=batch, seed=seed)
        bar.update()
        patches = interventions.patch_between_clips(model, tensors, groups=some, batch=batch, seed=seed)
    return Scorecard(
        checkpoint=bundle.name,
        sha256=bundle.card.sha256,
        clips=len(clips),
        data_hash=whole,
        metrics=summary(found.probs.argmax(1), found.predictions["label"].to_numpy(), found.labels, groups=subjects(clips)),
        split=split,
        probes=probes,
        leakage=held.leakage,
        leakage_null=held.leakage_null,
        leakage_told=held.leakage_told,
        gap=held.gap,
        gap_null=held.gap_null,
        gap_told=held.gap_told,
        maps=localised,
        dependence=shared,
        stability=moved,
        levels=_by_level(clips, found, groups),
        order=order,
        patches=patches,
        mixing=mixing,
        chance_mixing=1 / model.config.feature_frames if mixing else None,
        skipped=(*skipped, *no_split, *no_maps, *no_dependence),
        notes=class_notes(clips),
    )


_Reasons = tuple[str, ...]
"""Why something was not measured; nothing if it was."""


@dataclass(frozen=True)
class _Held:
    """What the branches hold; None where it was not measured."""

    leakage: Interval | None = None
    leakage_null: float | None = None
    leakage_told: float | None = None
    gap: Interval | None = None
    gap_null: float | None = None
    gap_told: float | None = None


def _held_by_branches(
    probes: ProbeMatrix | None, branches: Mapping[str, str], columns: Mapping[str, np.ndarray], scenes_tell: bool
) -> tuple[_Held, _Reasons]:
    """Leakage and gap; `scenes_tell`: the scene goes with the emotion, or against it."""
    nuisances = [name for name in NUISANCES if name in columns]
    reasons: _Reasons = ()
    if "scene" in columns and scenes_tell:
        nuisances.remove("scene")  # what knows one knows the other
        reasons = ("scene in leakage and gap: in these clips it goes with the emotion",)
    if probes is None:
        return _Held(), reasons
    if not nuisances:
        return _Held(), (*reasons, "leakage and gap: the manifest has no factor beside the emotion")
    feature = branches.get("D", next(iter(branches.values())))
    held = _Held(
        leakage=probes.leakage(feature, nuisances),
        leakage_null=probes.leakage_null(feature, nuisances),
        leakage_told=float(np.mean([probes.told[name].value for name in nuisances])),
    )
    if "D" in branches:
        which = branches["D"], branches["S"], EMOTION, nuisances
        gap, null, told = probes.gap(*which), probes.gap_null(*which), probes.gap_told(EMOTION, nuisances)
        held = replace(held, gap=gap, gap_null=null, gap_told=told)
    return held, reasons


def _by_level(clips: pd.DataFrame, found: Collection, groups: np.ndarray | None) -> dict[str, MetricsResult]:
    """Metrics of the clips of each level that has enough of them."""
    names = levels_of(clips)
    if names is None:
        return {}
    guess, truth = found.probs.argmax(1), found.predictions["label"].to_numpy()
    counts = {name: names == name for _, name in LEVELS}
    return {
        name: summary(guess[inside], truth[inside], found.labels, groups=None if groups is None else groups[inside])
        for name, inside in counts.items()
        if inside.sum() >= FEWEST
    }


def split_scores(
    bundle: Bundle, clips: pd.DataFrame, found: Collection, groups: np.ndarray | None, seed: int = 0
) -> tuple[SplitQualityResult | None, _Reasons]:
    """How well the split finds the frames of the emotion, beside readers that know nothing or all; None and why not.

    `clips`: the rows of a manifest that `found` holds, in its order.
    """
    config = bundle.model.config
    if "split" not in bundle.model.capabilities:
        return None, ("split quality: the model has no split",)
    if not has_truth(clips):
        return None, ("split quality: the manifest names no truth; it is known for scripted clips alone",)
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
    quality = split_quality(
        result.weights_D,
        result.weights_S,
        true_intensity(clips, steps),
        groups=groups,
        levels=levels_of(clips),
        frame_difference=difference,
        offset_range=config.offset_range,
        seed=seed,
    )
    return quality, ()


def _maps(
    bundle: Bundle, rows: pd.DataFrame, clips: Clips, groups: np.ndarray | None, seed: int
) -> tuple[LocalisationResult | None, _Reasons]:
    if not has_truth(rows):
        return None, ("localisation: the manifest names no truth; it is known for scripted clips alone",)
    face = next((name for name in bundle.inputs if name not in bundle.scenes), None)
    if face is None:
        return None, ("localisation: the model reads no face, which the emotion moves",)
    masks = true_masks(rows, bundle.model.frames, bundle.model.size)
    if not masks.any():
        return None, ("localisation: the emotion moves nothing in the chosen clips",)
    found: dict[str, list[np.ndarray]] = {}
    for i, label in enumerate(tqdm(rows["label_name"], desc="maps", unit="clip", disable=None, leave=False)):
        maps = gradcam_branches(bundle.model, rows_of(clips, slice(i, i + 1)), bundle.labels.index(label))
        for branch, result in maps.items():
            if (result.input or face) == face:
                found.setdefault(branch, []).append(result.frames[0])
    pixels = of_input(clips, face).mean(1).cpu().numpy()
    stacked = {name: np.stack(maps) for name, maps in found.items()}
    return localisation(stacked, masks, pixels=pixels, groups=groups, seed=seed), ()


def _dependence(
    found: Collection, branches: dict[str, str], groups: np.ndarray | None
) -> tuple[DependenceResult | None, _Reasons]:
    if "D" not in branches:
        return None, ("dependence: the model has no dynamic and static branch",)
    dynamic, static = (np.asarray(found.activation(branches[name]), np.float64) for name in "DS")
    if len(dynamic) < FEWEST_FOR_CKA:
        return None, (f"dependence: it needs {FEWEST_FOR_CKA} clips or more, there are {len(dynamic)}",)
    return dependence(dynamic, static, groups=groups), ()

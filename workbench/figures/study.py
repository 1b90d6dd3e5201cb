"""Models and what each of them said of the same clips: what figures and reports are made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from ifdd.checkpoints import Bundle, load_checkpoint
from ifdd.data.manifest import FILE_NAME, data_hash, need_labels, read_manifest
from ifdd.errors import InputError
from ifdd.labels import shared_classes
from workbench.analysis.embedding.task import STAGES
from workbench.analysis.performance.results import MetricsResult
from workbench.analysis.performance.task import measure
from workbench.results.passport import Context
from workbench.store.collecting import collect
from workbench.store.collection import MANIFEST, ZEROS, Collection, in_one_order, open_collection
from workbench.store.given import Data, Given
from workbench.store.identity import reading_hash
from workbench.store.layout import COLLECTIONS
from workbench.store.side_by_side import SameClips, same_clips
from workbench.store.tables import labelled, subjects
from workbench.store.workspace import checkpoint_in

HERE = Given()
"""The workspace that commands work in unless another is given."""


@dataclass(frozen=True)
class Study:
    """Collections by the name of the model, all of the clips of `manifest`, and the networks, of those that have one.

    A model of whom predictions alone are known is in no `bundles`. `main` is the one that is looked into.
    """

    bundles: dict[str, Bundle]
    collections: dict[str, Collection]
    manifest: Path
    main: str

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names, the same for all and in one order: that of the main model."""
        return self.collections[self.main].labels

    def looked_into(self, what: str) -> Bundle:
        """The main checkpoint, for `what` needs its network. Raises: InputError where predictions are all that is known."""
        if self.main not in self.bundles:
            raise InputError(self.collections[self.main].lacks_network(what))
        return self.bundles[self.main]

    @property
    def clips(self) -> pd.DataFrame:
        """Predictions of the main checkpoint on the clips that have a label, as `tables.labelled`."""
        return labelled(self.collections[self.main])

    def context(self, command: str = "") -> Context:
        """What figures and pages of this study say of it."""
        return Context.of(command, bundles=self.bundles.values(), collections=self.collections.values())

    @property
    def same(self) -> SameClips:
        """All models side by side. Raises: InputError as `same_clips`, for one model alone, too."""
        return same_clips(list(self.collections.values()))

    def probs(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities (n, C) and true classes (n,) of the labelled clips, as one checkpoint's collection has them."""
        table = labelled(self.collections[name])
        return self.collections[name].probs[table["row"].to_numpy()], table["label"].to_numpy()

    def people(self, name: str) -> np.ndarray | None:
        """Person of each clip of `probs` (n,); None where the manifest names none."""
        return subjects(labelled(self.collections[name]))

    def metrics(self) -> dict[str, MetricsResult]:
        """WAR, UAR, recalls and confusion of each model."""
        return {name: measure(collection) for name, collection in self.collections.items()}


def load_runs(runs: Sequence[str], device: torch.device | str = "cpu", given: Given = HERE) -> dict[str, Bundle]:
    """Load checkpoints by name, folder, or run folder (which holds `checkpoint/`), in the order given.

    Raises: InputError for none, a name that is there twice, or as `load_checkpoint` and `Given.checkpoint`.
    """
    if not runs:
        raise InputError("no run given; name checkpoints or run folders with --runs")
    found: dict[str, Bundle] = {}
    for run in runs:
        text = given.checkpoint(run)
        inner = checkpoint_in(Path(text))
        bundle = load_checkpoint(text if inner == Path(text) else inner)  # a name stays one: it is no folder here
        if bundle.name in found:
            raise InputError(f"{run}: a checkpoint {bundle.name} is given already; name each once")
        bundle.model.to(device)
        found[bundle.name] = bundle
    return found


def open_study(
    runs: Sequence[str],
    data: Path | None,
    kept: Path,
    collections: Path | None = None,
    device: torch.device | str = "cpu",
    given: Given = HERE,
) -> Study:
    """Load `runs` and find, or make, a collection of each over the clips of `data`, by default the workspace's dataset.

    With `collections` those of that folder, named as the checkpoints, are used and nothing is collected; else the workspace's,
    where they hold these clips and all stages of the network. What is made goes to the workspace for a dataset that is named or
    the only one, else into the folder `kept`. A run may also be a model of whom predictions alone are known, by name, or its
    collection. The main checkpoint is the first with branches D and S, else the first.
    Raises: InputError as `load_runs` and `Given.data`, for clips without labels, models of other labels, or
    collections of other clips or checkpoints.
    """
    clips = given.data(data)
    alone = {run: known for run in runs if (known := _without_network(run, clips, collections, given)) is not None}
    networks = [run for run in runs if run not in alone]
    bundles = load_runs(networks, device, given) if networks or not runs else {}
    names = dict(zip(networks, bundles, strict=True)) | {run: known.name for run, known in alone.items()}
    if len(set(names.values())) < len(runs):
        raise InputError(f"a model is given twice: {', '.join(runs)}; name each once")
    _check_labels({names[run]: alone[run].labels if run in alone else bundles[names[run]].labels for run in runs})
    manifest = clips.manifest / FILE_NAME if clips.manifest.is_dir() else clips.manifest
    table = read_manifest(manifest)
    need_labels(table, manifest, "figures and reports")
    found: dict[str, Collection] = {}
    for run, name in names.items():
        if run in alone:
            if not _is_of(alone[run], table) and clips.dataset is None:
                raise InputError(f"{alone[run].folder} is of other clips than {manifest}; import the predictions of those clips")
            continue
        bundle = bundles[name]
        there = None if collections is not None else _earlier(kept / COLLECTIONS / name, bundle, table)
        if there is None and collections is None:
            there = given.collected(bundle, given.name(run), clips, stages_of(bundle))
        found[name] = there or _collection(bundle, manifest, table, kept / COLLECTIONS / name, collections)
    found |= {said.name: said for said in alone.values()}
    return study_of(bundles, {names[run]: found[names[run]] for run in runs}, manifest)


def _without_network(run: str, clips: Data, collections: Path | None, given: Given) -> Collection | None:
    """What a model said of whom predictions alone are known; None for a run that is a checkpoint."""
    for folder in ([] if collections is None else [collections / run]) + [Path(run)]:
        if (folder / MANIFEST).is_file() and (found := open_collection(folder)).origin:
            return found
    if clips.dataset is not None and run in clips.dataset.without_checkpoint(given.place.checkpoints()):
        return clips.dataset.collection(None, run)
    return None


def study_of(bundles: Mapping[str, Bundle], collections: Mapping[str, Collection], manifest: Path) -> Study:
    """What models said of the clips of `manifest`, by name, put side by side, and the networks of those that have one.

    Raises: InputError for none, for models of other labels, or collections of other clips.
    """
    branched = [name for name, bundle in bundles.items() if {"D", "S"} <= set(bundle.model.branches)]
    _check_labels({name: found.labels for name, found in collections.items()})
    main = next(iter([*branched, *bundles, *collections]))
    collections = in_one_order(collections, main)
    if len(collections) > 1:
        same_clips(list(collections.values()), need_labels=False)
    return Study(dict(bundles), dict(collections), manifest, main)


def _check_labels(known: Mapping[str, tuple[str, ...]]) -> None:
    if not known:
        raise InputError("no model is chosen; choose at least one")
    first, *others = known
    for name in others:
        labels, wanted = known[name], known[first]
        if len(shared_classes(labels, wanted)) < max(len(labels), len(wanted)):
            raise InputError(
                f"{name} has the classes {', '.join(labels)}, {first} has {', '.join(wanted)}; "
                f"show models of the same classes, in whatever order {ZEROS}"
            )


def _earlier(folder: Path, bundle: Bundle, clips: pd.DataFrame) -> Collection | None:
    """What an earlier call has collected, if it is of this checkpoint and these clips and holds all stages."""
    if not (folder / MANIFEST).is_file():
        return None
    found = open_collection(folder)
    same = found.meta["checkpoint"]["sha256"] == bundle.card.sha256 and _is_of(found, clips)
    return found if same and set(stages_of(bundle)) <= set(found.activation_names) else None


def _collection(bundle: Bundle, manifest: Path, clips: pd.DataFrame, kept: Path, given: Path | None) -> Collection:
    """What lies in the folder `given` under the checkpoint's name, or else is collected now into the folder `kept`."""
    if given is None:
        names = [*bundle.model.default_activations, *stages_of(bundle)]
        return collect(bundle, manifest, kept, list(dict.fromkeys(names)), "mean")
    found = open_collection(given / bundle.path.name if (given / bundle.path.name).is_dir() else given / bundle.name, bundle)
    if not _is_of(found, clips):
        raise InputError(f"{found.folder} is of other clips than {manifest}; collect {bundle.name} over those clips")
    return found


def stages_of(bundle: Bundle) -> list[str]:
    """Stages of the network that a checkpoint has."""
    return list(bundle.model.with_roles(*STAGES))


def _is_of(collection: Collection, clips: pd.DataFrame) -> bool:
    about = collection.meta["data"]
    return about["hash"] == data_hash(clips) and about.get("reading", reading_hash(clips)) == reading_hash(clips)

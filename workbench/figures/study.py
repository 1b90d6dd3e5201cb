"""Checkpoints and what each of them said of the same clips: what figures and reports are made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from ifdd.checkpoints import Bundle, load_checkpoint
from ifdd.data.manifest import FILE_NAME, data_hash, need_labels, read_manifest
from ifdd.errors import InputError
from workbench.analysis.embedding.task import STAGES
from workbench.analysis.performance.results import MetricsResult
from workbench.analysis.performance.task import measure
from workbench.results.passport import Context
from workbench.store.collecting import collect, reading_hash
from workbench.store.collection import MANIFEST, Collection, open_collection
from workbench.store.side_by_side import SameClips, same_clips
from workbench.store.tables import labelled, subjects
from workbench.store.workspace import CHECKPOINT, COLLECTIONS, DATASETS, DEMO, Workspace, demo_folder


@dataclass(frozen=True)
class Study:
    """Checkpoints by name, the collection of each, all of the clips of `manifest`; `main` is the one that is looked into."""

    bundles: dict[str, Bundle]
    collections: dict[str, Collection]
    manifest: Path
    main: str

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names, the same for all."""
        return self.bundles[self.main].labels

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


def load_runs(runs: Sequence[str], device: torch.device | str = "cpu") -> dict[str, Bundle]:
    """Load checkpoints by name, folder, or run folder (which holds `checkpoint/`), in the order given.

    Raises: InputError for none, a name that is there twice, or as `load_checkpoint`.
    """
    if not runs:
        raise InputError("no run given; name checkpoints or run folders with --runs")
    found: dict[str, Bundle] = {}
    for run in runs:
        inner = Path(run) / CHECKPOINT
        bundle = load_checkpoint(inner if inner.is_dir() else run)
        if bundle.name in found:
            raise InputError(f"{run}: a checkpoint {bundle.name} is given already; name each once")
        bundle.model.to(device)
        found[bundle.name] = bundle
    return found


def open_study(
    runs: Sequence[str], data: Path | None, kept: Path, collections: Path | None = None, device: torch.device | str = "cpu"
) -> Study:
    """Load `runs` and find, or make in the folder `kept`, a collection of each over the clips of `data` (by default the demo's).

    With `collections` those of that folder, named as the checkpoints, are used and nothing is collected; else the demo's, where
    it holds these clips and all stages of the network. The main checkpoint is the first with branches D and S, else the first.
    Raises: InputError as `load_runs`, for clips without labels, models of other labels, or collections of other clips or of other
    checkpoints.
    """
    bundles = load_runs(runs, device)
    _check_labels(bundles)
    manifest = _manifest(data)
    clips = read_manifest(manifest)
    need_labels(clips, manifest, "figures and reports")
    found = {name: _collection(bundle, manifest, clips, kept, collections) for name, bundle in bundles.items()}
    return study_of(bundles, found, manifest)


def study_of(bundles: Mapping[str, Bundle], collections: Mapping[str, Collection], manifest: Path) -> Study:
    """Checkpoints and what each said of the clips of `manifest`, all by the same names, put side by side.

    Raises: InputError for none, for models of other labels, or collections of other clips.
    """
    _check_labels(bundles)
    if len(collections) > 1:
        same_clips(list(collections.values()), need_labels=False)
    branched = [name for name, bundle in bundles.items() if {"D", "S"} <= set(bundle.model.branches)]
    return Study(dict(bundles), dict(collections), manifest, branched[0] if branched else next(iter(bundles)))


def _check_labels(bundles: Mapping[str, Bundle]) -> None:
    if not bundles:
        raise InputError("no model is chosen; choose at least one")
    first, *others = bundles
    for name in others:
        if (labels := bundles[name].labels) != (wanted := bundles[first].labels):
            raise InputError(
                f"{name} has the classes {', '.join(labels)}, {first} has {', '.join(wanted)}; "
                "show models of one label list, in one order"
            )


def _manifest(data: Path | None) -> Path:
    path = demo_folder() / DATASETS / DEMO if data is None else data
    if data is None and not (path / FILE_NAME).is_file():
        raise InputError(f"no clips are given and {path} has none; pass --data clips.parquet, or run workbench demo")
    return path / FILE_NAME if path.is_dir() else path


def _collection(bundle: Bundle, manifest: Path, clips: pd.DataFrame, kept: Path, given: Path | None) -> Collection:
    wanted = stages_of(bundle)
    if given is not None:
        found = open_collection(given / bundle.path.name if (given / bundle.path.name).is_dir() else given / bundle.name, bundle)
        if not _is_of(found, clips):
            raise InputError(f"{found.folder} is of other clips than {manifest}; collect {bundle.name} over those clips")
        return found
    for folder in (kept / COLLECTIONS / bundle.name, Workspace(demo_folder()).collection_folder(DEMO, bundle.path.name)):
        if (folder / MANIFEST).is_file():
            found = open_collection(folder)
            same = found.meta["checkpoint"]["sha256"] == bundle.card.sha256 and _is_of(found, clips)
            if same and set(wanted) <= set(found.activation_names):
                return found
    names = [*bundle.model.default_activations, *wanted]
    return collect(bundle, manifest, kept / COLLECTIONS / bundle.name, list(dict.fromkeys(names)), "mean")


def stages_of(bundle: Bundle) -> list[str]:
    """Stages of the network that a checkpoint has."""
    return list(bundle.model.with_roles(*STAGES))


def _is_of(collection: Collection, clips: pd.DataFrame) -> bool:
    about = collection.meta["data"]
    return about["hash"] == data_hash(clips) and about.get("reading", reading_hash(clips)) == reading_hash(clips)

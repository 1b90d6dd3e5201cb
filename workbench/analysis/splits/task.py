"""From checkpoints and clips to what their splits do: one summary a checkpoint, one schematic of a single clip."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from ifdd.checkpoints import Bundle, finite_logits
from ifdd.data.manifest import clip_path, data_hash, has_labels, of_each_class, read_manifest
from ifdd.errors import InputError
from ifdd.io import filled_folder, write_text
from ifdd.progress import tqdm
from workbench.analysis.embedding.task import vectors
from workbench.analysis.splits.content import INTENSITY, per_frame
from workbench.analysis.splits.displays.schematic import SplitSchematicDisplay
from workbench.analysis.splits.displays.summary import OccupancyDisplay, SplitScoresDisplay, SplitStepsDisplay, markdown
from workbench.analysis.splits.inspection import (
    from_activations,
    inspect_split,
    join,
    motion_energy,
    places_of_copies,
    require_split,
    split_activations,
)
from workbench.analysis.splits.places import occupancy
from workbench.analysis.splits.results import (
    CLASS,
    CONTENT,
    PREDICTED,
    SplitClips,
    SplitKind,
    SplitPlaces,
    SplitResult,
    SplitSummary,
)
from workbench.analysis.splits.summary import step_summaries, summarise_split
from workbench.results.passport import PYTHON_CALL, Context
from workbench.results.provenance import record
from workbench.results.result import Result
from workbench.store.collecting import load_row
from workbench.store.collection import Collection
from workbench.store.tables import persons, usable
from workbench.store.truth import has_truth, true_intensity

ENERGY = "motion energy"
REPORT = "splits.json"


@dataclass(frozen=True, eq=False)
class SplitOfClip(Result):
    """The split of one clip by one checkpoint: `kind`, grid (h, w) of X, and the frames (T, H, W, 3) uint8 it saw.

    `data_hash` is of all clips of its manifest.
    """

    clip_id: str
    kind: SplitKind
    split: SplitResult
    grid: tuple[int, int]
    frames: NDArray[np.uint8]
    data_hash: str


@dataclass(frozen=True, eq=False)
class SplitReport:
    """By checkpoint: its split on many clips, and on one."""

    summaries: dict[str, SplitSummary]
    one: dict[str, SplitOfClip]
    sha256: dict[str, str]

    @property
    def data_hash(self) -> str:
        """Of all clips of the manifest."""
        return next(iter(self.one.values())).data_hash

    def to_json(self) -> str:
        """The text of splits.json: the summaries."""
        plain = {name: result.to_dict() for name, result in self.summaries.items()}
        return json.dumps(plain, indent=1, ensure_ascii=False) + "\n"


def run(
    bundles: Sequence[Bundle], manifest: str | Path, *, clips: int = 210, clip: str | None = None, seed: int = 0
) -> SplitReport:
    """Measure the splits of checkpoints on at most `clips` clips of a manifest, and look at one `clip` by its id.

    Raises: InputError as `measure_split` and `split_of_clip`, before anything is measured.
    """
    for bundle in bundles:
        require_split(bundle.model)  # before minutes are spent on the others
    one = {bundle.name: split_of_clip(bundle, manifest, clip) for bundle in bundles}
    summaries = {bundle.name: measure_split(bundle, manifest, clips=clips, seed=seed) for bundle in bundles}
    return SplitReport(summaries, one, {bundle.name: bundle.card.sha256 for bundle in bundles})


def write(report: SplitReport, out: Path, context: Context = PYTHON_CALL) -> list[Path]:
    """Write splits.json, splits.md and four pictures into `out`, all or none; returns the files.

    Raises: InputError if `out` is a file, or if the disk refuses.
    """
    pictures = {
        "schematic": schematic(report.one, report.sha256),
        "steps": SplitStepsDisplay.from_result(report.summaries),
        "occupancy": OccupancyDisplay.from_result(report.summaries),
        "scores": SplitScoresDisplay.from_result(report.summaries),
    }
    with filled_folder(out, last=REPORT) as work:
        for name, display in pictures.items():
            for suffix in ("png", "svg"):
                display.save(work / f"{name}.{suffix}", context=context)
        write_text(work / "splits.md", markdown(report.summaries))
        write_text(work / REPORT, report.to_json())
        names = sorted(file.name for file in work.iterdir())
    return [out / name for name in names]


def schematic(found: Mapping[str, SplitOfClip], sha256: Mapping[str, str]) -> SplitSchematicDisplay:
    """The splits of one clip by several checkpoints, drawn beside each other.

    `sha256`: of the weights by name, for the passport.
    """
    about = {"analysis": "splits of one clip", "clip": next(iter(found.values())).clip_id, "checkpoints": dict(sha256)}
    return SplitSchematicDisplay.from_result(
        {name: item.split for name, item in found.items()},
        {name: item.kind for name, item in found.items()},
        {name: item.grid for name, item in found.items()},
        {name: item.frames for name, item in found.items()},
        source=json.dumps(about),
    )


def measure_split(bundle: Bundle, manifest: str | Path, *, clips: int = 210, seed: int = 0, batch: int = 8) -> SplitSummary:
    """Measure the split of a checkpoint on at most `clips` clips of a manifest, of each class alike.

    Of clips without labels the class is what the checkpoint says, which the summary's `classes` and notes tell.
    Raises: InputError for a baseline, a class that the checkpoint does not know, or fewer than two clips.
    """
    model, config = bundle.model.eval(), bundle.model.config
    split = require_split(model)
    table = read_manifest(manifest)
    labelled = has_labels(table)
    if labelled and (unknown := sorted(set(table["label_name"]) - set(bundle.labels))):
        raise InputError(f"{manifest} has the class {unknown[0]}, which {bundle.name} does not know: {', '.join(bundle.labels)}")
    rows = of_each_class(table, clips)
    steps, place = config.feature_frames, next(model.parameters()).device
    names, (x,) = split_activations(model), model.with_roles("X")
    splits, energy, features, said = [], [], [], []
    copies: dict[str, list[np.ndarray]] = {}
    records = rows.to_dict("records")
    for first in tqdm(range(0, len(records), batch), desc=f"splits {bundle.name}", unit="batch", disable=None):
        tensors = torch.stack([load_row(table, row, bundle) for row in records[first : first + batch]]).to(place)
        with torch.no_grad():
            output, cache = model.run_with_cache(tensors, names=(*names.values(), x))
        said.append(finite_logits(output.logits, bundle.name).argmax(1).cpu().numpy())
        initial = {group: getattr(split, f"initial_{group}").expand(len(tensors), -1) for group in "SD"}
        splits.append(from_activations({what: cache[name] for what, name in names.items()}, initial, model.frames))
        features.append(model.describe(x).mean(cache[x], time=False).cpu().numpy())
        energy.append(motion_energy(tensors, steps))
        for name, found in places_of_copies(model, tensors).items():
            copies.setdefault(name, []).append(found)
    numbers = {label: i for i, label in enumerate(bundle.labels)}
    labels = rows["label_name"].map(numbers).to_numpy() if labelled else np.concatenate(said)
    classes = CLASS if labelled else PREDICTED
    power = np.concatenate(energy)
    contents = {CONTENT: per_frame(np.concatenate(features)), ENERGY: power, classes: np.eye(len(bundle.labels))[labels]}
    if has_truth(rows):
        contents[INTENSITY] = true_intensity(rows, steps)
    clips_read = SplitClips(
        split=join(splits),
        copies={name: np.concatenate(parts) for name, parts in copies.items()},
        labels=labels,
        label_names=bundle.labels,
        energy=power,
        contents=contents,
        classes=classes,
    )
    limit = float(config.offset_range) if hasattr(split, "offset_range") else None
    return summarise_split(clips_read, kind=config.split, offset_range=limit, groups=persons(rows), seed=seed)


def split_of_clip(bundle: Bundle, manifest: str | Path, clip_id: str | None = None) -> SplitOfClip:
    """The split of one clip of a manifest; without an id, of its first that is there and not known to be neutral.

    Raises: InputError for a baseline, or an id that is not there.
    """
    table = read_manifest(manifest)
    row = _one(table, clip_id, manifest)
    tensor = load_row(table, row, bundle)
    found = inspect_split(bundle.model, tensor[None].to(next(bundle.model.parameters()).device))
    pixels = (255 * tensor.permute(1, 2, 3, 0)).round().clamp(0, 255).to(torch.uint8).numpy()
    config, split = bundle.model.config, bundle.model.split
    kind = SplitKind(config.split, split.operator, split.rule)
    return SplitOfClip(str(row["clip_id"]), kind, found, config.grid, pixels, data_hash(table))


def places_in(collection: Collection, one: SplitOfClip, *, seed: int = 0) -> SplitPlaces:
    """Where the split of a collection's model reads all clips that have a label, or all clips of a list without.

    `one`: the split of any clip by the same model, which tells where its steps begin.
    """
    table = usable(collection)
    split = split_in(collection, one, table["row"].to_numpy())
    classes = table["label" if collection.has_labels else "prediction"].to_numpy()
    start = {group: torch.tensor(getattr(one.split, f"initial_{group}")[:1]) for group in "SD"}
    unmoved = {f"{what}_{group}": place for group, place in start.items() for what in ("position", "sample")}
    still = from_activations(unmoved, start, one.split.frames)
    return SplitPlaces(
        kind=one.kind.name,
        frames=split.frames,
        clips=len(table),
        steps=step_summaries(split),
        occupancy=occupancy(split.weights_D, split.weights_S, classes, collection.labels, groups=persons(table), seed=seed),
        still_D=still.weights_D[0].sum(0),
        still_S=still.weights_S[0].sum(0),
        classes=CLASS if collection.has_labels else PREDICTED,
        provenance=record(
            "splits.places_in", {"kind": one.kind.name, "seed": seed}, {"places": split.both("sample"), "classes": classes}, ()
        ),
    )


def split_in(collection: Collection, one: SplitOfClip, rows: NDArray[np.int64]) -> SplitResult:
    """The split of some rows of a collection; `one` as `places_in`."""
    kept = {name: told for name, told in split_activations(collection).items() if name.startswith(("position", "sample"))}
    cache = {name: torch.from_numpy(np.array(vectors(collection, told))[rows]) for name, told in kept.items()}
    initial = {g: torch.tensor(getattr(one.split, f"initial_{g}")[:1]).expand(len(rows), -1) for g in "SD"}
    return from_activations(cache, initial, one.split.frames)


def _one(table: pd.DataFrame, clip_id: str | None, manifest: str | Path) -> dict[Any, Any]:
    if clip_id is None:
        moving = table[table["label_name"] != "neutral"]
        rows = moving if len(moving) else table
        there = [clip_path(table, row).exists() for row in rows.itertuples()]  # one that has gone hides no other
        rows = rows[there] if any(there) else rows
    else:
        rows = table[table["clip_id"] == clip_id]
    if rows.empty:
        raise InputError(f"{manifest} has no clip {clip_id!r}; its first is {table['clip_id'].iloc[0]!r}")
    return rows.iloc[:1].to_dict("records")[0]

"""From a checkpoint and a manifest to counterfactuals: which clips, which edits, and what `workbench counterfactual` writes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from ifdd.checkpoints import Bundle
from ifdd.data.manifest import data_hash, of_each_class, read_manifest
from ifdd.errors import InputError
from ifdd.io import new_folder, write_text
from workbench.analysis.counterfactuals.changes import Edit, counterfactuals, swap, zero_offsets
from workbench.analysis.counterfactuals.displays import ClipChangeDisplay, CounterfactualDisplay
from workbench.analysis.counterfactuals.frame_edits import drop, freeze, random_donors, replace, reverse, shuffle
from workbench.analysis.counterfactuals.results import CounterfactualResult
from workbench.results.passport import PYTHON_CALL, Context
from workbench.store.collecting import load_row
from workbench.store.tables import persons

FRAME_EDITS = ("freeze", "reverse", "shuffle", "drop", "replace")
FEATURE_EDITS = ("zero-offsets", "swap-D", "swap-S")


@dataclass(frozen=True)
class EditedClips:
    """Counterfactuals of some clips of a manifest; `donors` (n,) are the ids of the clips that others took from.

    `data_hash` is of all clips of the manifest.
    """

    result: CounterfactualResult
    donors: tuple[str, ...]
    frames: tuple[int, ...]
    data_hash: str

    def to_json(self) -> str:
        """All numbers, indented."""
        plain = self.result.to_dict() | {"caption": self.result.caption, "donors": self.donors, "frames": self.frames}
        return json.dumps(plain, indent=1, ensure_ascii=False) + "\n"


def edit_clips(
    bundle: Bundle,
    manifest: str | Path,
    edits: Sequence[str] | None = None,
    *,
    clip_ids: Sequence[str] | None = None,
    clips: int = 42,
    frames: Sequence[int] | None = None,
    shuffles: int = 4,
    batch: int = 8,
    seed: int = 0,
) -> EditedClips:
    """Edit clips of a manifest, by default `clips` of them, those of each class alike, with every edit that the model can take.

    `frames` are those that drop and replace change, by default the middle half; donors are drawn at random among the clips.
    Raises: InputError for unknown clips, edits or frames, edits that the model cannot take, and as `counterfactuals`.
    """
    listed = read_manifest(manifest)
    table = _choose(listed, clip_ids, clips)
    n, length = len(table), bundle.model.frames
    at = list(range(length // 4, length - length // 4)) if frames is None else list(frames)
    donors = random_donors(n, seed) if n > 1 else np.zeros(1, np.int64)
    plans = [_plan(name, bundle, n, at, donors, seed) for name in (_possible(bundle, n) if edits is None else edits)]
    rows = tqdm(table.to_dict("records"), desc="read", unit="clip", disable=None, leave=False)
    tensors = torch.stack([load_row(table, row, bundle) for row in rows])
    with tqdm(total=n * (1 + len(plans) + shuffles), desc="edit", unit="clip", disable=None, leave=False) as bar:
        result = counterfactuals(
            bundle.model,
            tensors,
            plans,
            label_names=bundle.labels,
            clip_ids=list(table["clip_id"]),
            groups=persons(table),
            shuffles=shuffles,
            batch=batch,
            seed=seed,
            progress=bar.update,
        )
    ids = table["clip_id"].to_numpy()
    return EditedClips(result, tuple(ids[donors].tolist()) if n > 1 else (), tuple(at), data_hash(listed))


def write_counterfactuals(bundle: Bundle, edited: EditedClips, out: Path, context: Context = PYTHON_CALL) -> str:
    """Write counterfactual.json, clips.csv, clips.png and clip.png (the clip that changes most) to a new folder; return the JSON.

    Raises: InputError if `out` exists.
    """
    result = edited.result
    source = result.provenance.with_source(checkpoint=bundle.card.sha256, name=bundle.name)
    text = json.dumps(json.loads(edited.to_json()) | {"provenance": source.to_dict()}, indent=1, ensure_ascii=False) + "\n"
    with new_folder(out) as folder:
        write_text(folder / "counterfactual.json", text)
        pd.DataFrame(result.table).to_csv(folder / "clips.csv", index=False)
        if result.edits or result.order is not None:
            CounterfactualDisplay.from_result(result).save(folder / "clips.png", context=context)
        if result.edits:
            most = int(np.mean([edit.change for edit in result.edits], axis=0).argmax())
            ClipChangeDisplay.from_result(result, most).save(folder / "clip.png", context=context)
    return text


def check_edits(bundle: Bundle, edits: Sequence[str] | None) -> None:
    """Refuse what cannot work before clips are read.

    Raises: InputError for an unknown edit.
    """
    for name in edits or ():
        _known(name, bundle)


def _known(name: str, bundle: Bundle) -> str:
    known = (*FRAME_EDITS, *FEATURE_EDITS)
    if name not in known:
        raise InputError(f"unknown edit {name!r}; {bundle.name} takes {', '.join(_possible(bundle, 2))}")
    return name


def _possible(bundle: Bundle, n: int) -> list[str]:
    """Edits that a model can take; with one clip none that needs a second one."""
    names = list(FRAME_EDITS)
    if "offsets" in bundle.model.capabilities:
        names.append("zero-offsets")
    if "split" in bundle.model.capabilities:
        names += ["swap-D", "swap-S"]
    return [name for name in names if n > 1 or not name.startswith(("replace", "swap"))]


def _plan(name: str, bundle: Bundle, n: int, at: Sequence[int], donors: np.ndarray, seed: int) -> Edit:
    length = bundle.model.frames
    if _known(name, bundle).startswith(("replace", "swap")) and n < 2:
        raise InputError(f"{name} takes from another clip, and there is one; choose two or more")
    match name:
        case "freeze":
            return freeze(n, length)
        case "reverse":
            return reverse(n, length)
        case "shuffle":
            return shuffle(n, length, seed)
        case "drop":
            return drop(n, length, at)
        case "replace":
            return replace(n, length, at, donors)
        case "zero-offsets":
            return zero_offsets(bundle.model)
    return swap(bundle.model, name[-1], donors)


def _choose(table: pd.DataFrame, clip_ids: Sequence[str] | None, count: int) -> pd.DataFrame:
    if clip_ids is None:
        return of_each_class(table, count)
    known = table.set_index("clip_id", drop=False)
    unknown = [clip for clip in clip_ids if clip not in known.index]
    if unknown:
        raise InputError(f"unknown clip {unknown[0]!r}; the manifest has {len(table)} clips, e.g. {', '.join(known.index[:3])}")
    chosen = known.loc[list(dict.fromkeys(clip_ids))].reset_index(drop=True)
    chosen.attrs = table.attrs
    return chosen

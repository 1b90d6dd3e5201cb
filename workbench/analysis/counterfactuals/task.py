"""From a checkpoint and a manifest to counterfactuals: which clips, which edits, and what `workbench counterfactual` writes."""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ifdd.checkpoints import Bundle
from ifdd.data.manifest import data_hash, of_each_class, read_manifest, with_ids
from ifdd.data.row_clips import check_scenes
from ifdd.documents import read_json
from ifdd.errors import InputError
from ifdd.inputs import stack
from ifdd.io import new_folder, write_text
from ifdd.progress import tqdm
from ifdd.tables import csv_text
from workbench.analysis import CLIPS, DONORS
from workbench.analysis.counterfactuals.changes import Edit, counterfactuals, swap, swap_input, zero_offsets
from workbench.analysis.counterfactuals.displays import ClipChangeDisplay, CounterfactualDisplay
from workbench.analysis.counterfactuals.frame_edits import drop, freeze, replace, reverse, shuffle
from workbench.analysis.counterfactuals.results import CounterfactualOptions, EditedClips
from workbench.results.bootstrap import group_members
from workbench.results.controls import drawn_clips
from workbench.results.passport import PYTHON_CALL, Context
from workbench.store.collecting import load_row
from workbench.store.tables import persons

REPORT = "counterfactual.json"
FRAME_EDITS = ("freeze", "reverse", "shuffle", "drop", "replace")
LENT = ("replace", "swap")
"""How the names of edits begin that take from another clip."""
DRAWN = "each clip takes from {} other clip{} and stands with the mean: intervals do not hold another draw"
SWAPS_OF_INPUTS = ("swap-face", "swap-scene")
FEATURE_EDITS = ("zero-offsets", "swap-D", "swap-S")


@dataclass(frozen=True)
class Options(CounterfactualOptions):
    """Which clips are edited, and how: `edits` by name, None for all that the model can take.

    `clip_ids` names the clips; None takes `clips` of them, those of each class alike. `frames` are those that drop and replace
    change, by default the middle half; `still` is the one that freeze shows, by default the middle one.

    A clip that takes from others takes from `donors` of them, one after the other, and stands with the mean. The seed draws them
    among clips of other people: of the first 42 of the list, of each class alike, so that they are the same however many are
    asked (of all, where those are of one person), or of those that `lenders` names, whoever they are of.
    """

    edits: Sequence[str] | None = None
    clip_ids: Sequence[str] | None = None
    clips: int = CLIPS
    frames: Sequence[int] | None = None
    still: int | None = None
    donors: int = DONORS
    lenders: Sequence[str] | None = None


DEFAULT = Options()


def run(bundle: Bundle, manifest: str | Path, options: Options = DEFAULT) -> EditedClips:
    """Edit clips of a manifest, see `Options`.

    Raises: InputError for unknown clips, edits or frames, edits that the model cannot take, and as `counterfactuals`.
    """
    listed = read_manifest(manifest)
    check_scenes(listed, manifest, bundle.inputs)
    table = of_each_class(listed, options.clips) if options.clip_ids is None else with_ids(listed, options.clip_ids)
    n, ids = len(table), list(table["clip_id"])
    names = options.edits if options.edits is not None else possible_edits(bundle, len(listed))
    taken = _drawn(listed, ids, options) if any(name.startswith(LENT) for name in names) else []
    read = with_ids(listed, [*ids, *(donor for own in taken for donor in own)])
    donors = np.array([pd.Index(read["clip_id"]).get_indexer(own) for own in taken]).T
    plans, at = plan(bundle, len(read), dataclasses.replace(options, edits=names), donors)
    rows = tqdm(read.to_dict("records"), desc="read", unit="clip", disable=None, leave=False)
    shown = stack([load_row(read, row, bundle) for row in rows])
    passes = 1 + sum(map(len, plans)) + options.shuffles
    with tqdm(total=n * passes, desc="edit", unit="clip", disable=None, leave=False) as bar:
        found = counterfactuals(
            bundle.model,
            shown,
            plans,
            options,
            label_names=bundle.labels,
            measured=n,
            clip_ids=ids,
            groups=persons(table),
            progress=bar.update,
        )
    source = found.provenance.with_source(checkpoint=bundle.card.sha256, name=bundle.name)
    lent = (DRAWN.format(len(donors), "" if len(donors) == 1 else "s"),) if taken else ()
    return EditedClips(
        dataclasses.replace(found, provenance=source, notes=(*found.notes, *lent)), tuple(taken), tuple(at), data_hash(listed)
    )


def plan(bundle: Bundle, n: int, options: Options, donors: ArrayLike = ()) -> tuple[list[list[Edit]], list[int]]:
    """The edits of n clips, and the frames that drop and replace change.

    An edit that takes from another clip is planned for each row of `donors` (donors, clips): which clip each of the first ones
    takes from. The others are there to be taken from.
    Raises: InputError for unknown edits or frames, or edits that the model cannot take.
    """
    length, given = bundle.model.frames, np.asarray(donors, np.int64)
    at = list(range(length // 4, length - length // 4)) if options.frames is None else list(options.frames)
    full = np.tile(np.arange(n), (len(given), 1))
    if len(given):
        full[:, : given.shape[1]] = given
    names = possible_edits(bundle, n) if options.edits is None else options.edits
    return [_plan(name, bundle, n, at, full, options) for name in names], at


def _drawn(listed: pd.DataFrame, ids: Sequence[str], options: Options) -> list[tuple[str, ...]]:
    """Of each clip the ids of those that it takes from."""
    if options.donors < 1:
        raise InputError(f"donors is {options.donors}; use 1 or more")
    known, named = listed["clip_id"].tolist(), options.lenders
    pool = of_each_class(listed, CLIPS) if named is None else with_ids(listed, named)
    rows, lent = (pd.Index(known).get_indexer(some) for some in (ids, pool["clip_id"]))
    members = group_members(persons(listed) if named is None else None, len(listed))
    if named is None and len(set(members[lent])) == 1:  # a list that is sorted by person
        lent = np.arange(len(listed))
    if len(lent) == 1 and lent[0] in rows:
        raise InputError(f"{known[lent[0]]} takes from another clip, and there is none but itself; name another one, or two")
    count = options.donors if named is None else len(lent)  # who names clips wants all of them
    drawn = drawn_clips(known, rows, lent, members, count, options.seed)
    return [tuple(known[row] for row in own) for own in drawn.T]


def write(result: EditedClips, out: Path, context: Context = PYTHON_CALL) -> list[Path]:
    """Write counterfactual.json, clips.csv, clips.png and clip.png (the clip that changes most) to a new folder; its files.

    Raises: InputError if `out` exists.
    """
    found = result.counterfactuals
    with new_folder(out) as folder:
        write_text(folder / REPORT, report_text(result))
        table = pd.DataFrame(found.table)
        if result.donors and len(table):
            taken = table["clip_id"].map(dict(zip(found.clip_ids, map(", ".join, result.donors), strict=True)))
            table["donors"] = taken.where(table["edit"].str.startswith(LENT), "")
        write_text(folder / "clips.csv", csv_text(table))
        if found.edits or found.order is not None:
            CounterfactualDisplay.from_result(found).save(folder / "clips.png", context=context)
        if found.edits:
            most = int(np.mean([edit.change for edit in found.edits], axis=0).argmax())
            ClipChangeDisplay.from_result(found, most).save(folder / "clip.png", context=context)
    return sorted(out.iterdir())


def report_text(result: EditedClips) -> str:
    """The text of counterfactual.json: all numbers, and the caption."""
    report = result.to_dict()
    plain = report.pop("counterfactuals") | {"caption": result.counterfactuals.caption} | report
    return json.dumps(plain, indent=1, ensure_ascii=False) + "\n"


def read_report(file: Path) -> EditedClips:
    """What counterfactual.json holds. Raises: InputError for a file that is missing, damaged or of another version."""
    try:
        values = dict(read_json(file))
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{file}: No such file or directory; make it with workbench counterfactual") from None
    values.pop("caption", None)
    about = {item.name: values.pop(item.name, None) for item in dataclasses.fields(EditedClips) if item.name in values}
    return EditedClips.from_dict(about | {"counterfactuals": values}, str(file), "make it again with workbench counterfactual")


def check_edits(bundle: Bundle, edits: Sequence[str] | None) -> None:
    """Refuse what cannot work before clips are read.

    Raises: InputError for an unknown edit.
    """
    for name in edits or ():
        _known(name, bundle)


def _known(name: str, bundle: Bundle) -> str:
    known = (*FRAME_EDITS, *FEATURE_EDITS, *input_edits(bundle))
    if name not in known and name in SWAPS_OF_INPUTS:
        raise InputError(f"{name}: {bundle.name} reads one input; it takes {', '.join(possible_edits(bundle, 2))}")
    if name not in known:
        raise InputError(f"unknown edit {name!r}; {bundle.name} takes {', '.join(possible_edits(bundle, 2))}")
    return name


def input_edits(bundle: Bundle) -> dict[str, str]:
    """Names of the edits that exchange one of several inputs → the input."""
    return {f"swap-{name}": name for name in bundle.model.inputs} if len(bundle.model.inputs) > 1 else {}


def possible_edits(bundle: Bundle, n: int) -> list[str]:
    """Edits that a model can take; with one clip none that needs a second one."""
    names = list(FRAME_EDITS)
    if "offsets" in bundle.model.capabilities:
        names.append("zero-offsets")
    if "split" in bundle.model.capabilities:
        names += ["swap-D", "swap-S"]
    names += input_edits(bundle)
    return [name for name in names if n > 1 or not name.startswith(LENT)]


def _plan(name: str, bundle: Bundle, n: int, at: Sequence[int], donors: np.ndarray, options: Options) -> list[Edit]:
    length = bundle.model.frames
    if _known(name, bundle).startswith(LENT) and not len(donors):
        raise InputError(f"{name} takes from another clip, and there is one; choose two or more")
    match name:
        case "freeze":
            return [freeze(n, length, options.still)]
        case "reverse":
            return [reverse(n, length)]
        case "shuffle":
            return [shuffle(n, length, options.seed)]
        case "drop":
            return [drop(n, length, at)]
        case "replace":
            return [replace(n, length, at, own) for own in donors]
        case "zero-offsets":
            return [zero_offsets(bundle.model)]
    if of := input_edits(bundle).get(name):
        return [swap_input(bundle.model, of, own) for own in donors]
    return [swap(bundle.model, name[-1], own) for own in donors]

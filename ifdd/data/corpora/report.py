"""What an index found, beside its manifest: NAME.report.json tells where lists, folds and labels come from, what disagrees."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from ifdd.data.corpora.base import SHORT, Counts
from ifdd.documents import parse_json, read_text
from ifdd.errors import InputError
from ifdd.io import write_text

MAX_REPORT = 256 * 2**20
"""Bytes of a report: one of 40,000 clips, each of which is listed twice, has 10 MB."""
Kind = Literal[
    "missing", "unreadable", "holes", "too short", "short", "other count", "surplus", "twice", "no scene", "other scene"
]
KINDS: dict[Kind, str] = {
    "missing": "listed, and not on disk: left out",
    "unreadable": "cannot be read: left out",
    "holes": "numbers of frames are missing",
    "too short": "fewer frames than asked for: left out",
    "short": f"fewer than {SHORT} frames: kept; how they are filled up changes results",
    "other count": "the lists claim another number of frames than lie on disk: kept, the disk counts",
    "surplus": "on disk, and in no list: left out",
    "twice": "there twice: counted once",
    "no scene": "nothing is there of what is around the face: kept, column scene_path is empty",
    "other scene": "the scene has another number of frames than the face: kept, a model that reads scenes cannot read it",
}
"""Kinds of what is listed, and what became of such clips."""


@dataclass(frozen=True)
class Finding:
    """A clip that is not as the lists say; `left_out` where the manifest lacks it."""

    clip_id: str
    kind: Kind
    reason: str
    left_out: bool
    label_name: str = ""
    fold: int = 0
    split: str = ""


def report_file(manifest: Path) -> Path:
    """Where the report of a manifest lies.

    >>> report_file(Path("data/dfew.parquet")).as_posix()
    'data/dfew.report.json'
    """
    return manifest.with_name(f"{manifest.stem}.report.json")


def write_report(manifest: Path, report: Mapping[str, Any]) -> None:
    """Write a report beside its manifest, a line for each clip that is listed. Raises: InputError when the disk refuses."""
    head = json.dumps({name: value for name, value in report.items() if name != "rows"}, indent=2, ensure_ascii=False)
    kinds = []
    for kind, entry in report["rows"].items():
        about = json.dumps({name: value for name, value in entry.items() if name != "clips"}, ensure_ascii=False)
        clips = ",\n".join(f"      {json.dumps(clip, ensure_ascii=False)}" for clip in entry["clips"])
        lines = f"[\n{clips}\n    ]" if clips else "[]"
        kinds.append(f'    {json.dumps(kind)}: {about[:-1]}, "clips": {lines}}}')
    text = f'{head[:-2]},\n  "rows": {{\n' + ",\n".join(kinds) + "\n  }\n}\n"
    write_text(report_file(manifest), text.encode("utf-8", "replace").decode())  # names of files may be no Unicode


def read_report(manifest: Path) -> dict[str, Any] | None:
    """The report that lies beside a manifest; None where there is none.

    Raises: InputError for a file that is no report.
    """
    file = report_file(manifest)
    try:
        values = parse_json(read_text(file, MAX_REPORT), str(file))
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not isinstance(values, dict) or not isinstance(values.get("rows"), dict) or "official" not in values:
        raise InputError(f"{file}: not the report of an index; write it anew with `ifdd data index --corpus`, or remove it")
    return values


def listed(findings: Iterable[Finding]) -> dict[str, dict[str, Any]]:
    """The findings by kind: how many, what became of them, and each clip with its reason."""
    found: dict[str, dict[str, Any]] = {kind: {"count": 0, "meaning": meaning, "clips": []} for kind, meaning in KINDS.items()}
    for finding in findings:
        entry = found[finding.kind]
        entry["count"] += 1
        where = {"fold": finding.fold} if finding.fold else {"split": finding.split} if finding.split else {}
        label = {"label_name": finding.label_name} if finding.label_name else {}
        entry["clips"].append(
            {"clip_id": finding.clip_id, **label, **where, "left_out": finding.left_out, "reason": finding.reason}
        )
    return found


def class_counts(names: Iterable[str], labels: Sequence[str]) -> dict[str, int]:
    """Clips of each class, in the order of the classes."""
    found = Counter(names)
    return {label: found.get(label, 0) for label in labels}


def fold_table(
    frame: pd.DataFrame, labels: Sequence[str], lists: Mapping[int, Counts], official: Mapping[int, Counts]
) -> dict[str, dict[str, Any]]:
    """Counts of each fold (by its number; "0" is a single split): in the lists, in the manifest, and the official ones."""
    table: dict[str, dict[str, Any]] = {}
    for fold, counts in sorted(lists.items()):
        if fold:
            test = (frame["fold"] == fold).to_numpy()
            train = ~test
        else:
            split = frame["split"].to_numpy() if "split" in frame else frame["fold"].to_numpy()
            test, train = split == "test", (split == "train") | (split == "val")
        names = frame["label_name"].to_numpy()
        here = Counts(class_counts(names[train], labels), class_counts(names[test], labels))
        entry: dict[str, Any] = {"lists": _of(counts), "manifest": _of(here)}
        if fold in official:
            entry |= {"official": _of(official[fold]), "lists_are_official": counts == official[fold]}
        table[str(fold)] = entry
    return table


def _of(counts: Counts) -> dict[str, Any]:
    return {
        "train": counts.n_train,
        "test": counts.n_test,
        "train_classes": dict(counts.train),
        "test_classes": dict(counts.test),
    }

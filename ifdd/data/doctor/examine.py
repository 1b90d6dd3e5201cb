"""The doctor's round: one look at every clip, then each check in turn."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ifdd.data.corpora import CORPORA, read_report
from ifdd.data.doctor.case import Case, separate_parts
from ifdd.data.doctor.classes import classes
from ifdd.data.doctor.copies import copies
from ifdd.data.doctor.counts import counts
from ifdd.data.doctor.damage import damage
from ifdd.data.doctor.findings import EXIT_CODES, SEVERITIES, Finding, gravest
from ifdd.data.doctor.naming import naming
from ifdd.data.doctor.near import near
from ifdd.data.doctor.persons import persons
from ifdd.data.doctor.predictions import of_predictions
from ifdd.data.doctor.resolution import resolution
from ifdd.data.doctor.scan import Look, scan
from ifdd.data.doctor.short import short
from ifdd.data.manifest import FILE_NAME, clip_path, clips_below, read_manifest
from ifdd.data.manifest.table import TEXT_FILES, complete
from ifdd.errors import InputError

Check = Callable[[Case], Iterator[Finding]]
CHECKS: dict[str, Check] = {
    "damage": damage,
    "frames": naming,
    "short": short,
    "resolution": resolution,
    "labels": classes,
    "counts": counts,
    "copies": copies,
    "persons": persons,
    "near-duplicates": near,
}
"""By the name that `--only` takes, in the order in which they run."""
WITHIN = {"priors": "labels", "order": "counts"}
"""Findings by a name of their own, and the check that makes them."""
DEEP = ("damage", "near-duplicates")
"""Those that read pictures."""


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """What was found in the clips of some lists; `parts` are how many clips each part has, `checks` those that ran."""

    sources: tuple[str, ...]
    clips: int
    corpus: str
    parts: Mapping[str, int]
    checks: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> int:
        """Of the command: by the gravest finding."""
        return EXIT_CODES[gravest(self.findings)]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a report."""
        return {
            "sources": list(self.sources),
            "clips": self.clips,
            "corpus": self.corpus,
            "parts": dict(self.parts),
            "checks": list(self.checks),
            "counts": {name: sum(one.severity == name for one in self.findings) for name in SEVERITIES},
            "exit_code": self.exit_code,
            "findings": [one.to_dict() for one in self.findings],
        }


def examine(
    sources: Sequence[str | Path],
    *,
    frames: int = 16,
    quick: bool = False,
    only: Sequence[str] = (),
    predictions: Path | None = None,
    workers: int | None = None,
    progress: bool = True,
) -> Diagnosis:
    """Look at every clip of a list, or of several that must share nothing, and tell what is wrong with them.

    Args:
        sources: manifests, or their folders; of a folder without one all clips in it, which then have no labels.
        frames: of a clip as a model reads it.
        quick: names and sizes of files alone, no pictures.
        only: names of `CHECKS` or of findings, all by default; `predictions` alone looks at nothing else.
        predictions: table of somebody's predictions of the clips, see `predictions.of_predictions`.
        workers: processes; as many as there are processors, by default.
        progress: whether a bar is shown.

    Raises:
        InputError: a list or predictions that cannot be read, a folder without a clip, a check that there is none of.
    """
    for name in only:
        if name == "predictions" and predictions is None:
            raise InputError("--only predictions: there are none; give --predictions FILE")
        if name not in (*CHECKS, *WITHIN, "predictions"):
            raise InputError(f"--only {name}: is no check; checks are {', '.join(CHECKS)}, predictions")
    asked = {WITHIN.get(name, name) for name in only}
    chosen = [name for name in CHECKS if name in (asked or CHECKS)]
    case = _case([Path(source) for source in sources], frames, quick, chosen, workers or os.cpu_count() or 1, progress)
    found = [one for name in chosen for one in CHECKS[name](case)]
    if predictions is not None:
        found += of_predictions(case, predictions)
    return Diagnosis(
        sources=tuple(map(str, sources)),
        clips=len(case.frame),
        corpus="" if case.official is None else case.official.name,
        parts={name: len(rows) for name, rows in case.parts.items()},
        checks=tuple(chosen),
        findings=tuple(sorted(found, key=lambda one: SEVERITIES.index(one.severity))),
    )


def _case(sources: Sequence[Path], frames: int, quick: bool, chosen: Sequence[str], workers: int, progress: bool) -> Case:
    tables = [_table(source) for source in sources]
    places = tuple(os.path.realpath(clip_path(table, row)) for table in tables for row in table.itertuples())
    if len(tables) == 1:
        frame, parts = tables[0], separate_parts(tables[0])
    else:
        names = [source.stem for source in sources]
        names = names if len(set(names)) == len(names) else [f"{i + 1} {name}" for i, name in enumerate(names)]
        ends = np.cumsum([0, *map(len, tables)])
        parts = {name: np.arange(ends[i], ends[i + 1]) for i, name in enumerate(names)}
        tables = [table.assign(clip_id=f"{name}: " + table["clip_id"]) for name, table in zip(names, tables, strict=True)]
        frame = pd.concat(tables, ignore_index=True)
    deep = not quick and "damage" in chosen
    looks = not quick and "near-duplicates" in chosen
    asked = [Look(place, float(count), deep, looks) for place, count in zip(places, frame["n_frames"], strict=True)]
    seen = scan(asked, workers, progress)
    report = _report(sources[0]) if len(sources) == 1 else None
    official = CORPORA.get(str((report or {}).get("corpus", "")))
    return Case(str(sources[0]), frame, places, parts, seen, frames, not quick, report, official)


def _list_in(source: Path) -> Path | None:
    """The list that a path means; None for a folder without one."""
    if not source.is_dir():
        return source
    files = [source / name for name in (FILE_NAME, *(f"clips{end}" for end in TEXT_FILES))]
    return next((file for file in files if file.is_file()), None)


def _report(source: Path) -> dict[str, Any] | None:
    file = _list_in(source)
    return None if file is None else read_report(file)


def _table(source: Path) -> pd.DataFrame:
    if _list_in(source) is None:
        frame = complete(pd.DataFrame({"path": clips_below(source)}), source, source)
        frame.attrs["root"] = str(source)
        return frame
    return read_manifest(source)

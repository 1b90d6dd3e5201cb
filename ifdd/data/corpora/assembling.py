"""From clips that lists and folders tell of to the manifest and its report: clips are measured, what is wrong is listed."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from ifdd.data.bad_clips import MOST_SKIPPED
from ifdd.data.corpora.base import SHORT, Counts, Facts, Holes
from ifdd.data.corpora.listing import Listing
from ifdd.data.corpora.measuring import Measured, in_threads, measure, measure_deeply
from ifdd.data.corpora.report import KINDS, Finding, Kind, class_counts, fold_table, listed, write_report
from ifdd.data.manifest import FILE_NAME, write_manifest
from ifdd.data.manifest.table import FILES
from ifdd.data.video import natural_key
from ifdd.errors import InputError
from ifdd.labels import meant_class
from ifdd.progress import tqdm

STRICT: tuple[Kind, ...] = ("missing", "unreadable", "holes", "too short", "twice", "no scene", "other scene")
"""What `strict` takes for an error; `surplus` too where every clip on disk should be listed."""


@dataclass(frozen=True)
class Options:
    """How a corpus is indexed.

    Attributes:
        lists: folder of lists, or one list, in place of those below the root.
        frames: name of the folder of clips, where there are several.
        order: of numbered lists (`numbering.numbering`).
        names: class → class it counts as, "" leaves its clips out.
        crop: for the manifest; by default face for videos, none for folders of frames.
        min_frames: fewest frames of a clip.
        holes: whether clips with holes in the numbers of their frames are left out, or kept as they are.
        deep: whether every picture of a folder of frames is read and checked, as decoding does: minutes for a corpus.
        strict: whether anything of `STRICT` is an error.
        workers: threads.
    """

    lists: Path | None = None
    frames: str | None = None
    order: str | None = None
    names: Mapping[str, str] | None = None
    crop: str | None = None
    min_frames: int = 1
    holes: Holes = "skip"
    deep: bool = False
    strict: bool = False
    workers: int = 8


@dataclass(frozen=True)
class Wanted:
    """A clip as lists, or its own name, tell it; `path` is relative to the root, "" where it is not on disk."""

    clip_id: str
    label: str
    path: str
    fold: int = 0
    split: str = ""


@dataclass(frozen=True)
class Gathered:
    """What was found of a corpus before a clip is looked at.

    Attributes:
        corpus: which.
        root: folder that paths are relative to.
        folder: of the clips, below it.
        others: other folders with clips → how many.
        wanted: clips that are listed.
        findings: what is already known not to be as it should.
        listing: what the lists say, if there are any.
        label_source: who says which class a clip has.
        columns: name of a column → clip id → value.
        notes: what a user is told.
        scene_folder: of the pictures around the faces, "" where there are none.
        scenes: clip id → its path there.
    """

    corpus: Facts
    root: Path
    folder: str
    others: Mapping[str, int]
    wanted: Sequence[Wanted]
    findings: Sequence[Finding]
    listing: Listing | None
    label_source: str
    columns: Mapping[str, Mapping[str, Any]]
    notes: Sequence[str]
    scene_folder: str = ""
    scenes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Indexed:
    """A manifest, its paths relative to `.attrs["root"]`, and the report that is written beside it."""

    frame: pd.DataFrame
    report: dict[str, Any]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user is told."""
        return tuple(self.report["notes"])


def assemble(found: Gathered, options: Options) -> Indexed:
    """Measure the clips, and make manifest and report of what is there.

    Raises: InputError: no clip left; more than a fifth of the clips with holes; with `strict` a clip that is not as listed.
    """
    corpus, listing = found.corpus, found.listing
    family = listing.family if listing else None
    wanted = sorted(found.wanted, key=lambda one: [natural_key(part) for part in one.clip_id.split("/")])
    findings = list(found.findings)
    rows, measured = _measured(found.root, wanted, findings, options, found.folder)
    claimed = family.n_frames if family else {}
    findings += [
        _row(one, "other count", f"{seen.n_frames} frames, the lists say {claimed[one.clip_id]}", left_out=False)
        for one, seen in zip(rows, measured, strict=True)
        if claimed.get(one.clip_id, seen.n_frames) != seen.n_frames
    ]
    columns = dict(found.columns)
    if found.scene_folder:
        columns["scene_path"] = found.scenes
        findings += _scene_findings(found, rows, measured, options)
    labels, meant = _classes(corpus.labels, options.names)
    frame = _frame(rows, measured, labels, meant, options.crop, columns)
    frame.attrs["root"] = str(found.root)
    lists = options.lists
    report: dict[str, Any] = {
        "corpus": corpus.name,
        "title": corpus.title,
        "root": str(found.root.resolve()),
        "clips": {
            "folder": found.folder,
            "kinds": sorted({one.kind for one in measured}),
            "sizes": _sizes(measured),
            "other_folders": dict(found.others),
            "scenes": found.scene_folder,
        },
        "lists": {
            "root": str((lists if lists is not None and lists.is_dir() else lists.parent if lists else found.root).resolve()),
            "read": list(family.files) if family else [],
            "layout": family.layout if family else "",
            "agree": [file for other in (listing.others if listing else ()) for file in other.files],
        },
        "labels": {
            "names": list(labels),
            "map": dict(options.names or {}),
            "order": family.order if family else "",
            "first_number": family.first if family and family.order else None,
            "source": found.label_source,
        },
        "official": bool(family and family.official),
        "folds": fold_table(
            frame, labels, _mapped(family.counts if family else {}, labels, meant), _mapped(corpus.counts, labels, meant)
        ),
        "counts": {
            "clips": len(frame),
            "classes": class_counts(frame["label_name"], labels),
            "official_classes": dict(corpus.total),
        },
        "rows": listed(findings),
        "options": {"min_frames": options.min_frames, "holes": options.holes, "deep": options.deep},
    }
    report["notes"] = [*_notes(found, findings), *found.notes]
    if options.strict:
        _refuse(found.root, report, (*STRICT, *(("surplus",) if corpus.all_listed else ())))
    return Indexed(frame, report)


def write_indexed(indexed: Indexed, target: Path) -> Path:
    """Write the manifest, and its report beside it; paths are seen from the manifest's folder. Returns the manifest's file.

    Raises: InputError as `write_manifest`.
    """
    file = target if target.suffix == ".parquet" else target / FILE_NAME
    root, base = os.path.realpath(indexed.frame.attrs["root"]), os.path.realpath(file.parent)
    above = os.path.relpath(root, base).replace(os.sep, "/")
    frame = indexed.frame
    for name in ("path", *FILES):
        if name in frame and above != ".":
            paths = [
                f"{above}/{path}" if isinstance(path, str) and not Path(path).is_absolute() else path for path in frame[name]
            ]
            frame = frame.assign(**{name: paths})
    write_manifest(frame, file)
    write_report(file, {"manifest": file.name, **indexed.report})
    return file


def _measured(
    root: Path, wanted: Sequence[Wanted], findings: list[Finding], options: Options, folder: str
) -> tuple[list[Wanted], list[Measured]]:
    """The clips that are there and can be read, as they are on disk; the others become findings."""
    holes, min_frames = options.holes, options.min_frames
    there = [one for one in wanted if one.path]
    findings += [_row(one, "missing", f"not in {folder}", left_out=True) for one in wanted if not one.path]
    kept: list[Wanted] = []
    sizes: list[Measured] = []
    gaps = 0
    look = measure_deeply if options.deep else measure
    results = in_threads(look, (root / one.path for one in there), options.workers)
    for one, seen in zip(tqdm(there, desc="index", unit="clip", delay=2, disable=None), results, strict=True):
        if isinstance(seen, str):
            findings.append(_row(one, "unreadable", seen, left_out=True))
            continue
        if seen.holes:
            gaps += 1
            findings.append(_row(one, "holes", seen.holes, left_out=holes == "skip"))
            if holes == "skip":
                continue
        if seen.n_frames < min_frames:
            findings.append(_row(one, "too short", f"{seen.n_frames} frames, fewer than {min_frames}", left_out=True))
            continue
        if seen.n_frames < SHORT:
            findings.append(_row(one, "short", f"{seen.n_frames} frames, fewer than {SHORT}", left_out=False))
        kept.append(one)
        sizes.append(seen)
    if holes == "skip" and gaps > MOST_SKIPPED * len(there):
        first = next(finding for finding in findings if finding.kind == "holes")
        raise InputError(
            f"{root}: numbers of frames have holes in {gaps} of {len(there)} clips (e.g. {first.clip_id}: {first.reason}), more "
            f"than {MOST_SKIPPED:.0%} are too many to leave out; fetch them anew, or say --holes keep where frames without a "
            "face were never written"
        )
    if not kept:
        few = "; ".join(f"{finding.clip_id}: {finding.reason}" for finding in findings if finding.left_out and finding.label_name)
        raise InputError(
            f"{root}: no clip is left of {len(wanted)}: {few or 'none is listed'}; give the folder that holds the clips"
        )
    return kept, sizes


def _scene_findings(found: Gathered, rows: Sequence[Wanted], measured: Sequence[Measured], options: Options) -> list[Finding]:
    """Clips without a scene, or with one of another length; films are not decoded for it unless all is read (`deep`)."""
    there = [
        (one, seen, found.scenes[one.clip_id]) for one, seen in zip(rows, measured, strict=True) if one.clip_id in found.scenes
    ]
    lacking = [one for one in rows if one.clip_id not in found.scenes]
    findings = [_row(one, "no scene", f"not in {found.scene_folder}", left_out=False) for one in lacking]
    counted = [(one, seen, path) for one, seen, path in there if options.deep or (found.root / path).is_dir()]
    look = measure_deeply if options.deep else measure
    for (one, seen, path), scene in zip(
        counted, in_threads(look, (found.root / path for _, _, path in counted), options.workers), strict=True
    ):
        if isinstance(scene, str):
            findings.append(_row(one, "other scene", f"{path}: {scene}", left_out=False))
        elif scene.n_frames != seen.n_frames:
            told = f"{scene.n_frames} frames in {path}, {seen.n_frames} of the face"
            findings.append(_row(one, "other scene", told, left_out=False))
    return findings


def _row(one: Wanted, kind: Kind, why: str, *, left_out: bool) -> Finding:
    return Finding(one.clip_id, kind, why, left_out, one.label, one.fold, one.split)


def _classes(labels: Sequence[str], names: Mapping[str, str] | None) -> tuple[tuple[str, ...], dict[str, str]]:
    """The classes that a map leaves, and class → class it counts as ("" for one that is left out).

    Raises: InputError for a name that is no class.
    """
    meant = {label: label for label in labels}
    for name, target in (names or {}).items():
        label, wanted = meant_class(name, labels), meant_class(target, labels) if target else ""
        for said, known in ((name, label), (target, wanted)):
            if known is None:
                raise InputError(f"--map {name}={target}: {said} is no class; classes are {', '.join(labels)}")
        meant[str(label)] = str(wanted)
    kept = tuple(label for label in labels if label in meant.values())
    if gone := {target for target in meant.values() if target} - {label for label in kept if meant[label] == label}:
        raise InputError(f"--map: {min(gone)} is mapped to another class itself; map to one that stays")
    return kept, meant


def _mapped(folds: Mapping[int, Counts], labels: Sequence[str], meant: Mapping[str, str]) -> dict[int, Counts]:
    """Counts of the classes that a map leaves."""

    def part(counts: Mapping[str, int]) -> dict[str, int]:
        return {label: sum(count for name, count in counts.items() if meant[name] == label) for label in labels}

    return {fold: Counts(part(counts.train), part(counts.test)) for fold, counts in folds.items()}


def _frame(
    rows: Sequence[Wanted],
    measured: Sequence[Measured],
    labels: Sequence[str],
    meant: Mapping[str, str],
    crop: str | None,
    columns: Mapping[str, Mapping[str, Any]],
) -> pd.DataFrame:
    pairs = [(one, seen) for one, seen in zip(rows, measured, strict=True) if meant[one.label]]
    if not pairs:
        raise InputError("--map leaves no clip; leave fewer classes out")
    number = {label: i for i, label in enumerate(labels)}
    names = [meant[one.label] for one, _ in pairs]
    table: dict[str, list[Any]] = {
        "clip_id": [one.clip_id for one, _ in pairs],
        "path": [one.path for one, _ in pairs],
        "kind": [seen.kind for _, seen in pairs],
        "n_frames": [seen.n_frames for _, seen in pairs],
        "fps": [seen.fps for _, seen in pairs],
        "width": [seen.width for _, seen in pairs],
        "height": [seen.height for _, seen in pairs],
        "label": [number[name] for name in names],
        "label_name": names,
        "fold": [one.fold for one, _ in pairs],
        "subject": ["" for _ in pairs],
        "crop": [crop or ("face" if seen.kind == "video" else "none") for _, seen in pairs],
    }
    if any(one.split for one, _ in pairs):
        table["split"] = [one.split for one, _ in pairs]
    votes = {name: of for name, of in columns.items() if name.startswith("votes_")}
    merged: dict[str, list[str]] = {}
    for name in votes:
        target = meant.get(name.removeprefix("votes_"), name.removeprefix("votes_"))
        if target:
            merged.setdefault(f"votes_{target}", []).append(name)
    for name, of in columns.items():
        if name not in votes:
            table[name] = [of.get(one.clip_id) for one, _ in pairs]
    for name, sources in merged.items():
        table[name] = [_sum([votes[source].get(one.clip_id) for source in sources]) for one, _ in pairs]
    return pd.DataFrame(table)


def _sum(votes: Sequence[Any]) -> Any:
    known = [vote for vote in votes if vote is not None]
    return sum(known) if known else None


def _sizes(measured: Sequence[Measured]) -> dict[str, int]:
    """Clips of each picture size, the most frequent first."""
    found: dict[str, int] = {}
    for one in measured:
        size = f"{one.width}x{one.height}"
        found[size] = found.get(size, 0) + 1
    return dict(sorted(found.items(), key=lambda pair: -pair[1])[:20])


def _notes(found: Gathered, findings: Sequence[Finding]) -> list[str]:
    corpus, listing = found.corpus, found.listing
    notes = []
    if found.scene_folder:
        notes.append(f"scenes around the faces are those of {found.scene_folder} (column scene_path)")
    others = {name: count for name, count in found.others.items() if name != found.scene_folder}
    if others:
        most = sorted(others.items(), key=lambda pair: -pair[1])
        more = ", ".join(f"{name} ({count})" for name, count in most[:5])
        more += f" and {len(most) - 5} more" if len(most) > 5 else ""
        notes.append(f"clips are those of {found.folder}; there are also {more} (--frames NAME takes them)")
    none = "there are no folds; `ifdd data split` makes some, which are not the official ones"
    if listing is None:
        if corpus.counts:
            notes.append(f"no lists of parts were found: {none}")
    else:
        family = listing.family
        parted = bool(family.folds) or any(family.part.values())
        if family.order:
            notes.append(f"labels are numbers from {family.first} in the order {family.order}, by {family.source}")
        if corpus.counts and parted and not family.official:
            notes.append("the lists are not the official ones: their counts differ (see folds in the report)")
        elif corpus.counts and not parted:
            notes.append(f"the lists tell no parts: {none}")
        notes += listing.notes
    for kind, meaning in KINDS.items():
        some = [finding for finding in findings if finding.kind == kind]
        if some and kind == "surplus" and not corpus.all_listed:
            notes.append(f"{len(some)} clips on disk are in no list, e.g. {some[0].clip_id}; they are left out")
        elif some:
            notes.append(f"{len(some):,} clips: {kind} ({meaning}), e.g. {some[0].clip_id}: {some[0].reason}")
    return notes


def _refuse(root: Path, report: Mapping[str, Any], kinds: Sequence[str]) -> None:
    """Raises: InputError for the first clips that are not as listed."""
    some = [(kind, clip) for kind in kinds for clip in report["rows"][kind]["clips"]]
    if some:
        count = ", ".join(f"{report['rows'][kind]['count']} {kind}" for kind in kinds if report["rows"][kind]["count"])
        told = "; ".join(f"{clip['clip_id']}: {kind}, {clip['reason']}" for kind, clip in some[:5])
        raise InputError(f"{root}: --strict: {count}: {told}; mend them, or leave --strict out to have them listed")

"""Clips of each class and part against the official numbers of the corpus."""

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np

from ifdd.data.doctor.case import Case
from ifdd.data.doctor.findings import Finding, finding, many
from ifdd.data.label_order import orders_by_counts
from ifdd.labels import meant_class

FITS = 0.02
"""Share of the clips that may be in another class than the official counts say, so that an order still is told by them."""


def counts(case: Case) -> Iterator[Finding]:
    """Parts whose classes have other numbers of clips than officially; what the index left out."""
    if case.official is None:
        yield finding(
            "note",
            "counts",
            "no official counts to compare with: nothing beside the list says which corpus it is",
            (),
            "make the list with ifdd data index --corpus NAME, which writes a report beside it",
        )
        return
    yield from _of_report(case)
    if (case.report or {}).get("labels", {}).get("map"):
        yield finding("note", "counts", "classes were mapped when the list was made: official counts are not compared")
        return
    wrong, right = [], 0
    for name, rows, official in _official_parts(case):
        here = Counter(case.frame["label_name"].to_numpy()[rows].tolist())
        differ = {
            label: (here[label], official.get(label, 0)) for label in {*here, *official} if here[label] != official.get(label, 0)
        }
        right += not differ
        if differ:
            wrong.append((name, rows, official, differ))
    for name, rows, official, differ in wrong:
        total = sum(official.values())
        more = any(ours > theirs for ours, theirs in differ.values())
        told = [f"{label}: {ours:,} of {theirs:,}" for label, (ours, theirs) in sorted(differ.items())]
        yield finding(
            "error" if more else "warning",
            "counts",
            f"{name}: {len(rows):,} clips, officially {total:,}; other numbers in {many(len(differ), 'class')}",
            told,
            "classes with more clips than officially are labelled otherwise: check labels and their order"
            if more
            else "get the clips that are missing, or say that they are",
            count=sum(abs(ours - theirs) for ours, theirs in differ.values()),
        )
        yield from _other_order(case, name, rows, official)
    if right and not wrong:
        yield finding(
            "note", "counts", f"the clips of each class are the official ones ({many(right, 'part')} of {case.official.title})"
        )


def _other_order(case: Case, name: str, rows: np.ndarray, official: Mapping[str, int]) -> Iterator[Finding]:
    """The known order in which the numbers would fit the official counts, where they do not in the one that they are read in."""
    frame = case.frame.iloc[rows]
    pairs = sorted(set(zip(frame["label"].tolist(), frame["label_name"].tolist(), strict=True)))
    numbers = [number for number, _ in pairs]
    if numbers != list(range(len(official))):
        return
    own = tuple(meant_class(label, tuple(official)) or label for _, label in pairs)
    here = Counter(frame["label"].tolist())
    fits = orders_by_counts([here[number] for number in numbers], official)
    claimed = sum(abs(here[i] / len(rows) - official.get(label, 0) / sum(official.values())) for i, label in enumerate(own)) / 2
    best = next(iter(fits), None)
    if best is not None and fits[best] <= FITS and claimed > 2 * FITS:
        yield finding(
            "error",
            "order",
            f"{name}: the numbers of the classes fit the order {best} ({fits[best]:.1%} of the clips off), not the one that they "
            f"are read in ({claimed:.1%} off)",
            (),
            f"index anew with --order {best}, or state it with --labels",
            count=len(rows),
        )


def _official_parts(case: Case) -> Iterator[tuple[str, np.ndarray, Mapping[str, int]]]:
    """Name, rows and official clips of each class of every part of the corpus that the list has."""
    frame = case.frame
    folds = frame["fold"].to_numpy()
    for fold, official in sorted(case.official.counts.items()):
        if fold:
            if (folds == fold).any():
                yield f"fold {fold}, test", np.flatnonzero(folds == fold), official.test
                if set(case.official.counts) <= set(folds.tolist()):
                    yield f"fold {fold}, training", np.flatnonzero(folds != fold), official.train
        elif "split" in frame:
            split = frame["split"].astype(str).str.strip().str.casefold().to_numpy()
            for name, chosen, expected in (
                ("train", np.isin(split, ("train", "val")), official.train),
                ("test", split == "test", official.test),
            ):
                if chosen.any():
                    yield name, np.flatnonzero(chosen), expected


def _of_report(case: Case) -> Iterator[Finding]:
    report = case.report or {}
    if report.get("official") is False and case.official.counts:
        told = f"folds or parts are not the official ones of {case.official.title}"
        yield finding("note", "counts", told, (), "say so beside every number")
    for kind, entry in report.get("rows", {}).items():
        clips = [clip for clip in entry.get("clips", []) if clip.get("left_out")] if isinstance(entry, Mapping) else []
        if clips:
            yield finding(
                "note" if kind == "surplus" else "warning",
                "counts",
                f"{many(len(clips), 'clip')} left out of the list when it was made: {kind}",
                [f"{clip.get('clip_id')}: {clip.get('reason', '')}" for clip in clips],
                "see the report beside the list",
            )
    if others := report.get("rows", {}).get("other count", {}).get("clips"):
        yield finding(
            "warning",
            "counts",
            f"the corpus's lists claim another number of frames than there is of {many(len(others), 'clip')}",
            [f"{clip.get('clip_id')}: {clip.get('reason', '')}" for clip in others],
            "other frames may be meant: official ones, of another size or rate, or cut by somebody else",
        )

"""Clips of each class and part against the official numbers of the corpus."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

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
    parts = list(_official_parts(case))
    wrong = [(name, rows, expected, differ) for name, rows, expected in parts if (differ := _differences(case, rows, expected))]
    if parts and not wrong:
        told = f"the clips of each class are the official ones ({many(len(parts), 'part')} of {case.official.title})"
        yield finding("note", "counts", told)
    if wrong:
        more = any(ours > theirs for *_, differ in wrong for ours, theirs in differ.values())
        here, there = (sum(numbers) for numbers in zip(*[(len(rows), sum(e.values())) for _, rows, e in parts], strict=True))
        where = f"{len(wrong)} of {len(parts)} parts with " if len(parts) > 1 else ""
        yield finding(
            "error" if more else "warning",
            "counts",
            f"{where}other numbers of clips than officially: {here:,} of {there:,} in all",
            [_told(name, rows, expected, differ) for name, rows, expected, differ in wrong],
            "classes with more clips than officially are labelled otherwise: check labels and their order"
            if more
            else "get the clips that are missing, or say that they are",
        )
    yield from _other_order(case, wrong)


_Part = tuple[str, np.ndarray, Mapping[str, int], Mapping[str, tuple[int, int]]]
"""Name, rows, official clips of each class, and classes with (clips, official clips) where these differ."""


def _differences(case: Case, rows: np.ndarray, expected: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    here = Counter(case.frame["label_name"].to_numpy()[rows].tolist())
    both = {label: (here[label], expected.get(label, 0)) for label in sorted({*here, *expected})}
    return {label: pair for label, pair in both.items() if pair[0] != pair[1]}


def _told(name: str, rows: np.ndarray, expected: Mapping[str, int], differ: Mapping[str, tuple[int, int]]) -> str:
    """A part in one line, the classes that differ most first."""
    classes = sorted(differ.items(), key=lambda one: -abs(one[1][0] - one[1][1]))
    listed = ", ".join(f"{label} {ours:,} of {theirs:,}" for label, (ours, theirs) in classes[:3])
    return f"{name}: {len(rows):,} of {sum(expected.values()):,} ({listed}{', …' if len(classes) > 3 else ''})"


def _other_order(case: Case, wrong: Sequence[_Part]) -> Iterator[Finding]:
    """The known order in which the numbers would fit the official counts, where they do not in the one that they are read in."""
    found: dict[str, list[str]] = {}
    for name, rows, official, _ in wrong:
        frame = case.frame.iloc[rows]
        names = dict(zip(frame["label"].tolist(), frame["label_name"].tolist(), strict=True))
        if sorted(names) != list(range(len(official))):
            continue
        here = Counter(frame["label"].tolist())
        own = [meant_class(names[i], tuple(official)) or names[i] for i in sorted(names)]
        shares = [here[i] / len(rows) - official.get(label, 0) / sum(official.values()) for i, label in enumerate(own)]
        claimed = sum(map(abs, shares)) / 2
        fits = orders_by_counts([here[i] for i in sorted(names)], official)
        best = next(iter(fits), None)
        if best is not None and fits[best] <= FITS and claimed > 2 * FITS:
            found.setdefault(best, []).append(f"{name}: {fits[best]:.1%} of the clips off, as it is read {claimed:.1%}")
    for best, told in found.items():
        yield finding(
            "error",
            "order",
            f"the numbers of the classes fit the order {best}, not the one that they are read in",
            told,
            f"index anew with --order {best}, or state it with --labels",
        )


def _official_parts(case: Case) -> Iterator[tuple[str, np.ndarray, Mapping[str, int]]]:
    """Name, rows and official clips of each class, of every official part in the list; of all, where its parts are its own."""
    frame = case.frame
    if (case.report or {}).get("official") is False:
        yield "all clips", np.arange(len(frame)), case.official.total
        return
    folds = frame["fold"].to_numpy()
    for fold, official in sorted(case.official.counts.items()):
        if fold:
            if (folds == fold).any():
                yield f"fold {fold}, test", np.flatnonzero(folds == fold), official.test
                if (folds == 0).any():  # where all folds are there, their test parts say it all
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

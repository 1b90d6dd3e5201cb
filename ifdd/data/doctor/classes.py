"""Labels: their set, their order and who says so, and how many clips each class has in each part."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from ifdd.data.corpora.orders import known_order
from ifdd.data.doctor.case import Case
from ifdd.data.doctor.findings import Finding, finding, many
from ifdd.data.manifest import has_labels
from ifdd.labels import meant_class

FEW = 30
"""Clips of a class in a part below which a recall moves by more than 3 points with one clip."""
LEVEL = 0.001


def classes(case: Case) -> Iterator[Finding]:
    """Labels outside the corpus' classes, two words for one class, their order; classes that are rare or otherwise dealt."""
    frame = case.frame
    if not has_labels(frame):
        yield finding("note", "labels", "the clips have no labels: counts, priors and order are not checked")
        return
    names = frame["label_name"].to_numpy(str)
    found = sorted(set(names.tolist()))
    if case.official is not None:
        outside = [name for name in found if meant_class(name, case.official.labels) is None]
        if outside:
            rows = np.flatnonzero(np.isin(names, outside))
            yield finding(
                "error",
                "labels",
                f"{many(len(rows), 'clip')} with a label outside the classes of {case.official.title}: {', '.join(outside)}",
                case.named(rows),
                f"classes are {', '.join(case.official.labels)}; rename or leave out with --map",
            )
    one_class = [group for group in _same_word(found) if len(group) > 1]
    if one_class:
        yield finding(
            "error",
            "labels",
            f"one class under two names: {'; '.join(' and '.join(group) for group in one_class)}",
            [" = ".join(group) for group in one_class],
            "make them one: ifdd data index LIST --map NAME=CLASS --out NEW.parquet",
        )
    yield _order(case)
    yield from _priors(case, names, found)


def _order(case: Case) -> Finding:
    pairs = sorted(set(zip(case.frame["label"].tolist(), case.frame["label_name"].tolist(), strict=True)))
    order = [name for _, name in pairs]
    report = (case.report or {}).get("labels", {})
    said = report if isinstance(report, dict) else {}
    source = f", by {said['source']}" if said.get("source") else ""
    known = known_order(order)
    return finding(
        "note",
        "labels",
        f"{len(order)} classes, numbered {', '.join(order)} ({f'order {known}' if known else 'no known order'}{source})",
    )


def _same_word(names: list[str]) -> list[list[str]]:
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(meant_class(name) or name.casefold(), []).append(name)
    return list(groups.values())


def _priors(case: Case, names: np.ndarray, found: list[str]) -> Iterator[Finding]:
    total = Counter(names.tolist())
    rarest, commonest = min(found, key=lambda name: total[name]), max(found, key=lambda name: total[name])
    rare = f"{total[rarest] / len(names):.1%} {rarest}" if total[rarest] < total[commonest] else "and no class is rarer"
    yield finding(
        "note",
        "priors",
        f"of {many(len(names), 'clip')} {total[commonest] / len(names):.1%} are {commonest}, {rare}: "
        f"always {commonest} has WAR {total[commonest] / len(names):.1%} and UAR {1 / len(found):.1%}",
    )
    if not case.parts:
        return
    table = np.array([[int((names[rows] == name).sum()) for name in found] for rows in case.parts.values()])
    lacking = [f"{part}: no {found[j]}" for i, part in enumerate(case.parts) for j in np.flatnonzero(table[i] == 0)]
    if lacking:
        yield finding(
            "warning",
            "priors",
            "a class is missing in a part: UAR is the mean of the others there",
            lacking,
            "stratify the parts by class",
        )
    tested = [(i, part) for i, part in enumerate(case.parts) if part not in ("train", "val")]
    rare_here = [(int(table[i, j]), part, found[j]) for i, part in tested for j in range(len(found)) if 0 < table[i, j] < FEW]
    few = [f"{part}: {count} {name}" for count, part, name in sorted(rare_here, key=lambda one: one[0])]
    if few:
        least = min(count for count, _, _ in rare_here)
        yield finding(
            "note",
            "priors",
            f"fewer than {FEW} clips of a class in a part: one clip moves its recall by up to {100 / least:.1f} points",
            few,
            "report pooled numbers with their intervals",
        )
    with_clips = table[:, table.sum(0) > 0]
    if min(with_clips.shape) > 1:
        p = dealt_by_chance(with_clips)
        if p < LEVEL:
            yield finding(
                "note",
                "priors",
                f"classes are dealt to the parts in other shares than by chance (p {p:.1g})",
                (),
                "where parts are official this is a fact of the corpus; else stratify by class",
            )


def dealt_by_chance(table: np.ndarray) -> float:
    """p of a table of counts (parts, classes) if parts and classes have nothing to do with each other: Pearson's χ² test."""
    from scipy.special import chdtrc  # a tenth of the time that scipy.stats takes to load

    expected = np.outer(table.sum(1), table.sum(0)) / table.sum()
    freedom = (table.shape[0] - 1) * (table.shape[1] - 1)
    return float(chdtrc(freedom, ((table - expected) ** 2 / expected).sum()))

"""Clips that look like copies of each other, in two parts: encoded anew, in another size, brighter or darker."""

from collections.abc import Iterator

import numpy as np

from ifdd.data.doctor.case import Case
from ifdd.data.doctor.findings import Finding, finding, many
from ifdd.data.doctor.looks import agreement, candidates, distances, hashes, moving, thumbnails

NEAREST = 0.15
"""Share of the hash's bits in which a copy may differ."""
ALIKE = 0.75
"""Least agreement of how two pictures change over time: copies have 0.8 and more, other takes of a person 0.65 at most."""
DRAWN = 4000
"""Random pairs, for the null."""
TOO_MANY = 0.01
"""Share of the random pairs that would be copies, above which, if every clip has two, they look too much alike to tell."""


def near(case: Case) -> Iterator[Finding]:
    """Pairs across parts (within a list that has none) that look like one clip; what random pairs look like beside them."""
    rows = np.array([i for i, seen in enumerate(case.seen) if seen.code], np.int64)
    if len(rows) < 2:
        if case.deep:
            yield finding("note", "near-duplicates", "no two clips that show anything to compare")
        return
    small = thumbnails([case.seen[i].code for i in rows])
    bits, moves = hashes(small), moving(small)
    still = rows[~moves]
    rows, small, bits = rows[moves], small[moves], bits[moves]
    null = _null(case, rows, small, bits)
    yield from null
    if len(still):
        yield finding(
            "note",
            "near-duplicates",
            f"{many(len(still), 'clip')} {'stand' if len(still) > 1 else 'stands'} still: near-duplicates of such are not told",
            case.named(still),
        )
    pairs, crowded = candidates(bits)
    part = case.part_of[rows]
    if case.parts:
        one, other = part[pairs[:, 0]], part[pairs[:, 1]]
        pairs = pairs[(one != other) & (one != "") & (other != "")]
    pairs = pairs[distances(bits, pairs) <= NEAREST]
    told = agreement(small, pairs)
    pairs, told = pairs[told >= ALIKE], told[told >= ALIKE]
    same = [_same_bytes(case, rows[i], rows[j]) for i, j in pairs]  # told as copies
    pairs, told = pairs[~np.array(same, bool)], told[~np.array(same, bool)]
    if crowded:
        yield finding(
            "note",
            "near-duplicates",
            f"{many(crowded, 'clip')} look so much alike that each was compared with its nearest alone",
            count=crowded,
        )
    if not len(pairs) or null[0].severity != "note":
        return
    order = np.argsort(-told)
    where = "in two parts " if case.parts else ""
    yield finding(
        "warning",
        "near-duplicates",
        f"{many(len(pairs), 'pair')} of clips {where}{'look' if len(pairs) > 1 else 'looks'} like one "
        f"(at most {NEAREST:.0%} of the bits differ, motion agrees to {ALIKE:g} or more)",
        [f"{_named(case, rows[pairs[i, 0]])} ~ {_named(case, rows[pairs[i, 1]])} ({told[i]:.2f})" for i in order],
        "look at them; a copy that was trained on is no test clip: leave it out of one part",
    )


def called_copies(small: np.ndarray, bits: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """(m,) whether the clips of pairs (m, 2) look like one."""
    close = distances(bits, pairs) <= NEAREST
    close[close] = agreement(small, pairs[close]) >= ALIKE
    return close


def _null(case: Case, rows: np.ndarray, small: np.ndarray, bits: np.ndarray) -> list[Finding]:
    """What random pairs of clips look like, and, where persons are known, pairs of clips of one person."""
    rng = np.random.default_rng(0)
    told = []
    shares = []
    for name, pairs in (("random pairs", _random(len(rows), rng)), ("pairs of one person", _of_one(case.persons[rows], rng))):
        if not len(pairs):
            continue
        differ, alike = distances(bits, pairs), agreement(small, pairs)
        share = float(called_copies(small, bits, pairs).mean())
        shares.append(share)
        told.append(
            f"{name} ({len(pairs):,}) differ in {np.median(differ):.0%} of the bits (the nearest in {differ.min():.0%}), "
            f"motion agrees to {np.median(alike):.2f} (99th percentile {np.quantile(alike, 0.99):.2f}), {share:.2%} would be "
            "called copies"
        )
    if shares and shares[0] > max(TOO_MANY, 2 / (len(rows) - 1)):
        return [
            finding(
                "warning",
                "near-duplicates",
                f"clips look too much alike to tell copies: {'; '.join(told)}",
                (),
                "compare them by eye, or by what made them",
                count=len(rows),
            )
        ]
    null = f"; null: {'; '.join(told)}" if told else ""
    return [finding("note", "near-duplicates", f"{many(len(rows), 'clip')} compared{null}", count=len(rows))]


def _random(n: int, rng: np.random.Generator) -> np.ndarray:
    if n * (n - 1) // 2 <= DRAWN:
        return np.stack(np.triu_indices(n, 1), 1)
    pairs = rng.integers(0, n, (DRAWN, 2))
    return pairs[pairs[:, 0] != pairs[:, 1]]


def _of_one(persons: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    known = np.flatnonzero(persons != "")
    if len(known) < 2:
        return np.zeros((0, 2), np.int64)
    order = known[np.lexsort((rng.random(len(known)), persons[known]))]
    beside = persons[order[:-1]] == persons[order[1:]]
    pairs = np.stack([order[:-1][beside], order[1:][beside]], 1)
    return pairs[rng.permutation(len(pairs))[:DRAWN]]


def _same_bytes(case: Case, one: int, other: int) -> bool:
    first, second = case.seen[one], case.seen[other]
    return (first.code, first.frames, first.size) == (second.code, second.frames, second.size)


def _named(case: Case, row: int) -> str:
    return f"{case.ids[row]}{f' ({case.part_of[row]})' if case.part_of[row] else ''}"

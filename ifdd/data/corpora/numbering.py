"""Which classes the numbers of a list stand for: by what says it, never by a guess."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ifdd.data.corpora.base import Facts
from ifdd.data.corpora.orders import ORDERS, known_order
from ifdd.documents import read_text
from ifdd.errors import InputError
from ifdd.labels import meant_class, parse_labels

MAX_CLASS_FILE = 2**16
"""Bytes of a file of class names."""
CLASS_FILES = re.compile(r".*(?:label|class|calss)[_\-]?(?:index|idx|id|names?|map|list|es)?.*\.txt|.*(?:id|idx)_to_.*\.txt")
"""Names of files that may tell which number is which class: label_index.txt, id_to_calss.txt, classes.txt, …; in lower case."""
_WORD = r"[^\W\d][\w \-]*?"
_BETWEEN = r"""["']?\s*[:,;=\s]\s*["']?"""
_ROW = re.compile(
    rf"""["']?(?:(?P<number>\d+){_BETWEEN}(?P<name>{_WORD})|(?P<name2>{_WORD}){_BETWEEN}(?P<number2>\d+))["']?\s*,?""",
)

_ENOUGH, _FITS, _MISFITS = 200, 0.05, 0.15
"""Clips of a list from which its classes may speak for an unusual order, and the share of clips that may be in another class than
officially by the one that fits, and must be by the usual one."""


@dataclass(frozen=True)
class Numbering:
    """Number → class; `order` is its name among the known ones, or the names; `source` who says so."""

    names: Mapping[int, str]
    order: str
    first: int
    source: str


@dataclass(frozen=True)
class Evidence:
    """What a numbered list holds: its rows as (fold, part) → (clip, number), and what else tells the class of a clip."""

    rows: Mapping[tuple[int, str], Sequence[tuple[str, int]]]
    files: Mapping[tuple[int, str], str]
    named: Mapping[str, str]
    """Clip → class, by other lists."""
    class_files: Sequence[Path]
    """Nearest first."""

    def all(self) -> Iterable[tuple[str, int]]:
        """Every (clip, number)."""
        return (row for rows in self.rows.values() for row in rows)

    @property
    def file(self) -> str:
        """One of the lists, which stands for all."""
        return next(iter(self.files.values()))

    def file_of(self, clip: str, number: int) -> str:
        """The list in which a clip has a number."""
        return next(self.files[place] for place, rows in self.rows.items() if (clip, number) in rows)


def numbering(corpus: Facts, evidence: Evidence, asked: str | None = None) -> Numbering:
    """Which classes the numbers stand for.

    It is told by, in this order: `asked`; the class that clips' paths name; a file of class names beside the list; other lists
    with names; the official counts of each class, where one known order alone fits them; the one order that a corpus has.

    Args:
        corpus: whose lists they are.
        evidence: the list, and what stands beside it.
        asked: a known order, or names with commas between; "…:1" where numbers begin at 1.

    Raises: InputError for numbers outside the classes, for clips whose own path says another class, or where nothing tells it.
    """
    numbers = sorted({number for _, number in evidence.all()})
    if asked is not None:
        return _asked(corpus, evidence, asked, numbers)
    by_path = {clip: name for clip, _ in evidence.all() if (name := corpus.class_of(clip)) is not None}
    if by_path:
        return _by_names(corpus, evidence, by_path, "the class in each clip's own path")
    for file in evidence.class_files:
        if (names := class_file(file, corpus)) is not None and set(numbers) <= set(names):
            return _numbering(names, f"{file.name} beside the list")
    if len({clip for clip, _ in evidence.all()} & set(evidence.named)) > 0:
        return _by_names(corpus, evidence, evidence.named, "other lists that name the class of the same clips")
    candidates = _candidates(corpus.orders, numbers)
    unusual = _candidates([name for name, order in ORDERS.items() if set(order) == set(corpus.labels)], numbers)
    unusual = [found for found in unusual if found not in candidates]
    for possible in (candidates, unusual):
        fitting = [found for found in possible if _has_official_counts(corpus, evidence, found.names)]
        if len(fitting) == 1:
            return Numbering(fitting[0].names, fitting[0].order, fitting[0].first, "the official number of clips of each class")
    if len(candidates) == 1 and len(corpus.orders) == 1:
        only = candidates[0]
        _refuse_better(corpus, evidence, only, unusual)
        return Numbering(only.names, only.order, only.first, f"the one order in which lists of {corpus.title} number them")
    span = f"{numbers[0]} to {numbers[-1]}"
    if not candidates:
        raise InputError(
            f"{evidence.file}: labels are {span}, {corpus.title} has {len(corpus.labels)} classes ({', '.join(corpus.labels)}); "
            "say what the numbers mean with --order NAME,NAME,…"
        )
    known = " or ".join(f"--order {found.order}{':1' if found.first else ''}" for found in candidates)
    raise InputError(f"{evidence.file}: labels are numbers, {span}, and nothing tells their order; say which it is: {known}")


def _candidates(orders: Sequence[str], numbers: Sequence[int]) -> list[Numbering]:
    """Known orders that have all these numbers, from 0 or from 1."""
    return [
        _numbering({first + i: name for i, name in enumerate(ORDERS[order])}, "")
        for order in orders
        for first in (0, 1)
        if set(numbers) <= set(range(first, first + len(ORDERS[order])))
    ]


def _refuse_better(corpus: Facts, evidence: Evidence, usual: Numbering, others: Sequence[Numbering]) -> None:
    """Raises: InputError where so many clips have the classes of another order, but not of the usual one, that it is doubted."""
    clips = Counter(dict(evidence.all()).values())
    n, total = sum(clips.values()), sum(corpus.total.values())

    def off(found: Numbering) -> float:
        share = {name: clips[number] / n for number, name in found.names.items()}
        return sum(abs(share.get(name, 0) - official / total) for name, official in corpus.total.items()) / 2

    best = min(others, key=off, default=None)
    if best is None or n < _ENOUGH or off(best) > _FITS or off(usual) < _MISFITS:
        return
    orders = " or ".join(f"--order {found.order}{':1' if found.first else ''}" for found in (best, usual))
    raise InputError(
        f"{evidence.file}: labels are numbers, and nothing tells their order: lists of {corpus.title} count as {usual.order}, by "
        f"which {off(usual):.0%} of the clips would have another class than officially; by {best.order} {off(best):.0%} would; "
        f"say which it is: {orders}"
    )


def _asked(corpus: Facts, evidence: Evidence, asked: str, numbers: Sequence[int]) -> Numbering:
    wanted, _, start = asked.partition(":")
    if start not in ("", "0", "1"):
        raise InputError(f"--order {asked}: numbers begin at 0 or 1; write {wanted} or {wanted}:1")
    if wanted not in ORDERS and "," not in wanted:
        raise InputError(
            f"--order {wanted}: no such order; known are {', '.join(ORDERS)}; or write the names, with commas between"
        )
    names = [_canonical(corpus, name, f"--order {asked}") for name in ORDERS.get(wanted) or parse_labels(wanted)]
    found = _numbering({int(start or 0) + i: name for i, name in enumerate(names)}, "--order")
    if outside := [number for number in numbers if number not in found.names]:
        raise InputError(
            f"{evidence.file}: label {outside[0]} is outside of --order {asked}, which has {len(names)} classes from "
            f"{found.first}; give the order of this list"
        )
    for clip, number in evidence.all():
        own = corpus.class_of(clip)
        if own is not None and own != found.names[number]:
            raise InputError(
                f"{evidence.file_of(clip, number)}: clip {clip} has label {number}, "
                f"{found.names[number]} by --order {asked}, and its path says "
                f"{own}; give the order of this list"
            )
    return found


def _canonical(corpus: Facts, name: str, source: str) -> str:
    label = meant_class(name, corpus.labels)
    if label is None:
        raise InputError(f"{source}: {name} is no class of {corpus.title}; classes are {', '.join(corpus.labels)}")
    return label


def _by_names(corpus: Facts, evidence: Evidence, named: Mapping[str, str], source: str) -> Numbering:
    """The numbering by clips whose class is known; every one of them must agree with it."""
    pairs = Counter((number, named[clip]) for clip, number in evidence.all() if clip in named)
    most: dict[int, str] = {}
    for (number, name), _ in pairs.most_common():
        most.setdefault(number, name)
    wrong = next(((clip, number) for clip, number in evidence.all() if clip in named and named[clip] != most[number]), None)
    if wrong is not None:
        clip, number = wrong
        raise InputError(
            f"{evidence.file_of(clip, number)}: clip {clip} has label {number}, "
            f"which stands for {most[number]} elsewhere in the list, and is "
            f"{named[clip]} by {source}; mend the list, or choose lists with --lists"
        )
    if len(set(most.values())) < len(most):
        one, two = [number for number, name in sorted(most.items()) if list(most.values()).count(name) > 1][:2]
        raise InputError(
            f"{evidence.file}: labels {one} and {two} both are {most[one]} by {source}; mend the list, or choose lists with "
            "--lists"
        )
    rest = sorted({number for _, number in evidence.all()} - set(most))
    if rest:
        raise InputError(
            f"{evidence.file}: nothing tells which class label {rest[0]} stands for; say so with --order NAME,NAME,…"
        )
    for order in corpus.orders:  # a small list need not show every class
        for first in (0, 1):
            whole = {first + i: name for i, name in enumerate(ORDERS[order])}
            if most.items() <= whole.items():
                return Numbering(whole, order, first, source)
    return _numbering(most, source)


def _numbering(names: Mapping[int, str], source: str) -> Numbering:
    first = min(names)
    ordered = [names[number] for number in sorted(names)]
    return Numbering(
        dict(names), known_order(ordered) or ", ".join(f"{number} {names[number]}" for number in sorted(names)), first, source
    )


def _has_official_counts(corpus: Facts, evidence: Evidence, names: Mapping[int, str]) -> bool:
    """Whether each part of the list has the official number of clips of each class."""
    checked = False
    for (fold, part), rows in evidence.rows.items():
        if fold in corpus.counts and part in ("train", "test"):
            official = corpus.counts[fold].train if part == "train" else corpus.counts[fold].test
        elif part == "all":
            official = corpus.total
        else:
            continue
        checked = True
        if Counter(names[number] for _, number in rows) != Counter(official):
            return False
    return checked


def class_file(file: Path, corpus: Facts) -> dict[int, str] | None:
    """Number → class as a file such as `label_index.txt` says it, "Angry 0" or "0: 'Anger',"; None where it says something else.

    Raises: InputError for a number or a class that is there twice.
    """
    try:
        lines = [line for line in read_text(file, MAX_CLASS_FILE).splitlines() if line.strip(" {}[]")]
    except (InputError, OSError):
        return None
    rows = [_ROW.fullmatch(line.strip(" {}\t")) for line in lines]
    if not rows or not all(rows):
        return None
    pairs = [
        (int(row["number"] or row["number2"]), meant_class(row["name"] or row["name2"], corpus.labels)) for row in rows if row
    ]
    if any(name is None for _, name in pairs):
        return None
    names = {number: name for number, name in pairs if name is not None}
    if len(names) < len(pairs) or len(set(names.values())) < len(names):
        raise InputError(f"{file}: a number or a class is there twice; write each class once with its number")
    return names

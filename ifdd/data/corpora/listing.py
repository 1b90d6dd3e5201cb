"""What the lists of a corpus say together: the class of each clip, and the fold or part it is in; checked against each other."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path, PurePosixPath

from ifdd.data.corpora.base import MENTIONS, Counts, Facts
from ifdd.data.corpora.folds import Rows, parts_of
from ifdd.data.corpora.list_files import ListFile, read_list
from ifdd.data.corpora.numbering import CLASS_FILES, Evidence, numbering
from ifdd.documents import shown
from ifdd.errors import InputError
from ifdd.labels import match_labels, meant_class

_PART = re.compile(r"(?<![a-z])(train|test|val|valid|validation)(?:ing|set)?(?=[^a-z]|$)", re.IGNORECASE)
_FOLD = re.compile(r"(?<![a-z])((?:train|test|val|\*)?(?:set|split|fold|fd)[_\- ]?)0*(\d{1,3})(?!\d)", re.IGNORECASE)


@dataclass(frozen=True)
class Family:
    """Lists that belong together, as the ten of a cross-validation: each clip's class, fold and part.

    `order` is the known order in which they number the classes, "" where they name them; `source` who says so. `raw` are labels
    as written. `notes` tell what was left aside in them.
    """

    name: str
    files: tuple[str, ...]
    layout: str
    label: Mapping[str, str]
    fold: Mapping[str, int]
    part: Mapping[str, str]
    folds: tuple[int, ...]
    counts: Mapping[int, Counts]
    raw: Mapping[str, str]
    order: str = ""
    first: int = 0
    source: str = "the lists name the classes"
    official: bool = False
    notes: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()
    n_frames: Mapping[str, int] = field(default_factory=dict)
    """Frames that the lists claim, where they do."""


@dataclass(frozen=True)
class Listing:
    """The family that counts, and the others that agree with it (`others`), of which `notes` tell what else they hold."""

    family: Family
    others: tuple[Family, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Clash:
    """Two families of lists that number the classes in another way: how many common clips differ by number, and by name."""

    one: str
    other: str
    order_of_one: str
    order_of_other: str
    clips: int
    numbers_differ: int
    names_differ: int
    permutation: Mapping[str, str] = field(default_factory=dict)
    """Number in the one → number in the other."""


def read_listing(
    corpus: Facts,
    root: Path,
    files: Sequence[str],
    *,
    order: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> Listing | None:
    """What the lists of a corpus say; None where none of the files is one.

    Where there are lists of several makers, the official ones count, else those that name their classes and have most folds; all
    of them must say the same of the same clips, by name.

    Args:
        corpus: whose lists they are.
        root: folder that `files` are relative to.
        files: candidates; what is no list of this corpus is left aside.
        order: of numbered lists, as `numbering.numbering`.
        columns: as `list_files.read_list`.

    Raises:
        InputError: a list that cannot be read; a clip twice with two classes, in training and test of a fold, or in the test part
            of two folds; a training list that is not the rest; lists that disagree; a label outside the classes.
    """
    families, trouble = read_families(corpus, root, files, order=order, columns=columns)
    if not families:
        if trouble:
            raise trouble[0]
        return None
    best = max(families, key=lambda family: (family.official, not family.order, len(family.folds), len(family.label)))
    if trouble and not best.official:
        raise trouble[0]
    others = tuple(family for family in families if family is not best)
    notes = [f"{family.name}: {note}" for family in others if (note := _agrees(root, best, family))]
    return Listing(best, others, (*best.notes, *notes, *(f"left aside: {error}" for error in trouble)))


def read_families(
    corpus: Facts,
    root: Path,
    files: Sequence[str],
    *,
    order: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> tuple[list[Family], list[InputError]]:
    """All lists of the corpus among the files, by their maker, and why others cannot be read; arguments as `read_listing`.

    Raises: InputError as `read_listing`, for a list whose clips are those of the corpus.
    """
    groups: dict[str, list[tuple[str, int, str]]] = {}
    for name in files:
        if (place := _place(corpus, name)) is not None:
            family, fold, part = place
            groups.setdefault(family, []).append((name, fold, part))
    read: dict[str, list[Rows]] = {}
    trouble: list[InputError] = []
    for family, members in groups.items():
        try:
            rows = [found for member in members if (found := _rows(corpus, root, *member, columns)) is not None]
        except InputError as error:
            trouble.append(error)
            continue
        if rows:
            read[family] = rows
    named: dict[str, str] = {}
    families: list[Family] = []
    for family in sorted(read, key=lambda name: any(rows.numbered for rows in read[name])):
        try:
            made = family_of(corpus, root, family, read[family], named, order)
        except _OrderUnknown as error:
            trouble.append(InputError(error))
            continue
        if not made.order:
            named |= made.label
        families.append(made)
    return families, trouble


def clashes(families: Sequence[Family]) -> list[Clash]:
    """Each two families that have clips in common, and on how many of them they differ."""
    found = []
    for one, other in combinations(families, 2):
        common = [clip for clip in one.label if clip in other.label]
        if not common:
            continue
        names = sum(one.label[clip] != other.label[clip] for clip in common)
        if one.order and other.order:
            differ = sum(one.raw[clip] != other.raw[clip] for clip in common)
            pairs = sorted({(one.raw[clip], other.raw[clip]) for clip in common}, key=lambda pair: tuple(map(int, pair)))
            found.append(
                Clash(one.name, other.name, one.order, other.order, len(common), differ, names, dict(pairs) if differ else {})
            )
        else:
            found.append(Clash(one.name, other.name, one.order, other.order, len(common), 0, names))
    return found


class _OrderUnknown(ValueError):
    """Nothing tells what the numbers of a list mean; other lists may."""


def place_of(name: str) -> tuple[str, int, str] | None:
    """Family, fold (0 for none) and part that the path of a list tells; None where it tells no part.

    >>> place_of("train(single-labeled)/set_1.csv"), place_of("FERV39K_test.txt"), place_of("label_index.txt")
    (('*(single-labeled)/set_#.csv', 1, 'train'), ('FERV39K_*.txt', 0, 'test'), None)
    """
    pieces = name.split("/")
    part: str | None = None
    fold: int | None = None
    for i in reversed(range(len(pieces))):
        said = {found[1].lower() for found in _PART.finditer(pieces[i])}
        numbers = {int(found[2]) for found in _FOLD.finditer(pieces[i])}
        if len(said) == 1 and part in (None, *said):
            part = said.pop()
            pieces[i] = _PART.sub(lambda found: found[0].replace(found[1], "*"), pieces[i])
        if len(numbers) == 1 and fold in (None, *numbers):
            fold = numbers.pop()
            pieces[i] = _FOLD.sub(lambda found: f"{found[1]}#", pieces[i])
    if part is None:
        return None
    return "/".join(pieces), fold or 0, "val" if part.startswith("val") else part


def _place(corpus: Facts, name: str) -> tuple[str, int, str] | None:
    """As `place_of`; None where it is no list of this corpus."""
    lower = name.lower()
    mentioned = {other for other, words in MENTIONS.items() if words.search(lower)}
    if (mentioned and corpus.name not in mentioned) or corpus.no_lists.search(lower):
        return None
    if corpus.whole_list.search(lower.rsplit("/", 1)[-1]):
        return name, 0, "all"
    return place_of(name)


def _rows(corpus: Facts, root: Path, name: str, fold: int, part: str, columns: Mapping[str, str] | None) -> Rows | None:
    found = read_list(root / name, columns)
    keys = [_clip_of(corpus, path) for path in found.paths]
    if not any(keys):
        return None
    for row, key in enumerate(keys):
        if key is None:
            raise InputError(f"{found.file}: {found.paths[row]!r} names no clip of {corpus.title}; mend or remove this row")
    numbered = found.numbered
    if not numbered:
        _check_labels(corpus, found)
    labels = tuple(map(str, found.numbers)) if numbered else found.labels
    return Rows(name, fold, part, tuple(key for key in keys if key is not None), labels, numbered, found.layout, found.counts)


def _clip_of(corpus: Facts, path: str) -> str | None:
    """The id of the clip that a list's path names by its last parts, whatever stands before them."""
    place = PurePosixPath(path.replace("\\", "/"))
    parts = place.parts
    if not parts:
        return None
    stem = place.stem if place.suffix and not place.suffix[1:].isdecimal() else place.name
    found = corpus.key_of((*parts[:-1], stem))
    return found[0] if found else None


def _check_labels(corpus: Facts, found: ListFile) -> None:
    """Refuse compounds, and numbers beside names."""
    for label in sorted(set(found.labels)):
        pieces = label.split("_")
        if len(pieces) > 1 and all(meant_class(piece, corpus.labels) for piece in pieces):
            raise InputError(
                f"{found.file}: {label} is a compound of several emotions; one class for each clip is read: give the lists of "
                "single labels with --lists"
            )
        if label.isdecimal():
            other = next(label for label in found.labels if not label.isdecimal())
            raise InputError(
                f"{found.file}: label {label} is a number, and {shown(other)} is none; write numbers for all clips, or names"
            )


def family_of(corpus: Facts, root: Path, name: str, lists: Sequence[Rows], named: Mapping[str, str], order: str | None) -> Family:
    """The lists of one maker, with names for numbers, each clip in its fold.

    Args:
        corpus: whose lists they are.
        root: folder that their files are relative to.
        name: of the family.
        lists: at least one.
        named: clip → class, by lists that name it.
        order: as `read_listing`.

    Raises: InputError as `read_listing`.
    """
    order_name, first, source = "", 0, "the lists name the classes"
    if len({rows.numbered for rows in lists}) > 1:
        one = next(rows.file for rows in lists if rows.numbered)
        raise InputError(f"{root / one}: its labels are numbers, those of lists beside it are names; write one or the other")
    numbered = lists[0].numbered
    if numbered:
        evidence = Evidence(
            {(rows.fold, rows.part): list(zip(rows.clips, map(int, rows.labels), strict=True)) for rows in lists},
            {(rows.fold, rows.part): str(root / rows.file) for rows in lists},
            named,
            _class_files(root, lists[0].file),
        )
        try:
            told = numbering(corpus, evidence, order)
        except InputError as error:
            if "nothing tells" in str(error):
                raise _OrderUnknown(str(error)) from None
            raise
        meaning = {str(number): label for number, label in told.names.items()}
        order_name, first, source = told.order, told.first, told.source
    else:
        words = {label for rows in lists for label in rows.labels}
        meaning, _ = match_labels(words, corpus.labels, root / lists[0].file, way_out="--map")
    notes: list[str] = []
    twice: list[str] = []
    label, raw, origin = _labels(root, lists, meaning, twice)
    if twice:
        notes.append(f"{len(twice)} clips stand twice in a list, with the same class; they count once")
    parted = parts_of(root, lists, label)
    notes += parted.notes
    counts = {number: Counts(*(_counted(corpus, label, clips) for clips in parts)) for number, parts in parted.members.items()}
    official = bool(counts) and all(
        number in corpus.counts and counts[number] == _full(corpus, corpus.counts[number]) for number in counts
    )
    for clip, said in label.items():
        own = corpus.class_of(clip)
        if own is not None and own != said:
            raise InputError(
                f"{root / origin[clip]}: clip {clip} is {said}, and its path says {own}; mend the list, or choose lists with "
                "--lists"
            )
    return Family(
        name,
        tuple(rows.file for rows in lists),
        lists[0].layout,
        label,
        parted.fold,
        parted.part,
        parted.folds,
        counts,
        raw if numbered else {},
        order_name,
        first,
        source,
        official,
        tuple(notes),
        tuple(twice),
        {clip: count for rows in lists if rows.counts for clip, count in zip(rows.clips, rows.counts, strict=True)},
    )


def _class_files(root: Path, file: str) -> list[Path]:
    """Files that may tell which number is which class, beside a list and in the folders above it up to the root."""
    found: list[Path] = []
    for folder in (root / file).parents:
        found += sorted(path for path in folder.glob("*.txt") if CLASS_FILES.fullmatch(path.name.lower()))
        if folder == root:
            break
    return found


def _labels(
    root: Path, lists: Sequence[Rows], meaning: Mapping[str, str], twice: list[str]
) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Class, label as written, and file, of each clip."""
    label: dict[str, str] = {}
    raw: dict[str, str] = {}
    origin: dict[str, str] = {}
    for rows in lists:
        seen: set[str] = set()
        for clip, written in zip(rows.clips, rows.labels, strict=True):
            name = meaning[written]
            if label.setdefault(clip, name) != name:
                files = " and ".join(dict.fromkeys(str(root / file) for file in (origin[clip], rows.file)))
                raise InputError(f"{files}: clip {clip} is {label[clip]}, and {name} elsewhere; give it one class")
            if clip in seen:
                twice.append(clip)
            seen.add(clip)
            raw.setdefault(clip, written)
            origin.setdefault(clip, rows.file)
    return label, raw, origin


def _counted(corpus: Facts, label: Mapping[str, str], clips: set[str]) -> dict[str, int]:
    found = Counter(label[clip] for clip in clips)
    return {name: found.get(name, 0) for name in corpus.labels}


def _full(corpus: Facts, counts: Counts) -> Counts:
    return Counts(*({name: part.get(name, 0) for name in corpus.labels} for part in (counts.train, counts.test)))


def _agrees(root: Path, best: Family, other: Family) -> str:
    """Refuse a family that says another class or fold of the same clips; "" or what else it holds.

    Raises: InputError that names the first clip.
    """
    common = [clip for clip in other.label if clip in best.label]
    wrong = [clip for clip in common if other.label[clip] != best.label[clip]]
    if wrong:
        clip = min(wrong)
        raise InputError(
            f"{root / other.files[0]}: its lists say that clip {clip} is {other.label[clip]}, {root / best.files[0]} and lists "
            f"beside it say {best.label[clip]} ({len(wrong)} of {len(common)} clips differ); choose lists with --lists"
        )
    if set(other.label) != set(best.label):
        return f"lists {len(other.label)} clips, of which {len(common)} are in {best.name}; its parts are left aside"
    if other.folds != best.folds:
        return "has other folds, which are left aside"
    moved = [clip for clip in common if (other.fold[clip], other.part[clip]) != (best.fold[clip], best.part[clip])]
    if not moved:
        return ""
    if not other.folds:
        return f"{len(moved)} clips are in another part there; its parts are left aside"
    clip = min(moved)
    raise InputError(
        f"{root / other.files[0]}: clip {clip} is tested in fold {other.fold[clip]}, by {root / best.files[0]} in fold "
        f"{best.fold[clip]} ({len(moved)} clips differ); choose lists with --lists"
    )

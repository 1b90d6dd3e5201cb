"""Any lists of clips and labels: whatever their layout, and whoever's machine their paths are of.

A path is matched by its last parts to what lies below the root; how many parts, the disk tells. What a list's name says of folds
and parts (`train.txt`, `set_1_test.csv`) is believed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from ifdd.data.corpora.assembling import Gathered, Indexed, Options, Wanted, assemble
from ifdd.data.corpora.base import Facts
from ifdd.data.corpora.finding import VIDEOS, look_below, split_name
from ifdd.data.corpora.folds import Rows
from ifdd.data.corpora.list_files import NUMBER, ListFile, read_list
from ifdd.data.corpora.listing import Family, Listing, family_of, place_of
from ifdd.data.corpora.orders import MAFW_LABELS, ORDERS
from ifdd.data.corpora.report import Finding
from ifdd.data.manifest.columns import read_cells
from ifdd.data.manifest.table import label_order
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS, SYNONYMS, class_key, parse_labels

OWN_COLUMNS = ("clip_id", "kind", "n_frames", "fps", "width", "height", "label_name", "crop")
"""Columns of the manifest that are measured, or made of path and label."""
_SPLITS = {"": "", "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
"""What cells of a column of parts may say, in any case."""
_SAMPLE = 100
"""Paths of a list that tell where its clips lie."""
_MOST_FOLDERS = 500


def index_lists(
    root: Path,
    options: Options | None = None,
    *,
    labels: Sequence[str] | None = None,
    columns: Mapping[str, str] | None = None,
) -> Indexed:
    """Index what any lists say of the clips below a folder.

    Args:
        root: folder of the clips, with lists directly in it; or one list, whose folder holds the clips.
        options: `lists` names the list, or a folder of lists; `order` is a known order of numbered labels.
        labels: class names, in the order of their numbers.
        columns: column of the manifest → column of the lists, for tables with a header: path, label, fold, split, subject, and
            any factor.

    Raises:
        InputError: no lists, or as `list_files.read_list`, `listing.read_listing` and `assembling.assemble`; numbers without an
            order; a list whose clips all are elsewhere.
    """
    options = options or Options()
    if root.is_file():
        if options.lists is not None:
            raise InputError(f"{root} is a list, and --lists names another; give the folder of the clips, and --lists")
        options, root = replace(options, lists=root), root.parent
    place, names = _candidates(root, options.lists)
    for name in columns or {}:
        if name in OWN_COLUMNS:
            raise InputError(f"--columns {name}=…: {name} is measured, or follows from path and label; leave it out")
    read = [(name, read_list(place / name, columns)) for name in names]
    known = _classes(read, labels, options.order, options.names)
    corpus = Facts(
        name="csv",
        title="the lists",
        labels=known,
        orders=tuple(order for order, listed in ORDERS.items() if set(listed) == set(known)),
        counts={},
        total={},
        key_of=lambda parts: None,
        folders=(),
        looked_for="lists with a path and a label for each clip",
    )
    asked = ",".join(labels) if labels is not None else options.order
    places: dict[str, str | None] = {}
    for _, found in read:
        for path, there in located(root, found.paths).items():
            places[path] = places.get(path) or there
    ids = {path: _id(path, there) for path, there in places.items()}
    for _, found in read:
        _refuse_two_names(found, ids)
    if not any(places.values()):
        first = next(iter(places))
        raise InputError(
            f"{read[0][1].file}: none of its {len(places)} clips lies below {root}, e.g. {first}; give the folder that holds "
            f"them, and --lists {read[0][1].file}"
        )
    family = _family(corpus, place, read, ids, asked)
    moved = _told_parts(family, read, ids)
    clips = {ids[path]: found or "" for path, found in places.items()}
    wanted = [
        Wanted(clip, label, clips[clip], moved.fold.get(clip, 0), moved.part.get(clip, "")) for clip, label in moved.label.items()
    ]
    findings = [Finding(clip, "twice", "a list holds it twice", False, moved.label[clip]) for clip in moved.twice]
    gathered = Gathered(
        corpus, root, ".", {}, wanted, findings, Listing(moved, (), moved.notes), moved.source, _more(read, ids), ()
    )
    return assemble(gathered, options)


def located(root: Path, paths: Sequence[str]) -> dict[str, str | None]:
    """Where the clips of one list lie: its path → path below the root, or an absolute one that is there; None for nowhere.

    One rule for the whole list: so many first parts of each path are cut off, and one folder below the root stands in their
    place. The rule is that by which most of a sample of the paths are found, the fewest parts cut off. A clip that is not there
    by it is missing: that another one has the same last parts says nothing.
    """
    split = {path: _parts(path) for path in paths}
    known = list(split)
    sample = known[:: max(1, len(known) // _SAMPLE)]
    rule = _rule(root, [split[path] for path in sample], [""])
    if rule is None and any(Path(path).is_absolute() and Path(path).exists() for path in sample):
        return {path: path if Path(path).exists() else None for path in known}
    if rule is None:
        rule = _rule(root, [split[path] for path in sample[:: max(1, len(sample) // 5)]], _folders_below(root))
    if rule is None:
        return dict.fromkeys(known)
    folder, skip = rule
    return {path: _there(root, folder, parts[skip:]) for path, parts in split.items()}


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in PurePosixPath(path.replace("\\", "/")).parts if part not in ("/", "."))


def _rule(root: Path, sample: Sequence[tuple[str, ...]], folders: Sequence[str]) -> tuple[str, int] | None:
    """Folder and number of parts to cut off, by which most of the sample are found."""
    best, most = None, 0
    for skip in range(max(map(len, sample), default=0)):
        for folder in folders:
            hits = sum(_there(root, folder, parts[skip:]) is not None for parts in sample)
            if hits > most:
                best, most = (folder, skip), hits
    return best


def _there(root: Path, folder: str, tail: tuple[str, ...]) -> str | None:
    if not tail or ".." in tail:
        return None
    for name in _spellings(tail[-1]):
        candidate = "/".join((*([folder] if folder else []), *tail[:-1], name))
        if (root / candidate).exists():
            return candidate
    return None


def _folders_below(root: Path) -> list[str]:
    """Folders at most two below the root, as long as they are not clips by the thousand."""
    found: list[str] = []
    level = [root]
    for _ in range(2):
        level = [folder for above in level for folder in sorted(above.iterdir()) if folder.is_dir() and folder.name[0] != "."]
        if len(found) + len(level) > _MOST_FOLDERS:
            break
        found += [folder.relative_to(root).as_posix() for folder in level]
    return found


def _spellings(name: str) -> tuple[str, ...]:
    stem, suffix = split_name(name)
    return (name, stem) if suffix in VIDEOS else (name, *(f"{name}{other}" for other in VIDEOS))


def _candidates(root: Path, lists: Path | None) -> tuple[Path, list[str]]:
    """Folder and names of the lists."""
    if lists is not None and lists.is_file():
        return lists.parent, [lists.name]
    place = lists if lists is not None else root
    if not place.is_dir():
        raise InputError(f"{place}: no such folder or list; check the spelling")
    if lists is None:
        names = sorted(
            path.name for path in place.iterdir() if path.is_file() and split_name(path.name)[1] in (".csv", ".tsv", ".txt")
        )
    else:
        names = look_below(place, lambda parts: None).lists
    parted = [name for name in names if place_of(name) is not None]
    found = parted or names
    if not found:
        raise InputError(f"{place}: no lists (.csv, .tsv, .txt) there; name one with --lists FILE")
    if len(found) > 1 and not parted:
        raise InputError(
            f"{place}: there are {len(found)} files that may be lists, {', '.join(found[:5])}; name one with --lists FILE"
        )
    return place, found


def _classes(
    read: Sequence[tuple[str, ListFile]], labels: Sequence[str] | None, order: str | None, given: Mapping[str, str] | None
) -> tuple[str, ...]:
    """The classes, in the order of their numbers in the manifest."""
    if labels is not None:
        return tuple(labels)
    if order is not None:
        wanted = order.partition(":")[0]
        names = ORDERS.get(wanted) or parse_labels(wanted)
        return tuple(name for name in EMOTIONS if name in names) + tuple(name for name in names if name not in EMOTIONS)
    numbered = next((found for _, found in read if found.numbered), None)
    if numbered is not None:
        raise InputError(
            f"{numbered.file}: labels are numbers, and nothing tells which class they stand for; say so with --labels "
            f"happy,sad,… in that order, or --order with one of {', '.join(ORDERS)}"
        )
    words = {class_key(label): " ".join(label.split()) for _, found in read for label in sorted(set(found.labels), reverse=True)}
    words |= {key: name for name in EMOTIONS if (key := class_key(name)) in words}
    _refuse_two_words(read[0][1].file, list(words.values()), given or {})
    return tuple(label_order(pd.Series(list(words.values()))))


def _refuse_two_words(file: Path, words: Sequence[str], names: Mapping[str, str]) -> None:
    """Raises: InputError for two words of one class, such as happy and joy, unless one of them is mapped."""
    mapped = {class_key(name) for name in names}
    left = sorted((word for word in words if class_key(word) not in mapped), key=lambda word: (word not in MAFW_LABELS, word))
    for same in SYNONYMS:
        if len(several := [word for word in left if class_key(word) in same]) > 1:
            one, other = several[:2]
            raise InputError(f"{file}: {one} and {other} may be one class; if they are, say so with --map {other}={one}")


def _id(path: str, there: str | None) -> str:
    """A clip's id: its path as it is on disk; where it is not there, what the list says."""
    return (there or "/".join(part for part in _parts(path) if part != "..")).lstrip("/~") or path


def _refuse_two_names(found: ListFile, ids: Mapping[str, str]) -> None:
    """Raises: InputError for two paths of a list that mean one clip."""
    by_id: dict[str, str] = {}
    for path in found.paths:
        other = by_id.setdefault(ids[path], path)
        if other != path:
            raise InputError(f"{found.file}: {other} and {path} both mean {ids[path]}; list each clip once")


def _family(
    corpus: Facts, place: Path, read: Sequence[tuple[str, ListFile]], ids: Mapping[str, str], order: str | None
) -> Family:
    lists = []
    for name, found in read:
        told = place_of(name)
        _, fold, part = told or ("", 0, "all")
        labels = tuple(map(str, found.numbers)) if found.numbered else tuple(" ".join(label.split()) for label in found.labels)
        lists.append(
            Rows(name, fold, part, tuple(ids[path] for path in found.paths), labels, found.numbered, found.layout, found.counts)
        )
    return family_of(corpus, place, "the lists", lists, {}, order)


def _told_parts(family: Family, read: Sequence[tuple[str, ListFile]], ids: Mapping[str, str]) -> Family:
    """The family with folds and parts as columns of its lists tell them, where they do."""
    fold, part = dict(family.fold), dict(family.part)
    for _, found in read:
        for path, value in zip(found.paths, found.more.get("fold", ()), strict=False):
            if not NUMBER.fullmatch(value):
                raise InputError(f"{found.file}: fold is {value!r} for {path}; folds are whole numbers, 0 where there are none")
            fold[ids[path]] = int(value.partition(".")[0])
        for path, value in zip(found.paths, found.more.get("split", ()), strict=False):
            if (name := value.casefold()) not in _SPLITS:
                raise InputError(f"{found.file}: split is {value!r} for {path}; write train, val or test")
            part[ids[path]] = _SPLITS[name]
    return replace(family, fold=fold, part=part)


def _more(read: Sequence[tuple[str, ListFile]], ids: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Other columns that were asked for: clip id → value."""
    columns: dict[str, dict[str, Any]] = {}
    for name in {name: None for _, found in read for name in found.more if name not in ("fold", "split")}:
        cells = {
            ids[path]: value or None
            for _, found in read
            for path, value in zip(found.paths, found.more.get(name, ()), strict=False)
        }
        column = pd.Series(list(cells.values()), dtype=object)
        typed = column if name == "subject" else read_cells(column)
        columns[name] = dict(zip(cells, typed.tolist(), strict=True))
    return columns

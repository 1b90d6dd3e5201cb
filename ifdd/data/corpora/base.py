"""What is known of a corpus: its classes, its official counts, and how a path names one of its clips."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from ifdd.data.corpora.finding import Found

Holes = Literal["skip", "keep"]
MENTIONS = {
    "dfew": re.compile(r"dfew"),
    "ferv39k": re.compile(r"ferv[_-]?39"),
    "mafw": re.compile(r"mafw|mfaw"),
    "crema-d": re.compile(r"crema"),
    "ravdess": re.compile(r"ravdess"),
}
"""How the path of a file, in lower case, names a corpus: a list of another one beside it is left alone."""
SHORT = 16
"""Frames below which a clip counts as short: most methods read 16, and how a clip of fewer is filled up changes results."""


@dataclass(frozen=True)
class Counts:
    """Clips of each class in the training and the test part of a fold."""

    train: Mapping[str, int]
    test: Mapping[str, int]

    @property
    def n_train(self) -> int:
        """Clips of the training part."""
        return sum(self.train.values())

    @property
    def n_test(self) -> int:
        """Clips of the test part."""
        return sum(self.test.values())


@dataclass(frozen=True)
class Factors:
    """What a corpus tells of its clips besides labels and folds, as far as files beside them say it.

    `columns`: name of a column of the manifest → clip id → value; `labels`: clip id → class, where a table of the corpus says it
    besides the lists; `source` is that table.
    """

    columns: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    notes: tuple[str, ...] = ()


def no_factors(found: "Found", clips: Sequence[str]) -> Factors:
    """Of a corpus that tells nothing more."""
    return Factors()


def no_class(clip: str) -> str | None:
    """Of a corpus whose paths do not name the class."""
    return None


@dataclass(frozen=True)
class Facts:
    """What is known of a corpus; one file each defines one.

    Attributes:
        name: as on the command line, and in `MENTIONS`.
        title: as its authors write it.
        labels: its classes in our order.
        orders: known orders in which lists of it number them (`orders.ORDERS`).
        counts: official counts by fold, from 1; 0 is a single split into train and test; {} where there are no official parts.
        total: official number of clips of each class.
        key_of: (clip id, parts at the end of the path that say it) of a path's parts, None if it is no clip (`finding.KeyOf`).
        class_of: the class that a clip's id names, None where it names none.
        factors: what else files of the corpus tell of some clips.
        folders: names of folders of clips, the official full one first.
        scenes: names of folders whose clips show what is around the faces of the others, the best first.
        parts_of_one: folders whose clips belong together.
        looked_for: what a root must hold, for messages.
        lists_needed: whether labels come from lists.
        whole_list: files that list all clips with labels, without parts.
        no_lists: paths of lists that are about something else.
        twin_of: the id of the same pictures in another file, which is kept in its place.
        all_listed: whether every clip on disk should be in the lists.
    """

    name: str
    title: str
    labels: tuple[str, ...]
    orders: tuple[str, ...]
    counts: Mapping[int, Counts]
    total: Mapping[str, int]
    key_of: Callable[[tuple[str, ...]], tuple[str, int] | None]
    folders: tuple[str, ...]
    looked_for: str
    class_of: Callable[[str], str | None] = no_class
    factors: "Callable[[Found, Sequence[str]], Factors]" = no_factors
    scenes: tuple[str, ...] = ()
    parts_of_one: re.Pattern[str] = re.compile(r"(?!)")
    lists_needed: bool = True
    whole_list: re.Pattern[str] = re.compile(r"(?!)")
    no_lists: re.Pattern[str] = re.compile(r"(?!)")
    twin_of: Callable[[str], str | None] = no_class
    all_listed: bool = False


def by_class(labels: Sequence[str], counts: Sequence[int]) -> dict[str, int]:
    """Counts by the name of their class."""
    return dict(zip(labels, counts, strict=True))


def folds_of(labels: Sequence[str], tests: Sequence[Sequence[int]]) -> dict[int, Counts]:
    """Official counts of a cross-validation from the test part of each fold: what is in no test part of it trains."""
    total = [sum(column) for column in zip(*tests, strict=True)]
    return {
        fold: Counts(by_class(labels, [every - held for every, held in zip(total, test, strict=True)]), by_class(labels, test))
        for fold, test in enumerate(tests, 1)
    }

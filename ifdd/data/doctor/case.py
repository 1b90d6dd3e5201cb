"""What the checks are given: the clips of one list, or of several, the parts that they are split into, what each is on disk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from ifdd.data.doctor.scan import Seen
from ifdd.data.persons import person_ids

SPLITS = ("train", "val", "test")


@dataclass(frozen=True, eq=False)
class Case:
    """n clips: their rows in `frame`, real paths in `places`, what was `seen` of each.

    `parts` are the rows of each part that must share nothing with another: the folds, the splits, or the lists. `official` are
    the facts of the corpus, where the list says which it is; `report` is what its index wrote. `frames` are those of a clip as a
    model reads it; `deep` tells whether pictures were read.
    """

    source: str
    frame: pd.DataFrame
    places: tuple[str, ...]
    parts: Mapping[str, np.ndarray]
    seen: tuple[Seen, ...]
    frames: int = 16
    deep: bool = True
    report: Mapping[str, Any] | None = None
    official: Any = None

    @cached_property
    def ids(self) -> np.ndarray:
        """(n,) clip ids."""
        return self.frame["clip_id"].to_numpy(str)

    @cached_property
    def persons(self) -> np.ndarray:
        """(n,) who is seen, "" where nobody is named."""
        return person_ids(self.frame["subject"])

    @cached_property
    def part_of(self) -> np.ndarray:
        """(n,) name of the part of each clip, "" of none."""
        found = np.full(len(self.frame), "", object)
        for name, rows in self.parts.items():
            found[rows] = name
        return found

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Parts that must share no person and no clip."""
        return list(combinations(self.parts, 2))

    def named(self, rows: Sequence[int] | np.ndarray) -> list[str]:
        """Ids of the clips of some rows."""
        return [str(self.ids[i]) for i in rows]

    def readable(self) -> np.ndarray:
        """(n,) whether a clip could be read."""
        return np.array([not one.error for one in self.seen])


def separate_parts(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Rows of each split, where a column `split` names two or more, else of each fold from 1.

    >>> list(separate_parts(pd.DataFrame({"fold": [1, 2, 0, 2]})))
    ['fold 1', 'fold 2']
    """
    if "split" in frame:
        names = frame["split"].astype(str).str.strip().str.casefold()
        found = {name: np.flatnonzero(names == name) for name in SPLITS if (names == name).any()}
        if len(found) > 1:
            return found
    folds = frame["fold"].to_numpy()
    numbers = sorted({int(fold) for fold in folds} - {0})
    return {f"fold {number}": np.flatnonzero(folds == number) for number in numbers} if len(numbers) > 1 else {}

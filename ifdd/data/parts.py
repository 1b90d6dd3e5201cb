"""Training, validation and test part of one list of clips: by its folds or its named splits, with a validation part held out."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from ifdd.data.persons import person_ids
from ifdd.errors import InputError

SplitName = Literal["train", "val", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "val", "test")
MOST_PASSES = 10
"""Over the groups that are held out, to exchange them."""
GROUPS = {"subject": "person", "source": "source"}
"""Columns whose clips stay together in a validation part that is held out, the first that says something, and what they name."""


@dataclass(frozen=True, eq=False)
class Parts:
    """Rows of a list (m,) int64 by split, in the order of the list; `validation` says in words where that part is from."""

    rows: Mapping[SplitName, np.ndarray]
    validation: str

    @property
    def chosen_on_test(self) -> bool:
        """Whether validation and test are the same clips, so that what is chosen by validation is chosen on the test part."""
        return np.array_equal(self.rows["val"], self.rows["test"])


def parts_of(
    frame: pd.DataFrame, source: object, *, fold: int | None = None, val: float | Literal["test"] = 0.1, seed: int = 0
) -> Parts:
    """The three parts of a manifest that was read.

    The test part is that of a `fold`, the training part all other clips; without a fold they are what the column `split` names.
    `val` is a share of the training part, held out by `held_out`, or "test": the test part then is the validation part, too. A
    list whose column `split` has a part val keeps that.

    Args:
        frame: the manifest.
        source: named in an error.
        fold: number of the fold, from 1.
        val: share of the training clips, or "test".
        seed: of the draw of the validation part.

    Raises:
        InputError: no such fold, no column split, a name in it other than train, val or test, a part without clips.
    """
    test, train, named = _by_fold(frame, source, fold) if fold is not None else _by_split(frame, source)
    for name, part in (("test", test), ("train", train)):
        if not part.any():
            raise InputError(f"{source}: the {name} part{_of(fold)} has no clip; see its columns fold and split")
    rows = {"train": np.flatnonzero(train), "test": np.flatnonzero(test)}
    if val == "test":
        return Parts({"train": rows["train"], "val": rows["test"], "test": rows["test"]}, "the test part")
    if named.any():
        return Parts({"train": rows["train"], "val": np.flatnonzero(named), "test": rows["test"]}, "the list's own part val")
    groups, by = _groups(frame.iloc[rows["train"]])
    chosen = held_out(frame["label_name"].to_numpy()[rows["train"]], groups, val, seed)
    if not chosen.any() or chosen.all():
        raise InputError(
            f"{source}: {val:g} of {len(rows['train'])} training clips cannot be held out for validation; give more clips, "
            "a list with a part val, or data.val=test, which marks every number"
        )
    told = f"{chosen.sum()} of {len(chosen)} clips of the training part, held out {by} and stratified by class (seed {seed})"
    return Parts({"train": rows["train"][~chosen], "val": rows["train"][chosen], "test": rows["test"]}, told)


def held_out(classes: np.ndarray, groups: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Which clips (n,) bool are held out: about `share` of each class (n,), at least one where it has several groups (n,).

    Groups stay whole, and no class loses all its clips. In random order each group is taken if that brings the counts of the
    classes nearer to their targets, Σ (target − count)² / target; then taken ones are exchanged for others as long as that does.

    >>> held_out(np.array(["a", "b"] * 10), np.arange(20), 0.2, 0).sum()
    np.int64(4)
    """
    _, class_of = np.unique(classes, return_inverse=True)
    _, group_of = np.unique(groups, return_inverse=True)
    counts = np.zeros((group_of.max() + 1, class_of.max() + 1))
    np.add.at(counts, (group_of, class_of), 1)
    total = counts.sum(0)
    target = np.maximum(share * total, 1.0)
    taken, held = np.zeros(len(counts), bool), np.zeros_like(total)

    def far(found: np.ndarray) -> np.ndarray:
        """How far counts (…, classes) are from their targets; endless where a class loses all."""
        lost = (found >= total).any(-1)
        return np.where(lost, np.inf, ((target - found) ** 2 / target).sum(-1))

    for group in np.random.default_rng([seed, 307]).permutation(len(counts)):
        if far(held + counts[group]) < far(held):
            taken[group], held = True, held + counts[group]
    for _ in range(MOST_PASSES if counts.sum(1).max() > 1 else 0):  # single clips are as near as can be
        before = far(held)
        for group in np.flatnonzero(taken):
            others = np.flatnonzero(~taken)
            left = held - counts[group]
            distances = far(left + counts[others])
            if len(others) and distances.min() < far(held) - 1e-9:
                chosen = others[distances.argmin()]
                taken[group], taken[chosen], held = False, True, left + counts[chosen]
        if far(held) == before:
            break
    return taken[group_of]


def _by_fold(frame: pd.DataFrame, source: object, fold: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    folds = frame["fold"].to_numpy()
    known = sorted(set(folds.tolist()) - {0})
    if fold not in known:
        there = f"it has {', '.join(map(str, known))}" if known else "it has no folds (column fold)"
        raise InputError(f"{source}: no fold {fold}; {there}; ifdd data split makes folds")
    return folds == fold, folds != fold, np.zeros(len(frame), bool)


def _by_split(frame: pd.DataFrame, source: object) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if "split" not in frame:
        folds = sorted(set(frame["fold"].tolist()) - {0})
        way_out = f"choose one of its folds {folds[0]}–{folds[-1]} by data.fold" if folds else "ifdd data split makes folds"
        raise InputError(f"{source}: has no column split that names a train and a test part; {way_out}")
    split = frame["split"].astype(str).str.strip().str.lower().to_numpy()
    if len(strange := sorted(set(split) - set(SPLITS))):
        raise InputError(f"{source}: split {strange[0]!r} is unknown; write train, val or test")
    return split == "test", split == "train", split == "val"


def _of(fold: int | None) -> str:
    return "" if fold is None else f" of fold {fold}"


def _groups(frame: pd.DataFrame) -> tuple[np.ndarray, str]:
    """What stays together (n,) text, a clip of nobody by itself, and by what in words."""
    for column, what in GROUPS.items():
        if column in frame:
            names: list[Hashable] = list(person_ids(frame[column]))
            if any(names):
                alone = names.count("")
                told = f"by {what}" + (f" ({alone} clips name none)" if alone else "")
                return np.array([f"{what} {name}" if name else f"clip {i}" for i, name in enumerate(names)]), told
    return np.array([f"clip {i}" for i in range(len(frame))]), "clip by clip, as persons are not known,"

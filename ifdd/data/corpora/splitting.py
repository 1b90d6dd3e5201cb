"""Folds and parts of one's own: stratified by class, no person in two of them, the same for the same seed."""

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
import pandas as pd

from ifdd.data.manifest import has_labels
from ifdd.data.persons import person_ids
from ifdd.errors import InputError

PARTS = ("train", "val", "test")
MOST_SHARES = 100
"""Equal shares that parts are made of: 0.8, 0.1, 0.1 are 8, 1 and 1 of ten."""
Part = Literal["train", "val", "test"]


@dataclass(frozen=True, eq=False)
class Split:
    """A manifest with its new column `fold` or `split`; `notes` tell what a user should know of it."""

    frame: pd.DataFrame
    notes: tuple[str, ...]


def split_folds(frame: pd.DataFrame, folds: int, by: str = "subject", seed: int = 0) -> Split:
    """Give each clip of a manifest the fold in whose test part it is, from 1; a column `split` goes.

    scikit-learn's StratifiedGroupKFold deals the groups, in the order of clip ids, so that rows may come in any order.

    Args:
        frame: as `read_manifest` gives it.
        folds: how many.
        by: column whose values stay together: persons as `persons.person_ids` compares them; a clip without one is by itself.
        seed: another one gives other folds.

    Raises: InputError for a column that is not there, or more folds than groups or clips of a class.
    """
    if folds < 2:
        raise InputError(f"--folds {folds}: at least 2 are needed, one to train on and one to test on")
    shares, notes = _shares(frame, folds, by, seed, f"--folds {folds}")
    if (frame["fold"] > 0).any():
        notes.append("the folds that the list had are replaced")
    made = frame.drop(columns="split", errors="ignore").assign(fold=shares + 1)
    made.attrs = dict(frame.attrs)
    return Split(made, tuple(notes))


def split_parts(frame: pd.DataFrame, parts: Mapping[str, float], by: str = "subject", seed: int = 0) -> Split:
    """Give each clip of a manifest the part it is in, as a column `split`; its fold becomes 0.

    Args:
        frame: as `read_manifest` gives it.
        parts: share of each of train, val and test, 1 in all.
        by: as `split_folds`.
        seed: as `split_folds`.

    Raises: InputError for other parts or shares, or as `split_folds`.
    """
    told = "--parts " + ",".join(f"{name}={share:g}" for name, share in parts.items())
    for name, share in parts.items():
        if name not in PARTS:
            raise InputError(f"{told}: {name} is no part; parts are {', '.join(PARTS)}")
        if not 0 < share < 1:
            raise InputError(f"{told}: {name} is {share:g}; shares lie between 0 and 1")
    exact = {name: Fraction(str(share)).limit_denominator(MOST_SHARES) for name, share in parts.items()}
    if len(parts) < 2 or sum(exact.values()) != 1 or any(abs(float(exact[name]) - share) > 1e-9 for name, share in parts.items()):
        raise InputError(
            f"{told}: give at least two parts, in hundredths, whose shares add up to 1, e.g. train=0.8,val=0.1,test=0.1"
        )
    total = int(np.lcm.reduce([share.denominator for share in exact.values()]))
    shares, notes = _shares(frame, total, by, seed, told)
    names = [name for name in PARTS if name in exact for _ in range(int(exact[name] * total))]
    if "split" in frame or (frame["fold"] > 0).any():
        notes.append("the folds or parts that the list had are replaced")
    made = frame.assign(fold=0, split=np.array(names)[shares])
    made.attrs = dict(frame.attrs)
    return Split(made, tuple(notes))


def _shares(frame: pd.DataFrame, count: int, by: str, seed: int, told: str) -> tuple[np.ndarray, list[str]]:
    """Number of the share, from 0, of each row (n); notes."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    if by not in frame:
        raise InputError(f"--by {by}: there is no such column; the list has {', '.join(map(str, frame.columns))}")
    order = np.argsort(frame["clip_id"].to_numpy(dtype=str), kind="stable")
    persons = person_ids(frame[by].iloc[order])
    named = [person for person in persons if person]
    notes = []
    if not named:
        notes.append(f"no clip has a {by}: each clip is by itself, and the same person may be in two parts")
    elif len(named) < len(persons):
        notes.append(f"{len(persons) - len(named)} of {len(persons)} clips have no {by}; each of them is by itself")
    groups = np.array([f"={person}" if person else f"#{row}" for row, person in enumerate(persons)])
    if len(set(groups)) < count:
        raise InputError(f"{told}: there are {len(set(groups))} different values of {by} for {count} shares; ask for fewer")
    labels = np.zeros(len(frame), int)
    if has_labels(frame):
        labels = frame["label"].to_numpy()[order]
        names = frame["label_name"].to_numpy()[order]
        rare = {name: n for name, n in sorted(Counter(names).items()) if n < count}
        if rare:
            some = ", ".join(f"{name} ({n})" for name, n in rare.items())
            notes.append(f"fewer clips than {count} shares, so that some have none: {some}")
    else:
        notes.append("the clips have no labels: shares are not stratified")
    if max(Counter(labels.tolist()).values()) < count:
        raise InputError(f"{told}: no class has as many clips as there are shares, {count}; ask for fewer")
    shares = np.empty(len(frame), np.int64)
    kind = (
        StratifiedGroupKFold if len(set(groups)) < len(groups) else StratifiedKFold
    )  # the first is slow, the second knows no groups
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of rare classes, which a note tells
        for share, (_, rows) in enumerate(kind(count, shuffle=True, random_state=seed).split(labels, labels, groups)):
            shares[order[rows]] = share
    return shares, notes


def parse_parts(text: str) -> dict[str, float]:
    """What `--parts train=0.8,val=0.1,test=0.1` says.

    >>> parse_parts("train=0.8, test=0.2")
    {'train': 0.8, 'test': 0.2}

    Raises: InputError for anything else.
    """
    found: dict[str, float] = {}
    for piece in text.split(","):
        name, equals, share = (word.strip() for word in piece.partition("="))
        try:
            if not equals or name in found:
                raise ValueError
            found[name] = float(share)
        except ValueError:
            raise InputError(f"--parts {text}: write each part once with its share, e.g. train=0.8,val=0.1,test=0.1") from None
    return found


def fold_counts(frame: pd.DataFrame, labels: Sequence[str]) -> dict[str, dict[str, int]]:
    """Clips of each class in each fold, or part."""
    column = "split" if "split" in frame else "fold"
    table: dict[str, dict[str, int]] = {}
    for value, rows in frame.groupby(column, sort=True):
        found = Counter(rows["label_name"])
        table[str(value)] = {"clips": len(rows), **{label: found.get(label, 0) for label in labels if label}}
    return table

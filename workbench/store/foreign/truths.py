"""Labels and folds that a file of predictions holds, too: they are not taken over but compared, for a wrong order shows there."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ifdd.data.corpora.orders import ORDERS, known_order
from ifdd.data.label_order import explain_labels
from ifdd.errors import InputError
from ifdd.labels import match_labels
from workbench.store.foreign.files import Table
from workbench.store.foreign.scores import Scores, true_column

_FRACTION = re.compile(r"(?<=\d)\.0+$")  # of 3.0, as a table with an empty cell writes 3


def check_labels(
    table: Table, rows: Mapping[str, int], clips: pd.DataFrame, order: Sequence[str], given: Mapping[str, str] | None, plain: bool
) -> tuple[str, ...]:
    """Compare the labels of a file with those of the dataset, clip by clip; returns what has to be told.

    `rows` are the file's by clip id, `clips` the manifest by id, `order` the classes as the file numbers them; `plain` says that
    this order is a person's word alone, since the columns have no names.
    Raises: InputError that names the first clip whose label is another one, and how many there are.
    """
    column = true_column(table)
    if column is None:
        return ()
    cells = [_FRACTION.sub("", cell) for cell in table.texts(column)]
    theirs = {clip: cells[row] for clip, row in rows.items() if cells[row]}
    if not theirs:
        return ()
    if not clips["label_name"].any():
        return (f"labels of its column {column} are not used: the dataset has none",)
    names = clips["label_name"].to_dict()
    ours = {clip: str(names[clip]) for clip in theirs}
    if all(_whole(cell) for cell in theirs.values()):
        return _check_numbers(table, column, {clip: int(cell) for clip, cell in theirs.items()}, ours, order, plain)
    known = tuple(dict.fromkeys([*clips["label_name"], *order]))
    asked = {name: label for name, label in (given or {}).items() if name in set(theirs.values())}
    found, notes = match_labels(theirs.values(), known, f"{table.source}, column {column}", asked)
    _refuse(table, column, {clip: found[cell] for clip, cell in theirs.items()}, ours)
    return notes


def _check_numbers(
    table: Table, column: str, theirs: dict[str, int], ours: dict[str, str], order: Sequence[str], plain: bool
) -> tuple[str, ...]:
    """Numbers as labels: by the file's own order, or else by whatever order explains them, which is told."""

    def explained(names: Sequence[str], first: int = 0) -> bool:
        return all(0 <= n - first < len(names) and names[n - first] == ours[clip] for clip, n in theirs.items())

    if explained(order):
        return ()
    if explained(order, 1):
        return (f"numbers of its column {column} count from 1",)
    for name, names in ORDERS.items():
        first = next((start for start in (0, 1) if explained(names, start)), None)
        if first is None:
            continue
        told = f"the labels in its column {column} are numbered as {name} ({', '.join(names)}), from {first}"
        if not plain:
            return (f"{told}; its probabilities have named columns, which count",)
        raise InputError(
            f"{table.source}: {told}, not as --labels says ({', '.join(order)}); its columns are likely in that order, too: give "
            f"--labels {','.join(names)}"
        )
    if outside := [n for n in theirs.values() if not 0 <= n < len(order)]:
        raise InputError(
            f"{table.source}: its column {column} holds the label {outside[0]}, its {len(order)} classes are numbered from 0; "
            "leave the column out if it means something else"
        )
    _refuse(table, column, {clip: order[n] for clip, n in theirs.items()}, ours)
    return ()


def _refuse(table: Table, column: str, theirs: Mapping[str, str], ours: Mapping[str, str]) -> None:
    """Raises: InputError where labels disagree; a permutation that would explain it is named."""
    wrong = [clip for clip in theirs if theirs[clip] != ours[clip]]
    if not wrong:
        return
    pairs = {(theirs[clip], ours[clip]) for clip in theirs}
    what = f"{table.source}: {wrong[0]} is {theirs[wrong[0]]} in its column {column}, {ours[wrong[0]]} in the dataset"
    what += f" ({len(wrong)} of {len(theirs)} clips disagree)"
    if len(dict(pairs)) == len(pairs) == len({own for _, own in pairs}) and len(theirs) > len(pairs):
        moved = ", ".join(f"{their} stands for {own}" for their, own in sorted(pairs) if their != own)
        known = known_order([own for _, own in sorted(pairs)])
        what += f"; all of it is one permutation: {moved}" + (f" (in the order of {known})" if known else "")
    raise InputError(f"{what}; say the order of its classes with --labels, mend the labels, or leave that column out")


def check_order(
    source: Path, scores: Scores, rows: Mapping[str, int], clips: pd.DataFrame, plain: bool, keep: bool
) -> tuple[str, ...]:
    """Ask the predictions themselves whether their classes are in another order than they are said to be, where labels are known.

    Raises: InputError where a permutation explains them, unless that order is to be kept: then a note says so.
    """
    if not clips["label_name"].any():
        return ()
    chosen = scores.probs[list(rows.values())][:, [scores.labels.index(name) for name in scores.order]]
    number = {name: i for i, name in enumerate(scores.order)}
    labels = clips.loc[list(rows), "label_name"].map(number).to_numpy(np.int64)
    found = explain_labels(chosen, labels, scores.order)
    if found.verdict != "permuted":
        return ()
    if keep:
        return (f"its order was kept, though {found.told()}",)
    meant = [own or claimed for claimed, own in zip(found.names, found.meant, strict=True)]
    way_out = "mend the names of its columns"
    if plain and len(set(meant)) == len(meant):
        way_out = f"the columns are likely --labels {','.join(meant)}"
    raise InputError(f"{source}: {found.told()}; {way_out}, or keep them as they are with --keep-order")


def fold_notes(table: Table, rows: Mapping[str, int], clips: pd.DataFrame) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Folds of the file by row of `clips`, where the dataset has none, and what has to be told.

    Raises: InputError where both have folds and they differ: a clip was then predicted by a model that has seen it.
    """
    found = table.numbers("fold") if "fold" in table.columns else None
    if found is None:
        return None, ()
    theirs = {clip: int(found[row]) for clip, row in rows.items() if np.isfinite(found[row])}
    if not any(theirs.values()):
        return None, ()
    if not clips["fold"].any():
        return np.array([theirs.get(clip, 0) for clip in clips.index], np.int64), ("folds are the file's: the dataset has none",)
    ours = clips["fold"].to_dict()
    other = [clip for clip, fold in theirs.items() if fold and fold != ours[clip]]
    if other:
        own = ours[other[0]]
        raise InputError(
            f"{table.source}: {other[0]} is predicted as of fold {theirs[other[0]]}, the dataset has it in the test part of fold "
            f"{own} ({len(other)} of {len(theirs)} clips); a model that has seen a clip says nothing "
            "of it: use the folds that the models were trained on"
        )
    return None, ()


def _whole(cell: str) -> bool:
    return cell.removeprefix("-").isdecimal()

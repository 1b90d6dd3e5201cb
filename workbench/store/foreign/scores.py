"""From the columns of a file to probabilities of named classes: which columns they are, of which classes, logits or not."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.special import logsumexp, softmax

from ifdd.data.corpora.orders import MAFW_LABELS, ORDERS
from ifdd.errors import InputError
from ifdd.labels import class_key, match_labels, parse_labels
from workbench.store.foreign.files import Table

Kind = Literal["logits", "probabilities"]
IDS = (
    *("clip_id", "clip", "id", "path", "video", "video_id", "video_name", "video_path", "name", "file", "filename"),
    *("file_name", "sample", "sample_id", "clip_ids", "clips", "ids", "paths", "videos", "video_names", "names", "files"),
    *("filenames", "file_names", "samples"),
)
"""Columns that name the clip, the first of which that is there is meant."""
TRUE = (
    *("label_name", "label", "true", "true_label", "target", "gt", "ground_truth", "y", "y_true", "class", "emotion"),
    *("labels", "true_labels", "targets"),
)
"""Columns that hold the true class."""
PREFIXES: dict[str, Kind | None] = {
    **dict.fromkeys(("p_", "prob_", "probs_", "probability_"), "probabilities"),
    **dict.fromkeys(("logit_", "logits_"), "logits"),
    **dict.fromkeys(("score_", "scores_"), None),
}
"""What stands before a class in the name of its column, and what such a column holds, where that says it."""
SUFFIXES: dict[str, Kind | None] = {
    **dict.fromkeys(("_prob", "_probability"), "probabilities"),
    **dict.fromkeys(("_logit", "_logits"), "logits"),
    **dict.fromkeys(("_score", "_scores"), None),
}
"""The same of what stands behind it."""
MATRICES: dict[str, Kind | None] = {
    **dict.fromkeys(("probs", "prob", "probabilities", "y_prob", "softmax"), "probabilities"),
    **dict.fromkeys(("logits", "logit"), "logits"),
    **dict.fromkeys(("scores", "score", "outputs", "output", "predictions", "preds", "pred", "y_pred", "y_score"), None),
}
CANONICAL = tuple(dict.fromkeys([*MAFW_LABELS, *(name for order in ORDERS.values() for name in order)]))
"""Classes of the corpora of the field, in our order."""
SUM_ERROR = 1e-3
"""How far probabilities in half precision may be from a sum of 1."""
_EXACT = 1e-6


@dataclass(frozen=True, eq=False)
class Scores:
    """What a file says of its rows: `probs` (n, classes), in the order of `labels`, and the logits, where it holds them.

    `order` are the same classes as the file numbers them, the order of its columns; those without a column come last.
    """

    labels: tuple[str, ...]
    probs: np.ndarray
    logits: np.ndarray | None
    order: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Reading:
    """What a person says of a file: the column of ids, the order of plain columns, names → classes, logits or probabilities, and
    of a file with several parts which one; classes that have no column since the model never says them.
    """

    id: str | None = None
    labels: tuple[str, ...] | None = None
    map: Mapping[str, str] | None = None
    kind: Kind | None = None
    split: str | None = None
    zeros: tuple[str, ...] = ()


def parse_order(text: str) -> tuple[str, ...]:
    """What `--labels` says: names with commas between, or @ and the name of a known order.

    Raises: InputError for an unknown order, or as `parse_labels`.

    >>> parse_order("@dfew") == parse_order("happy, sad, neutral, angry, surprise, disgust, fear")
    True
    """
    if not text.startswith("@"):
        return parse_labels(text)
    if text[1:] not in ORDERS:
        raise InputError(f"--labels {text}: is no known order; known are {', '.join(f'@{name}' for name in ORDERS)}")
    return ORDERS[text[1:]]


def id_column(table: Table, asked: str | None) -> str:
    """The column that names the clip. Raises: InputError for none."""
    if asked is not None:
        if asked not in table.columns:
            raise InputError(f"{table.source} has no column {asked!r}; it has {', '.join(table.columns)}")
        return asked
    found = [name for known in IDS for name in table.columns if name.casefold() == known]
    if not found:
        have = ", ".join([*table.columns, *table.matrices])
        raise InputError(
            f"{table.source} has no column that names the clip ({', '.join(IDS[:4])} …), only {have}; say it with --id"
        )
    return found[0]


def of_split(table: Table, asked: str | None) -> Table:
    """The rows of one part, of a file with a column `split`: of the test part, unless another is asked for.

    Raises: InputError for a part that it does not have.
    """
    name = next((name for name in table.columns if name.casefold() == "split"), None)
    if name is None:
        if asked is not None:
            raise InputError(f"{table.source} has no column split; leave --split out")
        return table
    cells = np.array([cell.casefold() for cell in table.texts(name)])
    known = sorted(set(cells))
    part = asked.casefold() if asked is not None else "test" if "test" in known else known[0] if len(known) == 1 else ""
    if part not in known:
        raise InputError(f"{table.source} has clips of the parts {', '.join(known)}; say with --split which are meant")
    rows = np.flatnonzero(cells == part)
    return (
        table
        if len(rows) == len(cells)
        else table.only(rows, f"{len(rows)} of {len(cells)} rows are of the part {part}, and taken")
    )


def true_column(table: Table) -> str | None:
    """The column that holds the true class, by name rather than number; None where there is none."""
    return next((name for known in TRUE for name in table.columns if name.casefold() == known), None)


def read_scores(table: Table, keys: Sequence[str], classes: Sequence[str], reading: Reading) -> Scores:
    """Probabilities of named classes.

    Args:
        table: the file.
        keys: clip of each row, named in an error.
        classes: those of the dataset; () where its clips have no labels.
        reading: what the person says of the file.

    Raises:
        InputError: no such columns, or two kinds; columns whose classes nobody names; a class that is not known, or is of the
            dataset and has no column; another number of classes; values that are no finite numbers; rows that are no
            probabilities, or logits that nobody calls so.
    """
    if table.settled:
        reading = replace(reading, kind=None)
    names, values, told = _values(table, reading)
    if reading.kind is not None and told is not None and told != reading.kind:
        raise InputError(f"{table.source} calls its columns {told}, --{reading.kind} says otherwise; leave the option out")
    if names is None:
        if reading.labels is None:
            raise InputError(
                f"{table.source}: nothing says which class each of its {values.shape[1]} columns of numbers is of; give the "
                "classes in their order: --labels happy,sad,…"
            )
        if len(reading.labels) != values.shape[1]:
            raise InputError(
                f"{table.source} has {values.shape[1]} columns of numbers, --labels names {len(reading.labels)} classes; name "
                "one class for each column"
            )
        names = reading.labels
    _check_finite(values, keys, table)
    order, notes = _classes(names, classes, reading, table)
    probs, logits, more = _distributions(values, told or reading.kind, keys, table)
    if lacking := order[len(names) :]:
        probs, logits = np.pad(probs, ((0, 0), (0, len(lacking)))), None  # a logit of -inf is no feature
        more = (*more, f"the model does not know {', '.join(lacking)}: probability 0 in every clip")
    labels = sorted(order, key=_place)
    places = [order.index(name) for name in labels]
    return Scores(
        tuple(labels), probs[:, places], None if logits is None else logits[:, places], order, (*table.notes, *notes, *more)
    )


def _place(label: str) -> tuple[int, str]:
    """Where a class stands: in our order, what is not in it by the alphabet; whatever the file's own order is."""
    known = meant(label, CANONICAL)
    return (len(CANONICAL), class_key(label)) if known is None else (CANONICAL.index(known), "")


def _values(table: Table, reading: Reading) -> tuple[tuple[str, ...] | None, np.ndarray, Kind | None]:
    """Names of the columns of numbers, None where they are numbered; the numbers (n, k); what they are, where names tell."""
    found: dict[str, tuple[tuple[str, ...] | None, np.ndarray, Kind | None]] = {}
    for name, values in table.matrices.items():
        if name.casefold() in MATRICES:
            found[name] = None, np.asarray(values, np.float64), MATRICES[name.casefold()]
    for prefix, kind in PREFIXES.items():
        columns = [name for name in table.columns if name.casefold().startswith(prefix) and len(name) > len(prefix)]
        if columns:
            found[f"{prefix}…"] = (*_named(table, {name: name[len(prefix) :] for name in columns}), kind)
    for suffix, kind in SUFFIXES.items():
        columns = [name for name in table.columns if name.casefold().endswith(suffix) and len(name) > len(suffix)]
        columns = [name for name in columns if meant(name[: -len(suffix)], (*CANONICAL, *(reading.labels or ())))]
        if columns:
            found[f"…{suffix}"] = (*_named(table, {name: name[: -len(suffix)] for name in columns}), kind)
    if not found:
        digits = [name for name in table.columns if name.isdecimal()]
        known = (*CANONICAL, *(reading.labels or ()), *(reading.map or ()))
        bare = [name for name in table.columns if meant(name, known) and table.numbers(name) is not None]
        if len(bare) > 1:
            found["columns named as classes"] = (*_named(table, {name: name for name in bare}), None)
        elif len(digits) > 1:
            found["numbered columns"] = (*_named(table, {name: name for name in digits}), None)
    fitting = {name: item for name, item in found.items() if reading.kind is None or item[2] in (None, reading.kind)} or found
    if len(fitting) > 1:
        raise InputError(
            f"{table.source} holds {' and '.join(fitting)}; say which is meant with --logits or --probabilities, or leave one out"
        )
    if not fitting:
        have = ", ".join([*table.columns, *table.matrices])
        raise InputError(
            f"{table.source} has no columns of probabilities or logits (p_<class>, logit_<class>, or named as the classes), only "
            f"{have}; a predicted class alone says nothing of the others: write them, too"
        )
    return next(iter(fitting.values()))


def meant(name: str, known: Sequence[str]) -> str | None:
    """The class of `known` that a name is, in whatever spelling or as a synonym; None where it is none of them.

    >>> meant("Happiness", ("happy", "sad")), meant("bored", ("happy", "sad"))
    ('happy', None)
    """
    try:
        return match_labels([name], known, "")[0][name]
    except InputError:
        return None


def _named(table: Table, classes: Mapping[str, str]) -> tuple[tuple[str, ...] | None, np.ndarray]:
    """Classes that columns name (column → class), None where they are numbered from 0 or 1; and their numbers (n, k)."""
    names: tuple[str, ...] | None = tuple(classes.values())
    columns = list(classes)
    if all(name.isdecimal() for name in classes.values()):
        columns = sorted(columns, key=lambda name: int(classes[name]))
        numbers = [int(classes[name]) for name in columns]
        if numbers not in (list(range(len(numbers))), list(range(1, len(numbers) + 1))):
            raise InputError(f"{table.source}: its columns {', '.join(columns)} leave out a number; write one for each class")
        names = None
    values = []
    for name in columns:
        found = table.numbers(name)
        if found is None:
            cells = table.texts(name)
            row = next(i for i, cell in enumerate(cells) if not _is_number(cell))
            raise InputError(f"{table.source}: {name} is {cells[row]!r} in row {row + 1}; write a number")
        values.append(found)
    return names, np.stack(values, 1)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _check_finite(values: np.ndarray, keys: Sequence[str], table: Table) -> None:
    bad = np.flatnonzero(~np.isfinite(values).all(1))
    if len(bad):
        raise InputError(
            f"{table.source}: a value of {keys[bad[0]]} is NaN or infinite ({len(bad)} of {len(values)} clips); test the model "
            "again, or leave these clips out"
        )


def _classes(
    names: Sequence[str], classes: Sequence[str], reading: Reading, table: Table
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Class of each column, as the dataset spells it, and then those of `reading.zeros`; and what has to be told."""
    stated = reading.labels or ()
    if stated and (len(stated) != len(names) or not all(meant(name, stated) for name in names)):
        raise InputError(
            f"{table.source} has columns of {', '.join(names)}, --labels names {', '.join(stated)}; name the same classes, or "
            "leave --labels out"
        )
    known = [*classes]
    for name in (*CANONICAL, *stated, *reading.zeros):
        if meant(name, known) is None:
            known.append(name)
    column = true_column(table)
    elsewhere = set() if column is None else set(table.texts(column)) - set(names)
    asked = {name: label for name, label in (reading.map or {}).items() if name not in elsewhere}
    found, notes = match_labels(names, known, table.source, asked)
    order = tuple(found[name] for name in names)
    if "" in order:
        raise InputError(
            f"{table.source}: --map leaves out {names[order.index('')]}; what a model gives to a class cannot be taken from it"
        )
    if twice := [name for name in order if order.count(name) > 1]:
        raise InputError(f"{table.source} has two columns of {twice[0]}; leave one out")
    for name in (str(meant(zero, known)) for zero in reading.zeros):
        if name in order:
            raise InputError(f"{table.source} has a column of {name}; leave it out of --zeros")
        order = (*order, name)
    if missing := [name for name in classes if name not in order]:
        raise InputError(
            f"{table.source} has no column of {', '.join(missing)}, of which the dataset has clips; its columns are of "
            f"{', '.join(names)}; if the model does not know such a class, say so with --zeros {shlex.quote(','.join(missing))}"
        )
    more = [name for name in order[: len(names)] if name not in classes] if classes else []
    return order, (*notes, *([f"the dataset has no clip of {', '.join(more)}, which the model knows"] if more else []))


def _distributions(
    values: np.ndarray, kind: Kind | None, keys: Sequence[str], table: Table
) -> tuple[np.ndarray, np.ndarray | None, tuple[str, ...]]:
    """Probabilities, the logits, if that is what the values are, and notes."""
    digits = _digits(values)
    allowed = SUM_ERROR if digits is None else max(SUM_ERROR, values.shape[1] * 0.5 * 10.0**-digits + _EXACT)
    sums = values.sum(1)
    good = (values >= -_EXACT).all(1) & (values <= 1 + SUM_ERROR).all(1) & (np.abs(sums - 1) <= allowed)
    if kind == "logits":
        if good.all() and not np.allclose(logsumexp(values, 1), 0, atol=1e-3):
            raise InputError(
                f"{table.source}: every row lies between 0 and 1 and sums to 1, so these are probabilities and no logits; leave "
                "--logits out, or name the columns p_<class>"
            )
        return softmax(values, 1), values, ("probabilities are the softmax of its logits",)
    if not good.all():
        raise InputError(_no_distribution(values, sums, good, kind, keys, table))
    clipped = values.clip(0)
    off = float(np.abs(clipped.sum(1) - 1).max())
    if off <= _EXACT:
        return clipped, None, ()
    how = "are rounded" if digits is None else f"have {digits} digits"
    note = f"probabilities {how}: rows sum to {sums.min():.4g} – {sums.max():.4g}, and were divided by their sum"
    return clipped / clipped.sum(1, keepdims=True), None, (note,)


def _no_distribution(
    values: np.ndarray, sums: np.ndarray, good: np.ndarray, kind: Kind | None, keys: Sequence[str], table: Table
) -> str:
    row = int((~good).argmax())
    told = ", ".join(f"{value:.4g}" for value in values[row])
    what = f"{table.source}: {keys[row]} has {told}, sum {sums[row]:.4g}"
    if (values >= 0).all() and np.allclose(sums, 100, atol=5):
        return f"{what}: these are percents; divide them by 100"
    bad = int((~good).sum())
    if good.any():
        return f"{what}, which is no distribution, as {bad} of {len(good)} rows; the others are: mend these rows"
    if kind == "probabilities":
        return f"{what}, which is no distribution; where these are logits, call the columns logit_<class>"
    return f"{what}, which is no distribution; where these are logits, say so with --logits"


def _digits(values: np.ndarray) -> int | None:
    """To how many decimals, 2 to 4, all values are rounded; None for more."""
    scaled = ((digits, values * 10**digits) for digits in (2, 3, 4))
    return next((digits for digits, found in scaled if np.abs(found - np.rint(found)).max() < 1e-4), None)

"""Files of predictions as others write them: tables of text, parquet, arrays; nothing is understood here, or unpickled."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from ifdd.data.manifest.columns import is_missing
from ifdd.data.persons import without_fraction
from ifdd.documents import read_any_arrays, read_array, read_text
from ifdd.errors import InputError
from ifdd.tables import read_table
from workbench.store.foreign.views import average_views, is_views

TEXT = {".csv": ",;\t", ".tsv": "\t", ".txt": ",;\t "}
"""Suffixes of tables that are text, and what may stand between their cells."""
LARGEST = 2**30  # bytes of a table of text
ENDINGS = (*TEXT, ".parquet", ".npz")
_ARRAYS = "write it again with numpy.savez(FILE, clip_id=numpy.array(ids, dtype=str), probs=…)"
_LIST = re.compile(r"\s*\[[^\[\]]+\]\s*")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?(nan|inf(inity)?)", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Table:
    """A file as it is: columns of cells (n,) and matrices (n, k) by name; `settled`: its format says that they are no logits."""

    source: Path
    columns: dict[str, np.ndarray]
    matrices: dict[str, np.ndarray] = field(default_factory=dict)
    settled: bool = False
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return len(next(iter([*self.columns.values(), *self.matrices.values()]), ()))

    def only(self, rows: np.ndarray, note: str) -> "Table":
        """The same with some of its rows, and a note on which."""
        columns = {name: cells[rows] for name, cells in self.columns.items()}
        matrices = {name: values[rows] for name, values in self.matrices.items()}
        return replace(self, columns=columns, matrices=matrices, notes=(*self.notes, note))

    def texts(self, name: str) -> list[str]:
        """A column's cells as text without space around them, 7.0 as "7", "" where they are empty."""
        return ["" if is_missing(cell) else str(without_fraction(cell)).strip() for cell in self.columns[name]]

    def numbers(self, name: str) -> np.ndarray | None:
        """A column as numbers (n,) float64; None where a cell is none."""
        cells = self.columns[name]
        if isinstance(cells.dtype, np.dtype) and cells.dtype.kind in "iuf":
            return cells.astype(np.float64)
        texts = self.texts(name)
        return np.array([float(cell) for cell in texts]) if all(map(_NUMBER.fullmatch, texts)) else None


def read_predictions(file: Path) -> Table:
    """A file of predictions: .csv, .tsv, .txt, .parquet or .npz; lines `path [values] label chunk view` too.

    Of these also a folder with the file of each process, 0.txt, 1.txt …, whose clips are taken together.
    Raises: InputError for a missing or damaged file, another kind, no rows, rows of other lengths, or columns without a name.
    """
    suffix = file.suffix.lower()
    if file.is_dir():
        return _of_views(file, {part: _text(part) for part in files_of(file)})
    if not file.is_file():
        raise InputError(f"{file} is no file; name a file of predictions ({', '.join(ENDINGS)})")
    if suffix in TEXT:
        text = _text(file)
        table = _of_views(file, {file: text}) if is_views(text) else _of_cells(file, _cells(text, file))
    elif suffix == ".parquet":
        table = _of_frame(file, read_table(file, "write it again", exact=True))
    elif suffix == ".npz":
        table = _of_arrays(file, read_any_arrays(file, _ARRAYS))
    else:
        raise InputError(f"{file} is of a kind that is not read; give {', '.join(ENDINGS)}")
    if not table.rows:
        raise InputError(f"{file} holds no prediction; name a file with a row for each clip")
    return table


def read_features(file: Path, rows: int | None = None) -> Table:
    """A file of features: .npy (n, d) in the order of `rows` predictions, or .npz, .parquet, .csv with ids of its own.

    Raises: InputError as `read_predictions`, or for an array of another shape.
    """
    if file.suffix.lower() != ".npy":
        return read_predictions(file)
    values = read_array(file, "write it again with numpy.save")
    if values.ndim != 2 or not values.shape[1]:
        raise InputError(f"{file} has shape {values.shape}; features are n × d, a row for each prediction")
    if len(values) != rows:
        raise InputError(
            f"{file} has {len(values)} rows, the predictions {rows}; give a row for each, in their order, or a .npz with clip_id"
        )
    return Table(file, {}, {"features": np.asarray(values)})


def _of_frame(file: Path, frame: pd.DataFrame) -> Table:
    columns: dict[str, np.ndarray] = {}
    matrices: dict[str, np.ndarray] = {}
    for name in frame.columns:
        cells = frame[name].to_numpy()
        if len(cells) and isinstance(cells[0], list | tuple | np.ndarray):
            matrices[name] = stacked(cells, name, file)
        else:
            columns[name] = cells
    return Table(file, columns, matrices)


def _of_cells(file: Path, columns: dict[str, np.ndarray]) -> Table:
    """Columns of text, of which those whose cells are all lists, "[0.1, 0.9]", are matrices."""
    lists = {name: cells for name, cells in columns.items() if len(cells) and all(map(_LIST.fullmatch, cells))}
    rows = {name: [re.split(r"[,\s]+", cell.strip("[] ")) for cell in cells] for name, cells in lists.items()}
    matrices = {name: stacked(cells, name, file) for name, cells in rows.items()}
    return Table(file, {name: cells for name, cells in columns.items() if name not in lists}, matrices)


def stacked(cells: Sequence[object] | np.ndarray, name: str, source: Path) -> np.ndarray:
    """Lists of numbers of one length as a matrix. Raises: InputError for other ones, with the row."""
    rows: list[np.ndarray] = []
    for number, cell in enumerate(cells):
        try:
            row = np.asarray(cell, np.float64)
        except (TypeError, ValueError):
            row = np.empty((0, 0))
        if row.ndim != 1 or (rows and len(row) != len(rows[0])):
            raise InputError(f"{source}: {name} of row {number} is no list of numbers as long as the others; write it again")
        rows.append(row)
    return np.stack(rows)


def _of_arrays(file: Path, arrays: dict[str, np.ndarray]) -> Table:
    columns: dict[str, np.ndarray] = {}
    matrices: dict[str, np.ndarray] = {}
    for name, values in arrays.items():
        if values.dtype.kind == "S":
            values = np.char.decode(values, "utf-8", "replace")
        if values.ndim not in (1, 2):
            raise InputError(f"{file}: {name} has shape {values.shape}; write a row for each clip, (n,) or (n, k)")
        (columns if values.ndim == 1 else matrices)[name] = values
    width = {values.shape[1] for values in matrices.values()}
    for name in _OR_CLASSES:  # names of the classes, where they are as many as a matrix has columns, and other than the rows
        if name in columns and columns[name].dtype.kind == "U" and len(columns[name]) in width - {_rows(columns, name)}:
            columns[CLASSES[0]] = columns.pop(name)
    lengths = {name: len(values) for name, values in {**columns, **matrices}.items() if name not in CLASSES}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {count}" for name, count in lengths.items())
        raise InputError(f"{file}: its arrays have other lengths ({told}); write a row for each clip in all of them")
    own = [columns.pop(name) for name in CLASSES if name in columns]
    if own and not any(values.shape[1] == len(own[0]) for values in matrices.values()):
        told = ", ".join(f"{name} {values.shape[1]}" for name, values in matrices.items()) or "none"
        raise InputError(f"{file}: {len(own[0])} classes are named, columns there are: {told}; name one class for each column")
    table = Table(file, columns, matrices)
    return _with_classes(table, [str(name) for name in own[0]]) if own else table


CLASSES = ("classes", "class_names", "label_order")
"""Arrays of an .npz that name the columns of its matrices."""
_OR_CLASSES = ("labels", "label_names", "emotions")
"""Arrays that may do so, or hold the true classes."""


def _rows(columns: dict[str, np.ndarray], beside: str) -> int:
    """How many rows the other columns have."""
    return next((len(values) for name, values in columns.items() if name != beside), 0)


def _with_classes(table: Table, names: Sequence[str]) -> Table:
    """Matrices with a column for each class, taken apart into columns of those names."""
    columns = dict(table.columns)
    matrices = dict(table.matrices)
    for name, values in table.matrices.items():
        if values.shape[1] == len(names):
            columns |= {f"{_prefix(name)}{label}": values[:, i] for i, label in enumerate(names)}
            del matrices[name]
    return Table(table.source, columns, matrices)


def _prefix(name: str) -> str:
    """What stands before the class where a matrix is taken apart: logits → logit_."""
    return {"logits": "logit_", "logit": "logit_", "probs": "p_", "probabilities": "p_", "prob": "p_"}.get(name, "score_")


def _text(file: Path) -> str:
    text = read_text(file, LARGEST)
    if "\0" in text:
        raise InputError(f"{file} holds NUL characters; save the table as text in UTF-8")
    return text


def files_of(place: Path) -> list[Path]:
    """The files that predictions are read of: the file itself, or those of all processes in a folder: 0.txt, 1.txt …

    Raises: InputError for a folder without them, or one that lacks a number.
    """
    if not place.is_dir():
        return [place]
    found = sorted((file for file in place.glob("*.txt") if file.stem.isdecimal()), key=lambda file: int(file.stem))
    if not found or [int(file.stem) for file in found] != list(range(len(found))):
        told = ", ".join(file.name for file in found) or "none of them"
        raise InputError(f"{place} is a folder with {told}; it needs the files of all processes of a test, 0.txt, 1.txt …")
    return found


def _of_views(file: Path, texts: dict[Path, str]) -> Table:
    found = average_views(texts)
    columns = {"clip_id": np.array(found.ids, object), "label": found.labels}
    return Table(file, columns, {"probs": found.probs}, True, found.notes)


def _cells(text: str, file: Path) -> dict[str, np.ndarray]:
    """Columns of a table of text, cells as they stand there."""
    header = text.lstrip("\n").partition("\n")[0]
    between = max(TEXT[file.suffix.lower()], key=header.count)
    if between == " ":
        rows = [line.split() for line in text.splitlines() if line.strip()]
    else:
        try:
            rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=between, strict=True) if any(row)]
        except csv.Error as error:
            raise InputError(f"{file}: not a table of text ({error}); save it as CSV anew") from None
    if not rows:
        return {}
    names = [name.strip() for name in rows[0]]
    for number, row in enumerate(rows[1:], 1):
        if len(row) != len(names):
            raise InputError(f"{file}: row {number} has {len(row)} cells, the first line has {len(names)}; quote or mend it")
    if any(_NUMBER.fullmatch(name) and not name.isdecimal() for name in names):
        raise InputError(f"{file}: its first line is {header[:60]!r}, which names no columns; write e.g. clip_id,p_happy,p_sad,…")
    kept = [i for i, name in enumerate(names) if name]  # pandas writes row numbers under no name
    if twice := [names[i] for i in kept if names.count(names[i]) > 1]:
        raise InputError(f"{file}: column {twice[0]!r} is there twice; every column needs a name of its own")
    return {names[i]: np.array([row[i].strip() for row in rows[1:]], object) for i in kept}

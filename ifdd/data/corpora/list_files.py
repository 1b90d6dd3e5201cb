"""One list of clips as somebody published it: CSV, TSV or text, with a header or without, whatever its columns are called."""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import dropwhile
from pathlib import Path

from ifdd.data.corpora.orders import MAFW_LABELS
from ifdd.documents import read_text, shown
from ifdd.errors import InputError
from ifdd.labels import class_key, meant_class

MAX_LIST = 64 * 2**20
"""Bytes of one list; FERV39k's longest, with absolute paths, has 3 MB."""
SUFFIXES = (".csv", ".tsv", ".txt")
PATHS = (
    "path",
    "video_path",
    "frame_path",
    "video_name",
    "video",
    "videoname",
    "clip",
    "clip_id",
    "file",
    "filename",
    "file_name",
    "name",
)
"""What lists call the column of clips, the surest first."""
LABELS = ("label_name", "label", "labels", "class_name", "class", "emotion", "expression", "target", "id")
"""What lists call the column of classes; S2D's FERV39k lists say `path,id`."""
COUNTS = ("n_frames", "num_frames", "frames", "length")
NUMBER = re.compile(r"\d{1,9}(?:\.0*)?")
"""A whole number, with a fraction of zeros where a table with an empty cell was written anew."""


@dataclass(frozen=True)
class ListFile:
    """The rows of a list: `paths` (n) and `labels` (n) as they are written; `layout` names its columns, for reports.

    `counts` (n) are the frames that it claims, () where it claims none; `more`: cells (n) of other columns that were asked for,
    by the name of the manifest's column.
    """

    file: Path
    paths: tuple[str, ...]
    labels: tuple[str, ...]
    layout: str
    counts: tuple[int, ...] = ()
    more: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def numbered(self) -> bool:
        """Whether the labels are numbers."""
        return all(NUMBER.fullmatch(label) for label in set(self.labels))

    @property
    def numbers(self) -> tuple[int, ...]:
        """The labels (n) of a numbered list; 5.0, as a table with an empty cell writes it, is 5."""
        known = {label: int(label.partition(".")[0]) for label in set(self.labels)}
        return tuple(known[label] for label in self.labels)


def read_list(file: Path, columns: Mapping[str, str] | None = None) -> ListFile:
    """Read a list of clips and labels.

    Known are tables with a header (`video_name,label`, `path,id`, …), and lines `path label`, `path n_frames label`,
    `path audio label` and `path label caption` without one, with blanks, tabs, commas or semicolons between.

    Args:
        file: the list.
        columns: which columns hold `path` and `label`, where their names do not tell it; any other name is kept as `more`.

    Raises:
        InputError: no such file, no UTF-8 text, no clip, a row without a label, or columns that nobody could tell.
    """
    try:
        text = read_text(file, MAX_LIST)
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{file}: no such list; check the spelling") from None
    if "\0" in text:
        raise InputError(f"{file}: holds NUL characters; save the list as text in UTF-8")
    lines = [line.strip(" ") for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line.strip()]
    lines = list(dropwhile(lambda line: line.startswith("#"), lines))  # what is said of the list
    if not lines:
        raise InputError(f"{file}: lists no clip")
    between = _between(lines, file.suffix.lower(), columns)
    if between:
        return _of_cells(file, _cells(file, lines, between), columns)
    if columns:
        raise InputError(f"{file}: is no table with a header, of which --columns could name columns; leave --columns out")
    return _of_words(file, lines)


def _between(lines: Sequence[str], suffix: str, columns: Mapping[str, str] | None) -> str:
    """What stands between the cells of a table; "" where they are words of a line."""
    first = lines[0]
    found = {sign: first.index(sign) for sign in ",;\t" if sign in first}
    if not found:
        return ""
    sign = min(found, key=lambda name: found[name])
    if sign == "\t":
        # a tab may stand before a caption, whose words no table holds
        return "" if "<br>" in first else "\t"
    if not _blank_before(first, found[sign]):
        return sign
    header = {class_key(cell.strip().strip('"')) for cell in first.split(sign)}
    same = len({line.count(sign) for line in lines}) == 1
    known = header & {class_key(name) for name in (*PATHS, *LABELS, *(columns or {}).values())}
    return sign if known or (suffix != ".txt" and same) else ""


def _blank_before(line: str, end: int) -> bool:
    return any(letter.isspace() for letter in line[:end])


def _cells(file: Path, lines: Sequence[str], between: str) -> list[list[str]]:
    try:
        rows = list(csv.reader(io.StringIO("\n".join(lines), newline=""), delimiter=between, strict=True))
    except csv.Error as error:
        raise InputError(f"{file}: not a table of text ({error}); save it as CSV anew") from None
    return [[cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)]


def _of_cells(file: Path, rows: Sequence[Sequence[str]], columns: Mapping[str, str] | None) -> ListFile:
    if not rows:
        raise InputError(f"{file}: lists no clip")
    names = [class_key(cell) for cell in rows[0]]
    asked = {role: class_key(name) for role, name in (columns or {}).items()}
    if asked or {class_key(name) for name in (*PATHS, *LABELS)} & set(names):
        at = {role: _column(file, rows[0], names, role, asked.get(role)) for role in ("path", "label", *asked)}
        layout, rows = ",".join(rows[0]), rows[1:]
        if "label" not in asked:
            at["label"] = _named_beside(names, rows, at)
    elif len(rows[0]) == 2:
        at, layout = {"path": 0, "label": 1}, "path,label without a header"
    elif len(rows[0]) == 3 and all(len(row) == 3 and NUMBER.fullmatch(row[1]) for row in rows):
        at, layout = {"path": 0, "label": 2}, "path,n_frames,label without a header"
    else:
        raise InputError(
            f"{file}: nothing tells which column holds the clip and which its label (first row: {shown(', '.join(rows[0]))}); "
            "write a header with path and label"
        )
    if not rows:
        raise InputError(f"{file}: lists no clip")
    if missing := set(asked) - set(at):
        raise InputError(f"{file}: has no header, which would say which column holds {min(missing)}; write one")
    width = max(at.values()) + 1
    for number, row in enumerate(rows, 1):
        if len(row) < width or not row[at["path"]] or not row[at["label"]]:
            raise InputError(
                f"{file}: row {number} has no path or no label ({shown(','.join(row))}); fill it in, or leave it out"
            )
    found = {role: tuple(row[i] for row in rows) for role, i in at.items()}
    claimed = next((names.index(name) for name in map(class_key, COUNTS) if name in names), 1 if "n_frames" in layout else None)
    return ListFile(file, found.pop("path"), found.pop("label"), layout, _counts(rows, claimed), found)


def _named_beside(names: Sequence[str], rows: Sequence[Sequence[str]], at: Mapping[str, int]) -> int:
    """The column of labels; if it holds numbers and one beside it the classes' names, that one, which needs no order."""
    if not rows or not all(len(row) > at["label"] and NUMBER.fullmatch(row[at["label"]]) for row in rows):
        return at["label"]
    for i, name in enumerate(names):
        cells = {row[i] if len(row) > i else "" for row in rows}
        if name in map(class_key, LABELS) and i not in at.values() and all(cell and _is_class(cell) for cell in cells):
            return i
    return at["label"]


def _counts(rows: Sequence[Sequence[str]], column: int | None) -> tuple[int, ...]:
    """The frames that a column claims, where all its cells are numbers."""
    if column is None or not all(len(row) > column and NUMBER.fullmatch(row[column]) for row in rows):
        return ()
    return tuple(int(float(row[column])) for row in rows)


def _column(file: Path, header: Sequence[str], names: Sequence[str], role: str, asked: str | None) -> int:
    """Where the column of a role stands."""
    known = (asked,) if asked else tuple(class_key(name) for name in (PATHS if role == "path" else LABELS))
    if role == "path" and not asked and {class_key(name) for name in LABELS} & set(names) != {"id"}:
        known = (*known, "id")  # which names the class only where nothing else does
    for name in known:
        if names.count(name) == 1:
            return names.index(name)
        if name in names:
            raise InputError(f"{file}: column {name} is there twice; every column needs a name of its own")
    if asked:
        raise InputError(f"{file}: there is no column {asked}; the columns are {', '.join(header)}")
    raise InputError(
        f"{file}: no column is named like a {role}; the columns are {', '.join(header)}; say which with --columns {role}=NAME"
    )


def _of_words(file: Path, lines: Sequence[str]) -> ListFile:
    """Lines of words; what they are is told by all of them, not by the first."""
    words = [line.split() for line in lines]
    for number, row in enumerate(words, 1):
        if len(row) < 2:
            raise InputError(f"{file}: line {number} ({shown(' '.join(row))}) has no label; write the path and its label")
    if {class_key(word) for word in words[0]} <= {class_key(name) for name in (*PATHS, *LABELS, *COUNTS)}:
        words, lines = words[1:], lines[1:]
        if not words:
            raise InputError(f"{file}: lists no clip")
    for layout, fits, parted in _LAYOUTS:
        if all(fits(row) for row in words):
            rows = [parted(line) for line in lines]
            counts = tuple(int(float(row[-2])) for row in words) if "n_frames" in layout else ()
            return ListFile(file, tuple(path for path, _ in rows), tuple(label for _, label in rows), layout, counts)
    raise AssertionError("the last layout fits all")


def _is_class(word: str) -> bool:
    """Whether a word is a class, or several with "_" between, as compound labels are written."""
    return all(meant_class(part, MAFW_LABELS) for part in word.split("_"))


_LAYOUTS: tuple[tuple[str, Callable[[list[str]], bool], Callable[[str], tuple[str, str]]], ...] = (
    ("path label", lambda row: len(row) == 2, lambda line: (line.split()[0], line.split()[1])),
    (
        "path n_frames label",
        lambda row: len(row) >= 3 and bool(NUMBER.fullmatch(row[-2])),
        lambda line: (line.rsplit(None, 2)[0], line.rsplit(None, 2)[2]),
    ),
    (
        "path audio label",
        lambda row: len(row) == 3 and row[1].lower().endswith((".wav", ".mp3", ".flac")),
        lambda line: (line.split()[0], line.split()[2]),
    ),
    ("path label caption", lambda row: _is_class(row[1]), lambda line: (line.split()[0], line.split()[1])),
    ("path label", lambda _: True, lambda line: (line.rsplit(None, 1)[0], line.rsplit(None, 1)[1])),
)
"""Layouts of lines without a header: name, whether words fit, (path, label) of a line. The first that fits all lines is it."""

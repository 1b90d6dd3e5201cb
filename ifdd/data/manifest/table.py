"""Read, complete, check and write the list of clips: the one door through which a manifest comes in."""

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from ifdd.data.manifest.columns import cells_of, numbers, plain, read_cells, text
from ifdd.data.preprocessing import CROPS, HIDDEN
from ifdd.errors import InputError
from ifdd.io import write_whole
from ifdd.labels import EMOTIONS
from ifdd.tables import read_table

FILE_NAME = "clips.parquet"
TEXT_FILES = {".csv": ",;\t", ".tsv": "\t"}
"""Suffixes of tables that are text, and what may stand between their cells."""
REQUIRED = ("clip_id", "path", "kind", "n_frames", "fps", "width", "height", "label", "label_name", "fold", "subject")
"""Columns that every manifest has once it is read. A file needs `path` alone: see docs/manifest.md."""
LABELS = ("label", "label_name")
NO_LABEL = -1
"""`label` of a clip without one, once a manifest is read; its `label_name` is "". On disk both columns are left out."""
FILES = ("truth", "landmarks", "scene_path")
"""Columns of files beside the clips, whose paths are relative to the folder of the list, as `path` is."""
VOTES = "votes_"
"""A column `votes_<class>` holds how many annotators chose that class."""
_MEASURES = {"n_frames": 1, "fps": 0, "width": 1, "height": 1}


def read_manifest(path: str | Path, labels: Sequence[str] | None = None) -> pd.DataFrame:
    """Read, complete and check a manifest: a parquet, CSV or TSV file, or a folder that holds clips.parquet, .csv or .tsv.

    Every column of `REQUIRED` is there afterwards; what the file does not tell is empty (NaN, "") and probed where it is needed.
    Of a list without labels `label` is `NO_LABEL` (see `has_labels`). The folder that `path` is relative to is kept in
    `.attrs["root"]`.

    Args:
        path: the file or folder.
        labels: class names in the order of their numbers, for a file that has numbers alone.

    Raises:
        InputError: no such file, not a table, or as `complete`.
    """
    file, frame = read_columns(path)
    found = complete(frame, file.parent, file, labels)
    found.attrs["root"] = str(file.parent)
    return found


def read_columns(path: str | Path) -> tuple[Path, pd.DataFrame]:
    """The file that a manifest's path means, and its table as it is. Raises: InputError for no such file, or no table."""
    file = _find(Path(path))
    return file, _read_text(file) if file.suffix.lower() in TEXT_FILES else _read_parquet(file)


def write_manifest(frame: pd.DataFrame, path: str | Path) -> None:
    """Complete and check a manifest and write it, whole or not at all; a path without the suffix .parquet is its folder.

    Of clips without labels no column label is written.

    Raises:
        InputError: as `complete`; another kind of table is asked for; the disk refuses.
    """
    file = Path(path)
    if file.suffix.lower() in TEXT_FILES:
        raise InputError(f"{file}: manifests are written as parquet; name it {file.with_suffix('.parquet')}")
    file = file if file.suffix == ".parquet" else file / FILE_NAME
    table = complete(frame, file.parent, file)
    table = table if has_labels(table) else table.drop(columns=list(LABELS))
    table.attrs = {}  # `root` is where the file lies, not what it says
    write_whole(file, lambda part: table.to_parquet(part, index=False, write_page_checksum=True))


def complete(frame: pd.DataFrame, root: Path, source: object, labels: Sequence[str] | None = None) -> pd.DataFrame:
    """The table with every column of `REQUIRED`, each of its type; other columns as numbers, truth values or text.

    Args:
        frame: with `path` at least; `label` may hold names or numbers from 0. Without `label` and `label_name` the clips have
            no labels: `NO_LABEL` and "".
        root: folder that `path` is relative to; tells videos from folders of frames where `kind` is left out.
        source: named in an error.
        labels: class names in the order of their numbers.

    Raises:
        InputError: no rows, a missing column, two of one name, a cell that is empty or of the wrong type, a clip id twice, an
            unknown kind or crop, labels that some clips have and others not, labels that are no whole numbers from 0 or numbers
            without names, or label and label_name that disagree.
    """
    _check_columns(frame, source)
    table = {str(column): frame[column] for column in frame.columns}
    found: dict[str, pd.Series] = {"path": _filled(text(table["path"], "path", source), "path", source)}
    found["clip_id"] = _clip_ids(table.get("clip_id"), found["path"], root, source)
    found["label"], found["label_name"] = _classes(table, source, labels)
    found["kind"] = _kinds(table.get("kind"), found["path"], root, source)
    for name, least in _MEASURES.items():
        if name in table:
            found[name] = numbers(table[name], name, source, whole=name != "fps", least=least)
        else:
            found[name] = pd.Series(np.nan, frame.index)
    found["fold"] = _folds(table.get("fold"), frame.index, source)
    found["subject"] = text(table["subject"], "subject", source).fillna("") if "subject" in table else _same("", frame.index)
    if "crop" in table:
        found["crop"] = text(table["crop"], "crop", source).fillna("none")
        _one_of(found["crop"], "crop", CROPS, source)
    if "scene_face" in table:
        found["scene_face"] = text(table["scene_face"], "scene_face", source).fillna("kept")
        _one_of(found["scene_face"], "scene_face", HIDDEN, source)
    for name in FILES:
        if name in table:
            found[name] = text(table[name], name, source)
    for name, column in table.items():
        if name not in found:
            found[name] = numbers(column, name, source) if name.startswith(VOTES) else plain(column)
    order = [*frame.columns, *(name for name in REQUIRED if name not in table)]
    done = pd.DataFrame({name: found[name] for name in dict.fromkeys(map(str, order))})
    done.attrs = dict(frame.attrs)
    return done


def _find(path: Path) -> Path:
    names = [FILE_NAME, *(f"clips{suffix}" for suffix in TEXT_FILES)]
    file = next((path / name for name in names if (path / name).is_file()), path / FILE_NAME) if path.is_dir() else path
    if not file.is_file():
        raise InputError(f"{file}: no such manifest; make one with `ifdd data index`")
    return file


def _read_parquet(file: Path) -> pd.DataFrame:
    frame = read_table(file, "make it anew with `ifdd data index`, or give a .csv", exact=True)
    return frame[[name for name in frame.columns if not name.startswith("__index_level_")]]


def _read_text(file: Path) -> pd.DataFrame:
    try:
        content = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{file}: not UTF-8 text; save the table as CSV in UTF-8") from None
    if "\0" in content:
        raise InputError(f"{file}: holds NUL characters; save the table as CSV in UTF-8")
    header = content.partition("\n")[0]
    between = max(TEXT_FILES[file.suffix.lower()], key=header.count)
    try:
        rows = [row for row in csv.reader(io.StringIO(content, newline=""), delimiter=between, strict=True) if row]
    except csv.Error as error:
        raise InputError(f"{file}: not a table of text ({error}); save it as CSV anew") from None
    if not rows:
        raise InputError(f"{file}: lists no clip")
    names = [name.strip() for name in rows[0]]
    for number, row in enumerate(rows[1:]):
        if len(row) != len(names):
            raise InputError(
                f"{file}: row {number} has {len(row)} cells, the header has {len(names)}; quote cells with {between!r}"
            )
    named = [i for i, name in enumerate(names) if name or not _says_nothing([row[i].strip() for row in rows[1:]])]
    names, rows = [names[i] for i in named], [[row[i] for i in named] for row in rows]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"{file}: column {twice or '(no name)'} is there twice; every column needs a name of its own")
    columns = {name: pd.Series([row[i].strip() or None for row in rows[1:]], dtype=object) for i, name in enumerate(names)}
    typed = ("path", "clip_id", "label_name", "subject", "crop", "kind", "scene_face", *FILES)
    return pd.DataFrame({name: column if name in typed else read_cells(column) for name, column in columns.items()})


def _says_nothing(cells: Sequence[str]) -> bool:
    """A column without a name that is empty, as commas at the end of rows make it, or counts the rows, as pandas writes it."""
    return not any(cells) or list(cells) == [str(i) for i in range(len(cells))]


def _check_columns(frame: pd.DataFrame, source: object) -> None:
    names = list(frame.columns)
    strange = [name for name in names if not isinstance(name, str) or not name.strip() or not name.isprintable()]
    if strange:
        raise InputError(f"{source}: column {strange[0]!r} has no name that can be printed; rename it")
    if len(set(names)) < len(names):
        raise InputError(f"{source}: column {frame.columns[frame.columns.duplicated()][0]} is there twice; leave one out")
    if "path" not in names:
        raise InputError(f"{source}: column path is missing; a manifest needs path, it has {', '.join(names)}")
    if frame.empty:
        raise InputError(f"{source}: lists no clip")


def _filled(column: pd.Series, name: str, source: object) -> pd.Series:
    empty = column.isna().to_numpy()
    if empty.any():
        raise InputError(f"{source}: {name} is empty in row {int(empty.argmax())}; fill it in")
    return column


def _clip_ids(given: pd.Series | None, paths: pd.Series, root: Path, source: object) -> pd.Series:
    """Ids as text; by default paths as `_ids_of` shortens them."""
    if given is None:
        ids = _ids_of(paths, root)
        if len(twice := paths[ids.duplicated()]):
            raise InputError(f"{source}: path {twice.iloc[0]!r} is there twice; list each clip once")
        if (ids == ".").any():
            raise InputError(f"{source}: path {paths[ids == '.'].iloc[0]!r} is no clip; give a video or a folder of frames")
    else:
        ids = _filled(text(given, "clip_id", source), "clip_id", source)
        for name in cells_of(ids):  # reports make a folder for a clip
            if name.startswith(("/", "~")) or (".." in name and ".." in PurePosixPath(name).parts):
                raise InputError(f"{source}: clip_id {name!r} leads out of its folder; give the clip another id")
    twice = ids[ids.duplicated()]
    if len(twice):
        raise InputError(f"{source}: clip_id {twice.iloc[0]!r} is there twice; every clip needs its own")
    return ids


def _ids_of(paths: pd.Series, root: Path) -> pd.Series:
    """Paths seen from the list's folder, those outside it from the folder that they share; if two are alike then, all from there.

    Links are not followed: an id is made of what is written.
    """
    base = _place(root)
    places = pd.Series([_place(root / path) for path in paths], paths.index, str)
    outside = places.map(lambda place: place == base or os.path.commonpath([base, place]) != base)
    ids = pd.concat([_seen_from(places[~outside], base), _seen_from(places[outside], _shared(places[outside]))])
    return (ids if ids.is_unique else _seen_from(places, _shared(places))).loc[paths.index]


def _place(path: Path) -> str:
    place = os.path.normpath(Path.cwd() / path)
    return f"/{place.lstrip('/')}" if place.startswith("//") else place  # POSIX keeps two slashes


def _shared(places: pd.Series) -> str:
    return os.path.commonpath([Path(place).parent for place in places]) if len(places) else ""


def _seen_from(places: pd.Series, folder: str) -> pd.Series:
    return places.map(lambda place: Path(os.path.relpath(place, folder)).as_posix())


def _kinds(given: pd.Series | None, paths: pd.Series, root: Path, source: object) -> pd.Series:
    if given is None:
        return paths.map(lambda path: "frames" if _is_folder(root / path) else "video")
    kinds = _filled(text(given, "kind", source), "kind", source)
    _one_of(kinds, "kind", ("video", "frames"), source)
    return kinds


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name that is too long: reading it says so
        return False


def _one_of(column: pd.Series, name: str, known: Sequence[str], source: object) -> None:
    unknown = sorted(set(column.unique()) - set(known))
    if unknown:
        raise InputError(f"{source}: {name} {unknown[0]!r} is unknown; use {', '.join(known[:-1])} or {known[-1]}")


def _folds(given: pd.Series | None, index: pd.Index, source: object) -> pd.Series:
    if given is None:
        return _same(0, index)
    if not pd.api.types.is_integer_dtype(plain(given).dtype):
        raise InputError(f"{source}: folds must be whole numbers, they are {plain(given).dtype}; use 0 where there are none")
    return plain(given).astype(np.int64)


def _classes(table: dict[str, pd.Series], source: object, labels: Sequence[str] | None) -> tuple[pd.Series, pd.Series]:
    """Numbers and names of the classes; `label` may hold either."""
    if _without_labels(table):
        return _same(NO_LABEL, table["path"].index), _same("", table["path"].index)
    given = table.get("label")
    if given is not None:
        _all_or_none(plain(given), "label", source)
    named = table.get("label_name")
    if named is None and given is not None and not pd.api.types.is_numeric_dtype(plain(given).dtype):
        given, named = None, given
    if named is None:
        assert given is not None
        codes = _label_numbers(given, source)
        if labels is None:
            raise InputError(
                f"{source}: label holds numbers, and nothing says which class they stand for; write names into label, or state "
                f"the order with `ifdd data index {source} --labels happy,sad,… --out NEW.parquet`"
            )
        if codes.max() >= len(labels):
            raise InputError(f"{source}: label {codes.max()} has no name; the labels are {', '.join(labels)}, from 0")
        return codes, codes.map(dict(enumerate(labels)))
    names = _all_or_none(text(named, "label_name" if "label_name" in table else "label", source), "label_name", source)
    names = names.map({name: " ".join(name.split()) for name in names.unique()}).astype(str)
    if given is None:
        order = label_order(names, labels)
        return names.map({name: i for i, name in enumerate(order)}).astype(np.int64), names
    codes = _label_numbers(given, source)
    pairs = pd.DataFrame({"label": codes, "label_name": names}).drop_duplicates()
    for column, other in (("label", "label_name"), ("label_name", "label")):
        clash = pairs[pairs[column].duplicated(keep=False)]
        if len(clash):
            value = clash[column].iloc[0]
            others = " and ".join(str(item) for item in clash.loc[clash[column] == value, other].iloc[:2])
            raise InputError(f"{source}: {column} {value} goes with {other} {others}; one number stands for one class")
    return codes, names


def _without_labels(table: dict[str, pd.Series]) -> bool:
    """Whether there is neither a name nor a number of a class, or what `complete` says instead."""
    given, named = (table.get(name) for name in LABELS)
    if given is None or named is None:
        return given is None and named is None
    return bool(given.eq(NO_LABEL).all() and named.eq("").all())


def _all_or_none(column: pd.Series, name: str, source: object) -> pd.Series:
    empty = column.isna().to_numpy()
    if empty.any():
        raise InputError(
            f"{source}: {name} is empty in row {int(empty.argmax())} ({int(empty.sum())} of {len(column)}); all clips have a "
            "label or none: fill it in, leave those clips out, or the whole column (ifdd data index LIST --unlabelled does)"
        )
    return column


def has_labels(frame: pd.DataFrame) -> bool:
    """Whether the clips of a manifest that was read have labels: all have, or none.

    >>> has_labels(pd.DataFrame({"label": [3, 0]})), has_labels(pd.DataFrame({"label": [-1, -1]}))
    (True, False)
    """
    return bool((frame["label"] != NO_LABEL).all())


def need_labels(frame: pd.DataFrame, source: object, purpose: str) -> None:
    """Refuse clips without labels; `purpose` is what needs them, e.g. "training".

    Raises: InputError that names the list and the way out.
    """
    if not has_labels(frame):
        raise InputError(
            f"{source} has no labels, needed for {purpose}; add a column label, or index a folder with a sub-folder for each "
            "class (ifdd data index)"
        )


def _label_numbers(given: pd.Series, source: object) -> pd.Series:
    column = plain(given)
    values = column.to_numpy()
    if (
        values.dtype.kind not in "iuf"
        or not np.isfinite(values).all()
        or (values < 0).any()
        or (values != np.round(values)).any()
    ):
        raise InputError(f"{source}: labels must be whole numbers from 0, they are {column.dtype}")
    return column.astype(np.int64)


def label_order(names: pd.Series, labels: Sequence[str] | None = None) -> list[str]:
    """Classes in the order of their numbers where names alone are given: `labels`, the seven emotions, or the alphabet."""
    found = set(names.unique())
    for known in (labels or (), EMOTIONS):
        if found <= set(known):
            return list(known)
    return [*(labels or ()), *sorted(found - set(labels or ()))]


def _same(value: object, index: pd.Index) -> pd.Series:
    return pd.Series(value, index)

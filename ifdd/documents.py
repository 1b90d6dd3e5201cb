"""Text, JSON, YAML and arrays from strangers' files: read within bounds, or refused with one line.

A file may be damaged, hostile or of another program. What comes out of here holds plain values only (dict with text keys, list,
str, int, float, bool, None), of bounded size and depth, each number finite and of 64 bits; typed models check the rest.
"""

import json
import math
import reprlib
import stat
import struct
import traceback
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import Any, TypeVar

import numpy as np
import yaml
from pydantic import ConfigDict, GetCoreSchemaHandler, TypeAdapter, ValidationError

from ifdd.errors import InputError

MAX_DEPTH = 64
MAX_JSON = 16 * 2**20  # bytes; the largest of ours, a benchmark's, has a hundredth of it
MAX_YAML = 2**17  # bytes; a recipe has 2 kB, and the parser, in Python, reads 100 kB a second
MAX_NODES = 20_000
"""Of a YAML document when its aliases are written out; a recipe has 200."""
MAX_DIGITS = 64
MAX_ARRAY = 2**33  # bytes of one array of a .npz
T = TypeVar("T")
OPEN = ConfigDict(extra="allow", allow_inf_nan=False)
"""Of a TypedDict whose file may hold more than is read of it."""
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80


def shown(value: Any) -> str:
    """A value for a message: one line, however large it is."""
    return _SHORT.repr(value)


def one_line(error: BaseException) -> str:
    """What an error of a library says, as one short line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else f"{text[:200]}…"


def located(error: BaseException, under: Path) -> str:
    """An error of somebody's own code, as one line: its last line below `under`, a file or a folder, its kind, what it says."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [(frame.filename, frame.lineno) for frame in frames if Path(frame.filename).is_relative_to(under)]
    if isinstance(error, SyntaxError) and error.filename:  # no frame is in a file that cannot be read
        places, error = [(error.filename, error.lineno)], SyntaxError(error.msg)
    file, line = places[-1] if places else (under, None)
    return f"{file}{'' if line is None else f', line {line}'}: {type(error).__name__}: {one_line(error)}"


def user_path(text: str | Path) -> Path:
    """A path as a person types it: `~` is the home folder.

    Raises: InputError for a user that is not there, or a NUL character.
    """
    if "\0" in str(text):
        raise InputError(f"{shown(str(text))}: a path cannot hold a NUL character; type it again")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise InputError(f"{text}: there is no such user's home folder; write the path out") from None


def read_bytes(file: Path, limit: int) -> bytes:
    """The content of a regular file.

    Raises: FileNotFoundError or NotADirectoryError, so that the caller can say what makes the file; InputError for a folder, a
    pipe or a device, more than `limit` bytes, or where the system refuses.
    """
    if "\0" in str(file):
        raise InputError(f"{shown(str(file))}: a path cannot hold a NUL character; type it again")
    try:
        about = file.stat()
        if not stat.S_ISREG(about.st_mode):
            kind = "folder" if stat.S_ISDIR(about.st_mode) else "pipe or device"
            raise InputError(f"{file} is a {kind}, a file is needed; name the file itself")
        if about.st_size > limit:
            raise InputError(f"{file} has {about.st_size / 1e6:.1f} MB, more than {limit / 1e6:.1f}; it is none of ours")
        return file.read_bytes()
    except (FileNotFoundError, NotADirectoryError, InputError):
        raise
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror or error}); see its rights and the disk") from error


def read_text(file: Path, limit: int = MAX_JSON) -> str:
    """UTF-8 text, with or without a byte order mark.

    Raises: as `read_bytes`; InputError for bytes that are no UTF-8.
    """
    try:
        return read_bytes(file, limit).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is no UTF-8 text (byte {error.start}); save it as UTF-8") from None


def read_json(file: Path) -> Any:
    """Plain values of a JSON file.

    Raises: as `read_text`; InputError for what is no JSON, or as `parse_json`.
    """
    return parse_json(read_text(file), str(file))


def parse_json(text: str, source: str) -> Any:
    """Plain values of JSON text, which came from `source`.

    Raises: InputError for what is no JSON, a key that is there twice, or values that are not plain (see above).
    """
    try:
        values = json.loads(text, object_pairs_hook=_once, parse_int=_whole)
    except RecursionError:
        raise InputError(f"{source} is nested deeper than {MAX_DEPTH} levels; it is none of ours") from None
    except ValueError as error:
        raise InputError(f"{source} is not valid JSON: {one_line(error)}") from None
    return plain(values, source)


def parse_yaml(text: str, source: str) -> Any:
    """Plain values of one YAML document: text, numbers, true, false, null, lists and mappings; dates stay text.

    Raises: InputError for what is no YAML, other tags, a key that is there twice, aliases that multiply, or as `parse_json`.
    """
    if len(text) > MAX_YAML:
        raise InputError(f"{source} has {len(text)} characters, more than {MAX_YAML}; a recipe is a short file")
    try:
        return plain(yaml.load(text, _Loader), source)
    except RecursionError:
        raise InputError(f"{source} is nested deeper than {MAX_DEPTH} levels; it is none of ours") from None
    except yaml.YAMLError as error:
        raise InputError(f"{source}: not valid YAML: {one_line(error)}") from None


def plain(values: Any, source: str) -> Any:
    """`values`, once it is sure that they are plain, not too deep and finite.

    Raises: InputError.
    """
    level: list[Any] = [values]
    for _ in range(MAX_DEPTH):
        level = [inner for value in level for inner in _inside(value, source)]
        if not level:
            return values
    raise InputError(f"{source} is nested deeper than {MAX_DEPTH} levels; it is none of ours")


def _inside(value: Any, source: str) -> Iterator[Any]:
    """What a value contains; the value itself is checked."""
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise InputError(f"{source}: the key {shown(key)} is no text; put it in quotes")
            yield key
        yield from value.values()
    elif isinstance(value, list):
        yield from value
    elif isinstance(value, str):
        if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise InputError(f"{source}: {shown(value)} is no Unicode text (half a surrogate pair); write it anew")
    elif isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{source}: a number is {value}; numbers must be finite, null stands for one that is not known")
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise InputError(f"{source}: a whole number needs more than 64 bits; it is none of ours")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {shown(next(key for key in keys if keys.count(key) > 1))} is there twice")
    return values


def _whole(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a whole number has {len(digits)} digits")
    return int(digits)


class _Loader(yaml.SafeLoader):
    """YAML's core types, with bounds that hold before a value is made: an alias counts as often as it is used."""

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self._depth = self._made = 0
        self._sizes: dict[int, int] = {}
        """Nodes below each finished node, aliases written out."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose as usual, and count."""
        alias = self.check_event(yaml.AliasEvent)
        mark = self.peek_event().start_mark
        self._depth += 1
        self._made += 1
        if self._depth > MAX_DEPTH:
            raise yaml.composer.ComposerError(None, None, f"nested deeper than {MAX_DEPTH} levels", mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        if alias and id(node) not in self._sizes:
            raise yaml.composer.ComposerError(None, None, "an alias stands inside of what it names", mark)
        if not alias:
            parts = node.value if isinstance(node, yaml.CollectionNode) else []
            below = [part for pair in parts for part in pair] if isinstance(node, yaml.MappingNode) else parts
            self._sizes[id(node)] = 1 + sum(self._sizes[id(part)] for part in below)
        if max(self._sizes[id(node)], self._made) > MAX_NODES:
            raise yaml.composer.ComposerError(None, None, f"more than {MAX_NODES} values, aliases written out", mark)
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """Refuse a key that stands twice in the file itself; one that `<<` brings may be replaced."""
        pairs = node.value if isinstance(node, yaml.MappingNode) else []  # anything else is refused below
        names = [key.value for key, _ in pairs if isinstance(key, yaml.ScalarNode)]
        twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
        if twice is not None:
            raise yaml.constructor.ConstructorError(None, None, f"the key {shown(twice)} is there twice", node.start_mark)
        return super().construct_mapping(node, deep)


def _number(read: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """PyYAML's reader of a number; what it stumbles over (`!!int ''`, 10 000 digits) is refused."""

    def construct(loader: Any, node: Any) -> Any:
        try:
            if len(loader.construct_scalar(node)) <= MAX_DIGITS:
                return read(loader, node)
        except (ValueError, IndexError, KeyError, OverflowError):
            pass
        raise yaml.constructor.ConstructorError(None, None, f"{shown(node.value)} is no value of its type", node.start_mark)

    return construct


_PLAIN = {"null", "bool", "int", "float", "str", "seq", "map", "merge"}
_TAG = "tag:yaml.org,2002:"
_Loader.yaml_constructors = {
    tag: _number(read) if tag in (f"{_TAG}int", f"{_TAG}float", f"{_TAG}bool") else read
    for tag, read in yaml.SafeLoader.yaml_constructors.items()
    if tag is None or tag.removeprefix(_TAG) in _PLAIN
}
_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag.removeprefix(_TAG) in _PLAIN]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True)
class Shaped:
    """Validates a plain dict by the keys and types of a TypedDict: `Annotated[dict[str, Any], Shaped(Keys)]`."""

    shape: Any

    def __get_pydantic_core_schema__(self, _source: Any, handler: GetCoreSchemaHandler) -> Any:
        """The schema of the shape."""
        return handler.generate_schema(self.shape)


def checked(adapter: TypeAdapter[T], values: Any, source: str, renew: str) -> T:
    """`values`, which came from `source`, as the type of `adapter`.

    Raises: InputError for the first thing that does not fit; `renew` is the way out.
    """
    try:
        return adapter.validate_python(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        message = first["msg"].removeprefix("Value error, ")
        given = "" if first["type"] in ("missing", "value_error") else f" (given: {shown(first['input'])})"
        raise InputError(f"{source}: {where}: {one_line(ValueError(message))}{given}; {renew}") from None


def read_cached(file: Path) -> np.ndarray:
    """An array of a cache of ours, as `read_array`; Raises: InputError that says which folder to remove."""
    return read_array(file, f"remove the folder {file.parent}: the same command makes it anew")


def read_arrays(file: Path, *names: str, renew: str) -> list[np.ndarray]:
    """Arrays of numbers of a .npz file by name; nothing is unpickled.

    Raises: InputError for a file that is missing, damaged or lacks one of them; `renew` is the way out.
    """
    found = _arrays_in(file, names, renew)
    for name, values in found.items():
        if values.dtype.kind not in "biuf":
            raise InputError(f"{file}: {name} holds {values.dtype}, not numbers; {renew}")
    return list(found.values())


def read_any_arrays(file: Path, renew: str) -> dict[str, np.ndarray]:
    """All arrays of a .npz file, of numbers or of text, by name; nothing is unpickled.

    Raises: InputError as `read_arrays`, and for an array of objects.
    """
    found = _arrays_in(file, None, renew)
    for name, values in found.items():
        if values.dtype.kind not in "biufUS":
            raise InputError(
                f"{file}: {name} holds {values.dtype}, neither numbers nor text (numpy.array(…, dtype=str)); {renew}"
            )
    return found


def _arrays_in(file: Path, names: Sequence[str] | None, renew: str) -> dict[str, np.ndarray]:
    try:
        with zipfile.ZipFile(file) as parts:
            there = {part.filename.removesuffix(".npy"): part for part in parts.infolist() if part.filename.endswith(".npy")}
            found = {}
            for name in there if names is None else names:
                if name not in there:
                    raise InputError(f"{file}: holds no {name}; {renew}")
                if there[name].file_size > MAX_ARRAY:
                    raise InputError(f"{file}: {name} claims {there[name].file_size / 1e9:.1f} GB; {renew}")
                with parts.open(there[name]) as stream:
                    found[name] = np.lib.format.read_array(stream, allow_pickle=False)
        return found
    except InputError:
        raise
    except OF_A_ZIP as error:
        raise InputError(f"{file} cannot be read ({one_line(error)}); {renew}") from error


OF_AN_ARRAY = (ValueError, TypeError, OverflowError, SyntaxError, TokenError, RecursionError)
"""What NumPy raises of a damaged header, which is Python text."""
OF_A_ZIP = (OSError, MemoryError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error, struct.error, *OF_AN_ARRAY)
"""What reading an array out of a damaged .npz raises."""


def read_array(file: Path, renew: str) -> np.ndarray:
    """A .npy file, memory-mapped and read-only; nothing is unpickled.

    Raises: InputError for a file that is missing, cut or damaged; `renew` is the way out.
    """
    try:
        if not file.is_file():
            raise InputError(f"{file} is missing; {renew}")
        values = np.lib.format.open_memmap(file, mode="r")
        if values.dtype.kind not in "biuf":
            raise InputError(f"{file} holds {values.dtype}, not numbers; {renew}")
        return values
    except InputError:
        raise
    except (OSError, MemoryError, *OF_AN_ARRAY) as error:
        raise InputError(f"{file} cannot be read ({one_line(error)}); {renew}") from error

"""Typed values to plain ones, as JSON holds them, and back by the annotations of a dataclass' fields."""

import dataclasses
import math
import types
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from ifdd.documents import shown

T = TypeVar("T")


class Misfit(ValueError):
    """A value that is not of its field's type; the message names the field and says what it should be."""


def to_plain(value: Any) -> Any:
    """Lists, numbers, strings and dicts only; an undefined number (NaN) becomes None, as JSON has no NaN."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        if hasattr(value, "to_dict"):  # a result leaves out what is in no file
            return value.to_dict()
        return {item.name: to_plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {name: to_plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def to_fields(kind: type[T], values: Any, where: str = "") -> T:
    """A dataclass from a dict of its compared fields; `where` is the path to it. One with a default may be absent.

    None stands for NaN in a field of floats. Raises: Misfit for the first thing that does not fit.
    """
    if not isinstance(values, dict):
        raise Misfit(f"{where or 'all of it'} must hold the fields of {kind.__name__}, not {shown(values)}")
    known = {item.name: item for item in dataclasses.fields(kind) if item.compare}  # type: ignore[arg-type]
    if unknown := [name for name in values if name not in known]:
        raise Misfit(f"{_join(where, unknown[0])} is unknown; {kind.__name__} has {', '.join(known)}")
    needed = [n for n, item in known.items() if item.default is dataclasses.MISSING is item.default_factory]
    if missing := [name for name in needed if name not in values]:
        raise Misfit(f"{_join(where, missing[0])} is missing")
    hints = field_types(kind)  # type: ignore[arg-type]  # classes are hashable
    return kind(**{name: to_value(hints[name], value, _join(where, name)) for name, value in values.items()})


def to_value(kind: Any, value: Any, where: str) -> Any:
    """A value of the annotated type `kind` from its plain form. Raises: Misfit."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return to_value(parts[0], value, where)
    if kind in (Any, object):
        return value
    if origin in (Union, types.UnionType):
        return _one_of(parts, value, where)
    if origin is Literal:
        return _fitting(value, value in parts, where, f"one of {', '.join(map(repr, parts))}")
    if kind is np.ndarray or origin is np.ndarray:
        return _array(parts, value, where)
    if origin is tuple:
        return _tuple(parts, value, where)
    if origin is dict or origin is Mapping:
        _fitting(value, isinstance(value, dict), where, "a mapping")
        return {key: to_value(parts[1], item, _join(where, key)) for key, item in value.items()}
    if dataclasses.is_dataclass(kind):
        return to_fields(kind, value, where)  # type: ignore[arg-type]
    if kind is float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return math.nan if value is None else float(_fitting(value, number, where, "a number"))
    if kind in (int, bool, str):
        return _fitting(value, type(value) is kind, where, {int: "a whole number", bool: "true or false", str: "text"}[kind])
    raise TypeError(f"{where}: fields of type {kind} have no plain form")


def _one_of(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    """A value of the first type that it fits; None is itself where the field may be None."""
    if value is None and type(None) in kinds:
        return None
    told = ""
    for kind in kinds:
        if kind is not type(None):
            try:
                return to_value(kind, value, where)
            except Misfit as error:
                told = told or str(error)
    raise Misfit(told)


def _tuple(kinds: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    _fitting(value, isinstance(value, list), where, "a list")
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        kinds = kinds[:1] * len(value)
    _fitting(value, len(value) == len(kinds), where, f"a list of {len(kinds)}")
    return tuple(to_value(kind, item, f"{where}[{i}]") for i, (kind, item) in enumerate(zip(kinds, value, strict=True)))


_NATURAL: tuple[tuple[set[type], Any], ...] = (
    (set(), np.float64),
    ({bool}, np.bool_),
    ({int}, np.int64),
    ({int, float, type(None)}, np.float64),
    ({str}, np.str_),
)
"""Types of values, and that of their array; the first that holds them all."""


def _array(parts: tuple[Any, ...], value: Any, where: str) -> np.ndarray:
    """An array of the type that the annotation names (`NDArray[np.float32]`), else of the one that its values have."""
    _fitting(value, isinstance(value, list), where, "a list")
    found = {type(leaf) for leaf in _leaves(value)}
    natural = next((np.dtype(kind) for held, kind in _NATURAL if found <= held), None)
    declared = [np.dtype(kind) for kind in get_args(parts[1]) if kind is not Any] if parts else []
    wanted = declared[0] if declared else natural
    if wanted is None or natural is None or (found and not _can_hold(wanted, natural)):
        raise Misfit(f"{where} must hold values {f'of type {wanted}' if declared else 'of one kind'}, not {shown(value)}")
    try:
        return np.array(value, wanted)
    except (ValueError, OverflowError):
        raise Misfit(f"{where} must have rows of one length, and numbers of {8 * wanted.itemsize} bits") from None


def _can_hold(wanted: np.dtype[Any], natural: np.dtype[Any]) -> bool:
    """Whether values are of the kind of an array; whole numbers that an unsigned one cannot hold overflow when it is made."""
    return bool(np.can_cast(natural, wanted, "same_kind")) or (natural.kind, wanted.kind) == ("i", "u")


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _fitting(value: Any, fits: bool, where: str, what: str) -> Any:
    if not fits:
        raise Misfit(f"{where} must be {what}, not {shown(value)}")
    return value


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else str(name)


@cache
def field_types(kind: Any) -> dict[str, Any]:
    """Types of a dataclass' compared fields; what others are of need not be importable."""
    compared = {item.name: item.type for item in dataclasses.fields(kind) if item.compare}
    named = {"__annotations__": compared, "__module__": kind.__module__}
    return get_type_hints(type(kind.__name__, (), named), include_extras=True)

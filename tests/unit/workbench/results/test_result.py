"""Results: read-only arrays, equality by value, and a plain form that comes back as it was, whatever the result."""

import dataclasses
import importlib
import json
import math
import pkgutil
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Union, get_args, get_origin

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

import ifdd
import workbench
from ifdd.errors import InputError
from workbench.results.forms import field_types
from workbench.results.interval import Interval
from workbench.results.provenance import Provenance, record
from workbench.results.result import Result


def _subclasses(kind: type) -> Iterator[type]:
    for one in kind.__subclasses__():
        yield one
        yield from _subclasses(one)


def load_all(package: types.ModuleType) -> list[types.ModuleType]:
    """Every module of a package."""
    return [importlib.import_module(found.name) for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]


def every_result() -> list[type[Result]]:
    """All results of the workbench."""
    load_all(workbench)
    found = {one for one in _subclasses(Result) if one.__module__.startswith("workbench.")}
    return sorted(found, key=lambda one: (one.__module__, one.__name__))


ALL = every_result()
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=5)
FLOATS = st.floats(allow_nan=True, allow_infinity=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=3,
)
SHAPES = arrays.array_shapes(min_dims=1, max_dims=3, max_side=3) | st.just((0,)) | st.just((2, 0))


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Values of an annotated type."""
    origin, parts = get_origin(kind), get_args(kind)
    simple = {float: FLOATS, int: st.integers(-(2**63), 2**63 - 1), bool: st.booleans(), str: WORDS, Any: JSON, object: JSON}
    if kind in simple:
        return simple[kind]
    if origin in (Union, types.UnionType):
        # a field of numbers that may be None says with None what others say with NaN
        return st.one_of(*(st.floats(allow_nan=False) if part is float else values_of(part) for part in parts))
    if kind is type(None):
        return st.none()
    if origin is Literal:
        return st.sampled_from(parts)
    if kind is np.ndarray or origin is np.ndarray:
        declared = [np.dtype(one) for one in get_args(parts[1])] if parts else []
        kinds = st.sampled_from(declared or [np.dtype(one) for one in (np.float64, np.int64, np.bool_)])
        return kinds.flatmap(lambda dtype: arrays.arrays(dtype, SHAPES))
    if origin is tuple:
        repeated = len(parts) == 2 and parts[1] is Ellipsis
        return st.lists(values_of(parts[0]), max_size=2).map(tuple) if repeated else st.tuples(*map(values_of, parts))
    if origin in (dict, Mapping):
        return st.dictionaries(WORDS, values_of(parts[1]), max_size=2)
    assert dataclasses.is_dataclass(kind), kind
    return st.builds(kind, **{name: values_of(annotated) for name, annotated in field_types(kind).items()})


def test_every_result_is_found() -> None:
    assert len(ALL) > 50
    assert Interval in ALL


def test_no_dataclass_of_arrays_is_compared_field_by_field() -> None:
    """`==` of arrays is an array: such a class is a Result, which compares by value, or compares by identity (eq=False)."""
    kinds = {kind for module in load_all(ifdd) + load_all(workbench) for kind in vars(module).values() if isinstance(kind, type)}
    wrong = []
    for kind in filter(dataclasses.is_dataclass, kinds):
        held = [str(item.type) for item in dataclasses.fields(kind) if "Callable" not in str(item.type)]
        arrays_in = any(word in text for text in held for word in ("ndarray", "NDArray", "Tensor", "DataFrame"))
        if arrays_in and kind.__module__.startswith(("ifdd", "workbench")) and kind.__dataclass_params__.eq:  # type: ignore[attr-defined]
            wrong.append(f"{kind.__module__}.{kind.__name__}")
    assert not wrong


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_what_is_not_in_the_file_has_a_default(kind: type[Result]) -> None:
    for item in dataclasses.fields(kind):  # type: ignore[arg-type]
        missing = item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
        assert item.compare or not missing, item.name


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_from_dict_inverts_to_dict(kind: type[Result], data: st.DataObject) -> None:
    result = data.draw(values_of(kind))
    again = kind.from_dict(json.loads(json.dumps(result.to_dict())))
    assert again == result
    assert again.to_dict() == result.to_dict() or "NaN" in json.dumps(result.to_dict())
    for item in dataclasses.fields(result):
        before, after = getattr(result, item.name), getattr(again, item.name)
        if item.compare and isinstance(before, np.ndarray):
            assert after.shape == before.shape
            assert after.dtype == before.dtype or not before.size
            assert not after.flags.writeable


@dataclass(frozen=True, eq=False)
class Sample(Result):
    values: NDArray[np.float32]
    rows: NDArray[np.int64]
    free: np.ndarray
    names: tuple[str, ...] = ()
    pair: tuple[float, float] = (math.nan, math.nan)
    kind: Literal["a", "b"] = "a"
    inner: Interval | None = None
    by_name: Mapping[str, Interval] = field(default_factory=dict)
    kept: list[int] = field(default_factory=list, compare=False)


SAMPLE = Sample(np.float32([[0.1, np.nan]]), np.arange(2), np.array([True]), inner=Interval(0.5, 0.4, math.nan))


@dataclass(frozen=True, eq=False)
class Pixels(Result):
    values: NDArray[np.uint8]


def test_pixels_come_back_and_what_is_none_does_not() -> None:
    found = Pixels(np.array([[0, 255]], np.uint8))
    again = Pixels.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again == found
    assert again.values.dtype == np.uint8
    for bad in ([256], [-1]):
        with pytest.raises(InputError, match="values must have rows of one length, and numbers of 8 bits"):
            Pixels.from_dict({"values": bad})
    with pytest.raises(InputError, match="values must hold values of type uint8"):
        Pixels.from_dict({"values": [0.5]})


def test_types_and_shapes_of_arrays_come_back() -> None:
    again = Sample.from_dict(json.loads(json.dumps(SAMPLE.to_dict())))
    assert again == SAMPLE
    assert (again.values.dtype, again.rows.dtype, again.free.dtype) == (np.float32, np.int64, np.bool_)
    empty = Sample.from_dict({"values": [], "rows": [], "free": []})
    assert (empty.values.dtype, empty.rows.dtype, empty.free.dtype) == (np.float32, np.int64, np.float64)
    words = Sample.from_dict({"values": [1], "rows": [1], "free": ["x", "yz"]})
    assert words.values.dtype == np.float32
    assert words.free.tolist() == ["x", "yz"]


def test_nan_is_itself_at_any_depth() -> None:
    nan = float("nan")
    first, again = (
        Sample(np.float32([1]), np.arange(1), np.array([nan]), pair=(nan, float("nan")), by_name={"a": x})
        for x in (Interval(nan, 0, 1), Interval(float("nan"), 0, 1))
    )
    assert first == again
    assert first != dataclasses.replace(first, pair=(0.0, nan))
    assert first.to_dict()["pair"] == [None, None]
    assert record("x", {"pair": (1, nan)}, {}).parameters == {"pair": [1, None]}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"more": 1}, "more is unknown; Sample has values, rows, free, names, pair, kind, inner, by_name"),
        ({"kept": [1]}, "kept is unknown"),
        ({"rows": [0.5]}, "rows must hold values of type int64, not [0.5]"),
        ({"rows": [None]}, "rows must hold values of type int64"),
        ({"rows": [2**70]}, "rows must have rows of one length, and numbers of 64 bits"),
        ({"rows": 3}, "rows must be a list, not 3"),
        ({"free": [[1], [1, 2]]}, "free must have rows of one length"),
        ({"free": [1, "a"]}, "free must hold values of one kind"),
        ({"free": [{}]}, "free must hold values of one kind"),
        ({"names": ["a", 1]}, "names[1] must be text, not 1"),
        ({"names": "ab"}, "names must be a list, not 'ab'"),
        ({"pair": [1.0]}, "pair must be a list of 2, not [1.0]"),
        ({"pair": [True, 1.0]}, "pair[0] must be a number, not True"),
        ({"kind": "c"}, "kind must be one of 'a', 'b', not 'c'"),
        ({"inner": 1}, "inner must hold the fields of Interval, not 1"),
        ({"inner": {"value": 1.0, "low": "x", "high": 1.0}}, "inner.low must be a number, not 'x'"),
        ({"by_name": {"one": {"value": 1.0, "low": 1.0}}}, "by_name.one.high is missing"),
        ({"by_name": []}, "by_name must be a mapping, not []"),
    ],
)
def test_what_does_not_fit_is_one_line_that_names_the_file(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        Sample.from_dict(SAMPLE.to_dict() | changed, "runs/a.json", "run it again")
    text = str(error.value)
    assert text.startswith(f"runs/a.json: {message}")
    assert text.endswith("; run it again")
    assert "\n" not in text


@pytest.mark.parametrize("values", [None, [], 1, "a"])
def test_no_mapping_at_all_is_refused(values: Any) -> None:
    with pytest.raises(InputError, match="Interval: all of it must hold the fields of Interval"):
        Interval.from_dict(values)
    with pytest.raises(InputError, match="Interval: value is missing; make it anew"):
        Interval.from_dict({})


def test_a_provenance_comes_back() -> None:
    @dataclass(frozen=True, eq=False)
    class Made(Result):
        provenance: Provenance | None

    made = Made(record("x", {"a": (1, 2.5), "b": None}, {"in": np.arange(3)}).with_source(name="y"))
    assert Made.from_dict(json.loads(json.dumps(made.to_dict()))) == made
    assert Made.from_dict({"provenance": None}).provenance is None

"""What every result of an analysis shares: read-only arrays, equality by value, a plain form and the way back."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from ifdd.documents import one_line
from ifdd.errors import InputError
from workbench.results.forms import Misfit, to_fields, to_plain


class Result:
    """Base of the frozen result dataclasses.

    Arrays are read-only, because an app hands one cached result to many viewers. Declare subclasses with
    `@dataclass(frozen=True, eq=False)`; a field with `compare=False` takes no part in `==` nor in `to_dict`, and has a default.
    """

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, item.name)
            if isinstance(value, np.ndarray):
                view = value.view()
                view.flags.writeable = False
                object.__setattr__(self, item.name, view)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(_same(value, getattr(other, name)) for name, value in self._compared().items())

    __hash__ = None  # type: ignore[assignment]

    def to_dict(self) -> dict[str, Any]:
        """Return lists, numbers, strings and dicts only; an undefined number (NaN) becomes None, as JSON has no NaN."""
        return {name: to_plain(value) for name, value in self._compared().items()}

    @classmethod
    def from_dict(cls, values: Any, source: str = "", again: str = "make it anew") -> Self:
        """Invert `to_dict`, by the types of the fields; a field that has a default may be absent.

        An array is of the type that its annotation names, else of whole numbers, of floats, of truth values or of texts as its
        values are. `source` is where they come from, for the message, and `again` the way out.

        Raises:
            InputError: a field that is unknown, missing, or of another type.
        """
        try:
            return to_fields(cls, values)
        except Misfit as error:
            raise InputError(f"{source or cls.__name__}: {one_line(error)}; {again}") from None

    def _compared(self) -> dict[str, Any]:
        return {item.name: getattr(self, item.name) for item in dataclasses.fields(self) if item.compare}  # type: ignore[arg-type]


def _same(a: Any, b: Any) -> bool:
    """Equality by value, in which NaN is itself."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return np.array_equal(a, b, equal_nan=a.dtype.kind == "f" and b.dtype.kind == "f")
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    return bool(a == b) or (isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b))

"""What a result was made from: carried by every result, written into every saved figure."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from workbench.results.forms import to_plain

DISTRIBUTION = "ifdd-workbench"


@dataclass(frozen=True)
class Provenance:
    """Origin of a result: which analysis, with what, on which numbers, by which code.

    `parameters` hold plain JSON values. `inputs` maps an argument's name to the digest of its numbers.
    `source` is what only the caller knows, e.g. the sha256 of the checkpoint and of the collection.
    """

    analysis: str
    parameters: Mapping[str, object]
    inputs: Mapping[str, str]
    versions: Mapping[str, str]
    source: Mapping[str, str] = field(default_factory=dict)

    def with_source(self, **source: str) -> "Provenance":
        """Return the same provenance with facts added that only the caller knows."""
        return replace(self, source={**self.source, **source})

    def to_dict(self) -> dict[str, object]:
        """Return plain dicts, ready for JSON."""
        return {name: dict(value) if isinstance(value, Mapping) else value for name, value in vars(self).items()}

    def to_json(self) -> str:
        """Return one line of JSON with sorted keys."""
        return json.dumps(self.to_dict(), sort_keys=True)


def digest(array: np.ndarray) -> str:
    """Return the first 16 hex digits of the sha256 over an array's dtype, shape and values."""
    array = np.ascontiguousarray(array)
    return hashlib.sha256(f"{array.dtype.str}{array.shape}".encode() + array.tobytes()).hexdigest()[:16]


def record(
    analysis: str, parameters: Mapping[str, object], inputs: Mapping[str, np.ndarray], libraries: Iterable[str] = ()
) -> Provenance:
    """Describe how a result came about; `libraries` names the distributions that did the numerical work."""
    return Provenance(
        analysis=analysis,
        parameters=to_plain(parameters),
        inputs={name: digest(array) for name, array in inputs.items()},
        versions=versions_of((DISTRIBUTION, "numpy", *libraries)),
    )


def versions_of(distributions: Iterable[str]) -> dict[str, str]:
    """Version of each distribution by name."""
    return {name: _version(name) for name in distributions}


@cache
def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"  # this package, run from a source tree

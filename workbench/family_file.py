"""The file of `workbench benchmark`, read back: tables and curves without running a model."""

from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

from ifdd.documents import checked, read_json
from ifdd.errors import InputError
from workbench.analysis.seeds import SeedScore
from workbench.family import FamilyResult, FamilyRow
from workbench.provenance import Provenance
from workbench.robustness import RobustnessResult, SuiteResult

RENEW = "write it anew with workbench benchmark"


class _Suite(TypedDict):
    suite: str
    clips: int
    hash: str
    position: float
    scores: dict[str, SeedScore]


class _Robustness(TypedDict):
    members: dict[str, tuple[str, ...]]
    suites: tuple[_Suite, ...]
    provenance: Provenance


class _Family(TypedDict):
    rows: tuple[FamilyRow, ...]
    robustness: _Robustness
    scored: str


_FAMILY: TypeAdapter[Any] = TypeAdapter(_Family)


def read_benchmark(file: str | Path) -> FamilyResult:
    """The result that a benchmark.json holds; its predictions and activations are not in it.

    Raises: InputError for a file that is not there, not whole, or whose rows and suites are not of the same variants.
    """
    file = Path(file)
    try:
        values = read_json(file)
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{file} is not there; workbench benchmark writes it into its --out") from None
    found = checked(_FAMILY, _undefined(values), f"{file} is no file of workbench benchmark", RENEW)
    about = found["robustness"]
    suites = tuple(SuiteResult(**suite, readings={}) for suite in about["suites"])
    result = FamilyResult(found["rows"], RobustnessResult(about["members"], suites, about["provenance"]), found["scored"])
    _check_whole(result, file)
    return result


def _check_whole(result: FamilyResult, file: Path) -> None:
    """Every variant has its row and, on every suite, its score, a figure for each of its checkpoints."""
    members = result.robustness.members
    if not result.rows or not result.robustness.suites:
        raise InputError(f"{file} is no file of workbench benchmark: it has no rows or no suites; {RENEW}")
    names = {"its rows": [row.variant for row in result.rows]}
    names |= {f"suite {suite.suite}": list(suite.scores) for suite in result.robustness.suites}
    for where, found in names.items():
        if sorted(found) != sorted(members):
            raise InputError(f"{file} is no file of workbench benchmark: {where} and its members are not the same; {RENEW}")
    if result.scored not in {suite.suite for suite in result.robustness.suites}:
        raise InputError(f"{file} is no file of workbench benchmark: the suite {result.scored!r} is not in it; {RENEW}")
    for name, checkpoints in members.items():
        each = [suite.scores[name].each for suite in result.robustness.suites]
        if not checkpoints or any(len(figures) != len(checkpoints) for figures in each):
            raise InputError(f"{file} is no file of workbench benchmark: {name} lacks figures of some seeds; {RENEW}")


def _undefined(values: Any) -> Any:
    """JSON has no NaN: null stands for it."""
    if isinstance(values, dict):
        return {key: _undefined(value) for key, value in values.items()}
    if isinstance(values, list):
        return [_undefined(value) for value in values]
    return float("nan") if values is None else values

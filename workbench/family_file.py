"""The file of `workbench benchmark`, read back: tables and curves without running a model."""

import json
from pathlib import Path
from typing import Any

from ifdd.errors import InputError
from workbench.analysis.metrics import Interval
from workbench.analysis.seeds import SeedScore
from workbench.family import FamilyResult, FamilyRow, Figure
from workbench.provenance import Provenance
from workbench.robustness import RobustnessResult, SuiteResult


def read_benchmark(file: str | Path) -> FamilyResult:
    """The result that a benchmark.json holds; its predictions and activations are not in it.

    Raises: InputError for a file that is not there or not whole.
    """
    file = Path(file)
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        return FamilyResult(tuple(_row(row) for row in values["rows"]), _robustness(values["robustness"]), values["scored"])
    except FileNotFoundError:
        raise InputError(f"{file} is not there; workbench benchmark writes it into its --out") from None
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror or error}); name the file benchmark.json itself") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{file} is no file of workbench benchmark ({type(error).__name__}: {error}); write it anew") from None


def _row(values: dict[str, Any]) -> FamilyRow:
    figures = {name: _figure(values[name]) for name in ("minutes", "validation")}
    measures = {name: _figure(figure) for name, figure in values["measures"].items()}
    return FamilyRow(**{**values, **figures, "checkpoints": tuple(values["checkpoints"]), "measures": measures})


def _figure(values: dict[str, Any]) -> Figure:
    return Figure(tuple(_number(value) for value in values["each"]))


def _robustness(values: dict[str, Any]) -> RobustnessResult:
    suites = tuple(
        SuiteResult(**{**suite, "scores": {name: _score(score) for name, score in suite["scores"].items()}, "readings": {}})
        for suite in values["suites"]
    )
    members = {name: tuple(own) for name, own in values["members"].items()}
    return RobustnessResult(members, suites, Provenance(**values["provenance"]))


def _score(values: dict[str, Any]) -> SeedScore:
    war, uar = (Interval(**{key: _number(value) for key, value in values[name].items()}) for name in ("war", "uar"))
    return SeedScore(values["n"], war, uar, tuple(_number(value) for value in values["each"]))


def _number(value: float | None) -> float:
    """JSON has no NaN: null stands for it."""
    return float("nan") if value is None else float(value)

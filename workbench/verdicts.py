"""Verdicts of `workbench faithfulness` on a checkpoint's maps, read back: shown wherever the maps are."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ifdd.checkpoints import Bundle
from ifdd.errors import InputError
from workbench.analysis.faithfulness import Verdict
from workbench.analysis.saliency import SaliencyResult

FILE = "faithfulness.json"
"""In a report's folder, or copied beside a checkpoint's card."""


def read_verdicts(path: str | Path, bundle: Bundle) -> dict[tuple[str, str], Verdict]:
    """Verdicts of an earlier report on this checkpoint, by method and activation; `path` is the file or its folder.

    Raises: InputError for a missing or damaged file, or the report of another checkpoint.
    """
    file = Path(path) / FILE if Path(path).is_dir() else Path(path)
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        sha256, rows = found["sha256"], [Verdict(**_tuples(row)) for row in found["verdicts"]]
    except OSError as error:
        raise InputError(f"{file}: {error.strerror or error}; make it with workbench faithfulness") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{file} is no report of workbench faithfulness ({error}); make it again") from error
    if sha256 != bundle.card.sha256:
        raise InputError(f"{file} is of other weights ({found.get('checkpoint')}); test {bundle.name} itself")
    return {(row.method, row.activation): row for row in rows}


def known_verdicts(bundle: Bundle, given: str | Path | None = None) -> dict[tuple[str, str], Verdict]:
    """Verdicts of the report `given`; else of the one beside the checkpoint's card; none where there is neither.

    Raises: InputError as `read_verdicts`.
    """
    if given is None and not (bundle.path / FILE).is_file():
        return {}
    return read_verdicts(bundle.path if given is None else given, bundle)


def verdicts_on(
    found: Mapping[tuple[str, str], Verdict], maps: Mapping[str, SaliencyResult], method: str | None = None
) -> dict[str, Verdict]:
    """Verdicts on maps by branch or activation; `method` as the tests name it, by default the maps' own.

    Maps with channel weights by step were not tested, those over all positions were.
    """
    keys = {key: (method or result.method, result.activation) for key, result in maps.items() if result.weights != "per-step"}
    return {key: found[name] for key, name in keys.items() if name in found}


def _tuples(row: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}

"""From run folders to their curves, and the files that `workbench training` writes.

<out>/  training.json   training.md   curves.csv   curves.png (once an epoch has ended)
"""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ifdd.errors import InputError
from ifdd.io import new_folder, write_text
from ifdd.tables import csv_text
from workbench.analysis.training.displays import CurvesDisplay, training_markdown
from workbench.analysis.training.recipes import recipe_differences
from workbench.analysis.training.results import RunLog, TrainingResult
from workbench.analysis.training.runs import find_runs, read_run
from workbench.results.passport import PYTHON_CALL, Context
from workbench.results.provenance import record


def run(places: Sequence[str | Path]) -> TrainingResult:
    """Runs that are, or lie below, the folders `places`, finished or not.

    Raises: InputError where there is none, or as `read_run`.
    """
    found = find_runs(map(Path, places))
    if not found:
        told = ", ".join(map(str, places)) or "no folder given"
        raise InputError(f"{told}: no run of ifdd train is there; name the folder that ifdd train --out made, or one above it")
    return gathered([read_run(folder) for folder in found])


def gathered(logs: Sequence[RunLog]) -> TrainingResult:
    """Runs by name; where several have one, by their folders, too. Raises: InputError for none."""
    names = [log.name for log in logs]
    runs = {log.name if names.count(log.name) == 1 else f"{log.name} ({_tail(log, logs)})": log for log in logs}
    inputs = {f"{name}, {measure}": values for name, log in runs.items() for measure, values in log.measures.items()}
    return TrainingResult(
        runs, recipe_differences({name: log.recipe for name, log in runs.items()}), record("training", {"runs": [*runs]}, inputs)
    )


def _tail(log: RunLog, logs: Sequence[RunLog]) -> str:
    """The shortest end of a run's path that no other run has."""
    others = [Path(other.folder).resolve().parts for other in logs if other is not log]
    own = Path(log.folder).resolve().parts
    length = next(n for n in range(1, len(own) + 1) if all(other[-n:] != own[-n:] for other in others))
    return "/".join(own[-length:])


def curves(result: TrainingResult) -> pd.DataFrame:
    """A row for each run and epoch, with all that was measured."""
    frames = [
        pd.DataFrame({"run": name, "epoch": log.epochs, **log.measures, "kept": log.epochs == log.best})
        for name, log in result.runs.items()
    ]
    return pd.concat(frames, ignore_index=True)


def write(result: TrainingResult, out: Path, context: Context = PYTHON_CALL) -> list[Path]:
    """Write the new folder `out`, all of it or nothing; returns its files.

    Raises: InputError if `out` exists.
    """
    with new_folder(out) as folder:
        write_text(folder / "training.json", json.dumps(result.to_dict(), indent=1, ensure_ascii=False) + "\n")
        write_text(folder / "training.md", training_markdown(result))
        write_text(folder / "curves.csv", csv_text(curves(result)))
        if any(len(log.epochs) for log in result.runs.values()):
            CurvesDisplay.from_result(result).save(folder / "curves.png", context=context)
    return sorted(out.iterdir())

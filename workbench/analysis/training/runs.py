"""What run folders tell of a training, while it goes on and when it has ended."""

import math
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ifdd.documents import parse_yaml, read_json, read_text
from ifdd.errors import InputError
from ifdd.io import is_being_written
from workbench.analysis.training.results import SCORES, RunLog
from workbench.results.interval import Interval

CONFIG, METRICS, LOG, SPEED, CHECKPOINT = "config.yaml", "metrics.json", "log/metrics.csv", "log/speed.csv", "checkpoint"
"""Of a run folder (docs/training.md). `ifdd.training` has the same names, and brings torch with it."""
DEPTH, MOST = 4, 500
"""So deep is looked for runs below a folder (folds and seeds of a sweep lie in folders of their own), and for so many."""
AGAIN = "remove it, and go on with ifdd train … --resume"


def find_runs(places: Iterable[Path]) -> list[Path]:
    """Run folders that are, or lie below, one of these; the one that was written last comes first, each once."""
    found: dict[Path, Path] = {}
    for place in places:
        for run in _below(place, DEPTH):
            found.setdefault(run.resolve(), run)
            if len(found) >= MOST:
                break
    return sorted(found.values(), key=_written, reverse=True)


def _below(place: Path, depth: int) -> Iterator[Path]:
    if is_run(place):
        yield place
        return
    if depth == 0:
        return
    try:
        inside = sorted(entry.path for entry in os.scandir(place) if entry.is_dir() and not entry.name.startswith("."))
    except OSError:  # no folder, or nobody may look into it
        return
    for folder in inside:
        yield from _below(Path(folder), depth - 1)


def is_run(place: Path) -> bool:
    """Whether a folder is that of a run."""
    return (place / CONFIG).is_file() and ((place / "env.json").is_file() or (place / "log").is_dir())


def _written(run: Path) -> float:
    return max(file.stat().st_mtime for file in (run / LOG, run / CONFIG) if file.exists())


def stamp(run: Path) -> tuple[float, bool, bool]:
    """Changes whenever `read_run` may say something else."""
    return _written(run), (run / METRICS).exists(), is_being_written(run)


def read_run(run: str | Path) -> RunLog:
    """Read the log, the recipe and the scores of a run; one that goes on has epochs up to now.

    Raises: InputError for a folder that is none, or files that are damaged.
    """
    folder = Path(run)
    if not is_run(folder):
        raise InputError(f"{folder} is no run (there is no {CONFIG}); name the folder that ifdd train wrote")
    recipe = parse_yaml(read_text(folder / CONFIG), str(folder / CONFIG))
    try:
        planned, name, averaged, keep = (
            int(recipe["optim"]["epochs"]),
            str(recipe["name"]),
            recipe.get("ema") is not None,
            recipe.get("keep", "best"),
        )
    except (TypeError, KeyError, ValueError) as error:
        raise InputError(f"{folder / CONFIG} is no recipe ({error} is missing); {AGAIN}") from None
    table = _table(folder / LOG, "epoch")
    chosen_by = "" if keep == "last" else "val_ema_UAR" if averaged else "val_UAR"
    speed = _table(folder / SPEED, "clips_per_second")
    ended = read_json(folder / METRICS) if (folder / METRICS).is_file() else None
    return RunLog(
        name=name,
        folder=str(folder),
        state="finished" if ended is not None else "running" if is_being_written(folder) else "interrupted",
        planned=planned,
        epochs=table["epoch"].to_numpy(np.int64) + 1,
        measures={str(name): table[name].to_numpy(np.float64) for name in table if name not in ("epoch", "step")},
        chosen_by=chosen_by,
        best=_best(table, chosen_by, ended),
        scores=_scores(ended, folder / METRICS),
        clips_per_second=speed["clips_per_second"].to_numpy(np.float64),
        waiting=speed["waiting"].to_numpy(np.float64),
        minutes=float(ended["training"]["minutes"]) if ended else speed["seconds"].sum() / 60,
        recipe=flat(recipe),
    )


def _table(file: Path, needed: str) -> pd.DataFrame:
    """A log; without rows before the first epoch has ended."""
    if not file.is_file():
        return pd.DataFrame(columns=["epoch", "clips_per_second", "waiting", "seconds"], dtype=float)
    try:
        table = pd.read_csv(file)
        _ = table[needed].astype(float)
        return table.astype(float)
    except (ValueError, KeyError, OSError) as error:
        raise InputError(f"{file} cannot be read as a log of epochs ({str(error).splitlines()[0]}); {AGAIN}") from None


def _best(table: pd.DataFrame, chosen_by: str, ended: Mapping[str, Any] | None) -> int | None:
    if ended is not None and "epoch" in ended.get("training", {}):
        return int(ended["training"]["epoch"])
    if table.empty:
        return None
    if not chosen_by or chosen_by not in table:
        return int(table["epoch"].iloc[-1]) + 1
    return int(table["epoch"].iloc[int(table[chosen_by].to_numpy().argmax())]) + 1


def _scores(ended: Mapping[str, Any] | None, file: Path) -> dict[str, Interval]:
    if ended is None:
        return {}
    found = {}
    for name in SCORES:
        part, measure = name.split()
        try:
            bounds = ended[part].get("intervals", {}).get(measure, (math.nan, math.nan))
            found[name] = Interval(float(ended[part][measure]), *map(float, bounds))
        except (KeyError, TypeError, ValueError, AttributeError):
            raise InputError(f"{file} tells no {name}; make it anew with ifdd train … --resume") from None
    return found


def flat(recipe: Any, above: str = "") -> dict[str, str]:
    """Every value of a recipe as text, by its key with dots.

    >>> flat({"seed": 0, "optim": {"lr": 0.001, "betas": [0.9, 0.999]}})
    {'seed': '0', 'optim.lr': '0.001', 'optim.betas': '0.9, 0.999'}
    """
    if not isinstance(recipe, Mapping):
        return {above: _text(recipe)}
    return {key: text for name, value in recipe.items() for key, text in flat(value, f"{above}.{name}".lstrip(".")).items()}


def _text(value: Any) -> str:
    if value is None:
        return "none"
    return ", ".join(map(_text, value)) if isinstance(value, (list, tuple)) else str(value)

"""What a look at trainings returns."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workbench.results.interval import Interval
from workbench.results.provenance import Provenance
from workbench.results.result import Result

State = Literal["finished", "running", "interrupted"]
SCORES = ("val UAR", "val WAR", "test UAR", "test WAR")


@dataclass(frozen=True, eq=False)
class RunLog(Result):
    """One run of `ifdd train`: what it measured after each epoch, from 1, and what its checkpoint reaches.

    `measures`: by the names of log/metrics.csv, each of the epochs. `best` is the epoch that is kept: chosen by `chosen_by`, or
    the last one where nothing chooses ("" then); None before the first. `scores`, of a run that has ended, by `SCORES`. `recipe`:
    every key as text. `waiting`: share of the time in which the model waited for clips; both speeds are of the epochs that are
    measured.
    """

    name: str
    folder: str
    state: State
    planned: int
    epochs: NDArray[np.int64]
    measures: dict[str, NDArray[np.float64]]
    chosen_by: str
    best: int | None
    scores: dict[str, Interval]
    clips_per_second: NDArray[np.float64]
    waiting: NDArray[np.float64]
    minutes: float
    recipe: dict[str, str]

    @property
    def done(self) -> str:
        """How far it has come, in words."""
        return f"{len(self.epochs)} of {self.planned} epochs"


@dataclass(frozen=True, eq=False)
class RecipeDifferences(Result):
    """Recipes side by side: `values` by key, one text for each of `names`; "–" where a recipe does not have the key."""

    names: tuple[str, ...]
    values: dict[str, tuple[str, ...]]

    @property
    def different(self) -> tuple[str, ...]:
        """The keys in which they are not all alike."""
        return tuple(key for key, row in self.values.items() if len(set(row)) > 1)


@dataclass(frozen=True, eq=False)
class TrainingResult(Result):
    """Runs by name, and their recipes side by side."""

    runs: dict[str, RunLog]
    recipes: RecipeDifferences
    provenance: Provenance

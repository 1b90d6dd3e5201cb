"""Where the app looks for trainings, and the recipes of the models in view."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ifdd.card import Card
from ifdd.errors import InputError
from workbench.analysis.training.runs import flat, is_run
from workbench.store.workspace import Workspace

RUNS = "IFDD_RUNS"
"""Environment: folders of runs beside the workspace's, which `workbench app` has been given or was started beside."""


def runs_setting(given: Sequence[Path] | None) -> str:
    """The folders that were given, else ./runs, as the environment holds them. Raises: InputError for one that is not there."""
    for folder in given or ():
        if not folder.is_dir():
            raise InputError(f"--runs {folder} is no folder; name the one that ifdd train wrote its runs into")
    return os.pathsep.join(str(folder.resolve()) for folder in given or (Path("runs"),))


def run_places(place: Workspace) -> list[Path]:
    """Folders to look into for runs: the workspace's, its jobs', those of its checkpoints, and those that the app was given."""
    own = [folder.resolve().parent for folder in place.checkpoints().values()]
    given = [Path(text) for text in os.environ.get(RUNS, "").split(os.pathsep) if text]
    return [place.folder / "runs", place.results, *(folder for folder in own if is_run(folder)), *given]


def recipes_of(cards: Mapping[str, Card]) -> dict[str, dict[str, str]]:
    """The recipe of each checkpoint whose card tells one, every key as text."""
    return {name: flat(card.training["recipe"]) for name, card in cards.items() if card.training.get("recipe")}

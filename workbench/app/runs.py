"""Where the app looks for trainings, and the recipes of the models in view."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ifdd.card import Card
from ifdd.documents import read_json
from ifdd.errors import InputError
from workbench.analysis.training.runs import flat, is_run
from workbench.results.interval import Interval
from workbench.store.workspace import Workspace

AUDIT = "audit.json"
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


def audits_of(places: Sequence[Path]) -> dict[str, Path]:
    """The newest audit.json of `ifdd audit --out` below `places`, three folders deep at most, by the folder of its run."""
    pattern = ["/".join(["*"] * depth + [AUDIT]) for depth in range(4)]
    files = [file for place in places if place.is_dir() for one in pattern for file in place.glob(one)]
    return {str(read_json(file)["run"]): file for file in sorted(files, key=lambda file: file.stat().st_mtime)}


def audit_rows(file: Path) -> tuple[list[dict[str, str]], str]:
    """A line for each checkpoint that `ifdd audit --out` scored, with 95 % intervals, and what choosing one was worth, in words.

    Raises: InputError for another file.
    """
    found = read_json(file)
    try:
        lines = [
            {"checkpoint": f"{one['name']}{' (reported)' if one['reported'] else ''}", "epoch": str(one["epoch"])}
            | {
                f"{part} {measure}": str(Interval(one[part][measure], *one[part]["intervals"][measure]))
                for part in ("val", "test")
                for measure in ("UAR", "WAR")
            }
            for one in found["candidates"]
        ]
        return lines, str(found["words"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{file} is no audit of a run ({error} is missing); audit the run anew") from None


def recipes_of(cards: Mapping[str, Card]) -> dict[str, dict[str, str]]:
    """The recipe of each checkpoint whose card tells one, every key as text."""
    return {name: flat(card.training["recipe"]) for name, card in cards.items() if card.training.get("recipe")}

"""Names of what lies in a workspace; needs nothing that takes time to load."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ifdd.documents import user_path
from ifdd.plain import printable

SCHEMA = 1
FILE = "workspace.json"
DATASETS, CHECKPOINTS, COLLECTIONS, RESULTS = "datasets", "checkpoints", "collections", "results"
CHECKPOINT = "checkpoint"
"""Folder of a run that holds what it made."""
DEMO = "demo"
"""The dataset of the demo."""
DEMO_DIFFICULTY = "easy"
"""Of the demo's clips: as the shipped checkpoints' own data, so that the app shows what their cards say."""
BENCHMARK = "benchmark.json"
SCENES = "scenes.json"
DEPTH = 3
"""So deep below the results is looked for what commands wrote: that of jobs lies in folders of their own."""


def is_marked(folder: Path) -> bool:
    """Whether a folder says that it is a workspace, also where what it says cannot be read."""
    return os.path.lexists(folder / FILE)


def written_below(places: Iterable[Path], name: str) -> list[Path]:
    """Files of this name in these folders or below, the newest first, each once; not what is still being written.

    Nor those in folders whose names are bytes that are no text, which no page can show.
    """
    pattern = ["/".join(["[!.]*"] * depth + [name]) for depth in range(DEPTH + 1)]
    files = (file for place in places if place.is_dir() for one in pattern for file in place.glob(one))
    found: dict[Path, tuple[float, Path]] = {}
    for file in files:
        with suppress(OSError):  # deleted since it was listed
            if file.is_file() and printable(str(file)) == str(file):
                found[file.resolve()] = file.stat().st_mtime, file
    return [file for _, file in sorted(found.values(), key=lambda told: told[0], reverse=True)]


def demo_folder() -> Path:
    """Where `workbench demo` writes: $IFDD_DEMO, else `demo` beside the package."""
    given = os.environ.get("IFDD_DEMO")
    return user_path(given) if given else Path(__file__).resolve().parents[2] / DEMO

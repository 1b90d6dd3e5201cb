"""Names of what lies in a workspace; needs nothing that takes time to load."""

import os
from pathlib import Path

from ifdd.documents import user_path

SCHEMA = 1
FILE = "workspace.json"
DATASETS, CHECKPOINTS, COLLECTIONS, RESULTS = "datasets", "checkpoints", "collections", "results"
CHECKPOINT = "checkpoint"
"""Folder of a run that holds what it made."""
DEMO = "demo"
DEMO_DIFFICULTY = "easy"
"""Of the demo's clips: as the shipped checkpoints' own data, so that the app shows what their cards say."""
"""The dataset of the demo."""
BENCHMARK = "benchmark.json"
SCENES = "scenes.json"


def is_marked(folder: Path) -> bool:
    """Whether a folder says that it is a workspace, also where what it says cannot be read."""
    return os.path.lexists(folder / FILE)


def demo_folder() -> Path:
    """Where `workbench demo` writes: $IFDD_DEMO, else `demo` beside the package."""
    given = os.environ.get("IFDD_DEMO")
    return user_path(given) if given else Path(__file__).resolve().parents[2] / DEMO

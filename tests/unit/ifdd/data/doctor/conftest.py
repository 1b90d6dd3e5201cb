"""A small tree of rendered clips: twelve folders of frames of four persons, in two folds without a person in both."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from moving_clips import face_like, write_frames

from ifdd.data.manifest import write_manifest
from ifdd.labels import EMOTIONS


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    rows = []
    for i in range(12):
        write_frames(root / "clips" / f"{i:03d}", face_like(i // 3, i % 3))
        about = {"clip_id": f"{i:03d}", "path": f"clips/{i:03d}", "label_name": EMOTIONS[i % 3], "label": i % 3}
        rows.append(about | {"subject": f"P{i // 3}", "fold": 1 + i // 6, "n_frames": 20, "width": 56, "height": 56})
    write_manifest(pd.DataFrame(rows), root)
    return root


@pytest.fixture
def tree(pristine: Path, tmp_path: Path) -> Path:
    """A copy of the tree that a test may damage."""
    return Path(shutil.copytree(pristine, tmp_path / "tree"))


@pytest.fixture
def edit(tree: Path) -> Callable[..., Path]:
    """Change columns of the tree's list: `edit(subject=[…])`; returns the list."""

    def change(**columns: object) -> Path:
        file = tree / "clips.parquet"
        frame = pd.read_parquet(file)
        for name, values in columns.items():
            frame[name] = values
        frame.to_parquet(file, index=False)
        return file

    return change

"""A small tree of rendered clips: twelve folders of frames of four persons, in two folds without a person in both."""

import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from ifdd.data.manifest import write_manifest
from ifdd.labels import EMOTIONS


def face_like(person: int, take: int, frames: int = 20, size: int = 56) -> list[np.ndarray]:
    """Frames (size, size, 3) uint8: a picture of one's own per person, in which two spots move in another way each take."""
    own, moving = np.random.default_rng([person, 1]), np.random.default_rng([person, take, 2])
    wall = cv2.resize(own.uniform(60, 180, (7, 7, 3)).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
    y, x = np.mgrid[:size, :size] / size
    paths = moving.uniform(0.2, 0.8, (2, 4, 2))
    made = []
    for t in np.linspace(0, 3, frames):
        picture = wall.copy()
        for sign, path in zip((90, -90), paths, strict=True):
            at = [np.interp(t, range(4), path[:, axis]) for axis in (0, 1)]
            picture += sign * np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / 0.01)[..., None].astype(np.float32)
        made.append(np.clip(picture, 0, 255).astype(np.uint8))
    return made


def write_frames(folder: Path, frames: list[np.ndarray], quality: int = 95) -> Path:
    folder.mkdir(parents=True)
    for t, frame in enumerate(frames, 1):
        cv2.imwrite(str(folder / f"{t:05d}.jpg"), frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return folder


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

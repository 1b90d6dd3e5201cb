"""Checkpoints with random weights and a manifest of tiny clips, for tests of the workbench."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from bundles import save_random

from ifdd.data.manifest import write_manifest
from ifdd.labels import EMOTIONS

pytest.register_assert_rewrite("display_contract")


@pytest.fixture(scope="session")
def tiny_bundle_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of an untrained `ifdd-mvit-tiny` checkpoint, 16 × 64²."""
    return save_random(tmp_path_factory.mktemp("checkpoints") / "tiny-ifdd", "ifdd-mvit-tiny", 0)


@pytest.fixture(scope="session")
def baseline_bundle_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of an untrained `mvit-tiny-baseline` checkpoint, 16 × 64²."""
    return save_random(tmp_path_factory.mktemp("checkpoints") / "tiny-baseline", "mvit-tiny-baseline", 1)


@pytest.fixture(scope="session")
def clips_manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Manifest of five clips: folders of 16 coarse random frames, 56 × 56."""
    root = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(0)
    rows = []
    for i in range(5):
        name = f"clip-{i}"
        (root / name).mkdir()
        for t in range(16):
            image = rng.integers(0, 256, (7, 7, 3), np.uint8).repeat(8, 0).repeat(8, 1)
            cv2.imwrite(str(root / name / f"{t:03d}.png"), image)
        rows.append(
            {"clip_id": name, "path": name, "kind": "frames", "n_frames": 16, "fps": 8.0, "width": 56, "height": 56}
            | {"label": i % 2, "label_name": EMOTIONS[i % 2], "fold": 0, "subject": str(i), "light": i / 10}
        )
    write_manifest(pd.DataFrame(rows), root)
    return root / "clips.parquet"

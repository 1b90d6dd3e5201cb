"""Checkpoints with random weights, a manifest of tiny clips, what they say of them, and the command that is called."""

import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from bundles import save_random

from ifdd.checkpoints import load_checkpoint
from ifdd.data.manifest import write_manifest
from ifdd.labels import EMOTIONS
from workbench import cli
from workbench.store.collecting import collect

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


@pytest.fixture(scope="session")
def collections(
    tiny_bundle_dir: Path, baseline_bundle_dir: Path, clips_manifest: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Folders of what both checkpoints say of the clips, with logits, by "ifdd" and "baseline"."""
    root = tmp_path_factory.mktemp("collections")
    folders = {"ifdd": tiny_bundle_dir, "baseline": baseline_bundle_dir}
    return {
        name: collect(load_checkpoint(f), clips_manifest, root / name, ("head.logits",)).folder for name, f in folders.items()
    }


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Call the command `workbench` with some words: exit code, what it printed, and what it told on standard error."""

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["workbench", *map(str, words)])
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return call

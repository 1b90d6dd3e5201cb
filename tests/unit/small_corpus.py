"""A small corpus on disk: folders of JPEG frames of one colour by class, with folds and persons."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from torch import nn

from ifdd.data.manifest import write_manifest
from ifdd.labels import EMOTIONS
from ifdd.models.base import VideoModel
from ifdd.models.config import VideoConfig
from ifdd.models.families import create_model
from ifdd.training.recipe import Recipe

FRAMES = (6, 10, 13)
"""Lengths of the clips, in turn; models of the tests read 8 frames, so that some clips are too short."""

STILL = {"flip": 0, "crop": 1, "jitter": 0, "mix": 0}
"""An augmentation that changes nothing."""
EVEN = {"backbone": "mvit-tiny", "split": "none", "lift": "none", "frames": 8, "size": [32, 32], "num_classes": 3} | {
    "drop_path": 0.0,
    "dropout": 0.0,
}
"""A model that draws nothing."""


def without_batch_statistics(config: VideoConfig) -> VideoModel:
    """The model of a configuration whose batch norms only scale and shift: what it says of a clip does not depend on others."""
    model = create_model(config)
    for part in [*model.modules()]:
        for name, child in part.named_children():
            if isinstance(child, nn.BatchNorm1d | nn.BatchNorm3d):
                setattr(part, name, nn.Identity())
    return model


def make_corpus(root: Path, clips: int = 42, *, classes: int = 3, size: int = 40, lengths: Sequence[int] = FRAMES) -> Path:
    """Write the clips and their manifest; clip i is of class i % classes, person (i // classes) % 7 and of fold 1 to 3."""
    generator = np.random.default_rng(0)
    rows = []
    for i in range(clips):
        label, person = i % classes, i // classes % 7
        folder = root / f"{i:05d}"
        folder.mkdir(parents=True)
        count = lengths[i % len(lengths)]
        colour = np.array([40 + 60 * label, 200 - 60 * label, 90])
        for t in range(count):
            image = (colour + 5 * t + generator.integers(0, 20, (size, size, 3))).clip(0, 255).astype(np.uint8)
            Image.fromarray(image).save(folder / f"{t + 1:05d}.jpg", quality=90)
        rows.append(
            {"clip_id": f"{i:05d}", "path": f"{i:05d}", "kind": "frames", "n_frames": count, "fps": 25.0, "width": size}
            | {"height": size, "label": label, "label_name": EMOTIONS[label], "fold": 1 + person % 3, "subject": f"p{person}"}
        )
    write_manifest(pd.DataFrame(rows), root / "clips.parquet")
    return root / "clips.parquet"


def corpus_recipe(manifest: Path, *, data: dict[str, object] | None = None, **changes: object) -> Recipe:
    """A few epochs of a tiny model on it; `data` and other sections replace what is said here."""
    values: dict[str, object] = {
        "name": "small",
        "labels": list(EMOTIONS[:3]),
        "model": {"backbone": "mvit-tiny", "split": "none", "lift": "none", "frames": 8, "size": [32, 32], "num_classes": 3},
        "data": {"source": "corpus", "manifest": str(manifest), "fold": 1, "val": 0.25, "cache": str(manifest.parent / "cache")}
        | (data or {}),
        "optim": {"lr": 0.002, "epochs": 2, "batch": 4},
    }
    return Recipe.parse(values | changes, "test")

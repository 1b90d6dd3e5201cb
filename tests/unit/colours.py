"""A tiny training: plain colours in place of rendered faces."""

from pathlib import Path

import numpy as np
import torch

import ifdd
from ifdd.data.clipset import ClipSet
from ifdd.training.clipsets import SPLITS
from ifdd.training.recipe import Recipe


def recipe(**changes: object) -> Recipe:
    values = {
        "name": "tiny",
        "model": {"backbone": "mvit-tiny", "frames": 8, "size": [32, 32], "drop_path": 0.1, "normalise": "kinetics"},
        "data": {"source": "scripted"} | {split: {"clips": 8, "identities": 4} for split in SPLITS},
        "optim": {"lr": 0.002, "epochs": 3, "batch": 4},
        "ema": 0.9,
    }
    return Recipe.parse(values | changes, "test")


def clip_set(split: str, count: int = 8) -> ClipSet:
    """Clips of one colour each, brightness and hue by class, with noise."""
    generator = np.random.default_rng(len(split))
    target = np.arange(count) % 7
    colour = np.stack([40 + 25 * target, 200 - 25 * target, 60 + 60 * (target % 3)], -1)
    noise = generator.integers(0, 20, (count, 8, 32, 32, 3))
    pixels = (colour[:, None, None, None] + noise).astype(np.uint8)
    ids = tuple(f"{split}-{i}" for i in range(count))
    return ClipSet(pixels, target, ids, ids, (0,) * count, {"source": "scripted", "name": "colours", "split": split})


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return ifdd.load_checkpoint(folder).model.state_dict()

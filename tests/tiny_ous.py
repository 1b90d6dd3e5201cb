"""Models of face and scene small enough for tests: one step of training on drawn clips."""

from pathlib import Path
from typing import Any

from ifdd.training import run as training
from ifdd.training.recipe import Recipe

SET = {"clips": 14, "identities": 2, "difficulty": "easy", "rho": 0.5}


def train_ous(folder: Path, name: str = "ous", *, size: int = 48, **model: Any) -> Path:
    """A checkpoint, trained into `folder/runs/name`; clips are rendered once into `folder/cache`."""
    values: dict[str, Any] = {
        "name": name,
        "model": {"family": "ous", "frames": 4, "size": [size, size]} | model,
        "data": {"source": "scripted", "train": SET, "val": SET, "test": SET, "cache": str(folder / "cache")},
        "inputs": {"scene": {"crop": "none"}},
        "augment": {"cutmix": 0},
        "optim": {"lr": 1e-3, "epochs": 1, "batch": 7, "warmup_epochs": 0},
        "device": "cpu",
    }
    return training.train(Recipe.parse(values, "ous.yaml"), folder / "runs" / name, progress=False)

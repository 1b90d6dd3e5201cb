"""Run folders as `ifdd train` leaves them, without a training."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ifdd.training.recipe import load_recipe, recipe_yaml

RECIPES = Path(__file__).resolve().parents[5] / "recipes"


def make_run(
    folder: Path,
    scores: Sequence[float],
    *,
    averaged: Sequence[float] | None = None,
    ended: bool = True,
    settings: Sequence[str] = (),
) -> Path:
    """A run whose UAR on validation was `scores` after each epoch, and with averaged weights `averaged`."""
    recipe = load_recipe(RECIPES / "scripted-tiny-baseline.yaml", ["ema=0.99" if averaged else "ema=null", *settings])
    (folder / "log").mkdir(parents=True)
    (folder / "config.yaml").write_text(recipe_yaml(recipe))
    (folder / "env.json").write_text("{}")
    rows = [
        {"epoch": i, "step": 9 * (i + 1), "lr": 0.001 / (i + 1), "train_loss": 2.0 - i / 10, "val_loss": 1.9 - i / 10}
        | {"val_UAR": score, "val_WAR": score}
        | ({} if averaged is None else {"val_ema_UAR": averaged[i], "val_ema_WAR": averaged[i], "val_ema_loss": 1.8})
        for i, score in enumerate(scores)
    ]
    if rows:
        pd.DataFrame(rows).to_csv(folder / "log" / "metrics.csv", index=False)
        speed = [{"epoch": i, "clips": 9, "seconds": 30.0, "clips_per_second": 0.3, "waiting": 0.1} for i in range(len(rows))]
        pd.DataFrame(speed).to_csv(folder / "log" / "speed.csv", index=False)
    if ended:
        best = max(range(len(scores)), key=lambda i: (averaged or scores)[i])
        (folder / "metrics.json").write_text(json.dumps(metrics((averaged or scores)[best], best + 1)))
    return folder


def metrics(score: float, epoch: int) -> Mapping[str, Any]:
    part = {"n": 35, "UAR": score, "WAR": score, "intervals": {"UAR": [score - 0.1, score + 0.1], "WAR": [score - 0.2, score]}}
    return {"val": part, "test": part, "training": {"minutes": 1.5, "epoch": epoch}}

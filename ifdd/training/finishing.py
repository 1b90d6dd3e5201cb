"""The end of a training: what its model says of validation and test clips, scores, and the checkpoint with its card."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ifdd.card import Card
from ifdd.checkpoints import library_versions, save_checkpoint
from ifdd.data.bad_clips import left_out
from ifdd.data.clipset import ClipSet
from ifdd.data.parts import SplitName
from ifdd.data.preprocessing import as_written
from ifdd.documents import read_json
from ifdd.io import write_json
from ifdd.models.base import VideoModel
from ifdd.training.backbone_cache import read_stages
from ifdd.training.clipsets import WAY_OUT
from ifdd.training.evaluation import METRICS, PREDICTIONS, predict_set, predictions_frame, score, write_predictions
from ifdd.training.keeping import CHECKPOINT, ENVIRONMENT
from ifdd.training.loading import Ledger, chosen_workers
from ifdd.training.recipe import Recipe, ScriptedData

NOTICE_SCRIPTED = (
    "Trained on synthetic faces only. It is not fit to judge real people: "
    "what it says of a real video shows how the workbench works, not what somebody feels."
)
NOTICE = "An expression is not a feeling: do not use this model to judge people."
CHOSEN_ON_TEST = "the epoch was chosen on these very clips: on new ones the result is worse"
ONE_CLIP = "test_one_clip"
"""Scores of the test's videos by one clip each, where those of the test are of several."""


def finish(
    recipe: Recipe,
    out: Path,
    sets: Mapping[SplitName, ClipSet],
    model: VideoModel,
    timing: dict[str, Any],
    notes: tuple[str, ...],
) -> Path:
    """Score the model on validation and test, and write predictions, metrics and the checkpoint; returns its folder.

    Raises: InputError for clips that cannot be read, unless a few may be left out, which every number then says.
    """
    frames, results = [], {}
    about: dict[str, dict[str, Any]] = {split: dict(clips.about) for split, clips in sets.items()}
    for split in ("val", "test"):
        views = 1 if split == "val" or isinstance(recipe.data, ScriptedData) else recipe.data.test_clips
        clips, probabilities, ledger = predict_readable(recipe, sets[split], model, split, views)
        frames.append(predictions_frame(clips, probabilities, recipe.labels).assign(split=split))
        results[split] = score(clips, probabilities, recipe.labels).to_dict()
        if ledger.bad:
            about[split] |= left_out(ledger.bad, ledger.total) | {"clips": len(clips)}
        told = ledger.notes()
        results[split]["notes"] += told
        notes += tuple(f"{split}: {note}" for note in told)
        if views > 1:
            results[split]["notes"].append(f"probabilities are the mean over {views} clips of each video")
            single, probabilities, _ = predict_readable(recipe, sets[split], model, "test, one clip", 1)
            results[ONE_CLIP] = score(single, probabilities, recipe.labels).to_dict()
    if recipe.keep == "best" and sets["val"].clip_ids == sets["test"].clip_ids:
        for name in {"test", ONE_CLIP} & set(results):
            results[name]["notes"].append(CHOSEN_ON_TEST)
    write_predictions(out / PREDICTIONS, pd.concat(frames, ignore_index=True))
    write_json(out / METRICS, {**results, "training": timing, "notes": list(notes)})
    card = Card.of(type(recipe.model))(
        name=recipe.name,
        notice=NOTICE_SCRIPTED if isinstance(recipe.data, ScriptedData) else NOTICE,
        model=recipe.model,
        labels=recipe.labels,
        preprocessing=as_written(recipe.reading()),
        data=about,
        training={
            "recipe": recipe.model_dump(mode="json", exclude={"data": {"cache"}}),
            **timing,
            **_source(out),
            "notes": list(notes),
        },
        metrics=results,
        versions=library_versions(),
    )
    return save_checkpoint(out / CHECKPOINT, model, card, replace=True)  # of fewer epochs


def predict_readable(
    recipe: Recipe, clips: ClipSet, model: VideoModel, title: str, views: int
) -> tuple[ClipSet, np.ndarray, Ledger]:
    """The clips that could be read, their probabilities (n, classes), and what could not.

    Raises: InputError for clips that cannot be read, unless the recipe lets a few be left out.
    """
    device = next(model.parameters()).device
    frozen = recipe.freeze == "backbone"
    stages = read_stages(model, clips, recipe.data.cache, title=title) if frozen else None
    data = recipe.data
    on_error, asked = ("stop", None) if isinstance(data, ScriptedData) else (data.on_error, data.workers)
    ledger = Ledger(len(clips), title, on_error, WAY_OUT)
    workers = chosen_workers(asked, device.type) if clips.streamed else 0
    probabilities = predict_set(
        model,
        clips,
        batch=recipe.optim.batch,
        device=str(device),
        title=title,
        stages=stages,
        views=views,
        workers=workers,
        ledger=ledger,
    )
    read = np.flatnonzero(np.isfinite(probabilities).all(1))
    return (clips if len(read) == len(clips) else clips.chosen(read)), probabilities[read], ledger


def _source(out: Path) -> dict[str, Any]:
    """The weights that a run started from, and whether its epochs were raised, as its folder has known them since."""
    told = read_json(out / ENVIRONMENT)
    return {key: told[key] for key in ("init_from_sha256", "epochs_raised") if told.get(key) is not None}

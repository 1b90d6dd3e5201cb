"""One training, from a recipe to a run folder with a checkpoint."""

import ctypes
import logging
import os
import platform
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import lightning as L
import pandas as pd
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, TQDMProgressBar

from ifdd.card import Card
from ifdd.checkpoints import library_versions, load_checkpoint, save_checkpoint
from ifdd.data.clipset import ClipSet
from ifdd.data.preprocessing import as_written
from ifdd.device import choose_device
from ifdd.documents import read_json
from ifdd.errors import InputError
from ifdd.io import claim, clear_folder, new_folder, write_json, write_text
from ifdd.models.base import VideoModel
from ifdd.models.families import create_model, family_of
from ifdd.repository import source_commit
from ifdd.training.backbone_cache import read_stages
from ifdd.training.clipsets import SPLITS, SplitName, check_disjoint, load_split
from ifdd.training.datamodule import ClipDataModule
from ifdd.training.evaluation import METRICS, PREDICTIONS, predict_set, predictions_frame, score, write_predictions
from ifdd.training.keeping import (
    CHECKPOINT,
    CONFIG,
    ENVIRONMENT,
    EPOCHS,
    LOG,
    EpochLog,
    UnfinishedRun,
    WholeCheckpoints,
    find_unfinished,
)
from ifdd.training.module import AveragedWeights, TrainingModule
from ifdd.training.recipe import Recipe, ScriptedData, recipe_yaml

NOTICE_SCRIPTED = (
    "Trained on synthetic faces only. It is not fit to judge real people: "
    "what it says of a real video shows how the workbench works, not what somebody feels."
)
CHOSEN_ON_TEST = "the epoch was chosen on these very clips: on new ones the result is worse"
NOTICE = "An expression is not a feeling: do not use this model to judge people."


def train(
    recipe: Recipe, out: str | Path, *, resume: bool = False, max_minutes: float | None = None, progress: bool = True
) -> Path:
    """Train, keep the best epoch by validation UAR (or the last, if the recipe says so), test once, save; returns the checkpoint.

    Run folder: config.yaml, env.json, log/metrics.csv (a row for each epoch), lightning/ (last.ckpt, the one before it, and
    best.ckpt), predictions.parquet (validation and test), metrics.json, checkpoint/. With `resume` a folder of an interrupted run
    is continued; the result is that of an uninterrupted one. `device` and `data.cache` may then be others, and `optim.epochs`
    more, also of a run that was complete: from the next step on the learning rate is that of the longer schedule, which is not
    what an uninterrupted run of so many epochs would have had.
    Raises: InputError for an `out` that exists, or that another process trains in, a resume of another recipe, splits that share
    a person, a loss that is not finite, or a limit that ends before the first epoch.
    """
    with claim(Path(out)):
        return _train(recipe, Path(out), resume, max_minutes, progress)


def _train(recipe: Recipe, out: Path, resume: bool, max_minutes: float | None, progress: bool) -> Path:
    begun = None
    if resume:
        begun = find_unfinished(recipe, out)
    elif out.exists():
        raise InputError(f"{out} exists; choose another --out, or continue it with --resume")
    device = choose_device(recipe.device)
    initial_model(recipe)  # a checkpoint that is not there, or does not fit, is told before minutes are spent on clips
    sets: dict[SplitName, ClipSet] = {split: load_split(recipe, split, progress) for split in SPLITS}
    notes = check_disjoint(sets, recipe.keep)
    for note in notes:
        warnings.warn(note, stacklevel=2)
    about = _go_on(recipe, out, begun) if begun is not None else _make_run(recipe, out)
    started = time.monotonic()
    keep_freed_memory()
    with _quiet_lightning():
        _fit(recipe, out, sets, max_minutes, None if begun is None else begun.file, about, progress)
    kept = torch.load(out / EPOCHS / f"{recipe.keep}.ckpt", map_location="cpu", weights_only=True)
    model = create_model(recipe.model)
    prefix = "model."
    model.load_state_dict({k.removeprefix(prefix): v for k, v in kept["state_dict"].items() if k.startswith(prefix)})
    timing = {"minutes": round((time.monotonic() - started) / 60, 2), "epoch": kept["epoch"] + 1}
    return _finish(recipe, out, sets, model.to(device), timing, notes)


def initial_model(recipe: Recipe) -> VideoModel:
    """The model before its first step: random by the recipe's seed, or with the backbone and pyramid of a checkpoint.

    Raises: InputError if the checkpoint's backbone does not fit.
    """
    torch.manual_seed(recipe.seed)
    model = create_model(recipe.model)
    if recipe.init_from is not None:
        own, given = model.state_dict(), load_checkpoint(recipe.init_from).model.state_dict()
        for key in own:
            if key.partition(".")[0] in model.started_from:
                if key not in given or given[key].shape != own[key].shape:
                    raise InputError(
                        f"init_from {recipe.init_from}: {key} is missing or of another shape; backbones must be equal"
                    )
                own[key] = given[key]
        model.load_state_dict(own)
    return model


def build_module(recipe: Recipe, steps_per_epoch: int) -> TrainingModule:
    """Model, loss and optimiser of a recipe."""
    loss = family_of(recipe.model).loss(recipe.model, recipe.loss)
    frozen = recipe.freeze == "backbone"
    return TrainingModule(
        initial_model(recipe), loss, recipe.optim, steps_per_epoch=steps_per_epoch, seed=recipe.seed, frozen=frozen
    )


def _make_run(recipe: Recipe, out: Path) -> dict[str, Any]:
    """The run's folder, whole from the start; returns what every checkpoint of it tells."""
    source = None if recipe.init_from is None else load_checkpoint(recipe.init_from).card.sha256
    with new_folder(out) as work:
        write_text(work / CONFIG, recipe_yaml(recipe))
        write_json(work / ENVIRONMENT, environment() | {"init_from_sha256": source})
    return {"recipe": recipe_yaml(recipe), "init_from_sha256": source}


def _go_on(recipe: Recipe, out: Path, begun: UnfinishedRun) -> dict[str, Any]:
    """Bring the folder of an interrupted run up to date; returns as `_make_run`.

    Raises: InputError if a frozen backbone has changed meanwhile.
    """
    source = None if recipe.init_from is None else load_checkpoint(recipe.init_from).card.sha256
    told = environment() | {"init_from_sha256": source} | begun.environment
    if not begun.epochs:
        told["init_from_sha256"] = source
    elif recipe.freeze == "backbone" and told["init_from_sha256"] != source:
        raise InputError(f"{recipe.init_from}: has other weights than when {out} was begun; put them back, or train anew")
    source = told["init_from_sha256"]
    raised = {"from": begun.raised, "after": begun.epochs}
    if begun.raised is not None and raised not in told.get("epochs_raised", []):
        told["epochs_raised"] = [*told.get("epochs_raised", []), raised]
    for folder in (out / EPOCHS, out / LOG):
        clear_folder(folder)  # a run that had ended its last epoch writes there no more
    write_json(out / ENVIRONMENT, told)
    write_text(out / CONFIG, recipe_yaml(recipe))
    return {"recipe": recipe_yaml(recipe), "init_from_sha256": source}


def _fit(
    recipe: Recipe,
    out: Path,
    sets: dict[SplitName, ClipSet],
    max_minutes: float | None,
    start: Path | None,
    about: dict[str, Any],
    progress: bool,
) -> None:
    frozen = initial_model(recipe) if recipe.freeze == "backbone" else None
    data = ClipDataModule(recipe, sets["train"], sets["val"], frozen)
    module = build_module(recipe, len(data.batches))
    folder = out / EPOCHS
    callbacks: list[Callback] = [
        EpochLog(out / LOG / "metrics.csv"),
        ModelCheckpoint(folder, "best", monitor="val_UAR", mode="max", enable_version_counter=False),
        ModelCheckpoint(folder, "last", enable_version_counter=False),  # after the other, whose score it keeps
    ]
    if recipe.ema is not None:
        callbacks.append(AveragedWeights(recipe.ema))
    if progress:
        callbacks.append(TQDMProgressBar(refresh_rate=5))
    trainer = L.Trainer(
        accelerator=recipe.device,
        devices=1,
        precision=recipe.precision,
        max_epochs=recipe.optim.epochs,
        max_time=None if max_minutes is None else timedelta(minutes=max_minutes),
        gradient_clip_val=recipe.optim.clip_norm or None,
        logger=False,
        callbacks=callbacks,
        plugins=[WholeCheckpoints(about)],
        enable_progress_bar=progress,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    try:
        trainer.fit(module, datamodule=data, ckpt_path=start, weights_only=True)
    except SystemExit:
        if trainer.interrupted:  # Lightning turns Ctrl-C into an exit
            raise KeyboardInterrupt from None
        raise
    if not (folder / "best.ckpt").is_file():
        raise InputError(f"{out}: the time limit ended before the first epoch; give more --max-minutes")


def _finish(
    recipe: Recipe,
    out: Path,
    sets: dict[SplitName, ClipSet],
    model: VideoModel,
    timing: dict[str, Any],
    notes: tuple[str, ...],
) -> Path:
    device = next(model.parameters()).device
    frames, results = [], {}
    for split in ("val", "test"):
        clips = sets[split]
        stages = read_stages(model, clips, recipe.data.cache, title=split) if recipe.freeze == "backbone" else None
        probabilities = predict_set(model, clips, batch=recipe.optim.batch, device=str(device), title=split, stages=stages)
        frames.append(predictions_frame(clips, probabilities, recipe.labels).assign(split=split))
        results[split] = score(clips, probabilities, recipe.labels).to_dict()
    if recipe.keep == "best" and sets["val"].clip_ids == sets["test"].clip_ids:
        results["test"]["notes"].append(CHOSEN_ON_TEST)
    write_predictions(out / PREDICTIONS, pd.concat(frames, ignore_index=True))
    write_json(out / METRICS, {**results, "training": timing, "notes": list(notes)})
    card = Card.of(type(recipe.model))(
        name=recipe.name,
        notice=NOTICE_SCRIPTED if isinstance(recipe.data, ScriptedData) else NOTICE,
        model=recipe.model,
        labels=recipe.labels,
        preprocessing=as_written(recipe.reading()),
        data={split: clips.about for split, clips in sets.items()},
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


def _source(out: Path) -> dict[str, Any]:
    """The weights that a run started from, and whether its epochs were raised, as its folder has known them since."""
    told = read_json(out / ENVIRONMENT)
    return {key: told[key] for key in ("init_from_sha256", "epochs_raised") if told.get(key) is not None}


def keep_freed_memory() -> None:
    """Let glibc keep large blocks that are freed: every step needs them again, and page faults cost a CPU up to a third."""
    if platform.libc_ver()[0] != "glibc":
        return
    trim_threshold, mmap_threshold, most = -1, -3, 2**31 - 1  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD of malloc.h
    libc = ctypes.CDLL(None)
    for option in (trim_threshold, mmap_threshold):
        libc.mallopt(option, most)


def environment() -> dict[str, Any]:
    """What a number may depend on besides the recipe."""
    names = ("ifdd-workbench", "torch", "torchvision", "lightning", "numpy")
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": {name: version(name) for name in names},
        "torch_threads": torch.get_num_threads(),
        "cpus": os.cpu_count(),
        "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "commit": source_commit(),
    }


@contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Keep Lightning's tips and its advice on workers and loggers to itself."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"lightning\..*")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)

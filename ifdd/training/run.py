"""One training, from a recipe to a run folder with a checkpoint."""

import signal
import time
import warnings
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint

from ifdd.checkpoints import load_checkpoint
from ifdd.data.clipset import ClipSet
from ifdd.device import choose_device
from ifdd.errors import InputError
from ifdd.io import claim, clear_folder, new_folder, write_json, write_text
from ifdd.models.base import VideoModel
from ifdd.models.families import create_model, family_of
from ifdd.progress import report_file
from ifdd.training.class_weights import class_weights
from ifdd.training.clipsets import SPLITS, SplitName, check_disjoint, lacking_classes, load_split
from ifdd.training.datamodule import ClipDataModule
from ifdd.training.finishing import finish
from ifdd.training.keeping import (
    CHECKPOINT,
    CONFIG,
    ENVIRONMENT,
    EPOCHS,
    LAST,
    LOG,
    UnfinishedRun,
    WholeCheckpoints,
    check_same_clips,
    find_unfinished,
    monitored,
)
from ifdd.training.logs import BOARD, MEASURES, SPEED, Board, EpochLog, Epochs, Patience, Progress, Speed, summary_writer
from ifdd.training.module import AveragedWeights, TrainingModule
from ifdd.training.ranks import Ranks, leave, started_ranks, trainer_options
from ifdd.training.recipe import Recipe, recipe_yaml
from ifdd.training.stopping import SaveAndStop, Stop, Stopped, stoppable
from ifdd.training.surroundings import PRECISIONS, check_precision, environment, keep_freed_memory, quiet_lightning


def train(
    recipe: Recipe, out: str | Path, *, resume: bool = False, max_minutes: float | None = None, progress: bool = True
) -> Path:
    """Train, keep the best epoch by validation UAR (or the last, if the recipe says so), test once, save; returns the checkpoint.

    Run folder: config.yaml, env.json, log/ (metrics.csv and speed.csv, a row for each epoch), lightning/ (last.ckpt, the one
    before it, and best.ckpt), predictions.parquet (validation and test), metrics.json, checkpoint/. With `resume` a folder of an
    interrupted run is continued, from within an epoch if it was stopped there; the result is that of an uninterrupted one. What
    changes no result may then be another (`keeping.FREE`), and `optim.epochs` more, also of a run that was complete: from the
    next step on the learning rate is that of the longer schedule, which is not what an uninterrupted run of so many epochs would
    have had. Under torchrun or srun all processes call this, and the first one writes.
    Raises: InputError for an `out` that exists, or that another process trains in, a resume of another recipe, splits that share
    a person, a loss that is not finite, clips that cannot be read, or a limit that ends before the first epoch; Stopped on Ctrl-C
    or SIGTERM, when the state is saved.
    """
    ranks = started_ranks()
    with stoppable() as stop, claim(Path(out)) if ranks.first else nullcontext():
        return _train(recipe, Path(out), resume, max_minutes, progress and ranks.first, ranks, stop)


def _train(recipe: Recipe, out: Path, resume: bool, max_minutes: float | None, progress: bool, ranks: Ranks, stop: Stop) -> Path:
    begun = None
    if resume:
        begun = find_unfinished(recipe, out)
    elif ranks.first and out.exists():
        raise InputError(f"{out} exists; choose another --out, or continue it with --resume")
    device = choose_device(recipe.device)
    check_precision(recipe, device)
    if recipe.tensorboard:
        summary_writer()
    initial_model(recipe)  # a checkpoint that is not there, or does not fit, is told before minutes are spent on clips
    sets: dict[SplitName, ClipSet] = {split: load_split(recipe, split, progress) for split in SPLITS}
    notes = (*check_disjoint(sets, recipe.keep), *lacking_classes(sets, recipe.labels))
    if ranks.first:
        for note in notes:
            warnings.warn(note, stacklevel=2)
    lists: dict[str, str] = {split: str(clips.about["data_hash"]) for split, clips in sets.items() if "data_hash" in clips.about}
    if begun is not None:
        check_same_clips(begun, lists, out)
    about: dict[str, Any] = {}
    if ranks.first:
        about = (_go_on(recipe, out, begun) if begun is not None else _make_run(recipe, out)) | {"clips": lists}
    started = time.monotonic()
    keep_freed_memory()
    with quiet_lightning():
        told = _fit(recipe, out, sets, max_minutes, None if begun is None else begun.file, about, progress, ranks, stop)
    if not ranks.first:
        return out / CHECKPOINT
    kept = torch.load(out / EPOCHS / f"{recipe.keep}.ckpt", map_location="cpu", weights_only=True)
    model = create_model(recipe.model)
    prefix = "model."
    model.load_state_dict({k.removeprefix(prefix): v for k, v in kept["state_dict"].items() if k.startswith(prefix)})
    timing = {"minutes": round((time.monotonic() - started) / 60, 2), "epoch": kept["epoch"] + 1}
    return finish(recipe, out, sets, model.to(device), timing, (*notes, *told))


def initial_model(recipe: Recipe) -> VideoModel:
    """The model before its first step: random by the recipe's seed, or with the backbone and pyramid of a checkpoint.

    Raises: InputError if the checkpoint's backbone does not fit.
    """
    torch.manual_seed(recipe.seed)
    model = create_model(recipe.model)
    if recipe.init_from is not None:
        source = load_checkpoint(recipe.init_from).model
        shown, known = (getattr(one.config, "normalise", None) for one in (model, source))
        if shown != known:
            raise InputError(
                f"init_from {recipe.init_from}: its backbone has learnt clips of normalise={known}, this model shows it "
                f"normalise={shown}; set model.normalise={known}"
            )
        own, given = model.state_dict(), source.state_dict()
        for key in own:
            if key.partition(".")[0] in model.started_from:
                if key not in given or given[key].shape != own[key].shape:
                    raise InputError(
                        f"init_from {recipe.init_from}: {key} is missing or of another shape; backbones must be equal"
                    )
                own[key] = given[key]
        model.load_state_dict(own)
    return model


def build_module(recipe: Recipe, steps_per_epoch: int, target: np.ndarray | None = None) -> TrainingModule:
    """Model, loss and optimiser of a recipe; `target` (n,) are the classes of the training clips, where they weigh the loss.

    Raises: InputError for a family whose loss takes no weights of classes.
    """
    loss = family_of(recipe.model).loss(recipe.model, recipe.loss)
    if recipe.loss.class_weights != "none":
        if not hasattr(loss, "class_weights"):
            raise InputError(f"the loss of the family {recipe.model.family} takes no loss.class_weights; set it to none")
        assert target is not None
        counts = np.bincount(target, minlength=len(recipe.labels))
        weights = class_weights(counts, recipe.loss.class_weights, recipe.loss.beta)
        loss.class_weights = torch.from_numpy(weights).float()
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
    ranks: Ranks,
    stop: Stop,
) -> tuple[str, ...]:
    """Train from `start`, or from the beginning; returns what has to be told of the training clips."""
    device = choose_device(recipe.device).type
    frozen = initial_model(recipe) if recipe.freeze == "backbone" else None
    data = ClipDataModule(recipe, sets["train"], sets["val"], frozen, ranks=ranks, device=device)
    if data.batches.batch < ranks.count:
        raise InputError(f"optim.batch={recipe.optim.batch} is less than a clip for each of {ranks.count} processes; raise it")
    module = build_module(recipe, len(data.batches) // recipe.optim.accumulate, sets["train"].target)
    module.whole_batch, module.may_overflow = data.batches.batch, recipe.precision == "fp16-mixed"
    options, environment_plugin = trainer_options(ranks)
    trainer = L.Trainer(
        accelerator=device,
        precision=PRECISIONS[recipe.precision],  # type: ignore[arg-type]
        max_epochs=recipe.optim.epochs,
        max_time=None if max_minutes is None else timedelta(minutes=max_minutes),
        gradient_clip_val=recipe.optim.clip_norm or None,
        accumulate_grad_batches=recipe.optim.accumulate,
        logger=False,
        callbacks=_callbacks(recipe, out, progress, stop),
        plugins=[WholeCheckpoints(about), environment_plugin],
        use_distributed_sampler=False,
        sync_batchnorm=ranks.count > 1 and device == "cuda",
        enable_progress_bar=progress and report_file() is None,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        **options,
    )
    try:
        trainer.fit(module, datamodule=data, ckpt_path=start, weights_only=True)
        told = data.all_notes()
    except SystemExit:
        if trainer.interrupted:  # Lightning turns Ctrl-C into an exit
            raise Stopped(stop.asked or signal.SIGINT) from None
        raise
    finally:
        leave(ranks)
    if ranks.first and not (out / EPOCHS / "best.ckpt").is_file():
        raise InputError(f"{out}: the time limit ended before the first epoch; give more --max-minutes")
    return told


def _callbacks(recipe: Recipe, out: Path, progress: bool, stop: Stop) -> list[Callback]:
    folder, measure = out / EPOCHS, monitored(recipe)
    log, speed = EpochLog(out / LOG / MEASURES), Speed(out / LOG / SPEED)
    callbacks: list[Callback] = [log, speed]
    if recipe.ema is not None:
        callbacks.append(AveragedWeights(recipe.ema))
    if recipe.tensorboard:
        callbacks.append(Board(out / LOG / BOARD, log, speed))
    if recipe.optim.patience is not None:
        callbacks.append(Patience(measure, recipe.optim.patience))
    if progress:
        callbacks.append(Progress(speed) if report_file() is None else Epochs())
    return [
        *callbacks,
        SaveAndStop(stop, lambda trainer: trainer.save_checkpoint(folder / LAST)),  # after the averages have been made
        ModelCheckpoint(folder, "best", monitor=measure, mode="max", enable_version_counter=False),
        ModelCheckpoint(folder, "last", enable_version_counter=False),  # after the other, whose score it keeps
    ]

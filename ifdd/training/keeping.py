"""What a training keeps as it goes, and how it goes on after an interruption."""

import io
import json
import pickle
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import yaml
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO

from ifdd.checkpoints import CARD, read_card
from ifdd.errors import InputError
from ifdd.io import write_whole
from ifdd.training.random_states import batches_done, epochs_done
from ifdd.training.recipe import Recipe, load_recipe

CONFIG, ENVIRONMENT, CHECKPOINT, EPOCHS, LOG = "config.yaml", "env.json", "checkpoint", "lightning", "log"
LAST, BEFORE = "last.ckpt", "before.ckpt"
DIFFERENCES_TOLD = 6
MAY_CHANGE = "epochs raised, device and data.cache changed"
FREE = ("device", "data.cache", "data.workers", "data.cache_crops", "tensorboard")
"""What changes no result: a run that goes on may have others."""


class WholeCheckpoints(TorchCheckpointIO):
    """Lightning's checkpoints, written beside their place, never through TMPDIR, and renamed when they are on the disk.

    The last one's predecessor is kept. Each holds `about`, too.
    """

    def __init__(self, about: dict[str, Any]) -> None:
        super().__init__()
        self.about = about

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write a checkpoint whole. Raises: InputError with the path when the disk refuses."""
        file, buffer = Path(path), io.BytesIO()
        torch.save(checkpoint | self.about, buffer)  # in memory first: torch hides the system's own words on a full disk
        before = file.with_name(BEFORE) if file.name == LAST else None
        write_whole(file, lambda part: part.write_bytes(buffer.getbuffer()), before=before)

    def load_checkpoint(self, path: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Read a checkpoint; of a run whose folder was moved, too: Lightning forgets the best epoch of another folder."""
        checkpoint = super().load_checkpoint(path, *args, **kwargs)
        here = str(Path(path).resolve().parent)
        for state in checkpoint["callbacks"].values():
            if there := state.get("dirpath"):
                for key in ("dirpath", "best_model_path", "kth_best_model_path", "last_model_path"):
                    state[key] = state[key].replace(there, here, 1)
                state["best_k_models"] = {file.replace(there, here, 1): score for file, score in state["best_k_models"].items()}
        return checkpoint


@dataclass(frozen=True)
class UnfinishedRun:
    """What an interrupted run has kept: `file`, its last whole checkpoint, after `epochs` epochs; None where there is none yet.

    `environment` is its env.json, or what is known of it; `raised` tells from how many epochs it is being raised; `clips` the
    hash of the list of each split, where they come from lists.
    """

    file: Path | None
    epochs: int
    environment: dict[str, Any]
    raised: int | None = None
    clips: dict[str, str] = field(default_factory=dict)


def find_unfinished(recipe: Recipe, out: Path) -> UnfinishedRun:
    """See how far the run in `out` has come, and that `recipe` may go on with it.

    Raises: InputError if there is none, if it is complete, for another recipe (with what differs), or for files that are damaged,
    with the one to remove.
    """
    known = {CONFIG, ENVIRONMENT, CHECKPOINT, EPOCHS, LOG, *_RESULTS}
    if not out.is_dir() or any(path.name not in known and not path.name.startswith(".") for path in out.iterdir()):
        raise InputError(f"{out}: no run to resume; leave --resume out, or name the folder of a run")
    file, kept = _last_whole(out / EPOCHS)
    old = _recipe_of(out, file, kept, recipe)
    differences = _differences(old, recipe)
    if differences:
        raise InputError(
            f"{out}: was started with another recipe ({differences}); a resumed run may have its {MAY_CHANGE}; "
            f"give its own recipe, {out / CONFIG}, or choose another --out"
        )
    raised = old.optim.epochs if recipe.optim.epochs > old.optim.epochs else None
    _check_unfinished(recipe, out, kept, raised)
    done = 0 if kept is None else epochs_done(kept)
    if done and recipe.keep == "best":
        assert kept is not None
        if _read(out / EPOCHS / "best.ckpt") is None:
            raise InputError(
                f"{out / EPOCHS / 'best.ckpt'} is missing or damaged, and with it the best epoch; remove {out} and train anew"
            )
        if not any(f"'monitor': '{monitored(recipe)}'" in name for name in kept["callbacks"]):
            raise InputError(f"{out}: was begun by an earlier version, which chose its best epoch otherwise; train anew")
    if raised is not None and kept is not None and (patience := _spent_patience(kept)) is not None:
        raise InputError(
            f"{out}: optim.patience={patience} ended it after epoch {done} of {raised}, more optim.epochs train no further; "
            f"leave them at {raised}, or train anew elsewhere with more patience"
        )
    return UnfinishedRun(file, done, _environment(out, kept), raised, {} if kept is None else dict(kept.get("clips", {})))


def check_same_clips(begun: UnfinishedRun, clips: Mapping[str, str], out: Path) -> None:
    """Refuse to go on with other lists than those that a run was begun with; `clips` is the hash of the list of each split.

    Raises: InputError that names the splits.
    """
    if other := [split for split, known in begun.clips.items() if clips.get(split) != known]:
        raise InputError(
            f"{out}: the lists of its clips have changed since it was begun ({', '.join(other)}: other clips, paths or labels); "
            "put them back, or train anew elsewhere"
        )


def _spent_patience(kept: dict[str, Any]) -> int | None:
    """The patience that has ended a training, if one has."""
    for name, state in kept["callbacks"].items():
        if name.startswith("Patience") and state["wait_count"] >= state["patience"]:
            return int(state["patience"])
    return None


def monitored(recipe: Recipe) -> str:
    """The measure that the best epoch is chosen by: UAR on validation, with averaged weights where there are any."""
    return "val_UAR" if recipe.ema is None else "val_ema_UAR"


_RESULTS = ("metrics.json", "predictions.parquet")


def what_is_kept(recipe: Recipe, out: Path) -> str:
    """What an interrupted run leaves, and what to do, in words."""
    if not out.exists():
        return "nothing was begun; give the same command again"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, kept = _last_whole(out / EPOCHS)
    if kept is None:
        return f"no epoch has ended yet, {out} holds its recipe; go on with"
    within = f" and {batches} batches of the next" if (batches := batches_done(kept)) else ""
    return f"{epochs_done(kept)} of {recipe.optim.epochs} epochs{within} are kept in {out / EPOCHS}; go on with"


def resumed(out: Path) -> list[str]:
    """The option that goes on with what is kept."""
    return ["--resume"] if out.exists() else []


def _last_whole(folder: Path) -> tuple[Path | None, dict[str, Any] | None]:
    """The last checkpoint, or the one before it where that is damaged.

    Raises: InputError if neither is whole.
    """
    found = [file for file in (folder / LAST, folder / BEFORE) if file.is_file()]
    for file in found:
        if (kept := _read(file)) is not None:
            if file.name != LAST:
                warnings.warn(
                    f"{folder / LAST} is missing or damaged; going on from {file.name}, after epoch {epochs_done(kept)}",
                    stacklevel=4,
                )
            return file, kept
    if found:
        both = " and ".join(str(file) for file in found)
        raise InputError(f"{both} cannot be read; remove {folder.parent} and train anew")
    return None, None


def _read(file: Path) -> dict[str, Any] | None:
    """A checkpoint with all its bytes as they were written; None if it is not there or damaged."""
    try:
        with zipfile.ZipFile(file) as parts:
            if parts.testzip() is not None:
                return None
        kept = torch.load(file, map_location="cpu", weights_only=True)
        return kept if isinstance(kept, dict) and isinstance(kept.get("epoch"), int) else None
    except (OSError, RuntimeError, ValueError, KeyError, EOFError, zipfile.BadZipFile, pickle.UnpicklingError):
        return None


def _recipe_of(out: Path, file: Path | None, kept: dict[str, Any] | None, given: Recipe) -> Recipe:
    """The recipe that a run was started with; where no epoch has ended, a damaged or missing one is the one given."""
    config = out / CONFIG
    if config.is_file():
        try:
            return load_recipe(config)
        except InputError as error:
            if kept is None:
                return given
            raise InputError(f"{error}; remove {config}: the recipe is in {file}, too") from None
    if kept is None:
        if (out / CHECKPOINT).exists():
            raise InputError(f"{config} is missing; put it back, or remove {out} and train anew")
        return given
    if "recipe" not in kept:
        raise InputError(f"{config} is missing, and {file} does not tell the recipe; put it back, or remove {out} and train anew")
    return Recipe.parse(yaml.safe_load(kept["recipe"]), str(file))


def _differences(old: Recipe, new: Recipe) -> str:
    """What may not change when a run goes on, in words."""
    before, now = _flat(old.model_dump(mode="json")), _flat(new.model_dump(mode="json"))
    told = []
    for key in sorted(before.keys() | now.keys()):
        raised = key == "optim.epochs" and now[key] > before[key]
        if before.get(key) != now.get(key) and key not in FREE and not raised:
            told.append(f"{key}: {before.get(key, 'not there')} then, {now.get(key, 'not there')} now")
    more = len(told) - DIFFERENCES_TOLD
    return "; ".join(told[:DIFFERENCES_TOLD]) + (f"; and {more} more" if more > 0 else "")


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat


def _check_unfinished(recipe: Recipe, out: Path, kept: dict[str, Any] | None, raised: int | None) -> None:
    checkpoint = out / CHECKPOINT
    if not checkpoint.exists():
        return
    complete = f"{out}: the run is complete; its checkpoint is {checkpoint}; to train on, raise optim.epochs"
    if kept is None or not (checkpoint / CARD).is_file():
        raise InputError(complete)
    made = read_card(checkpoint).training.get("recipe", {}).get("optim", {}).get("epochs")
    if made == recipe.optim.epochs and raised is None:
        raise InputError(complete)
    progress = kept.get("loops", {}).get("fit_loop", {}).get("epoch_loop.batch_progress", {})
    if not progress.get("is_last_batch", True):
        raise InputError(f"{out}: --max-minutes ended it within an epoch, from where it cannot go on; train anew elsewhere")


def _environment(out: Path, kept: dict[str, Any] | None) -> dict[str, Any]:
    """What env.json says; where it is missing or damaged, only the source of the weights, if the epochs tell it."""
    file = out / ENVIRONMENT
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(values, dict):
            return values
    except (OSError, ValueError):
        pass
    warnings.warn(f"{file} is missing or damaged; it is made anew, and tells where the run goes on", stacklevel=3)
    return {} if kept is None or "init_from_sha256" not in kept else {"init_from_sha256": kept["init_from_sha256"]}

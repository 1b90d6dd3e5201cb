"""Run a checkpoint over a manifest once and keep what it said: predictions and named activations, see `collection`.

Everything is written into a hidden folder beside the target, which takes its name only when it is whole. An interrupted run
leaves that folder behind and is resumed by the same call.
"""

import hashlib
import json
import math
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from ifdd.checkpoints import Bundle
from ifdd.data.clips import load_clip
from ifdd.data.manifest import clip_path, data_hash, files_hash, read_manifest
from ifdd.errors import InputError
from ifdd.model import DFERModel
from workbench.analysis.saliency import is_spatial
from workbench.collection import ACTIVATIONS, MANIFEST, PREDICTIONS, SCHEMA, Collection, open_collection
from workbench.files import write_json
from workbench.provenance import DISTRIBUTION

Pool = Literal["mean"]
DEFAULT: tuple[str, ...] = (
    "head.logits",
    "head.embedding",
    *(f"issm.{what}_{group}" for what in ("offset", "position", "sample") for group in "SD"),
    "issm.correlation",
)
"""Kept unless other names are given; a model keeps those of them that it has."""
_STATE = "state.json"
_MARGIN = 64 * 2**20  # bytes left free on the disk, and room for the tables


def collect(
    bundle: Bundle,
    manifest: str | Path,
    out: str | Path,
    names: Sequence[str] = DEFAULT,
    pool: Pool | None = None,
    *,
    batch: int = 8,
) -> Collection:
    """Run `bundle` over the clips of `manifest`, where its model is, and write a Collection to the new folder `out`.

    Args:
        bundle: checkpoint; its own preprocessing but for the manifest's column `crop`, its labels in its own order.
        manifest: clips.parquet, or the folder that holds it.
        out: folder to make.
        names: activations to keep, as float16; logits, embedding and issm.* as float32.
        pool: "mean" keeps the mean over all positions of feature maps and tokens, (n, C) instead of all positions.
        batch: clips in memory at a time.

    Raises:
        InputError: `out` exists, unknown activations, a class that the checkpoint does not know, a broken clip, too
            little room on the disk, or none left while writing.
    """
    out = Path(out)
    if out.exists():
        raise InputError(f"{out} exists; choose another folder or remove it")
    names = _choose(bundle.model, names)
    clips = read_manifest(manifest)
    labels = _label_indexes(clips, bundle.labels, manifest)
    plan = _plan(bundle, names, pool, len(clips))
    meta = {
        "schema_version": SCHEMA,
        "checkpoint": {"name": bundle.name, "sha256": bundle.card.sha256},
        "labels": list(bundle.labels),
        "data": {"manifest": str(Path(manifest).resolve()), "hash": data_hash(clips), "reading": reading_hash(clips)},
        "code_version": version(DISTRIBUTION),
        "pool": pool,
        "clips": len(clips),
        "activations": {name: {"shape": list(stored.shape), "dtype": stored.dtype} for name, stored in plan.items()},
    }
    try:
        _run(bundle, clips, labels, out, plan, meta, batch)
    except OSError as error:
        raise InputError(
            f"{error.filename or out}: {error.strerror or error}; make room or choose another folder "
            "(the same call goes on where this one stopped)"
        ) from error
    return open_collection(out, bundle)


def seconds_to_collect(bundle: Bundle, manifest: str | Path) -> float:
    """About how many seconds `collect` takes here, from what the first two clips take.

    Raises: InputError as `collect` for a manifest or clips that cannot be read.
    """
    clips = read_manifest(manifest)
    rows = clips.head(2).to_dict("records")
    device = next(bundle.model.parameters()).device
    with torch.inference_mode():
        tensors = torch.stack([load_row(clips, row, bundle) for row in rows]).to(device)
        bundle.model.eval()(tensors)  # once for what is made at the first call only
        began = time.perf_counter()
        bundle.model(torch.stack([load_row(clips, row, bundle) for row in rows]).to(device))
    return (time.perf_counter() - began) / len(rows) * len(clips)


def _run(
    bundle: Bundle,
    clips: pd.DataFrame,
    labels: np.ndarray,
    out: Path,
    plan: "_Plan",
    meta: dict[str, Any],
    batch: int,
) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.parent / f".{out.name}.partial"
    done = _resume(partial, meta)
    _check_room(partial, plan, len(clips), done)
    files = {name: _RowFile(partial / ACTIVATIONS / f"{name}.npy", stored, len(clips), done) for name, stored in plan.items()}
    probabilities = _RowFile(partial / "probabilities.npy", _Stored((len(bundle.labels),), "float32"), len(clips), done)
    model = bundle.model.eval()
    device = next(model.parameters()).device
    with tqdm(total=len(clips), initial=done, desc=f"collect {bundle.name}", unit="clip", disable=None) as bar:
        for first, tensors in _batches(clips, bundle, done, batch):
            with torch.inference_mode():
                output, cache = model.run_with_cache(tensors.to(device), names=tuple(plan))
            probabilities.write(first, output.logits.float().softmax(-1).cpu().numpy())
            for name, file in files.items():
                file.write(first, _pooled(cache[name], name, meta["pool"]).float().cpu().numpy())
            write_json(partial / _STATE, {"key": meta, "done": first + len(tensors)})
            bar.update(len(tensors))
    table = _predictions(clips, labels, bundle.labels, np.load(probabilities.path, allow_pickle=False))
    table.to_parquet(partial / PREDICTIONS, index=False)
    write_json(partial / MANIFEST, meta)
    (partial / _STATE).unlink()  # first: without it nothing is taken for resumable
    probabilities.path.unlink()
    partial.rename(out)


@dataclass(frozen=True)
class _Stored:
    """Shape of one clip's row and type on disk."""

    shape: tuple[int, ...]
    dtype: str

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize


_Plan = dict[str, _Stored]
"""Activations to keep."""


class _RowFile:
    """A .npy file of known size that is written row by row.

    By plain writes and not through a memory map: on a full disk those raise an error instead of killing the process.
    """

    def __init__(self, path: Path, stored: _Stored, rows: int, done: int) -> None:
        self.path, self.stored = path, stored
        if not done:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                header = {"descr": np.lib.format.dtype_to_descr(np.dtype(stored.dtype)), "fortran_order": False}
                np.lib.format.write_array_header_1_0(file, header | {"shape": (rows, *stored.shape)})
        with path.open("rb") as file:
            np.lib.format.read_magic(file)
            np.lib.format.read_array_header_1_0(file)
            self._offset = file.tell()

    def write(self, first: int, values: np.ndarray) -> None:
        """Write rows `first` … of float32 `values`.

        Raises: InputError for a value that half precision cannot hold.
        """
        with np.errstate(over="ignore"):
            rows = values.astype(self.stored.dtype)
        if np.isinf(rows).any() and not np.isinf(values).any():
            raise InputError(
                f"{self.path.stem} reaches {np.abs(values).max():.3g}, more than float16 holds; leave it out of --names"
            )
        with self.path.open("r+b") as file:
            file.seek(self._offset + first * self.stored.nbytes)
            file.write(np.ascontiguousarray(rows).tobytes())


def reading_hash(clips: pd.DataFrame) -> str:
    """SHA-256 of what decides the pixels beside the list of clips: their files, and how they are cropped."""
    reading = [files_hash(clips), clips["crop"].tolist() if "crop" in clips else None]
    return hashlib.sha256(json.dumps(reading).encode()).hexdigest()


def _choose(model: DFERModel, names: Sequence[str]) -> tuple[str, ...]:
    if tuple(names) == DEFAULT:
        return tuple(name for name in DEFAULT if name in model.activation_names)
    return model.select_activations(tuple(dict.fromkeys(names)))


def _label_indexes(clips: pd.DataFrame, labels: Sequence[str], manifest: str | Path) -> np.ndarray:
    """Classes by name, in the order of the checkpoint."""
    unknown = sorted(set(clips["label_name"]) - set(labels))
    if unknown:
        raise InputError(
            f"{manifest} has classes that the checkpoint does not know: {', '.join(unknown)}; it has {', '.join(labels)}"
        )
    return clips["label_name"].map({label: i for i, label in enumerate(labels)}).to_numpy(np.int64)


def _plan(bundle: Bundle, names: tuple[str, ...], pool: Pool | None, clips: int) -> _Plan:
    """What one clip takes, found by running the model on an empty one."""
    config = bundle.model.config
    with torch.inference_mode():
        empty = torch.zeros(1, 3, config.frames, *config.size, device=next(bundle.model.parameters()).device)
        _, cache = bundle.model.run_with_cache(empty, names=names)
    return {
        name: _Stored(
            tuple(_pooled(cache[name], name, pool).shape[1:]),
            "float32" if name.startswith(("head.", "issm.")) and not is_spatial(name) else "float16",
        )
        for name in names
    }


def _pooled(activation: Tensor, name: str, pool: Pool | None) -> Tensor:
    """(B, C, T', H, W) or tokens (B, n, C) → (B, C), where it has places and pooling is asked for."""
    if pool is None or not is_spatial(name):
        return activation
    return activation.float().mean((2, 3, 4) if activation.dim() == 5 else 1)


def _check_room(partial: Path, plan: _Plan, clips: int, done: int) -> None:
    needed = sum(stored.nbytes for stored in plan.values()) * (clips - done) + _MARGIN
    free = shutil.disk_usage(partial.parent).free
    if needed > free:
        raise InputError(
            f"{partial.parent}: the collection needs {needed / 1e9:.2f} GB, {free / 1e9:.2f} GB are free; "
            "keep fewer activations (--names), their means (--pool mean), or choose another disk"
        )


def _resume(partial: Path, key: dict[str, Any]) -> int:
    """Number of clips that an interrupted run of the same collection has finished; else an empty folder is made."""
    state = partial / _STATE
    if state.is_file():
        try:
            found = json.loads(state.read_text(encoding="utf-8"))
        except ValueError:
            found = {}
        if found.get("key") == key:
            return int(found["done"])
    shutil.rmtree(partial, ignore_errors=True)
    return 0


def _batches(clips: pd.DataFrame, bundle: Bundle, done: int, size: int) -> Iterator[tuple[int, Tensor]]:
    rows = clips.to_dict("records")
    for first in range(done, len(rows), size):
        yield first, torch.stack([load_row(clips, row, bundle) for row in rows[first : first + size]])


def load_row(clips: pd.DataFrame, row: dict[Any, Any], bundle: Bundle) -> Tensor:
    """The clip (3, T, H, W) of one row of a manifest, as the checkpoint reads it."""
    crop = row.get("crop", "none")  # as the manifest's own column says: clips of a corpus are face crops already
    fps = float(row["fps"]) if row["kind"] == "frames" else None
    return load_clip(clip_path(clips, row), replace(bundle.preprocessing, crop=crop), fps=fps).tensor()


def _predictions(clips: pd.DataFrame, labels: np.ndarray, names: Sequence[str], probs: np.ndarray) -> pd.DataFrame:
    columns: dict[str, Any] = {
        "clip_id": clips["clip_id"],
        "fold": clips["fold"],
        "label": labels,
        "label_name": clips["label_name"],
    }
    columns |= {f"p_{name}": probs[:, i] for i, name in enumerate(names)}
    columns |= {name: clips[name] for name in clips.columns if name not in columns}
    return pd.DataFrame(columns)

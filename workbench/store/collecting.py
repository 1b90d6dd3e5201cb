"""Run a checkpoint over a manifest once and keep what it said: predictions and named activations, see `collection`.

Everything is written into a hidden folder beside the target, which takes its name only when it is whole. An interrupted run
leaves that folder behind and is resumed by the same call: the same checkpoint, clips, files, activations, batch, device and code.
"""

import json
import math
import shlex
import shutil
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ifdd.activations import Activation
from ifdd.checkpoints import Bundle, finite_logits
from ifdd.data.arrays import keep_rows
from ifdd.data.bad_clips import UNREADABLE, OnError, left_out, reason, settle, warnings_summary
from ifdd.data.clips import Clip, as_clips
from ifdd.data.decoded import decoded_already
from ifdd.data.manifest import clip_path, crop_notes, data_hash, has_labels, read_manifest, scene_path
from ifdd.data.row_clips import check_scenes, load_row_inputs
from ifdd.data.traces import seen_before
from ifdd.errors import InputError
from ifdd.inputs import Clips, each, stack, to_clips
from ifdd.io import check_new, unfinished_folder, write_json, write_whole
from ifdd.models.adapted import AdaptedModel
from ifdd.models.base import VideoModel
from ifdd.progress import tqdm
from ifdd.repository import code_hash
from workbench.results.provenance import DISTRIBUTION
from workbench.store.collection import ACTIVATIONS, MANIFEST, PREDICTIONS, SCHEMA, Collection, open_collection
from workbench.store.columns import CONTENT, kept_as, named_as, renaming_notes
from workbench.store.identity import content_of, reading_hash

Pool = Literal["mean"]
DEFAULT = None
"""Stands for the model's own `default_activations`: all that is small."""
_STATE, _PROBABILITIES = "state.json", "probabilities.npy"
_MARGIN = 64 * 2**20  # bytes left free on the disk, and room for the tables


def collect(
    bundle: Bundle,
    manifest: str | Path,
    out: str | Path,
    names: Sequence[str] | None = DEFAULT,
    pool: Pool | None = None,
    *,
    batch: int = 8,
    on_error: OnError = "stop",
    cache: Path | None = None,
    progress: bool | None = None,
) -> Collection:
    """Run `bundle` over the clips of `manifest`, where its model is, and write a Collection to the new folder `out`.

    Args:
        bundle: checkpoint; its own preprocessing but for the manifest's column `crop`, its labels in its own order.
        manifest: clips.parquet, or the folder that holds it.
        out: folder to make.
        names: activations to keep: those with places as float16, the others as float32; None: what the model keeps by default.
        pool: "mean" keeps the mean over all positions of feature maps and tokens, (n, C) instead of all positions.
        batch: clips in memory at a time.
        on_error: whether clips that cannot be read stop the run, after all have been tried, or are left out where they are few.
        cache: folder in which `ifdd train` and `ifdd evaluate` keep clips that they have decoded; those that are there, of the
            same files and read alike, are not decoded again. Nothing is put there: these clips are read once.
        progress: show a bar; by default in a terminal.

    Classes are matched to the checkpoint's by name, as `labels.match_labels` does; clips without labels are collected without.
    Columns of the manifest whose names are ours
    are kept as `columns.kept_as` says. What was left out or renamed stands in the manifest's `notes` and `left_out`.

    Raises:
        InputError: `out` exists, unknown activations, a class that the checkpoint does not know, clips that cannot be read, too
            little room on the disk, or none left while writing.

    >>> import tempfile
    >>> from ifdd import load_checkpoint
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (Path(folder) / "clip").mkdir()
    ...     for frame in range(4):
    ...         Image.new("RGB", (112, 112)).save(f"{folder}/clip/{frame}.png")
    ...     pd.DataFrame({"path": ["clip"], "label": ["happy"], "crop": ["none"]}).to_csv(f"{folder}/clips.csv", index=False)
    ...     said = collect(load_checkpoint("scripted-tiny-ifdd"), f"{folder}/clips.csv", f"{folder}/out", ["ladm.Y_D"])
    ...     said.probs.shape, said.activation("ladm.Y_D").shape
    ((1, 7), (1, 196, 64))
    """
    out = Path(out)
    check_new(out)
    names = _choose(bundle.model, names)
    clips = read_manifest(manifest)
    listed = data_hash(clips)  # as the list has its classes, whatever the checkpoint calls them
    check_scenes(clips, manifest, bundle.inputs)
    clips, notes = named_as(clips, bundle.labels, manifest)
    notes += crop_notes(clips, bundle.preprocessing.crop)
    places = [str(clip_path(clips, row)) for row in clips.itertuples()]
    notes += seen_before(bundle.card.data, clips["clip_id"].tolist(), places, clips["subject"])
    plan = _plan(bundle, names, pool)
    adapted = {"network": bundle.model.config.network, "given": bundle.given} if isinstance(bundle.model, AdaptedModel) else None
    meta = {
        "schema_version": SCHEMA,
        "checkpoint": {"name": bundle.name, "sha256": bundle.card.sha256},
        "labels": list(bundle.labels),
        "labelled": has_labels(clips),
        "data": {"manifest": str(Path(manifest).resolve()), "hash": listed, "reading": reading_hash(clips)},
        "code_version": version(DISTRIBUTION),
        "pool": pool,
        "clips": len(clips),
        "activations": {name: {"shape": list(stored.shape), "dtype": stored.dtype} for name, stored in plan.items()},
        "model": about_model(bundle.model),
    } | ({} if adapted is None else {"adapted": adapted})
    way_out = shlex.join(["workbench", "collect", *bundle.words, str(manifest), "--out", str(out), "--on-error", "skip"])
    single = len(bundle.inputs) == 1
    decoded = None if cache is None or not single else decoded_already(clips, bundle.preprocessing, cache)
    hidden = None if progress is None else not progress
    with unfinished_folder(out, _key(bundle, meta, batch)) as work:
        if not (work / MANIFEST).is_file():  # the last of its files
            _read_clips(
                bundle,
                clips,
                work,
                plan,
                meta,
                _batches(clips, bundle, batch, decoded),
                hidden,
                lambda bad, told: (
                    *notes,
                    *settle(bad, len(clips), manifest, on_error, way_out),
                    *warnings_summary(told, len(clips)),
                ),
            )
        for name in (_STATE, _PROBABILITIES):
            (work / name).unlink(missing_ok=True)
    return open_collection(out, bundle)


def seconds_to_collect(bundle: Bundle, manifest: str | Path) -> float:
    """About how many seconds `collect` takes here, from what the first two clips take.

    Raises: InputError as `collect` for a manifest or clips that cannot be read.
    """
    clips = read_manifest(manifest)
    device = next(bundle.model.parameters()).device
    began, tensors = 0.0, []
    for row in clips.head(20).to_dict("records"):
        with suppress(InputError):
            start = time.perf_counter()
            tensors.append(load_row(clips, row, bundle))
            began += time.perf_counter() - start
        if len(tensors) == 2:
            break
    if not tensors:
        raise InputError(f"{manifest}: none of its first clips can be read; `ifdd data index` says what is wrong with each")
    stacked = each(stack(tensors), lambda part: part.to(device))
    with torch.inference_mode():
        bundle.model.eval()(stacked)  # once for what is made at the first call only
        start = time.perf_counter()
        bundle.model(stacked)
    return (began + time.perf_counter() - start) / len(tensors) * len(clips)


def _key(bundle: Bundle, meta: dict[str, Any], batch: int) -> str:
    """All that the values of a collection depend on, to their last bit."""
    device = str(next(bundle.model.parameters()).device)
    return json.dumps({"collection": meta, "batch": batch, "device": device, "code": [torch.__version__, code_hash()]})


def _read_clips(
    bundle: Bundle,
    clips: pd.DataFrame,
    work: Path,
    plan: "_Plan",
    meta: dict[str, Any],
    batches: Callable[[int], "_Batches"],
    hidden: bool | None,
    accept: "_Accept",
) -> None:
    files = {name: _RowFile(work / ACTIVATIONS / f"{name}.npy", stored, len(clips)) for name, stored in plan.items()}
    files[_PROBABILITIES] = _RowFile(work / _PROBABILITIES, _Stored((len(bundle.labels),), "float32"), len(clips))
    done, bad, told = _resume(work, files, clips, bundle)
    _check_room(work, plan, len(clips), done)
    if not done:
        for file in files.values():
            file.create()
    model = bundle.model.eval()
    device = next(model.parameters()).device
    pause = 0.1 if sys.stderr.isatty() else 20  # seconds: a log is not to be filled
    title = f"collect {bundle.name}"
    with tqdm(total=len(clips), initial=done, desc=title, unit="clip", disable=hidden, mininterval=pause) as bar:
        for seen, tensors, failed, warned in batches(done):
            first = done - len(bad)  # rows hold the clips that could be read
            if tensors:
                with torch.inference_mode():
                    output, cache = model.run_with_cache(each(stack(tensors), lambda part: part.to(device)), names=tuple(plan))
                files[_PROBABILITIES].write(first, finite_logits(output.logits, bundle.name).float().softmax(-1).cpu().numpy())
                for name in plan:
                    values = _pooled(cache[name], bundle.model.describe(name), meta["pool"])
                    files[name].write(first, values.float().cpu().numpy())
            bar.update(seen - done)
            done, bad, told = seen, bad | failed, told | warned
            write_json(
                work / _STATE, {"done": done, "bad": bad, "told": told, "checks": {name: f.check for name, f in files.items()}}
            )
    notes = accept(bad, told)
    kept = clips[~clips["clip_id"].isin(list(bad))].reset_index(drop=True)
    kept.attrs = clips.attrs
    if bad:
        for file in files.values():
            file.shorten(len(kept))
    table = predictions_table(kept, bundle.labels, np.load(work / _PROBABILITIES, allow_pickle=False))
    write_whole(work / PREDICTIONS, lambda part: table.to_parquet(part, index=False, write_page_checksum=True))
    about = {"clips": len(kept), "notes": [*notes, *renaming_notes(table)]} | left_out(bad, len(clips))
    write_json(work / MANIFEST, meta | about)


_Told = dict[str, Sequence[str]]
"""What was warned of while clips were read, by id."""
_Accept = Callable[[Mapping[str, str], _Told], tuple[str, ...]]
"""Refuses the clips that could not be read (id → reason), or says that they are left out; and sums up the warnings."""


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

    def __init__(self, path: Path, stored: _Stored, rows: int) -> None:
        self.path, self.stored, self.rows = path, stored, rows
        self.check = 0  # CRC-32 of all rows so far
        self._offset = 0

    def create(self) -> None:
        """Make the file, without rows."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("wb") as file:
            header = {"descr": np.lib.format.dtype_to_descr(np.dtype(self.stored.dtype)), "fortran_order": False}
            np.lib.format.write_array_header_1_0(file, header | {"shape": (self.rows, *self.stored.shape)})
            self._offset = file.tell()

    def resume(self, done: int, check: int) -> bool:
        """Go on after `done` rows, if they are those whose CRC-32 is `check`."""
        try:
            with self.path.open("rb") as file:
                np.lib.format.read_magic(file)
                np.lib.format.read_array_header_1_0(file)
                self._offset, left = file.tell(), done * self.stored.nbytes
                while left and (block := file.read(min(left, 2**20))):
                    self.check = zlib.crc32(block, self.check)
                    left -= len(block)
        except (OSError, ValueError):
            return False
        return not left and self.check == check

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
            content = np.ascontiguousarray(rows).tobytes()
            file.write(content)
        self.check = zlib.crc32(content, self.check)

    def shorten(self, rows: int) -> None:
        """Leave the first `rows` alone: the others were meant for clips that cannot be read."""
        with self.path.open("r+b") as file:
            np.lib.format.read_magic(file)
            (found, *_), *_ = np.lib.format.read_array_header_1_0(file)
            if found == self.rows:  # an interrupted call may have shortened it already
                file.truncate(self._offset + self.rows * self.stored.nbytes)
        keep_rows(self.path, range(rows), self.rows)


def about_model(model: VideoModel) -> dict[str, Any]:
    """What a model says of itself and of its activations, for the collection's manifest."""
    return {
        "capabilities": sorted(model.capabilities),
        "branches": dict(model.branches),
        "activations": {name: model.describe(name).to_dict() for name in model.activation_names},
    }


def _choose(model: VideoModel, names: Sequence[str] | None) -> tuple[str, ...]:
    if names is None:
        return model.default_activations
    return model.select_activations(tuple(dict.fromkeys(names)))


def _plan(bundle: Bundle, names: tuple[str, ...], pool: Pool | None) -> _Plan:
    """What one clip takes, found by running the model on an empty one."""
    device = next(bundle.model.parameters()).device
    with torch.inference_mode():
        empty = {name: torch.zeros(1, *shape, device=device) for name, shape in bundle.model.inputs.items()}
        _, cache = bundle.model.run_with_cache(empty, names=names)
    return {
        name: _Stored(
            tuple(_pooled(cache[name], bundle.model.describe(name), pool).shape[1:]),
            "float16" if bundle.model.describe(name).spatial else "float32",
        )
        for name in names
    }


def _pooled(values: Tensor, told: Activation, pool: Pool | None) -> Tensor:
    """(B, C, T', H, W) or tokens (B, n, C) → (B, C), where it has places and pooling is asked for."""
    return values if pool is None else told.mean(values)


def _check_room(partial: Path, plan: _Plan, clips: int, done: int) -> None:
    needed = sum(stored.nbytes for stored in plan.values()) * (clips - done) + _MARGIN
    free = shutil.disk_usage(partial.parent).free
    if needed > free:
        raise InputError(
            f"{partial.parent}: the collection needs {needed / 1e9:.2f} GB, {free / 1e9:.2f} GB are free; "
            "keep fewer activations (--names), their means (--pool mean), or choose another disk"
        )


def _resume(work: Path, files: dict[str, _RowFile], clips: pd.DataFrame, bundle: Bundle) -> tuple[int, dict[str, str], _Told]:
    """Number of clips that an interrupted run has tried, if all their values are as it wrote them; the bad ones; the warnings."""
    try:
        state = json.loads((work / _STATE).read_text(encoding="utf-8"))
        done, checks, bad, told = int(state["done"]), dict(state["checks"]), dict(state["bad"]), dict(state["told"])
        whole = all(file.resume(done - len(bad), checks[name]) for name, file in files.items())
    except (OSError, ValueError, KeyError, TypeError):
        return 0, {}, {}
    if not whole or any(_readable(clips, row, bundle) for row in clips.to_dict("records") if row["clip_id"] in bad):
        for file in files.values():
            file.check = 0
        return 0, {}, {}
    return done, bad, told


def _readable(clips: pd.DataFrame, row: dict[Any, Any], bundle: Bundle) -> bool:
    try:
        load_row(clips, row, bundle)
    except UNREADABLE:
        return False
    return True


_Batches = Iterator[tuple[int, list[Clips], dict[str, str], _Told]]
"""After each batch: how many clips have been tried, tensors of those that could be read, why others could not, and warnings."""


def _batches(
    clips: pd.DataFrame, bundle: Bundle, size: int, decoded: tuple[np.ndarray, _Told] | None
) -> Callable[[int], _Batches]:
    """Batches after so many clips; from `decoded` pixels and their warnings, where they are there."""
    rows = clips.to_dict("records")

    def after(done: int) -> _Batches:
        for first in range(done, len(rows), size):
            last = min(first + size, len(rows))
            if decoded is not None:
                pixels, told = decoded
                known: _Told = {str(row["clip_id"]): told[row["clip_id"]] for row in rows[first:last] if row["clip_id"] in told}
                yield last, list(to_clips(torch.from_numpy(np.array(pixels[first:last]))).contiguous()), {}, known
                continue
            tensors: list[Clips] = []
            failed: dict[str, str] = {}
            warned: _Told = {}
            for row in rows[first:last]:
                try:
                    read = read_inputs(clips, row, bundle)
                    tensors.append(as_clips(read))
                    if warnings := tuple(dict.fromkeys(note for clip in read.values() for note in clip.warnings)):
                        warned[str(row["clip_id"])] = warnings
                except UNREADABLE as error:
                    cause = error.__cause__ if isinstance(error.__cause__, UNREADABLE) else error  # without advice for one clip
                    failed[str(row["clip_id"])] = reason(cause, clip_path(clips, row))
            yield last, tensors, failed, warned

    return after


def read_inputs(clips: pd.DataFrame, row: dict[Any, Any], bundle: Bundle) -> dict[str, Clip]:
    """The clip of one row of a manifest, as each input of the checkpoint reads it.

    Of several inputs each crops as its own preprocessing says, unless the row says "none": then the clip is a crop already.
    Raises: InputError that names the clip and a way out that any command over a list has.
    """
    path = clip_path(clips, row)
    try:
        return load_row_inputs(clips, row, bundle.inputs)
    except UNREADABLE as error:
        raise InputError(f"{path}: {reason(error, path)}; mend it, or leave it out of the list") from error


def read_row(clips: pd.DataFrame, row: dict[Any, Any], bundle: Bundle) -> Clip:
    """The clip of one row of a manifest, for a checkpoint of one input.

    Raises: InputError as `read_inputs`, and for a checkpoint that reads several.
    """
    if len(bundle.inputs) > 1:
        raise InputError(
            f"{bundle.name} reads {' and '.join(bundle.inputs)}, this shows one clip of one input; workbench explain and "
            "saliency show both"
        )
    return next(iter(read_inputs(clips, row, bundle).values()))


def load_row(clips: pd.DataFrame, row: dict[Any, Any], bundle: Bundle) -> Any:
    """The tensor (3, T, H, W) of one row of a manifest, of several inputs by their names. Raises: as `read_inputs`."""
    return as_clips(read_inputs(clips, row, bundle))


def predictions_table(clips: pd.DataFrame, names: Sequence[str], probs: np.ndarray) -> pd.DataFrame:
    """What predictions.parquet of a collection holds: the clips, what was said of each, and hashes of their contents."""
    columns: dict[str, Any] = {name: clips[name] for name in ("clip_id", "fold", "label", "label_name")}
    columns |= {f"p_{name}": probs[:, i] for i, name in enumerate(names)}
    renamed = kept_as(clips.columns, names)
    columns |= {renamed.get(name, name): clips[name] for name in clips.columns if name not in columns or name in renamed}
    rows = tqdm(clips.itertuples(), desc="hash clips", total=len(clips), unit="clip", disable=None, delay=2, leave=False)
    columns[CONTENT] = [content_of(clip_path(clips, row), scene_path(clips, row)) for row in rows]
    return pd.DataFrame(columns)

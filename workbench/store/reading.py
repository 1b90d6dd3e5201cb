"""Several checkpoints over one set of clips, each backbone run once for all that share it."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ifdd.activations import Activation
from ifdd.checkpoints import Bundle, finite_logits
from ifdd.data.clipset import ClipSet, as_tensors
from ifdd.documents import read_cached
from ifdd.hooks import HookFunction
from ifdd.inputs import each, to_clips
from ifdd.io import make_once
from ifdd.models.base import VideoModel
from ifdd.progress import tqdm
from ifdd.repository import code_hash
from ifdd.training.backbone_cache import backbone_key, content_hash, weights_hash
from ifdd.training.clipsets import shown_to
from ifdd.training.controls import as_tensor, oracle_split
from ifdd.training.order import ordered_batches

FORM = 2
"""Raised when kept readings mean something else; older ones are made again."""


@dataclass(frozen=True, eq=False)
class Reading:
    """What a checkpoint says of n clips: `probs` (n, classes) and activations.

    Feature maps are averaged over space alone, (n, C, T' or K); tokens over all positions, (n, C); places are (n, K).
    """

    probs: np.ndarray
    activations: dict[str, np.ndarray]


def read_clips(
    bundles: Mapping[str, Bundle],
    clips: ClipSet,
    *,
    names: Sequence[str] = (),
    batch: int = 16,
    title: str = "read",
    cache: Path | None = None,
) -> dict[str, Reading]:
    """Probabilities and the activations `names`, where a model has them, of every checkpoint over all clips.

    With `cache`, readings are kept there and not made twice: a new checkpoint beside old ones costs only itself.
    Raises: InputError when the disk refuses, or for told places of clips whose truth is not known.
    """
    shown = {name: shown_to(bundle.card, clips) for name, bundle in bundles.items()}
    found: dict[str, Reading] = {}
    folders: dict[str, Path] = {}
    if cache is not None:
        content = content_hash(clips)
        folders = {name: cache / f"reading-{_key(bundles[name].model, shown[name], content, names)[:24]}" for name in bundles}
        found = {name: _load(folder) for name, folder in folders.items() if folder.is_dir()}
    shared: dict[str, list[str]] = {}
    for name, bundle in bundles.items():
        if name in found:
            continue
        order = f"{bundle.card.control.frames} {bundle.card.training.get('recipe', {}).get('seed')}"
        shared.setdefault(f"{backbone_key(bundle.model)} {order}", []).append(name)
    for members in tqdm(shared.values(), desc=title, unit="backbone", disable=None, leave=False):
        read = _read_shared({name: bundles[name] for name in members}, {name: shown[name] for name in members}, names, batch)
        for name, reading in read.items():
            if name in folders:
                _save(reading, folders[name])
        found |= read
    return {name: found[name] for name in bundles}


def _key(model: VideoModel, shown: ClipSet, content: str, names: Sequence[str]) -> str:
    """Hash of all that a reading depends on: `content` is that of the pixels in their own order."""
    told = hashlib.sha256(b"".join(array.tobytes() for array in (shown.order, shown.places) if array is not None)).hexdigest()
    code = code_hash("models", "modules")  # what an earlier version of it read is read again
    kept = " ".join(name for name in names if name in model.activation_names)
    return weights_hash(model, f"{FORM} {model.config} {content} {told} {kept} {torch.__version__} {code}")


def _save(reading: Reading, folder: Path) -> None:
    def fill(work: Path) -> None:
        for name, array in {"probs": reading.probs, **reading.activations}.items():
            np.save(work / f"{name}.npy", array, allow_pickle=False)

    make_once(folder, fill)


def _load(folder: Path) -> Reading:
    arrays = {file.stem: np.array(read_cached(file)) for file in sorted(folder.glob("*.npy"))}
    return Reading(arrays.pop("probs"), arrays)


@torch.no_grad()
def _read_shared(bundles: dict[str, Bundle], shown: dict[str, ClipSet], names: Sequence[str], batch: int) -> dict[str, Reading]:
    first = next(iter(bundles))
    clips, encoder = shown[first], bundles[first].model
    device = next(encoder.parameters()).device
    probs: dict[str, list[np.ndarray]] = {name: [] for name in bundles}
    kept: dict[str, dict[str, list[np.ndarray]]] = {name: {} for name in bundles}
    with ExitStack() as stack:
        for bundle in bundles.values():
            stack.enter_context(bundle.model.evaluating())
        for index in ordered_batches(len(clips), batch):
            pixels = each(as_tensors(clips.read(index)), lambda part: to_clips(part.to(device)))
            # cut behind the part that is shared, unless activations are asked for, which may lie in it
            stages = encoder.encode(pixels) if names else encoder.read_kept(pixels)
            for name, bundle in bundles.items():
                model = bundle.model
                wanted = [key for key in names if key in model.activation_names]
                keep = {key: _keeper(model.describe(key), kept[name].setdefault(key, [])) for key in wanted}
                # told places first: hooks run in the order in which they are set
                with oracle_split(model, as_tensor(shown[name].places, index, device)), model.hooks(keep):
                    behind = tuple(stage.to(device) for stage in stages)
                    logits = (model.decode(behind) if names else model.go_on(behind)).logits
                probs[name].append(finite_logits(logits, name).double().softmax(-1).cpu().numpy())
    return {
        name: Reading(np.concatenate(probs[name]), {key: np.concatenate(parts) for key, parts in kept[name].items()})
        for name in bundles
    }


def _keeper(told: Activation, into: list[np.ndarray]) -> HookFunction:
    def keep(values: Tensor) -> None:
        into.append(told.mean(values, time=False).double().cpu().numpy())

    return keep

"""What a backbone makes of a set of clips, read once and kept: for trainings that leave the backbone as it is."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ifdd.data.arrays import new_array
from ifdd.data.clipset import ClipSet, as_tensors
from ifdd.documents import read_cached
from ifdd.inputs import each, to_clips
from ifdd.io import make_once
from ifdd.models.base import VideoModel
from ifdd.progress import tqdm

Stages = dict[int, np.ndarray]
"""Place in what `VideoModel.read_kept` returns → features (n, …) float32, memory-mapped; what is empty there is missing."""

BATCH = 16


def backbone_key(model: VideoModel) -> str:
    """SHA-256 of all that the stages of a clip depend on: two models with one key make the same stages."""
    return weights_hash(model.get_submodule(model.kept_part), model.kept_depends_on)  # without a part: the whole model


def weights_hash(module: nn.Module, about: str) -> str:
    """SHA-256 of `about`, and of names and bytes of all weights and buffers."""
    digest = hashlib.sha256(about.encode())
    for name, tensor in module.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


@torch.no_grad()
def read_stages(
    model: VideoModel, clips: ClipSet, cache: Path, *, mirrored: bool = False, title: str = "backbone", progress: bool = True
) -> Stages:
    """Stages of all clips, from left to right or mirrored; made once, then read from `cache`.

    Raises: InputError when the disk refuses.
    """
    key = hashlib.sha256(f"{backbone_key(model)} {mirrored} {content_hash(clips)}".encode()).hexdigest()
    folder = cache / f"stages-{key[:24]}"
    make_once(folder, lambda work: _write(model, clips, work, mirrored, title, progress))
    return {int(file.stem): read_cached(file) for file in sorted(folder.glob("*.npy"))}


def _write(model: VideoModel, clips: ClipSet, folder: Path, mirrored: bool, title: str, progress: bool) -> None:
    device = next(model.parameters()).device
    kept: dict[int, np.memmap] = {}
    with model.evaluating():
        for start in tqdm(range(0, len(clips), BATCH), desc=title, unit="batch", disable=not progress):
            index = list(range(start, min(start + BATCH, len(clips))))
            pixels = each(as_tensors(clips.read(index)), lambda part: to_clips((part.flip(3) if mirrored else part).to(device)))
            for stage, found in enumerate(model.read_kept(pixels)):
                if not found.numel():
                    continue
                features = found.float().cpu().numpy()
                if stage not in kept:
                    kept[stage] = new_array(folder / f"{stage}.npy", (len(clips), *features.shape[1:]), np.float32)
                kept[stage][index] = features
    for array in kept.values():
        array.flush()


def content_hash(clips: ClipSet) -> str:
    """BLAKE2b of all pixels and their shape."""
    digest = hashlib.blake2b(str(clips.pixels.shape).encode())
    for start in range(0, len(clips), BATCH):
        pixels = clips.read(list(range(start, min(start + BATCH, len(clips)))))
        for part in pixels.values() if isinstance(pixels, dict) else (pixels,):
            digest.update(part.tobytes())
    return digest.hexdigest()


def as_stages(found: Stages, index: Sequence[int], device: str | torch.device = "cpu") -> tuple[Tensor, ...]:
    """Some clips' stages as `VideoModel.go_on` takes them; those that it does not read are empty."""
    last = max(found)
    return tuple(
        torch.from_numpy(found[stage][list(index)]).to(device) if stage in found else torch.empty(0) for stage in range(last + 1)
    )

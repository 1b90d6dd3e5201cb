"""Several checkpoints over one set of clips, each backbone run once for all that share it."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ifdd.checkpoints import Bundle
from ifdd.hooks import HookFunction
from ifdd.training.augment import to_clips
from ifdd.training.clipsets import ClipSet, shown_to
from ifdd.training.datamodule import ordered_batches
from ifdd.training.oracle import as_tensor, told_where
from ifdd.training.stages import backbone_key


@dataclass(frozen=True)
class Reading:
    """What a checkpoint says of n clips: `probs` (n, classes) and activations, averaged over positions: (n, C) or (n, K)."""

    probs: np.ndarray
    activations: dict[str, np.ndarray]


def read_clips(
    bundles: Mapping[str, Bundle], clips: ClipSet, *, names: Sequence[str] = (), batch: int = 16, title: str = "read"
) -> dict[str, Reading]:
    """Probabilities and the activations `names`, where a model has them, of every checkpoint over all clips."""
    shown = {name: shown_to(bundle.card, clips) for name, bundle in bundles.items()}
    shared: dict[str, list[str]] = {}
    for name, bundle in bundles.items():
        frames = bundle.card.training.get("recipe", {}).get("frames_shown", "all")
        shared.setdefault(
            f"{backbone_key(bundle.model)} {frames} {bundle.card.training.get('recipe', {}).get('seed')}", []
        ).append(name)
    found: dict[str, Reading] = {}
    for members in tqdm(shared.values(), desc=title, unit="backbone", disable=None, leave=False):
        found |= _read_shared({name: bundles[name] for name in members}, {name: shown[name] for name in members}, names, batch)
    return {name: found[name] for name in bundles}


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
            stages = encoder.encode(to_clips(torch.from_numpy(clips.read(index)).to(device)))
            for name, bundle in bundles.items():
                model = bundle.model
                wanted = [key for key in names if key in model.activation_names]
                keep = {key: _keeper(kept[name].setdefault(key, [])) for key in wanted}
                # told places first: hooks run in the order in which they are set
                with told_where(model, as_tensor(shown[name].places, index, device)), model.hooks(keep):
                    logits = model.decode(tuple(stage.to(device) for stage in stages)).logits
                probs[name].append(logits.double().softmax(-1).cpu().numpy())
    return {
        name: Reading(np.concatenate(probs[name]), {key: np.concatenate(parts) for key, parts in kept[name].items()})
        for name in bundles
    }


def _keeper(into: list[np.ndarray]) -> HookFunction:
    def keep(activation: Tensor) -> None:
        if activation.dim() == 5:  # (B, C, T, H, W)
            activation = activation.mean((2, 3, 4))
        elif activation.dim() == 3:  # tokens (B, N, C)
            activation = activation.mean(1)
        into.append(activation.double().cpu().numpy())

    return keep

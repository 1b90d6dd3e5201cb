"""Checkpoints of the released code (CyberPegasus/IFDD, `.pth`) → checkpoints of ours."""

import pickle
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from ifdd.checkpoints import Card, library_versions, save_checkpoint
from ifdd.data.preprocessing import Preprocessing
from ifdd.errors import InputError
from ifdd.weights import from_reference

NOTICE = "Weights trained elsewhere and converted: what they were trained and tested on is not known here."

UNREADABLE = (
    pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError,
    MemoryError, AssertionError, struct.error, OSError,
)  # fmt: skip
"""What PyTorch raises of a damaged pickle: whatever its own machine stumbles over."""


def convert(
    file: str | Path, out: str | Path, labels: Sequence[str], which: Literal["ema", "model"] = "model", **overrides: Any
) -> Path:
    """Convert `file` (a dict with epoch, model, opt, ema) and write the checkpoint folder `out`; returns it.

    Args:
        file: what the released code saved; it is read without running any code of it.
        out: folder to make; its name is the checkpoint's.
        labels: class names in the order of the logits, which the file does not tell (the corpora's orders differ).
        which: the last weights, or their moving average.
        overrides: fields of ModelConfig that leave no trace in names and shapes.

    Raises:
        InputError: not such a file, no such weights, keys that do not fit, labels that are not as many as the classes.
    """
    model = from_reference(read_weights(Path(file), which), **overrides)
    config = model.config
    if len(labels) != config.num_classes or len(set(labels)) != len(labels):
        raise InputError(f"{file} has {config.num_classes} classes; give as many different names, not {', '.join(labels)}")
    card = Card(
        name=Path(out).name,
        notice=NOTICE,
        model=config,
        labels=tuple(labels),
        preprocessing=Preprocessing(config.frames, config.size).to_dict(),
        data={},
        training={"converted_from": Path(file).name, "weights": which},
        metrics={},
        versions=library_versions(),
    )
    return save_checkpoint(out, model, card)


def read_weights(file: Path, which: str) -> Mapping[str, Tensor]:
    """The state dict of a released checkpoint; a file that is itself a state dict is taken as it is.

    Raises: InputError.
    """
    if not file.is_file():
        raise InputError(f"{file}: no such file; check the spelling")
    try:
        payload = torch.load(file, map_location="cpu", weights_only=True)
    except UNREADABLE as error:
        reason = str(error).split("\n", 1)[0]
        raise InputError(f"{file}: not a file of weights that can be read safely ({reason}); give the released .pth") from error
    if _is_state_dict(payload):
        return payload
    if not isinstance(payload, dict) or which not in payload:
        found = ", ".join(map(str, payload)) if isinstance(payload, dict) else type(payload).__name__
        raise InputError(f"{file}: holds no {which!r}, only {found}; choose other --weights")
    weights = payload[which]
    if not _is_state_dict(weights):
        raise InputError(f"{file}: its {which!r} is no state dict; choose other --weights")
    return weights


def _is_state_dict(value: Any) -> bool:
    return isinstance(value, Mapping) and len(value) > 0 and all(isinstance(item, Tensor) for item in value.values())

"""What analyses ask of any video model: its logits, the classes to explain, and everything left as it was."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ifdd.activations import Activation
from ifdd.errors import InputError
from ifdd.hooks import evaluating as evaluating
from ifdd.inputs import Clips, of_input, rows_of
from ifdd.models.base import VideoModel

_FREEZING = threading.RLock()

Classes = int | str | Sequence[int | str] | None
"""A class, one for each clip, or None."""


def describe(model: nn.Module, name: str) -> Activation:
    """What an activation of any model is; a sub-module of a foreign one returns a volume (B, C, T', h, w)."""
    return model.describe(name) if isinstance(model, VideoModel) else Activation.of(name, "B C T H W")


def check_given(model: nn.Module, clips: Clips, *, several: bool = False) -> None:
    """Refuse what is no model or no clips, before anything is asked of it; a dictionary by input only for `several` inputs.

    Raises: InputError.
    """
    if not isinstance(model, nn.Module):
        given = type(model).__name__
        raise InputError(f"the model is a {given}; give a torch module" + (" (bundle.model)" if given == "Bundle" else ""))
    if not (isinstance(clips, Tensor) or (several and isinstance(clips, Mapping))):
        raise InputError(
            f"clips are a {type(clips).__name__}; give a tensor (clips, 3, T, H, W), e.g. load_clip(…).tensor()[None]"
        )


def arrays_of(clips: Clips) -> dict[str, np.ndarray]:
    """The numbers of the clips, for a result's provenance."""
    named = clips if isinstance(clips, Mapping) else {"clips": clips}
    return {name: part.detach().float().cpu().numpy() for name, part in named.items()}


def logits_of(model: nn.Module, clips: Clips) -> Tensor:
    """Logits (B, classes) of clips (B, 3, T, H, W), whether the model returns them or an output that has them.

    Raises: InputError for a model that returns something else.
    """
    output = model(clips)
    logits = output if isinstance(output, Tensor) else getattr(output, "logits", None)
    if not isinstance(logits, Tensor) or logits.dim() != 2:
        raise InputError(
            f"the model returns {type(output).__name__}; an analysis needs logits (clips, classes), or an output with .logits"
        )
    return logits


@contextmanager
def frozen(model: nn.Module) -> Iterator[None]:
    """Evaluation mode, and parameters that take no gradient: a backward pass then keeps less, and leaves no `.grad`.

    One thread at a time: another one would restore the flags that it found.
    """
    with _FREEZING:
        flags = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
        try:
            for parameter, _ in flags:
                parameter.requires_grad_(False)
            with evaluating(model):
                yield
        finally:
            for parameter, flag in flags:
                parameter.requires_grad_(flag)


def choose_classes(model: nn.Module, target: Classes, logits: Tensor, what: str = "target") -> Tensor:
    """Class indexes (B,) of indexes or, where the model knows its labels, names; None stands for the predicted ones.

    Raises: InputError for a class that is not there, or another number of them.
    """
    batch, classes = logits.shape
    if target is None:
        return logits.detach().argmax(1)
    chosen = _indexes(target, getattr(model, "labels", None), classes, what)
    chosen = chosen.expand(batch) if chosen.dim() == 0 else chosen
    whole = not (chosen.is_floating_point() or chosen.is_complex() or chosen.dtype == torch.bool)
    if not whole or chosen.shape != (batch,) or bool(((chosen < 0) | (chosen >= classes)).any()):
        raise InputError(f"{what} {target} is no class for {batch} clips; classes are 0 to {classes - 1}")
    return chosen.to(logits.device, torch.int64)


def _indexes(target: Any, labels: Sequence[str] | None, classes: int, what: str) -> Tensor:
    """Classes as a tensor of whole numbers, or of whatever they are."""
    if isinstance(target, str):
        target = [target]
        return _indexes(target, labels, classes, what)[0]
    try:
        named = not isinstance(target, Tensor) and any(isinstance(item, str) for item in target)
    except TypeError:  # one number
        named = False
    if named:
        if labels is None:
            raise InputError(
                f"{what} {list(target)} names classes, which this model does not know; give numbers from 0 to {classes - 1}, "
                "or take the model of a checkpoint (load_checkpoint)"
            )
        if unknown := [item for item in target if isinstance(item, str) and item not in labels]:
            raise InputError(f"{what} {unknown[0]!r} is no class of this model; its classes are {', '.join(labels)}")
        target = [labels.index(item) if isinstance(item, str) else item for item in target]
    try:
        return torch.tensor(target) if isinstance(target, np.ndarray) else torch.as_tensor(target)  # a result's are read-only
    except (TypeError, ValueError, RuntimeError):
        raise InputError(f"{what} {target!r} is no class; give a number from 0 to {classes - 1}, or a name") from None


@dataclass(frozen=True, eq=False)
class Contrast:
    """What is explained of each clip: the logit of a class, `classes` (B,), minus that of another, `others` (B,), if any."""

    classes: Tensor
    others: Tensor | None = None

    def score(self, logits: Tensor) -> Tensor:
        """The score (B,) of logits (B, classes).

        >>> Contrast(torch.tensor([0, 1]), torch.tensor([1, 0])).score(torch.tensor([[3.0, 1.0], [2.0, 2.5]])).tolist()
        [2.0, 0.5]
        """
        own = logits.gather(1, self.classes[:, None])[:, 0]
        return own if self.others is None else own - logits.gather(1, self.others[:, None])[:, 0]

    def probability(self, logits: Tensor) -> Tensor:
        """Probability (B,) of the class."""
        return logits.softmax(1).gather(1, self.classes[:, None])[:, 0]

    def of_clip(self, i: int, count: int) -> "Contrast":
        """That of `count` variants of clip `i`."""
        return Contrast(self.classes[i].expand(count), None if self.others is None else self.others[i].expand(count))

    def arrays(self) -> dict[str, np.ndarray]:
        """The classes as `target` and `against`, for a result's provenance."""
        found = {"target": self.classes.cpu().numpy()}
        return found if self.others is None else found | {"against": self.others.cpu().numpy()}


def choose_contrast(model: nn.Module, target: Classes, against: Classes, logits: Tensor) -> Contrast:
    """The classes to explain, by default the predicted ones, and those whose logits are subtracted, if any.

    Raises: InputError as `choose_classes`, or for a class against itself.
    """
    chosen = choose_classes(model, target, logits)
    if against is None:
        return Contrast(chosen)
    others = choose_classes(model, against, logits, "against")
    same = torch.nonzero(chosen == others).flatten().tolist()
    if same:
        raise InputError(
            f"against {int(others[same[0]])} is the target of clip {same[0]}: their difference is zero; name another class"
        )
    return Contrast(chosen, others)


def target_index(target: str | None, labels: Sequence[str]) -> int | None:
    """Index of a class; None stays.

    Raises: InputError for a name that is not in `labels`, with those that are.
    """
    if target is not None and target not in labels:
        raise InputError(f"unknown class {target!r}; this checkpoint knows {', '.join(labels)}")
    return None if target is None else list(labels).index(target)


def in_chunks(function: Callable[[Any], Tensor], clips: Clips, batch: int) -> Tensor:
    """Apply a function to a few clips at a time, of several inputs by their names."""
    firsts = range(0, len(of_input(clips, None)), batch)
    return torch.cat([function(rows_of(clips, slice(first, first + batch))) for first in firsts])


def check_finite(values: Tensor, what: str) -> None:
    """Refuse NaN and infinity, naming the first clip that has them.

    Raises: InputError.
    """
    bad = torch.nonzero(~torch.isfinite(values.flatten(1)).all(1)).flatten().tolist()
    if bad:
        raise InputError(f"{what} of clip {bad[0]} holds NaN or infinity; look for a diverged model or an overflow")

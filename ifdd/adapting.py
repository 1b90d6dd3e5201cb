"""Any network on clips as a checkpoint of ours: collected, mapped, embedded and explained as those are.

import torchvision, workbench

def r3d():  # workbench collect --model mine.py:r3d
    network = torchvision.models.video.r3d_18(num_classes=7)  # and its weights
    return workbench.adapt(network, labels=[…], activations={"X": "layer4"}, normalise="kinetics")
"""

import difflib
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ifdd.card import Card
from ifdd.checkpoints import Bundle, library_versions
from ifdd.data.preprocessing import Preprocessing
from ifdd.documents import one_line
from ifdd.errors import InputError
from ifdd.hooks import evaluating
from ifdd.models.adapted import AdaptedConfig, AdaptedModel, Layer, Part, as_map, first_of, logits_in
from ifdd.models.base import Normalise
from ifdd.own_code import call_factory

NORMS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "kinetics": ((0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989)),
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}
"""Means and standard deviations of the channels, by name. Source: torchvision's video and image weights."""
NOTICE = "A network of your own, as it was given: nothing is known of how it was trained."
_BATCH = 2
"""Clips of the dry run; with one, frames and clips could not be told apart."""
_SUM_ERROR = 1e-3
"""How far from 1 the sum of probabilities may be, which half precision is."""
_TAKEN = {"network", "normalise", "embedding", "logits", "place", "layers", "head", "reads"}


def adapt(
    module: nn.Module,
    labels: Sequence[str],
    preprocessing: Preprocessing | None = None,
    *,
    activations: Mapping[str, str | Layer],
    head: Part = "logits",
    name: str = "",
    normalise: str | tuple[Sequence[float], Sequence[float]] = "none",
) -> Bundle:
    """Any network on clips (B, 3, T, H, W) in [0, 1] as a bundle that everything here takes.

    Args:
        module: the network; `FrameWise` makes one of a network on pictures. It is not changed, but for the device that it is on.
        labels: classes in the order of its logits.
        preprocessing: how a video becomes a clip; by default 16 frames of 112 × 112, cropped to the face.
        activations: short names of the layers that maps are made of, by the path of the sub-module, or as a `Layer`.
        head: which part of the output holds the logits, where it is no tensor: a key, an attribute or a place.
        name: by default that of the class.
        normalise: "none", "kinetics", "imagenet", or mean and standard deviation of the three channels.

    Raises:
        InputError: no module, no layer of such a path (those that are near are named), a layer without places in the frame, clips
            that the network cannot read, another number of classes than labels, or logits that are not finite or are
            probabilities.

    >>> network = nn.Sequential(nn.Conv3d(3, 4, 3, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(4, 2))
    >>> bundle = adapt(network, ["happy", "sad"], Preprocessing(8, (32, 32)), activations={"X": "1"}, name="small")
    >>> bundle.model.branches, bundle.model.describe("X").axes, bundle.predict(torch.rand(3, 3, 8, 32, 32)).shape
    ({'X': 'X'}, ('B', 'C', 'T', 'H', 'W'), torch.Size([3, 2]))
    """
    if not isinstance(module, nn.Module):
        raise InputError(f"adapt takes a torch module, not a {type(module).__name__}")
    preprocessing = preprocessing or Preprocessing()
    layers = {key: Layer(given) if isinstance(given, str) else given for key, given in activations.items()}
    _check_names(module, layers)
    norm = _norm(normalise)
    clips = torch.full((_BATCH, 3, preprocessing.frames, *preprocessing.size), 0.5)
    first = next(module.parameters(), None)
    if first is not None:
        clips = clips.to(first.device, first.dtype)
        norm.to(first.device, first.dtype)
    logits, shapes, reads = _dry_run(module, norm(clips), layers, head)
    if logits.dim() != 2 or len(logits) != _BATCH:
        raise InputError(f"the network returns logits {tuple(logits.shape)} for {_BATCH} clips; they must be (clips, classes)")
    if logits.shape[1] != len(labels):
        raise InputError(f"the network has {logits.shape[1]} classes, {len(labels)} labels are given: {', '.join(labels)}")
    if not bool(logits.isfinite().all()):
        raise InputError(
            "the network gives NaN or infinity for a grey clip; load its weights, and see how it wants clips normalised"
        )
    if bool((logits >= 0).all()) and bool(((logits.double().sum(1) - 1).abs() < _SUM_ERROR).all()):
        raise InputError(
            "the network returns probabilities, rows of [0, 1] that sum to 1, and no logits; adapt it without its last softmax, "
            "or let it return their logarithm"
        )
    layers = {key: _placed(layer, shapes[key], preprocessing) for key, layer in layers.items()}
    clocks = {}
    for key, layer in layers.items():
        steps = as_map(shapes[key], layer, _BATCH)[0].shape[2]
        clocks[key] = "clip frames" if steps == preprocessing.frames else "feature frames"
    kind = f"{type(module).__module__}.{type(module).__qualname__}"
    config = AdaptedConfig.parse(
        {
            "network": kind,
            "num_classes": len(labels),
            "frames": preprocessing.frames,
            "size": preprocessing.size,
            "layers": {key: f"{layer.path} ({layer.axes})" for key, layer in layers.items()},
        },
        "adapt",
    )
    model = AdaptedModel(config, module, layers, head, norm, reads, clocks)
    card = {
        "name": name or type(module).__name__,
        "notice": NOTICE,
        "model": config,
        "labels": tuple(labels),
        "preprocessing": preprocessing.to_dict(),
        "data": {},
        "training": {},
        "metrics": {},
        "versions": library_versions(),
        "sha256": _digest(module, f"{config} {head} {normalise}"),
    }
    made = Card.parse_as(AdaptedConfig, card, "adapt")
    model.labels = made.labels
    return Bundle(model, made, preprocessing, Path(os.devnull) / made.name)  # no folder holds it


def load_own(text: str) -> Bundle:
    """What `--model MODULE:FACTORY` means: a function of the user's own that returns what `adapt` returns.

    Raises: InputError as `call_factory`, or for a function that returns anything else.
    """
    found = call_factory(text)
    if not isinstance(found, Bundle):
        raise InputError(f"--model {text}: returns a {type(found).__name__}; it has to return what workbench.adapt returns")
    return replace(found, given=text)


def _check_names(module: nn.Module, layers: Mapping[str, Layer]) -> None:
    """Raises: InputError for no layers, names that cannot be those of activations, or paths that are none."""
    if not layers:
        raise InputError("adapt: activations is empty; name the layers that maps are made of, e.g. activations={'X': 'layer4'}")
    known = dict(module.named_modules())
    for key, layer in layers.items():
        if not key.isidentifier() or key in _TAKEN or hasattr(nn.Module, key):
            raise InputError(f"adapt: {key!r} cannot name an activation; give a short word such as 'X'")
        if layer.path not in known or not layer.path:
            near = difflib.get_close_matches(layer.path, known, n=3, cutoff=0.5)
            told = f"near are {', '.join(near)}" if near else f"its first are {', '.join(list(known)[1:9])}, …"
            raise InputError(f"adapt: {type(module).__name__} has no layer {layer.path!r}; {told}")


def _norm(normalise: str | tuple[Sequence[float], Sequence[float]]) -> nn.Module:
    if normalise == "none":
        return nn.Identity()
    if isinstance(normalise, str) and normalise not in NORMS:
        raise InputError(f"adapt: normalise={normalise!r} is unknown; give none, {', '.join(NORMS)}, or (mean, std)")
    mean, std = NORMS[normalise] if isinstance(normalise, str) else normalise
    if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
        raise InputError(f"adapt: normalise={normalise!r} needs three means and three positive standard deviations")
    return Normalise(tuple(mean), tuple(std))


@torch.no_grad()
def _dry_run(
    module: nn.Module, clips: Tensor, layers: Mapping[str, Layer], head: Part
) -> tuple[Tensor, dict[str, Tensor], str | None]:
    """Logits of grey clips, what each layer returned, and the path of the linear layer that made the logits, if one did."""
    returned: dict[str, list[Any]] = {layer.path: [] for layer in layers.values()}
    linear: dict[str, Tensor] = {}
    seen: dict[str, Callable[..., None]] = {}
    for path in returned:
        seen[path] = lambda _module, _inputs, output, path=path: returned[path].append(output)
    with evaluating(module), _hooked(module, seen), _hooked(module, _linear(module, linear)):
        try:
            output = module(clips)
        except Exception as error:  # whatever the user's own code raises
            raise InputError(
                f"the network cannot read clips {tuple(clips.shape)}: {one_line(error)}; mend it, or its preprocessing"
            ) from error
    logits = logits_in(output, head)
    found = {}
    for key, layer in layers.items():
        calls = returned[layer.path]
        if len(calls) != 1:
            what = "is not run" if not calls else f"is run {len(calls)} times"
            raise InputError(f"adapt: {layer.path} {what} when the network reads clips; name a layer that is run once")
        found[key] = first_of(calls[0], layer)
    reads = [path for path, made in linear.items() if made.data_ptr() == logits.data_ptr() and made.shape == logits.shape]
    return logits, found, reads[-1] if reads else None


def _linear(module: nn.Module, made: dict[str, Tensor]) -> dict[str, Callable[..., None]]:
    """Hooks that keep what every linear layer returns."""
    paths = [path for path, part in module.named_modules() if isinstance(part, nn.Linear)]
    return {path: lambda _module, _inputs, output, path=path: made.update({path: output}) for path in paths}


@contextmanager
def _hooked(module: nn.Module, hooks: Mapping[str, Callable[..., None]]) -> Iterator[None]:
    handles = [module.get_submodule(path).register_forward_hook(hook) for path, hook in hooks.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _placed(layer: Layer, values: Tensor, preprocessing: Preprocessing) -> Layer:
    """The layer with its axes, told or seen from the shapes, once it is sure that its places lie as a clip's do.

    Raises: InputError for a layer without places, or one whose shapes do not tell.
    """
    shape = tuple(values.shape)
    if layer.axes:
        if not {"B", "C", "H", "W"} <= set(layer.axes):
            raise InputError(
                f"adapt: axes {layer.axes!r} of {layer.path} need the letters B, C, H and W, and T where it has times"
            )
        _, _, steps, height, width = as_map(values, layer, _BATCH)[0].shape
        if not _fits(steps, height, width, preprocessing):
            raise InputError(
                f"{layer.path} returns {shape}: by the axes {layer.axes!r} it has {steps} × {height} × {width} places, for clips "
                f"of {preprocessing.frames} × {preprocessing.size[0]} × {preprocessing.size[1]}; mend the axes or the shape"
            )
        return layer
    flat = [axes for axes in _GUESSES if len(axes.split()) == len(shape)]
    for axes in flat:
        guess = replace(layer, axes=axes)
        if axes.startswith("BT") != (len(shape) == 4 and shape[0] == _BATCH * preprocessing.frames):
            continue
        try:
            steps, height, width = as_map(values, guess, _BATCH)[0].shape[2:]
        except InputError:
            continue
        if _fits(steps, height, width, preprocessing):
            return guess
    raise InputError(
        f"{layer.path} returns {shape}, which does not tell its places in the frame; give "
        f'Layer("{layer.path}", axes=…), e.g. "B THW C" with shape=(T, h, w) for tokens, or name a layer before the pooling'
    )


_GUESSES = ("B C T H W", "B T H W C", "BT C H W", "BT H W C", "B C H W")
"""Axes that are tried, the first that fits a clip counts."""


def _fits(steps: int, height: int, width: int, preprocessing: Preprocessing) -> bool:
    """Whether so many places may be those of a clip: not more than it has, and of its proportions."""
    tall, wide = preprocessing.size
    return (
        steps <= preprocessing.frames
        and height <= tall
        and width <= wide
        and abs(height * wide - width * tall) <= max(tall, wide)
    )


def _digest(module: nn.Module, how: str) -> str:
    """SHA-256 of the weights, and of how the network is read."""
    digest = hashlib.sha256(f"{type(module).__qualname__} {how}".encode())
    for key, value in module.state_dict().items():
        if isinstance(value, Tensor):
            content = value.detach().cpu().contiguous()
            digest.update(f"{key} {tuple(content.shape)} {content.dtype}".encode())
            digest.update(content.flatten().view(torch.uint8).numpy().tobytes() if content.numel() else b"")
    return digest.hexdigest()

"""A network of a user's own as a model of ours: nothing of it is changed, what it computes is seen through hooks.

The network is read in evaluation mode, whatever mode it is in, and is in its own mode again after each call; so are its gradients
and hooks. A layer's output becomes a feature map (B, C, T', h, w) whatever its own axes are.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from ifdd.errors import InputError
from ifdd.hooks import HookPoint, evaluating
from ifdd.inputs import Clips
from ifdd.models.base import Output, VideoModel
from ifdd.models.config import Side, VideoConfig

MAP = ("B", "C", "T", "H", "W")
"""Axes of a feature map."""
Part = str | int
"""Which part of an output holds the logits: a key, an attribute, or a place in a tuple."""


@dataclass(frozen=True)
class Layer:
    """A sub-module whose output maps are made of, by its dotted path.

    `axes` of its output, letters that lie along one axis together: "B C T H W", "B T H W C", "B THW C" (tokens), "BT C H W" (a
    network that reads frames one by one); "" where shapes tell. `shape` are T', h and w of tokens; `skip` counts the tokens
    before them that have no place, such as a class token.
    """

    path: str
    axes: str = ""
    shape: tuple[int, int, int] | None = None
    skip: int = 0


class AdaptedConfig(VideoConfig):
    """What is known of the network: its class, what a clip is, and its layers by the names of their activations."""

    family: Literal["adapted"] = "adapted"
    network: str
    frames: Annotated[int, Field(ge=1)]
    size: tuple[Side, Side]
    layers: dict[str, str]

    @property
    def inputs(self) -> dict[str, tuple[int, int, int, int]]:
        """One clip."""
        return {"clip": (3, self.frames, *self.size)}

    @property
    def summary(self) -> str:
        """Its class, and what a clip is."""
        return f"{self.network} · {self.frames} frames of {self.size[1]} × {self.size[0]}"


class AdaptedModel(VideoModel):
    """Clips (B, 3, T, H, W) → Output, by a network of somebody else's.

    `reads` is the path of the linear layer that makes the logits, whose input is the embedding; None where there is none: then it
    is the mean of the first activation over its places.
    """

    def __init__(
        self,
        config: AdaptedConfig,
        network: nn.Module,
        layers: Mapping[str, Layer],
        head: Part,
        normalise: nn.Module,
        reads: str | None,
        clocks: Mapping[str, str],
    ) -> None:
        super().__init__(config)
        self.network, self.normalise = network, normalise
        self.layers, self.head, self.reads = dict(layers), head, reads
        for name in layers:
            self.add_module(name, HookPoint("B C T H W", role="branch", clock=clocks[name]))
        self.embedding = HookPoint("B C", role="embedding")
        self.logits = HookPoint("B classes", role="logits")
        if next(network.parameters(), None) is None:  # where it is, and in which type it computes, is asked of a parameter
            self.place = nn.Parameter(torch.zeros(()), requires_grad=False)
        self.branches = {name: name for name in layers}
        self.training = False

    def train(self, mode: bool = True) -> "AdaptedModel":
        """Change nothing: the network is the user's own, and is read in evaluation mode."""
        return self

    def forward(self, clips: Clips) -> Output:
        """Run the whole network. Raises: InputError as `check_clips`, or for an output without logits."""
        (pixels,) = self.check_clips(clips).values()
        seen: dict[str, Tensor] = {}
        with evaluating(self.network), ExitStack() as stack:
            for name, layer in self.layers.items():
                stack.enter_context(tapped(self.network, layer, len(pixels), self._through(name, seen)))
            if self.reads is not None:
                stack.enter_context(self._embedding(seen))
            output = self.network(self.normalise(pixels))
        logits = self.logits(logits_in(output, self.head))
        if "embedding" not in seen:
            seen["embedding"] = self.embedding(seen[next(iter(self.layers))].mean((2, 3, 4)))
        return Output(logits, seen["embedding"])

    def _through(self, name: str, seen: dict[str, Tensor]) -> Callable[[Tensor], Tensor | None]:
        """Show a feature map to the hooks of its activation; what they make of it goes on through the network."""
        point = self.get_submodule(name)

        def show(volume: Tensor) -> Tensor | None:
            seen[name] = point(volume)
            return seen[name] if point._forward_hooks else None

        return show

    @contextmanager
    def _embedding(self, seen: dict[str, Tensor]) -> Iterator[None]:
        def show(_module: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...] | None:
            seen["embedding"] = self.embedding(inputs[0])
            return (seen["embedding"], *inputs[1:]) if self.embedding._forward_hooks else None

        handle = self.network.get_submodule(self.reads or "").register_forward_pre_hook(show)
        try:
            yield
        finally:
            handle.remove()


@contextmanager
def tapped(network: nn.Module, layer: Layer, batch: int, show: Callable[[Tensor], Tensor | None]) -> Iterator[None]:
    """Show the output of a layer as a feature map while the block runs; what `show` returns replaces it.

    What goes on is a copy, since many networks change it in place.
    """

    def hook(_module: nn.Module, _inputs: Any, output: Any) -> Any:
        values = first_of(output, layer)
        volume, back = as_map(values, layer, batch)
        changed = show(volume)
        if changed is None:
            return None
        own = back(changed).clone()
        return own if isinstance(output, Tensor) else type(output)([own, *output[1:]])

    handle = network.get_submodule(layer.path).register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def first_of(output: Any, layer: Layer) -> Tensor:
    """What a layer returns, of a tuple or list the first. Raises: InputError for anything else."""
    found = output[0] if type(output) in (tuple, list) and output else output
    if not isinstance(found, Tensor):
        raise InputError(f"{layer.path} returns a {type(output).__name__}; name a layer that returns a tensor")
    return found


def as_map(values: Tensor, layer: Layer, batch: int) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """Values with the axes of a layer as a feature map (B, C, T', h, w), and what turns such a map into them again.

    Raises: InputError for axes that do not fit the values.

    >>> tokens = torch.arange(24.0).reshape(2, 6, 2)  # 1 × 2 × 3 places, 2 channels
    >>> found, back = as_map(tokens, Layer("x", "B THW C", (1, 2, 3)), 2)
    >>> found.shape, bool((back(found) == tokens).all())
    (torch.Size([2, 2, 1, 2, 3]), True)
    """
    axes = layer.axes.split()
    skipped, kept = values[:, : layer.skip], values[:, layer.skip :]
    if len(axes) != kept.dim():
        raise InputError(
            f"{layer.path} returns {tuple(values.shape)}, which has other axes than {layer.axes!r}; give "
            f'Layer("{layer.path}", axes=…), e.g. "B C T H W", "B T H W C", "B THW C" with shape=(T, h, w)'
        )
    letters = [letter for axis in axes for letter in axis]
    sizes = _sizes(kept, axes, layer, batch)
    order = [letters.index(letter) for letter in MAP if letter in letters]
    split = kept.reshape([sizes[letter] for letter in letters]).permute(order)
    volume = split if "T" in letters else split.unsqueeze(2)

    def back(changed: Tensor) -> Tensor:
        plain = changed if "T" in letters else changed.squeeze(2)
        whole = plain.permute([order.index(i) for i in range(len(order))]).reshape(kept.shape)
        return torch.cat([skipped, whole], 1) if layer.skip else whole

    return volume, back


def _sizes(values: Tensor, axes: Sequence[str], layer: Layer, batch: int) -> dict[str, int]:
    """How long each letter's axis is. Raises: InputError where that is not known, or does not fit."""
    known = {"B": batch} | ({} if layer.shape is None else dict(zip("THW", layer.shape, strict=True)))
    sizes: dict[str, int] = {}
    for axis, size in zip(axes, values.shape, strict=True):
        unknown = [letter for letter in axis if letter not in known]
        rest = math.prod(known[letter] for letter in axis if letter in known)
        if len(axis) == 1:
            sizes[axis] = size
            continue
        if set(unknown) == {"H", "W"} and math.isqrt(size // rest) ** 2 * rest == size:
            sizes |= dict.fromkeys("HW", math.isqrt(size // rest))
        elif len(unknown) == 1 and size % rest == 0:
            sizes[unknown[0]] = size // rest
        elif unknown or rest != size:
            raise InputError(
                f"{layer.path} returns {tuple(values.shape)}: {axis} has {size} places, which shape={layer.shape} and a batch of "
                f'{batch} do not tell apart; give Layer("{layer.path}", "{layer.axes}", shape=(T, h, w), skip=…)'
            )
        sizes |= {letter: known[letter] for letter in axis if letter in known}
    if sizes["B"] != batch or any(sizes[letter] != known.get(letter, sizes[letter]) for letter in sizes):
        raise InputError(f"{layer.path} returns {tuple(values.shape)}, which are no {layer.axes} of {batch} clips; mend its axes")
    return sizes


def logits_in(output: Any, head: Part) -> Tensor:
    """The part of a network's output that holds the logits: a tensor is taken as it is.

    Raises: InputError for an output without such a part.
    """
    if isinstance(output, Tensor):
        return output
    found: Any = None
    if isinstance(output, Mapping):
        found, have = output.get(head), f"the keys {', '.join(map(str, output))}"
    elif isinstance(head, int) and isinstance(output, tuple | list):
        found, have = (output[head] if -len(output) <= head < len(output) else None), f"{len(output)} parts"
    else:
        found = getattr(output, str(head), None)
        have = f"{len(output)} parts, taken by head=0, 1 …" if isinstance(output, tuple | list) else "other attributes"
    if not isinstance(found, Tensor):
        raise InputError(f"the network returns a {type(output).__name__} with {have}, and no logits at head={head!r}; name them")
    return found


class FrameWise(nn.Module):
    """A network that reads one picture, on every frame of a clip: (B, 3, T, H, W) → logits (B, classes), averaged over frames.

    `average` "logits", or "probabilities": then the mean of the frames' softmax counts, and its logarithm stands for the logits.
    `grey` takes the luma of BT.601 as the one channel; `size` scales the frames.

    >>> network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))
    >>> FrameWise(network)(torch.rand(4, 3, 8, 32, 32)).shape
    torch.Size([4, 2])
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        average: Literal["logits", "probabilities"] = "logits",
        size: tuple[int, int] | None = None,
        grey: bool = False,
    ) -> None:
        super().__init__()
        self.network, self.average, self.size, self.grey = network, average, size, grey

    def forward(self, clips: Tensor) -> Tensor:
        """Run the network on all frames at once."""
        batch, _, frames = clips.shape[:3]
        pictures = clips.transpose(1, 2).flatten(0, 1)
        if self.grey:
            weights = torch.tensor([0.299, 0.587, 0.114], dtype=clips.dtype, device=clips.device)
            pictures = torch.einsum("c,bchw->bhw", weights, pictures)[:, None]
        if self.size is not None:
            pictures = nn.functional.interpolate(pictures, self.size, mode="bilinear", antialias=True)
        logits: Tensor = self.network(pictures).unflatten(0, (batch, frames))
        return logits.mean(1) if self.average == "logits" else logits.softmax(-1).mean(1).log()

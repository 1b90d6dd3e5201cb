"""What every model of the workbench is: clips in, logits and an embedding out, with activations that describe themselves."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from ifdd.activations import STEPS, Activation
from ifdd.errors import InputError
from ifdd.hooks import HookedModule
from ifdd.inputs import Clips
from ifdd.models.config import VideoConfig
from ifdd.modules.precision import autocast_type

DEFAULT_ROLES = ("logits", "embedding", "offset", "position", "sample", "correlation")


@dataclass(frozen=True, eq=False)
class Output:
    """What a forward pass returns, in training and evaluation alike.

    `logits` (B, classes); `embedding` (B, C), what the classifier reads.
    """

    logits: Tensor
    embedding: Tensor


@dataclass(frozen=True, eq=False)
class IFDDOutput(Output):
    """Output of the ifdd family.

    `static_residual` (B, H, W): the mean over channels and steps of (X averaged over pairs of frames − Y_S), None for a baseline.
    """

    static_residual: Tensor | None


@dataclass(frozen=True, eq=False)
class LinearPooling:
    """Logits that are linear in one activation: logit_y = Σ_p w(p) · W_y · activation(p) + b_y.

    `weights` (K, h, w) are w over the places p; `bias` (classes,) is b.
    """

    activation: str
    weights: Tensor
    bias: Tensor


class Normalise(nn.Module):
    """First layer of a model: (clips − mean) / std per channel."""

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.tensor(mean).view(-1, 1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(-1, 1, 1, 1), persistent=False)

    def forward(self, clips: Tensor) -> Tensor:
        """(B, 3, T, H, W) → the same shape."""
        return (clips - self.mean) / self.std


class VideoModel(HookedModule, ABC):
    """Clips, floats in [0, 1] → Output. A family overrides `forward`, sets `branches`, and gives its HookPoints axes and roles.

    What it can do is asked of it: `inputs`, `branches`, `capabilities`, `describe`, `with_roles`.
    """

    config: Any
    """Of the family's own class, a VideoConfig."""
    branches: dict[str, str]
    """Short branch name → its activation; what every display asks for."""
    labels: tuple[str, ...] | None = None
    """Class names in the order of the logits; known to the model of a checkpoint, so that a class can be given by its name."""
    kept_part: str = ""
    """Of a model that is capable of "stages": the part that `freeze` keeps as it is."""
    started_from: tuple[str, ...] = ()
    """Parts that a training with `init_from` takes from a checkpoint."""

    def __init__(self, config: VideoConfig) -> None:
        super().__init__()
        self.config = config
        self.branches = {}

    @property
    def inputs(self) -> dict[str, tuple[int, int, int, int]]:
        """Name of each input → shape of one clip (3, T, H, W)."""
        return self.config.inputs

    @property
    def capabilities(self) -> frozenset[str]:
        """What can be asked of this model beyond logits and maps, e.g. "split", "lift", see its configuration."""
        return self.config.capabilities | ({"offsets"} if self.with_roles("offset") else frozenset())

    @property
    def default_activations(self) -> tuple[str, ...]:
        """What a collection keeps unless other names are given: all that is small."""
        return tuple(name for role in DEFAULT_ROLES for name in self.with_roles(role))

    @property
    def spatial_activations(self) -> tuple[str, ...]:
        """Activations that a saliency map can be made of: those with places that the logits depend on."""
        return tuple(name for name in self.activation_names if (told := self.describe(name)).spatial and told.used)

    def describe(self, name: str) -> Activation:
        """What an activation is, see `Activation`.

        Raises: InputError for a name that this model does not have, with the list of those that it has.
        """
        told = super().describe(name)
        samples: tuple[str, ...] = ()
        if told.clock == STEPS and told.role != "sample":
            samples = tuple(o for o in self.with_roles("sample") if HookedModule.describe(self, o).group == told.group)
        return replace(told, input=told.input or next(iter(self.inputs)), sample=samples[0] if samples else None)

    @property
    def frames(self) -> int:
        """T of a clip; of several inputs, of the first."""
        return next(iter(self.inputs.values()))[1]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of a clip in pixels; of several inputs, of the first."""
        return next(iter(self.inputs.values()))[2:]

    @property
    def split(self) -> Any:
        """Of a model that is capable of "split": the module that reads the frames, a `Split`."""
        return None

    def linear_pooling(self) -> LinearPooling | None:
        """How the logits are a weighted sum over one activation; None where they are not."""
        return None

    @property
    def normed_branches(self) -> bool:
        """Whether a norm follows each place of the branches alone, so that slope times activation adds up to nothing there."""
        return False

    @abstractmethod
    def forward(self, clips: Clips) -> Output:
        """Run the whole model.

        Raises: InputError for another shape or an integer type.
        """

    def encode(self, clips: Clips) -> tuple[Tensor, ...]:
        """What `decode` takes: the model up to where it can be cut, by default before its first layer."""
        return tuple(self.check_clips(clips).values())

    def decode(self, stages: tuple[Tensor, ...]) -> Output:
        """The rest of the model."""
        output: Output = self(dict(zip(self.inputs, stages, strict=True)))
        return output

    @property
    def kept_depends_on(self) -> str:
        """Whatever `read_kept` depends on besides the weights of the kept part."""
        return str(self.config)

    def read_kept(self, clips: Clips) -> tuple[Tensor, ...]:
        """What the kept part makes of clips; tensors that `go_on` does not need are empty."""
        return self.encode(clips)

    def go_on(self, kept: tuple[Tensor, ...]) -> Output:
        """The rest of the model after `read_kept`."""
        return self.decode(kept)

    def check_clips(self, clips: Clips) -> dict[str, Tensor]:
        """The clips by input, if this model was built for them: checked before any compute.

        Raises: InputError.
        """
        shapes = self.inputs
        if not isinstance(clips, Mapping):
            if len(shapes) > 1 and isinstance(clips, Tensor):
                raise InputError(f"this model reads {' and '.join(shapes)}; give a dictionary with a tensor of clips for each")
            clips = {next(iter(shapes)): clips}
        elif set(clips) != set(shapes):
            raise InputError(f"clips are of {', '.join(map(str, clips)) or 'nothing'}; this model reads {', '.join(shapes)}")
        own = next((parameter.dtype for parameter in self.parameters()), torch.float32)
        for name, expected in shapes.items():
            _check_tensor(clips[name], expected, own, "clips" if len(shapes) == 1 else f"clips of {name}")
        if len({len(clips[name]) for name in shapes}) > 1:
            raise InputError(
                f"inputs hold {', '.join(f'{len(clips[name])} clips of {name}' for name in shapes)}; give the same clips"
            )
        return {name: clips[name] for name in shapes}


def _check_tensor(clips: Any, expected: tuple[int, ...], own: torch.dtype, what: str) -> None:
    if not isinstance(clips, Tensor):
        raise InputError(f"{what} are a {type(clips).__name__}; this model reads a tensor of floats in [0, 1]")
    if clips.dim() != 5 or tuple(clips.shape[1:]) != expected:
        raise InputError(f"{what} have shape {tuple(clips.shape)}; this model reads (B, {', '.join(map(str, expected))})")
    if not clips.is_floating_point():
        raise InputError(f"{what} are {clips.dtype}; this model reads floats in [0, 1] (divide 8-bit pixels by 255)")
    if clips.dtype != own and autocast_type(clips) is None:
        raise InputError(f"{what} are {clips.dtype}, the weights of this model {own}; convert the clips with .to({own})")

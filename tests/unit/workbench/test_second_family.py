"""A family of a user's own, with two inputs, needs no edit in the workbench: it is defined here, trained and analysed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import ifdd
from ifdd.checkpoints import Bundle
from ifdd.data.clips import load_clip
from ifdd.data.manifest import read_manifest
from ifdd.errors import InputError
from ifdd.hooks import HookPoint
from ifdd.models.base import Output, VideoModel
from ifdd.models.config import VideoConfig
from ifdd.models.families import FAMILIES, Family
from ifdd.scripted.suite import SuiteConfig, render_suite
from ifdd.training import run
from ifdd.training.recipe import Recipe
from workbench.analysis.disentanglement.task import make_scorecard
from workbench.analysis.embedding.task import embedding_of, film_of_stages, map_clips
from workbench.analysis.saliency import maps as saliency
from workbench.store.collecting import collect
from workbench.store.collection import open_collection

FRAMES, FACE, SCENE = 8, (32, 32), (48, 48)


class StreamsConfig(VideoConfig):
    """A face and the scene around it."""

    family: Literal["streams"] = "streams"
    width: int = 6

    @property
    def inputs(self) -> dict[str, tuple[int, int, int, int]]:
        return {"face": (3, FRAMES, *FACE), "scene": (3, FRAMES, *SCENE)}

    @property
    def capabilities(self) -> frozenset[str]:
        return frozenset({"streams"})


class Stream(nn.Module):
    def __init__(self, width: int, name: str) -> None:
        super().__init__()
        self.convolution = nn.Conv3d(3, width, (1, 8, 8), (1, 8, 8))
        self.map = HookPoint("B C T H W", role="branch", clock="clip frames", input=name)

    def forward(self, clips: Tensor) -> Tensor:
        features: Tensor = self.map(self.convolution(clips).relu())
        return features.mean((2, 3, 4))


class StreamsModel(VideoModel):
    def __init__(self, config: StreamsConfig) -> None:
        super().__init__(config)
        self.face, self.scene = Stream(config.width, "face"), Stream(config.width, "scene")
        self.embedding = HookPoint("B C", role="embedding")
        self.classify = nn.Linear(2 * config.width, config.num_classes)
        self.logits = HookPoint("B classes", role="logits")
        self.branches = {"face": "face.map", "scene": "scene.map"}

    def forward(self, clips: Any) -> Output:
        given = self.check_clips(clips)
        embedding = self.embedding(torch.cat([self.face(given["face"]), self.scene(given["scene"])], 1))
        return Output(self.logits(self.classify(embedding)), embedding)


class Loss(nn.Module):
    def forward(self, output: Output, target: Tensor) -> dict[str, Tensor]:
        return {"loss": F.cross_entropy(output.logits, target)}


RECIPE: dict[str, Any] = {
    "name": "streams",
    "model": {"family": "streams"},
    "data": {
        "source": "scripted",
        "train": {"clips": 14, "identities": 2, "difficulty": "easy"},
        "val": {"clips": 7, "identities": 1, "difficulty": "easy"},
        "test": {"clips": 7, "identities": 1, "difficulty": "easy"},
    },
    "inputs": {"face": {"crop": "face"}, "scene": {"crop": "none"}},
    "augment": {"cutmix": 0},
    "optim": {"lr": 0.01, "epochs": 2, "batch": 7, "warmup_epochs": 0},
    "device": "cpu",
}


@pytest.fixture(scope="module", autouse=True)
def family() -> Iterator[None]:
    FAMILIES["streams"] = Family(StreamsConfig, StreamsModel, lambda config, loss: Loss(), lambda: {"two-streams": {}})
    yield
    del FAMILIES["streams"]


@pytest.fixture(scope="module")
def checkpoint(family: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("streams")
    data = RECIPE["data"] | {"cache": str(folder / "cache")}
    return run.train(Recipe.parse(RECIPE | {"data": data}, "streams.yaml"), folder / "run", progress=False)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    suite = SuiteConfig(name="two", seed=3, clips=14, identities=2, split="test", difficulty="easy")
    return render_suite(suite, tmp_path_factory.mktemp("suite") / "clips", frames=16, fps=8.0, size=96, workers=1, progress=False)


def some_clips(count: int = 2) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = {"face": FACE, "scene": SCENE}
    return {name: torch.rand(count, 3, FRAMES, *size, generator=generator) for name, size in shapes.items()}


def test_trained_saved_and_loaded(checkpoint: Path, manifest: Path) -> None:
    bundle = ifdd.load_checkpoint(checkpoint)
    assert isinstance(bundle.model, StreamsModel)
    assert bundle.card.model == StreamsConfig()
    assert {name: (read.crop, read.size) for name, read in bundle.inputs.items()} == {
        "face": ("face", FACE),
        "scene": ("none", SCENE),
    }
    assert bundle.card.metrics["test"]["n"] == 7
    found = bundle.predict(some_clips())
    torch.testing.assert_close(found.sum(1), torch.ones(2))
    clips = read_manifest(manifest)
    row = clips.iloc[0]
    assert bundle.predict(manifest.parent / row["path"]).shape == (1, 7)


def test_made_by_name_and_by_configuration() -> None:
    assert isinstance(ifdd.create_model("two-streams", num_classes=3), StreamsModel)
    model = ifdd.create_model(StreamsConfig(width=2), num_classes=4)
    assert (model.config.width, model.config.num_classes) == (2, 4)
    assert model.capabilities == {"streams"}
    assert model.describe("scene.map").input == "scene"
    assert model.spatial_activations == ("face.map", "scene.map")


@pytest.mark.parametrize(
    ("clips", "message"),
    [
        (torch.rand(2, 3, FRAMES, *FACE), "this model reads face and scene; give a dictionary"),
        ({"face": torch.rand(2, 3, FRAMES, *FACE)}, "clips are of face; this model reads face, scene"),
        (some_clips() | {"scene": torch.rand(2, 3, FRAMES, *FACE)}, "clips of scene have shape"),
        (some_clips() | {"scene": some_clips(3)["scene"]}, "2 clips of face, 3 clips of scene; give the same clips"),
    ],
)
def test_wrong_clips_are_told_by_input(clips: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        ifdd.create_model("two-streams")(clips)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": {"family": "stream"}}, "model.family: unknown family 'stream'; known: ifdd, ous, streams"),
        ({"model": {"family": "streams", "widht": 3}}, "unknown key 'model.widht'; did you mean 'model.width'"),
        ({"augment": {}}, "cutmix cuts one box out of one picture"),
        ({"inputs": {"voice": {}}}, "inputs names 'voice'; this model reads face, scene"),
        (
            {"freeze": "backbone", "init_from": "x", "augment": {"crop": 1, "jitter": 0, "mix": 0}},
            "no backbone that could be kept",
        ),
    ],
)
def test_impossible_recipes(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Recipe.parse(RECIPE | change, "streams.yaml")


def test_maps_lie_on_their_own_input(checkpoint: Path) -> None:
    model, clips = ifdd.load_checkpoint(checkpoint).model, some_clips()
    found = saliency.gradcam_branches(model, clips, target=1)
    assert {name: result.frames.shape for name, result in found.items()} == {
        "face": (2, FRAMES, *FACE),
        "scene": (2, FRAMES, *SCENE),
    }
    one = saliency.gradcam(model, clips, "scene.map", target=1)
    np.testing.assert_array_equal(one.raw, found["scene"].raw)
    # the head is linear in means over positions, so that HiResCAM of both streams sums to the logit but for the bias
    sums = sum(
        saliency.gradcam(model, clips, name, target=1, method="hirescam").raw.sum((1, 2, 3)) for name in model.branches.values()
    )
    with torch.no_grad():
        logit = model(clips).logits[:, 1] - model.classify.bias[1]
    np.testing.assert_allclose(sums, logit, rtol=1e-4, atol=1e-5)


def test_collected_embedded_and_scored(checkpoint: Path, manifest: Path, tmp_path: Path) -> None:
    bundle = ifdd.load_checkpoint(checkpoint)
    names = (*bundle.model.default_activations, *bundle.model.branches.values())
    collect(bundle, manifest, tmp_path / "found", names, "mean", progress=False)
    found = open_collection(tmp_path / "found", bundle)
    assert embedding_of(found) == "embedding"
    assert found.branches == bundle.model.branches
    assert found.capabilities == {"streams"}
    assert found.describe("face.map").axes == ("B", "C")
    assert found.activation("face.map").shape == (14, 6)
    assert len(map_clips(found, "embedding", "pca").xy) == 14
    assert film_of_stages(found, method="pca").names == ("face.map", "scene.map", "embedding")
    card = make_scorecard(bundle, manifest, tmp_path / "kept", maps=4)
    assert card.split is None
    assert card.probes is not None
    order = {effect.name: effect.change.value for effect in card.order}
    assert max(order["shuffle"], order["reverse"]) < 1e-5 < order["freeze"]  # means over frames know no order
    assert {effect.name for effect in card.patches} == {"face.map", "scene.map", "everything"}
    assert card.maps is not None
    assert "face" in {score.name for score in card.maps.scores}
    for what in ("split quality", "dependence", "temporal mixing"):
        assert any(reason.startswith(what) for reason in card.skipped), what


def test_the_kept_predictions_are_the_models_own(checkpoint: Path, manifest: Path, tmp_path: Path) -> None:
    bundle = ifdd.load_checkpoint(checkpoint)
    table = pd.read_parquet(manifest).iloc[:2]
    table.to_parquet(manifest.parent / "two.parquet")
    found = collect(bundle, manifest.parent / "two.parquet", tmp_path / "found", progress=False)
    own = torch.cat([bundle.predict(_read(bundle, manifest.parent / path)) for path in table["path"]])
    np.testing.assert_allclose(found.probs, own, atol=1e-5)


def _read(bundle: Bundle, path: Path) -> dict[str, Tensor]:
    """As a list of clips that are crops already is read: each input its own size, no crop."""
    return {name: load_clip(path, replace(read, crop="none")).tensor()[None] for name, read in bundle.inputs.items()}

"""A model of two streams is trained on scripted faces with scenes around them, scored at another ρ, and collected."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from typer.testing import CliRunner

from ifdd import cli
from ifdd.checkpoints import load_checkpoint
from ifdd.data.manifest import read_manifest
from ifdd.errors import InputError
from ifdd.hooks import HookPoint
from ifdd.models.base import Output, VideoModel
from ifdd.models.config import VideoConfig
from ifdd.models.families import FAMILIES, Family
from ifdd.scripted import SuiteConfig, render_suite
from ifdd.training import clipsets, run
from ifdd.training.recipe import Recipe
from workbench.store.collecting import collect


class PairConfig(VideoConfig):
    """A face and what is around it."""

    family: Literal["pair"] = "pair"

    @property
    def inputs(self) -> dict[str, tuple[int, int, int, int]]:
        return {"face": (3, 4, 32, 32), "scene": (3, 4, 48, 48)}

    @property
    def scenes(self) -> frozenset[str]:
        return frozenset({"scene"})


class Pair(VideoModel):
    """Logits of the mean colours of both."""

    def __init__(self, config: PairConfig) -> None:
        super().__init__(config)
        self.embedding, self.logits = HookPoint("B C", role="embedding"), HookPoint("B classes", role="logits")
        self.classify = nn.Linear(6, config.num_classes)

    def forward(self, clips: Any) -> Output:
        given = self.check_clips(clips)
        embedding = self.embedding(torch.cat([given["face"].mean((2, 3, 4)), given["scene"].mean((2, 3, 4))], 1))
        return Output(self.logits(self.classify(embedding)), embedding)


class Loss(nn.Module):
    def forward(self, output: Output, target: Tensor) -> dict[str, Tensor]:
        return {"loss": F.cross_entropy(output.logits, target)}


SET = {"clips": 14, "identities": 2, "difficulty": "easy"}
RECIPE: dict[str, Any] = {
    "name": "pair",
    "model": {"family": "pair"},
    "data": {"source": "scripted", "train": SET | {"rho": 0.9}, "val": SET | {"rho": 0.9}, "test": SET | {"rho": 0.9}},
    "inputs": {"scene": {"face": "masked"}},
    "augment": {"cutmix": 0},
    "optim": {"lr": 0.01, "epochs": 1, "batch": 7, "warmup_epochs": 0},
    "device": "cpu",
}


@pytest.fixture(scope="module", autouse=True)
def family() -> Iterator[None]:
    FAMILIES["pair"] = Family(PairConfig, Pair, lambda config, loss: Loss())
    yield
    del FAMILIES["pair"]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def recipe(cache: Path, **changes: Any) -> Recipe:
    values = RECIPE | changes
    return Recipe.parse(values | {"data": values["data"] | {"cache": str(cache)}}, "pair.yaml")


def test_trained_scored_at_another_rho_and_collected(cache: Path, tmp_path: Path) -> None:
    folder = run.train(recipe(cache), tmp_path / "run", progress=False)
    bundle = load_checkpoint(folder)
    assert {name: (read.stream, read.face, read.crop) for name, read in bundle.inputs.items()} == {
        "face": ("clip", "kept", "face"),
        "scene": ("scene", "masked", "none"),
    }
    card = json.loads((folder / "card.json").read_text())
    assert card["preprocessing"]["scene"]["face"] == "masked"
    assert "face" not in card["preprocessing"]["face"]
    assert card["data"]["test"]["rho"] == 0.9
    assert not any("faces alone" in note for note in card["training"]["notes"])

    words = ["evaluate", str(folder), "--suite", "test", "--cache", str(cache), "--json", "--device", "cpu"]
    for rho in ("-1", "1"):
        ran = CliRunner().invoke(cli.app, [*words, "--rho", rho, "--out", str(tmp_path / rho)])
        assert ran.exit_code == 0, ran.output
    assert not np.array_equal(*((tmp_path / rho / "predictions.parquet").read_bytes() for rho in ("-1", "1")))
    faces = [clipsets.from_suites(clipsets.suite_of_card(bundle.card, "test"), bundle.inputs, cache, False).read([0, 1])]
    other = replace(clipsets.suite_of_card(bundle.card, "test"), rho=-1.0)
    faces.append(clipsets.from_suites(other, bundle.inputs, cache, False).read([0, 1]))
    np.testing.assert_array_equal(faces[0]["face"], faces[1]["face"])  # type: ignore[index]
    assert not np.array_equal(faces[0]["scene"], faces[1]["scene"])  # type: ignore[index]

    suite = SuiteConfig("on-disk", 5, 4, 2, "test", "easy", rho=-0.5)
    manifest = render_suite(suite, tmp_path / "clips", size=48, workers=1, progress=False, scene_face="masked")
    row = read_manifest(manifest).iloc[0]
    folders = [str(manifest.parent / row[name]) for name in ("path", "scene_path")]
    words = ["predict", folders[0], "--checkpoint", str(folder), "--crop", "none", "--device", "cpu"]
    assert "no scene is named" in str(CliRunner().invoke(cli.app, [*words, "--json"]).exception)
    ran = CliRunner().invoke(cli.app, [*words, "--json", "--scene", folders[1]])  # it is to be masked, and is already
    assert "no face found" in str(ran.exception)
    told = CliRunner().invoke(cli.app, [*words, "--json", "--scene", folders[1], "--scene-face", "masked", "--fps", "25"])
    assert told.exit_code == 0, told.output
    ran = CliRunner().invoke(cli.app, [*words, "--scene-face", "masked"])
    assert "tells of --scene, and none is given" in str(ran.exception)
    ran = CliRunner().invoke(cli.app, ["predict", folders[0], "--checkpoint", "scripted-tiny-baseline", "--scene", folders[1]])
    assert "reads no scene; leave it out" in str(ran.exception)
    found = collect(bundle, manifest, tmp_path / "collection")
    assert found.probs.shape == (4, 7)
    said = json.loads(told.stdout)["probabilities"]
    np.testing.assert_allclose(list(said.values()), found.probs[0], atol=1e-6)  # as the list tells that it is masked
    again = render_suite(replace(suite, rho=0.9), tmp_path / "other", size=48, workers=1, progress=False, scene_face="masked")
    other = collect(bundle, again, tmp_path / "others")
    same = other.predictions["scene"].eq(found.predictions["scene"])
    assert not same.all()  # clips with another scene are other clips, though their faces are the same
    assert other.predictions["clip_sha256"].eq(found.predictions["clip_sha256"]).tolist() == same.tolist()
    plain = render_suite(replace(suite, rho=None), tmp_path / "plain", size=48, workers=1, progress=False)
    with pytest.raises(InputError, match=r"none of its 4 clips has a scene, which scene reads"):
        collect(bundle, plain, tmp_path / "none")


def test_faces_alone_only_where_it_is_asked_for(cache: Path) -> None:
    data = RECIPE["data"] | {"val": SET}
    with pytest.raises(InputError, match=r"easy has no scenes around its clips; give it a rho.*stream=clip"):
        clipsets.load_split(recipe(cache, data=data), "val", False)
    alone = recipe(cache, data=data, inputs={"scene": {"stream": "clip"}})
    found = clipsets.load_split(alone, "val", False)
    assert found.notes == ("faces alone: scene reads the clip in place of a scene (inputs.scene.stream=clip)",)
    assert "stream" not in alone.reading()["scene"].to_dict()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs": {"face": {"face": "masked"}}}, "inputs.face.face=masked: this input reads the clip, which shows the face"),
        ({"preprocessing": {"stream": "scene"}}, "say stream and face of one of them"),
        ({"inputs": {"scene": {"stream": "sound"}}}, "inputs.scene.stream"),
        ({"data": RECIPE["data"] | {"train": SET | {"rho": 1.5}}}, "data.train.rho"),
    ],
)
def test_impossible_recipes(cache: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        recipe(cache, **change)


def test_rho_goes_with_rendered_scenes(tmp_path: Path) -> None:
    for words, message in (
        (["evaluate", "x", "--manifest", "y", "--rho", "0.5", "--out", str(tmp_path / "a")], "goes with --suite"),
        (["data", "render", "--scene-face", "masked", "--out", str(tmp_path / "b")], "add one with --rho"),
    ):
        ran = CliRunner().invoke(cli.app, words)
        assert ran.exit_code == 1
        assert message in f"{ran.exception} {ran.stderr}"

"""The family ous is trained, saved, collected and analysed by what was there before it."""

from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import ifdd
from ifdd.data.manifest import read_manifest
from ifdd.errors import InputError
from ifdd.inputs import each, stack
from ifdd.models.ous.model import OUSModel
from ifdd.scripted.suite import SuiteConfig, render_suite
from ifdd.training import run
from ifdd.training.recipe import Recipe
from workbench.analysis.counterfactuals.task import Options
from workbench.analysis.counterfactuals.task import run as run_edits
from workbench.analysis.embedding.task import film_of_stages
from workbench.analysis.saliency import maps as saliency
from workbench.store.collecting import collect, load_row
from workbench.store.collection import open_collection

RECIPE: dict[str, Any] = {
    "name": "ous",
    "model": {"family": "ous", "frames": 4, "size": [32, 32]},
    "data": {
        "source": "scripted",
        "train": {"clips": 14, "identities": 2, "difficulty": "easy", "rho": 0.5},
        "val": {"clips": 7, "identities": 1, "difficulty": "easy", "rho": 0.5},
        "test": {"clips": 7, "identities": 1, "difficulty": "easy", "rho": 0.5},
    },
    "inputs": {"scene": {"crop": "none"}},
    "augment": {"cutmix": 0},
    "optim": {"lr": 1e-3, "epochs": 2, "batch": 7},
}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ous")
    recipe = Recipe.parse(RECIPE | {"data": RECIPE["data"] | {"cache": str(folder / "cache")}}, "ous.yaml")
    return run.train(recipe, folder / "run", progress=False)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    suite = SuiteConfig(name="ous", seed=3, clips=7, identities=1, split="test", difficulty="easy", rho=0.5)
    return render_suite(suite, tmp_path_factory.mktemp("suite") / "clips", frames=8, fps=8.0, size=48, workers=1, progress=False)


def test_trained_collected_and_shown(checkpoint: Path, manifest: Path, tmp_path: Path) -> None:
    bundle = ifdd.load_checkpoint(checkpoint)
    assert isinstance(bundle.model, OUSModel)
    assert {name: read.crop for name, read in bundle.inputs.items()} == {"face": "face", "scene": "none"}
    names = (*bundle.model.default_activations, *bundle.model.with_roles("stage", "branch"))
    collect(bundle, manifest, tmp_path / "found", names, "mean", progress=False)
    found = open_collection(tmp_path / "found", bundle)
    assert found.activation("polarity").shape == (7, 3)
    assert found.describe("scene.V_st").group == "scene"
    film = film_of_stages(found, method="pca")
    assert film.names == ("face.map", "face.V_f", "face.V_ft", "scene.map", "scene.V_s", "scene.V_st", "head.embedding")
    torch.manual_seed(0)
    clips = {name: torch.rand(2, *shape) for name, shape in bundle.model.inputs.items()}
    maps = saliency.gradcam_branches(bundle.model, clips, target=1)
    assert {name: result.frames.shape for name, result in maps.items()} == {
        "face": (2, 4, 32, 32),
        "scene": (2, 4, 32, 32),
    }
    assert all(np.abs(result.raw).max() > 0 for result in maps.values())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": {"family": "ous", "preset": "reference"}}, "model.preset: Input should be 'paper' or 'released'"),
        ({"labels": ["sad", "happy", "neutral", "angry", "surprise", "disgust", "fear"]}, "set model.classes to the labels"),
        ({"inputs": {"body": {}}}, "inputs names 'body'; this model reads face, scene"),
        ({"loss": {"lifting": 1}}, "unknown key 'loss.lifting'"),
    ],
)
def test_impossible_recipes(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        Recipe.parse(RECIPE | change, "ous.yaml")
    assert "\n" not in str(error.value)


def test_frames_of_both_streams_are_edited_alike(checkpoint: Path, manifest: Path) -> None:
    bundle = ifdd.load_checkpoint(checkpoint)
    options = Options(clips=7, shuffles=1, edits=["freeze", "reverse"], still=1)
    found = run_edits(bundle, manifest, options).counterfactuals
    table = read_manifest(manifest)
    clips = stack([load_row(table, row, bundle) for row in table.to_dict("records")])
    with torch.no_grad(), bundle.model.evaluating():
        for edit, order in zip(found.edits, ([1] * 4, [3, 2, 1, 0]), strict=True):
            probs = bundle.model(each(clips, itemgetter((slice(None), slice(None), order)))).logits.softmax(-1)
            by_id = dict(zip(table["clip_id"], probs.numpy(), strict=True))
            np.testing.assert_allclose(edit.after, [by_id[name] for name in found.clip_ids], atol=1e-5)
    assert found.order is not None

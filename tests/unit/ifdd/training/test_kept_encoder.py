"""An encoder of two streams is kept: it reads every clip once, and what follows learns as if it read them again."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import ifdd
from ifdd.checkpoints import load_checkpoint
from ifdd.data.clipset import as_tensors
from ifdd.inputs import each, to_clips
from ifdd.training import clipsets, run
from ifdd.training.backbone_cache import backbone_key, read_stages
from ifdd.training.evaluation import predict_set
from ifdd.training.recipe import Recipe

SET = {"clips": 14, "identities": 2, "difficulty": "easy", "rho": 0.9}
SMALL: dict[str, Any] = {"family": "ous", "frames": 4, "size": [48, 48]}
STILL = {"crop": 1.0, "jitter": 0.0, "mix": 0.0, "erase": 0.0}


def recipe(folder: Path, **changes: Any) -> Recipe:
    values = {
        "name": "small",
        "model": SMALL,
        "data": {"source": "scripted", "train": SET, "val": SET, "test": SET, "cache": str(folder / "cache")},
        "augment": STILL,
        "optim": {"lr": 0.003, "epochs": 1, "batch": 7, "warmup_epochs": 0},
        "device": "cpu",
    }
    return Recipe.parse(values | changes, "small.yaml")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("kept")
    run.train(recipe(made, model=SMALL | {"fusion": "late"}), made / "start", progress=False)
    return made


def test_only_what_follows_the_encoder_learns(folder: Path) -> None:
    kept = recipe(folder, freeze="backbone", init_from=str(folder / "start/checkpoint"))
    after = load_checkpoint(run.train(kept, folder / "run", progress=False))
    before = run.initial_model(kept).state_dict()
    moved = {name for name, value in after.model.state_dict().items() if not torch.equal(value, before[name])}
    assert not {name for name in moved if name.startswith("encoder.")}
    assert {"fusion", "polarity_encoder", "lstm", "face", "scene", "prompts", "head"} <= {name.split(".")[0] for name in moved}
    assert after.card.metrics["test"]["n"] == SET["clips"]


def test_kept_features_are_what_the_encoder_says_of_both_streams(folder: Path) -> None:
    model = run.initial_model(recipe(folder, init_from=str(folder / "start/checkpoint")))
    clips = clipsets.load_split(recipe(folder), "test", progress=False)
    plain, mirrored = (read_stages(model, clips, folder / "cache", mirrored=flag, progress=False) for flag in (False, True))
    shown = each(as_tensors(clips.read(list(range(14)))), to_clips)
    with torch.no_grad(), model.evaluating():
        for found, given in ((plain, shown), (mirrored, each(shown, lambda part: part.flip(4)))):
            wanted = model.read_kept(given)
            assert [found[i].shape for i in range(3)] == [(14, 4, 64), (14, 4, 64), (14, 4, 64)]  # face, scene, its first blocks
            for i, part in enumerate(wanted):
                np.testing.assert_allclose(found[i], part.numpy(), atol=1e-5)
    np.testing.assert_allclose(predict_set(model, clips, stages=plain), predict_set(model, clips), atol=1e-6)


def test_models_that_read_other_streams_keep_other_features() -> None:
    about: tuple[dict[str, Any], ...] = ({}, {"streams": ("face",)}, {"fusion": "late"}, {"preset": "released"})
    models = [ifdd.create_model("ous-vit-tiny", frames=4, size=(48, 48), **other) for other in about]
    for model in models[1:]:
        model.get_submodule("encoder").load_state_dict(models[0].get_submodule("encoder").state_dict())
    whole, face, late, released = (backbone_key(model) for model in models)
    assert len({whole, face, late}) == 3
    assert late == released  # neither reads a polarity

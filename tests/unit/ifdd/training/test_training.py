import dataclasses
import json
from pathlib import Path

import lightning as L
import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from colours import clip_set, recipe, weights

import ifdd
from ifdd.control import Control
from ifdd.errors import InputError
from ifdd.inputs import to_clips
from ifdd.labels import EMOTIONS
from ifdd.modules.mvit.attention import TokenPool
from ifdd.modules.mvit.early import PlaceReading
from ifdd.training import clipsets, run
from ifdd.training.clipsets import check_disjoint
from ifdd.training.evaluation import predict_set
from ifdd.training.module import AveragedWeights, lr_at, parameter_groups
from ifdd.training.order import EpochBatches, ordered_batches
from ifdd.training.recipe import Recipe

KINDS = ("all", "one", "shuffled")
QUIET = {"flip": 0, "crop": 1, "jitter": 0, "mixup": 0, "cutmix": 0}


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain colours in place of rendered faces."""
    monkeypatch.setattr(run, "load_split", lambda _recipe, split, _progress: clip_set(split))


MATRICES = (torch.nn.Linear, torch.nn.Conv2d, torch.nn.Conv3d)


KERNELS = (TokenPool, PlaceReading)


def kernels(model: torch.nn.Module) -> set[str]:
    return {f"{name}.weight" for name, part in model.named_modules() if isinstance(part, KERNELS)}


def test_learning_rate_in_closed_form():
    rate = [lr_at(step, peak=2.0, warmup=4, total=13, final=0.1) for step in range(13)]
    np.testing.assert_allclose(rate[:5], [0.4, 0.8, 1.2, 1.6, 2.0])
    assert rate[8] == pytest.approx(2 * (0.1 + 0.9 / 2))  # half-way down
    assert rate[12] == pytest.approx(0.2)
    assert rate[4:] == sorted(rate[4:], reverse=True)


def test_learning_rate_without_warm_up():
    assert lr_at(0, peak=1.0, warmup=0, total=10, final=0.0) == 1.0
    assert lr_at(9, peak=1.0, warmup=0, total=10, final=0.0) == pytest.approx(0.0)


def test_only_matrices_and_kernels_decay():
    model = ifdd.create_model("ifdd-mvit-tiny", frames=8, size=(32, 32))
    decayed, free = parameter_groups(model, 0.05)
    assert (decayed["weight_decay"], free["weight_decay"]) == (0.05, 0.0)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    freed = {names[id(parameter)] for parameter in free["params"]}
    assert {"backbone.class_token", "head.pooling.weight", "backbone.blocks.0.attn.position.tables.0"} <= freed
    matrices = {f"{name}.weight" for name, part in model.named_modules() if isinstance(part, MATRICES)}
    assert not freed & matrices
    assert {names[id(parameter)] for parameter in decayed["params"]} - matrices == kernels(model)
    assert len(decayed["params"]) + len(free["params"]) == len(names)


def test_controls_show_one_frame_or_all_in_another_order(monkeypatch: pytest.MonkeyPatch):
    pixels = np.broadcast_to(np.arange(8, dtype=np.uint8)[:, None, None, None], (6, 8, 2, 2, 3))
    known = clip_set("train", 6)
    monkeypatch.setattr(clipsets, "_load_split", lambda *_: dataclasses.replace(known, pixels=pixels))
    shown = {kind: clipsets.load_split(recipe(control={"frames": kind}), "train").read([4, 0])[:, :, 0, 0, 0] for kind in KINDS}
    np.testing.assert_array_equal(shown["all"], np.tile(np.arange(8), (2, 1)))
    np.testing.assert_array_equal(shown["one"], np.full((2, 8), 4))
    assert (np.sort(shown["shuffled"]) == np.arange(8)).all()
    assert (shown["shuffled"][0] != shown["shuffled"][1]).any()
    assert clipsets.as_shown(known, Control(), 0) is known
    again = clipsets.load_split(recipe(control={"frames": "shuffled"}), "train").read([4, 0])[:, :, 0, 0, 0]
    np.testing.assert_array_equal(again, shown["shuffled"])


def test_batches_are_a_permutation_that_seed_and_epoch_decide():
    batches = EpochBatches(np.zeros(10, int), 3, seed=1)
    first = list(batches)
    assert [len(batch) for batch in first] == [3, 3, 3]
    assert len({index for batch in first for index in batch}) == 9
    batches.set_epoch(1)
    assert list(batches) != first
    batches.set_epoch(0)
    assert list(batches) == first
    assert ordered_batches(5, 2) == [[0, 1], [2, 3], [4]]


def test_a_few_clips_are_learnt_by_heart():
    chosen = recipe(
        augment=QUIET, optim={"lr": 0.003, "epochs": 1, "batch": 7, "warmup_epochs": 0.1}, loss={"label_smoothing": 0.0}
    )
    clips = clip_set("train", 7)
    module = run.build_module(chosen, steps_per_epoch=25)
    optimiser = module.configure_optimizers()["optimizer"]
    inputs, target = to_clips(torch.from_numpy(clips.pixels)), torch.from_numpy(clips.target)
    module.model.eval()  # without dropout: what is tested is that gradients reach what matters
    losses = []
    for _ in range(25):
        terms = module.loss(module.model(inputs), target)
        optimiser.zero_grad()
        terms["loss"].backward()
        optimiser.step()
        losses.append(terms["classification"].item())
    assert losses[0] == pytest.approx(np.log(7), abs=0.4)
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.usefixtures("colours")
def test_run_folder_and_checkpoint(tmp_path: Path):
    chosen = recipe()
    folder = run.train(chosen, tmp_path / "run", progress=False)
    out = tmp_path / "run"
    assert {path.name for path in out.iterdir()} == {
        "config.yaml",
        "env.json",
        "log",
        "lightning",
        "metrics.json",
        "predictions.parquet",
        "checkpoint",
    }
    assert Recipe.parse(yaml.safe_load((out / "config.yaml").read_text()), "config") == chosen
    log = pd.read_csv(out / "log" / "metrics.csv")
    assert list(log["epoch"]) == [0, 1, 2]
    assert {"train_loss", "train_lifting", "val_UAR", "val_WAR", "val_loss"} <= set(log.columns)

    bundle = ifdd.load_checkpoint(folder)
    assert bundle.card.notice.startswith("Trained on synthetic faces only")
    assert bundle.labels == EMOTIONS
    assert bundle.card.data["test"]["split"] == "test"
    # the best epoch's averaged weights are those that were saved
    best = torch.load(out / "lightning" / "best.ckpt", weights_only=True)["state_dict"]
    assert all(torch.equal(value, best[f"model.{key}"]) for key, value in weights(folder).items())

    frame = pd.read_parquet(out / "predictions.parquet")
    test = frame[frame["split"] == "test"]
    expected = bundle.predict(to_clips(torch.from_numpy(clip_set("test").pixels)))
    np.testing.assert_allclose(test[[f"p_{label}" for label in EMOTIONS]], expected, atol=1e-5)
    metrics = json.loads((out / "metrics.json").read_text())
    hits = expected.argmax(-1).numpy() == clip_set("test").target
    assert metrics["test"]["WAR"] == pytest.approx(hits.mean())
    assert metrics["test"] == bundle.card.metrics["test"]


@pytest.mark.usefixtures("colours")
def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    whole = run.train(recipe(), tmp_path / "whole", progress=False)

    class Stop(AveragedWeights):
        def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
            if trainer.current_epoch == 2:
                raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(run, "AveragedWeights", Stop)
        with pytest.raises(OSError, match="no space left"):
            run.train(recipe(), tmp_path / "parts", progress=False)
    assert torch.load(tmp_path / "parts" / "lightning" / "last.ckpt", weights_only=True)["epoch"] == 1
    parts = run.train(recipe(), tmp_path / "parts", resume=True, progress=False)

    last = [torch.load(tmp_path / name / "lightning" / "last.ckpt", weights_only=True) for name in ("whole", "parts")]
    for key in ("state_dict", "current_model_state"):
        assert all(torch.equal(value, last[1][key][name]) for name, value in last[0][key].items())
    assert last[0]["lr_schedulers"][0]["_last_lr"] == last[1]["lr_schedulers"][0]["_last_lr"]
    assert all(torch.equal(value, weights(parts)[name]) for name, value in weights(whole).items())


@pytest.mark.usefixtures("colours")
def test_what_a_run_refuses(tmp_path: Path):
    with pytest.raises(InputError, match="no run to resume"):
        run.train(recipe(), tmp_path / "none", resume=True)
    (tmp_path / "there").mkdir()
    with pytest.raises(InputError, match="exists; choose another --out"):
        run.train(recipe(), tmp_path / "there")
    assert not list((tmp_path / "there").iterdir())
    (tmp_path / "there" / "config.yaml").write_text(run.recipe_yaml(recipe()))
    with pytest.raises(InputError, match="another recipe"):
        run.train(recipe(seed=5), tmp_path / "there", resume=True)
    (tmp_path / "there" / "checkpoint").mkdir()
    with pytest.raises(InputError, match="the run is complete"):
        run.train(recipe(), tmp_path / "there", resume=True)


def test_splits_that_share_a_person_are_refused():
    train, test = clip_set("train"), clip_set("test")
    check_disjoint({"train": train, "test": test})
    with pytest.raises(InputError, match=r"train and test share 8 subjects, e\.g\. train-0"):
        check_disjoint({"train": train, "test": train})


def test_a_checkpoint_gives_its_backbone_to_the_next_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    source = ifdd.create_model("mvit-tiny-baseline", frames=8, size=(32, 32), normalise="kinetics")
    monkeypatch.setattr(run, "load_checkpoint", lambda _name: type("Bundle", (), {"model": source}))
    model = run.initial_model(recipe(init_from="x"))
    fresh = run.initial_model(recipe())
    for key, value in model.state_dict().items():
        shared = key.startswith(("backbone.", "pyramid."))
        assert torch.equal(value, source.state_dict()[key] if shared else fresh.state_dict()[key])
    other = {"backbone": "mvit-tiny", "frames": 16, "size": [48, 48], "normalise": "kinetics"}
    with pytest.raises(InputError, match="of another shape"):
        run.initial_model(recipe(init_from="x", model=other))
    with pytest.raises(InputError, match=r"backbone has learnt clips of normalise=kinetics.*set model\.normalise=kinetics"):
        run.initial_model(recipe(init_from="x", model={"backbone": "mvit-tiny", "frames": 8, "size": [32, 32]}))


def test_a_missing_start_is_told_before_clips_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(run, "load_split", lambda *_: pytest.fail("minutes of rendering"))
    with pytest.raises(InputError, match="unknown checkpoint 'nobody'"):
        run.train(recipe(init_from="nobody"), tmp_path / "out", progress=False)
    assert not list(tmp_path.iterdir())


def test_a_loss_that_is_not_finite_stops_the_run():
    module = run.build_module(recipe(), steps_per_epoch=2)
    with torch.no_grad():
        module.model.head.classify.bias.fill_(float("nan"))
    with pytest.raises(InputError, match=r"the loss became nan at step 0; lower optim\.lr"):
        module.training_step((torch.rand(2, 3, 8, 32, 32), torch.tensor([0, 1]), None), 0)


def test_prediction_does_not_depend_on_the_batch_and_keeps_the_mode():
    model = ifdd.create_model("mvit-tiny-baseline", frames=8, size=(32, 32)).train()
    clips = clip_set("test", 5)
    several, single = predict_set(model, clips, batch=4), predict_set(model, clips, batch=1)
    np.testing.assert_allclose(several, single, atol=1e-6)
    np.testing.assert_allclose(several.sum(1), 1)
    assert model.training

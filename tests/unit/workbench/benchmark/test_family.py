"""Trainings on a frozen backbone, with told places, and many in a row."""

import dataclasses
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

import ifdd
from ifdd.card import Card
from ifdd.checkpoints import CARD, read_card
from ifdd.control import Control
from ifdd.data.clipset import ClipSet
from ifdd.errors import InputError
from ifdd.inputs import to_clips
from ifdd.training import clipsets, processes, run, sweep
from ifdd.training.backbone_cache import backbone_key, read_stages
from ifdd.training.clipsets import SPLITS, as_shown
from ifdd.training.controls import oracle_split, truth_places
from ifdd.training.evaluation import predict_set
from ifdd.training.recipe import Recipe, load_recipe

SMALL = {
    "name": "small-{seed}",
    "model": {"backbone": "mvit-tiny", "frames": 8, "size": [32, 32], "split": "even-odd", "drop_path": 0.0},
    "data": {"source": "scripted"} | {split: {"clips": 7, "identities": 7} for split in SPLITS},
    "optim": {"lr": 0.002, "epochs": 2, "batch": 4, "warmup_epochs": 0.5},
}
STILL = {"crop": 1, "jitter": 0, "erase": 0, "mix": 0}


def parsed(**changes: object) -> Recipe:
    return Recipe.parse(SMALL | {"name": "small"} | changes, "test")


def clip_set(split: str, count: int = 8) -> ClipSet:
    rng = np.random.default_rng(len(split))
    target = np.arange(count) % 7
    pixels = (25 * target[:, None, None, None, None] + rng.integers(0, 60, (count, 8, 32, 32, 3))).astype(np.uint8)
    ids = tuple(f"{split}-{i}" for i in range(count))
    intensity = rng.uniform(0, 1, (count, 8)).astype(np.float32) * (target != 2)[:, None]
    return ClipSet(pixels, target, ids, ids, (0,) * count, {"source": "scripted", "name": "noise"}, intensity=intensity)


@pytest.fixture
def noise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        run, "load_split", lambda recipe, split, _progress: as_shown(clip_set(split), recipe.control, recipe.seed)
    )


def start(folder: Path) -> Path:
    """Checkpoint of an untrained model."""
    return run.train(parsed(), folder / "start", progress=False)


def test_dynamic_group_is_told_the_most_intense_feature_frames():
    intensity = np.zeros((3, 16), np.float32)
    intensity[0, 6:14] = 1.0  # feature frames 3, 4, 5, 6
    intensity[2, [0, 1, 15]] = [0.2, 0.3, 0.9]
    intensity[2, 8:10] = 0.5
    places = truth_places(intensity, seed=0)
    np.testing.assert_array_equal(places[0], [[0, 1, 2, 7], [3, 4, 5, 6]])
    assert {0, 4, 7} <= set(places[2, 1])
    assert any(np.array_equal(places[1], places[i]) for i in (0, 2))  # a clip without emotion reads as another one does
    assert sorted(places[1].ravel()) == list(range(8))
    with pytest.raises(InputError, match="no clip shows an emotion"):
        truth_places(np.zeros((2, 8), np.float32), seed=0)


def test_places_that_are_equally_intense_are_drawn():
    intensity = np.zeros((400, 16), np.float32)
    intensity[:, 4] = 1.0
    read = np.bincount(truth_places(intensity, seed=0)[:, 1].astype(int).ravel(), minlength=8)
    assert read[2] == 400
    np.testing.assert_allclose(np.delete(read, 2), 400 * 3 / 7, atol=45)


def test_a_told_split_reads_those_frames_and_no_others():
    model = ifdd.create_model("ifdd-mvit-tiny", frames=8, size=(32, 32), split="even-odd", lift="none").eval()
    clips = torch.rand(2, 3, 8, 32, 32)
    steps = model.config.feature_frames
    order = torch.stack([torch.randperm(steps) for _ in range(2)]).view(2, 2, -1).float()
    with oracle_split(model, order):
        _, cache = model.run_with_cache(clips, names=("pyramid.X", "issm.X_S", "issm.X_D"))
    for group, name in enumerate(("issm.X_S", "issm.X_D")):
        for b in range(2):
            torch.testing.assert_close(cache[name][b], cache["pyramid.X"][b][:, order[b, group].long()])
    with oracle_split(model, None):
        _, free = model.run_with_cache(clips, names="issm.sample_D")
    assert free["issm.sample_D"][0].tolist() == list(range(1, steps, 2))


def test_stages_are_those_of_the_backbone_and_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    model = ifdd.create_model("mvit-tiny-baseline", frames=8, size=(32, 32))
    clips = clip_set("train", 5)
    mirrored = dataclasses.replace(clips, pixels=clips.pixels[:, :, :, ::-1])
    plain, other = (read_stages(model, clips, tmp_path, mirrored=flag, progress=False) for flag in (False, True))
    with torch.no_grad(), model.evaluating():
        for stages, shown in ((plain, clips), (other, mirrored)):
            wanted = model.encode(to_clips(torch.from_numpy(shown.pixels.copy())))
            for stage in model.config.stages:
                np.testing.assert_allclose(stages[stage], wanted[stage].numpy(), atol=1e-5)
    np.testing.assert_allclose(predict_set(model, clips, stages=plain), predict_set(model, clips), atol=1e-6)
    monkeypatch.setattr(model, "encode", lambda _clips: pytest.fail("read twice"))
    again = read_stages(model, clips, tmp_path, progress=False)
    np.testing.assert_array_equal(again[3], plain[3])


def test_key_of_a_backbone_changes_with_its_weights_alone():
    model = ifdd.create_model("mvit-tiny-baseline", frames=8, size=(32, 32))
    other = ifdd.create_model("ifdd-mvit-tiny", frames=8, size=(32, 32))
    other.backbone.load_state_dict(model.backbone.state_dict())
    assert backbone_key(model) == backbone_key(other)
    with torch.no_grad():
        other.backbone.norm.bias[0] += 1e-3
    assert backbone_key(model) != backbone_key(other)


@pytest.mark.usefixtures("noise")
@pytest.mark.parametrize("places", ["own", "truth"])
def test_a_frozen_backbone_stays_and_the_rest_learns(tmp_path: Path, places: str):
    source = start(tmp_path)
    recipe = parsed(
        freeze="backbone",
        init_from=str(source),
        augment=STILL,
        control={"places": places},
        data=SMALL["data"] | {"cache": str(tmp_path / "cache")},
    )
    checkpoint = run.train(recipe, tmp_path / "run", progress=False)
    before, after = (ifdd.load_checkpoint(folder).model for folder in (source, checkpoint))
    assert backbone_key(before) == backbone_key(after)
    assert not torch.equal(before.state_dict()["head.classify.weight"], after.state_dict()["head.classify.weight"])
    clips = as_shown(clip_set("test"), Control(places=places), 0)
    card = ifdd.load_checkpoint(checkpoint).card
    assert card.training["init_from_sha256"] == ifdd.load_checkpoint(source).card.sha256
    assert json.loads((tmp_path / "run" / run.ENVIRONMENT).read_text())["init_from_sha256"] == card.training["init_from_sha256"]
    guess = predict_set(after, clips).argmax(1)
    recalls = [(guess[clips.target == c] == c).mean() for c in range(7)]
    assert card.metrics["test"]["UAR"] == pytest.approx(np.mean(recalls))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"freeze": "backbone", "augment": STILL}, "name a checkpoint in init_from"),
        ({"freeze": "backbone", "init_from": "x"}, "set augment.crop=1, jitter=0, erase=0 and mix=0"),
        (
            {"control": {"places": "truth"}, "model": SMALL["model"] | {"split": "index"}},
            "replaces those of split='even-odd'",
        ),
        ({"control": {"places": "truth", "frames": "one"}}, "needs all frames in turn"),
    ],
)
def test_recipes_that_cannot_be(changes: dict[str, object], message: str):
    with pytest.raises(InputError, match=message):
        parsed(**changes)


def test_truth_is_refused_for_clips_without_it():
    with pytest.raises(InputError, match="no true intensity"):
        as_shown(dataclasses.replace(clip_set("test"), intensity=None), Control(places="truth"), 0)


def test_a_recipe_extends_another(tmp_path: Path):
    (tmp_path / "below.yaml").write_text(yaml.safe_dump(SMALL))
    (tmp_path / "above.yaml").write_text("extends: below.yaml\nname: above\nseed: 5\noptim: {epochs: 9}\ninit_from: x-{seed}\n")
    recipe = load_recipe(tmp_path / "above.yaml", ["seed=3"])
    assert (recipe.name, recipe.optim.epochs, recipe.optim.lr, recipe.init_from) == ("above", 9, 0.002, "x-3")
    assert load_recipe(tmp_path / "below.yaml").name == "small-0"
    (tmp_path / "below.yaml").write_text("extends: above.yaml\n")
    with pytest.raises(InputError, match=r"above\.yaml: extends itself, by way of below\.yaml"):
        load_recipe(tmp_path / "above.yaml")


@pytest.fixture
def quick_runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Processes that make a checkpoint's folder at once; recipes whose name has `bad` fail."""
    started: list[str] = []

    class Process:
        def __init__(self, command: list[str], **_: object) -> None:
            recipe, folder = load_recipe(command[4]), Path(command[6])
            started.append(recipe.name + (" resumed" if "--resume" in command else ""))
            self.returncode = int("bad" in recipe.name)
            if not self.returncode:
                source = recipe.init_from and folder.parent / recipe.init_from / run.CHECKPOINT
                card(folder / run.CHECKPOINT, recipe, source)
                (folder / run.CONFIG).write_text(Path(command[4]).read_text())

        def poll(self) -> int:
            return self.returncode

        def terminate(self) -> None: ...

        def wait(self) -> None: ...

    monkeypatch.setattr(processes, "POLL_S", 0.0)
    monkeypatch.setattr(subprocess, "Popen", Process)
    return started


def card(folder: Path, recipe: Recipe, source: Path | str | None = None, sha256: str = "first") -> None:
    """A card as a training writes it; it started from what `source` is now."""
    started = {"init_from_sha256": read_card(Path(source)).sha256} if source else {}
    written = Card(
        name=recipe.name,
        notice="",
        model=recipe.model,
        labels=recipe.labels,
        preprocessing={"frames": recipe.model.frames, "size": recipe.model.size},
        data={},
        training=started,
        metrics={},
        versions={},
        sha256=sha256,
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CARD).write_text(written.model_dump_json())


def write(folder: Path, name: str, /, **changes: object) -> Path:
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump(SMALL | {"name": f"{name}-{{seed}}"} | changes))
    return file


def test_a_sweep_trains_what_is_missing_and_starts_before_what_builds_on_it(tmp_path: Path, quick_runs: list[str]):
    after, first = write(tmp_path, "after", init_from="first-{seed}"), write(tmp_path, "first")
    out = tmp_path / "runs"
    found = sweep.sweep([after, first], out, seeds=(0, 1), jobs=1, say=lambda _: None)
    assert quick_runs.index("first-0") < quick_runs.index("after-0")
    assert quick_runs.index("first-1") < quick_runs.index("after-1")
    assert sorted(path.name for path in found) == ["after-0", "after-1", "first-0", "first-1"]
    assert read_card(out / "checkpoints" / "after-1").name == "after-1"
    sweep.sweep([after, first], out, seeds=(0, 1, 2), jobs=2, say=lambda _: None)
    assert quick_runs[4:] == ["first-2", "after-2"]


@pytest.mark.parametrize(("own", "expected"), [(None, "3"), ("1", "1")])
def test_trainings_share_the_cores_unless_the_user_has_said_how_many(
    own: str | None, expected: str, tmp_path: Path, quick_runs: list[str], monkeypatch: pytest.MonkeyPatch
):
    given: list[str] = []
    quick = subprocess.Popen

    def noted(command: list[str], env: dict[str, str], **rest: object) -> object:
        given.append(env["OMP_NUM_THREADS"])
        return quick(command, env=env, **rest)

    monkeypatch.setattr(subprocess, "Popen", noted)
    monkeypatch.setattr(processes.os, "cpu_count", lambda: 6)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if own is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", own)
    sweep.sweep([write(tmp_path, "a")], tmp_path / "runs", jobs=2, say=lambda _: None)
    assert given == [expected]


def test_a_sweep_resumes_and_tells_what_failed(tmp_path: Path, quick_runs: list[str]):
    out = tmp_path / "runs"
    good, bad, after = write(tmp_path, "good"), write(tmp_path, "bad"), write(tmp_path, "after", init_from="bad-{seed}")
    (out / "good-0").mkdir(parents=True)
    (out / "good-0" / run.CONFIG).write_text(run.recipe_yaml(load_recipe(good)))
    (out / "good-0" / run.ENVIRONMENT).write_text("{}")
    with pytest.raises(InputError, match="2 of 3 trainings failed: bad-0, after-0"):
        sweep.sweep([bad, good, after], out, say=lambda _: None)
    assert quick_runs == ["bad-0", "good-0 resumed"]


def test_a_sweep_refuses_names_that_meet_and_other_recipes(tmp_path: Path, quick_runs: list[str]):
    same = write(tmp_path, "same", name="same")
    with pytest.raises(InputError, match="two runs are called 'same'"):
        sweep.sweep([same], tmp_path / "runs", seeds=(0, 1))
    one = write(tmp_path, "one")
    sweep.sweep([one], tmp_path / "runs", say=lambda _: None)
    write(tmp_path, "one", seed=0, ema=0.5)
    with pytest.raises(InputError, match="was trained with another recipe"):
        sweep.sweep([one], tmp_path / "runs", say=lambda _: None)


def test_a_sweep_refuses_runs_that_wait_for_each_other(tmp_path: Path, quick_runs: list[str]):
    one, two = write(tmp_path, "one", init_from="two-{seed}"), write(tmp_path, "two", init_from="one-{seed}")
    with pytest.raises(InputError, match=r"one-0: init_from leads back to one-0 \(one-0, two-0\)"):
        sweep.sweep([one, two], tmp_path / "runs")
    with pytest.raises(InputError, match="self-0: init_from leads back to self-0"):
        sweep.sweep([write(tmp_path, "self", init_from="self-0")], tmp_path / "runs")
    assert not quick_runs


def test_a_run_that_is_trained_anew_replaces_its_copy(tmp_path: Path, quick_runs: list[str]):
    out, one = tmp_path / "runs", write(tmp_path, "one")
    (copy,) = sweep.sweep([one], out, say=lambda _: None)
    (copy / "card.json").write_text("an earlier training")
    sweep.sweep([one], out, say=lambda _: None)
    assert quick_runs == ["one-0"]
    assert read_card(copy).name == "one-0"


def test_a_sweep_refuses_a_run_whose_source_was_trained_anew(tmp_path: Path, quick_runs: list[str]):
    first, after, out = write(tmp_path, "first"), write(tmp_path, "after", init_from="first-{seed}"), tmp_path / "runs"
    sweep.sweep([first, after], out, say=lambda _: None)
    sweep.sweep([first, after], out, say=lambda _: None)
    card(out / "first-0" / run.CHECKPOINT, load_recipe(first), sha256="second")
    with pytest.raises(InputError, match=r"after-0: was trained from another first-0 .*; remove it to train it anew"):
        sweep.sweep([first, after], out, say=lambda _: None)
    shutil.rmtree(out / "first-0")
    with pytest.raises(InputError, match="after-0: was trained from another first-0"):
        sweep.sweep([first, after], out, say=lambda _: None)
    shutil.rmtree(out / "after-0")
    sweep.sweep([first, after], out, say=lambda _: None)
    assert quick_runs == ["first-0", "after-0", "first-0", "after-0"]


def test_random_labels_are_those_of_other_training_clips(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(clipsets, "_load_split", lambda _recipe, split, _progress: clip_set(split, 70))
    recipe = parsed(control={"labels": "random"}, keep="last")
    shown = {split: clipsets.load_split(recipe, split).target for split in SPLITS}
    for split in ("val", "test"):
        np.testing.assert_array_equal(shown[split], clip_set(split, 70).target)
    true = clip_set("train", 70).target
    np.testing.assert_array_equal(np.sort(shown["train"]), np.sort(true))
    assert (shown["train"] == true).mean() < 0.4
    np.testing.assert_array_equal(clipsets.load_split(recipe, "train").target, shown["train"])
    with pytest.raises(InputError, match="nothing to validate; set keep=last"):
        parsed(control={"labels": "random"})


@pytest.mark.usefixtures("noise")
def test_the_last_epoch_can_be_kept(tmp_path: Path):
    run.train(parsed(keep="last"), tmp_path / "run", progress=False)
    last = torch.load(tmp_path / "run" / "lightning" / "last.ckpt", weights_only=True)["state_dict"]
    kept = ifdd.load_checkpoint(tmp_path / "run" / "checkpoint").model.state_dict()
    torch.testing.assert_close(kept["head.classify.weight"], last["model.head.classify.weight"])
    assert ifdd.load_checkpoint(tmp_path / "run" / "checkpoint").card.training["epoch"] == 2

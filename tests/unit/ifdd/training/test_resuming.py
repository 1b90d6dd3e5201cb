"""What a training keeps, and how it goes on: after kills, damage, a full disk, and with more epochs."""

import errno
import json
import shutil
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from colours import clip_set, recipe, weights
from typer.testing import CliRunner

from ifdd.checkpoints import read_card
from ifdd.cli import app
from ifdd.errors import InputError
from ifdd.io import claim
from ifdd.training import keeping, run
from ifdd.training.clipsets import SPLITS
from ifdd.training.module import AveragedWeights, TrainingModule, lr_at
from ifdd.training.recipe import Recipe, load_recipe, recipe_yaml
from ifdd.training.sweep import sweep


@pytest.fixture(autouse=True, scope="module")
def colours() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "load_split", lambda _recipe, split, _progress: clip_set(split))
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    run.train(recipe(), folder, progress=False)
    return folder


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was stopped in its third epoch."""

    class Stop(AveragedWeights):
        def on_train_epoch_start(self, trainer, pl_module) -> None:  # type: ignore[no-untyped-def]
            if trainer.current_epoch == 2:
                raise KeyboardInterrupt

    folder = tmp_path_factory.mktemp("runs") / "stopped"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "AveragedWeights", Stop)
        with pytest.raises(KeyboardInterrupt):
            run.train(recipe(), folder, progress=False)
    return folder


@pytest.fixture
def begun(stopped: Path, tmp_path: Path) -> Path:
    """A copy of it to damage."""
    return Path(shutil.copytree(stopped, tmp_path / "run"))


def check_same(folder: Path, other: Path) -> None:
    expected = weights(other / "checkpoint")
    assert all(torch.equal(value, expected[name]) for name, value in weights(folder / "checkpoint").items())
    for name in ("log/metrics.csv", "predictions.parquet", "config.yaml"):
        assert (folder / name).read_bytes() == (other / name).read_bytes(), name
    scores = [json.loads((place / "metrics.json").read_text()) for place in (folder, other)]
    for score in scores:
        del score["training"]["minutes"]
    assert scores[0] == scores[1]


def test_a_stopped_run_keeps_its_epochs_and_goes_on_as_if_it_never_stopped(begun: Path, whole: Path):
    assert sorted(path.name for path in (begun / "lightning").iterdir()) == ["before.ckpt", "best.ckpt", "last.ckpt"]
    run.train(recipe(), begun, resume=True, progress=False)
    check_same(begun, whole)
    assert not list(begun.parent.glob(".*"))


@pytest.mark.filterwarnings("ignore:.*env.json is missing or damaged")
@pytest.mark.parametrize("config", [None, "", "optim: {lr: ["])
def test_a_run_killed_before_its_first_epoch_ends_can_go_on(tmp_path: Path, whole: Path, config: str | None):
    """Such folders were left by versions that made them piece by piece."""
    folder = tmp_path / "run"
    folder.mkdir()
    if config is not None:
        (folder / "config.yaml").write_text(config)
    run.train(recipe(), folder, resume=True, progress=False)
    check_same(folder, whole)
    assert json.loads((folder / "env.json").read_text())["python"]


def test_a_run_appears_with_all_that_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    seen: list[list[str]] = []

    def killed(*_: object) -> None:
        seen.append(sorted(path.name for path in tmp_path.glob("run/*")))
        raise KeyboardInterrupt

    for name in ("environment", "_fit"):
        with monkeypatch.context() as patch:
            patch.setattr(run, name, killed)
            with pytest.raises(KeyboardInterrupt):
                run.train(recipe(), tmp_path / "run", progress=False)
    assert seen == [[], ["config.yaml", "env.json"]]


@pytest.mark.parametrize("text", [None, "", "{", "[]"])
def test_a_missing_environment_is_told_before_and_made_anew(begun: Path, text: str | None, monkeypatch: pytest.MonkeyPatch):
    (begun / "env.json").unlink()
    if text is not None:
        (begun / "env.json").write_text(text)
    monkeypatch.setattr(run, "_fit", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.warns(UserWarning, match=r"env\.json is missing or damaged; it is made anew"), pytest.raises(KeyboardInterrupt):
        run.train(recipe(), begun, resume=True, progress=False)
    assert json.loads((begun / "env.json").read_text())["init_from_sha256"] is None


@pytest.mark.parametrize("damage", ["missing", "half", "one byte"])
def test_a_damaged_checkpoint_gives_way_to_the_one_before(begun: Path, whole: Path, damage: str):
    last = begun / "lightning" / "last.ckpt"
    content = bytearray(last.read_bytes())
    last.unlink()
    if damage == "half":
        last.write_bytes(content[: len(content) // 2])
    elif damage == "one byte":
        content[len(content) // 2] ^= 1
        last.write_bytes(content)
    with pytest.warns(UserWarning, match=r"last\.ckpt is missing or damaged; going on from before\.ckpt, after epoch 1"):
        run.train(recipe(), begun, resume=True, progress=False)
    check_same(begun, whole)


def test_damage_that_cannot_be_mended_names_the_file(begun: Path):
    config = (begun / "config.yaml").read_text()
    (begun / "config.yaml").write_text("")
    with pytest.raises(InputError, match=r"remove .*config\.yaml: the recipe is in .*last\.ckpt, too"):
        run.train(recipe(), begun, resume=True)
    (begun / "config.yaml").unlink()
    with pytest.raises(InputError, match=r"another recipe \(seed: 0 then, 5 now\)"):
        run.train(recipe(seed=5), begun, resume=True)
    (begun / "config.yaml").write_text(config)
    (begun / "lightning" / "best.ckpt").write_bytes(b"half")
    with pytest.raises(InputError, match=r"best\.ckpt is missing or damaged.*remove .*run and train anew"):
        run.train(recipe(), begun, resume=True)
    for name in ("last", "before"):
        (begun / "lightning" / f"{name}.ckpt").write_bytes(b"half")
    with pytest.raises(InputError, match=r"last\.ckpt and .*before\.ckpt cannot be read; remove .*run and train anew"):
        run.train(recipe(), begun, resume=True)


def test_folders_of_something_else_are_left_alone(tmp_path: Path):
    with pytest.raises(InputError, match="no run to resume; leave --resume out"):
        run.train(recipe(), tmp_path / "none", resume=True)
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(InputError, match="no run to resume"):
        run.train(recipe(), tmp_path, resume=True)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_checkpoints_never_pass_through_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def none(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for name in ("mkstemp", "mkdtemp", "NamedTemporaryFile", "TemporaryDirectory"):
        monkeypatch.setattr(tempfile, name, none)
    run.train(recipe(optim={"lr": 0.002, "epochs": 2, "batch": 4}), tmp_path / "run", progress=False)


def test_a_full_disk_names_the_path_and_keeps_the_epochs(begun: Path, whole: Path, monkeypatch: pytest.MonkeyPatch):
    write = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if ".ckpt." in path.name:
            write(path, content[:1000])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(InputError, match=r"run/lightning/\w+\.ckpt: cannot be written: No space left on device"):
            run.train(recipe(), begun, resume=True, progress=False)
    run.train(recipe(), begun, resume=True, progress=False)
    check_same(begun, whole)


def more(epochs: int, **optim: object) -> Recipe:
    return recipe(optim={"lr": 0.002, "epochs": epochs, "batch": 4} | optim)


def test_epochs_can_be_raised_also_of_a_complete_run(whole: Path, tmp_path: Path):
    folder = Path(shutil.copytree(whole, tmp_path / "run"))
    with pytest.raises(InputError, match=r"the run is complete; .* to train on, raise optim\.epochs"):
        run.train(more(3), folder, resume=True)
    run.train(more(5), folder, resume=True, progress=False)
    log = pd.read_csv(folder / "log" / "metrics.csv")
    assert list(log["epoch"]) == [0, 1, 2, 3, 4]
    pd.testing.assert_frame_equal(log[:3], pd.read_csv(whole / "log" / "metrics.csv"))
    # two steps an epoch; the log has the rate of the step that would come next
    rates = {total: [lr_at(2 * e, peak=0.002, warmup=2, total=2 * total, final=0.01) for e in range(1, 6)] for total in (3, 5)}
    np.testing.assert_allclose(log["lr"], rates[3][:3] + rates[5][3:])
    assert load_recipe(folder / "config.yaml") == more(5)
    training = read_card(folder / "checkpoint").training
    assert training["epochs_raised"] == [{"from": 3, "after": 3}]
    with pytest.raises(InputError, match="the run is complete"):
        run.train(more(5), folder, resume=True)


def test_the_first_step_after_a_raise_has_the_rate_of_the_new_schedule(begun: Path, monkeypatch: pytest.MonkeyPatch):
    seen: list[float] = []
    step = torch.optim.AdamW.step

    def watched(optimiser: torch.optim.AdamW, closure: object = None) -> object:
        seen.append(optimiser.param_groups[0]["lr"])
        return step(optimiser, closure)  # type: ignore[arg-type]

    monkeypatch.setattr(torch.optim.AdamW, "step", watched)
    run.train(more(4), begun, resume=True, progress=False)
    np.testing.assert_allclose(seen, [lr_at(i, peak=0.002, warmup=2, total=8, final=0.01) for i in range(4, 8)])


def test_more_epochs_of_a_run_that_its_patience_has_ended_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(TrainingModule, "on_validation_epoch_end", lambda module: module.log("val_ema_UAR", 0.5))
    run.train(more(4, patience=1), tmp_path / "run", progress=False)
    assert len(pd.read_csv(tmp_path / "run" / "log" / "metrics.csv")) == 2
    told = r"optim\.patience=1 ended it after epoch 2 of 4, more optim\.epochs train no further; leave them at 4, or train anew"
    with pytest.raises(InputError, match=told):
        run.train(more(6, patience=1), tmp_path / "run", resume=True)
    assert load_recipe(tmp_path / "run" / "config.yaml") == more(4, patience=1)


def test_a_run_does_not_go_on_with_other_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def listed(digest: str) -> None:
        found = {split: clip_set(split) for split in SPLITS}
        found["train"] = replace(found["train"], about=found["train"].about | {"data_hash": digest})
        monkeypatch.setattr(run, "load_split", lambda _recipe, split, _progress: found[split])

    listed("as it was")
    run.train(more(2), tmp_path / "run", progress=False)
    listed("with a label mended")
    with pytest.raises(
        InputError, match=r"lists of its clips have changed since it was begun \(train: other clips, paths or lab"
    ):
        run.train(more(3), tmp_path / "run", resume=True)
    listed("as it was")
    run.train(more(3), tmp_path / "run", resume=True, progress=False)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (more(3, lr=0.1), r"optim\.lr: 0\.002 then, 0\.1 now"),
        (more(2), r"optim\.epochs: 3 then, 2 now"),
        (recipe(ema=None, seed=3), r"ema: 0\.9 then, None now; seed: 0 then, 3 now"),
    ],
)
def test_what_may_not_change_is_named(begun: Path, changed: Recipe, message: str):
    with pytest.raises(InputError, match=rf"another recipe \({message}\); a resumed run may have its epochs raised"):
        run.train(changed, begun, resume=True)


def test_of_many_differences_the_first_are_named(begun: Path):
    values = recipe().model_dump(mode="json")
    values["data"] = {"train": "a", "val": "b", "test": "c", "source": "manifest"}
    with pytest.raises(InputError, match=r"; and \d+ more\); a resumed run may") as caught:
        run.train(Recipe.parse(values, "test"), begun, resume=True)
    assert str(caught.value).count(" then, ") == 6


def test_device_and_cache_may_change(begun: Path, whole: Path):
    values = recipe().model_dump(mode="json")
    values["data"]["cache"] = "elsewhere"
    run.train(Recipe.parse(values | {"device": "cpu"}, "test"), begun, resume=True, progress=False)
    expected = weights(whole / "checkpoint")
    assert all(torch.equal(value, expected[name]) for name, value in weights(begun / "checkpoint").items())


def test_two_trainings_in_one_folder(begun: Path):
    refused: list[str] = []

    def second() -> None:
        try:
            run.train(recipe(), begun, resume=True, progress=False)
        except InputError as error:
            refused.append(str(error))

    with claim(begun):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert "run: is being written by" in refused[0]
    assert "wait until it has ended" in refused[0]


def test_ctrl_c_says_what_is_kept_and_how_to_go_on(stopped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "train", interrupted)
    file = tmp_path / "my recipe.yaml"
    file.write_text(recipe_yaml(recipe()))
    told = {}
    for out in (stopped, tmp_path / "none"):
        result = CliRunner().invoke(app, ["train", str(file), "--out", str(out), "--seed", "0"])
        assert result.exit_code == 130
        told[out.name] = result.stderr.strip()
    assert told["stopped"] == (
        f"interrupted: 2 of 3 epochs are kept in {stopped}/lightning; go on with: "
        f"ifdd train '{file}' --out {stopped} --set seed=0 --resume"
    )
    assert told["none"].startswith("interrupted: nothing was begun; give the same command again: ifdd train")


def test_a_sweep_refuses_another_recipe_and_goes_on_with_a_folder_that_was_killed_early(begun: Path, tmp_path: Path):
    file = tmp_path / "tiny.yaml"
    file.write_text(recipe_yaml(recipe(name="run", optim={"lr": 0.5, "epochs": 3, "batch": 4})))
    with pytest.raises(InputError, match=r"another recipe \(name: tiny then, run now; optim\.lr: 0\.002 then, 0\.5 now\)"):
        sweep([file], begun.parent)


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("optim.learning_rate", "did you mean 'optim.lr'?"),
        ("learning_rate", "did you mean 'optim.lr'?"),
        ("model.batch_size", "did you mean 'optim.batch'?"),
        ("optim.weight_decya", "did you mean 'optim.weight_decay'?"),
        ("augment.xyz", "known keys of augment: crop, cutmix, erase, flip"),
        ("xyz", "known keys: augment, control, data, device"),
    ],
)
def test_an_unknown_key_is_answered_at_its_own_level(tmp_path: Path, key: str, hint: str):
    file = tmp_path / "tiny.yaml"
    file.write_text(recipe_yaml(recipe()))
    with pytest.raises(InputError) as refused:
        load_recipe(file, [f"{key}=1"])
    assert f"unknown key '{key}'; {hint}" in str(refused.value)


def test_what_every_checkpoint_tells(begun: Path):
    kept = torch.load(begun / "lightning" / "best.ckpt", weights_only=True)
    assert Recipe.parse(__import__("yaml").safe_load(kept["recipe"]), "kept") == recipe()
    assert keeping.find_unfinished(recipe(), begun) == keeping.UnfinishedRun(
        begun / "lightning" / "last.ckpt", 2, json.loads((begun / "env.json").read_text())
    )

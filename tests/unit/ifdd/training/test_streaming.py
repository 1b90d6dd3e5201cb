"""Trainings on clips that are streamed: workers, damage, stops within an epoch, and what they log."""

import gc
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import lightning as L
import numpy as np
import pandas as pd
import pytest
import torch
from media import gray_images, write_video
from small_corpus import EVEN, STILL, corpus_recipe, without_batch_statistics

import ifdd
from ifdd.data.bad_clips import settle
from ifdd.data.manifest import read_manifest, write_manifest
from ifdd.data.preprocessing import Preprocessing
from ifdd.data.sampling import Take
from ifdd.data.streamed import streamed
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS
from ifdd.training import run, stopping
from ifdd.training.clipsets import load_split
from ifdd.training.datamodule import ClipDataModule
from ifdd.training.evaluation import predict_set
from ifdd.training.keeping import what_is_kept
from ifdd.training.loading import Batches, ClipDataset, Ledger, Request, chosen_workers
from ifdd.training.module import AveragedWeights
from ifdd.training.recipe import Recipe
from ifdd.training.stopping import Stopped, stoppable

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore:.*the last one is repeated", "ignore:.*clips cannot be read"),
]
STEPS = {"lr": 0.002, "epochs": 2, "batch": 2, "accumulate": 2}


def full(manifest: Path, **changes: Any) -> Recipe:
    """A recipe that uses all that a run has to come back to."""
    return corpus_recipe(manifest, **({"ema": 0.9, "optim": STEPS} | changes))


@pytest.fixture(scope="module")
def whole(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    run.train(full(corpus), folder, progress=False)
    return folder


def named_alike(callback: type) -> type:
    """Lightning finds a callback's state by the name of its class."""
    callback.__qualname__ = AveragedWeights.__qualname__
    return callback


def check_same(folder: Path, other: Path) -> None:
    first, second = (torch.load(place / "lightning" / "last.ckpt", weights_only=True) for place in (folder, other))
    for key in ("state_dict", "current_model_state"):
        assert all(torch.equal(value, second[key][name]) for name, value in first[key].items())
    for name in ("log/metrics.csv", "predictions.parquet"):
        assert (folder / name).read_bytes() == (other / name).read_bytes(), name
    assert (folder / "checkpoint" / "weights.safetensors").read_bytes() == (
        other / "checkpoint" / "weights.safetensors"
    ).read_bytes()


def test_the_log_has_both_weights_and_the_speed(whole: Path, corpus: Path) -> None:
    log = pd.read_csv(whole / "log" / "metrics.csv")
    assert {"train_loss", "val_UAR", "val_ema_UAR", "val_WAR", "val_ema_loss"} <= set(log.columns)
    speed = pd.read_csv(whole / "log" / "speed.csv")
    assert speed["epoch"].tolist() == [0, 1]
    assert (speed["clips"] == 2 * 2 * (len(load_split(full(corpus), "train")) // 4)).all()
    assert speed["waiting"].between(0, 1).all()
    last = torch.load(whole / "lightning" / "last.ckpt", weights_only=True)
    clips = load_split(full(corpus), "val")
    for key, name in (("current_model_state", "val"), ("state_dict", "val_ema")):
        model = run.create_model(full(corpus).model)
        model.load_state_dict({k.removeprefix("model."): v for k, v in last[key].items() if k.startswith("model.")})
        hits = predict_set(model, clips).argmax(1) == clips.target
        assert log[f"{name}_WAR"].iloc[-1] == pytest.approx(hits.mean())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_within_an_epoch_is_gone_on_from(
    corpus: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    @named_alike
    class Signalled(AveragedWeights):
        def on_train_batch_start(self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int) -> None:
            if (trainer.current_epoch, batch_idx) == (1, 4):
                os.kill(os.getpid(), number)

    before = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)]
    with monkeypatch.context() as patch:
        patch.setattr(run, "AveragedWeights", Signalled)
        with pytest.raises(Stopped) as stopped:
            run.train(full(corpus), tmp_path / "run", progress=False)
    assert stopped.value.code == 128 + number
    assert [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)] == before
    assert f"1 of 2 epochs and 6 batches of the next are kept in {tmp_path}" in what_is_kept(full(corpus), tmp_path / "run")
    run.train(full(corpus), tmp_path / "run", resume=True, progress=False)
    check_same(tmp_path / "run", whole)


def test_a_stop_in_the_first_epoch_and_in_validation(
    corpus: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @named_alike
    class Signalled(AveragedWeights):
        def on_train_batch_start(self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int) -> None:
            if (trainer.current_epoch, batch_idx) == (0, 1) and trainer.global_step == 0:
                os.kill(os.getpid(), signal.SIGTERM)

        def on_validation_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int, *_: Any) -> None:
            if batch_idx == 0:
                os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(run, "AveragedWeights", Signalled)
    folder = tmp_path / "run"
    told = []
    for i in range(3):
        with pytest.raises(Stopped):
            run.train(full(corpus), folder, resume=i > 0, progress=False)
        told.append(what_is_kept(full(corpus), folder).split(" are kept")[0])
    assert told == ["0 of 2 epochs and 2 batches of the next", "1 of 2 epochs", "2 of 2 epochs"]
    run.train(full(corpus), folder, resume=True, progress=False)
    check_same(folder, whole)


def test_a_second_signal_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with stoppable() as stop:
        stop.held = True
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)  # the same Ctrl-C, by way of who started the process
        assert stop.asked == signal.SIGTERM
        monkeypatch.setattr(stopping, "AGAIN", -1.0)
        with pytest.raises(Stopped):
            os.kill(os.getpid(), signal.SIGTERM)


def test_workers_read_the_same_clips(corpus: Path, whole: Path, tmp_path: Path) -> None:
    run.train(full(corpus, data={"workers": 2}), tmp_path / "run", progress=False)
    check_same(tmp_path / "run", whole)


def test_workers_do_not_wait_for_threads_of_the_process_that_made_them(corpus: Path) -> None:
    """A pool of OpenCV's threads is not there any more in a process that was forked."""
    cv2.setNumThreads(4)
    cv2.GaussianBlur(np.zeros((900, 900, 3), np.float32), (0, 0), 3.0)  # begins the threads
    clips = load_split(full(corpus), "train")
    requests = [Request([i], [Take(0)]) for i in range(4)]
    assert [loaded.rows for loaded in Batches(ClipDataset(clips), lambda: requests, 4, workers=2)] == [[0], [1], [2], [3]]


def test_workers_read_videos_after_the_process_that_made_them_has(tmp_path: Path) -> None:
    """FFmpeg's scaler has threads, and a frame keeps it until the garbage collector comes."""
    write_video(tmp_path / "a.mp4", gray_images(range(0, 200, 10), 240, 320))
    for i in range(6):
        (tmp_path / f"{i}.mp4").symlink_to(tmp_path / "a.mp4")
    (tmp_path / "list.csv").write_text("path,label\n" + "".join(f"{i}.mp4,sad\n" for i in range(6)))
    inputs = {"clip": Preprocessing(8, (32, 32), "none")}
    clips = streamed(tmp_path / "list.csv", read_manifest(tmp_path / "list.csv"), inputs, EMOTIONS)
    requests = [Request([i], [Take(0)]) for i in range(6)]
    gc.collect()
    gc.disable()
    try:
        alone = [loaded.pixels for loaded in Batches(ClipDataset(clips), lambda: requests, 6)]
        ahead = [loaded.pixels for loaded in Batches(ClipDataset(clips), lambda: requests, 6, workers=2)]
    finally:
        gc.enable()
    assert all(torch.equal(one, other) for one, other in zip(alone, ahead, strict=True))


def test_how_many_workers() -> None:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    assert chosen_workers(3, "cuda") == 3
    assert chosen_workers(None, "cpu") == cores // 4
    assert 1 <= chosen_workers(None, "cuda") <= 16
    assert chosen_workers(None, "cuda", 1000) == 1


def damaged(corpus: Path, root: Path, clips: list[int]) -> Path:
    """A copy of the corpus in which some clips have no frame that can be read."""
    shutil.copytree(corpus.parent, root, ignore=shutil.ignore_patterns("cache", "*.parquet"))
    write_manifest(read_manifest(corpus), root / "clips.parquet")
    for i in clips:
        for frame in (root / f"{i:05d}").iterdir():
            frame.write_bytes(f"no picture {frame}".encode())
    return root / "clips.parquet"


def test_damaged_clips_are_told_or_stop_the_run(corpus: Path, tmp_path: Path) -> None:
    frame = read_manifest(corpus)
    parts = {split: load_split(full(corpus), split).clip_ids for split in ("train", "val", "test")}  # type: ignore[arg-type]
    bad = [int(parts["train"][0]), int(parts["val"][0]), int(parts["test"][0])]
    manifest = damaged(corpus, tmp_path / "corpus", bad)
    with pytest.raises(
        InputError, match=r"(train|val): 1 of \d+ clips cannot be read: .* leave them out with data\.on_error=skip"
    ):
        run.train(full(manifest), tmp_path / "stopped", progress=False)
    chosen = full(manifest, data={"on_error": "skip"}, optim=STEPS | {"epochs": 1, "warmup_epochs": 0})
    card = ifdd.load_checkpoint(run.train(chosen, tmp_path / "run", progress=False)).card
    notes = card.training["notes"]
    count = len(parts["train"])
    assert any(f"train: 1 of {count} clips cannot be read, others of their classes were shown: {bad[0]:05d}" in n for n in notes)
    assert any(note.startswith(f"val: 1 of {len(parts['val'])} clips left out") for note in notes)
    assert any(note.startswith(f"test: 1 of {len(parts['test'])} clips left out") for note in notes)
    assert card.metrics["test"]["n"] == len(parts["test"]) - 1 == card.data["test"]["clips"]
    assert card.data["test"]["left_out"]["of"] == len(parts["test"])
    assert any("clips left out" in note for note in card.metrics["test"]["notes"])
    predictions = pd.read_parquet(tmp_path / "run" / "predictions.parquet")
    assert not {f"{i:05d}" for i in bad} & set(predictions["clip_id"])
    assert len(frame) - count - 2 == len(predictions)


def test_too_many_damaged_clips_stop_a_run_that_skips_them(corpus: Path, tmp_path: Path) -> None:
    manifest = damaged(corpus, tmp_path / "corpus", list(range(0, 42, 2)))
    with pytest.raises(InputError, match=r"more than 20% of the clips are too many to leave out"):
        run.train(full(manifest, data={"on_error": "skip"}), tmp_path / "run", progress=False)


def test_a_clip_that_cannot_be_read_gives_way_to_the_next_of_its_class(corpus: Path, tmp_path: Path) -> None:
    clips = load_split(full(damaged(corpus, tmp_path / "corpus", [0]), data={"fold": 2}), "train")
    i = clips.clip_ids.index("00000")
    data = ClipDataModule(full(corpus), clips, clips)
    request = next(iter(data._train_requests()))._replace(clips=[i, i + 1], takes=[Take(0)] * 2)
    loaded = ClipDataset(clips, replace=True)[request]
    expected = next(j for j in range(i + 1, len(clips)) if clips.target[j] == clips.target[i])
    assert loaded.rows == [expected, i + 1]
    assert list(loaded.bad) == ["00000"]
    left = ClipDataset(clips)[request]
    assert (left.rows, len(left.pixels), list(left.bad)) == ([i + 1], 1, ["00000"])


def test_a_ledger_names_a_clip_once() -> None:
    ledger = Ledger(10, "train", "skip")
    ledger.note({"a": "gone"}, {"b": ["3 frames for 8"]})
    ledger.note({"a": "gone"}, {})
    assert ledger.notes() == (*settle({"a": "gone"}, 10, "train", "skip"), "1 of 10 clips, e.g. b: 3 frames for 8")
    ledger.note({"c": "gone"}, {})
    with pytest.raises(InputError, match="3 of 10 clips cannot be read"):
        ledger.note({"d": "gone"}, {})


def test_a_step_of_two_batches_is_that_of_one_twice_as_large(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "create_model", without_batch_statistics)
    optim = {"lr": 0.0005, "epochs": 2, "batch": 8}  # Adam makes rounding of tiny gradients as large as a step
    logs = []
    for name, changes in (("one", {}), ("two", {"batch": 4, "accumulate": 2})):
        run.train(corpus_recipe(corpus, augment=STILL, model=EVEN, optim=optim | changes), tmp_path / name, progress=False)
        logs.append(pd.read_csv(tmp_path / name / "log" / "metrics.csv"))
    np.testing.assert_allclose(*logs, atol=1e-5)


def test_patience_ends_a_training_and_stays_ended(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = corpus_recipe(corpus, optim={"lr": 1e-9, "epochs": 30, "batch": 8, "patience": 2})
    run.train(chosen, tmp_path / "run", progress=False)
    scores = pd.read_csv(tmp_path / "run" / "log" / "metrics.csv")["val_UAR"]
    better = np.maximum.accumulate(np.r_[-1, scores[:-1]]) < scores
    assert len(scores) < 30
    assert better[-3:].tolist() == [True, False, False]
    assert not any((~better[i : i + 2]).all() for i in range(len(better) - 2))
    with monkeypatch.context() as patch:
        patch.setattr(run, "finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run.train(chosen, tmp_path / "again", progress=False)
    run.train(chosen, tmp_path / "again", resume=True, progress=False)
    assert (tmp_path / "again" / "log" / "metrics.csv").read_bytes() == (tmp_path / "run" / "log" / "metrics.csv").read_bytes()


def test_several_clips_of_a_video_are_averaged(corpus: Path, tmp_path: Path) -> None:
    optim = {"lr": 0.002, "epochs": 1, "warmup_epochs": 0, "batch": 8}
    chosen = corpus_recipe(corpus, data={"test_clips": 2, "sampling": "window"}, optim=optim)
    bundle = ifdd.load_checkpoint(run.train(chosen, tmp_path / "run", progress=False))
    clips = load_split(chosen, "test")
    table = pd.read_parquet(tmp_path / "run" / "predictions.parquet").query("split == 'test'")
    columns = [f"p_{label}" for label in EMOTIONS[:3]]
    np.testing.assert_allclose(table[columns], predict_set(bundle.model, clips, views=2), atol=1e-6)
    assert bundle.card.metrics["test"]["notes"][-1] == "probabilities are the mean over 2 clips of each video"
    one = predict_set(bundle.model, clips)
    assert bundle.card.metrics["test_one_clip"]["WAR"] == pytest.approx((one.argmax(1) == clips.target).mean())
    assert np.abs(one - table[columns].to_numpy()).max() > 1e-5


def test_precisions(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"precision=fp16-mixed is for a GPU, this runs on cpu; set precision=32-true"):
        run.train(corpus_recipe(corpus, precision="fp16-mixed", device="cpu"), tmp_path / "half", progress=False)
    assert not (tmp_path / "half").exists()


def test_tensorboard_says_what_to_install(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tensorboard", None)
    monkeypatch.delitem(__import__("sys").modules, "torch.utils.tensorboard", raising=False)
    with pytest.raises(InputError, match=r"pip install 'ifdd-workbench\[tensorboard\]'"):
        run.train(corpus_recipe(corpus, tensorboard=True), tmp_path / "run", progress=False)


def test_more_processes_than_clips_of_a_batch(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "started_ranks", lambda: replace(run.Ranks(), count=64, per_node=64, launcher="torchrun"))
    with pytest.raises(InputError, match=r"optim\.batch=4 is less than a clip for each of 64 processes"):
        run.train(corpus_recipe(corpus), tmp_path / "run", progress=False)


def test_tensorboard_has_steps_and_epochs(corpus: Path, tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    optim = {"lr": 0.002, "epochs": 1, "warmup_epochs": 0, "batch": 8}
    run.train(corpus_recipe(corpus, tensorboard=True, optim=optim), tmp_path / "run", progress=False)
    found = accumulator.EventAccumulator(str(tmp_path / "run" / "log" / "tensorboard")).Reload()
    assert {"step/loss", "step/lr", "epoch/val_UAR", "epoch/clips_per_second"} <= set(found.Tags()["scalars"])

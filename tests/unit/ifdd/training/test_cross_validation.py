"""A cross-validation on a small corpus: runs of folds, what is pooled, how it goes on, and what it refuses."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, recall_score
from small_corpus import corpus_recipe
from typer.testing import CliRunner

from ifdd.cli import app
from ifdd.data.manifest import clip_path, read_manifest
from ifdd.data.published import fitting_row
from ifdd.errors import InputError
from ifdd.io import claim
from ifdd.labels import EMOTIONS
from ifdd.training import cross_validation, processes, run
from ifdd.training.cross_validation import cross_validate, plan_folds
from ifdd.training.fold_table import folds_markdown
from ifdd.training.folds import score_folds, score_frame
from ifdd.training.recipe import CorpusData, load_recipe, recipe_yaml
from ifdd.training.stopping import Stopped

LABELS = ("happy", "sad", "neutral")
ONE_EPOCH = {"lr": 0.002, "epochs": 1, "batch": 4, "warmup_epochs": 0}
pytestmark = pytest.mark.filterwarnings("ignore:.*the last one is repeated", "ignore:val and test are the same")


class InThisProcess:
    """`ifdd train` without a process of its own; folds named in `fails` do not get far."""

    fails: tuple[str, ...] = ()
    told: list[tuple[str, str | None]]

    def __init__(self, command: list[str], env: dict[str, str], **_: object) -> None:
        file, out, resume = Path(command[4]), Path(command[6]), "--resume" in command
        type(self).told.append((out.name + " resumed" * resume, env.get("CUDA_VISIBLE_DEVICES")))
        self.returncode = int(out.name in self.fails)
        if self.returncode:
            out.with_name(f"{out.name}.log").write_text("decode: 3\nerror: a clip is broken\n")
        else:
            run.train(load_recipe(file), out, resume=resume, progress=False)

    def poll(self) -> int:
        return self.returncode

    def terminate(self) -> None: ...

    def wait(self) -> None: ...


REAL = subprocess.Popen


def started(command: Any, *rest: Any, **more: Any) -> Any:
    """Trainings in this process, anything else (git) as ever."""
    return InThisProcess(command, **more) if command[0] == sys.executable else REAL(command, *rest, **more)


@pytest.fixture(autouse=True, scope="module")
def quick(one_thread: None) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processes, "POLL_S", 0.0)
        patch.setattr(subprocess, "Popen", started)
        yield


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(InThisProcess, "told", [], raising=False)
    monkeypatch.setattr(InThisProcess, "fails", ())


def write(corpus: Path, folder: Path, **data: object) -> Path:
    file = folder / "small.yaml"
    file.write_text(recipe_yaml(corpus_recipe(corpus, data=data, optim=ONE_EPOCH)))
    return file


@pytest.fixture(scope="module")
def done(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[str]]:
    """Recipe, folder and words of a complete cross-validation."""
    folder = tmp_path_factory.mktemp("cross")
    InThisProcess.told = []
    said: list[str] = []
    cross_validate(write(corpus, folder), folder / "out", say=said.append)
    return folder / "small.yaml", folder / "out", said


def test_every_figure_is_recomputed_from_the_predictions_by_scikit_learn(corpus: Path, done: tuple[Path, Path, list[str]]):
    _, out, said = done
    frame, listed = pd.read_parquet(out / "predictions.parquet"), pd.read_parquet(corpus)
    found = json.loads((out / "metrics.json").read_text())
    assert sorted(frame["clip_id"]) == sorted(listed["clip_id"])
    assert dict(zip(frame["clip_id"], frame["fold"], strict=True)) == dict(zip(listed["clip_id"], listed["fold"], strict=True))
    true, guess = frame["label"].to_numpy(), frame[[f"p_{label}" for label in LABELS]].to_numpy().argmax(1)
    assert found["pooled"]["WAR"] == pytest.approx(accuracy_score(true, guess))
    assert found["pooled"]["UAR"] == pytest.approx(recall_score(true, guess, average="macro"))
    assert list(found["pooled"]["recall"].values()) == pytest.approx(recall_score(true, guess, average=None).tolist())
    assert found["pooled"]["confusion"] == confusion_matrix(true, guess).tolist()
    each = [frame["fold"] == fold for fold in (1, 2, 3)]
    wars = [accuracy_score(true[own], guess[own]) for own in each]
    uars = [recall_score(true[own], guess[own], average="macro") for own in each]
    assert [found["folds"][str(fold)]["UAR"] for fold in (1, 2, 3)] == pytest.approx(uars)
    assert (found["mean_of_folds"]["WAR"], found["mean_of_folds"]["UAR"]) == pytest.approx((np.mean(wars), np.mean(uars)))
    assert not found["chosen_on_test"]
    assert found["pooled"]["intervals_over"] == "over 7 persons"
    for fold in (1, 2, 3):
        own = json.loads((out / f"fold-{fold}" / "metrics.json").read_text())["test"]
        assert own["UAR"] == pytest.approx(found["folds"][str(fold)]["UAR"])
        assert "held out by person" in found["chosen"][str(fold)]["on"]
        card = json.loads((out / f"fold-{fold}" / "checkpoint" / "card.json").read_text())
        assert card["name"] == f"small-fold-{fold}"
        assert card["data"]["test"]["fold"] == fold
        shown = (out / f"fold-{fold}" / "checkpoint" / "README.md").read_text()
        assert f"cannot be seen with these {own['n']} clips" in shown or "no difference of" in shown
    assert said[0] == "fold-1: training"
    assert said[-1].startswith(f"fold-3: WAR {wars[2]:.1%}, UAR {uars[2]:.1%} on {each[2].sum()} test clips")


def test_the_table_shows_folds_mean_and_pooled(done: tuple[Path, Path, list[str]]):
    found, text = json.loads((done[1] / "metrics.json").read_text()), (done[1] / "table.md").read_text()
    cells = {
        row[0]: row for row in ([cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if "|" in line)
    }
    assert cells[""][1:4] == ["clips", "WAR", "UAR"] or cells[""][1:] == list(LABELS)
    assert list(cells)[2:7] == ["fold 1", "fold 2", "fold 3", "mean of folds", "sd over folds"]
    low, high = found["pooled"]["intervals"]["UAR"]
    assert cells["pooled"][1] == "42"
    assert cells["pooled"][3] == f"{100 * found['pooled']['UAR']:.1f} ({100 * low:.1f}–{100 * high:.1f})"
    low, high = found["mean_of_folds"]["intervals"]["WAR"]
    assert cells["mean of folds"][2] == f"{100 * found['mean_of_folds']['WAR']:.1f} ({100 * low:.1f}–{100 * high:.1f})"
    assert "| happy (14) | sad (14) | neutral (14)" in " ".join(text.split())
    assert "cannot be seen with these 42 clips" in text
    assert "- fold 2: epoch 1 of 1, the best UAR on" in text
    assert "†" not in text


def test_the_same_command_trains_only_what_is_missing(done: tuple[Path, Path, list[str]]):
    recipe, out, _ = done
    before = (out / "metrics.json").read_bytes(), (out / "predictions.parquet").read_bytes()
    said: list[str] = []
    cross_validate(recipe, out, jobs=2, say=said.append)
    assert not InThisProcess.told
    assert all(line.endswith("(kept)") for line in said)
    assert ((out / "metrics.json").read_bytes(), (out / "predictions.parquet").read_bytes()) == before
    with pytest.raises(InputError, match="fold-1: was trained with another recipe"):
        cross_validate(recipe, out, settings=["seed=5"])


def test_folds_that_are_not_official_are_told(done: tuple[Path, Path, list[str]]):
    recipe, out, _ = done
    report = load_recipe(recipe).data.manifest.with_name("clips.report.json")  # type: ignore[union-attr]
    try:
        for official in (True, False):
            report.write_text(json.dumps({"corpus": "dfew", "rows": {}, "official": official}))
            notes = cross_validate(recipe, out, say=lambda _: None)["notes"]
            assert official != any("the folds are not official ones (see clips.report.json)" in note for note in notes)
    finally:
        report.unlink()


def test_that_persons_are_not_known_is_told_once(done: tuple[Path, Path, list[str]], monkeypatch: pytest.MonkeyPatch):
    recipe, out, _ = done
    nameless = pd.read_parquet(out / "predictions.parquet").drop(columns=["subject", "source"], errors="ignore")
    scores = score_frame(nameless, load_recipe(recipe).labels)
    said = ["no clip names a person: the intervals take clips as independent", "something else"]
    monkeypatch.setattr(cross_validation, "read_card", lambda _: SimpleNamespace(metrics={"test": {"notes": said}}))
    assert not scores.pooled.units.persons
    assert cross_validation._told_by_runs({1: load_recipe(recipe)}, out, scores) == ["something else"]


def test_the_test_clips_of_a_fold_are_a_list_of_their_own(corpus: Path, done: tuple[Path, Path, list[str]]):
    listed, own = read_manifest(corpus), read_manifest(done[1] / "clips" / "fold-2.parquet")
    expected = listed[listed["fold"] == 2]
    assert list(own["clip_id"]) == list(expected["clip_id"])
    for (_, row), (_, other) in zip(own.iterrows(), expected.iterrows(), strict=True):
        assert clip_path(own, row) == clip_path(listed, other)
    rest = [name for name in listed if name != "path"]
    pd.testing.assert_frame_equal(own[rest], expected[rest].reset_index(drop=True))


def test_all_files_of_a_clip_are_found_from_the_list_of_its_fold(corpus: Path, tmp_path: Path):
    listed = read_manifest(corpus)
    kept = {"truth": "truth/a.npz", "landmarks": "tracks/a.npz", "scene_path": "scenes/a"}
    cross_validation.write_clips(listed.assign(**kept), 2, tmp_path / "elsewhere" / "fold-2.parquet")
    own = pd.read_parquet(tmp_path / "elsewhere" / "fold-2.parquet")
    for column, name in kept.items():
        assert set(own[column]) == {str(Path(listed.attrs["root"]) / name)}
    lacking = listed.assign(scene_path=None)
    cross_validation.write_clips(lacking, 2, tmp_path / "none" / "fold-2.parquet")
    assert pd.read_parquet(tmp_path / "none" / "fold-2.parquet")["scene_path"].isna().all()


def test_choosing_on_the_test_fold_marks_every_number(corpus: Path, tmp_path: Path):
    found = cross_validate(write(corpus, tmp_path, val="test"), tmp_path / "out", folds=[2], say=lambda _: None)
    assert found["chosen_on_test"]
    assert all(found[part]["chosen_on_test"] for part in ("pooled", "mean_of_folds"))
    assert found["folds"]["2"]["chosen_on_test"]
    assert found["chosen"]["2"]["on"] == "the best UAR on the test fold"
    assert found["notes"][0] == "folds 2 of 3: this is a part of the protocol, not the whole"
    text = (tmp_path / "out" / "table.md").read_text()
    assert "† every number is of a checkpoint that was chosen on the test fold itself" in text
    row = next(line for line in text.splitlines() if line.startswith("| fold 2"))
    assert row.count("†") == 5  # WAR, UAR and three recalls


def test_a_fold_that_fails_is_told_after_the_others_and_goes_on(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(InThisProcess, "fails", ("fold-1",))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4, 7")
    recipe = write(corpus, tmp_path)
    with pytest.raises(InputError, match=r"1 of 2 folds failed \(fold-1: error: a clip is broken\)"):
        cross_validate(recipe, tmp_path / "out", folds=[1, 2], jobs=2, say=lambda _: None)
    assert InThisProcess.told == [("fold-1", "4"), ("fold-2", "7")]
    assert not (tmp_path / "out" / "metrics.json").exists()
    monkeypatch.setattr(InThisProcess, "fails", ())
    found = cross_validate(recipe, tmp_path / "out", folds=[1, 2], say=lambda _: None)
    assert [name for name, _ in InThisProcess.told[2:]] == ["fold-1"]
    assert list(found["folds"]) == ["1", "2"]


def test_a_fold_that_another_process_still_trains_is_waited_for(corpus: Path, tmp_path: Path):
    """As after a kill of the command, whose trainings live on."""
    recipe, out = write(corpus, tmp_path), tmp_path / "out"
    held, free = threading.Event(), threading.Event()

    def other() -> None:
        with claim(out / "fold-1"):
            held.set()
            free.wait(60)

    thread = threading.Thread(target=other)
    thread.start()
    held.wait(60)
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if line.startswith("fold-2: WAR"):
            free.set()

    cross_validate(recipe, out, folds=[1, 2], say=say)
    thread.join()
    assert said[:2] == ["fold-1: another process trains it, which is waited for", "fold-2: training"]
    assert [name for name, _ in InThisProcess.told] == ["fold-2", "fold-1"]
    assert not processes.is_trained_elsewhere(out / "fold-1")


def test_folds_of_an_earlier_list_are_not_pooled_with_others(done: tuple[Path, Path, list[str]], tmp_path: Path):
    recipe, out, _ = done
    config = load_recipe(recipe)
    assert isinstance(config.data, CorpusData)
    manifest = config.data.manifest
    listed, copy = manifest.read_bytes(), {file: file.read_bytes() for file in out.glob("*.*")}
    frame = pd.read_parquet(manifest)
    one = frame.index[frame["label_name"] == "happy"][0]
    frame.loc[one, ["label", "label_name"]] = [1, "sad"]
    try:
        frame.to_parquet(manifest, index=False)
        with pytest.raises(InputError, match=r"fold-1: was trained when .* was another list \((train|val|test)"):
            cross_validate(recipe, out, say=lambda _: None)
    finally:
        manifest.write_bytes(listed)
    assert {file: file.read_bytes() for file in out.glob("*.*")} == copy
    cross_validate(recipe, out, say=lambda _: None)


def test_rows_of_papers_stand_below_ours_and_in_no_number():
    rng = np.random.default_rng(0)
    probabilities, target = rng.dirichlet(np.ones(7), 70), np.tile(np.arange(7), 10)
    scores = score_folds(probabilities, target, np.repeat([1, 2], 35), EMOTIONS)
    plain = folds_markdown(scores, "ours", {1: "a", 2: "b"}, ["a note"])
    with_papers = folds_markdown(scores, "ours", {1: "a", 2: "b"}, ["a note"], papers=[fitting_row("M3DFEL", EMOTIONS)])
    (row,) = [line for line in with_papers.splitlines() if line.startswith("| published: M3DFEL")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:4] == ["published: M3DFEL", "11697", "69.2 (68.4–70.1)", "56.1"]
    assert cells[4:] == ["89.6", "68.4", "67.9", "74.2", "59.7", "0.0", "31.6"]
    (told,) = [line for line in with_papers.splitlines() if line.startswith("- published: M3DFEL, DFEW: not measured here")]
    kept = [line for line in with_papers.splitlines() if line not in (row, told)]
    assert [line.replace(" ", "").replace("-", "") for line in kept] == [
        line.replace(" ", "").replace("-", "") for line in plain.splitlines()
    ]


def test_a_paper_that_nobody_knows_is_told_before_a_fold_is_trained(corpus: Path, tmp_path: Path):
    with pytest.raises(InputError, match=r"published rows are of happy, .*, these models know happy, sad, neutral"):
        cross_validate(write(corpus, tmp_path), tmp_path / "out", papers=["M3DFEL"])
    assert not (tmp_path / "out").exists()


def test_a_fold_that_another_process_begins_meanwhile_is_waited_for_too(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """What outlived a killed command may still be starting: it takes the folder before the one that was started here does."""
    recipe, out = write(corpus, tmp_path), tmp_path / "out"
    threads: list[threading.Thread] = []
    free = threading.Event()

    class TooLate(InThisProcess):
        def __init__(self, command: list[str], env: dict[str, str], **more: object) -> None:
            if threads:
                super().__init__(command, env, **more)
                return
            held, self.returncode = threading.Event(), 1

            def other() -> None:
                with claim(out / "fold-1"):
                    held.set()
                    free.wait(60)
                    run.train(load_recipe(Path(command[4])), out / "fold-1", progress=False)

            threads.append(threading.Thread(target=other))
            threads[0].start()
            held.wait(60)

    monkeypatch.setattr(subprocess, "Popen", lambda command, *rest, **more: TooLate(command, **more))
    monkeypatch.setattr(run, "environment", dict)
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if line.startswith("fold-1: another process trains it"):
            free.set()

    cross_validate(recipe, out, folds=[1], say=say)
    threads[0].join()
    assert said[:2] == ["fold-1: training", "fold-1: another process trains it, which is waited for"]
    assert said[2].startswith("fold-1: WAR")
    assert said[2].endswith("(kept)")


def test_a_training_that_is_just_being_started_is_ended_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    ended: list[str] = []

    class Slow:
        def __init__(self, *_: object, **__: object) -> None:
            signal.raise_signal(signal.SIGTERM)

        def terminate(self) -> None:
            ended.append("terminate")
            signal.raise_signal(signal.SIGTERM)  # a cluster may send a second one

        def wait(self) -> None:
            ended.append("wait")

    monkeypatch.setattr(subprocess, "Popen", Slow)
    recipe = corpus_recipe(tmp_path / "clips.parquet")
    with pytest.raises(Stopped):
        processes.train_all({"one": recipe}, tmp_path, jobs=1, say=lambda _: None)
    assert ended == ["terminate", "wait"]


def test_what_has_no_folds_to_cross_validate(corpus: Path, tmp_path: Path):
    recipe = write(corpus, tmp_path)
    with pytest.raises(InputError, match="no fold 4; it has 1, 2, 3"):
        plan_folds(recipe, [1, 4])
    with pytest.raises(InputError, match="names a fold twice"):
        plan_folds(recipe, [1, 1])
    frame = pd.read_parquet(corpus)
    named = tmp_path / "named.parquet"
    frame.assign(fold=0, split="train", path=[str(corpus.parent / path) for path in frame["path"]]).to_parquet(named)
    with pytest.raises(InputError, match=r"has no folds to cross-validate over .* ifdd train takes it as it is"):
        plan_folds(recipe, settings=[f"data.manifest={named}"])
    with pytest.raises(InputError, match=r"data\.source is 'scripted'; a cross-validation needs one list with folds"):
        plan_folds("recipes/scripted-tiny-ifdd.yaml")


def test_a_run_without_predictions_of_its_fold_is_refused(done: tuple[Path, Path, list[str]], corpus: Path):
    with pytest.raises(InputError, match="holds no test predictions of fold 2 alone"):
        cross_validation.pooled_predictions({2: done[1] / "fold-1"}, pd.read_parquet(corpus))


def test_the_command_prints_the_table_or_json(done: tuple[Path, Path, list[str]]):
    words = ["cross-validate", str(done[0]), "--out", str(done[1])]
    table = CliRunner().invoke(app, [*words, "--folds", "1-3"])
    assert table.exit_code == 0, table.output
    assert "| mean of folds" in table.stdout
    assert str(done[1]) in table.stdout
    told = CliRunner().invoke(app, [*words, "--json"])
    assert json.loads(told.stdout)["pooled"]["n"] == 42
    bad = CliRunner().invoke(app, [*words, "--folds", "one"])
    assert isinstance(bad.exception, InputError)
    assert "write whole numbers, e.g. 1-5 or 1,3" in str(bad.exception)


@pytest.mark.slow
def test_a_cross_validation_that_is_told_to_end_ends_its_trainings_and_goes_on(corpus: Path, tmp_path: Path):
    """SIGTERM while two folds train, then SIGKILL; the same command gives what an undisturbed one gives, to the byte."""
    file = tmp_path / "long.yaml"
    file.write_text(recipe_yaml(corpus_recipe(corpus, optim={"lr": 0.002, "epochs": 12, "batch": 4})))
    call = [
        sys.executable,
        "-c",
        "from ifdd.cli import main; main()",
        "cross-validate",
        str(file),
        "--folds",
        "1,2",
        "--jobs",
        "2",
    ]

    def begin(name: str) -> "subprocess.Popen[bytes]":
        with (tmp_path / f"{name}.txt").open("wb") as told:
            return REAL([*call, "--out", str(tmp_path / name)], stdout=told, stderr=told)

    def until_epochs(name: str) -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not list((tmp_path / name).glob("fold-*/lightning/last.ckpt")):
            time.sleep(0.1)

    whole = begin("whole")
    assert whole.wait(300) == 0
    first = begin("parts")
    until_epochs("parts")
    first.terminate()
    assert first.wait(120) == 128 + signal.SIGTERM
    assert "the same command goes on" in (tmp_path / "parts.txt").read_text()
    assert not any(processes.is_trained_elsewhere(tmp_path / "parts" / f"fold-{fold}") for fold in (1, 2))
    second = begin("parts")
    time.sleep(12)
    second.kill()
    second.wait(60)
    assert begin("parts").wait(300) == 0
    for file_name in ("predictions.parquet", "metrics.json", "table.md"):
        assert (tmp_path / "whole" / file_name).read_bytes() == (tmp_path / "parts" / file_name).read_bytes()

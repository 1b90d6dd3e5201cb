"""How far work is, as another program reads it."""

import json
import multiprocessing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ifdd.progress import VARIABLE, report_file, tqdm
from ifdd.training.logs import Epochs


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "progress.json"))
    return tmp_path / "progress.json"


def steps(report: Path) -> list[dict[str, object]]:
    return json.loads(report.read_text())["steps"]


def test_a_bar_tells_how_far_it_is(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with tqdm(total=4, initial=1, desc="clips", unit="clip", disable=None) as bar:
        (told,) = steps(report)
        assert told["done"] == told["begun_at"] == 1
        bar.update(2)
        bar.refresh()
        (told,) = steps(report)
        assert (told["title"], told["unit"], told["done"], told["total"]) == ("clips", "clip", 3, 4)
        assert float(str(told["seconds"])) >= 0
    assert steps(report) == []
    said = capsys.readouterr()
    assert said.err == said.out == ""


def test_loops_within_loops_are_told_outermost_first(report: Path) -> None:
    for _ in tqdm(range(2), desc="models"):
        for _ in tqdm(["a"], desc="clips"):
            assert [told["title"] for told in steps(report)] == ["models", "clips"]
    assert not list(report.parent.glob(".*"))  # nothing half-written is left


def test_a_bar_that_nobody_wants_to_see_is_not_told(report: Path) -> None:
    assert list(tqdm([1], disable=True)) == [1]
    assert not report.exists()


def test_without_the_variable_it_is_an_ordinary_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert list(tqdm([1], desc="shown", disable=False)) == [1]
    assert "shown" in capsys.readouterr().err


def test_work_goes_on_where_the_file_cannot_be_written(report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(report.parent / "no such folder" / "progress.json"))
    assert list(tqdm([1, 2])) == [1, 2]


def test_processes_of_a_pool_leave_it_to_their_parent(report: Path) -> None:
    assert report_file() == report
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(report_file) is None


def test_a_training_tells_its_epochs(report: Path) -> None:
    trainer: Any = SimpleNamespace(max_epochs=3, current_epoch=1, num_training_batches=4)
    callback, module = Epochs(), cast("Any", None)
    callback.on_train_start(trainer, module)
    callback.on_train_batch_end(trainer, module, None, None, 1)
    callback._bar.refresh()
    (told,) = steps(report)
    assert (told["title"], told["begun_at"], told["done"], told["total"]) == ("train", 1, 1.5, 3)
    callback.teardown(trainer, module, "fit")
    assert steps(report) == []

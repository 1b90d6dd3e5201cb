"""Curves and recipes of runs: finished, going on, interrupted, damaged."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from display_contract import (  # noqa: F401  what every display keeps to
    test_nothing_is_cut_off,
    test_numbers_are_those_that_are_drawn,
    test_plot_keeps_figure_and_axes,
    test_save,
    test_save_refuses_what_it_cannot_write,
    test_to_plotly,
)

from ifdd.errors import InputError
from ifdd.io import claim
from tests.unit.workbench.analysis.training.run_folders import make_run
from workbench.analysis.training.displays import CurvesDisplay, rows, training_markdown
from workbench.analysis.training.results import TrainingResult
from workbench.analysis.training.runs import find_runs, read_run, stamp
from workbench.analysis.training.task import curves, run, write


@pytest.fixture
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("runs")
    make_run(place / "a", [0.2, 0.6, 0.5], averaged=[0.1, 0.3, 0.4])
    make_run(place / "folds" / "b", [0.2, 0.1], ended=False, settings=["optim.epochs=5", "name=b"])
    return place


@pytest.fixture
def display(runs: Path) -> CurvesDisplay:
    return CurvesDisplay.from_result(run([runs]))


def test_the_epoch_that_is_kept_is_chosen_by_the_averaged_weights_where_there_are_any(runs: Path) -> None:
    found = read_run(runs / "a")
    assert (found.state, found.best, found.chosen_by, found.planned) == ("finished", 3, "val_ema_UAR", 8)
    assert found.epochs.tolist() == [1, 2, 3]
    assert (found.scores["val UAR"].value, found.scores["test WAR"].low) == pytest.approx((0.4, 0.2))
    assert found.recipe["optim.lr"] == "0.002"
    unfinished = read_run(runs / "folds" / "b")
    assert (unfinished.state, unfinished.best, unfinished.chosen_by) == ("interrupted", 1, "val_UAR")
    assert unfinished.done == "2 of 5 epochs"
    assert not unfinished.scores


def test_a_run_that_keeps_the_last_epoch(tmp_path: Path) -> None:
    found = read_run(make_run(tmp_path / "c", [0.6, 0.2], ended=False, settings=["keep=last"]))
    assert (found.best, found.chosen_by) == (2, "")


def test_a_run_goes_on_as_long_as_its_process_lives(runs: Path) -> None:
    folder = runs / "folds" / "b"
    before = stamp(folder)
    wait = f"with claim(Path({str(folder)!r})): print(flush=True); time.sleep(60)"
    code = f"import time; from pathlib import Path; from ifdd.io import claim\n{wait}"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert read_run(folder).state == "running"
        assert stamp(folder) != before
        process.kill()
        process.wait()
    assert read_run(folder).state == "interrupted"  # although its lock lies there
    with claim(folder):
        pass  # and who asked does not hold it


def test_runs_are_found_at_any_depth_and_once(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(runs / "a")
    assert {folder.name for folder in find_runs([runs, tmp_path / "link", tmp_path / "nothing"])} == {"a", "b"}
    with pytest.raises(InputError, match=r"no run of ifdd train is there; name the folder"):
        run([tmp_path / "nothing"])


def test_files_say_what_was_read(runs: Path, tmp_path: Path) -> None:
    result = run([runs])
    assert TrainingResult.from_dict(result.to_dict()) == result
    assert {file.name for file in write(result, tmp_path / "out")} == {"training.json", "training.md", "curves.csv", "curves.png"}
    table = pd.read_csv(tmp_path / "out" / "curves.csv")
    assert len(table) == 5
    assert table[table["kept"]][["run", "epoch"]].to_numpy().tolist() == sorted(
        [["b", 1], ["scripted-tiny-baseline", 3]], key=lambda row: [*result.runs].index(row[0])
    )
    assert set(result.recipes.different) >= {"name", "ema", "optim.epochs"}
    assert "| optim.epochs |" in training_markdown(result)
    assert {row["state"] for row in rows(result)} == {"finished", "interrupted"}
    np.testing.assert_array_equal(curves(result)["val_UAR"].sort_values(), [0.1, 0.2, 0.2, 0.5, 0.6])


def test_runs_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    for fold in ("fold-1", "fold-2"):
        make_run(tmp_path / fold / "run", [0.2])
    assert sorted(run([tmp_path]).runs) == [f"scripted-tiny-baseline (fold-{i}/run)" for i in (1, 2)]


def test_the_star_has_the_interval_of_the_checkpoint(runs: Path) -> None:
    figure = CurvesDisplay.from_result(run([runs / "a"])).to_plotly()
    star = next(trace for trace in figure.data if trace.name.endswith("kept"))
    assert (star.x[0], star.y[0]) == (3, pytest.approx(40))
    assert (star.error_y.array[0], star.error_y.arrayminus[0]) == pytest.approx((10, 10))


def test_a_run_without_an_epoch_is_told(tmp_path: Path) -> None:
    make_run(tmp_path / "new", [], ended=False)
    result = run([tmp_path])
    assert result.runs["scripted-tiny-baseline"].best is None
    with pytest.raises(InputError, match="ended an epoch yet; wait"):
        CurvesDisplay.from_result(result)


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("config.yaml", "just text", "is no recipe"),
        ("log/metrics.csv", "a,b\n1,2\n", "cannot be read as a log"),
        ("metrics.json", '{"val": {}, "training": {"minutes": 1}}', "tells no val UAR"),
    ],
)
def test_a_damaged_file_is_named(runs: Path, file: str, text: str, told: str) -> None:
    (runs / "a" / file).write_text(text)
    with pytest.raises(InputError, match=rf"{file}.*{told}.*; "):
        read_run(runs / "a")


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is no run \(there is no config.yaml\); name"):
        read_run(tmp_path)

"""The page Training: runs, recipes and seeds, from run folders of every state."""

import json
import os
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.tiny_demo import TinyDemo
from tests.unit.workbench.analysis.training.run_folders import make_run
from workbench.app.runs import RUNS, run_places, runs_setting
from workbench.store.workspace import Workspace


def test_curves_of_runs_and_what_their_recipes_differ_in(
    start: Callable[..., AppTest], tiny_demo: TinyDemo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(tmp_path / "a", [0.2, 0.6], settings=["name=first"])
    make_run(tmp_path / "b", [0.3], ended=False, settings=["name=second", "optim.lr=0.01"])
    (make_run(tmp_path / "c", [0.3], settings=["name=third"]) / "log" / "metrics.csv").write_text("nonsense")
    monkeypatch.setenv(RUNS, str(tmp_path))
    app = start(tiny_demo, "training")
    assert not app.exception
    assert all("cannot be read as a log" in error.value and "Next step" in error.value for error in app.error)
    assert app.error
    chosen = app.multiselect("training_runs")
    assert sorted(chosen.value) == ["first", "second"]
    curves = next(json.loads(item.proto.spec) for item in app.get("plotly_chart") if "learning rate" in item.proto.spec)
    assert {trace["legendgroup"] for trace in curves["data"]} == {"first", "second"}
    table = app.dataframe[0].value.set_index("run")
    assert table.loc["first", ["state", "kept epoch"]].tolist() == ["finished", "2"]
    assert table.loc["second", "state"] == "interrupted"
    recipes = next(frame.value for frame in app.dataframe if "key" in frame.value)
    assert {"name", "optim.lr"} <= set(recipes["key"])
    assert "optim.betas" not in set(recipes["key"])
    app.toggle("training_keys").set_value(True).run()
    recipes = next(frame.value for frame in app.dataframe if "key" in frame.value)
    assert "optim.betas" in set(recipes["key"])


def test_an_audit_stands_beside_the_run_that_it_is_of(
    start: Callable[..., AppTest], tiny_demo: TinyDemo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = tiny_demo.copy_to(tmp_path)
    run = make_run(tmp_path / "runs" / "a", [0.2, 0.6])
    monkeypatch.setenv(RUNS, str(tmp_path / "runs"))
    app = start(tiny, "training")
    command = next(item.value for item in app.code if item.value.startswith("ifdd audit"))
    assert shlex.split(command)[2:4] == [str(run), "--out"]
    scores = {"n": 9, "WAR": 0.5, "UAR": 0.25, "intervals": {"WAR": [0.4, 0.6], "UAR": [0.2, 0.3]}}
    one = {"name": "last", "epoch": 2, "reported": True, "val": scores, "test": scores}
    out = Path(shlex.split(command)[4])
    out.mkdir(parents=True)
    (out / "audit.json").write_text(json.dumps({"run": str(run), "candidates": [one], "words": "optimism gap 0.0"}))
    app = app.run()
    assert not app.exception
    (table,) = [frame.value for frame in app.dataframe if "checkpoint" in frame.value]
    assert table.iloc[0].tolist()[:3] == ["last (reported)", "2", "25.0 % [20.0, 30.0]"]
    assert any("Optimism gap" in item.value for item in app.markdown)


def test_without_a_run_the_page_says_where_it_looked(
    start: Callable[..., AppTest], tiny_demo: TinyDemo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(RUNS, str(tmp_path / "nothing"))
    app = start(tiny_demo, "training")
    assert not app.exception
    assert not app.error
    assert any(str(tmp_path / "nothing") in item.value.replace("\\", "") for item in app.caption)
    assert "Train a small model" in [item.label for item in app.button]


def test_runs_are_looked_for_in_the_workspace_and_where_the_app_was_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert runs_setting(None) == str(tmp_path / "runs")
    (tmp_path / "mine").mkdir()
    monkeypatch.setenv(RUNS, os.pathsep.join([runs_setting([tmp_path / "mine"]), "other"]))
    places = run_places(Workspace(tmp_path / "space"))
    assert places[:2] == [tmp_path / "space" / "runs", tmp_path / "space" / "results"]
    assert places[-2:] == [tmp_path / "mine", Path("other")]

"""WAR and UAR of one checkpoint on the same clips have one interval, to the last digit, wherever it is told."""

import json
import re
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest

from ifdd.card import Card
from ifdd.checkpoints import load_checkpoint, save_checkpoint
from ifdd.cli import main as ifdd_main
from ifdd.data.manifest import read_manifest, write_manifest
from ifdd.labels import EMOTIONS
from ifdd.training.recipe import Recipe
from ifdd.training.run import train
from workbench.analysis.performance.task import measure
from workbench.cli import main as workbench_main
from workbench.results.interval import Interval
from workbench.store.workspace import Workspace, init_workspace

APP = Path(__file__).resolve().parents[2] / "pages" / "app.py"
TEST, OTHER = 14, 7
PERSONS = {
    "known": [f"p{i // 3}" for i in range(TEST)],
    "some-unknown": ["", *(f"p{i // 3}" for i in range(1, TEST - 2)), "unknown", "n/a"],
    "nobody": [""] * TEST,
}


def make_clips(folder: Path, count: int, first: int, persons: list[str]) -> Path:
    """Folders of 8 frames of noise, with a tint by class."""
    rng = np.random.default_rng(first)
    rows = []
    for i in range(count):
        name = f"clip-{first + i:02d}"
        (folder / name).mkdir(parents=True)
        for t in range(8):
            image = rng.integers(0, 200, (32, 32, 3), np.uint8) + np.uint8(7 * (i % 7))
            cv2.imwrite(str(folder / name / f"{t}.png"), image)
        rows.append({"path": name, "label": EMOTIONS[i % 7], "subject": persons[i]})
    pd.DataFrame(rows).to_csv(folder / "clips.csv", index=False)
    write_manifest(read_manifest(folder / "clips.csv"), folder)
    return folder / "clips.parquet"


@pytest.fixture(scope="module", params=PERSONS)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Card, Workspace]:
    """A checkpoint with the card that training wrote, another one, and a workspace of the clips that both were tested on."""
    root = tmp_path_factory.mktemp(request.param)
    test = make_clips(root / "test", TEST, 50, PERSONS[request.param])
    lists = {
        "train": make_clips(root / "train", OTHER, 0, ["t"] * OTHER),
        "val": make_clips(root / "val", OTHER, 20, ["v"] * OTHER),
    }
    values = {
        "name": "tiny",
        "model": {"backbone": "mvit-tiny", "frames": 8, "size": [32, 32], "normalise": "kinetics"},
        "data": {"source": "manifest", "cache": str(root / "cache"), "test": str(test)} | {k: str(v) for k, v in lists.items()},
        "optim": {"lr": 0.002, "epochs": 2, "batch": 7},
    }
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r".* name no person")
        folder = train(Recipe.parse(values, "test"), root / "run")
    bundle = load_checkpoint(folder)
    card = bundle.card
    with torch.no_grad():
        bundle.model.get_submodule("head.classify").weight.mul_(-1)
    save_checkpoint(root / "other", bundle.model, card.model_copy(update={"name": "other"}))
    return card, init_workspace(root / "mine", {"test": test}, [root / "run", root / "other"])


def test_one_interval_everywhere(
    trained: tuple[Card, Workspace], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    card, mine = trained
    monkeypatch.chdir(mine.folder)
    of_card = card.metrics["test"]
    expected = {key: Interval(of_card[key], *of_card["intervals"][key]) for key in ("WAR", "UAR")}
    assert 0 < expected["WAR"].low < expected["WAR"].high < 1

    def call(main: Callable[[], None], *words: object) -> None:
        monkeypatch.setattr(sys, "argv", ["command", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
        assert not end.value.code, capsys.readouterr().err

    # ifdd evaluate, the file and the line
    manifest = mine.dataset("test").manifest
    call(ifdd_main, "evaluate", mine.checkpoint("tiny"), "--manifest", manifest, "--out", tmp_path / "again", "--cache", tmp_path)
    of_file = json.loads((tmp_path / "again/metrics.json").read_text())
    assert (of_file["WAR"], of_file["UAR"], of_file["intervals"]) == (of_card["WAR"], of_card["UAR"], of_card["intervals"])
    printed = capsys.readouterr().out
    war = expected["WAR"]
    assert f"WAR {war.value:.1%} (95 % interval {war.low:.1%} – {war.high:.1%};" in printed

    # workbench compare
    for name in ("tiny", "other"):
        call(workbench_main, "collect", name)
    call(workbench_main, "compare", "tiny", "other", "--draws", 100)
    of_pair = json.loads((mine.results / "compare-1/comparison.json").read_text())["models"]["tiny"]
    for key, found in expected.items():
        assert of_pair[key.lower()] == found.to_dict()
        assert str(found) in (mine.results / "compare-1/comparison.md").read_text()

    # what the app measures, and what its Overview shows
    measured = measure(mine.dataset("test").collection(load_checkpoint(mine.checkpoint("tiny")), "tiny"))
    assert (measured.war, measured.uar) == (expected["WAR"], expected["UAR"])
    monkeypatch.setenv("IFDD_WORKSPACE", str(mine.folder))
    st.cache_resource.clear()
    app = AppTest.from_file(APP, default_timeout=120).run()
    assert not app.exception
    shown = app.dataframe[0].value.set_index("model").loc["tiny"]
    assert (shown["WAR"], shown["UAR"]) == (str(expected["WAR"]), str(expected["UAR"]))

    # workbench score
    call(workbench_main, "score", "tiny", "other")
    of_score = json.loads((mine.results / "score-1/scores.json").read_text())["tiny"]
    assert of_score["war"] == expected["WAR"].to_dict()
    assert str(expected["UAR"]) in (mine.results / "score-1/scores.md").read_text()

    # the HTML report
    call(workbench_main, "report", "tiny", "other")
    page = (mine.results / "report-1/report.html").read_text(encoding="utf-8")
    rows = re.findall(r'<tr><th scope="row">tiny</th><td[^>]*>([^<]*)</td><td[^>]*>([^<]*)</td>', page)
    assert (str(expected["WAR"]), str(expected["UAR"])) in rows

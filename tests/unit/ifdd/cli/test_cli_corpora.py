"""The commands on corpora: what they print and write, and what they refuse."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from corpus_trees import dfew_tree, ferv_tree, frames, put
from typer.testing import CliRunner

from ifdd import cli
from ifdd.data.manifest import read_manifest

runner = CliRunner()
Run = Callable[..., str]


@pytest.fixture
def run() -> Run:
    """Call `ifdd data` with some words, which must go well; what it printed."""

    def call(*words: object) -> str:
        result = runner.invoke(cli.app, ["data", *map(str, words)])
        assert result.exit_code == 0, result.output + str(result.exception)
        return result.stdout

    return call


def refused(*words: object) -> str:
    """Call it with words that must be refused; the error."""
    result = runner.invoke(cli.app, ["data", *map(str, words)])
    assert result.exit_code != 0
    return str(result.exception)


@pytest.mark.parametrize("command", ["index", "split", "lists"])
def test_help_has_an_example(command: str) -> None:
    result = runner.invoke(cli.app, ["data", command, "--help"])
    assert f"Example: ifdd data {command}" in result.output


def test_a_corpus_is_indexed_and_what_is_written_is_said(run: Run, tmp_path: Path) -> None:
    dfew_tree(tmp_path / "DFEW")
    (tmp_path / "DFEW/Clip/clip_224x224/00001/1.jpg").write_bytes(b"")
    out = run("index", tmp_path / "DFEW", "--corpus", "dfew", "--out", tmp_path / "dfew.parquet")
    assert f"{tmp_path / 'dfew.parquet'}: 27 clips of DFEW from Clip/clip_224x224 (frames)" in out
    assert "fold 1: 14 train, 13 test of 14 and 14 in the lists; not the official counts" in out
    assert f"{tmp_path / 'dfew.report.json'}: 1 unreadable, 1 surplus" in out
    assert len(read_manifest(tmp_path / "dfew.parquet")) == 27
    told = json.loads(run("index", tmp_path / "DFEW", "--corpus", "dfew", "--out", tmp_path / "again.parquet", "--json"))
    assert (told["clips"], told["rows"]["unreadable"], told["official"], told["folds"]["2"]["manifest"]["test"]) == (
        27,
        1,
        False,
        14,
    )
    assert "exists; choose another --out" in refused(
        "index", tmp_path / "DFEW", "--corpus", "dfew", "--out", tmp_path / "again.parquet"
    )
    assert "--strict: 1 unreadable" in refused(
        "index", tmp_path / "DFEW", "--corpus", "dfew", "--strict", "--out", tmp_path / "strict.parquet"
    )
    assert not list(tmp_path.glob("strict*"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--frames", "x"], "--frames: goes with --corpus"),
        (["--strict"], "--strict: goes with --corpus"),
        (["--corpus", "dfew", "--columns", "path=a"], "--columns: --corpus dfew has no such option"),
        (["--corpus", "dfew", "--labels", "a,b"], "--labels: --corpus dfew has no such option"),
        (["--corpus", "folders", "--order", "dfew"], "--order: --corpus folders has no such option"),
        (["--corpus", "dfew", "--on-error", "skip"], "--on-error: with --corpus clips that cannot be read are listed"),
        (["--corpus", "dfew", "--out", "a.csv"], "manifests are written as parquet"),
        (["--corpus", "csv", "--columns", "path"], "--columns path: write each NAME=COLUMN once"),
        (["--corpus", "mafw"], "no clips of MAFW there; looked for videos or folders named 00001"),
        (["--corpus", "dfew", "--lists", "nowhere"], "no clips of DFEW there"),
    ],
)
def test_options_that_mean_nothing_are_refused(words: list[str], message: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert message in refused("index", tmp_path / "empty", *words)
    assert not list((tmp_path / "empty").iterdir())


def test_any_lists_are_indexed(run: Run, tmp_path: Path) -> None:
    ferv_tree(tmp_path / "F")
    lists = tmp_path / "F/4_setups/All_scenes"
    told = json.loads(
        run("index", tmp_path / "F", "--corpus", "csv", "--lists", lists, "--out", tmp_path / "a.parquet", "--json")
    )
    assert told["clips"] == 28
    assert set(read_manifest(tmp_path / "a.parquet")["split"]) == {"train", "test"}
    frames(tmp_path / "mine/happy/1", 2)
    assert "1 clips" in run("index", tmp_path / "mine", "--corpus", "folders", "--out", tmp_path / "b.parquet")
    file = put(tmp_path / "mine/list.csv", ["clip,emotion", "/x/happy/1,happy"])
    assert "name the manifest to write with --out" in refused("index", file, "--corpus", "csv")
    assert "1 clips of the lists" in run("index", file, "--corpus", "csv", "--out", tmp_path / "c.parquet")


def test_what_lists_hold_is_said_without_clips(run: Run, shared: Path) -> None:
    told = json.loads(run("lists", shared / "data/lists", "--corpus", "ferv39k", "--json"))
    assert told["official"] == {"0": {"train": 31088, "test": 7847}}
    assert [(entry["clips"], entry["official"]) for entry in told["lists"]] == [(38_935, True), (38_935, True)]
    assert {entry["order"] for entry in told["lists"]} == {"dfew", "alphabetical-7"}
    assert (told["differences"][0]["numbers_differ"], told["differences"][0]["names_differ"]) == (38_935, 0)
    assert "no lists of DFEW there" in refused("lists", shared / "reference", "--corpus", "dfew")


def test_folds_are_made(run: Run, tmp_path: Path) -> None:
    rows = [f"c/{i:03d}.mp4,{'happy' if i % 2 else 'sad'},{1001 + i // 4}" for i in range(40)]
    put(tmp_path / "in/clips.csv", ["path,label,subject", *rows])
    words = ("split", tmp_path / "in", "--folds", 5, "--by", "subject", "--seed", 0)
    out = run(*words, "--out", tmp_path / "new/five.parquet")
    assert "40 clips in folds of our own, by subject, seed 0" in out
    assert "1: 8 clips (" in out
    made = read_manifest(tmp_path / "new/five.parquet")
    assert made["path"].iloc[0] == "../in/c/000.mp4"
    assert made.groupby("subject")["fold"].nunique().max() == 1
    report = json.loads((tmp_path / "new/five.report.json").read_text())
    assert (report["official"], report["made"]["by"], report["made"]["seed"], report["made"]["folds"]) == (False, "subject", 0, 5)
    run(*words, "--out", tmp_path / "new/again.parquet")
    pd.testing.assert_frame_equal(read_manifest(tmp_path / "new/again.parquet"), made)
    parts = json.loads(run("split", tmp_path / "in", "--parts", "train=0.8,test=0.2", "--out", tmp_path / "p.parquet", "--json"))
    assert parts["parts"]["test"]["clips"] == 8
    assert "one of the two" in refused("split", tmp_path / "in", "--out", tmp_path / "x.parquet")
    assert "exists; choose another --out" in refused(*words, "--out", tmp_path / "p.parquet")

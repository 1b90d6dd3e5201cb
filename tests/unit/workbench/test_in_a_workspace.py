"""Commands in a workspace: by names, with results where they belong, and one clear line where something is missing."""

import json
import shutil
from pathlib import Path

import pytest

from tests.tiny_demo import MODELS, TinyDemo
from workbench.store.workspace import Workspace, init_workspace

TWO = ["tiny-baseline", "tiny-ifdd"]
WORDS = {
    "collect": ["tiny-ifdd"],
    "compare": TWO,
    "agreement": TWO,
    "calibrate": ["tiny-ifdd"],
    "embed": ["tiny-ifdd"],
    "saliency": ["--checkpoint", "tiny-ifdd"],
    "faithfulness": ["tiny-ifdd"],
    "splits": ["tiny-ifdd"],
    "scorecard": ["tiny-ifdd"],
    "counterfactual": ["tiny-ifdd"],
    "figures": ["--runs", *TWO],
    "report": ["--runs", *TWO],
}
"""Commands that read a dataset, with checkpoints by name and nothing else."""


@pytest.fixture
def mine(tiny: TinyDemo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace, the current folder, whose one dataset both checkpoints have read."""
    made = init_workspace(tmp_path / "mine", {"own": tiny.demo / "datasets/demo"}, [tiny.checkpoints / name for name in MODELS])
    shutil.copytree(tiny.demo / "collections/demo", made.folder / "collections/own")
    monkeypatch.setenv("IFDD_DEMO", str(tmp_path / "no demo"))
    monkeypatch.chdir(made.folder)
    return made


def one_error(err: str) -> str:
    lines = [line for line in err.strip().splitlines() if not line.startswith("warning: ")]
    assert len(lines) == 1, err
    assert lines[0].startswith("error: ")
    return lines[0]


def test_names_give_what_paths_give(run, mine: Workspace, tmp_path: Path) -> None:
    code, told, _ = run("compare", *TWO, "--draws", 100)
    assert code == 0
    assert f"{mine.results / 'compare-1'}: " in told
    folders = [mine.collection_folder("own", name) for name in TWO]
    assert run("compare", *folders, "--draws", 100, "--out", tmp_path / "by path")[0] == 0
    by_name, by_path = (
        json.loads((f / "comparison.json").read_text()) for f in (mine.results / "compare-1", tmp_path / "by path")
    )
    assert by_name == by_path
    code, told, err = run("compare", *TWO, "--draws", 100, "--json")
    assert json.loads(told) == by_path  # standard output is the file alone; where it lies is told beside it
    assert f"note: written to {mine.results / 'compare-2'}" in err


def test_each_command_says_where_it_wrote(run, mine: Workspace) -> None:
    for words in (
        ["calibrate", "tiny-ifdd"],
        ["embed", *TWO, "--method", "pca"],
        ["splits", "tiny-ifdd", "--clips", 7],
        ["counterfactual", "tiny-ifdd", "--edits", "reverse", "--clips", 2, "--shuffles", 0],
        ["saliency", "--checkpoint", "tiny-ifdd", "--clips", 1],
    ):
        code, told, err = run(*words)
        assert code == 0, err
        place = mine.results / f"{words[0]}-1"
        assert str(place) in told
        assert [file for file in place.rglob("*") if file.is_file()]


def test_scorecards_take_and_keep_collections_of_the_workspace(run, mine: Workspace) -> None:
    shutil.rmtree(mine.collection_folder("own", "tiny-baseline"))
    code, told, err = run("scorecard", "tiny-baseline", "--maps", 7)
    assert code == 0, err
    assert str(mine.results / "scorecard-1") in told
    assert not (mine.results / "scorecard-1/tiny-baseline").exists()
    kept = json.loads((mine.collection_folder("own", "tiny-baseline") / "manifest.json").read_text())
    assert kept["pool"] == "mean"
    assert {"pyramid.X", "head.logits", "backbone.stage0"} <= set(kept["activations"])


def test_what_is_missing_is_read_with_the_command_that_is_told(run, mine: Workspace) -> None:
    shutil.rmtree(mine.collection_folder("own", "tiny-ifdd"))
    code, _, err = run("compare", *TWO)
    assert code == 1
    line = one_error(err).partition("; run workbench ")[2].split()
    assert line == ["collect", "tiny-ifdd", "--dataset", "own", "--workspace", str(mine.folder)]
    assert not list(mine.results.iterdir())
    assert run(*line)[0] == 0
    assert run("compare", *TWO, "--draws", 100)[0] == 0


def test_one_model_to_compare_is_led_to_the_report(run, mine: Workspace) -> None:
    code, _, err = run("compare", TWO[0])
    assert (code, "workbench report" in one_error(err)) == (1, True)


@pytest.mark.parametrize("command", WORDS)
def test_bad_input_is_one_line_before_a_model_is_loaded(
    run, command: str, mine: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several datasets, an unknown one, a link that leads nowhere, no workspace, half a workspace."""
    monkeypatch.setattr("ifdd.checkpoints.safetensors.torch.load_file", lambda *_: pytest.fail("a model was loaded"))
    (mine.folder / "datasets/gone").symlink_to(mine.folder / "nowhere")
    half = mine.folder.parent / "half"
    (half / "datasets").mkdir(parents=True)
    for options, told in (
        ([], "has several datasets, name one with --dataset: gone, own"),
        (["--dataset", "owm"], "no dataset 'owm' (did you mean own?), it has: gone, own"),
        (["--dataset", "gone"], "nowhere, which is not there; mend or remove"),
        (["--workspace", half.parent], f"{half.parent} is no workspace: workspace.json is missing; workbench init"),
        (
            ["--workspace", half],
            f"{half} is half a workspace: it has datasets, but workspace.json is missing; workbench init {half}",
        ),
    ):
        code, out, err = run(command, *WORDS[command], *options)
        assert (code, out) == (1, "")
        assert told in one_error(err)
    assert not list(mine.results.iterdir())


@pytest.mark.parametrize("command", [*WORDS, "explain", "benchmark"])
def test_a_checkpoint_that_is_unknown_or_of_another_schema(
    run, command: str, mine: Workspace, tiny: TinyDemo, tmp_path: Path
) -> None:
    if command == "collect":
        shutil.rmtree(mine.collection_folder("own", "tiny-ifdd"))
    words = {**WORDS, "explain": ["x.mp4", "--checkpoint", "tiny-ifdd"], "benchmark": ["tiny-ifdd"]}[command]
    unknown = ["tiny-ifd" if word == "tiny-ifdd" else word for word in words]
    code, _, err = run(command, *unknown)
    assert code == 1
    assert "'tiny-ifd' (did you mean tiny-ifdd?)" in one_error(err)
    (mine.folder / "checkpoints/tiny-ifdd").unlink()
    shutil.copytree(tiny.checkpoints / "tiny-ifdd", mine.folder / "checkpoints/tiny-ifdd")
    card = mine.folder / "checkpoints/tiny-ifdd/card.json"
    values = json.loads(card.read_text())
    for changed, told in (
        (values | {"schema_version": 99}, "has schema version 99, this version reads"),
        (values | {"model": values["model"] | {"family": "nobody"}}, "nobody"),
    ):
        card.write_text(json.dumps(changed))
        code, _, err = run(command, *words)
        assert code == 1
        assert "tiny-ifdd/card.json" in one_error(err)
        assert told in one_error(err)
    assert not [place for place in mine.results.iterdir() if place.name[0] != "."]


def test_every_command_of_a_workspace_has_its_options(run) -> None:
    for command in [*WORDS, "explain", "benchmark"]:
        code, out, _ = run(command, "--help")
        assert code == 0
        assert "--workspace" in out
        assert ("--dataset" in out) == (command in WORDS)
        assert "--out" in out

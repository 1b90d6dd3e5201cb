"""Commands that are given predictions of others, or a network of one's own, by name."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ifdd.data.manifest import read_manifest
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS
from tests.tiny_demo import MODELS, TinyDemo
from workbench.app.clip_table import clip_table
from workbench.figures.study import open_study
from workbench.figures.task import Request, captions
from workbench.figures.task import run as draw
from workbench.report.task import run as report
from workbench.store.collection import in_one_order, open_collection
from workbench.store.given import Given
from workbench.store.workspace import Workspace, init_workspace

Run = Callable[..., tuple[int, str, str]]
MINE = """
import torch
from torch import nn
import workbench, ifdd

def make():
    torch.manual_seed(3)
    network = nn.Sequential(nn.Conv3d(3, 4, 8, 8), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(4, 7))
    return workbench.adapt(network, sorted({labels}), ifdd.Preprocessing(8, (32, 32)), activations={{"X": "1"}}, name="mine")
"""


@pytest.fixture
def mine(tiny: TinyDemo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    made = init_workspace(tmp_path / "mine", {"own": tiny.demo / "datasets/demo"}, [tiny.checkpoints / name for name in MODELS])
    shutil.copytree(tiny.demo / "collections/demo", made.folder / "collections/own")
    monkeypatch.setenv("IFDD_DEMO", str(tmp_path / "no demo"))
    monkeypatch.chdir(made.folder)
    clips = read_manifest(tiny.demo / "datasets/demo")
    probs = np.random.default_rng(0).dirichlet(np.ones(7), len(clips))
    table = pd.DataFrame(probs, columns=[f"p_{name}" for name in EMOTIONS[::-1]]).assign(id=clips["clip_id"])
    table.to_csv(made.folder / "theirs.csv", index=False)
    return made


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    file = tmp_path / "network_for_commands.py"
    file.write_text(MINE.format(labels=list(EMOTIONS)))
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield f"{file}:make"
    sys.modules.pop("network_for_commands", None)


def test_imported_by_name_and_compared_by_name(run: Run, mine: Workspace) -> None:
    code, told, err = run("import", "theirs.csv", "--name", "theirs")
    assert code == 0
    assert told.startswith(f"{mine.folder}/collections/own/theirs: 14 clips, classes happy, sad, neutral")
    assert "note: 14 of 14 rows are clips of the dataset: 14 by id" in err
    assert run("compare", "theirs", "tiny-ifdd", "--draws", 100)[0] == 0
    assert "theirs − tiny-ifdd" in (mine.results / "compare-1/comparison.md").read_text().replace(
        "tiny-ifdd − theirs", "theirs − tiny-ifdd"
    )
    assert run("calibrate", "theirs")[0] == 0
    assert run("agreement", "theirs", "tiny-ifdd")[0] == 0
    for words in (
        ("saliency", "--checkpoint", "theirs"),
        ("scorecard", "theirs"),
        ("splits", "theirs"),
        ("counterfactual", "theirs"),
    ):
        code, _, err = run(*words)
        assert (code, err.count("\n")) == (1, 1), words
        assert "theirs is predictions alone (theirs.csv), and this needs the network itself; give it with --model" in err
    code, _, err = run("embed", "theirs", "tiny-ifdd")
    assert (code, "has no features, what the classifier of theirs reads; import its predictions with --features" in err) == (
        1,
        True,
    )
    code, _, err = run("import", "theirs.csv", "--name", "tiny-ifdd")
    assert (code, "--name tiny-ifdd: is a checkpoint of" in err) == (1, True)
    code, _, err = run("import", "theirs.csv", "--name", "theirs")
    assert (code, "theirs exists; choose another folder or remove it" in err) == (1, True)
    code, told, _ = run("import", "theirs.csv", "--name", "again", "--json")
    assert json.loads(told)["imported"]["holds"] == "probabilities"


def test_the_list_changed_since_it_was_imported(run: Run, mine: Workspace, tiny: TinyDemo, tmp_path: Path) -> None:
    shutil.copytree(tiny.demo / "datasets/demo", tmp_path / "other")
    (mine.folder / "datasets/other").symlink_to(tmp_path / "other")
    assert run("import", "theirs.csv", "--name", "theirs", "--dataset", "other")[0] == 0
    table = pd.read_parquet(tmp_path / "other/clips.parquet")
    table["label"], table["label_name"] = np.roll(table["label"], 1), np.roll(table["label_name"], 1)
    table.to_parquet(tmp_path / "other/clips.parquet")
    with pytest.raises(
        InputError, match=r"have another label now.*remove the folder and import the predictions again: workbench import"
    ):
        Given(dataset="other").collection("theirs")


def test_words_for_one_class_are_one_class(run: Run, mine: Workspace) -> None:
    """A list and predictions that call the classes of a checkpoint otherwise, and a model that does not know one of them."""
    words = {"happy": "Happiness", "sad": "SAD", "neutral": "Neutral", "angry": "Anger", "surprise": "surprised", "fear": "Fear"}
    manifest = mine.dataset("own").manifest
    clips = read_manifest(manifest)
    kept = clips[clips["label_name"] != "disgust"]
    (mine.folder / "datasets/words").mkdir()
    spelled = kept.assign(label=kept["label_name"].map(words), path=[str(manifest.parent / path) for path in kept["path"]])
    spelled[["clip_id", "path", "label", "subject"]].to_csv(mine.folder / "datasets/words/clips.csv", index=False)
    probs = np.random.default_rng(0).dirichlet(np.ones(6), len(kept))
    table = pd.DataFrame(probs, columns=[*words.values()]).assign(id=kept["clip_id"].to_numpy())
    table.to_csv("theirs.csv", index=False)
    assert run("collect", "tiny-ifdd", "--dataset", "words")[0] == 0

    assert run("import", "theirs.csv", "--name", "six", "--dataset", "words")[0] == 0
    for command in ("score", "compare"):
        code, _, err = run(command, "tiny-ifdd", "six", "--dataset", "words")
        assert (code, err.count("\n"), "workbench import … --zeros CLASS" in err) == (1, 1, True), command

    code, _, err = run("import", "theirs.csv", "--name", "seven", "--dataset", "words", "--zeros", "Disgust")
    assert (code, "the model does not know disgust: probability 0 in every clip" in err) == (0, True)
    assert run("score", "tiny-ifdd", "seven", "--dataset", "words")[0] == 0
    scores = json.loads((mine.results / "score-1/scores.json").read_text())
    said = np.array([*words])[probs.argmax(1)]
    right = pd.Series(said == kept["label_name"].to_numpy()).groupby(kept["label_name"].to_numpy()).mean()
    recalls = {item["name"]: item["recall"]["value"] for item in scores["seven"]["recalls"] if item["name"] != "disgust"}
    assert recalls == pytest.approx(right.to_dict())
    assert run("compare", "tiny-ifdd", "seven", "--dataset", "words", "--draws", 100)[0] == 0

    place = mine.dataset("words")
    found = {name: open_collection(mine.collection_folder("words", name)) for name in ("tiny-ifdd", "six", "seven")}
    shown = clip_table(place.clips, in_one_order(found))
    assert shown["label_name"].tolist() == kept["label_name"].tolist()
    assert shown["said six"].astype(str).tolist() == said.tolist()
    ours = found["tiny-ifdd"].probs.argmax(1)
    others = np.array([EMOTIONS[c] for c in ours]) != said
    assert shown["disagreement"].tolist() == pytest.approx(others * 2 / 3)

    code, _, err = run("import", "theirs.csv", "--name", "whole", "--dataset", "own", "--partial")
    assert (code, "no column of disgust, of which the dataset has clips" in err, "--zeros disgust" in err) == (1, True, True)
    code, _, err = run("import", "theirs.csv", "--name", "twice", "--dataset", "words", "--zeros", "fearful")
    assert (code, "has a column of Fear; leave it out of --zeros" in err) == (1, True)


@pytest.mark.filterwarnings("ignore:.*lacks the means")
def test_figures_and_report_take_it(run: Run, mine: Workspace, tmp_path: Path) -> None:
    np.save("features.npy", np.random.default_rng(1).normal(size=(14, 4)))
    assert run("import", "theirs.csv", "--name", "theirs", "--features", "features.npy")[0] == 0
    study = open_study(["theirs", "tiny-baseline"], None, tmp_path / "kept")
    assert (list(study.collections), list(study.bundles), study.main) == (
        ["theirs", "tiny-baseline"],
        ["tiny-baseline"],
        "tiny-baseline",
    )
    made = report(study)
    assert set(made.left_out) <= {"splits"}
    assert made.lead.startswith("2 models on 14 labelled clips: theirs, tiny-baseline")
    models = made.sections[0].parts[0]
    assert models.rows[0][:3] == ["theirs", "predictions imported from theirs.csv", "–"]  # type: ignore[union-attr]
    alone = open_study(["theirs"], None, tmp_path / "kept")
    drawn = draw(alone, Request(column="single"))
    assert {"ifdd_fig2_tsne", "ifdd_fig4_radar", "ifdd_fig5_confidence", "ous_fig5_confusion"} == set(drawn.sheets)
    assert "theirs is predictions alone (theirs.csv), and a map needs the network itself" in captions(drawn)


@pytest.mark.filterwarnings("ignore:.*lacks the means")
def test_a_network_of_ones_own_in_place_of_a_checkpoint(run: Run, mine: Workspace, own: str, tiny: TinyDemo) -> None:
    code, told, _ = run("collect", "--model", own)
    assert code == 0
    assert "collections/own/mine: 14 clips, logits, embedding, X" in told
    found = open_collection(mine.collection_folder("own", "mine"))
    assert found.labels == tuple(sorted(EMOTIONS))
    study = open_study(["mine", "tiny-ifdd"], None, mine.folder / "kept")  # in another order, and without the network
    assert {known.labels for known in study.collections.values()} == {EMOTIONS}
    assert run("embed", "--model", own, "--method", "pca")[0] == 0
    assert run("saliency", "--model", own, "--clips", 1)[0] == 0
    clip = next(file for file in (tiny.demo / "datasets/demo").rglob("*") if list(file.glob("*.png")))
    code, _, err = run("explain", clip, "--model", own, "--crop", "none", "--format", "gif")
    assert (code, "nothing is known of how it was trained" in err) == (0, True)
    code, _, err = run("explain", clip)
    assert (code, "give a checkpoint, or a network of your own with --model" in err) == (1, True)
    code, _, err = run("collect", "tiny-ifdd", "own", "--model", own)
    assert (code, "both the checkpoint tiny-ifdd and --model" in err) == (1, True)
    code, _, err = run("saliency", "--checkpoint", "mine")
    assert (code, f"mine is a network of your own Python, and this needs it; start with --model {own}" in err) == (1, True)

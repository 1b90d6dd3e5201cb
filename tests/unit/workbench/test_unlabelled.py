"""Clips without labels through every command: what needs none works, what needs some says so in one line."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from ifdd import load_checkpoint
from ifdd.cli import app as ifdd_app
from ifdd.data.manifest import has_labels, read_manifest, write_manifest
from ifdd.errors import InputError
from workbench.analysis.splits.results import PREDICTED, SplitSummary
from workbench.app.clip_table import clip_table
from workbench.store.collection import Collection, open_collection
from workbench.store.dataset import Dataset
from workbench.store.tables import labelled, predicted

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def clips(clips_manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of clips, and the manifest of it that `ifdd data index` makes."""
    root = tmp_path_factory.mktemp("unlabelled")
    for folder in clips_manifest.parent.glob("clip-*"):
        shutil.copytree(folder, root / folder.name)
    told = CliRunner().invoke(ifdd_app, ["data", "index", str(root), "--unlabelled"])
    assert told.stdout == f"{root}/clips.parquet: 5 clips without labels\n", told.output
    return root / "clips.parquet"


@pytest.fixture(scope="module")
def collected(
    clips: Path, tiny_bundle_dir: Path, baseline_bundle_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    from workbench.store.collecting import collect

    root = tmp_path_factory.mktemp("collected")
    return {f.name: collect(load_checkpoint(f), clips, root / f.name).folder for f in (tiny_bundle_dir, baseline_bundle_dir)}


def test_a_collection_says_that_there_are_no_labels(
    clips: Path, clips_manifest: Path, tiny_bundle_dir: Path, tmp_path: Path
) -> None:
    from workbench.store.collecting import collect

    bundle = load_checkpoint(tiny_bundle_dir)  # read one after the other: far apart in a long run a last bit differed once
    found, labels = (collect(bundle, source, tmp_path / name) for name, source in (("bare", clips), ("told", clips_manifest)))
    assert (found.meta["labelled"], labels.meta["labelled"]) == (False, True)
    assert (found.has_labels, labels.has_labels) == (False, True)
    np.testing.assert_array_equal(found.probs, labels.probs)
    assert set(found.predictions["label"]) == {-1}
    assert set(found.predictions["label_name"]) == {""}
    table = predicted(found)
    assert "correct" not in table
    assert table["predicted"].tolist() == [found.labels[i] for i in found.probs.argmax(1)]
    with pytest.raises(
        InputError, match=r"holds no clip with a label, .* add a column label to .*clips.parquet and run workbench"
    ):
        labelled(found)
    shutil.copytree(found.folder, tmp_path / "copy")
    file = tmp_path / "copy/predictions.parquet"
    pd.read_parquet(file).assign(label=0, label_name=found.labels[0]).to_parquet(file)
    with pytest.raises(InputError, match=r"has labels, manifest\.json says that it has none"):
        _ = open_collection(tmp_path / "copy").predictions


def test_a_collection_of_another_time_is_not_taken_for_labelled(
    clips: Path, collected: dict[str, Path], tiny_bundle_dir: Path, tmp_path: Path
) -> None:
    dataset = Dataset("mine", clips, collected["tiny-ifdd"].parent)
    bundle = load_checkpoint(tiny_bundle_dir)
    collections = {"tiny-ifdd": dataset.collection(bundle)}
    table = clip_table(dataset.clips, collections)
    said = collections["tiny-ifdd"].labels[collections["tiny-ifdd"].probs[0].argmax()]
    assert table["said tiny-ifdd"].iloc[0] == said
    assert not [name for name in table.columns if name.startswith("right ")]
    write_manifest(read_manifest(clips).drop(columns=["label"]).assign(label_name="happy"), clips.parent / "later")
    for folder in clips.parent.glob("clip-*"):
        (clips.parent / "later" / folder.name).symlink_to(folder)
    later = Dataset("mine", clips.parent / "later/clips.parquet", dataset.collections)
    with pytest.raises(InputError, match=r"was collected when .* had no labels, which it has now; remove the folder"):
        later.collection(bundle)


def test_the_clip_table_tells_which_models_disagree(
    clips: Path, collected: dict[str, Path], tiny_bundle_dir: Path, baseline_bundle_dir: Path
) -> None:
    dataset = Dataset("mine", clips, collected["tiny-ifdd"].parent)
    both: dict[str, Collection] = {f.name: dataset.collection(load_checkpoint(f)) for f in (tiny_bundle_dir, baseline_bundle_dir)}
    differ = both["tiny-ifdd"].probs.argmax(1) != both["tiny-baseline"].probs.argmax(1)
    table = clip_table(dataset.clips, both)
    assert (table["disagreement"] == 1).tolist() == differ.tolist()


def test_what_needs_no_labels(run: Run, clips: Path, collected: dict[str, Path], tiny_bundle_dir: Path, tmp_path: Path) -> None:
    folders = list(collected.values())
    code, _, err = run("collect", tiny_bundle_dir, clips, "--out", tmp_path / "again", "--names", "head.logits")
    assert code == 0
    assert f"warning: {clips} has no labels: predictions are kept, nothing can be scored\n" in err
    code, out, err = run("agreement", *folders, "--out", tmp_path / "agreement")
    assert (code, err) == (0, "")
    assert "| tiny-ifdd, tiny-baseline |" in out
    told = json.loads((tmp_path / "agreement/agreement.json").read_text())
    differ = [clip for i, clip in enumerate(told["clip_ids"]) if len({said[i] for said in told["predicted"].values()}) > 1]
    assert pd.read_csv(tmp_path / "agreement/differences.csv")["clip_id"].tolist() == differ
    assert (tmp_path / "agreement/agreement_1.png").is_file()

    code, _, err = run("embed", folders[0], "--method", "pca", "--out", tmp_path / "map")
    assert (code, err) == (0, "")
    assert "accuracy – (the clips have no labels)" in json.loads((tmp_path / "map/embedding.json").read_text())["caption"]
    assert set(pd.read_parquet(tmp_path / "map/clips.parquet")["label_name"]) == {""}
    code, _, err = run("embed", *folders, "--method", "pca", "--out", tmp_path / "maps")
    assert (code, err) == (0, "")
    code, _, err = run("embed", folders[0], "--colour-by", "correct", "--method", "pca", "--out", tmp_path / "no")
    assert (code, err) == (1, "error: the clips have no labels, so no prediction is right or wrong; colour by prediction\n")
    assert not (tmp_path / "no").exists()

    code, out, err = run("splits", tiny_bundle_dir, "--data", clips, "--out", tmp_path / "splits")
    assert (code, err) == (0, "")
    assert "the clips have no labels: occupancy and R² are by predicted class" in out
    stored = json.loads((tmp_path / "splits/splits.json").read_text())["tiny-ifdd"]
    summary = SplitSummary.from_dict(stored)
    assert summary.classes == PREDICTED
    assert summary.score(PREDICTED).content == PREDICTED
    said = open_collection(collected["tiny-ifdd"]).probs.argmax(1)
    assert summary.occupancy.counts.tolist() == np.bincount(said, minlength=7).tolist()

    code, _, err = run("saliency", "--checkpoint", tiny_bundle_dir, "--data", clips, "--clips", 2, "--out", tmp_path / "maps of")
    assert (code, err) == (0, "")
    assert json.loads((tmp_path / "maps of/clip-0/saliency.json").read_text())["true"] is None
    code, _, err = run("counterfactual", tiny_bundle_dir, clips, "--clips", 3, "--out", tmp_path / "edits")
    assert (code, err) == (0, "")


def test_what_needs_labels_says_so_and_writes_nothing(
    run: Run, clips: Path, collected: dict[str, Path], tiny_bundle_dir: Path, tmp_path: Path
) -> None:
    folders, out = list(collected.values()), tmp_path / "out"
    refused = {
        ("compare", *folders): "was collected without labels, so nothing tells which model is better; how far they agree",
        ("calibrate", folders[0]): "holds no clip with a label, which this needs; add a column label to",
        ("scorecard", tiny_bundle_dir, "--data", clips): f"{clips} has no labels, needed for the scorecard; add a column label",
        ("figures", "--runs", tiny_bundle_dir, "--data", clips): f"{clips} has no labels, needed for figures and reports",
    }
    for words, message in refused.items():
        code, printed, err = run(*words, "--out", out)
        assert code == 1, words
        assert printed == ""
        assert message in err
        assert err.count("\n") == 1
        assert not out.exists()
    told = CliRunner().invoke(
        ifdd_app, ["evaluate", str(tiny_bundle_dir), "--manifest", str(clips), "--out", str(out), "--cache", str(tmp_path / "c")]
    )
    assert isinstance(told.exception, InputError)
    assert str(told.exception).startswith(f"{clips} has no labels, needed for training and scoring")
    assert not out.exists()
    assert not has_labels(read_manifest(clips))

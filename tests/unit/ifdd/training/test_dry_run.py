"""What a training would take, told before it, with nothing written."""

import json
from pathlib import Path

import pandas as pd
import pytest
from colours import recipe as scripted
from small_corpus import corpus_recipe
from typer.testing import CliRunner

from ifdd.cli import app
from ifdd.errors import InputError
from ifdd.models.cost import cost
from ifdd.training import dry_run as planning
from ifdd.training import run
from ifdd.training.cross_validation import plan_folds
from ifdd.training.dry_run import dry_run, dry_run_folds
from ifdd.training.recipe import Recipe, load_recipe, recipe_yaml

RECIPES = sorted(Path("recipes/corpora").glob("*.yaml"))
pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore:.*the last one is repeated", "ignore:val and test are the same"),
]


def files(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_a_plan_tells_parts_model_time_and_writes_nothing(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    chosen, before = corpus_recipe(corpus, data={"fold": 2}), files(corpus.parent)
    plan = dry_run(chosen, tmp_path / "runs" / "x")
    assert files(corpus.parent) == before
    assert not list(tmp_path.iterdir())
    priced = cost(chosen.model)
    assert (plan.parameters, plan.macs) == (priced.parameters, priced.macs)
    assert sum(part.clips for part in plan.parts.values()) == 42
    frame = pd.read_parquet(corpus)
    assert plan.parts["test"].clips == (frame["fold"] == 2).sum()
    assert plan.parts["test"].persons == frame["subject"][frame["fold"] == 2].nunique()
    assert sum(plan.parts["train"].classes.values()) == plan.parts["train"].clips
    assert "held out by person" in plan.validation
    assert plan.steps_per_epoch == plan.parts["train"].clips // 4
    assert plan.clips_per_second is not None
    assert 0 < plan.step_seconds * plan.steps_per_epoch < plan.epoch_seconds
    assert plan.total_seconds > 2 * plan.epoch_seconds
    assert plan.measured == plan.batch == 4
    assert plan.device.startswith("CPU ")
    told = "\n".join(plan.lines)
    for words in ("test: ", "measured on CPU", "an epoch", "memory: about", "disk: about"):
        assert words in told
    assert json.loads(json.dumps(plan.to_dict()))["parts"]["test"]["clips"] == plan.parts["test"].clips


def test_estimates_hold_for_the_training_that_follows(corpus: Path, tmp_path: Path):
    """Parts and steps are those of the run, disk is told within a factor of two."""
    chosen = corpus_recipe(corpus)
    plan = dry_run(chosen, tmp_path / "run")
    run.train(chosen, tmp_path / "run", progress=False)
    metrics, log = (
        json.loads((tmp_path / "run" / "metrics.json").read_text()),
        pd.read_csv(tmp_path / "run" / "log" / "metrics.csv"),
    )
    assert {split: plan.parts[split].clips for split in ("val", "test")} == {s: metrics[s]["n"] for s in ("val", "test")}
    assert log["step"].iloc[-1] == plan.epochs * plan.steps_per_epoch
    written = sum(path.stat().st_size for path in (tmp_path / "run").rglob("*") if path.is_file())
    assert written / 2 < plan.disk < 2 * written


def test_batches_that_take_too_long_are_estimated_from_two_clips(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(planning, "PATIENT_S", 0.0)
    plan = dry_run(corpus_recipe(corpus), tmp_path)
    assert (plan.measured, plan.batch, plan.steps) == (2, 4, 1)
    assert "from 2 clips, scaled to 4" in "\n".join(plan.lines)


def test_scripted_clips_are_not_rendered_and_lists_not_decoded(corpus: Path, tmp_path: Path):
    plan = dry_run(scripted(), tmp_path)
    assert {split: part.clips for split, part in plan.parts.items()} == {"train": 8, "val": 8, "test": 8}
    assert plan.clips_per_second is None
    frame = pd.read_parquet(corpus)
    frame["path"] = [str(corpus.parent / path) for path in frame["path"]]
    for fold, split in enumerate(("train", "val", "test"), start=1):
        frame[frame["fold"] == fold].to_parquet(tmp_path / f"{split}.parquet")
    lists = {"source": "manifest", "cache": str(tmp_path / "cache")}
    lists |= {split: str(tmp_path / f"{split}.parquet") for split in ("train", "val", "test")}
    values = corpus_recipe(corpus).model_dump(mode="json") | {"data": lists}
    decoded = dry_run(Recipe.parse(values, "test"), tmp_path)
    assert decoded.disk - dry_run(corpus_recipe(corpus), tmp_path).disk == pytest.approx(42 * 8 * 32 * 32 * 3, rel=0.01)
    assert not (tmp_path / "cache").exists()
    Path(lists["val"]).write_bytes(Path(lists["train"]).read_bytes())
    with pytest.raises(InputError, match="train and val share 3 subjects"):
        dry_run(Recipe.parse(values, "test"), tmp_path)


def test_all_folds_take_so_many_times_as_long(corpus: Path, tmp_path: Path):
    file = tmp_path / "small.yaml"
    file.write_text(recipe_yaml(corpus_recipe(corpus)))
    plan = dry_run_folds(plan_folds(file), tmp_path / "out", jobs=2)
    assert plan.at_once == 1  # folds at a time share one CPU
    assert plan.seconds == pytest.approx(3 * plan.first.total_seconds)
    sizes = pd.read_parquet(corpus)["fold"].value_counts()
    assert {fold: parts["test"] for fold, parts in plan.parts.items()} == sizes.to_dict()
    assert all(sum(parts.values()) == 42 for parts in plan.parts.values())
    words = ["cross-validate", str(file), "--folds", "1-2", "--out", str(tmp_path / "out"), "--dry-run"]
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 0, told.output
    assert "all folds" in told.stdout
    assert json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)["first"]["parts"]["train"]["clips"] > 0
    alone = CliRunner().invoke(app, ["train", str(file), "--dry-run", "--json", "--out", str(tmp_path / "out")])
    assert json.loads(alone.stdout)["name"] == "small"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.stem)
def test_recipes_of_corpora_are_read(file: Path):
    chosen = load_recipe(file)
    assert chosen.name == file.stem
    assert chosen.data.source == "corpus"
    assert len(chosen.labels) == chosen.model.num_classes
    _, _, kind = file.stem.partition("-")
    known = {"reference": (5e-5, "reference"), "ous": (2e-4, "paper")}
    assert (chosen.optim.lr, chosen.model.preset) == known.get(kind, (1e-4, "paper"))
    assert chosen.data.val == 0.1


def test_there_is_a_recipe_for_each_corpus():
    named = {file.stem for file in RECIPES}
    ours = {"crema-d", *(corpus + ending for corpus in ("dfew", "ferv39k", "mafw") for ending in ("", "-reference"))}
    assert named == ours | {"dfew-ous", "ferv39k-ous"}
    labels = load_recipe("recipes/corpora/mafw.yaml").labels
    assert labels[:7] == load_recipe("recipes/corpora/dfew.yaml").labels
    assert len(labels) == 11

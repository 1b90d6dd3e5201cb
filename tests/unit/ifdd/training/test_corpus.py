"""Training on one list with folds."""

import json
from pathlib import Path

import pandas as pd
import pytest
from small_corpus import corpus_recipe, make_corpus

import ifdd
from ifdd.training import run
from ifdd.training.finishing import CHOSEN_ON_TEST
from ifdd.training.recipe import load_recipe, recipe_yaml

pytestmark = pytest.mark.filterwarnings("ignore:.*the last one is repeated")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Manifest of 42 clips."""
    return make_corpus(tmp_path_factory.mktemp("corpus"))


def test_a_fold_is_trained_and_tested(corpus: Path, tmp_path: Path) -> None:
    chosen = corpus_recipe(corpus, data={"fold": 2})
    folder = run.train(chosen, tmp_path / "run", progress=False)
    frame, predictions = pd.read_parquet(corpus), pd.read_parquet(tmp_path / "run" / "predictions.parquet")
    test = predictions[predictions["split"] == "test"]
    assert set(test["clip_id"]) == set(frame["clip_id"][frame["fold"] == 2])
    assert set(test["fold"]) == {2}
    data = ifdd.load_checkpoint(folder).card.data
    assert data["test"] | {"source": "corpus", "fold": 2, "part": "test", "chosen_on_test": False} == data["test"]
    assert "held out by person" in data["val"]["validation"]
    people = [set(predictions["subject"][predictions["split"] == split]) for split in ("val", "test")]
    assert not people[0] & people[1]
    assert sum(data[split]["clips"] for split in ("train", "val", "test")) == 42


def test_choosing_on_the_test_fold_marks_every_number(corpus: Path, tmp_path: Path) -> None:
    chosen = corpus_recipe(corpus, data={"val": "test"}, optim={"lr": 0.002, "epochs": 1, "batch": 4, "warmup_epochs": 0})
    with pytest.warns(UserWarning, match=r"val and test are the same \d+ clips, and the epoch is chosen on them"):
        folder = run.train(chosen, tmp_path / "run", progress=False)
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["test"]["notes"][-1] == CHOSEN_ON_TEST
    card = ifdd.load_checkpoint(folder).card
    assert card.metrics["test"]["notes"][-1] == CHOSEN_ON_TEST
    assert card.data["test"]["chosen_on_test"]
    assert CHOSEN_ON_TEST in (folder / "README.md").read_text()


def test_the_fold_can_be_set(corpus: Path, tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(recipe_yaml(corpus_recipe(corpus)))
    assert load_recipe(file, ["data.fold=2", "data.val=test"]).data.model_dump(include={"fold", "val"}) == {
        "fold": 2,
        "val": "test",
    }

"""What a run kept, scored side by side."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from small_corpus import corpus_recipe
from typer.testing import CliRunner

from ifdd.cli import app
from ifdd.data.clipset import ClipSet
from ifdd.errors import InputError
from ifdd.models.families import create_model
from ifdd.training import audit as auditing
from ifdd.training import run
from ifdd.training.audit import audit
from ifdd.training.clipsets import load_split
from ifdd.training.evaluation import predict_set
from ifdd.training.recipe import Recipe
from workbench.app.runs import audit_rows, audits_of

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore:.*the last one is repeated", "ignore:val and test are the same"),
]


def train(corpus: Path, out: Path, **changes: object) -> tuple[Recipe, Path]:
    chosen = corpus_recipe(corpus, **changes)
    run.train(chosen, out, progress=False)
    return chosen, out


@pytest.fixture(scope="module")
def averaged(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Recipe, Path]:
    """A run of averaged weights."""
    return train(corpus, tmp_path_factory.mktemp("runs") / "run", ema=0.9, seed=3)


def test_candidates_are_what_the_run_kept_and_scored_as_the_run_scores(averaged: tuple[Recipe, Path]):
    chosen, folder = averaged
    found = audit(folder, device="cpu", progress=False)
    names = [one.name for one in found.candidates]
    assert names[0] == "best on validation, averaged"
    assert (
        {"best on validation, not averaged"}
        < {*names}
        <= {*("best on validation, averaged", "best on validation, not averaged", "last, averaged", "last, not averaged")}
    )
    (reported,) = [one for one in found.candidates if one.reported]
    told = json.loads((folder / "metrics.json").read_text())
    for part, own in (("val", reported.val), ("test", reported.test)):
        assert pytest.approx((told[part]["WAR"], told[part]["UAR"])) == (own.WAR, own.UAR)
    assert reported.epoch == told["training"]["epoch"]
    kept = torch.load(folder / "lightning" / "best.ckpt", weights_only=True)["current_model_state"]
    model = create_model(chosen.model)
    model.load_state_dict({key.removeprefix("model."): value for key, value in kept.items()})
    test = load_split(chosen, "test", False)
    own = next(one for one in found.candidates if one.name == "best on validation, not averaged")
    assert pytest.approx((predict_set(model, test).argmax(1) == test.target).mean()) == own.test.WAR
    assert found.gap.value == pytest.approx(max(one.test.UAR for one in found.candidates) - reported.test.UAR)
    assert found.gap.value >= 0


def test_the_gap_is_that_of_the_best_on_test(averaged: tuple[Recipe, Path], monkeypatch: pytest.MonkeyPatch):
    """Predictions are replaced: the reported weights are right half the time on test, the last ones always."""
    _, folder = averaged
    states = {name: weights for name, _, _, weights in auditing._states(folder, averaged[0])}
    last = list(states)[-1]
    calls = iter([name for name in states for _ in ("val", "test")])

    def said(_recipe: Recipe, clips: ClipSet, *_: object) -> tuple[ClipSet, np.ndarray, None]:
        target, name = clips.target, next(calls)
        guess = target if name == last else np.where(np.arange(len(target)) % 2, target, (target + 1) % 3)
        return clips, np.eye(3)[guess], None

    monkeypatch.setattr(auditing, "predict_readable", said)
    found = audit(folder, device="cpu", progress=False)
    reported = next(one for one in found.candidates if one.reported)
    assert found.best_on_test == last
    assert found.gap.value == pytest.approx(1 - reported.test.UAR)
    low, high = found.gap.difference_bounds
    assert low < found.gap.value < high
    assert f"optimism gap {100 * found.gap.value:.1f} points" in found.words
    assert found.to_dict()["optimism_gap_UAR"] == found.gap.value


def test_a_run_that_chose_on_its_test_part_has_no_gap_to_tell(corpus: Path, tmp_path: Path):
    quick = {"lr": 0.002, "epochs": 1, "batch": 4, "warmup_epochs": 0}
    _, folder = train(corpus, tmp_path / "run", data={"val": "test"}, optim=quick, keep="best")
    found = audit(folder, device="cpu", progress=False)
    assert found.to_dict()["optimism_gap_UAR"] is None
    assert "nothing here is free of that choice" in found.words
    assert "+0.0 points of UAR from the last epoch" in found.words  # there is one epoch


def test_the_command_prints_a_table_and_refuses_what_is_no_run(averaged: tuple[Recipe, Path], tmp_path: Path):
    _, folder = averaged
    before = sorted(path.name for path in folder.iterdir())
    told = CliRunner().invoke(app, ["audit", str(folder), "--device", "cpu", "--out", str(tmp_path / "audit")])
    assert told.exit_code == 0, told.output
    assert "best on validation, averaged (reported)" in told.stdout
    assert sorted(path.name for path in folder.iterdir()) == before
    lines, words = audit_rows(audits_of([tmp_path])[str(folder)])
    assert lines[0]["checkpoint"] == "best on validation, averaged (reported)"
    assert set(lines[0]) == {"checkpoint", "epoch", "val UAR", "val WAR", "test UAR", "test WAR"}
    assert words in told.stdout
    with pytest.raises(InputError, match=r"no run \(there is no config\.yaml\)"):
        audit(tmp_path)
    broken = tmp_path / "run"
    (broken / "lightning").mkdir(parents=True)
    (broken / "config.yaml").write_bytes((folder / "config.yaml").read_bytes())
    (broken / "lightning" / "best.ckpt").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"best\.ckpt is missing or damaged"):
        audit(broken)

"""How many inputs of each family are tried, and what whole ones look like."""

import sys
from pathlib import Path

import pytest
import torch

import ifdd
from ifdd.card import Card
from ifdd.checkpoints import save_checkpoint
from ifdd.data.preprocessing import Preprocessing
from ifdd.labels import EMOTIONS

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))  # films and pictures are made there

FEW, MANY = 20, 1000


@pytest.fixture(
    params=[pytest.param(FEW, id="few"), pytest.param(MANY, id="many", marks=[pytest.mark.slow, pytest.mark.timeout(3600)])]
)
def count(request: pytest.FixtureRequest) -> int:
    """Inputs to try."""
    return int(request.param)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole checkpoint with random weights, 8 frames of 32²; its card has all that a training writes."""
    torch.manual_seed(0)
    model = ifdd.create_model("ifdd-mvit-tiny", frames=8, size=(32, 32)).eval()
    about = {"source": "scripted", "name": "s", "seed": 1, "clips": 14, "identities": 7, "difficulty": "easy", "duration": 2.0}
    scores = {
        "n": 14,
        "WAR": 0.5,
        "UAR": 0.5,
        "intervals": {"WAR": [0.4, 0.6], "UAR": [0.4, 0.6]},
        "recall": dict.fromkeys(EMOTIONS, 0.5),
        "counts": dict.fromkeys(EMOTIONS, 2),
        "constant_guess": {"WAR": 0.14, "UAR": 0.14},
        "confusion": [[1] * 7] * 7,
    }
    card = Card(
        name="tiny",
        notice="random weights",
        model=model.config,
        labels=EMOTIONS,
        preprocessing=Preprocessing(8, (32, 32), "none", 0.1).to_dict(),
        data={split: {**about, "split": split} for split in ("train", "val", "test")},
        training={"recipe": {"seed": 0, "frames_shown": "all", "reads": "own", "init_from": None}, "minutes": 1.0, "epoch": 2},
        metrics={"val": scores, "test": scores},
        versions={"torch": "2"},
    )
    return save_checkpoint(tmp_path_factory.mktemp("checkpoints") / "tiny", model, card)

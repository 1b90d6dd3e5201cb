"""A family is one record, and a card or a recipe names it; those that name none are of ifdd."""

import json
from pathlib import Path
from typing import Any, Literal

import pytest
import torch

import ifdd
from ifdd.checkpoints import read_card
from ifdd.errors import InputError
from ifdd.inputs import each, of_input, rows_of, stack
from ifdd.models.config import VideoConfig
from ifdd.models.families import FAMILIES
from ifdd.training.recipe import LossConfig

SHIPPED = Path(__file__).parents[4] / "checkpoints"


class StrangeConfig(VideoConfig):
    family: Literal["strange"] = "strange"


def test_a_card_without_a_family_is_of_ifdd(tmp_path: Path) -> None:
    written = json.loads((SHIPPED / "scripted-tiny-ifdd" / "card.json").read_text(encoding="utf-8"))
    assert written["model"].pop("family") == "ifdd"  # older cards name none
    (tmp_path / "card.json").write_text(json.dumps(written), encoding="utf-8")
    card = read_card(tmp_path)
    assert isinstance(card.model, ifdd.ModelConfig)
    assert card.model_dump(mode="json")["model"]["family"] == "ifdd"


@pytest.mark.parametrize("family", ["strange", 3, None])
def test_an_unknown_family_is_one_line(family: Any, tmp_path: Path) -> None:
    folder = next(place for place in sorted(SHIPPED.iterdir()) if (place / "card.json").is_file())
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    card["model"]["family"] = family
    (tmp_path / "card.json").write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(
        InputError,
        match=r"card\.json: model\.family: unknown family .*; known: ifdd, ous; give the module of another one with --import$",
    ):
        read_card(tmp_path)


def test_a_configuration_of_no_family() -> None:
    with pytest.raises(InputError, match="unknown family 'strange'; known: ifdd, ous"):
        ifdd.create_model(StrangeConfig())


def test_the_loss_is_the_familys() -> None:
    config = ifdd.ModelConfig(backbone="mvit-tiny", frames=8, size=(64, 64))
    loss = FAMILIES["ifdd"].loss(config, LossConfig(lifting_weight=2.0, label_smoothing=0.0))
    output = ifdd.create_model(config).eval()(torch.rand(2, 3, 8, 64, 64))
    terms = loss(output, torch.tensor([0, 1]))
    assert set(terms) == {"loss", "classification", "lifting"}
    torch.testing.assert_close(terms["loss"], terms["classification"] + terms["lifting"])


def test_one_input_is_given_by_name_or_alone() -> None:
    model = ifdd.create_model("mvit-tiny-baseline", frames=8, size=(64, 64)).eval()
    assert model.inputs == {"clip": (3, 8, 64, 64)}
    clips = torch.rand(2, 3, 8, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(model({"clip": clips}).logits, model(clips).logits)
    with pytest.raises(InputError, match="clips are of face; this model reads clip"):
        model({"face": clips})


def test_clips_by_input() -> None:
    clips = stack([{"face": torch.zeros(2), "scene": torch.ones(3)}] * 4)
    assert of_input(clips, "scene").shape == (4, 3)
    assert of_input(rows_of(clips, slice(1, 3)), None).shape == (2, 2)
    assert of_input(each(clips, lambda part: part + 1), "face").tolist() == [[1, 1]] * 4
    alone = stack([torch.zeros(2)] * 3)
    assert of_input(alone, "whatever") is alone

"""The section `control` of a recipe, and older recipes and cards that say the same at their top level."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

import ifdd
from ifdd.card import Card
from ifdd.control import Control, with_control
from ifdd.errors import InputError
from ifdd.training.recipe import load_recipe, recipe_yaml

ROOT = Path(__file__).parents[4]
OLDER = [
    ({"frames_shown": "one"}, Control(frames="one")),
    ({"frames_shown": "all", "reads": "own", "train_labels": "true"}, Control()),
    ({"train_labels": "random"}, Control(labels="random")),
    ({"reads": "truth", "control": {"frames": "all"}}, Control(places="truth")),
    ({}, Control()),
]


@pytest.mark.parametrize(("older", "control"), OLDER)
def test_older_recipes_say_the_same(tmp_path: Path, older: dict[str, Any], control: Control):
    base = {"extends": str(ROOT / "recipes" / "noisy-frozen-even-odd.yaml"), "keep": "last"}
    file = tmp_path / "older.yaml"
    file.write_text(yaml.safe_dump(base | older))
    recipe = load_recipe(file)
    assert recipe.control == control
    file.write_text(recipe_yaml(recipe))
    assert load_recipe(file) == recipe


def test_a_control_said_twice_is_refused(tmp_path: Path):
    file = tmp_path / "twice.yaml"
    base = {"extends": str(ROOT / "recipes" / "noisy-baseline.yaml"), "frames_shown": "one"}
    file.write_text(yaml.safe_dump(base | {"control": {"frames": "shuffled"}}))
    with pytest.raises(InputError, match=r"twice\.yaml: .*frames_shown is the older name of control\.frames; leave"):
        load_recipe(file)


@pytest.mark.parametrize(("older", "control"), OLDER)
def test_older_cards_say_the_same(older: dict[str, Any], control: Control):
    values = json.loads((ROOT / "checkpoints" / "scripted-tiny-ifdd" / "card.json").read_text())
    values["training"]["recipe"] = {"seed": 0} | older
    assert Card.parse(values, "card.json").control == control


def test_a_card_with_an_unknown_control_is_refused():
    values = json.loads((ROOT / "checkpoints" / "scripted-tiny-ifdd" / "card.json").read_text())
    values["training"]["recipe"] = {"control": {"frames": "some"}}
    with pytest.raises(InputError, match=r"training\.recipe\.control\.frames: .*'some'"):
        Card.parse(values, "card.json")


def test_shipped_cards_keep_their_controls():
    folder = ROOT / "checkpoints"
    controls = {
        card.parent.name: ifdd.load_checkpoint(card.parent).card.control for card in folder.glob("seeds/*truth*/card.json")
    }
    assert controls, "no told rows are shipped"
    assert set(controls.values()) == {Control(places="truth")}


def test_nothing_is_moved_where_nothing_is_old():
    assert with_control({"seed": 1, "control": {"frames": "one"}}) == {"seed": 1, "control": {"frames": "one"}}


def test_no_shipped_recipe_extends_one_that_extends_another():
    parents = {file.name: yaml.safe_load(file.read_text()).get("extends") for file in (ROOT / "recipes").glob("*.yaml")}
    assert len(parents) > 20
    assert not [name for name, parent in parents.items() if parent and parents[parent]]

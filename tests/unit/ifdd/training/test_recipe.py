from pathlib import Path

import pytest
import yaml

from ifdd.errors import InputError
from ifdd.models.families import create_model
from ifdd.training.recipe import load_recipe, recipe_yaml

RECIPES = sorted((Path(__file__).parents[4] / "recipes").glob("*.yaml"))
SMALL = {
    "name": "small",
    "model": {"backbone": "mvit-tiny", "frames": 8, "size": [32, 32]},
    "data": {"source": "scripted"} | {split: {"clips": 14, "identities": 7} for split in ("train", "val", "test")},
    "optim": {"lr": 0.001, "epochs": 2},
}


def write(folder: Path, **changes: object) -> Path:
    file = folder / "recipe.yaml"
    file.write_text(yaml.safe_dump(SMALL | changes))
    return file


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipes_of_the_repository_can_be_built(path: Path):
    recipe = load_recipe(path)
    assert recipe.name in (path.stem, f"{path.stem}-0")  # those of several seeds end in theirs
    assert create_model(recipe.model).config == recipe.model


def test_tiny_recipes_share_data_labels_and_backbone():
    """IFDD starts from the baseline's backbone, so its schedule may be its own; what both are tested on may not."""
    pair = {
        path.stem: load_recipe(path).model_dump()
        for path in RECIPES
        if path.stem in ("scripted-tiny-ifdd", "scripted-tiny-baseline")
    }
    ifdd, baseline = pair["scripted-tiny-ifdd"], pair["scripted-tiny-baseline"]
    assert len(pair) == 2
    assert ifdd["init_from"] == "scripted-tiny-baseline"
    assert {key for key in ifdd if ifdd[key] != baseline[key]} == {"name", "model", "optim", "init_from"}
    assert {key for key in ifdd["model"] if ifdd["model"][key] != baseline["model"][key]} == {"split", "lift"}


def test_resolved_recipe_reads_back_equal(tmp_path: Path):
    recipe = load_recipe(write(tmp_path))
    (tmp_path / "resolved.yaml").write_text(recipe_yaml(recipe))
    assert load_recipe(tmp_path / "resolved.yaml") == recipe


def test_settings_replace_single_values(tmp_path: Path):
    recipe = load_recipe(write(tmp_path), ["optim.lr=1e-4", "augment.mixup=0", "data.train.clips=21", "ema=null"])
    assert recipe.optim.lr == 1e-4
    assert recipe.augment.mixup == 0
    assert recipe.data.train.clips == 21  # type: ignore[union-attr]
    assert recipe.ema is None


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("optim.lrr=1", r"unknown key 'optim.lrr'; did you mean 'optim.lr'\?"),
        ("data.train.clpis=1", r"unknown key 'data.train.clpis'; did you mean 'data.train.clips'\?"),
        ("epochs=3", r"unknown key 'epochs'; did you mean 'optim.epochs'\?"),
        ("data.source=files", "data: .*'scripted', 'manifest'"),
        ("optim.lr=-1", r"optim.lr: .*greater than 0 \(given: -1\)"),
        ("optim.warmup_epochs=2", "warmup_epochs=2 must be below epochs=2"),
        ("labels=[a, b]", "must be 7 different names"),
        ("name=a/b", "name: "),
        ("model.split=none", "needs two groups to lift"),
        ("optim.lr", "write it as section.key=value"),
        ("name.x=1", "'name' is a value, not a section"),
        ("name=[", "--set name: not valid YAML"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(tmp_path: Path, setting: str, message: str):
    with pytest.raises(InputError, match=message) as caught:
        load_recipe(write(tmp_path), [setting])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"a: [", "not valid YAML"), (b"- 1", "a YAML mapping"), (b"", "a YAML mapping"), (b"\xff\xfe\x00", "no UTF-8 text")],
)
def test_files_that_are_no_recipe(tmp_path: Path, content: bytes, message: str):
    file = tmp_path / "bad.yaml"
    file.write_bytes(content)
    with pytest.raises(InputError, match=message):
        load_recipe(file)


def test_a_missing_file(tmp_path: Path):
    with pytest.raises(InputError, match="no such recipe"):
        load_recipe(tmp_path / "none.yaml")

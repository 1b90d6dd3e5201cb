"""Models over ρ: one that knows the scene alone follows it, one that sees the face alone is the same at every ρ."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from ifdd import load_checkpoint
from ifdd.checkpoints import Bundle
from ifdd.errors import InputError
from ifdd.labels import EMOTIONS
from ifdd.scripted import suite_scripts
from ifdd.training import run
from ifdd.training.recipe import Recipe
from workbench import cli
from workbench.benchmark.scenes import task
from workbench.benchmark.scenes.display import ScenesDisplay
from workbench.benchmark.scenes.results import FEW as MANY
from workbench.benchmark.scenes.results import markdown, read_scenes
from workbench.benchmark.scenes.task import measure_scenes, write
from workbench.store.reading import Reading

SAID = {"positive": "happy", "negative": "sad", "neutral": "neutral"}
FEW: dict[str, Any] = {"clips": 14, "identities": 7}


SET = {"clips": 14, "identities": 2, "difficulty": "easy", "rho": 0.5}
RECIPE: dict[str, Any] = {
    "data": {"source": "scripted", "train": SET, "val": SET, "test": SET},
    "augment": {"cutmix": 0},
    "optim": {"lr": 1e-3, "epochs": 1, "batch": 7, "warmup_epochs": 0},
    "device": "cpu",
}


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[Bundle]:
    """OUS of face and scene, and of the face alone."""
    folder, found = tmp_path_factory.mktemp("checkpoints"), []
    for name, streams in (("both", ["face", "scene"]), ("face", ["face"])):
        model = {"family": "ous", "frames": 4, "size": [48, 48], "streams": streams}
        values = RECIPE | {"name": name, "model": model, "data": RECIPE["data"] | {"cache": str(folder / "cache")}}
        found.append(load_checkpoint(run.train(Recipe.parse(values, "ous.yaml"), folder / name, progress=False)))
    return found


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    """`both` says what the scene tells and nothing else, `face` what the face shows."""
    real = task.read_suite

    def read(named: Any, config: Any, cache: Path, batch: int, names: Any) -> Any:
        _, truth = real({"face": named["face"]}, config, cache, batch, names)
        scripts = suite_scripts(config)
        said = {"both": [SAID[script.scene] for script in scripts], "face": [script.emotion for script in scripts]}
        probs = {name: np.eye(7)[[EMOTIONS.index(one) for one in found]] for name, found in said.items()}
        return {name: Reading(probs[name], {}) for name in named}, truth

    monkeypatch.setattr(task, "read_suite", read)


@pytest.mark.usefixtures("told")
def test_who_knows_the_scene_alone_follows_it_and_who_sees_the_face_does_not(bundles: list[Bundle], tmp_path: Path) -> None:
    found = measure_scenes(bundles, rhos=(1, 0, -1), cache=tmp_path, **FEW)
    scene, face = found.rows
    assert found.rhos == (-1, 0, 1)
    assert scene.follows.value == 1
    assert [score.uar.value for score in face.scores] == [1, 1, 1]
    assert (face.follows.value, face.helps.uar.value, face.misleads.uar.value) == (0, 0, 0)
    # where every scene fits, happy, sad and neutral are known; where it is the opposite, neutral alone
    against, nothing, along = (score.uar.value for score in scene.scores)
    assert (against, along) == pytest.approx((1 / 7, 3 / 7))
    assert (scene.helps.uar.value, scene.misleads.uar.value) == pytest.approx((along - nothing, against - nothing))
    assert scene.helps.uar.value > 0


def test_a_model_of_the_face_alone_says_the_same_at_every_rho(bundles: list[Bundle], tmp_path: Path) -> None:
    found = measure_scenes(bundles, rhos=(-0.9, 0.9), cache=tmp_path, **FEW)
    both, face = found.rows
    assert (both.reads, face.reads) == (("face", "scene"), ("face",))
    assert len({score.uar.value for score in face.scores}) == 1
    assert (face.follows.value, face.helps.uar.value, face.trained) == (0, 0, None)
    files = write(found, tmp_path / "out")
    assert [file.name for file in files] == ["scenes.json", "scenes.md", "scenes.png", "scenes.svg"]
    assert read_scenes(tmp_path / "out/scenes.json") == found
    figure = ScenesDisplay.from_result(found).to_plotly()
    assert [trace.name for trace in figure.data] == ["both", "face"]
    assert found.of(["face"]).rows == (face,)
    assert markdown(found).count("\n| ") == 4
    whole = json.loads((tmp_path / "out/scenes.json").read_text())
    for damaged in ({"rhos": []}, {"rows": []}, {"rhos": [0.0]}):
        (tmp_path / "damaged.json").write_text(json.dumps(whole | damaged))
        with pytest.raises(InputError, match="is no whole file of workbench scenes"):
            read_scenes(tmp_path / "damaged.json")
    values = whole | {"schema_version": 9}
    (tmp_path / "out/scenes.json").write_text(json.dumps(values))
    with pytest.raises(InputError, match="has schema version 9; this version reads 1; write it anew"):
        read_scenes(tmp_path / "out/scenes.json")


def test_the_command(bundles: list[Bundle], tmp_path: Path) -> None:
    words = ["scenes", *(str(bundle.path) for bundle in bundles), "--clips", "14", "--identities", "7"]
    words += ["--cache", str(tmp_path / "cache"), "--device", "cpu"]
    ran = CliRunner().invoke(cli.app, [*words, "--rhos=-1,1", "--out", str(tmp_path / "out")])
    assert ran.exit_code == 0, ran.output
    assert "| face | face | – | 1 |" in ran.output
    assert (tmp_path / "out/scenes.svg").is_file()
    for given, message in (("x", "'x' is no number"), ("2", r"rho 2.0 is outside \[-1, 1\]")):
        ran = CliRunner().invoke(cli.app, [*words, f"--rhos={given}", "--out", str(tmp_path / given)])
        assert isinstance(ran.exception, InputError)
        assert ran.exception.args
        with pytest.raises(InputError, match=message):
            raise ran.exception
        assert not (tmp_path / given).exists()


def test_each_curve_has_a_colour_and_a_marker_of_its_own() -> None:
    measured = read_scenes(Path(__file__).parents[4] / "checkpoints" / "scenes.json")
    display = ScenesDisplay.from_result(measured.of(measured.compared))
    curves = display.to_plotly().data
    assert len(curves) == MANY
    assert len({curve.marker.color for curve in curves}) == len({curve.marker.symbol for curve in curves}) == MANY
    display.plot()
    lines = [bars[0] for bars in display.ax_.containers]
    assert len({line.get_color() for line in lines}) == len({line.get_marker() for line in lines}) == MANY


def test_what_cannot_be_measured(bundles: list[Bundle], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no rho; give one or more"):
        measure_scenes(bundles, rhos=(), cache=tmp_path)
    with pytest.raises(InputError, match="suite 'here' is unknown"):
        measure_scenes(bundles, suite="here", cache=tmp_path)
    with pytest.raises(InputError, match="scene-shift has a scene behind the face"):
        measure_scenes(bundles, suite="scene-shift", cache=tmp_path)
    with pytest.raises(InputError, match="'other' was not measured; measured: both"):
        measure_scenes(bundles[:1], rhos=(0,), cache=tmp_path, **FEW).row("other")

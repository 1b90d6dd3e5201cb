"""A model of face and scene in the app: what each input does, models over ρ, and every page beside it."""

import base64
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from ifdd.checkpoints import Bundle, load_checkpoint
from ifdd.scripted.suite import SuiteConfig, render_suite
from tests.app.waiting import finished
from tests.tiny_demo import TinyDemo
from tests.tiny_ous import train_ous
from workbench.analysis.streams.task import Options, run
from workbench.benchmark.scenes.task import measure_scenes, write
from workbench.store.workspace import Workspace, init_workspace

Start = Callable[..., AppTest]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """OUS and its late fusion of one step, and fourteen clips that have scenes."""
    folder = tmp_path_factory.mktemp("two-streams")
    for name, more in (("ous", {}), ("late", {"fusion": "late"})):
        train_ous(folder, name, **more)
    suite = SuiteConfig("streams", 3, 14, 7, "test", "easy", rho=0.5)
    manifest = render_suite(suite, folder / "clips", frames=8, fps=8.0, size=48, workers=1, progress=False)
    made = init_workspace(folder / "mine", {"clips": manifest}, [folder / "runs" / name for name in ("ous", "late")])
    for bundle in bundles(made):
        made.dataset("clips").collect(bundle, bundle.name)
    return made


def bundles(place: Workspace) -> list[Bundle]:
    return [load_checkpoint(place.checkpoint(name)) for name in ("ous", "late")]


@pytest.fixture(autouse=True)
def _use(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IFDD_WORKSPACE", str(place.folder))


def figures(app: AppTest) -> list[dict[str, Any]]:
    assert not app.exception
    assert not app.error, [item.value for item in app.error]
    return [json.loads(item.proto.spec) for item in app.get("plotly_chart")]


def said(app: AppTest) -> str:
    return " ".join(item.value for item in (*app.markdown, *app.caption)).replace("\\", "")


def test_what_each_input_does_is_that_of_the_command(start: Start, tiny_demo: TinyDemo, place: Workspace) -> None:
    app = start(tiny_demo, "saliency", saliency_part="Face and scene", saliency_count="7")
    app = finished(app, "Exchange face and scene")
    (figure,) = figures(app)
    found = run(bundles(place), place.dataset("clips").manifest, Options(clips=7))
    names = [trace["name"] for trace in figure["data"]]
    assert names == ["face", "scene"]
    for i, trace in enumerate(figure["data"]):
        assert dict(zip(trace["y"], trace["x"], strict=True)) == pytest.approx(
            {name: 100 * result.share[i].value for name, result in found.items()}, abs=1e-3
        )
    table = app.dataframe[0].value
    assert set(table["model"]) == {"ous", "late"}
    assert "late: the inputs add up" in said(app)
    assert "ous: the inputs add up" not in said(app)
    assert "roll-out of an attention that knows nothing is 0.33" in said(app)
    assert any(item.value.startswith("workbench streams late ous ") for item in app.code)


def test_one_input_of_many_clips_is_exchanged(start: Start, tiny_demo: TinyDemo) -> None:
    asked = {"saliency_part": "What if", "saliency_edits": "swap-scene", "saliency_count": "3"}
    app = start(tiny_demo, "saliency", models="late", **asked)
    assert {"swap-face", "swap-scene"} <= set(app.multiselect("saliency_edits").options)
    figures(finished(app, "Edit the clips"))
    assert app.dataframe[0].value["edit"][0] == "swap scene"


def test_one_clip_has_no_other_to_take_from(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo, "saliency", models="late", saliency_part="What if", saliency_count="1")
    app = app.multiselect("saliency_edits").set_value(["swap-scene"]).run()
    assert "swap-scene takes from another clip, and there is one" in app.error[0].value
    assert "choose two or more" in app.error[0].value


def test_a_model_of_the_scene_alone_has_no_regions_of_a_face(
    start: Start, tiny_demo: TinyDemo, place: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And costs the others nothing."""
    train_ous(tmp_path, "alone", streams=["scene"])
    made = init_workspace(
        tmp_path / "mine", {"clips": place.dataset("clips").manifest}, [tmp_path / "runs/alone", place.checkpoint("late")]
    )
    monkeypatch.setenv("IFDD_WORKSPACE", str(made.folder))
    for name, folder in made.checkpoints().items():
        made.dataset("clips").collect(load_checkpoint(folder), name)
    app = finished(start(tiny_demo, "saliency", saliency_part="Regions", saliency_count="2"), "Measure the regions")
    assert len(figures(app)) == 1
    assert "alone: no map lies on the face, or all are zero" in said(app)
    app = start(tiny_demo, "clip", models="alone", clip_tab="Regions")
    assert "these models read the scene alone" in app.error[0].value


def test_maps_are_tested_each_on_its_own_input(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo, "saliency", models="late", saliency_part="Are maps true?", saliency_count="3")
    app = finished(app, "Test the maps")
    removed, _ = figures(app)
    titles = [note["text"] for note in removed["layout"]["annotations"]]
    assert [title.partition(",")[0] for title in titles[::2]] == ["pixels of face", "pixels of scene", "frames"]
    assert app.dataframe[0].value["map of"].tolist() == [*["face.map", "scene.map"] * 2, "input.face", "input.scene"]


def test_models_over_rho_are_those_of_the_file(start: Start, tiny_demo: TinyDemo, place: Workspace, tmp_path: Path) -> None:
    file = place.folder / "checkpoints" / "scenes.json"
    app = start(tiny_demo, "disentanglement", disentanglement_part="Scenes")
    assert not figures(app)
    assert "`workbench scenes` with the names of checkpoints" in app.info[0].value
    assert "Parts that show" not in said(app)  # words about a constant are for who reads the code
    found = measure_scenes(bundles(place), rhos=(-1, 1), suite="standard-v2", clips=14, identities=7, cache=tmp_path)
    write(found, tmp_path / "out")
    file.write_bytes((tmp_path / "out/scenes.json").read_bytes())
    try:
        (figure,) = figures(app.run())
        curves = {trace["name"]: list(np.frombuffer(base64.b64decode(trace["y"]["bdata"]))) for trace in figure["data"]}
        assert curves == {row.variant: pytest.approx([100 * score.uar.value for score in row.scores]) for row in found.rows}
        assert app.dataframe[0].value["reads"].tolist() == ["face + scene"] * 2
        # what the command writes by default is offered beside it, first
        own = place.new_results("scenes")
        write(measure_scenes(bundles(place), rhos=(0,), suite="standard-v2", clips=14, identities=7, cache=tmp_path), own)
        app = start(tiny_demo, "disentanglement", disentanglement_part="Scenes")
        (choice,) = [box for box in app.selectbox if box.label == "Measured"]
        assert choice.options == ["results/scenes-1/scenes.json", "checkpoints/scenes.json"]
        assert f"from {own.name}/scenes.json" in said(app)
        assert {trace["y"]["bdata"] for trace in figures(app)[0]["data"]} != {trace["y"]["bdata"] for trace in figure["data"]}
        app = choice.select("checkpoints/scenes.json").run()
        assert f"from {file.parent.name}/scenes.json" in said(app)
        app = start(tiny_demo, "figures")
        assert any(f"--scenes {own}/scenes.json" in item.value for item in app.code)
    finally:
        file.unlink()
        shutil.rmtree(place.results / "scenes-1", ignore_errors=True)


def panels(app: AppTest) -> list[dict[str, Any]]:
    """Of every player its groups, each by its title with the names of its panels."""
    assert not app.exception
    assert not app.error, [item.value for item in app.error]
    players = [json.loads(item.proto.json) for item in app.get("bidi_component") if "ifdd_player" in item.proto.component_name]
    return [{group["title"]: [panel["name"] for panel in group["panels"]] for group in one["groups"]} for one in players]


def test_a_clip_is_shown_with_its_scene(start: Start, tiny_demo: TinyDemo) -> None:
    (shown,) = panels(start(tiny_demo, "clip"))
    assert shown == {"input": ["face", "scene"], "late": ["face map", "scene map"], "ous": ["face map", "scene map"]}


@pytest.mark.parametrize("tab", ["Classes", "Frames", "Regions", "Difference", "What if"])
def test_every_tab_of_a_clip_with_its_scene(start: Start, tiny_demo: TinyDemo, tab: str) -> None:
    app = start(tiny_demo, "clip", clip_tab=tab)
    shown = panels(app)
    names = [trace.get("name") or "" for figure in figures(app) for trace in figure["data"]]
    if tab == "Regions":  # of the face alone
        assert any("face" in name for name in names)
        assert not any("scene" in name for name in names)
    if tab == "Difference":
        assert list(shown[0]) == ["input", "late face map", "ous face map", "difference"]
    if tab == "What if":
        assert "swap scene" in set(app.dataframe[0].value["edit"])
        assert shown[0]["reverse"] == ["face", "scene"]


NOT_OF_TWO = {"splits": "none of the chosen models splits its frames"}


@pytest.mark.parametrize(
    "page", ["overview", "comparison", "confidence", "agreement", "browse", "clip", "embedding", "figures", *NOT_OF_TWO]
)
def test_every_page_shows_them_or_says_why_not(start: Start, tiny_demo: TinyDemo, page: str) -> None:
    app = start(tiny_demo, page)
    assert not app.exception, app.exception
    told = [item.value for item in app.error]
    assert [NOT_OF_TWO[page] in text for text in told] == [True] if page in NOT_OF_TWO else told == []


def test_knobs_make_a_scene_around_the_face(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo, "benchmark", benchmark_part="What the models see")
    assert "late, ous read the scene around the face, and there is none" in said(app)
    assert "choose one under Knobs" in app.error[0].value
    (shown,) = panels(app.selectbox("benchmark_around").set_value("positive").run())
    assert shown["input"] == ["face", "scene"]
    assert set(shown) == {"input", "late", "ous"}

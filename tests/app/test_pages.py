"""Every page on a small demo, and what bad input gets: a panel with the next step, never a traceback."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from ifdd import load_checkpoint
from ifdd.labels import EMOTIONS
from tests.app.conftest import APP
from tests.app.waiting import finished
from tests.tiny_demo import CLIPS, MODELS, NOTICE, TinyDemo
from workbench.analysis import registry
from workbench.benchmark import task
from workbench.store.collection import open_collection

Start = Callable[..., AppTest]
CLIP_IDS = [f"tiny-test-{i:05d}" for i in range(CLIPS)]
PAGES = {
    "overview": 2,
    "browse": 0,
    "clip": 0,
    "agreement": 1,
    "comparison": 2,
    "confidence": 1,
    "embedding": 0,  # its map is a component of its own
    "splits": 2,
    "training": 0,
    "help": 0,
    "jobs": 0,
    "figures": 0,
    "disentanglement": 0,  # a table first
    "benchmark": 1,
    "upload": 0,
}
"""Each page, and how many charts it has."""


def panels(app: AppTest) -> str:
    assert not app.exception, app.exception
    return " ".join(item.value for item in app.error).replace("\\", "")


def charts(app: AppTest) -> list[dict]:
    return [json.loads(item.proto.spec) for item in app.get("plotly_chart")]


@pytest.mark.parametrize("page", PAGES)
def test_page_renders(start: Start, tiny_demo: TinyDemo, page: str) -> None:
    app = start(tiny_demo, page)
    assert panels(app) == ""
    assert app.title
    figures = charts(app)
    assert len(figures) == PAGES[page]
    assert all(any(len(trace.get("x", trace.get("z", []))) for trace in figure["data"]) for figure in figures)


@pytest.fixture
def section(tiny_demo: TinyDemo, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], AppTest]:
    """Open the page Splits as if it had no file of its own: it is made of its section."""
    monkeypatch.syspath_prepend(str(APP.parent))
    monkeypatch.setattr("shared.concept.PAGES", tmp_path)

    def opened(**query: str) -> AppTest:
        app = start(tiny_demo, **query)
        app._page_hash = calc_hash("splits")
        return app.run()

    return opened


def test_page_of_a_section_is_of_the_models_in_view(section: Callable[..., AppTest]) -> None:
    app = section()
    assert any("tiny-ifdd" in cell for table in app.dataframe for cell in table.value.iloc[:, 0])
    assert "none of the chosen models splits" in panels(section(models="tiny-baseline"))


def test_a_section_that_fails_is_a_panel(section: Callable[[], AppTest], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.analysis.splits.section.section", lambda study, options: 1 / 0)
    assert "analysis/splits: ZeroDivisionError: division by zero" in panels(section())


def test_a_page_without_a_section_is_a_panel(section: Callable[[], AppTest], monkeypatch: pytest.MonkeyPatch) -> None:
    find = registry.find_spec
    monkeypatch.setattr(registry, "find_spec", lambda place: None if place.endswith("splits.section") else find(place))
    assert "add section.py, or pages/splits.py" in panels(section())


def test_overview_says_what_is_loaded(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo)
    assert [item.value for item in app.warning] == [NOTICE]
    scores = app.dataframe[0].value
    assert scores["model"].tolist() == sorted(MODELS)
    assert set(scores["constant guess"]) == {f"{EMOTIONS[0]}: 14.3 %"}  # seven classes of two clips each
    app = start(tiny_demo, overview_tab="Checkpoints")
    assert set(app.dataframe[0].value["name"]) == set(MODELS)


def test_clip_player_has_a_panel_for_each_branch(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo, "clip")
    (player,) = app.get("bidi_component")
    data = json.loads(player.proto.json)
    names = [[panel["name"] for panel in group["panels"]] for group in data["groups"]]
    assert names == [["input"], ["X"], ["Y_D", "Y_S"]]
    assert len(data["seconds"]) == 16


def test_clip_follows_a_link_and_keeps_its_address(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo, "clip", clip="tiny-test-00003")
    assert app.title[0].value == "tiny-test-00003"
    app.selectbox("clip_id").set_value("tiny-test-00005").run()
    assert app.title[0].value == "tiny-test-00005"
    assert app.query_params["clip"] == "tiny-test-00005"


def test_clip_settings_reach_the_maps(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo, "clip")
    app.selectbox("clip_for").set_value("disgust")
    app.selectbox("clip_map").set_value("gradcam").run()
    app.segmented_control("clip_weights").set_value("per-step")
    app.segmented_control("clip_scale").set_value("none")
    app.run()
    assert panels(app) == ""
    notes = json.loads(app.get("bidi_component")[0].proto.json)["notes"]
    assert all("“disgust”" in text and "per time step" in text and "not scaled" in text for text in notes)


def test_selection_narrows_the_list(start: Start, tiny_demo: TinyDemo) -> None:
    assert len(start(tiny_demo, "clip").selectbox("clip_id").options) == CLIPS
    app = start(tiny_demo, "clip", sel="label_name=sad")
    assert len(app.selectbox("clip_id").options) == 2
    assert panels(app) == ""
    app = app.button("chip_0").click().run()
    assert len(app.selectbox("clip_id").options) == CLIPS


def test_unknown_clip_in_the_address(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo, "clip", clip="nobody")
    assert "There is no clip nobody in" in app.warning[0].value
    assert app.query_params["clip"] == app.title[0].value


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("happy", "selects no clips"),
        ("loss tiny-ifdd>=much", "compares with no number"),
        ("colour=red", "these clips have no column 'colour'"),
        ("clip_id=@0123456789abcdef", "is not kept in"),
    ],
)
def test_unknown_selection_in_the_address(start: Start, tiny_demo: TinyDemo, asked: str, told: str) -> None:
    app = start(tiny_demo, "clip", sel=asked)
    assert told in panels(app)
    app = app.button("chip_all").click().run()
    assert panels(app) == ""
    assert "sel" not in app.query_params


@pytest.mark.parametrize(("asked", "told"), [("loudness", True), ("grid", False), ("table", False)])
def test_unknown_setting_in_the_address(start: Start, tiny_demo: TinyDemo, asked: str, told: bool) -> None:
    app = start(tiny_demo, "browse", browse_as=asked)
    assert any(f"browse_as = {asked}" in item.value.replace("\\", "") for item in app.warning) == told
    assert not app.run().warning or not any("browse_as" in item.value for item in app.warning)


def test_unknown_model_in_the_address(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo, models="nobody")
    assert any("The address names the model nobody" in item.value for item in app.warning)


@pytest.mark.parametrize(
    ("page", "setting", "models"),
    [
        ("comparison", "compare_with", list(MODELS)),
        ("agreement", "agreement_pair", list(MODELS)),
        ("confidence", "confidence_model", ["tiny-ifdd"]),
        ("overview", "overview_model", ["tiny-ifdd"]),
    ],
)
def test_where_nothing_is_to_be_chosen_the_address_is_told_all_the_same(
    start: Start, tiny_demo: TinyDemo, page: str, setting: str, models: list[str]
) -> None:
    app = start(tiny_demo, page, models=models, **{setting: "nobody"})
    assert f"The address asks for {setting} = nobody" in " ".join(item.value for item in app.warning).replace("\\", "")
    assert setting not in app.query_params
    assert not any(setting in item.value.replace("\\", "") for item in app.run().warning)


@pytest.mark.parametrize(
    ("page", "setting"),
    [("overview", "models"), ("overview", "dataset"), ("overview", "ref"), ("clip", "clip"), ("clip", "clip_map")],
)
def test_an_address_of_100_kb_is_told_in_a_line(start: Start, tiny_demo: TinyDemo, page: str, setting: str) -> None:
    told = [item.value for item in start(tiny_demo, page, **{setting: "x" * 100_000}).warning]
    assert any("xxx…" in text for text in told)
    assert max(map(len, told)) < 500


@pytest.mark.parametrize("ref", ["nobody", "tiny-ifdd"])
def test_a_reference_that_is_not_in_view_is_told_once(start: Start, tiny_demo: TinyDemo, ref: str) -> None:
    app = start(tiny_demo, models="tiny-baseline", ref=ref)
    (told,) = app.warning[0], *[item for item in app.warning[1:] if "reference" in item.value]
    assert f"The address names the reference {ref}, which is not among the models" in told.value.replace("\\", "")
    assert not any("reference" in item.value for item in app.run().warning)
    app = start(tiny_demo, ref="tiny-ifdd").multiselect("models").set_value(["tiny-baseline"]).run()
    assert not any("reference" in item.value for item in app.warning)


@pytest.mark.parametrize("page", ["overview", "clip", "embedding", "confidence", "disentanglement"])
def test_missing_demo(start: Start, tiny_demo: TinyDemo, tmp_path: Path, page: str) -> None:
    text = panels(start(TinyDemo(tmp_path / "nothing", tiny_demo.checkpoints), page))
    assert "Next step:** stop the app and run make app" in text


def test_no_checkpoints(start: Start, tiny_demo: TinyDemo, tmp_path: Path) -> None:
    assert "IFDD_CHECKPOINTS" in panels(start(TinyDemo(tiny_demo.demo, tmp_path)))


def test_weights_that_are_not_the_cards(start: Start, tiny_demo: TinyDemo, tmp_path: Path) -> None:
    tiny = tiny_demo.copy_to(tmp_path)
    card = tiny.checkpoints / "tiny-ifdd" / "card.json"
    values = json.loads(card.read_text())
    card.write_text(json.dumps(values | {"sha256": "0" * 64}))
    app = start(tiny)
    assert "sha256" in panels(app)
    assert "fetch the checkpoint again" in panels(app)
    assert app.dataframe[0].value["model"].tolist() == ["tiny-baseline"]  # the other model is still there


def test_collection_of_another_checkpoint(start: Start, tiny_demo: TinyDemo, tmp_path: Path) -> None:
    tiny = tiny_demo.copy_to(tmp_path)
    folder = tiny.demo / "collections" / "demo"
    shutil.rmtree(folder / "tiny-ifdd")
    shutil.copytree(folder / "tiny-baseline", folder / "tiny-ifdd")
    for page in ("overview", "clip", "embedding", "confidence"):
        assert "was collected with checkpoint tiny-baseline" in panels(start(tiny, page))


def test_collection_of_an_older_schema(start: Start, tiny_demo: TinyDemo, tmp_path: Path) -> None:
    tiny = tiny_demo.copy_to(tmp_path)
    file = tiny.demo / "collections" / "demo" / "tiny-ifdd" / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"schema_version": 0}))
    assert "schema version 0" in panels(start(tiny))


def test_a_model_that_never_saw_the_clips_asks_before_it_reads_them(start: Start, tiny_demo: TinyDemo, tmp_path: Path) -> None:
    tiny = tiny_demo.copy_to(tmp_path)
    folder = tiny.demo / "collections" / "demo" / "tiny-ifdd"
    shutil.rmtree(folder)
    app = start(tiny)
    assert not panels(app)
    assert app.dataframe[0].value["model"].tolist() == ["tiny-baseline"]  # the other model alone
    offer = " ".join(item.value for item in app.markdown).replace("\\", "")
    assert "14 clips have not been read with tiny-ifdd yet." in offer
    assert not folder.exists()
    app = finished(app, "Read the clips")
    assert not panels(app)
    assert app.dataframe[0].value["model"].tolist() == sorted(MODELS)
    again = open_collection(folder, load_checkpoint(tiny.checkpoints / "tiny-ifdd"))
    before = open_collection(tiny_demo.demo / "collections" / "demo" / "tiny-ifdd")
    np.testing.assert_allclose(again.probs, before.probs, atol=1e-6)


def test_many_checkpoints_are_chosen_from(start: Start, tiny_demo: TinyDemo, tmp_path: Path) -> None:
    many = tiny_demo.copy_to(tmp_path)
    for name in ("other-0", "other-1"):
        folder = shutil.copytree(many.checkpoints / "tiny-baseline", many.checkpoints / name)
        card = json.loads((folder / "card.json").read_text())
        card |= {"name": name, "data": {"test": {"source": "scripted", "difficulty": "noisy-50"}}}
        (folder / "card.json").write_text(json.dumps(card))
    app = start(many)
    chooser = app.multiselect("models")
    assert chooser.options == ["other-0", "other-1", "tiny-baseline", "tiny-ifdd"]
    assert chooser.value == ["tiny-baseline", "tiny-ifdd"]  # trained on clips like the demo's
    app = chooser.set_value(["other-1", "tiny-ifdd"]).run()
    app = app.switch_page("clip.py").run()
    (player,) = app.get("bidi_component")
    assert [group["title"] for group in json.loads(player.proto.json)["groups"]] == ["input", "other-1", "tiny-ifdd"]
    assert not panels(app)
    assert not (many.demo / "collections" / "demo" / "other-1").exists()
    app = finished(app, "Read the clips")
    assert not panels(app)
    assert (many.demo / "collections" / "demo" / "other-1").is_dir()
    app = app.multiselect("models").set_value([]).run()
    assert not panels(app)
    assert "No checkpoint is chosen" in app.info[0].value


def test_clips_of_ones_own_show_the_checkpoints_that_have_read_them(start: Start, tiny_demo: TinyDemo, tmp_path: Path) -> None:
    own = tiny_demo.copy_to(tmp_path)
    (own.demo / "datasets" / "demo" / "suite.json").unlink()  # any folder of clips
    for i in range(4):
        folder = shutil.copytree(own.checkpoints / "tiny-baseline", own.checkpoints / f"other-{i}")
        card = json.loads((folder / "card.json").read_text()) | {"name": f"other-{i}"}
        (folder / "card.json").write_text(json.dumps(card))
    app = start(own)
    assert app.multiselect("models").value == ["tiny-baseline", "tiny-ifdd"]
    app = app.multiselect("models").set_value([f"other-{i}" for i in range(4)] + ["tiny-ifdd"]).run()
    assert not panels(app)
    assert app.dataframe[0].value["model"].tolist() == ["tiny-ifdd"]
    assert "have not been read with other-0, other-1, other-2, other-3 yet" in " ".join(item.value for item in app.markdown)
    shutil.rmtree(own.demo / "collections" / "demo")
    app = start(own)
    assert not panels(app)
    assert "No checkpoint is chosen for the 14 clips" in app.info[0].value
    app = app.button("view_begin").click().run()
    assert app.multiselect("models").value == app.query_params["models"]
    assert "have not been read with" in " ".join(item.value for item in app.markdown)
    assert not (own.demo / "collections" / "demo").exists()


EVIL = "![x](http://example.com/a.png)"


def test_text_of_a_card_is_text(start: Start, tiny_demo: TinyDemo, tmp_path: Path) -> None:
    evil = tiny_demo.copy_to(tmp_path)
    file = evil.checkpoints / "tiny-baseline" / "card.json"
    card = json.loads(file.read_text())
    card |= {"notice": EVIL, "labels": [EVIL, "<b>x</b>", *card["labels"][2:]]}
    file.write_text(json.dumps(card))
    shutil.rmtree(evil.checkpoints / "tiny-ifdd")
    shutil.rmtree(evil.demo / "collections" / "demo")
    manifest = evil.demo / "datasets" / "demo" / "clips.parquet"
    clips = pd.read_parquet(manifest)
    names = dict(zip(("happy", "sad"), card["labels"], strict=False))
    clips["label_name"] = clips["label_name"].replace(names)
    clips["clip_id"] = [f"{EVIL}{i}" for i in range(len(clips))]
    clips.to_parquet(manifest)
    app = start(evil)
    app = finished(app, "Read the clips")
    for page in ("overview", "clip", "embedding", "confidence"):
        app = app.switch_page(f"{page}.py").run()
        assert not app.exception
        texts = [
            str(getattr(item, "value", ""))
            for kind in ("markdown", "caption", "title", "subheader", "warning", "error")
            for item in getattr(app, kind)
        ]
        texts += [option for item in (*app.get("button_group"),) for option in map(str, item.options)]
        assert texts
        assert not [text for text in texts if re.search(r"(?<!\\)(\]\(|<b>)", text)]


def test_curves_of_the_benchmark_beside_the_scorecard(start: Start, tiny_demo: TinyDemo, tmp_path: Path) -> None:
    measured = tiny_demo.copy_to(tmp_path)
    bundles = [load_checkpoint(folder) for folder in sorted(measured.checkpoints.iterdir())]
    result = task.run(bundles, ["noisy-50"], "noisy-50", clips=14, identities=7, cache=tmp_path / "cache")
    (measured.checkpoints / "benchmark.json").write_text(json.dumps(result.to_dict()))
    app = start(measured, "disentanglement", disentanglement_part="Robustness")
    assert not app.error
    assert len(charts(app)) == 1
    assert app.multiselect("disentanglement_variants").value == ["tiny-baseline", "tiny-ifdd"]


@pytest.mark.parametrize(("page", "setting"), [("splits", "splits_part"), ("comparison", "compare_part"), ("clip", "clip_scale")])
def test_an_empty_setting_in_the_address_is_what_a_fresh_page_shows(
    start: Start, tiny_demo: TinyDemo, page: str, setting: str
) -> None:
    app = start(tiny_demo, page, **{setting: ""})
    assert not panels(app)
    assert any(f"{setting} = (nothing)" in item.value.replace("\\", "") for item in app.warning)
    assert [chart.proto.id for chart in app.get("plotly_chart")] == [
        chart.proto.id for chart in start(tiny_demo, page).get("plotly_chart")
    ]

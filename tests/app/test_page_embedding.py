"""The page Embedding: maps of one model, of several and of the stages, in any colours, with the selection marked."""

import base64
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from ifdd import load_checkpoint
from tests.app.waiting import finished
from tests.tiny_demo import CLIPS, MODELS, TinyDemo
from workbench.app import embeddings
from workbench.store.workspace import Workspace

Start = Callable[..., AppTest]
CLIP_IDS = [f"tiny-test-{i:05d}" for i in range(CLIPS)]


def drawn(app: AppTest) -> dict[str, Any]:
    """What the map is drawn from."""
    assert not app.exception
    assert not app.error, [item.value for item in app.error]
    (data,) = [made for item in app.get("bidi_component") if "panels" in (made := json.loads(item.proto.json))]
    return data


def places(data: dict[str, Any], panel: int = 0, stage: int = 0) -> np.ndarray:
    return np.frombuffer(base64.b64decode(data["panels"][panel]["stages"][stage]["xy"]), np.float32).reshape(-1, 2)


def test_each_method_places_every_clip(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo, "embedding")
    before = places(drawn(app))
    data = drawn(app.selectbox("embedding_method").set_value("pca").run())
    assert data["ids"] == CLIP_IDS
    assert data["axes"] == ["PCA 1", "PCA 2"]
    assert places(data).shape == (CLIPS, 2)
    assert not np.allclose(before, places(data))
    assert "trustworthiness" in data["panels"][0]["stages"][0]["note"]


def test_colours_tell_any_column_and_their_entries_select_its_clips(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo, "embedding", embedding_method="PCA")
    entries = drawn(app)["groups"]["entries"]
    assert {entry["name"]: (entry["count"], entry["link"]) for entry in entries}["happy"] == (2, "label_name=happy")
    assert len({entry["marker"] for entry in entries}) == 7
    app = app.selectbox("embedding_colour").set_value("right tiny-ifdd").run()
    assert {entry["link"] for entry in drawn(app)["groups"]["entries"]} <= {"right tiny-ifdd=True", "right tiny-ifdd=False"}
    ramp = drawn(app.selectbox("embedding_colour").set_value("loss tiny-ifdd").run())["ramp"]
    assert ramp["low"] < ramp["high"]
    assert ramp["missing"] == 0


def test_a_selection_made_elsewhere_is_marked(start: Start, tiny_demo: TinyDemo) -> None:
    data = drawn(start(tiny_demo, "embedding", embedding_method="PCA", sel="label_name=happy"))
    marked = np.unpackbits(np.frombuffer(base64.b64decode(data["chosen"]), np.uint8))[:CLIPS]
    assert [clip for clip, one in zip(data["ids"], marked, strict=True) if one] == [CLIP_IDS[0], CLIP_IDS[7]]


def test_models_stand_side_by_side(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo, "embedding", embedding_method="PCA")
    data = drawn(app.selectbox("embedding_show").set_value("models").run())
    assert [panel["title"] for panel in data["panels"]] == sorted(MODELS)
    app = app.selectbox("embedding_activation").set_value("issm.offset_D").run()
    assert "only tiny-ifdd has issm.offset" in app.error[0].value.replace("\\", "")


def test_stages_are_a_film(start: Start, tiny_demo: TinyDemo, tmp_path: Path) -> None:
    place = tiny_demo.copy_to(tmp_path)
    shutil.rmtree(place.demo / "collections" / "demo" / "tiny-ifdd")
    Workspace(place.demo).dataset("demo").collect(load_checkpoint(place.checkpoints / "tiny-ifdd"), "tiny-ifdd")
    app = start(place, "embedding", embedding_method="PCA")
    app = app.selectbox("embedding_model").set_value("tiny-ifdd").run()
    stages = drawn(app.selectbox("embedding_show").set_value("film").run())["panels"][0]["stages"]
    assert [stage["name"] for stage in stages][:2] == ["backbone.stage0", "backbone.stage1"]
    assert "moved" not in stages[0]["note"]
    assert "moved" in stages[1]["note"]
    assert any("--activation stages --method pca" in item.value for item in app.code)
    app = app.selectbox("embedding_model").set_value("tiny-baseline").run()
    assert "of the stages, a film needs two or more" in app.error[0].value


def test_large_sets_begin_with_pca_of_all_and_a_sample(
    start: Start, tiny_demo: TinyDemo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embeddings, "LARGE", CLIPS - 1)
    monkeypatch.setattr(embeddings, "QUICK", CLIPS - 2)
    monkeypatch.setattr(embeddings, "SAMPLE", 7)
    app = start(tiny_demo, "embedding")
    assert app.selectbox("embedding_method").value == "pca"
    data = drawn(app)
    assert (len(data["ids"]), data["panels"][0]["stages"][0]["note"]) == (CLIPS, "quality not measured")
    app = app.selectbox("embedding_method").set_value("tsne").run()
    assert len(drawn(app)["ids"]) == 7
    assert any("these are 7, of each class alike" in item.value for item in app.markdown)
    assert any("--clips 7" in item.value for item in app.code)
    assert [item.label for item in app.button if "Map" in item.label] == ["Map of all clips"]


@pytest.mark.slow
def test_the_map_of_a_large_set_is_made_by_a_job(
    start: Start, tiny_demo: TinyDemo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embeddings, "QUICK", CLIPS - 2)
    monkeypatch.setattr(embeddings, "SAMPLE", 7)
    app = start(tiny_demo.copy_to(tmp_path), "embedding", embedding_method="t-SNE")
    assert len(drawn(app)["ids"]) == 7
    data = drawn(finished(app, "Map of all clips"))
    assert data["ids"] == CLIP_IDS
    assert "trustworthiness" in data["panels"][0]["stages"][0]["note"]

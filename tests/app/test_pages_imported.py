"""Every page beside predictions of others, and with a network of one's own: nothing fails, and what needs a network says so."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from ifdd.data.manifest import read_manifest
from ifdd.labels import EMOTIONS
from tests.app.conftest import switch
from tests.app.waiting import finished
from tests.tiny_demo import CLIPS, TinyDemo
from workbench.store.foreign.task import Options, import_predictions

PAGES = ("browse", "clip", "agreement", "comparison", "confidence", "embedding", "splits", "disentanglement", "upload")
ALONE = "MAE-DFER is predictions alone (theirs.csv), and {} needs the network itself; give it with --model"
MINE = """
import torch
from torch import nn
import workbench, ifdd

def make():
    torch.manual_seed(3)
    network = nn.Sequential(nn.Conv3d(3, 4, 8, 8), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(4, 7))
    return workbench.adapt(network, ifdd.labels.EMOTIONS, ifdd.Preprocessing(8, (32, 32)), activations={"X": "1"}, name="mine")
"""


@pytest.fixture(scope="module")
def imported(tiny_demo: TinyDemo, tmp_path_factory: pytest.TempPathFactory) -> TinyDemo:
    """The demo with two others' predictions: with features of all clips, and of a part without."""
    folder = tmp_path_factory.mktemp("imported")
    copy = tiny_demo.copy_to(folder)
    clips = read_manifest(copy.demo / "datasets" / "demo")
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(7), len(clips))
    table = pd.DataFrame(probs, columns=[f"p_{name}" for name in EMOTIONS]).assign(clip_id=clips["clip_id"])
    table.to_csv(folder / "theirs.csv", index=False)
    table.head(CLIPS - 2).to_csv(folder / "part.csv", index=False)
    np.save(folder / "features.npy", rng.normal(size=(len(clips), 5)))
    place = copy.demo / "collections" / "demo"
    manifest = copy.demo / "datasets" / "demo"
    import_predictions(folder / "theirs.csv", manifest, "MAE-DFER", place / "MAE-DFER", Options(features=folder / "features.npy"))
    import_predictions(folder / "part.csv", manifest, "part", place / "part", Options(partial=True))
    return copy


def texts(app: AppTest) -> str:
    kinds = ("info", "warning", "error", "markdown", "caption", "subheader")
    return " ".join(str(item.value) for kind in kinds for item in getattr(app, kind)).replace("\\", "")


def healthy(app: AppTest, page: str) -> None:
    assert not app.exception, f"{page}: {app.exception[0].value}"
    assert not app.error, f"{page}: {app.error[0].value}"


def test_every_page_beside_predictions_of_others(imported: TinyDemo, start: Callable[..., AppTest]) -> None:
    app = start(imported)
    healthy(app, "overview")
    (chooser,) = (item for item in app.multiselect if item.label == "Models")
    assert chooser.options == ["tiny-baseline", "tiny-ifdd", "MAE-DFER (predictions)", "part (predictions)"]
    chooser.set_value(["tiny-baseline", "tiny-ifdd", "MAE-DFER", "part"]).run()
    healthy(app, "overview")
    assert app.dataframe[0].value["model"].tolist() == ["tiny-baseline", "tiny-ifdd", "MAE-DFER", "part"]
    app.query_params["overview_tab"] = "Checkpoints"
    app.session_state["overview_tab"] = "Checkpoints"
    app.run()
    told = next(table.value for table in app.dataframe if "features" in table.value)
    assert told["name"].tolist() == ["MAE-DFER", "part"]
    assert told["from"].tolist()[0].startswith("predictions imported from theirs.csv")
    assert told["features"].tolist()[0] == "features"
    assert told["clips"].tolist() == [CLIPS, CLIPS - 2]
    for page in set(PAGES) - {"disentanglement"}:  # a scorecard takes seconds, and is of networks
        switch(app, page).run()
        healthy(app, page)
        if page == "clip":
            assert ALONE.format("a map") in texts(app)
            assert any("MAE-DFER says" in str(item.proto.body) for item in app.get("html"))
        if page == "embedding":
            assert "Of part predictions alone were imported; a map needs features, too" in texts(app)
            next(item for item in app.selectbox if item.label == "Model").set_value("MAE-DFER").run()
            healthy(app, page)
        if page == "upload":
            assert ALONE.format("reading a video") in texts(app)


def test_pages_of_predictions_alone(imported: TinyDemo, start: Callable[..., AppTest]) -> None:
    app = start(imported)
    next(item for item in app.multiselect if item.label == "Models").set_value(["MAE-DFER"]).run()
    healthy(app, "overview")
    for page in PAGES:
        switch(app, page).run()
        assert not app.exception, page
        if page in ("agreement", "comparison", "splits"):
            assert len(app.error) == 1, page  # one model cannot be compared, and none splits its frames
        else:
            assert not app.error, page
        for name, what in (("clip", "a map"), ("disentanglement", "the scorecard"), ("upload", "reading a video")):
            assert (ALONE.format(what) in texts(app)) == (page == name)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    file = tmp_path / "a_network_of_mine.py"
    file.write_text(MINE.replace("ifdd.labels.EMOTIONS", str(EMOTIONS)))
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield f"{file}:make"
    sys.modules.pop("a_network_of_mine", None)


def test_a_network_of_ones_own_has_maps_where_the_app_was_started_with_it(
    imported: TinyDemo, start: Callable[..., AppTest], own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IFDD_MODELS", own)
    app = start(imported)
    chooser = next(item for item in app.multiselect if item.label == "Models")
    assert "mine" in chooser.options
    chooser.set_value(["mine", "MAE-DFER"]).run()
    finished(app, "Read the clips")
    healthy(app, "overview")
    assert (imported.demo / "collections" / "demo" / "mine" / "manifest.json").is_file()
    for page in ("clip", "comparison", "embedding"):
        switch(app, page).run()
        healthy(app, page)
    monkeypatch.setenv("IFDD_MODELS", "")
    st.cache_resource.clear()  # as another server, started without it
    again = start(imported)
    next(item for item in again.multiselect if item.label == "Models").set_value(["mine"]).run()
    healthy(again, "overview")
    switch(again, "clip").run()
    healthy(again, "clip")
    assert f"mine is a network of your own Python, and a map needs it; start with --model {own}" in texts(again)

"""Every page on clips of which nothing is known: no labels, persons, folds or truth."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import switch
from tests.app.waiting import finished
from tests.tiny_demo import CLIPS, MODELS, TinyDemo, make_bare
from workbench.store.collection import open_collection
from workbench.store.workspace import Workspace, init_workspace

Start = Callable[..., AppTest]
SAID = {
    "overview": "so nothing tells which prediction is right: there are no WAR, UAR and recalls",
    "clip": "",
    "agreement": "",
    "comparison": "so nothing tells which model is better",
    "embedding": "",
    "splits": "",
    "confidence": "so nothing tells whether a model is sure of the right class",
    "disentanglement": "so the scorecard cannot ask where the emotion is held",
    "benchmark": "",
    "upload": "",
}
"""Each page, and what it says of labels."""


@pytest.fixture(autouse=True)
def on_unlabelled_clips(unlabelled: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IFDD_WORKSPACE", str(unlabelled.folder))


def text(app: AppTest) -> str:
    assert not app.exception, app.exception
    return " ".join(item.value for kind in (app.error, app.info, app.markdown, app.caption) for item in kind).replace("\\", "")


@pytest.mark.parametrize("page", SAID)
def test_page_shows_what_it_can_and_says_what_it_cannot(start: Start, tiny_demo: TinyDemo, page: str) -> None:
    app = start(tiny_demo, page)
    told = text(app)
    assert not app.error
    assert app.title
    assert ("These clips have no labels" in told) == bool(SAID[page])
    if SAID[page]:
        assert SAID[page] in told
        assert "name the class of each in a column label of" in told


def test_overview_counts_what_is_said(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo)
    assert not app.metric
    said = app.dataframe[0].value
    assert said[list(MODELS)].sum().tolist() == [6, 6]
    assert len(said) == 7


def test_agreement_is_that_of_the_collections(start: Start, tiny_demo: TinyDemo, unlabelled: Workspace) -> None:
    app = start(tiny_demo, "agreement")
    pairs = app.dataframe[0].value
    assert pairs["models"].tolist() == ["tiny-baseline, tiny-ifdd"]
    assert "over 6 clips, taken as independent" in text(app)
    first, second = (open_collection(unlabelled.collection_folder("plain", name)) for name in sorted(MODELS))
    ids = first.predictions["clip_id"][first.probs.argmax(1) != second.probs.argmax(1)].tolist()
    assert pairs["differ"].tolist() == [len(ids)]
    figure = json.loads(app.get("plotly_chart")[0].proto.spec)
    assert len(figure["data"][0]["x"]) == 7


def test_splits_are_by_prediction(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo, "splits")
    assert len(app.get("plotly_chart")) == 2
    assert json.loads(app.get("plotly_chart")[1].proto.spec)["layout"]["yaxis"]["title"]["text"] == "predicted class (clips)"


def test_clip_has_maps_and_predictions_but_no_true_class(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo, "clip")
    assert "the true class" not in [*app.selectbox("clip_for").options]
    assert len(app.get("bidi_component")) == 1
    app = start(tiny_demo, "clip", clip_tab="Classes")
    (bars,) = app.get("plotly_chart")
    assert "(true)" not in bars.proto.spec


def test_embedding_is_coloured_by_what_the_model_says(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo, "embedding")
    options = app.selectbox("embedding_colour").options
    assert options[0].startswith("what ")
    assert options[0].endswith(" says")
    assert "class" not in options
    data = json.loads(app.get("bidi_component")[0].proto.json)
    assert sum(entry["count"] for entry in data["groups"]["entries"]) == len(data["ids"]) == 6
    assert "no labels" in data["panels"][0]["stages"][0]["note"]


def test_what_was_chosen_of_labelled_clips_does_not_stand_in_the_way(
    start: Start, tiny_demo: TinyDemo, unlabelled: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Evidence for the true class, colours by label: then a dataset is chosen that has neither."""
    both = {"labelled": tiny_demo.demo / "datasets" / "demo", "plain": unlabelled.dataset("plain").manifest}
    made = init_workspace(tmp_path / "both", both, [tiny_demo.checkpoints / name for name in MODELS])
    shutil.copytree(tiny_demo.demo / "collections" / "demo", made.folder / "collections" / "labelled")
    shutil.copytree(unlabelled.folder / "collections" / "plain", made.folder / "collections" / "plain")
    monkeypatch.setenv("IFDD_WORKSPACE", str(made.folder))
    app = start(tiny_demo, "clip")
    app = app.selectbox("clip_for").set_value("the true class").run()
    assert "true class" in " ".join(item.proto.body for item in app.get("html"))
    app = app.selectbox("dataset").set_value("plain").run()
    assert not app.error
    assert not app.exception
    assert app.title[0].value in unlabelled.dataset("plain").clips.index
    assert app.selectbox("clip_for").value == "the predicted class"
    app = switch(app, "embedding").run()
    assert app.selectbox("embedding_colour").value.startswith("said ")
    app = app.selectbox("dataset").set_value("labelled").run()
    assert "label_name" in [*app.selectbox("embedding_colour").options, "label_name"]
    assert not app.error


def test_labels_alone_are_enough_for_every_page(
    start: Start, tiny_demo: TinyDemo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without persons intervals are over clips, which each page says; without truth what needs it is left out, by name."""
    made = make_bare(tmp_path, tiny_demo, CLIPS, labels=True)
    monkeypatch.setenv("IFDD_WORKSPACE", str(made.folder))
    over = {
        "overview": f"95 % intervals over {CLIPS} clips, taken as independent",
        "agreement": f"95 % intervals over {CLIPS} clips, taken as independent",
        "comparison": "the intervals take clips as independent",
        "confidence": f"over {CLIPS} clips, taken as independent; a perfectly calibrated model would have",
        "clip": "",
        "embedding": "",
        "splits": "",
        "disentanglement": "the manifest names no truth; it is known for scripted clips alone",
    }
    app = start(tiny_demo)
    for page, words in over.items():
        if page == "disentanglement":  # of one model: what is left out is the same of each
            app = finished(start(tiny_demo, page, models="tiny-baseline"), "Measure")
        elif page != "overview":
            app = switch(app, page).run()
        told = text(app)
        assert not app.error, page
        assert "have no labels" not in told
        assert words.lower() in told.lower(), page

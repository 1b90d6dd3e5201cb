"""Overview, Compare, Confidence and Agreement: their parts, figures of selected clips, models of other classes."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from ifdd.data.manifest import read_manifest
from ifdd.labels import EMOTIONS
from tests.app.conftest import switch
from tests.app.waiting import jobs
from tests.tiny_demo import CLIPS, TinyDemo
from workbench.store.collection import open_collection
from workbench.store.foreign.task import Options, import_predictions

Start = Callable[..., AppTest]


def healthy(app: AppTest) -> AppTest:
    assert not app.exception, app.exception
    assert not app.error, app.error[0].value
    return app


def told(app: AppTest) -> str:
    return " ".join(item.value for kind in (app.caption, app.info, app.error) for item in kind).replace("\\", "")


def test_figures_are_of_the_filtered_clips_and_say_so(start: Start, tiny_demo: TinyDemo) -> None:
    table = open_collection(tiny_demo.demo / "collections" / "demo" / "tiny-ifdd").predictions
    background, n = next(iter(table["background"].value_counts().items()))
    app = healthy(start(tiny_demo, sel=f"background={background}"))
    assert app.dataframe[0].value["clips"].tolist() == [n, n]
    assert f"Figures are of {n} of {CLIPS} clips: background is {background}" in told(app)
    (scope,) = (item for item in app.segmented_control if item.label == "Measured on")
    assert scope.options == [f"Filtered ({n})", f"All ({CLIPS})"]
    app = healthy(scope.set_value("all").run())
    assert app.dataframe[0].value["clips"].tolist() == [CLIPS, CLIPS]


def test_what_a_model_says_narrows_figures_only_if_asked(start: Start, tiny_demo: TinyDemo) -> None:
    app = healthy(start(tiny_demo, sel="right tiny-ifdd=False"))
    assert app.dataframe[0].value["clips"].tolist() == [CLIPS, CLIPS]
    (scope,) = (item for item in app.segmented_control if item.label == "Measured on")
    app = healthy(scope.set_value("selected").run())
    rows = app.dataframe[0].value.set_index("model")
    assert rows.loc["tiny-ifdd", "wrong"] == rows.loc["tiny-ifdd", "clips"] < CLIPS


def test_parts_of_compare(start: Start, tiny_demo: TinyDemo) -> None:
    app = healthy(start(tiny_demo, "comparison"))
    assert app.dataframe[0].value["difference"].tolist() == ["tiny-ifdd − tiny-baseline"]
    for part, charts in (("Recalls", 2), ("Confusion", 1), ("Slices", 1)):
        app = healthy(app.segmented_control("compare_part").set_value(part).run())
        assert len(app.get("plotly_chart")) == charts, part
    app = app.segmented_control("compare_part").set_value("Bad slices").run()
    assert not app.exception
    assert "no slice has 20 clips of 14 inside and outside" in told(app)


@pytest.mark.slow
def test_a_long_search_runs_beside_the_page(start: Start, tiny_demo: TinyDemo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.app.comparing.LONG", 0)
    app = healthy(start(tiny_demo, "comparison", compare_part="Bad slices"))
    assert not app.get("plotly_chart")
    next(item for item in app.button if item.label == "Search slices").click().run()
    while not jobs().all()[0].is_over:
        time.sleep(0.2)
    app = app.run()
    assert not app.exception
    (job,) = (job for job in jobs().all() if job.title == "Search slices")
    assert "--slices" in job.argv
    assert "holds no search for bad slices" in told(app)  # of 14 clips none has 20


def test_parts_of_confidence(start: Start, tiny_demo: TinyDemo) -> None:
    app = healthy(start(tiny_demo, "confidence"))
    for part, charts in (("Probabilities", 1), ("Votes", 0), ("Surest mistakes", 0)):
        app = healthy(app.segmented_control("confidence_part").set_value(part).run())
        assert len(app.get("plotly_chart")) == charts, part
    assert "clips that tiny-baseline has wrong, the surest first" in told(app)
    app = app.segmented_control("confidence_part").set_value("Temperature").run()
    assert not app.exception
    assert len(app.get("plotly_chart")) == 1 or "no temperature helps" in told(app)


def test_a_model_of_other_classes_is_a_note(start: Start, tiny_demo: TinyDemo, tmp_path: Path) -> None:
    copy = tiny_demo.copy_to(tmp_path)
    manifest = copy.demo / "datasets" / "demo"
    clips = read_manifest(manifest)
    names = [f"p_{name}" for name in (*EMOTIONS, "contempt")]
    probs = np.random.default_rng(0).dirichlet(np.ones(8), len(clips))
    pd.DataFrame(probs, columns=names).assign(clip_id=clips["clip_id"]).to_csv(tmp_path / "eight.csv", index=False)
    import_predictions(tmp_path / "eight.csv", manifest, "eight", copy.demo / "collections" / "demo" / "eight", Options())
    app = healthy(start(copy))
    assert app.dataframe[0].value["model"].tolist() == ["tiny-baseline", "tiny-ifdd", "eight"]
    (line,) = (item.value for item in app.code if item.value.startswith("workbench score"))
    assert line.startswith("workbench score tiny-baseline tiny-ifdd --dataset"), "the command refuses models of other classes"
    for page in ("overview", "comparison", "agreement", "confidence"):
        app = healthy(app if page == "overview" else switch(app, page).run())
        if page != "confidence":
            assert "Of other classes than tiny-baseline and not shown beside it: eight (" in told(app), page

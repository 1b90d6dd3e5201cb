"""The page Disentanglement: a headline for each question, what lies behind it, and charts that can be read."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.waiting import finished
from tests.tiny_demo import MODELS, TinyDemo

Start = Callable[..., AppTest]


def healthy(app: AppTest) -> AppTest:
    assert not app.exception
    assert not app.error, [item.value for item in app.error]
    return app


def test_parts_of_the_scorecard(start: Start, tiny_demo: TinyDemo) -> None:
    app = healthy(finished(start(tiny_demo, "disentanglement"), "Measure"))
    heads = app.dataframe[0].value
    assert {"WAR (always one class)", "gap (1: each branch holds its own alone)", "AUROC, intensity: D"} <= set(heads["measure"])
    assert set(MODELS) < set(heads.columns)
    groups = [item.label for item in app.expander]
    assert groups[2].startswith("Are the frames of the emotion read? · 3")
    assert len(app.dataframe) == 1 + len(groups)
    assert any("workbench scorecard tiny-baseline tiny-ifdd --dataset" in item.value for item in app.code)

    app = healthy(app.segmented_control("disentanglement_part").set_value("What features know").run())
    (figure,) = [json.loads(item.proto.spec) for item in app.get("plotly_chart")]
    maps = [trace for trace in figure["data"] if trace["type"] == "heatmap"]
    assert [len(trace["y"]) for trace in maps][1::2] == [2, 2]  # the controls of both models, in grey
    assert all(len(line) == len(trace["x"]) for trace in maps for line in trace["text"])

    app = healthy(app.segmented_control("disentanglement_part").set_value("Frames read").run())
    (figure,) = [json.loads(item.proto.spec) for item in app.get("plotly_chart")]
    assert figure["layout"]["yaxis"]["ticktext"][:3] == ["tiny-ifdd D", "tiny-ifdd S", "tiny-ifdd D − S"]

    app = healthy(app.segmented_control("disentanglement_part").set_value("Where maps lie").run())
    assert any("The maps of tiny-ifdd were not tested" in item.value.replace("\\", "") for item in app.caption)


def test_models_in_view_are_measured(start: Start, tiny_demo: TinyDemo) -> None:
    app = healthy(finished(start(tiny_demo, "disentanglement", models="tiny-baseline"), "Measure"))
    heads = app.dataframe[0].value
    assert list(heads.columns) == ["question", "measure", "tiny-baseline"]
    assert not any("AUROC" in measure for measure in heads["measure"])  # no split, no frames that are read


def test_what_another_version_of_the_code_measured_is_shown_and_marked(
    start: Start, tiny_demo: TinyDemo, monkeypatch: pytest.MonkeyPatch
) -> None:
    healthy(finished(start(tiny_demo, "disentanglement", models="tiny-baseline"), "Measure"))
    monkeypatch.setattr("workbench.app.jobs.store.code", lambda: "code that came after")
    app = healthy(start(tiny_demo, "disentanglement", models="tiny-baseline"))
    told = " ".join(item.value.replace("\\", "") for item in app.markdown)
    assert "Measure the disentanglement of tiny-baseline: made on" in told
    assert "by another version of the code; run it again" in told
    assert "has not been measured" not in told
    assert list(app.dataframe[0].value.columns) == ["question", "measure", "tiny-baseline"]
    assert [item.label for item in app.button if item.label == "Measure"]


def test_what_cannot_be_shown_is_not_offered(start: Start, tiny_demo: TinyDemo, tmp_path: Path) -> None:
    """A folder's name may hold bytes that are no text, at which Streamlit stops; a folder may be called as a file."""
    copy = tiny_demo.copy_to(tmp_path)
    shipped = Path(__file__).resolve().parents[2] / "checkpoints" / "benchmark.json"
    for name in ("*a* $b$", "é", "caf\udce9"):
        (copy.demo / "results" / name).mkdir(parents=True)
        shutil.copy(shipped, copy.demo / "results" / name)
    os.utime(copy.demo / "results" / "é" / "benchmark.json", (0, 0))
    (copy.demo / "results" / "folder" / "benchmark.json").mkdir(parents=True)
    app = healthy(start(copy, "disentanglement", disentanglement_part="Robustness"))
    (choice,) = [box for box in app.selectbox if box.label == "Measured"]
    assert choice.options == ["results/*a* $b$/benchmark.json", "results/é/benchmark.json"]
    healthy(choice.select("results/é/benchmark.json").run())

"""The page Attribution: regions of maps, tests of maps, and edits, over many clips; what was measured is that of the commands."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from ifdd.checkpoints import load_checkpoint
from tests.app.waiting import finished
from tests.tiny_demo import TinyDemo
from workbench.analysis.counterfactuals.task import Options
from workbench.analysis.counterfactuals.task import run as run_edits
from workbench.analysis.saliency.requests import Request
from workbench.analysis.saliency.shown import from_manifest
from workbench.analysis.saliency.task import run as run_maps

Start = Callable[..., AppTest]
MODEL = "tiny-ifdd"


def figures(app: AppTest) -> list[dict[str, Any]]:
    assert not app.exception
    assert not app.error, [item.value for item in app.error]
    return [json.loads(item.proto.spec) for item in app.get("plotly_chart")]


def manifest(demo: TinyDemo) -> Path:
    return demo.demo / "datasets" / "demo" / "clips.parquet"


def test_regions_are_those_of_the_command(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo, "saliency", models=MODEL, saliency_method="HiResCAM", saliency_count="3")
    (figure,) = figures(finished(app, "Measure the regions"))
    bundle = load_checkpoint(tiny_demo.checkpoints / MODEL)
    rows, clips = from_manifest(bundle, manifest(tiny_demo), 3)
    budgets = run_maps(bundle, clips, Request("hirescam"), rows=rows).regions
    shown = {trace["name"]: trace for trace in figure["data"] if trace["type"] == "bar"}
    assert set(shown) == {f"{MODEL} {branch}" for branch in budgets}
    for branch, budget in budgets.items():
        assert shown[f"{MODEL} {branch}"]["x"] == pytest.approx([row.ratio.value for row in budget.regions], rel=1e-4)


def test_tests_of_maps(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(
        tiny_demo,
        "saliency",
        models="tiny-baseline",
        saliency_part="Are maps true?",
        saliency_methods="Grad-CAM",
        saliency_count="2",
    )
    app = finished(app, "Test the maps")
    assert len(figures(app)) == 2
    table = app.dataframe[0].value
    assert set(table["method"]) == {"Grad-CAM"}
    assert set(table["passes"]) <= {"✓", "✗"}
    (told,) = [note.value for note in app.caption if "wear no badge of these tests yet" in note.value]
    assert str(tiny_demo.checkpoints / "tiny-baseline") in told.replace("\\", "")


def test_edits_are_those_of_the_command_and_lead_to_their_clips(start: Start, tiny_demo: TinyDemo) -> None:
    asked = {"saliency_part": "What if", "saliency_edits": "freeze", "saliency_count": "3"}
    app = finished(start(tiny_demo, "saliency", models=MODEL, **asked), "Edit the clips")
    bundle = load_checkpoint(tiny_demo.checkpoints / MODEL)
    found = run_edits(bundle, manifest(tiny_demo), Options(edits=["freeze"], clips=3)).counterfactuals
    table: pd.DataFrame = app.dataframe[0].value
    freeze = table[table["edit"] == "freeze"].iloc[0]
    assert freeze["change"] == found.edits[0].mean.change.text()
    (figure,) = figures(app)
    assert sorted(figure["data"][0]["customdata"]) == sorted(f"clip_id={clip}" for clip in found.clip_ids)
    app = app.button("saliency_select").click().run()
    assert app.query_params["sel"] == f"clip_id={'|'.join(sorted(found.clip_ids))}"


def test_selected_clips_alone(start: Start, tiny_demo: TinyDemo) -> None:
    asked = {"saliency_part": "What if", "saliency_edits": "reverse", "saliency_clips": "selected"}
    app = start(tiny_demo, "saliency", models=MODEL, sel="clip_id=tiny-test-00004", **asked)
    app = finished(app, "Edit the clips")
    (figure,) = figures(app)
    assert figure["data"][0]["text"] == ["tiny-test-00004"]
    assert figure["data"][0]["customdata"] == ["tiny-test-00004"]  # no link: the click would ask for another job
    assert any("--clip tiny-test-00004" in item.value for item in app.code)


def test_what_no_model_can_take(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo, "saliency", models="tiny-baseline", saliency_part="What if")
    assert app.multiselect("saliency_edits").options == ["freeze", "reverse", "shuffle", "drop", "replace"]
    app = app.multiselect("saliency_edits").set_value([]).run()
    assert "no edit is chosen" in app.error[0].value

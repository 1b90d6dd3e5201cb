"""The page Splits: where the groups read, one clip, the controls, and what the places follow."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from ifdd import load_checkpoint
from tests.tiny_demo import CLIPS, TinyDemo
from workbench.analysis.splits.task import places_in, split_of_clip
from workbench.store.collection import open_collection

Start = Callable[..., AppTest]


def figures(app: AppTest) -> list[dict[str, Any]]:
    assert not app.exception
    assert not app.error, [item.value for item in app.error]
    return [json.loads(item.proto.spec) for item in app.get("plotly_chart")]


def test_cells_of_occupancy_select_their_class(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo, "splits")
    steps, occupancy = figures(app)
    assert [len(trace["x"]) for trace in steps["data"]] == [4, 4, 4, 4]
    heat = [trace for trace in occupancy["data"] if trace["type"] == "heatmap"]
    assert [len(trace["y"]) for trace in heat] == [8, 8]  # seven classes, and where no step moves
    assert heat[0]["y"][-1] == "offsets at zero"
    links = {text for trace in occupancy["data"] if trace["type"] == "scatter" for text in trace["customdata"]}
    assert "label_name=happy" in links
    assert len(links) == 7
    assert any("tiny-baseline splits nothing" in item.value.replace("\\", "") for item in app.caption)


def test_places_say_that_they_are_of_all_clips(start: Start, tiny_demo: TinyDemo) -> None:
    told = "Figures are of all clips; One clip shows the first"
    assert not any(told in item.value for item in start(tiny_demo, "splits").caption)
    assert any(told in item.value for item in start(tiny_demo, "splits", sel="label_name=happy").caption)


def test_one_clip_is_the_first_of_the_selection(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo, "splits", splits_part="One clip", sel="clip_id=tiny-test-00005|tiny-test-00009")
    assert len(figures(app)) == 2
    assert not any("of all clips" in item.value for item in app.caption)
    assert any("Clip tiny-test-00005, the first of the selection" in item.value.replace("\\", "") for item in app.caption)


def test_controls_stand_beside_the_groups(start: Start, tiny_demo: TinyDemo) -> None:
    (figure,) = figures(start(tiny_demo, "splits", splits_part="Against controls"))
    names = figure["layout"]["yaxis"]["ticktext"]
    assert names[:3] == ["tiny-ifdd D", "tiny-ifdd S", "tiny-ifdd D − S"]
    assert {"even-odd", "uniform", "largest difference", "oracle"} <= set(names)


def test_what_the_places_follow_has_its_nulls(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo, "splits", splits_part="What they follow")
    (figure,) = figures(app)
    assert [trace["name"] for trace in figure["data"]] == ["tiny-ifdd: what nothing would give", "tiny-ifdd"]
    assert len(figure["layout"]["yaxis"]["ticktext"]) == len(figure["data"][1]["x"])
    assert any("workbench splits tiny-ifdd --clips" in item.value for item in app.code)


def test_without_a_model_that_splits(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo, "splits", models="tiny-baseline")
    assert "none of the chosen models splits" in app.error[0].value


def test_a_model_that_splits_and_has_not_read_the_clips_is_not_taken_for_one_that_does_not(
    start: Start, tiny_demo: TinyDemo, tmp_path: Path
) -> None:
    copy = tiny_demo.copy_to(tmp_path)
    shutil.rmtree(copy.demo / "collections" / "demo" / "tiny-ifdd")
    app = start(copy, "splits")
    assert not app.error
    assert any(item.label == "Read the clips" for item in app.button)


def test_places_of_a_collection_are_those_of_its_network(tiny_demo: TinyDemo) -> None:
    bundle = load_checkpoint(tiny_demo.checkpoints / "tiny-ifdd")
    one = split_of_clip(bundle, tiny_demo.demo / "datasets" / "demo", "tiny-test-00003")
    found = places_in(open_collection(tiny_demo.demo / "collections" / "demo" / "tiny-ifdd"), one)
    assert found.clips == CLIPS == found.occupancy.counts.sum()
    assert found.still_S == pytest.approx([1, 0] * 4)
    assert found.still_D == pytest.approx([0, 1] * 4)
    np.testing.assert_allclose(found.occupancy.dynamic.sum(1), 4, atol=1e-5)  # four steps, each of one frame's weight

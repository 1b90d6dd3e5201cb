"""Every point that can be clicked, on every page, leads to clips; and every page says how many of them there are."""

import json
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from ifdd import load_checkpoint
from tests.tiny_demo import MODELS, TinyDemo
from workbench.app.clip_table import clip_table
from workbench.app.selection import KeptClips, Selection
from workbench.store.workspace import Workspace

Start = Callable[..., AppTest]
LINKED = ["overview", "comparison", "confidence", "agreement"]
"""Pages whose charts are plotly's and lead to clips; the map of Embedding is a component of its own."""


def points(app: AppTest) -> list[str]:
    """Selections that the points of all charts carry which can be clicked."""
    found: list[str] = []
    for chart in app.get("plotly_chart"):
        if not chart.proto.selection_mode:
            continue
        for trace in json.loads(chart.proto.spec)["data"]:
            found += [str(item[0] if isinstance(item, list) else item) for item in trace.get("customdata") or ()]
    return found


@pytest.mark.parametrize("page", LINKED)
def test_points_lead_to_clips(start: Start, tiny_demo: TinyDemo, page: str) -> None:
    dataset = Workspace(tiny_demo.demo).dataset("demo")
    collections = {name: dataset.collection(load_checkpoint(tiny_demo.checkpoints / name)) for name in MODELS}
    table, kept = clip_table(dataset.clips, collections), KeptClips(tiny_demo.demo / "results" / "selections")
    app = start(tiny_demo, page)
    assert not app.exception
    texts = [text for text in points(app) if text]
    assert texts, "no point leads anywhere"
    for text in dict.fromkeys(texts):
        selection = Selection.parse([text])
        assert selection, text
        assert selection.mask(table, kept).any() or "<>" in text, text  # two models may differ on no clip

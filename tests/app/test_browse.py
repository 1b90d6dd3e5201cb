"""The page Browse, and what the server tells beside it: rows and pictures."""

import asyncio
import importlib
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from streamlit.testing.v1 import AppTest

from tests.app.conftest import APP
from tests.tiny_demo import CLIPS, TinyDemo

Start = Callable[..., AppTest]
CLIP = "tiny-test-00003"


@pytest.fixture
def routes() -> ModuleType:
    if str(APP.parent) not in sys.path:
        sys.path.insert(0, str(APP.parent))
    return importlib.import_module("_routes")


def ask(endpoint: Callable[[Request], Awaitable[Response]], query: str = "", tag: str = "", **path: str) -> Response:
    scope = {"type": "http", "query_string": query.encode(), "path_params": path, "headers": [(b"if-none-match", tag.encode())]}
    return asyncio.run(endpoint(Request(scope)))  # type: ignore[arg-type]


def gallery(app: AppTest) -> dict[str, Any]:
    """What the gallery of a page was given."""
    assert not app.exception, app.exception
    assert not app.error, [item.value for item in app.error]
    (found,) = [item for item in app.get("bidi_component") if '"rows"' in item.proto.json]
    return json.loads(found.proto.json)


def told(routes: ModuleType, data: dict[str, Any], first: int = 0, count: int = 100) -> list[dict[str, Any]]:
    answer = ask(routes.rows, f"first={first}&count={count}", name=data["rows"])
    assert answer.status_code == 200
    rows: list[dict[str, Any]] = json.loads(bytes(answer.body))
    return rows


def test_all_clips_are_told_piece_by_piece(start: Start, tiny_demo: TinyDemo, routes: ModuleType) -> None:
    data = gallery(start(tiny_demo, "browse"))
    assert data["total"] == CLIPS
    rows = [*told(routes, data, 0, 10), *told(routes, data, 10, 10)]
    assert [row["id"] for row in rows] == [f"tiny-test-{i:05d}" for i in range(CLIPS)]
    assert len(rows[0]["said"]) == 2
    assert rows[0]["label"] == "happy"
    assert ask(routes.rows, "first=0", name=data["rows"]).status_code == 400
    assert ask(routes.rows, "first=0&count=1", name="0" * 32).status_code == 404


def test_sorted_by_loss_as_a_table(start: Start, tiny_demo: TinyDemo, routes: ModuleType) -> None:
    app = start(tiny_demo, "browse", browse_as="table", browse_sort="loss tiny-ifdd", browse_down="true")
    data = gallery(app)
    assert data["sort"] == ["loss tiny-ifdd", True]
    place = data["columns"].index("loss tiny-ifdd")
    losses = [float(row["cells"][place]) for row in told(routes, data)]
    assert losses == sorted(losses, reverse=True)
    assert [column for _, column in data["heads"][2 : 2 + len(data["columns"])]] == data["columns"]


def test_the_selection_is_shown_and_kept_as_a_slice(
    start: Start, tiny_demo: TinyDemo, routes: ModuleType, tmp_path: Path
) -> None:
    here = tiny_demo.copy_to(tmp_path)
    app = start(here, "browse", sel="label_name=sad")
    assert {row["label"] for row in told(routes, gallery(app))} == {"sad"}
    app.text_input(key="slices_name").set_value("all the sad").run()
    next(item for item in app.button if item.label == "Save the selection").click().run()
    assert json.loads((here.demo / "results/slices.json").read_text())["slices"] == {"demo": {"all the sad": ["label_name=sad"]}}
    other = start(here, "browse")
    assert gallery(other)["total"] == CLIPS
    other.button(key="slices_show").click().run()
    assert gallery(other)["total"] == 2
    assert other.query_params["sel"] == "label_name=sad"
    other.text_input(key="slices_new").set_value("sad ones").run()
    other.button(key="slices_rename").click().run()
    assert other.selectbox(key="slices_chosen").options == ["sad ones"]
    other.button(key="slices_delete").click().run()
    assert gallery(other)["total"] == 2
    assert not [item for item in other.selectbox if item.key == "slices_chosen"]


def test_clips_are_found_by_name(start: Start, tiny_demo: TinyDemo) -> None:
    app = start(tiny_demo, "browse")
    app.text_input(key="browse_find").set_value("0000").run()
    assert gallery(app)["total"] == 10
    app.text_input(key="browse_find").set_value("nothing").run()
    assert ["no clip has 'nothing' in its name" in item.value.replace("\\", "") for item in app.error] == [True]


def test_an_unknown_column_in_the_address_is_left_out(start: Start, tiny_demo: TinyDemo) -> None:
    assert gallery(start(tiny_demo, "browse", browse_sort="nothing"))["sort"] is None


def test_pictures_of_clips(start: Start, tiny_demo: TinyDemo, routes: ModuleType, tmp_path: Path) -> None:
    here = tiny_demo.copy_to(tmp_path)
    start(here, "browse")
    routes._thumbnails.cache_clear()
    answer = ask(routes.thumbnail, dataset="demo", clip=CLIP)
    assert (answer.status_code, answer.media_type) == (200, "image/webp")
    assert bytes(answer.body)[8:12] == b"WEBP"
    assert ask(routes.thumbnail, dataset="demo", clip=CLIP, tag=answer.headers["etag"]).status_code == 304
    for dataset, clip in (("demo", "nothing"), ("nothing", CLIP), ("..", CLIP), ("demo", f"../{CLIP}")):
        assert ask(routes.thumbnail, dataset=dataset, clip=clip).status_code == 404
    (here.demo / f"datasets/demo/clips/{CLIP}").rename(tmp_path / "gone")
    gone = ask(routes.thumbnail, dataset="demo", clip=CLIP)
    assert (gone.status_code, gone.media_type, gone.headers["cache-control"]) == (200, "image/svg+xml", "no-store")

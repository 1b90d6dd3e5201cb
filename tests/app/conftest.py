from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from tests.tiny_demo import TinyDemo, make_bare, tiny_demo_in
from workbench.app import background
from workbench.store.workspace import Workspace

APP = Path(__file__).resolve().parents[2] / "pages" / "app.py"


def switch(app: AppTest, page: str) -> AppTest:
    """Choose a page by its address: some have a file of their own, the others are made of a section."""
    if (APP.parent / f"{page}.py").is_file():
        return app.switch_page(f"{page}.py")
    app._page_hash = calc_hash(page)  # as `switch_page` does it, which knows files alone
    return app


@pytest.fixture(scope="session")
def tiny_demo(tmp_path_factory: pytest.TempPathFactory) -> TinyDemo:
    return tiny_demo_in(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def unlabelled(tiny_demo: TinyDemo, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return make_bare(tmp_path_factory.mktemp("unlabelled"), tiny_demo)


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[TinyDemo], None]:
    """Make the app read these folders."""

    def point(at: TinyDemo) -> None:
        monkeypatch.setenv("IFDD_DEMO", str(at.demo))
        monkeypatch.setenv("IFDD_CHECKPOINTS", str(at.checkpoints))

    return point


@pytest.fixture
def start(use: Callable[[TinyDemo], None], monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Open a page of the app on these folders; it waits for its maps, as nobody looks again who would see them come."""
    monkeypatch.setattr(background, "PATIENCE", 120.0)

    def run(at: TinyDemo, page: str = "overview", **query: str | list[str]) -> AppTest:
        use(at)
        app = AppTest.from_file(APP, default_timeout=120)
        app.query_params.update(query)
        app.run()
        return app if page == "overview" else switch(app, page).run()

    st.cache_resource.clear()
    return run

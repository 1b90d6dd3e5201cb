"""Offers of long work on the pages, and the list of jobs."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import switch
from tests.app.waiting import finished, jobs
from tests.tiny_demo import TinyDemo

Start = Callable[..., AppTest]


@pytest.fixture
def unread(tiny_demo: TinyDemo, tmp_path: Path) -> TinyDemo:
    """A demo of which one model has not read the clips."""
    shutil.copytree(tiny_demo.demo, tmp_path / "demo", ignore=shutil.ignore_patterns("tiny-baseline", "jobs"))
    return TinyDemo(tmp_path / "demo", tiny_demo.checkpoints)


def texts(app: AppTest) -> str:
    assert not app.exception, app.exception
    parts = [*app.markdown, *app.caption, *app.error, *app.info, *app.warning, *app.code]
    return " ".join(item.value for item in parts).replace("\\", "")


def test_clips_are_read_by_a_job_that_is_listed_and_removed(
    start: Start, unread: TinyDemo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where a folder lies that is called as the dataset is
    app = start(unread)
    assert "14 clips have not been read with tiny-baseline yet" in texts(app)
    app = finished(app, "Read the clips")
    assert "have not been read" not in texts(app)
    assert (unread.demo / "collections" / "demo" / "tiny-baseline" / "manifest.json").is_file()

    app = switch(app, "jobs").run()
    assert "**Read demo with tiny-baseline**" in texts(app)
    assert "workbench collect tiny-baseline --dataset demo --workspace" in texts(app)
    shutil.rmtree(unread.demo / "collections" / "demo" / "tiny-baseline")
    app = app.run()
    assert "(not there)" in texts(app)
    app = switch(app, "overview").run()  # a collection that somebody deleted is offered again
    assert "have not been read with tiny-baseline" in texts(app)
    app = switch(app, "jobs").run()
    next(item for item in app.button if item.label == "Remove").click().run()
    assert "Nothing was started yet" in texts(app)
    assert jobs().all() == []


def test_a_job_that_fails_says_why_where_it_was_wanted(start: Start, unread: TinyDemo, tmp_path: Path) -> None:
    app = start(unread)
    clip = next(file.parent for file in sorted((unread.demo / "datasets").rglob("*.png")))
    shutil.move(clip, tmp_path / "clip")
    next(item for item in app.button if item.label == "Read the clips").click().run()
    while not jobs().all()[0].is_over:
        time.sleep(0.2)
    app = app.run()
    assert "Read demo with tiny-baseline failed" in texts(app)
    assert clip.name in texts(app)
    shutil.move(tmp_path / "clip", clip)
    assert "failed" not in texts(finished(app, "Read the clips"))


def test_where_nothing_can_be_written_the_page_says_so_and_goes_on(
    start: Start, unread: TinyDemo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_, **__: False)  # for root, who runs the tests, every folder can be written
    app = start(unread)
    assert "no job can run there" in texts(app)
    assert not [item for item in app.button if item.label == "Read the clips"]
    assert app.dataframe or app.get("plotly_chart")  # what the other model said

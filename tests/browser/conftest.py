"""What browser tests share: Chromium, the app with a small demo, a window that tolerates no errors."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks.serving import FLAGS, serving
from tests.conftest import skip_or_fail
from tests.tiny_demo import TinyDemo, tiny_demo_in

CHROMIUM = shutil.which("chromium")
PATIENCE = 120_000  # ms


@pytest.fixture(scope="session")
def tiny_demo(tmp_path_factory: pytest.TempPathFactory) -> TinyDemo:
    return tiny_demo_in(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        skip_or_fail("chromium is not installed")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        expect.set_options(timeout=PATIENCE)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def address(tiny_demo: TinyDemo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app on a free port, with the small demo; what it prints must be quiet."""
    log = tmp_path_factory.mktemp("app") / "app.log"
    with serving(settings_of(tiny_demo) | {"PYTHONWARNINGS": "default"}, log) as served:
        yield served.address
    said = log.read_text()
    assert "Traceback" not in said
    assert "Deprecat" not in said
    assert "deprecat" not in said


def settings_of(tiny: TinyDemo) -> dict[str, str]:
    """Variables of the environment by which the app shows a small demo."""
    return {"IFDD_DEMO": str(tiny.demo), "IFDD_CHECKPOINTS": str(tiny.checkpoints)}


@pytest.fixture(params=["light"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A fresh window; anything that the page asks of another machine, any error that its console shows, and any answer that is
    none, fails the test."""
    window = browser.new_page(viewport={"width": 1440, "height": 1000}, color_scheme=request.param)
    window.set_default_timeout(PATIENCE)
    strangers, errors, refused = [], [], []
    window.on(
        "request",
        lambda asked: None if re.match(r"(https?|wss?)://127\.0\.0\.1|data:|blob:", asked.url) else strangers.append(asked.url),
    )
    window.on("pageerror", lambda error: errors.append(str(error)))
    window.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    window.on("response", lambda answer: refused.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None)
    yield window
    window.close()
    assert not strangers
    assert not errors
    assert not refused


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of the pages go: $IFDD_SCREENSHOTS, else a temporary folder."""
    folder = Path(os.environ.get("IFDD_SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder

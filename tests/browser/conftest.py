"""What browser tests share: Chromium, the app with a small demo, a window that tolerates no errors."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import skip_or_fail
from tests.tiny_demo import TinyDemo, tiny_demo_in

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
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
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def address(tiny_demo: TinyDemo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app on a free port, with the small demo; what it prints must be quiet."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("app") / "app.log"
    environment = os.environ | {
        "IFDD_DEMO": str(tiny_demo.demo),
        "IFDD_CHECKPOINTS": str(tiny_demo.checkpoints),
        "PYTHONWARNINGS": "default",
    }
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        "pages/server.py",
        "--server.port",
        str(port),
        "--server.headless",
        "true",
    ]
    with log.open("wb") as output:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)
    said = log.read_text()
    assert "Traceback" not in said
    assert "Deprecat" not in said
    assert "deprecat" not in said


def wait_until_healthy(url: str, server: subprocess.Popen) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    pytest.fail("the app did not start")


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

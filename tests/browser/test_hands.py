"""Hands: the keyboard alone, and a finger on a tablet."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE
from tests.browser.using import no_errors, settle, visit

pytestmark = pytest.mark.browser
FOCUSED = """async () => {
    let e = document.activeElement;
    while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
    if (!e || e === document.body || e.matches('[data-testid="stMain"]')) return null; // the page itself, which scrolls
    const looks = () => { // a select draws its ring around itself
      const all = [];
      for (let one = e, up = 0; one && up < 7; one = one.parentElement, up++) {
        const { outlineStyle, outlineWidth, boxShadow, borderTopColor } = getComputedStyle(one);
        all.push(outlineStyle, outlineWidth, boxShadow, borderTopColor);
      }
      return all.join();
    };
    const pause = () => new Promise((done) => setTimeout(done, 250)); // rings fade in
    const name = String(e.getAttribute("aria-label") || e.innerText || e.title || e.className).trim().slice(0, 60);
    const { outlineStyle, outlineWidth } = getComputedStyle(e);
    let ring = outlineStyle !== "none" && parseFloat(outlineWidth) > 0;
    if (!ring) {
      await pause();
      const focused = looks();
      e.blur();
      await pause();
      ring = looks() !== focused;
      e.focus({ preventScroll: true });
    }
    return { name, slider: e.matches(".player .slider"), ring };
}"""


def test_keys_alone_reach_and_move_the_player(page: Page, address: str) -> None:
    visit(page, address, "clip?tour=off")
    page.locator(".player[data-ready]").wait_for()
    seen: list[str] = []
    unseen: list[str] = []
    for _ in range(80):
        page.keyboard.press("Tab")
        now = page.evaluate(FOCUSED)
        if now is None:
            continue
        seen.append(now["name"])
        unseen += [] if now["ring"] else [now["name"]]
        if now["slider"]:
            break
    else:
        pytest.fail(f"Tab does not reach the player: {seen}")
    assert not unseen
    assert any("Overview" in name for name in seen)  # the navigation comes before it
    slider = page.locator(".player .slider")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".player .readout")).to_contain_text("clip frame 1 ")
    page.keyboard.press(" ")
    expect(page.locator(".player .play")).to_have_attribute("aria-label", "Pause")
    page.keyboard.press(" ")
    expect(page.locator(".player .play")).to_have_attribute("aria-label", "Play")
    expect(slider).to_be_focused()
    no_errors(page)


def test_a_finger_moves_the_player_on_a_tablet(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 820, "height": 1180}, has_touch=True, is_mobile=True)
    tablet = context.new_page()
    tablet.set_default_timeout(PATIENCE)
    visit(tablet, address, "clip?tour=off")
    tablet.locator(".player[data-ready]").wait_for()
    settle(tablet)
    assert tablet.evaluate("document.documentElement.scrollWidth <= innerWidth")
    play = tablet.locator(".player .play")
    play.tap()
    expect(play).to_have_attribute("aria-label", "Pause")
    play.tap()
    expect(play).to_have_attribute("aria-label", "Play")
    line = tablet.locator(".player .line").first
    line.scroll_into_view_if_needed()
    box = line.bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 820
    y = box["y"] + box["height"] / 2
    tablet.touchscreen.tap(box["x"] + 0.53 * box["width"], y)
    readout = tablet.locator(".player .readout")
    expect(readout).to_contain_text("clip frame 8 ")
    finger = context.new_cdp_session(tablet)
    places = [{"x": box["x"] + share * box["width"], "y": y} for share in (0.53, 0.6, 0.7, 0.8, 0.9)]
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": places[:1]})
    for place in places[1:]:
        finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [place]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(readout).to_contain_text("clip frame 14 ")
    no_errors(tablet)
    context.close()

"""Every page of the navigation: dark where the reader wants it so, without an error, and nothing asked of another machine."""

import pytest
from playwright.sync_api import Page

from tests.browser.using import no_errors, settle, visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]
CONTRAST = """() => {
    const light = (colour) => {
      const linear = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
      const [r, g, b] = colour.match(/[\\d.]+/g).map((v) => linear(v / 255));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = light(getComputedStyle(document.querySelector('[data-testid="stApp"]')).backgroundColor);
    const inks = [...document.querySelectorAll("h1, .js-plotly-plot .xtick text, .js-plotly-plot .ytick text")].map((e) => {
      const style = getComputedStyle(e);
      return light(e instanceof SVGElement ? style.fill : style.color);
    });
    return [ground, Math.min(...inks.map((ink) => (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05)))];
}"""


@pytest.mark.parametrize("page", ["dark"], indirect=True)
def test_every_page_is_dark_and_asks_no_other_machine(page: Page, address: str) -> None:
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    visit(page, address, "?tour=off")
    links = page.locator(".st-key-navigation a").all()
    names = [link.inner_text().splitlines()[-1].strip() for link in links]
    assert len(names) == 16
    faint = []
    for name in names:
        page.locator(".st-key-navigation").get_by_role("link", name=name, exact=True).click()
        page.wait_for_selector("h1")
        settle(page)
        no_errors(page)
        ground, contrast = page.evaluate(CONTRAST)
        if ground > 0.05 or contrast < 4.5:
            faint.append((name, ground, contrast))
    assert not faint
    assert sockets
    assert all(url.startswith("ws://127.0.0.1:") for url in sockets)  # other requests: the fixture `page`

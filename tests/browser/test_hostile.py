"""No page obeys what names, labels, ids and columns say: in a workspace where all of them try."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote_plus

import pytest
from playwright.sync_api import Browser, Page, expect

from benchmarks.serving import serving
from tests.browser.using import settle
from tests.hostile import IMAGE, LABELS, make_hostile
from tests.tiny_demo import TinyDemo

pytestmark = [pytest.mark.browser, pytest.mark.slow]
OBEYED = (
    "img[src='x'], img[onerror], a[href^='javascript'], a[href='x'], [onmouseover], main u, main s, "
    "main i:not([class]):not([style]), .katex, svg a"
)


@pytest.fixture(scope="module")
def hostile(tiny_demo: TinyDemo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    made = make_hostile(tmp_path_factory.mktemp("hostile"), tiny_demo)
    with serving({"IFDD_WORKSPACE": str(made.folder)}) as served:
        yield served.address


def test_names_are_shown_and_not_obeyed(page: Page, hostile: str, screenshots: Path) -> None:
    page.goto(hostile)
    page.wait_for_selector("h1")
    settle(page)
    links = page.locator('.st-key-navigation [data-testid="stPageLink"] a').all()
    pages = [(link.get_attribute("href") or "").partition("?")[0].strip("/").rpartition("/")[2] for link in links]
    assert len(pages) > 8
    wrong = []
    for name in pages:
        asked = f"?clip={quote(f'0 {IMAGE}')}" if name == "clip" else ""
        page.goto(f"{hostile}/{name}{asked}")
        page.wait_for_selector("h1")
        settle(page)
        page.screenshot(path=screenshots / f"hostile-{name or 'overview'}.png", full_page=True)
        obeyed = page.locator(OBEYED).evaluate_all("(all) => all.map((one) => one.outerHTML.slice(0, 200))")
        wrong += [(name, text) for text in obeyed]
        wrong += [(name, text) for text in page.locator('[data-testid="stException"]').all_inner_texts()]
        assert page.evaluate("window.hacked") is None, name
        if name == "clip":
            expect(page.locator("main")).to_contain_text("<img src=x onerror=")
    assert not wrong


def test_ticked_clips_are_in_the_address_by_their_names(page: Page, browser: Browser, hostile: str) -> None:
    page.goto(f"{hostile}/browse?tour=off")
    items = page.locator(".gallery .item[href]")
    expect(items).to_have_count(14)
    for name in (f"5 {LABELS[5]}", f"6 {LABELS[6]}"):
        items.filter(has_text=name).locator(".tick").click()
    page.get_by_role("button", name="Select these", exact=True).click()
    expect(items).to_have_count(2)
    page.wait_for_url(lambda address: f"sel=clip_id=5 {LABELS[5]}|" in unquote_plus(address))
    colleague = browser.new_page()
    colleague.goto(page.url)
    expect(colleague.locator(".gallery .item[href] .id")).to_have_text([f"5 {LABELS[5]}", f"6 {LABELS[6]}"])
    colleague.close()

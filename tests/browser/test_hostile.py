"""No page obeys what names, labels, ids and columns say: in a workspace where all of them try."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from benchmarks.serving import serving
from tests.browser.using import settle
from tests.hostile import IMAGE, make_hostile
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

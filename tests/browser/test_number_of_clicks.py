"""How many clicks lie between a number and its clips, and between a figure and its file, page by page."""

import re
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.using import no_errors, settle, visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SVG = re.compile("^SVG")  # beside the menu
POINT = """() => {
    for (const el of document.querySelectorAll(".js-plotly-plot")) {
      const box = el.getBoundingClientRect();
      for (const trace of el._fullData) {
        if (trace.type !== "scatter" || !trace.customdata?.length) continue;
        const link = (i) => [trace.customdata[i]].flat()[0];
        const [x, y] = ["x", "y"].map((k) => el._fullLayout[(trace[k + "axis"] ?? k).replace(k, k + "axis")]);
        for (let i = 0; i < trace.customdata.length; i++) {
          if (!link(i)) continue;
          const at = [box.x + x._offset + x.d2p(trace.x[i]), box.y + y._offset + y.d2p(trace.y[i])];
          if (at.every(Number.isFinite) && at[1] < innerHeight - 10) return [...at, String(link(i))];
        }
      }
    }
    return null;
}"""


class Hand:
    """Clicks, and counts them."""

    def __init__(self, page: Page) -> None:
        self.page, self.clicks = page, 0

    def at(self, x: float, y: float) -> None:
        self.page.mouse.move(x, y)
        self.page.mouse.click(x, y)
        self.clicks += 1

    def on(self, name: re.Pattern[str]) -> None:
        self.page.get_by_role("button", name=name).first.click()
        self.clicks += 1


@pytest.mark.parametrize("name", ["", "agreement", "comparison", "confidence", "splits"])
def test_clips_are_and_files_are_one_click_away(page: Page, address: str, name: str) -> None:
    visit(page, address, f"{name}?tour=off")
    hand = Hand(page)
    point = page.evaluate(POINT)
    assert point, "no number leads to clips"
    hand.at(point[0], point[1])
    page.wait_for_function("location.search.includes('sel=')", timeout=20_000)
    page.locator('.gallery[data-layout="strip"] .item[href]').first.wait_for()
    to_clips, hand.clicks = hand.clicks, 0
    settle(page)
    with page.expect_download() as waiting:
        hand.on(SVG)
    assert Path(waiting.value.path()).read_bytes().startswith(b"<?xml")
    sys.stdout.write(f"{name or 'overview'}: {to_clips} click to the clips, {hand.clicks} to its file\n")
    assert to_clips == 1
    assert hand.clicks == 1
    no_errors(page)

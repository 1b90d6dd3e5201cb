"""A print has whole charts, black on white, whatever the window and its theme."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.using import visit

pytestmark = pytest.mark.browser
NOTED = """addEventListener("beforeprint", () => { window.widths = [...document.querySelectorAll("%s")].map(
    (one) => one.getBoundingClientRect().width); })"""


@pytest.mark.parametrize("page", ["dark"], indirect=True)
@pytest.mark.parametrize(("name", "drawn"), [("benchmark", ".js-plotly-plot"), ("browse", ".stBidiComponent")])
def test_nothing_is_cut_at_the_edge_of_the_paper(page: Page, address: str, name: str, drawn: str) -> None:
    page.set_viewport_size({"width": 1920, "height": 1080})
    visit(page, address, f"{name}?tour=off")
    expect(page.locator(drawn).first).to_be_visible()
    page.evaluate(NOTED % drawn)
    page.pdf(format="A4")
    page.wait_for_function("window.widths.length && window.widths.every((width) => width < 681)")
    for place in page.locator('[data-testid="stElementContainer"]').all():
        expect(place).to_have_css("zoom", "1")


@pytest.mark.parametrize("page", ["dark"], indirect=True)
def test_a_dark_page_is_printed_black_on_white(page: Page, address: str) -> None:
    visit(page, address, "benchmark?tour=off")
    page.emulate_media(media="print")
    expect(page.locator("html")).to_have_css("background-color", "rgb(255, 255, 255)")
    expect(page.locator('[data-testid="stSelectbox"] [role="group"], [data-baseweb="select"]').first).to_have_css(
        "color", "rgb(0, 0, 0)"
    )
    for tick in page.locator(".js-plotly-plot .y2tick text").all():
        expect(tick).to_have_css("fill", "rgb(38, 38, 38)")
    expect(page.locator(".js-plotly-plot .y2tick text")).not_to_have_count(0)

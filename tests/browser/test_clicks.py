"""Numbers of tables lead to the clips behind them, by a click in Chromium; how a cell of a heat map is clicked."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.using import no_errors, settle, visit

pytestmark = pytest.mark.browser
PLOT = ".js-plotly-plot"


def selected(page: Page) -> list[str]:
    """The conditions in the address."""
    page.wait_for_function("location.search.includes('sel=')", timeout=20_000)
    settle(page)
    return parse_qs(urlsplit(page.url).query)["sel"]


def click_cell(plot: Locator, row: int, column: int, cells: int) -> None:
    """Click a cell of a square heat map."""
    box = plot.bounding_box()
    assert box
    axes = plot.evaluate(
        "el => { const l = el._fullLayout; return [l.xaxis._offset, l.xaxis._length, l.yaxis._offset, l.yaxis._length] }"
    )
    x = box["x"] + axes[0] + axes[1] * (column + 0.5) / cells
    y = box["y"] + axes[2] + axes[3] * (row + 0.5) / cells
    plot.page.mouse.move(x, y)
    plot.page.mouse.click(x, y)


def filled_cell(plot: Locator) -> tuple[int, int, str]:
    """Row, column and link of the first cell that can be clicked."""
    found: list[object] = plot.evaluate(
        "el => { const t = el.data[1]; return [el._fullLayout.yaxis._categories.indexOf(t.y[0]),"
        " el._fullLayout.xaxis._categories.indexOf(t.x[0]), t.customdata[0]] }"
    )
    return int(str(found[0])), int(str(found[1])), str(found[2])


def test_a_number_of_a_comparison_selects_its_flips(page: Page, address: str) -> None:
    visit(page, address, "comparison")
    table = page.locator('[data-testid="stDataFrame"]').first
    box = table.bounding_box()
    assert box
    cell = table.locator('[role="gridcell"]').nth(4)  # gained
    count = int(cell.text_content() or "0")
    page.mouse.click(box["x"] + 30, box["y"] + box["height"] - 15)
    table.locator('[role="gridcell"][aria-selected="true"]').wait_for(state="attached")  # keys before it are lost
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    first, second = "tiny-baseline", "tiny-ifdd"
    assert selected(page) == [f"right {first}=False", f"right {second}=True"]
    page.get_by_text(f"{count} of 14 clips", exact=True).wait_for()
    bars = page.locator(f"{PLOT} .barlayer .point path")
    expect(bars).not_to_have_count(0)
    no_errors(page)


def test_a_table_is_saved_by_our_button_alone(page: Page, address: str) -> None:
    visit(page, address, "comparison?tour=off")
    table, save = page.locator('[data-testid="stDataFrame"]').first, page.locator('[class*="st-key-csv-"]').first
    expect(save).to_have_css("opacity", "0")
    table.hover()
    expect(save).to_have_css("opacity", "1")
    expect(page.get_by_role("button", name="Search").first).to_be_visible()
    expect(page.get_by_role("button", name="Download as CSV")).to_have_count(0)
    with page.expect_download() as waiting:
        save.get_by_role("button").click()
    assert Path(waiting.value.path()).read_text().startswith('difference,"WAR, points"')
    page.set_viewport_size({"width": 820, "height": 1180})
    page.mouse.move(0, 0)
    expect(save).to_have_css("opacity", "1")  # a finger does not hover
    no_errors(page)


def test_every_column_of_the_checkpoints_is_in_sight(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    visit(page, address, "?tour=off")
    page.get_by_role("tab", name="Checkpoints").click()
    expect(page.locator('[class*="st-key-table-"] th', has_text="test data").last).to_be_in_viewport(ratio=1)
    page.set_viewport_size({"width": 820, "height": 1180})
    visit(page, address, "benchmark?tour=off")
    knobs = page.locator(".st-key-benchmark_knobs button div")
    expect(knobs.first).to_contain_text("Knobs")
    for part in knobs.all():
        expect(part).to_have_js_property("scrollWidth", part.evaluate("one => one.clientWidth"))


def test_a_narrow_page_and_a_print_have_every_column_of_a_table(page: Page, address: str) -> None:
    """Streamlit's canvas hides those that do not fit; its twin of text has them all, and the same clicks."""
    visit(page, address, "comparison")
    canvas, twin = page.locator('[data-testid="stDataFrame"]').first, page.locator('[class*="st-key-table-"] table').first
    canvas.wait_for()
    expect(twin).to_be_hidden()
    heads = canvas.locator("th").all_text_contents()
    page.emulate_media(media="print")
    twin.wait_for()
    expect(canvas).to_be_hidden()
    assert twin.locator("th").all_text_contents() == heads
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": 820, "height": 1180})
    twin.wait_for()
    edges = twin.locator("td").evaluate_all("cells => cells.map((cell) => cell.getBoundingClientRect().right)")
    assert len(edges) == len(heads)
    assert max(edges) <= 820
    count = int(twin.locator("button").first.text_content() or "0")
    twin.locator("button").first.click()
    assert selected(page) == ["right tiny-baseline=False", "right tiny-ifdd=True"]
    page.get_by_text(f"{count} of 14 clips", exact=True).wait_for()
    no_errors(page)


def test_all_that_is_chosen_is_in_sight(page: Page, address: str) -> None:
    visit(page, address, "saliency?tour=off&saliency_part=What+if")
    chosen = page.locator('[data-testid="stMultiSelectTagsContainer"] button')
    expect(chosen.nth(6)).to_be_visible()
    for name in chosen.all():
        expect(name).to_be_in_viewport(ratio=1)

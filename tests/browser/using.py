"""How browser tests use the app: open a page, wait until it is drawn, look whether all is well."""

from pathlib import Path

from playwright.sync_api import Locator, Page


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

"""The view follows: from page to page, into a link that a colleague opens, back and forward, and by keyboard alone."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.using import no_errors, settle, visit

pytestmark = pytest.mark.browser


def chips(page: Page) -> list[str]:
    return [text.removesuffix("close").strip() for text in page.locator('[class*="st-key-chip_"]').all_inner_texts()]


def go_to(page: Page, name: str, title: str) -> None:
    page.locator(".st-key-navigation").get_by_role("link", name=name, exact=True).click()
    page.get_by_role("heading", name=title, level=1, exact=True).wait_for()
    settle(page)


def test_a_selection_follows_and_its_link_opens_it(page: Page, browser: Browser, address: str) -> None:
    visit(page, address, "?sel=label_name%3Dhappy&ref=tiny-ifdd")
    assert chips(page) == ["class is happy"]
    go_to(page, "Compare", "Compare")
    assert chips(page) == ["class is happy"]
    link = page.url
    assert "sel=label_name%3Dhappy" in link
    assert "ref=tiny-ifdd" in link
    page.go_back()
    page.get_by_role("heading", name="Overview", level=1, exact=True).wait_for()
    settle(page)
    assert chips(page) == ["class is happy"]
    page.locator(".st-key-chip_0 button").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-chip_0")).to_have_count(0)
    settle(page)
    assert "sel=" not in page.url
    page.go_back()
    page.locator(".st-key-chip_0").wait_for()
    no_errors(page)
    colleague = browser.new_context().new_page()
    colleague.goto(link)
    colleague.get_by_role("heading", name="Compare", level=1, exact=True).wait_for()
    settle(colleague)
    assert chips(colleague) == ["class is happy"]
    no_errors(colleague)
    colleague.context.close()


@pytest.mark.parametrize(
    ("word", "place", "title"), [("compare", "comparison", "Compare"), ("attribution", "saliency", "Attribution")]
)
def test_pages_are_found_by_the_word_of_the_navigation(page: Page, address: str, word: str, place: str, title: str) -> None:
    visit(page, address, f"{word}?sel=label_name%3Dhappy")
    page.get_by_role("heading", name=title, level=1, exact=True).wait_for()
    settle(page)
    assert f"/{place}?" in page.url
    assert chips(page) == ["class is happy"]
    no_errors(page)


def test_the_bar_narrows_by_any_column_with_the_keyboard(page: Page, address: str) -> None:
    visit(page, address, "agreement")
    page.get_by_role("button", name="Filter").focus()
    page.keyboard.press("Enter")
    page.get_by_role("combobox", name="Is any of").focus()
    page.keyboard.type("sad")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    settle(page)
    page.get_by_role("button", name="Select", exact=True).focus()
    page.keyboard.press("Enter")
    page.locator(".st-key-chip_0").wait_for()
    assert chips(page) == ["class is sad"]
    assert "2 of 14 clips" in page.locator(".st-key-view_bar").inner_text()
    no_errors(page)

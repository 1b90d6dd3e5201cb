"""The view follows: from page to page, into a link that a colleague opens, back and forward, and by keyboard alone."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.using import no_errors, settle, visit

pytestmark = pytest.mark.browser


def expect_chips(page: Page, texts: list[str]) -> None:
    """Wait until these conditions and no others stand in the bar."""
    drawn = [re.compile(rf"^\s*{re.escape(text)}\s*close\s*$") for text in texts]
    expect(page.locator('[class*="st-key-chip_"]')).to_have_text(drawn, use_inner_text=True)


def go_to(page: Page, name: str, title: str) -> None:
    page.locator(".st-key-navigation").get_by_role("link", name=name, exact=True).click()
    page.get_by_role("heading", name=title, level=1, exact=True).wait_for()
    settle(page)


def test_a_selection_follows_and_its_link_opens_it(page: Page, browser: Browser, address: str) -> None:
    visit(page, address, "?sel=label_name%3Dhappy&ref=tiny-ifdd")
    expect_chips(page, ["class is happy"])
    go_to(page, "Compare", "Compare")
    expect_chips(page, ["class is happy"])
    link = page.url
    assert "sel=label_name%3Dhappy" in link
    assert "ref=tiny-ifdd" in link
    page.go_back()
    page.get_by_role("heading", name="Overview", level=1, exact=True).wait_for()
    settle(page)
    expect_chips(page, ["class is happy"])
    page.locator(".st-key-chip_0 button").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-chip_0")).to_have_count(0)
    settle(page)
    expect(page).not_to_have_url(re.compile("sel="))
    page.go_back()
    page.locator(".st-key-chip_0").wait_for()
    no_errors(page)
    colleague = browser.new_context().new_page()
    colleague.goto(link)
    colleague.get_by_role("heading", name="Compare", level=1, exact=True).wait_for()
    settle(colleague)
    expect_chips(colleague, ["class is happy"])
    no_errors(colleague)
    colleague.context.close()


@pytest.mark.parametrize(
    ("word", "place", "title"), [("compare", "comparison", "Compare"), ("attribution", "saliency", "Attribution")]
)
def test_pages_are_found_by_the_word_of_the_navigation(page: Page, address: str, word: str, place: str, title: str) -> None:
    visit(page, address, f"{word}?sel=label_name%3Dhappy")
    page.get_by_role("heading", name=title, level=1, exact=True).wait_for()
    settle(page)
    expect(page).to_have_url(re.compile(rf"/{place}\?"))
    expect_chips(page, ["class is happy"])
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
    expect_chips(page, ["class is sad"])
    expect(page.locator(".st-key-view_bar")).to_contain_text("2 of 14 clips")
    no_errors(page)

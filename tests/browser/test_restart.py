"""The server ends and begins anew under an open page."""

import re

import pytest
from playwright.sync_api import Browser, expect

from benchmarks.serving import free_port, serving
from tests.browser.conftest import PATIENCE, settings_of
from tests.browser.test_view import expect_chips, go_to
from tests.browser.using import no_errors, settle, visit
from tests.tiny_demo import TinyDemo

pytestmark = [pytest.mark.browser, pytest.mark.slow]  # a page asks for a lost server less and less often


def test_a_page_goes_on_after_a_restart(browser: Browser, tiny_demo: TinyDemo) -> None:
    port = free_port()
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    with serving(settings_of(tiny_demo), port=port) as served:
        visit(page, served.address, "?tour=off&sel=label_name%3Dhappy&ref=tiny-ifdd")
        expect_chips(page, ["class is happy"])
        link = page.url
    page.wait_for_selector('[data-testid="stApp"][data-test-connection-state="CONNECTED"]', state="detached")
    with serving(settings_of(tiny_demo), port=port):
        page.wait_for_selector('[data-testid="stApp"][data-test-connection-state="CONNECTED"]')
        settle(page)
        expect(page).to_have_url(link)
        go_to(page, "Compare", "Compare")  # the server answers it, with the state of the address
        expect_chips(page, ["class is happy"])
        expect(page).to_have_url(re.compile("ref=tiny-ifdd"))
        no_errors(page)
    page.close()

"""A job in the browser: begun on one page, seen on another after a reload, cancelled."""

import re
import time

from playwright.sync_api import Page, expect

from tests.tiny_demo import TinyDemo
from workbench.app.jobs.store import Jobs


def test_a_job_goes_on_after_a_reload_and_can_be_cancelled(page: Page, address: str, tiny_demo: TinyDemo) -> None:
    jobs = Jobs(tiny_demo.demo / "results" / "jobs")
    for job in jobs.all():
        jobs.remove(job)
    page.goto(f"{address}/disentanglement?tour=off")
    page.get_by_role("button", name=re.compile("Measure")).click()
    expect(page.get_by_test_id("stSidebar").get_by_role("progressbar")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name=re.compile("Cancel")).first).to_be_visible()
    page.get_by_role("link", name=re.compile("Jobs")).first.click()
    expect(page.get_by_role("heading", name="Jobs")).to_be_visible()
    assert len(jobs.all()) == 2
    page.locator("button:enabled", has_text="Cancel").first.click()
    expect(page.get_by_text("cancelled").first).to_be_visible()
    for job in jobs.all():
        jobs.cancel(job)
    end = time.monotonic() + 60
    while any(not job.is_over for job in jobs.all()):
        assert time.monotonic() < end, "the jobs did not end"
        time.sleep(0.2)
    expect(page.get_by_test_id("stSidebar").get_by_role("progressbar")).to_have_count(0)
    for job in jobs.all():
        jobs.remove(job)

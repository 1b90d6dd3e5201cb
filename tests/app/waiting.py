"""What tests of pages need of jobs: start what a page offers, and wait."""

import os
import time
from pathlib import Path

from streamlit.testing.v1 import AppTest

from workbench.app.jobs.store import Jobs
from workbench.store.layout import demo_folder


def jobs() -> Jobs:
    return Jobs(Path(os.environ.get("IFDD_WORKSPACE") or demo_folder()) / "results" / "jobs")


def finished(app: AppTest, offered: str) -> AppTest:
    """Start the job that a page offers, unless its result is there, wait for all that run, and run the page again."""
    for button in [item for item in app.button if item.label == offered]:
        button.click().run()
    end = time.monotonic() + 180
    while any(not job.is_over for job in jobs().all()):
        assert time.monotonic() < end, "the jobs did not end"
        time.sleep(0.2)
    assert [job.reason for job in jobs().all() if job.state == "failed"] == []
    return app.run()

"""Seconds from starting the app to a health answer and to a drawn Overview, and of the processor; the second start counts.

Needs Chromium and a demo (`workbench demo`). Usage: python benchmarks/app_start.py [--starts 2]
"""

import argparse
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from serving import FLAGS, ROOT, free_port


def cpu(pid: int) -> float:
    """Seconds of processor that a process has used."""
    values = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(values[11]) + int(values[12])) / os.sysconf("SC_CLK_TCK")


def start(browser: Browser) -> tuple[float, float, float]:
    """Start once: seconds to health, seconds until both charts are drawn, seconds that the server's processor needed for it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    begin = time.perf_counter()
    command = [sys.executable, "-c", "from workbench.cli import main; main()", "app", "--port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        while True:
            if server.poll() is not None:
                sys.exit("the app did not start")
            try:
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=1)
                break
            except OSError:
                time.sleep(0.05)
        healthy = time.perf_counter() - begin
        page = browser.new_page()
        page.goto(url, wait_until="commit", timeout=120_000)
        drawn_or_error = ".js-plotly-plot .hm image, [data-testid=stAlertContentError]"  # the confusion matrix comes last
        page.locator(drawn_or_error).first.wait_for(state="attached", timeout=120_000)
        if page.locator("[data-testid=stAlertContentError]").count():
            sys.exit(page.locator("[data-testid=stAlertContentError]").first.inner_text())
        drawn, used = time.perf_counter() - begin, cpu(server.pid)
        page.close()
        return healthy, drawn, used
    finally:
        server.terminate()
        server.wait(20)


def main() -> None:
    """Start several times, print each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=2)
    starts = parser.parse_args().starts
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        for number in range(1, starts + 1):
            healthy, drawn, used = start(browser)
            print(f"start {number}: healthy after {healthy:.1f} s, Overview drawn after {drawn:.1f} s, {used:.1f} CPU s")


if __name__ == "__main__":
    main()

"""Every page of the app in Chromium: pictures of both themes and three sizes to look at, and what a rule can see in them.

    python benchmarks/app_screens.py [WORKSPACE] [--out screenshots] [--pages clip,embedding] [--sizes 1280x720] [--themes dark]

Each page is pictured as it opens (what needs no scrolling) and in full. Told are: panels of errors, parts that are wider than the
window, charts without a mark, axes without a name, buttons and links without one, and errors of the console. The folder is left
out of git. Exit code 1 where something is told.
"""

import argparse
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from serving import FLAGS, ROOT, free_port

CHROMIUM = "/usr/bin/chromium"
PATIENCE = 400_000  # ms: the first scorecards take minutes
SIZES = "1280x720,1920x1080,820x1180"
LOOK = """
() => {
  const told = [];
  const main = document.querySelector('[data-testid="stMainBlockContainer"]');
  const SCROLLED = '[data-testid="stDataFrame"], .gallery, .scroll, [data-testid="stTabs"], .js-plotly-plot';
  const seen = (e) => e.getClientRects().length && getComputedStyle(e).visibility !== 'hidden';
  for (const e of document.querySelectorAll('[data-testid="stAlertContentError"], [data-testid="stException"]'))
    told.push('panel: ' + e.innerText.slice(0, 200));
  for (const e of main.querySelectorAll('*')) {
    if (!seen(e) || e.closest(SCROLLED)) continue;
    if (e.getBoundingClientRect().right > window.innerWidth + 1) { told.push('too wide: ' + e.outerHTML.slice(0, 120)); break; }
  }
  for (const plot of main.querySelectorAll('.js-plotly-plot')) {
    const name = plot.closest('[class*="st-key-"]')?.className.match(/st-key-([\\w-]+)/)?.[1] ?? 'a chart';
    if (!plot.querySelector('.point, .bars path, .hm image, .gl-canvas, .lines path, .scatterlayer path, .polar path'))
      told.push(`${name}: no mark`);
    const layout = plot._fullLayout ?? {};
    for (const key of Object.keys(layout).filter((k) => /^[xy]axis\\d*$/.test(k))) {
      const axis = layout[key];
      const others = Object.keys(layout).filter((k) => k[0] === key[0] && /axis/.test(k));  // of the same direction
      const shared = axis.matches || axis.overlaying || others.some((k) => layout[k]?.title?.text);
      if (axis.visible !== false && axis.showticklabels !== false && !axis.title?.text && !shared)
        told.push(`${name}: ${key} has no name`);
    }
  }
  for (const e of document.querySelectorAll('button, a, input, [role="slider"]')) {
    if (!seen(e) || e.closest('.modebar, [data-testid="stDataFrame"]')) continue;
    const name = e.getAttribute('aria-label') || e.innerText || e.title || e.labels?.[0]?.innerText
      || document.getElementById(e.getAttribute('aria-labelledby'))?.innerText;
    if (!name && !e.closest('[aria-hidden="true"]')) told.push('no name: ' + e.outerHTML.slice(0, 120));
  }
  return told;
}
"""


def settle(page: Page) -> None:
    """Wait until the script has run and the charts are drawn."""
    page.wait_for_selector("h1", timeout=PATIENCE)
    for _ in range(2):
        page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=PATIENCE)
        page.wait_for_timeout(900)


def look(page: Page, address: str, name: str, file: Path, size: tuple[int, int]) -> list[str]:
    """Picture a page twice; what a rule sees."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(f"{address}/{name}")
    settle(page)
    page.screenshot(path=file.with_suffix(".png"))
    told = page.evaluate(LOOK)
    height = page.evaluate("document.querySelector('[data-testid=\"stMainBlockContainer\"]').scrollHeight + 40")
    if height > size[1]:
        page.set_viewport_size({"width": size[0], "height": int(height)})
        page.wait_for_timeout(1200)
        page.screenshot(path=file.with_name(f"{file.name}-full.png"))
    return told


def started(workspace: list[str]) -> tuple[subprocess.Popen, str]:
    """The app on a free port, once it answers."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-c", "from workbench.cli import main; main()", "app", *workspace, "--port", str(port)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    for _ in range(240):
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):
                return server, address
        except OSError:
            time.sleep(0.25)
    server.kill()
    sys.exit("the app did not start")


def main() -> int:
    """Picture the pages and print what is told of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", nargs="?")
    parser.add_argument("--out", type=Path, default=ROOT / "screenshots")
    parser.add_argument("--pages")
    parser.add_argument("--sizes", default=SIZES)
    parser.add_argument("--themes", default="light,dark")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    server, address = started([asked.workspace] if asked.workspace else [])
    told: dict[str, list[str]] = {}
    try:
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            for theme in asked.themes.split(","):
                page = chromium.new_page(color_scheme=theme)
                errors: list[str] = []
                page.on("pageerror", lambda error, into=errors: into.append(f"console: {error}"))
                page.on(
                    "console", lambda said, into=errors: into.append(f"console: {said.text}") if said.type == "error" else None
                )
                page.goto(f"{address}/?tour=off")
                settle(page)
                links = page.locator(".st-key-navigation a").evaluate_all(
                    "all => all.map((a) => new URL(a.href).pathname.slice(1))"
                )
                for name in asked.pages.split(",") if asked.pages else links:
                    for size in asked.sizes.split(","):
                        width, height = map(int, size.split("x"))
                        file = asked.out / f"{name or 'overview'}-{theme}-{width}"
                        found = look(page, address, f"{name}?tour=off", file, (width, height)) + errors
                        errors.clear()
                        for text in dict.fromkeys(found):
                            told.setdefault(text, []).append(file.name)
                page.close()
            chromium.close()
    finally:
        server.terminate()
        server.wait(20)
    for text, where in told.items():
        print(f"{', '.join(where)}: {text}")
    print(f"{len(list(asked.out.glob('*.png')))} pictures in {asked.out}; {len(told)} things told")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())

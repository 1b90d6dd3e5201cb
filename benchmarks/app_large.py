"""The app on 38,935 clips (as many as FERV39k has) and six models: seconds, memory, and bytes to the browser.

Makes a workspace of a few rendered clips, repeated as files of their own, with six collections as the workbench writes them: five
of checkpoints, whose values are drawn, and one of imported predictions with features of 768 numbers. Starts the app on it and
drives Chromium. Usage: python benchmarks/app_large.py [--clips 38935] [--folder DIR], or --workspace DIR for any other one.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path

import av
import numpy as np
import pandas as pd
from PIL import Image
from playwright.sync_api import Page, sync_playwright
from serving import FLAGS, ROOT, free_port

from ifdd.checkpoints import list_checkpoints, load_checkpoint
from ifdd.data.manifest import data_hash, read_manifest, write_manifest
from ifdd.io import write_json
from ifdd.scripted.suite import render_suite
from ifdd.scripted.suites import SuiteConfig
from workbench.store.collecting import predictions_table
from workbench.store.collection import ACTIVATIONS, MANIFEST, PREDICTIONS
from workbench.store.dataset import Dataset
from workbench.store.foreign.task import Options, import_predictions
from workbench.store.identity import reading_hash
from workbench.store.workspace import Workspace, init_workspace

CLIPS = 38_935
RENDERED = 42
MODELS = (
    "scripted-tiny-ifdd",
    "scripted-tiny-baseline",
    "noisy-cnn-ifdd-0",
    "noisy-cnn-baseline-0",
    "noisy-frozen-ifdd-0",
)
PAGES = ("Browse", "Compare", "Confidence", "Agreement", "Embedding", "Splits", "Clip", "Overview")
PARTS = {("Confidence", "Probabilities"): "confidence_density", ("Compare", "Slices"): "compare_slices"}
"""Parts of pages that measure more than a page's first one, with the key of their chart."""
FIRST_PARTS = {"Confidence": "Reliability", "Compare": "Differences"}
PATIENCE = 120_000  # ms
FEATURE_FRAMES = 8  # of the shipped networks, which all read 16 frames
IMPORTED, FEATURES = "imported", 768


def make_workspace(folder: Path, clips: int = CLIPS) -> Workspace:
    """A workspace with the dataset `large` and six collections of it."""
    few = _render(folder / "rendered")
    large = _repeat(few, folder / "clips", clips)
    known = list_checkpoints()
    made = init_workspace(folder / "workspace", {"large": folder / "clips"}, [known[name] for name in MODELS])
    for seed, name in enumerate(MODELS):
        _collection(made.dataset("large"), large, few, name, np.random.default_rng(seed))
    _imported(made.dataset("large"), large, folder, np.random.default_rng(len(MODELS)))
    return made


def _render(folder: Path) -> Path:
    """A few scripted clips as videos, and their manifest."""
    suite = SuiteConfig(name="large", seed=3, clips=RENDERED, identities=14, split="test")
    manifest = render_suite(suite, folder / "frames", frames=32, fps=16.0, progress=False)
    table = read_manifest(manifest)
    for row in table.itertuples():
        video = folder / f"{row.clip_id}.mp4"
        with av.open(str(video), "w") as out:
            stream = out.add_stream("libx264", rate=16)
            stream.width, stream.height, stream.pix_fmt = 112, 112, "yuv420p"
            for image in sorted((manifest.parent / row.path).glob("*.png")):
                out.mux(stream.encode(av.VideoFrame.from_image(Image.open(image).convert("RGB"))))
            out.mux(stream.encode())
    table = table.drop(columns=["truth"]).assign(path=[f"{clip}.mp4" for clip in table["clip_id"]], kind="video", crop="none")
    write_manifest(table, folder)
    return folder


def _repeat(few: Path, folder: Path, clips: int) -> pd.DataFrame:
    """Every clip is a file of its own (a hard link); its numbers are drawn anew."""
    table, random = read_manifest(few), np.random.default_rng(0)
    rows = table.iloc[np.arange(clips) % len(table)].reset_index(drop=True)
    sources = rows["path"]
    rows = rows.assign(
        clip_id=[f"clip-{i:05d}" for i in range(clips)],
        path=[f"videos/{i // 1000:02d}/clip-{i:05d}.mp4" for i in range(clips)],
        fold=np.arange(clips) // len(table) % 5,
        subject=[f"person-{i:04d}" for i in random.integers(0, max(2, clips // 10), clips)],
        yaw_deg=random.normal(0, 12, clips),
        peak=random.uniform(0.2, 1, clips),
    )
    for source, path in zip(sources, rows["path"], strict=True):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(few / source, target)
    write_manifest(rows, folder)
    return read_manifest(folder)


def _said(labels: np.ndarray, classes: int, random: np.random.Generator) -> np.ndarray:
    """Probabilities (n, classes) of a model that is right more often than not, on some clips more than on others."""
    logits = random.normal(0, 1.4, (len(labels), classes))
    logits[np.arange(len(labels)), labels] += random.normal(2.2, 1.0, len(labels))
    odds = np.exp(logits - logits.max(1, keepdims=True))
    return (odds / odds.sum(1, keepdims=True)).astype(np.float32)


def _around(labels: np.ndarray, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    """Values (n, …) in a cloud for each class."""
    centres = random.normal(0, 1, (labels.max() + 1, *shape)).astype(np.float32)
    return centres[labels] + random.normal(0, 1, (len(labels), *shape)).astype(np.float32)


def _collection(data: Dataset, large: pd.DataFrame, few: Path, name: str, random: np.random.Generator) -> None:
    """What the workbench collects of the few clips, then as many rows as there are clips."""
    bundle = load_checkpoint(name)
    out = data.collections / name
    Dataset("few", few / "clips.parquet", out.parent).collect(bundle, name)
    meta = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    labels = large["label"].to_numpy()
    for activation, about in meta["activations"].items():
        values = _around(labels, tuple(about["shape"]), random).astype(about["dtype"])
        if meta["model"]["activations"][activation].get("role") in ("position", "sample"):  # places lie in the clip
            values = np.abs(values).clip(max=FEATURE_FRAMES - 1)
        np.save(out / ACTIVATIONS / f"{activation}.npy", values)
    table = predictions_table(large, bundle.labels, _said(labels, len(bundle.labels), random))
    table.to_parquet(out / PREDICTIONS, index=False, write_page_checksum=True)
    about = {"manifest": str(data.manifest), "hash": data_hash(large), "reading": reading_hash(large)}
    write_json(out / MANIFEST, meta | {"clips": len(large), "data": about})


def _imported(data: Dataset, large: pd.DataFrame, folder: Path, random: np.random.Generator) -> None:
    """The sixth: a table of predictions of others, with wide features."""
    labels = large["label"].to_numpy()
    names = large.drop_duplicates("label").sort_values("label")["label_name"]
    probs = _said(labels, len(names), random).astype(np.float64)
    probs /= probs.sum(1, keepdims=True)
    file = folder / "predictions.parquet"
    pd.DataFrame({"clip_id": large["clip_id"]} | {f"p_{name}": probs[:, i] for i, name in enumerate(names)}).to_parquet(file)
    np.save(folder / "features.npy", _around(labels, (FEATURES,), random))
    options = Options(features=folder / "features.npy")
    import_predictions(file, data.manifest, IMPORTED, data.collections / IMPORTED, options)


def _family(root: int) -> list[Path]:
    """What the system tells of a process and all below it: folders of /proc."""
    parents = {}
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(place.parent.name)] = int(place.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    ours = {root}
    while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
        ours |= more
    return [Path("/proc") / str(pid) for pid in ours]


def _rss(root: int) -> float:
    """MB of a process and all below it."""
    pages = sum(int((place / "statm").read_text().split()[1]) for place in _family(root))
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _cpu(root: int) -> float:
    """Seconds that a process and all below it have computed: what is left of a time when the machine does other things."""
    ticks = sum(sum(map(int, (place / "stat").read_text().rpartition(")")[2].split()[11:13])) for place in _family(root))
    return ticks / os.sysconf("SC_CLK_TCK")


class Drive:
    """The app on a workspace, and a browser before it."""

    def __init__(self, page: Page, url: str, server: int) -> None:
        self.page, self.url, self.server, self.bytes = page, url, server, 0
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: self._count(len(frame))))

    def _count(self, size: int) -> None:
        self.bytes += size

    def timed(self, what: str, act: Callable[[], object], *, seen: str) -> None:
        """Do something, wait until `seen` is there and the page is idle, and print how long that took."""
        begin, before, cpu = time.perf_counter(), self.bytes, _cpu(self.server)
        act()
        self.page.locator(seen).first.wait_for(state="attached", timeout=PATIENCE)
        seconds = time.perf_counter() - begin
        self.page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=PATIENCE)
        idle = time.perf_counter() - begin
        told = f"{seconds:6.2f} s  idle {idle:6.2f} s  CPU {_cpu(self.server) - cpu:6.2f} s"
        print(f"{what:34s} {told}  {(self.bytes - before) / 1e3:8.0f} kB by WebSocket", flush=True)


def drive(workspace: Path) -> None:
    """Start the app on a workspace, use it, and print what that took."""
    port = free_port()
    command = [sys.executable, "-c", "from workbench.cli import main; main()", "app", str(workspace), "--port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        while True:
            try:
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=1)
                break
            except OSError:
                time.sleep(0.05)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
            for number, name in enumerate(("first visit of a started server", "first paint, another session")):
                found = Drive(browser.new_page(viewport={"width": 1280, "height": 720}), url, server.pid)
                found.timed(name, partial(found.page.goto, f"{url}/?tour=off", wait_until="commit"), seen="h1")
                if not number:
                    found.page.close()
            _walk(found)
            browser.close()
        print(f"memory of the server and its children {_rss(server.pid):.0f} MB")
    finally:
        server.terminate()
        server.wait(20)


def _walk(found: Drive) -> None:
    page = found.page
    for again in ("first", "again"):
        for name in PAGES:
            link = page.get_by_test_id("stSidebar").get_by_role("link", name=name, exact=True)
            title = f'h1:has-text("{name}")' if name != "Clip" else ".player .image"
            found.timed(f"page {name}, {again}", link.click, seen=title)
    for name, part in PARTS:
        page.get_by_test_id("stSidebar").get_by_role("link", name=name, exact=True).click()
        for again in ("first", "again"):
            wanted = page.get_by_text(part, exact=True).first
            found.timed(f"{name}, {part}, {again}", wanted.click, seen=f"[class*=st-key-{PARTS[name, part]}]")
            page.get_by_text(FIRST_PARTS[name], exact=True).first.click()
            page.locator(f"[class*=st-key-{PARTS[name, part]}]").first.wait_for(state="detached", timeout=PATIENCE)
    browse = page.get_by_test_id("stSidebar").get_by_role("link", name="Browse", exact=True)
    found.timed("page Browse", browse.click, seen=".gallery .item[href]")
    page.get_by_role("button", name="Filter").click()
    page.get_by_text("Is any of").wait_for()
    page.locator("[data-testid=stMultiSelect]").first.click()
    page.get_by_role("option", name=re.compile("^sad ")).click()
    page.keyboard.press("Escape")
    found.timed("filter", page.get_by_role("button", name="Select", exact=True).click, seen="[class*=st-key-chip_0]")
    found.timed("no filter", page.locator("[class*=st-key-chip_0] button").first.click, seen=".gallery .item[href]")
    page.get_by_text("table", exact=True).click()
    page.locator(".headline button").nth(3).wait_for()
    found.timed("sort by loss", page.locator(".headline button").nth(3).click, seen=".headline .way")
    embedding = page.get_by_test_id("stSidebar").get_by_role("link", name="Embedding", exact=True)
    found.timed("page Embedding", embedding.click, seen=".over")
    area = page.locator(".over").bounding_box()
    assert area is not None
    x, y, width, height = area["x"], area["y"], area["width"], area["height"]
    page.mouse.move(x + 0.3 * width, y + 0.3 * height)
    page.mouse.down()
    for right, down in ((0.7, 0.3), (0.7, 0.7), (0.3, 0.7), (0.3, 0.3)):
        page.mouse.move(x + right * width, y + down * height, steps=8)
    found.timed("lasso to pictures", page.mouse.up, seen='.gallery[data-layout="strip"] img[src]')
    if note := page.get_by_text(re.compile(r"of [\d,]+ clips")).first.inner_text():
        print("lasso took", note)


def main() -> None:
    """Make the workspace, unless one is given, and use the app on it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=CLIPS)
    parser.add_argument("--folder", type=Path, help="Where the workspace is, or is made and kept.")
    parser.add_argument("--workspace", type=Path, help="Any workspace instead, e.g. the demo's 140 clips.")
    given = parser.parse_args()
    if given.workspace is not None:
        drive(given.workspace)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        if not (folder / "workspace").is_dir():
            make_workspace(folder, given.clips)
        drive(folder / "workspace")


if __name__ == "__main__":
    main()

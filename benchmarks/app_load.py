"""Twenty visitors at once: seconds of a page change (p50, p95), errors, memory, and whether anybody sees what is another's.

Each visitor speaks to the app as its browser does, selects clips of its own, gives a video under a name of its own, and goes from
page to page, with a pause at each as a reader makes one. Needs a workspace (by default the demo).
Usage: python benchmarks/app_load.py [WORKSPACE] [--visitors 20] [--rounds 2] [--pause 2]
"""

import argparse
import random
import resource
import subprocess
import sys
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from urllib.parse import quote

import numpy as np
from app_start import cpu
from serving import ROOT, free_port
from sessions import Drawn, Visitor

from ifdd.data.manifest import read_manifest
from workbench.store.workspace import find_workspace

STARTED = 60  # seconds


def main() -> None:
    """Start the app, let the visitors in, print what they saw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace", type=Path, nargs="?")
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=2, help="how often each visitor sees every page")
    parser.add_argument("--pause", type=float, default=2.0, help="seconds on a page, on average")
    parser.add_argument("--skip", nargs="*", default=[], help="addresses of pages that are left out")
    options = parser.parse_args()
    workspace = find_workspace(options.workspace)
    dataset = workspace.dataset(workspace.datasets[0])
    clips = read_manifest(dataset.manifest)
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-c", "from workbench.cli import main; main()", "app", str(workspace.folder), "--port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        wait_for(address, server)
        first = time.perf_counter()
        with Visitor(address) as visitor:
            drawn = visitor.go()
            pages = [page for page in visitor.pages if page not in options.skip]
        print(
            f"{len(clips)} clips; first visitor: {drawn.seconds:.2f} s, {time.perf_counter() - first:.2f} s with its connection"
        )
        print(f"{len(pages)} pages: {', '.join(page or 'overview' for page in pages)}")
        video = a_video(dataset.path(clips["clip_id"].iloc[0]))
        together = Barrier(options.visitors)
        begin = time.perf_counter()
        with ThreadPoolExecutor(options.visitors) as pool:
            walks = [
                pool.submit(walk, address, number, pages, clips, video, options.rounds, options.pause, together)
                for number in range(options.visitors)
            ]
            seen = [item for walked in walks for item in walked.result()]
        report(seen, time.perf_counter() - begin)
        print(f"server: {memory(server.pid) / 2**20:.0f} MB resident, {cpu(server.pid):.0f} CPU s")
    finally:
        server.terminate()
        server.wait(20)


Seen = tuple[str, Drawn, list[str]]


def walk(
    address: str, number: int, pages: list[str], clips: object, video: bytes, rounds: int, pause: float, together: Barrier
) -> list[Seen]:
    """One visitor: every page in an order of its own; what was drawn, and what was wrong with it."""
    rng = random.Random(number)
    ids = clips["clip_id"]  # type: ignore[index]
    mine = rng.sample(sorted(ids), 3)
    name = f"video-of-visitor-{number:02d}.mp4"
    seen: list[Seen] = []
    with Visitor(address) as visitor:
        together.wait()
        for _ in range(rounds):
            for page in rng.sample(pages, len(pages)):
                time.sleep(rng.uniform(0, 2 * pause))
                drawn = visitor.go(
                    page, f"sel={quote('clip_id=' + '|'.join(mine))}" + f"&clip={quote(mine[0])}" * (page == "clip")
                )
                seen.append((page or "overview", drawn, [*drawn.errors, *strangers(drawn, number)]))
                uploaders = drawn.of("file_uploader")
                if page == "upload" and uploaders:
                    begin = time.perf_counter()
                    status = visitor.upload(uploaders[0].id, name, video)
                    drawn = visitor.run()
                    drawn.seconds = time.perf_counter() - begin
                    wrong = [] if status < 300 else [f"the upload got {status}"]
                    wrong += [] if name[:-4] in drawn.text.replace("\\", "") else ["the upload is not shown"]
                    seen.append(("upload of a video", drawn, [*wrong, *drawn.errors, *strangers(drawn, number)]))
                    visitor.widgets.clear()
    return seen


def strangers(drawn: Drawn, number: int) -> list[str]:
    """Names of others' uploads in what one visitor was sent."""
    text = drawn.text.replace("\\", "")
    return [f"sees video-of-visitor-{other:02d}" for other in range(100) if other != number and f"visitor-{other:02d}" in text]


def a_video(clip: Path) -> bytes:
    """A clip as a file: itself, or its frames as a GIF."""
    if clip.is_file():
        return clip.read_bytes()
    from io import BytesIO

    from PIL import Image

    frames = [Image.open(file).convert("RGB").resize((224, 224)) for file in sorted(clip.glob("*.png"))]
    made = BytesIO()
    frames[0].save(made, "GIF", save_all=True, append_images=frames[1:], duration=100)
    return made.getvalue()


def report(seen: list[Seen], seconds: float) -> None:
    """Print a line for each page, and for all."""
    times: dict[str, list[float]] = defaultdict(list)
    for page, drawn, _ in seen:
        times[page].append(drawn.seconds)
    for page in sorted(times, key=lambda page: -p95(times[page])):
        print(f"{page:20} n {len(times[page]):4d}   p50 {np.median(times[page]):6.2f} s   p95 {p95(times[page]):6.2f} s")
    changes = [value for page, values in times.items() if page != "upload of a video" for value in values]
    wrong = [(page, text) for page, _, errors in seen for text in errors]
    size = sum(drawn.size for _, drawn, _ in seen) / len(seen) / 1024
    print(f"page changes: {len(changes)} in {seconds:.0f} s, p50 {np.median(changes):.2f} s, p95 {p95(changes):.2f} s")
    print(f"{size:.0f} KiB each; errors: {len(wrong)}")
    for page, text in sorted(set(wrong))[:20]:
        print(f"  {page}: {text[:300]}")


def p95(values: list[float]) -> float:
    """The value that a twentieth of them exceeds."""
    return float(np.percentile(values, 95))


def wait_for(address: str, server: subprocess.Popen) -> None:
    """Wait until the app answers."""
    import urllib.request

    end = time.monotonic() + STARTED
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    sys.exit("the app did not start")


def memory(pid: int) -> int:
    """Resident bytes of a process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    own = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()
    return own + sum(memory(int(child)) for child in children)


if __name__ == "__main__":
    main()

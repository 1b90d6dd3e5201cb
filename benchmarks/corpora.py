"""How long it takes to index a corpus of 40,000 clips, and in how much memory.

    python benchmarks/corpora.py FOLDER [CLIPS]

Builds trees in FERV39k's layout below FOLDER, of a quarter, a half and all of the clips, and indexes each. Clips have 8 to 47
frames, as FERV39k's; frames are links to few tiny pictures, so that a tree fits anywhere.
"""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from ifdd.labels import EMOTIONS

SCENES = (
    *(
        "Action",
        "Argue",
        "Business",
        "Conflict",
        "Contest",
        "Crime",
        "Crisis",
        "DailyLife",
        "ElegantArt",
        "Experiment",
        "History",
    ),
    *("Interview", "Liveshow", "Medicine", "OfficialEvent", "ScholarReport", "School", "Social", "Speech", "Talkshow", "Terror"),
    "War",
)
CLASSES = tuple(name.capitalize() for name in EMOTIONS)
LINKS = 50_000
"""Links to one picture; file systems count them, and not above 65,000."""


def write_tiny_tree(out: Path, clips: int, seed: int = 0) -> Path:
    """A tree in FERV39k's layout, of clips of 8 to 47 tiny frames, a fifth of them for testing."""
    rng = np.random.default_rng(seed)
    pictures = out / ".pictures"
    pictures.mkdir(parents=True)
    lengths = rng.integers(8, 48, clips)
    lists: dict[str, list[str]] = {"train": [], "test": []}
    picture, used = pictures / "0.jpg", LINKS
    for number in range(clips):
        label = CLASSES[number % len(CLASSES)]
        name = f"{SCENES[number // len(CLASSES) % len(SCENES)]}/{label}/{number // (len(CLASSES) * len(SCENES)):04d}"
        folder = out / "2_ClipsforFaceCrop" / name
        folder.mkdir(parents=True)
        if used + lengths[number] > LINKS:
            picture, used = pictures / f"{number}.jpg", 0
            Image.fromarray(rng.integers(0, 256, (16, 16, 3), np.uint8)).save(picture, quality=80)
        for i in range(lengths[number]):
            os.link(picture, folder / f"{i:03d}.jpg")
        used += int(lengths[number])
        lists["train" if number % 5 else "test"].append(f"{name} {label}")
    for part, lines in lists.items():
        file = out / "4_setups/All_scenes" / f"{part}_All.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return out


def measured(root: Path, out: Path) -> dict[str, float]:
    """Seconds and MiB of `ifdd data index` in a process of its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    code = "from ifdd.cli import main; main()"
    command = [sys.executable, "-c", code, "data", "index", str(root), "--corpus", "ferv39k", "--out", str(out), "--json"]
    start = time.perf_counter()
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if run.returncode:
        raise SystemExit(run.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peak = after.ru_maxrss / 1024  # of the largest child so far: measure small trees first
    frames = int(pd.read_parquet(out, columns=["n_frames"])["n_frames"].sum())
    numbers = {"clips": json.loads(run.stdout)["clips"], "frames": frames}
    return numbers | {"seconds": round(seconds, 1), "cpu_seconds": round(cpu, 1), "peak_mib": round(peak)}


def main() -> None:
    """Build and measure."""
    folder, clips = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 40_000
    for count in (clips // 4, clips // 2, clips):
        root, out = folder / str(count), folder / f"{count}.parquet"
        if not root.exists():
            start = time.perf_counter()
            write_tiny_tree(root, count)
            print(f"built {root} in {time.perf_counter() - start:.0f} s")
        out.unlink(missing_ok=True)
        print(json.dumps(measured(root, out)))


if __name__ == "__main__":
    main()

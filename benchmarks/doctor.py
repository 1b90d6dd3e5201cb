"""Seconds and memory of `ifdd data doctor` on trees of tiny clips, and how often its detectors are right.

    python benchmarks/doctor.py tree FOLDER [CLIPS [quick]]   # a quarter, a half and all of 40,000 clips in FERV39k's layout
    python benchmarks/doctor.py order [DRAWS]    # models as weak as published ones: permuted labels found, right ones left

Clips have 8 to 47 frames, as FERV39k's; frames are links to 4,000 tiny pictures in another order each, so that no two clips are
alike. A hundredth of the test clips are copies of training clips.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from corpora import CLASSES, SCENES

from ifdd.data.corpora import CORPORA, index_corpus, write_indexed
from ifdd.data.label_order import ORDERS, explain_labels
from ifdd.data.published import published
from ifdd.labels import EMOTIONS

PICTURES, SIDE, COPIES = 4000, 24, 0.01


def write_tree(out: Path, clips: int, seed: int = 0) -> Path:
    """A tree in FERV39k's layout with its lists; returns `out`."""
    rng = np.random.default_rng(seed)
    pool = out / ".pictures"
    pool.mkdir(parents=True)
    for i in range(PICTURES):
        blocks = rng.integers(0, 256, (6, 6, 3), np.uint8)
        cv2.imwrite(str(pool / f"{i}.jpg"), cv2.resize(blocks, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC))
    frames = [rng.integers(0, PICTURES, rng.integers(8, 48)) for _ in range(clips)]
    tests = np.arange(0, clips, 5)
    for copy in rng.choice(tests, max(1, int(len(tests) * COPIES)), replace=False):
        frames[copy] = frames[copy + 1]
    lists: dict[str, list[str]] = {"train": [], "test": []}
    for number, chosen in enumerate(frames):
        label = CLASSES[number % len(CLASSES)]
        name = f"{SCENES[number // len(CLASSES) % len(SCENES)]}/{label}/{number // (len(CLASSES) * len(SCENES)):04d}"
        folder = out / "2_ClipsforFaceCrop" / name
        folder.mkdir(parents=True)
        for i, picture in enumerate(chosen):
            os.link(pool / f"{picture}.jpg", folder / f"{i:03d}.jpg")
        lists["train" if number % 5 else "test"].append(f"{name} {label}")
    for part, lines in lists.items():
        file = out / "4_setups" / "All_scenes" / f"{part}_All.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return out


def measured(manifest: Path, *words: str) -> dict[str, object]:
    """Seconds and MiB of the command in a process of its own, with those that it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-c", "from ifdd.cli import main; main()", "data", "doctor", str(manifest), "--json", *words]
    start = time.perf_counter()
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if run.returncode not in (0, 3, 4):
        raise SystemExit(run.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = json.loads(run.stdout)
    found = {one["check"]: one["count"] for one in told["findings"] if one["severity"] != "note"}
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peak = after.ru_maxrss / 1024  # of the largest child so far: small trees come first
    return {"clips": told["clips"], "seconds": round(seconds, 1), "cpu_seconds": round(cpu, 1), "peak_mib": round(peak), **found}


def trees(folder: Path, clips: int, quick: bool) -> None:
    """Build trees, index and examine them; `quick`: names and sizes of files alone."""
    manifests = []
    for count in (clips // 4, clips // 2, clips):
        root, manifest = folder / f"doctor-{count}", folder / f"doctor-{count}.parquet"
        if not root.exists():
            start = time.perf_counter()
            write_tree(root, count)
            print(f"built {root} in {time.perf_counter() - start:.0f} s")
        if not manifest.exists():
            write_indexed(index_corpus(CORPORA["ferv39k"], root), manifest)
        manifests.append(manifest)
    for words in (("--quick",),) if quick else (("--quick",), ("--only", "copies,near-duplicates"), ()):
        for manifest in manifests:
            frames = int(pd.read_parquet(manifest, columns=["n_frames"])["n_frames"].sum())
            print(json.dumps({"options": " ".join(words), "frames": frames} | measured(manifest, *words)), flush=True)


def order(draws: int) -> None:
    """Models with the recalls that papers print, on DFEW's first test fold and on a tenth of it: what is said of their labels."""
    official = CORPORA["dfew"].counts[1].test
    counts = np.array([official[name] for name in EMOTIONS])
    numbers = np.array([ORDERS["alphabetical-7"].index(name) for name in EMOTIONS])
    for share in (1, 10, 30):
        told: dict[str, Counter[str]] = {"right labels": Counter(), "permuted": Counter(), "chance": Counter()}
        for row in published("dfew"):
            if not row.recalls:
                continue
            recalls = np.array([row.recalls[name] for name in EMOTIONS]) / 100
            for seed in range(draws):
                rng = np.random.default_rng([seed, share])
                labels = np.repeat(np.arange(7), np.maximum(counts // share, 1))
                chances = recalls * counts * rng.gamma(3, size=(7, 7))
                np.fill_diagonal(chances, 0)
                chances *= ((1 - recalls) / chances.sum(1))[:, None]
                np.fill_diagonal(chances, recalls)
                predicted = (chances[labels].cumsum(1) > rng.random((len(labels), 1))).argmax(1)
                told["right labels"][explain_labels(predicted, labels, EMOTIONS).verdict] += 1
                found = explain_labels(numbers[predicted], labels, EMOTIONS)
                named = [(pair.labels, pair.predictions) for pair in found.orders] == [("dfew", "alphabetical-7")]
                told["permuted"][f"{found.verdict}{', named' if named else ''}"] += 1
                told["chance"][explain_labels(rng.permutation(predicted), labels, EMOTIONS).verdict] += 1
        for what, verdicts in told.items():
            print(json.dumps({"clips": int(np.maximum(counts // share, 1).sum()), "labels": what} | dict(verdicts)), flush=True)


def main() -> None:
    """What the first word says."""
    if sys.argv[1:2] == ["order"]:
        order(int(sys.argv[2]) if len(sys.argv) > 2 else 10)
    else:
        trees(Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 40_000, sys.argv[4:] == ["quick"])


if __name__ == "__main__":
    main()

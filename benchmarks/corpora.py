"""Trees in the layouts of the corpora, and how long it takes to index one of 40,000 clips.

    python benchmarks/corpora.py index FOLDER [CLIPS]     # builds trees in FERV39k's layout below FOLDER, and indexes them
    python benchmarks/corpora.py tree KIND MANIFEST OUT   # lays rendered clips out as dfew, ferv39k or mafw, with their lists

Trees have a quarter, a half and all of the clips, of 8 to 47 frames each, as FERV39k's are; frames are links to few tiny
pictures, so that they fit anywhere.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from PIL import Image

from ifdd.data.manifest import clip_path, read_manifest
from ifdd.data.video import image_files
from ifdd.labels import EMOTIONS

Kind = Literal["dfew", "ferv39k", "mafw"]
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
CLASSES = {name: name.capitalize() for name in EMOTIONS}
MAFW_WORDS = {name: name for name in EMOTIONS} | {"happy": "happiness", "sad": "sadness", "angry": "anger"}
DFEW_NUMBERS = {name: number for number, name in enumerate(CLASSES, 1)}
LINKS = 50_000
"""Links to one picture; file systems count them, and not above 65,000."""


def write_corpus_tree(kind: Kind, manifest: Path, out: Path, folds: int = 5, seed: int = 0) -> Path:
    """Lay clips (folders of frames, as `ifdd data render` writes them) out as a corpus, with its lists; returns the folder.

    Frames are hard links where the disk allows it, else copies. Persons do not share folds where the manifest knows them.
    """
    from ifdd.data.corpora.splitting import split_folds

    frame = split_folds(read_manifest(manifest), folds, "subject", seed).frame
    rows = frame.to_dict("records")
    names: list[tuple[str, str, int]] = []
    for number, row in enumerate(rows, 1):
        clip = clip_path(frame, row)
        label = str(row["label_name"])
        if kind == "dfew":
            name, folder = f"{number:05d}", Path("Clip/clip_224x224") / f"{number:05d}"
        elif kind == "mafw":
            name, folder = f"{number:05d}", Path("data/frames") / f"{number:05d}"
        else:
            name = f"{SCENES[number % len(SCENES)]}/{CLASSES[label]}/{number:04d}"
            folder = Path("2_ClipsforFaceCrop") / name
        (out / folder).mkdir(parents=True)
        for i, file in enumerate(image_files(clip), 1):
            link_or_copy(file, out / folder / f"{i}{file.suffix.lower()}")
        names.append((name, label, int(row["fold"])))
    write_lists(kind, names, out)
    return out


def write_lists(kind: Kind, names: Sequence[tuple[str, str, int]], out: Path) -> None:
    """The official lists of a corpus, in its own layout; clips are (name, class, fold in whose test part it is)."""
    if kind == "ferv39k":
        for part in ("train", "test"):
            lines = [f"{name} {CLASSES[label]}" for name, label, fold in names if (fold == 1) == (part == "test")]
            put(out / "4_setups/All_scenes" / f"{part}_All.csv", lines)
        return
    for fold in sorted({fold for _, _, fold in names}):
        for part in ("train", "test"):
            chosen = [(name, label) for name, label, own in names if (own == fold) == (part == "test")]
            if kind == "dfew":
                rows = [f"{name},{DFEW_NUMBERS[label]}" for name, label in chosen]
                put(out / f"EmoLabel_DataSplit/{part}(single-labeled)/set_{fold}.csv", ["video_name,label", *rows])
            else:
                put(
                    out / f"single/no_caption/set_{fold}/{part}.txt",
                    [f"{name}.mp4 {MAFW_WORDS[label]}" for name, label in chosen],
                )


def put(file: Path, lines: Sequence[str]) -> None:
    """Write lines."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def link_or_copy(file: Path, to: Path) -> None:
    """A hard link, or where the disk has none, a copy."""
    try:
        os.link(file.resolve(), to)
    except OSError:
        shutil.copyfile(file, to)


def write_tiny_tree(out: Path, clips: int, seed: int = 0) -> Path:
    """A tree in FERV39k's layout, of clips of 8 to 47 tiny frames, a fifth of them for testing."""
    rng = np.random.default_rng(seed)
    pictures = out / ".pictures"
    pictures.mkdir(parents=True)
    lengths = rng.integers(8, 48, clips)
    names: list[tuple[str, str, int]] = []
    picture, used = pictures / "0.jpg", LINKS
    for number in range(clips):
        label = list(CLASSES)[number % len(CLASSES)]
        name = f"{SCENES[number // len(CLASSES) % len(SCENES)]}/{CLASSES[label]}/{number // (len(CLASSES) * len(SCENES)):04d}"
        folder = out / "2_ClipsforFaceCrop" / name
        folder.mkdir(parents=True)
        if used + lengths[number] > LINKS:
            picture, used = pictures / f"{number}.jpg", 0
            Image.fromarray(rng.integers(0, 256, (16, 16, 3), np.uint8)).save(picture, quality=80)
        for i in range(lengths[number]):
            os.link(picture, folder / f"{i:03d}.jpg")
        used += int(lengths[number])
        names.append((name, label, 1 if number % 5 == 0 else 2))
    write_lists("ferv39k", names, out)
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
    """Build and measure, or lay out."""
    if sys.argv[1:2] == ["tree"]:
        kind, manifest, out = sys.argv[2:5]
        print(write_corpus_tree(kind, Path(manifest), Path(out)))  # type: ignore[arg-type]  # told if it is another
        return
    folder, clips = Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 40_000
    for count in (clips // 4, clips // 2, clips):
        root = folder / str(count)
        if not root.exists():
            start = time.perf_counter()
            write_tiny_tree(root, count)
            print(f"built {root} in {time.perf_counter() - start:.0f} s")
        out = folder / f"{count}.parquet"
        out.unlink(missing_ok=True)
        print(json.dumps(measured(root, out)))


if __name__ == "__main__":
    main()

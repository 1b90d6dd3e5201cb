"""CPU seconds and memory until a door is open: import, help pages, one explained clip; as a ratio to another copy of the code.

    python benchmarks/doors.py [--against FOLDER] [--video FILE] [--rounds 3]

FOLDER is another checkout, e.g. of the commit before (`git worktree add`). Both run in turns; medians are printed.
Without --video a synthetic clip of 3 s, 512 × 512, is explained by its whole frame.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def make_video(file: Path) -> None:
    """Three seconds of a moving square, 512 × 512, 25 frames a second."""
    import av
    import numpy as np

    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 512
        stream.pix_fmt = "yuv420p"
        for i in range(75):
            picture = np.full((512, 512, 3), 90, np.uint8)
            picture[100:300, 4 * i : 4 * i + 150] = (200, 140, 60)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def run(root: Path, words: list[str]) -> tuple[float, float]:
    """CPU seconds and peak MiB of one process in the checkout `root`."""
    environment = os.environ | {"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    code = "import sys\n" + words[0]
    child = subprocess.Popen([sys.executable, "-c", code, *words[1:]], env=environment, cwd=root, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{root}: {' '.join(words[1:])} ended with {os.waitstatus_to_exitcode(status)}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def command(package: str, *words: str) -> list[str]:
    """What runs a command of the package as its console script does."""
    return [f"import {package}.cli as c\nsys.argv = ['{package}', *sys.argv[1:]]\nc.main()", *words]


def main() -> None:
    """Print a line for each door."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--video", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        video = args.video or Path(folder) / "clip.mp4"
        if not args.video:
            make_video(video)
        explained = ["--checkpoint", str(ROOT / "checkpoints" / "scripted-tiny-ifdd"), "--crop", "none"]
        doors = {
            "import workbench": ["import workbench"],
            "import ifdd": ["import ifdd"],
            "workbench --help": command("workbench", "--help"),
            "ifdd --help": command("ifdd", "--help"),
            "workbench explain --help": command("workbench", "explain", "--help"),
            "workbench explain": command("workbench", "explain", str(video), *explained, "--out"),
        }
        roots = [ROOT] if args.against is None else [ROOT, args.against.resolve()]
        for name, words in doors.items():
            spent: dict[Path, list[float]] = {root: [] for root in roots}
            held: dict[Path, float] = {}
            for i in range(args.rounds):
                for k, root in enumerate(roots):
                    out = [str(Path(folder) / f"{i}-{k}")] if words[-1] == "--out" else []
                    seconds, held[root] = run(root, [*words, *out])
                    spent[root].append(seconds)
            here = statistics.median(spent[ROOT])
            text = f"{name:<26} {here:6.2f} CPU s, {held[ROOT]:5.0f} MiB"
            if len(roots) > 1:
                before = statistics.median(spent[roots[1]])
                text += f"; before {before:6.2f} CPU s, {held[roots[1]]:5.0f} MiB; ratio {before / here:.1f}"
            print(text)


if __name__ == "__main__":
    main()

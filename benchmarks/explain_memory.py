"""Time and peak memory of `workbench explain`, on a video and on the same video made 20 times longer.

    python benchmarks/explain_memory.py VIDEO CHECKPOINT [TIMES]

The long video is made in a temporary folder by repeating the packets, so both are decoded alike.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av


def lengthen(video: Path, out: Path, times: int) -> int:
    """Write the packets of `video` several times behind one another; returns the number of packets."""
    count, shift = 0, 0
    with av.open(str(out), "w") as target:
        stream = None
        for _ in range(times):
            end = 0
            with av.open(str(video)) as source:
                origin = source.streams.video[0]
                if stream is None:
                    stream = target.add_stream_from_template(origin)
                for packet in source.demux(origin):
                    if packet.dts is None or packet.pts is None:
                        continue
                    end = max(end, packet.pts + (packet.duration or 0))
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = stream
                    target.mux(packet)
                    count += 1
            shift += end
    return count


def measure(video: Path, checkpoint: str, *options: str) -> tuple[float, float]:
    """(seconds, peak MiB) of one run in a process of its own, start of Python included."""
    with tempfile.TemporaryDirectory() as folder:
        program = "from workbench.cli import main; main()"
        words = ["explain", str(video), "--checkpoint", checkpoint, "--out", folder, *options]
        start = time.perf_counter()
        # a child of a fresh process: the peak of all children is then its own
        script = (
            "import resource, subprocess, sys\n"
            "code = subprocess.call(sys.argv[1:])\n"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
            "sys.exit(code)"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, sys.executable, "-c", program, *words], capture_output=True, text=True, check=False
        )
        seconds = time.perf_counter() - start
        if done.returncode:
            sys.exit(done.stderr.strip())
    peak = int(done.stdout.splitlines()[-1])
    return seconds, peak / (2**20 if sys.platform == "darwin" else 2**10)  # macOS counts bytes, Linux KiB


def main() -> None:
    """Print both runs and their ratios."""
    if len(sys.argv) not in (3, 4):
        sys.exit((__doc__ or "").strip())
    video, checkpoint, times = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) == 4 else 20
    with tempfile.TemporaryDirectory() as folder:
        long = Path(folder) / f"long{video.suffix}"
        packets = lengthen(video, long, times)
        short_run = measure(video, checkpoint)
        long_run = measure(long, checkpoint)
        windows = measure(long, checkpoint, "--window", "2", "--stride", "1")
    for name, (seconds, peak) in (
        (video.name, short_run),
        (f"{times} times longer ({packets} frames)", long_run),
        ("the same in windows", windows),
    ):
        print(f"{name}: {seconds:.1f} s, peak {peak:.0f} MiB, ratio {peak / short_run[1]:.3f}")


if __name__ == "__main__":
    main()

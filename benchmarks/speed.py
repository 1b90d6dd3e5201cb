"""Our mvit-s against torchvision's `mvit_v2_s`, same weights, in turn in one run: forward, training step, peak memory.

    python benchmarks/speed.py [--pairs 5] [--batch 2] [--bf16]

Ratios are theirs / ours, medians over alternating pairs: above 1 is faster, or less memory. `--bf16` adds our forward under bf16
autocast against their float32; on CPUs without bf16 units it is slow.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision.models.video import mvit_v2_s

from ifdd.weights import from_kinetics

SHAPE = (3, 16, 224, 224)


def build(whose: str) -> nn.Module:
    """One of the two networks, with the same random weights; 7 classes each."""
    torch.manual_seed(0)
    theirs = mvit_v2_s(weights=None, num_classes=7)
    return theirs if whose == "theirs" else from_kinetics(theirs.state_dict(), "mvit-s-baseline", normalise="none", stages=(3,))


def logits(model: nn.Module, clips: Tensor) -> Tensor:
    """Logits of either."""
    output = model(clips)
    return output if isinstance(output, Tensor) else output.logits


def training_step(model: nn.Module, batch: int) -> Callable[[], None]:
    """Forward, backward and AdamW on one batch."""
    model.train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-5)
    clips, target = torch.rand(batch, *SHAPE), torch.zeros(batch, dtype=torch.long)

    def step() -> None:
        optimiser.zero_grad()
        nn.functional.cross_entropy(logits(model, clips), target).backward()
        optimiser.step()

    return step


def seconds(function: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def compare(name: str, ours: Callable[[], object], theirs: Callable[[], object], pairs: int) -> None:
    """Print the ratio of alternating calls."""
    ours(), theirs()  # warm up
    times = [(seconds(ours), seconds(theirs)) for _ in range(pairs)]
    ratios = [b / a for a, b in times]
    a, b = (statistics.median(column) for column in zip(*times, strict=True))
    print(
        f"{name:34} {b:6.2f} s  {a:6.2f} s  {statistics.median(ratios):5.2f}  ({min(ratios):.2f} – {max(ratios):.2f})", flush=True
    )


def resident(which: str) -> float:
    """Resident memory of this process in MiB, now (VmRSS) or at most so far (VmHWM); Linux."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(which))
    return int(line.split()[1]) / 1024


def peak_of_step(whose: str, batch: int) -> float:
    """MiB that a training step adds to the process, from a process of its own."""
    command = [sys.executable, __file__, "--memory", whose, "--batch", str(batch)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--batch", type=int, default=2, help="of the training step")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--memory", choices=["ours", "theirs"], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.memory:
        step = training_step(build(args.memory), args.batch)
        before = resident("VmRSS")
        step(), step()
        print(resident("VmHWM") - before)
        return
    ours, theirs = build("ours").eval(), build("theirs").eval()
    clips = torch.rand(1, *SHAPE)
    print(f"{'16×224×224':34} {'theirs':>8}  {'ours':>8}  ratio  (range of {args.pairs} pairs)")
    with torch.no_grad():
        compare("forward, float32, 1 clip", lambda: logits(ours, clips), lambda: logits(theirs, clips), args.pairs)
        if args.bf16:

            def half() -> None:
                with torch.autocast("cpu", torch.bfloat16):
                    logits(ours, clips)

            compare("forward, ours bf16, theirs float32", half, lambda: logits(theirs, clips), args.pairs)
    name = f"training step, float32, {args.batch} clips"
    compare(name, training_step(ours, args.batch), training_step(theirs, args.batch), args.pairs)
    mine, other = peak_of_step("ours", args.batch), peak_of_step("theirs", args.batch)
    print(f"{'peak memory of a training step':34} {other:5.0f} MiB {mine:5.0f} MiB {other / mine:5.2f}")


if __name__ == "__main__":
    main()

"""Ours against the plain path, torchvision's MViTv2 blocks: same weights, same tokens, in turn in one run.

    python benchmarks/speed.py [--model mvit-s] [--pairs 5] [--batch 2] [--bf16] [--device cuda]

`mvit-s` is torchvision's `mvit_v2_s` whole, `mvit-xs` the same cut to the ten blocks of the released IFDD backbone.
Ratios are theirs / ours, medians over alternating pairs: above 1 is faster, or less memory. `--bf16` adds our forward under bf16
autocast against their float32 (slow on CPUs without bf16 units). "of peak" is the speed of our forward in FLOPs against that of
one 2048³ matrix product of the same type. Rows of 32 frames are ours alone (torchvision has no such model).
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision.models.video import mvit_v2_s

from ifdd import create_model
from ifdd.models.cost import cost
from ifdd.weights.kinetics import KINETICS_BLOCKS, from_kinetics

SIZE = (224, 224)


def build(whose: str, name: str, device: str) -> nn.Module:
    """One of the two networks, with the same random weights; 7 classes each."""
    torch.manual_seed(0)
    theirs = mvit_v2_s(weights=None, num_classes=7)
    if whose == "ours":
        return from_kinetics(theirs.state_dict(), f"{name}-baseline", normalise="none", stages=(3,)).to(device)
    theirs.blocks = nn.ModuleList(theirs.blocks[i] for i in KINETICS_BLOCKS[name])
    return theirs.to(device)


def logits(model: nn.Module, clips: Tensor) -> Tensor:
    """Logits of either."""
    output = model(clips)
    return output if isinstance(output, Tensor) else output.logits


def tokens(model: nn.Module, clips: Tensor) -> Tensor:
    """All normed tokens of either (their heads read different ones)."""
    caught: list[Tensor] = []
    norm = model.get_submodule("norm" if hasattr(model, "blocks") else "backbone.norm")
    with norm.register_forward_hook(lambda _module, _inputs, out: caught.append(out)), torch.no_grad():
        model(clips)
    return caught[0]


def forward(model: nn.Module, clips: Tensor, half: bool = False) -> None:
    """Logits without gradients."""
    with torch.no_grad(), torch.autocast(clips.device.type, torch.bfloat16, enabled=half):
        logits(model, clips)


def training_step(model: nn.Module, clips: Tensor) -> Callable[[], None]:
    """Forward, backward and AdamW on one batch."""
    model.train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-5)
    target = torch.zeros(len(clips), dtype=torch.long, device=clips.device)

    def step() -> None:
        optimiser.zero_grad()
        nn.functional.cross_entropy(logits(model, clips), target).backward()
        optimiser.step()

    return step


def seconds(function: Callable[[], object], device: str) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    function()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def compare(name: str, ours: Callable[[], object], theirs: Callable[[], object], pairs: int, device: str) -> float:
    """Print the ratio of alternating calls; the median time of ours, in seconds."""
    ours(), theirs()  # warm up
    times = [(seconds(ours, device), seconds(theirs, device)) for _ in range(pairs)]
    ratios = [b / a for a, b in times]
    a, b = (statistics.median(column) for column in zip(*times, strict=True))
    spread = f"({min(ratios):.2f} – {max(ratios):.2f})"
    print(f"{name:36} {b:8.3f} s {a:8.3f} s {statistics.median(ratios):6.2f}  {spread}", flush=True)
    return a


def alone(name: str, ours: Callable[[], object], pairs: int, device: str) -> None:
    """Print our time where there is nothing to compare with."""
    ours()
    print(f"{name:36} {'':10} {statistics.median(seconds(ours, device) for _ in range(pairs)):8.3f} s", flush=True)


def peak(dtype: torch.dtype, device: str) -> float:
    """FLOPs per second of one 2048³ product, the best of five."""
    a, b = (torch.rand(2048, 2048, dtype=dtype, device=device) for _ in range(2))
    return 2 * 2048**3 / min(seconds(partial(torch.mm, a, b), device) for _ in range(5))


def resident(which: str) -> float:
    """Resident memory of this process in MiB, now (VmRSS) or at most so far (VmHWM); Linux."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(which))
    return int(line.split()[1]) / 1024


def memory_of_two_steps(args: argparse.Namespace) -> None:
    """Print the MiB that two training steps add at most; in a process of its own."""
    model = build(args.memory, args.model, args.device)
    step = training_step(model, torch.rand(args.batch, 3, 16, *SIZE, device=args.device))
    if args.device == "cuda":
        before = torch.cuda.memory_allocated() / 2**20
        step(), step()
        print(torch.cuda.max_memory_allocated() / 2**20 - before)
    else:
        before = resident("VmRSS")
        step(), step()
        print(resident("VmHWM") - before)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=sorted(KINETICS_BLOCKS), default="mvit-s")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--batch", type=int, default=2, help="clips of the training step")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--memory", choices=["ours", "theirs"], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.memory:
        memory_of_two_steps(args)
        return
    ours, theirs = (build(whose, args.model, args.device).eval() for whose in ("ours", "theirs"))
    clips = torch.rand(args.batch, 3, 16, *SIZE, device=args.device)
    one = clips[:1]
    apart = (tokens(ours, one) - tokens(theirs, one)).abs().max()
    print(f"{args.model}, 16×224×224, 7 classes; normed tokens differ by at most {apart:.1e}")
    print(f"{'':36} {'theirs':>10} {'ours':>10}  ratio  (range of {args.pairs} pairs)")
    row = partial(compare, pairs=args.pairs, device=args.device)
    taken = row("forward, float32, 1 clip", partial(forward, ours, one), partial(forward, theirs, one))
    flops = cost(ours.config).flops
    print(f"  {flops / 1e9:.1f} GFLOPs, {flops / taken / peak(torch.float32, args.device):.0%} of peak")
    if args.bf16:
        taken = row("forward, ours bf16, theirs float32", partial(forward, ours, one, half=True), partial(forward, theirs, one))
        print(f"  {flops / taken / peak(torch.bfloat16, args.device):.0%} of peak")
    row(f"training step, float32, {args.batch} clips", training_step(ours, clips), training_step(theirs, clips))
    command = [sys.executable, __file__, "--model", args.model, "--batch", str(args.batch), "--device", args.device, "--memory"]
    mine, other = (
        float(subprocess.run([*command, whose], check=True, capture_output=True, text=True).stdout)
        for whose in ("ours", "theirs")
    )
    print(f"{'peak memory of the step':36} {other:6.0f} MiB {mine:6.0f} MiB {other / mine:6.2f}")
    longer = create_model(ours.config, frames=32).to(args.device).eval()
    clips = torch.rand(args.batch, 3, 32, *SIZE, device=args.device)
    alone("forward, float32, 1 clip of 32", partial(forward, longer, clips[:1]), args.pairs, args.device)
    alone(f"training step, {args.batch} clips of 32", training_step(longer, clips), args.pairs, args.device)


if __name__ == "__main__":
    main()

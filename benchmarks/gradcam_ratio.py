"""Cost of Grad-CAM of both branches on one clip, in plain forward passes: mvit-xs at 16×224².

    python benchmarks/gradcam_ratio.py [--pairs 7]

Prints the median over alternating pairs, taken in one run on one machine.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch

import ifdd
from workbench.analysis.saliency import gradcam_branches


def seconds(function: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=7)
    pairs = parser.parse_args().pairs
    torch.manual_seed(0)
    model = ifdd.create_model("ifdd-mvit-xs").eval()
    clips = torch.rand(1, 3, 16, 224, 224)

    @torch.no_grad()
    def forward() -> None:
        model(clips)

    def saliency() -> None:
        gradcam_branches(model, clips)

    forward(), saliency()  # warm up
    measured = [(seconds(forward), seconds(saliency)) for _ in range(pairs)]
    ratios = [maps / plain for plain, maps in measured]
    print(f"forward           {statistics.median(plain for plain, _ in measured):6.2f} s")
    print(f"Grad-CAM, D and S {statistics.median(maps for _, maps in measured):6.2f} s")
    print(f"ratio             {statistics.median(ratios):6.2f}   (min {min(ratios):.2f}, max {max(ratios):.2f}, {pairs} pairs)")


if __name__ == "__main__":
    main()

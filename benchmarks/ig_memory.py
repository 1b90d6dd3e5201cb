"""Peak memory and time of integrated gradients of one clip, 16×224², by how many steps are worked on at once.

    python benchmarks/ig_memory.py [--model ifdd-mvit-xs] [--steps 10] [--batches 1,4]

Each setting runs in a process of its own; the peak is what it takes beyond a process that has loaded the model and run it
forward once. The peak does not depend on the number of steps, the time is proportional to it.
"""

import argparse
import resource
import subprocess
import sys
import time

import torch

import ifdd
from workbench.analysis.saliency.attribution import AttributionRequest, attribute


def peak() -> float:
    """Peak memory of this process so far, MiB."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (2**20 if sys.platform == "darwin" else 2**10)  # macOS counts bytes, Linux KiB


def measure(name: str, steps: int, batch: int) -> None:
    """Print the peak after one forward pass, the peak after the attribution, and its seconds."""
    torch.manual_seed(0)
    model = ifdd.create_model(name, size=(224, 224)).eval()
    clip = torch.rand(1, 3, 16, 224, 224)
    with torch.no_grad():
        model(clip)
    before, start = peak(), time.perf_counter()
    attribute(model, clip, "integrated-gradients", 0, request=AttributionRequest(steps=steps, batch=batch))
    print(before, peak(), time.perf_counter() - start)


def main() -> None:
    """Measure every setting and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="ifdd-mvit-xs")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--batches", default="1,4")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one is not None:
        measure(chosen.model, chosen.steps, chosen.one)
        return
    for batch in chosen.batches.split(","):
        words = [sys.executable, __file__, "--model", chosen.model, "--steps", str(chosen.steps), "--one", batch]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr.strip())
        forward, whole, seconds = map(float, done.stdout.split()[-3:])
        print(
            f"{chosen.model}, {batch} steps at once: peak {whole:.0f} MiB, {whole / forward:.2f} of a forward pass "
            f"({forward:.0f} MiB); {seconds / chosen.steps:.2f} s a step"
        )


if __name__ == "__main__":
    main()

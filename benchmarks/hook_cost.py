"""What HookPoints cost when nothing is hooked: a model against the same one with its HookPoints taken out.

    python benchmarks/hook_cost.py [--model ifdd-mvit-tiny] [--size 112] [--pairs 30]

Prints the median of with / without over alternating pairs and its 95 % interval (bootstrap over the pairs).
"""

import argparse
import copy
import time

import numpy as np
import torch
from torch import nn

import ifdd
from ifdd.hooks import HookPoint


def without_hook_points(model: nn.Module) -> nn.Module:
    """A copy in which every HookPoint is a bare function that returns its argument."""
    bare = copy.deepcopy(model)
    for module in list(bare.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, HookPoint):
                delattr(module, name)
                object.__setattr__(module, name, lambda tensor: tensor)
    return bare


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="ifdd-mvit-tiny")
    parser.add_argument("--size", type=int, default=112)
    parser.add_argument("--pairs", type=int, default=30)
    args = parser.parse_args()
    torch.manual_seed(0)
    model = ifdd.create_model(args.model, size=(args.size, args.size)).eval()
    bare = without_hook_points(model)
    clips = torch.rand(1, 3, model.config.frames, args.size, args.size)

    @torch.no_grad()
    def seconds(network: nn.Module) -> float:
        start = time.perf_counter()
        network(clips)
        return time.perf_counter() - start

    for network in (model, bare) * 3:
        seconds(network)
    ratios = []
    for i in range(args.pairs):  # each comes first in half of the pairs
        order = (model, bare) if i % 2 else (bare, model)
        taken = {id(network): seconds(network) for network in order}
        ratios.append(taken[id(model)] / taken[id(bare)])
    medians = np.median(np.random.default_rng(0).choice(ratios, (2000, len(ratios))), axis=1)
    low, high = np.quantile(medians, (0.025, 0.975))
    print(f"{args.model} at {args.size}²: with / without HookPoints {np.median(ratios):.3f} (95 % {low:.3f} – {high:.3f})")


if __name__ == "__main__":
    main()

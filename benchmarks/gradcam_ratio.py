"""Cost of Grad-CAM of both branches in plain forward passes and against the grad-cam package.

    python benchmarks/gradcam_ratio.py [--model ifdd-mvit-xs] [--clips 1] [--batch 4] [--pairs 7]

The package needs one call for each branch. Prints medians over alternating rounds, taken in one run on one machine, and by how
much the maps before ReLU and scaling differ, relative to their largest value. Random clips of the size that the model reads by
default; all three go through them in the same batches.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn

import ifdd
from ifdd.models.base import VideoModel
from workbench.analysis.saliency.maps import gradcam_branches


def seconds(function: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


class Logits(nn.Module):
    """The model as the package wants it: clips → logits."""

    def __init__(self, model: VideoModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, clips: Tensor) -> Tensor:
        """(B, 3, T, H, W) → (B, classes)."""
        logits: Tensor = self.model(clips).logits
        return logits


class RawGradCAM(GradCAM):
    """The package's map before ReLU and scaling."""

    def compute_cam_per_layer(self, input_tensor, targets, eigen_smooth):  # type: ignore[no-untyped-def]
        """As the package, without what comes after the weighted sum."""
        activations, grads = self.activations_and_grads.activations[0], self.activations_and_grads.gradients[0]
        return [self.get_cam_image(input_tensor, None, targets, activations.numpy(), grads.numpy(), eigen_smooth)]

    def aggregate_multi_layers(self, cams):  # type: ignore[no-untyped-def]
        """One layer: nothing to aggregate."""
        return cams[0]


def package_maps(model: VideoModel, clips: Tensor) -> dict[str, np.ndarray]:
    """Both branches by two calls of the grad-cam package, for class 0."""
    maps = {}
    for branch, name in model.branches.items():

        def reshape(tokens: Tensor) -> Tensor:
            return tokens.transpose(1, 2).unflatten(2, (-1, *model.config.grid))

        with RawGradCAM(Logits(model), [model.get_submodule(name)], reshape_transform=reshape) as cam:
            maps[branch] = cam(clips, [ClassifierOutputTarget(0)] * len(clips))
    return maps


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="ifdd-mvit-xs")
    parser.add_argument("--clips", type=int, default=1)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--pairs", type=int, default=7)
    args = parser.parse_args()
    pairs = args.pairs
    torch.manual_seed(0)
    model = ifdd.create_model(args.model).eval()
    batches = torch.rand(args.clips, 3, model.config.frames, *model.config.size).split(args.batch)

    @torch.no_grad()
    def forward() -> None:
        for clips in batches:
            model(clips)

    first = batches[0]
    ours, theirs = gradcam_branches(model, first, target=0), package_maps(model, first)  # warm up, too
    apart = max(float(np.abs(ours[b].raw - theirs[b]).max() / np.abs(theirs[b]).max()) for b in theirs)
    forward()
    calls: tuple[Callable[[], object], ...] = (
        forward,
        lambda: [gradcam_branches(model, clips, target=0) for clips in batches],
        lambda: [package_maps(model, clips) for clips in batches],
    )
    times = np.array([[seconds(call) for call in calls] for _ in range(pairs)])
    plain, maps, package = np.median(times, 0)
    print(f"{args.model}, {args.clips} clips of {tuple(first.shape[2:])}, {len(first)} at once")
    print(f"forward                      {plain:6.2f} s")
    print(f"Grad-CAM, D and S            {maps:6.2f} s")
    print(f"two calls of the package     {package:6.2f} s   its maps differ by {apart:.1e}")
    for name, ratios in (("ours / forward", times[:, 1] / times[:, 0]), ("package / ours", times[:, 2] / times[:, 1])):
        print(f"{name:28} {np.median(ratios):6.2f}     (min {ratios.min():.2f}, max {ratios.max():.2f}, {pairs} rounds)")


if __name__ == "__main__":
    main()

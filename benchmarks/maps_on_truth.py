"""Where Grad-CAM of a checkpoint lies on scripted faces, against the pixels that the emotion moves.

    python benchmarks/maps_on_truth.py CHECKPOINT [--clips 70]

For each branch: the share of the map that falls on those pixels over the share of the frame that they take (1 is chance), and
the correlation over frames of the map's sum with the true intensity. Test clips whose emotion moves something; the true class
is explained.
"""

import argparse

import numpy as np
import torch
from scipy.stats import bootstrap

import ifdd
from ifdd.data.scripted import SuiteConfig, render_clip, suite_scripts
from ifdd.data.scripted.clips import render_times
from ifdd.labels import EMOTIONS
from workbench.analysis.saliency import gradcam_branches


def measure(bundle: ifdd.Bundle, clips: int) -> dict[str, np.ndarray]:
    """Branch → (clips, 2): ratio on the moved pixels, correlation with intensity."""
    config = bundle.model.config
    scripts = suite_scripts(
        SuiteConfig("maps", seed=3, clips=clips, identities=max(1, clips // 7), split="test", difficulty="easy")
    )
    found: dict[str, list[tuple[float, float]]] = {branch: [] for branch in bundle.model.branches}
    for script in scripts:
        if script.emotion == "neutral":
            continue
        clip = render_clip(script, config.size[0], render_times(config.frames, script.duration))
        masks, intensity = clip.truth.mask, clip.truth.intensity
        shown = masks.any((1, 2))
        if shown.sum() < 3 or np.ptp(intensity) == 0:
            continue
        pixels = torch.from_numpy(clip.frames).permute(3, 0, 1, 2)[None].float() / 255
        for branch, result in gradcam_branches(bundle.model, pixels, EMOTIONS.index(script.emotion)).items():
            maps = result.frames[0]
            if maps[shown].sum() > 0 and np.ptp(maps.sum((1, 2))) > 0:
                ratio = maps[masks].sum() / maps[shown].sum() / (masks.sum() / masks[shown].size)
                found[branch].append((float(ratio), float(np.corrcoef(maps.sum((1, 2)), intensity)[0, 1])))
    return {branch: np.array(rows).reshape(-1, 2) for branch, rows in found.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint")
    parser.add_argument("--clips", type=int, default=70)
    args = parser.parse_args()
    for branch, rows in measure(ifdd.load_checkpoint(args.checkpoint), args.clips).items():
        for name, values in zip(("on moved pixels", "with intensity"), rows.T, strict=True):
            low, high = bootstrap((values,), np.mean, rng=0).confidence_interval
            print(f"{branch:2} {name:16} {values.mean():5.2f}  ({low:.2f} – {high:.2f}, n {len(values)})")


if __name__ == "__main__":
    main()

"""Which part of OUS the gradient of which loss reaches: python benchmarks/ous_gradients.py [paper|released]."""

import sys

import torch

import ifdd
from ifdd.models.families import FAMILIES
from ifdd.models.ous.config import EARLY, OUSConfig
from ifdd.training.recipe import LossConfig

PARTS = {
    "encoder, first four blocks": ("encoder.conv1", "encoder.ln_pre", *(f"encoder.blocks.{i}." for i in range(EARLY))),
    "encoder, the rest": ("encoder.",),
    "LSTM": ("lstm.",),
    "alignment": ("face.align.", "scene.align."),
    "Frame Encoder": ("face.frame_encoder.",),
    "scene projection": ("scene.frames_mean.",),
    "Polarity Encoder": ("polarity_encoder.",),
    "queries": ("fusion.query",),
    "Type Fusion Encoder": ("fusion.",),
    "prompts": ("prompts.",),
    "scale of the logits": ("head.",),
}
"""Beginnings of parameters' names; a parameter is of the first part that fits."""


def part_of(name: str) -> str:
    """Those of tokens and positions, which all blocks read, are of the first blocks."""
    if name in ("encoder.class_embedding", "encoder.positional_embedding"):
        return "encoder, first four blocks"
    return next(part for part, beginnings in PARTS.items() if name.startswith(beginnings))


def reach(**fields: object) -> dict[str, set[str]]:
    """Loss → parts in which at least one parameter has a gradient that is not zero."""
    torch.manual_seed(0)
    config = OUSConfig(frames=4, size=(32, 32), **fields)  # type: ignore[arg-type]
    model = ifdd.create_model(config).train()
    loss = FAMILIES["ous"].loss(config, LossConfig())
    clips = {name: torch.rand(7, *shape) for name, shape in model.inputs.items()}
    found: dict[str, set[str]] = {}
    for name in [term for term in loss(model(clips), torch.arange(7)) if term != "loss"]:
        model.zero_grad()
        loss(model(clips), torch.arange(7))[name].backward()
        found[name] = {part_of(key) for key, p in model.named_parameters() if p.grad is not None and bool(p.grad.any())}
    return found


def main() -> None:
    """Print the table."""
    preset = sys.argv[1] if len(sys.argv) > 1 else "paper"
    found = reach(preset=preset)
    print(f"preset {preset}\n\n| part | {' | '.join(found)} |\n| --- |{' --- |' * len(found)}")
    for part in PARTS:
        print(f"| {part} | {' | '.join('yes' if part in parts else '–' for parts in found.values())} |")


if __name__ == "__main__":
    main()

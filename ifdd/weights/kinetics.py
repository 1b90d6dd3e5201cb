"""Weights of torchvision's video networks, trained on Kinetics-400 → our backbones."""

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ifdd.errors import InputError
from ifdd.models.base import VideoModel
from ifdd.models.families import create_model
from ifdd.models.loading import load_exactly
from ifdd.weights.reference import rename_reference

KINETICS_BLOCKS = {"mvit-s": {i: i for i in range(16)}, "mvit-xs": {i: i for i in range(8)} | {14: 8, 15: 9}}
"""Which block of torchvision's `mvit_v2_s` becomes which of ours."""


KINETICS_RESNETS = ("r3d18", "r2plus1d18")
"""Backbones whose weights have torchvision's names."""


def from_kinetics(state_dict: Mapping[str, Tensor], model: str = "ifdd-mvit-xs", **overrides: Any) -> VideoModel:
    """A model whose backbone has the weights of a torchvision model; pyramid and all behind it start at random.

    `r3d18` takes those of `r3d_18`, `r2plus1d18` those of `r2plus1d_18`, the others those of `mvit_v2_s`: `mvit-s` all 16
    blocks, `mvit-xs` blocks 0 – 7, and 14, 15 as its 8, 9. The Kinetics normalisation becomes the model's first layer
    (`normalise="kinetics"`).

    Source: Li et al. 2022 (MViTv2); Tran et al. 2018 (R3D, R(2+1)D).

    Raises:
        InputError: another backbone, or keys that do not fit, which it lists: missing, surplus, of another shape.

    >>> from torchvision.models.video import r3d_18
    >>> from_kinetics(r3d_18().state_dict(), "r3d18-baseline", num_classes=3).config.normalise
    'kinetics'
    """
    built = create_model(model, **{"normalise": "kinetics"} | overrides)
    backbone = built.config.backbone
    if backbone not in (*KINETICS_BLOCKS, *KINETICS_RESNETS):
        raise InputError(
            f"backbone {backbone} has no Kinetics weights; choose {', '.join((*KINETICS_BLOCKS, *KINETICS_RESNETS))}"
        )
    own = {key: value for key, value in built.state_dict().items() if not key.startswith("backbone.")}
    if backbone in KINETICS_RESNETS:
        load_exactly(built, own | {f"backbone.{key}": value for key, value in state_dict.items() if not key.startswith("fc.")})
        return built.eval()
    moved, known = KINETICS_BLOCKS[backbone], {}
    for key, value in state_dict.items():
        if key.startswith("head."):
            continue
        block = re.match(r"blocks\.(\d+)\.", key)
        if block:
            if int(block[1]) not in moved:
                continue
            key = key.replace(block[0], f"blocks.{moved[int(block[1])]}.", 1)
        known[f"embed.{key}" if key.startswith("conv_proj.") else f"backbone.backbone.{key}"] = value
    load_exactly(built, own | rename_reference(known))
    return built.eval()

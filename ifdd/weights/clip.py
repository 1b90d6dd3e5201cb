"""Weights of CLIP, OpenAI's or open_clip's, → encoders of the ous family."""

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ifdd.errors import InputError
from ifdd.models.base import VideoModel
from ifdd.models.families import create_model, named_config
from ifdd.models.loading import load_exactly
from ifdd.models.ous.config import ENCODERS, OUSConfig

_TEXT = ("token_embedding", "positional_embedding", "ln_final", "text_projection", "transformer")
_UNUSED = {"input_resolution", "context_length", "vocab_size", "attn_mask"}
"""Numbers that OpenAI's files hold beside the weights, and the causal mask, which is no weight."""


def from_clip(state_dict: Mapping[str, Tensor], model: str = "ous-clip-b32", **overrides: Any) -> VideoModel:
    """A model of the ous family whose encoders, of pictures and of words, are CLIP's; all behind them starts at random.

    `ous-clip-b32` takes ViT-B/32, `ous-clip-l14` ViT-L/14. OpenAI's weights want `gelu="quick-gelu"`, the default; most others
    of open_clip `gelu="gelu"`: the weights do not tell.

    Source: Radford et al. 2021.

    Raises:
        InputError: another model, weights of another encoder, or keys that do not fit, which it lists.

    >>> import torch
    >>> from_clip({"visual.conv1.weight": torch.zeros(1024, 3, 14, 14), "visual.proj": torch.zeros(1024, 768)})
    Traceback (most recent call last):
    ifdd.errors.InputError: weights of width 1024, patch 14, 768 features; clip-b32 has 768, 32, 512: choose ous-clip-l14
    """
    config = named_config(model, **overrides)
    if not isinstance(config, OUSConfig) or not ENCODERS[config.encoder].clip:
        known = ", ".join(f"ous-{name}" for name, encoder in ENCODERS.items() if encoder.clip)
        raise InputError(f"{model} has no CLIP encoder; choose {known}")
    _check_size(state_dict, config)
    built = create_model(config)
    own = {key: value for key, value in built.state_dict().items() if key not in _taken(built)}
    found = {name: value.float() for key, value in state_dict.items() if (name := renamed(key)) is not None}
    load_exactly(built, own | found)
    return built.eval()


def renamed(key: str) -> str | None:
    """Our name of a weight of CLIP; None for what is none.

    >>> renamed("visual.transformer.resblocks.3.ln_1.weight"), renamed("ln_final.bias"), renamed("context_length")
    ('encoder.blocks.3.ln_1.weight', 'text_encoder.ln_final.bias', None)
    """
    key = key.removeprefix("module.")
    if key in _UNUSED:
        return None
    name = re.sub(r"(^|\.)transformer\.resblocks\.", r"\1blocks.", key)
    if key.startswith("visual."):
        return f"encoder.{name.removeprefix('visual.')}"
    if key == "logit_scale":
        return "head.logit_scale"
    return f"text_encoder.{name}" if key.partition(".")[0] in _TEXT else name


def _taken(model: VideoModel) -> set[str]:
    return {key for key in model.state_dict() if key.startswith(("encoder.", "text_encoder.")) or key == "head.logit_scale"}


def _check_size(state_dict: Mapping[str, Tensor], config: OUSConfig) -> None:
    """Raises: InputError for what is no CLIP, or another one."""
    weights = {key.removeprefix("module."): value for key, value in state_dict.items()}
    first, last = weights.get("visual.conv1.weight"), weights.get("visual.proj")
    if first is None or last is None or first.dim() != 4 or last.dim() != 2:
        raise InputError(
            "no visual.conv1.weight and visual.proj, so no state dict of a ViT of OpenAI's CLIP or open_clip; those of other "
            "libraries have other names"
        )
    given = (first.shape[0], first.shape[2], last.shape[1])
    wanted = ENCODERS[config.encoder]
    if given != (wanted.width, wanted.patch, wanted.dim):
        fitting = [name for name, one in ENCODERS.items() if one.clip and (one.width, one.patch, one.dim) == given]
        way_out = f"choose ous-{fitting[0]}" if fitting else f"give the weights of {wanted.clip}"
        raise InputError(
            f"weights of width {given[0]}, patch {given[1]}, {given[2]} features; {config.encoder} has "
            f"{wanted.width}, {wanted.patch}, {wanted.dim}: {way_out}"
        )

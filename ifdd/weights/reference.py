"""State dicts of the released code (CyberPegasus/IFDD, MIT) → our models with the same logits."""

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ifdd.errors import InputError
from ifdd.models.base import VideoModel
from ifdd.models.families import create_model
from ifdd.models.loading import load_exactly
from ifdd.modules.mvit.specs import MVIT_SPECS

WRAPPERS = ("module.", "ema_model.", "online_model.", "_orig_mod.", "model.")
"""Prefixes that wrappers for distributed training, averaging, compiling and Lightning put before every key."""

DEAD = re.compile(r"WaveLifts\.(spatial_pos|temporal_pos|class_pos|adapt_split\.(index_even|index_odd))$")
"""Keys that the released code stores and never uses; `SPLITS` has those of each split."""


# released name → ours, applied in order; the first that matches counts
RULES = [
    (r"embed\.conv_proj\.", "backbone.stem."),
    (r"backbone\.backbone\.pos_encoding\.class_token$", "backbone.class_token"),
    (r"backbone\.backbone\.(blocks\.\d+)\.attn\.rel_pos_t$", r"backbone.\1.attn.position.tables.0"),
    (r"backbone\.backbone\.(blocks\.\d+)\.attn\.rel_pos_h$", r"backbone.\1.attn.position.tables.1"),
    (r"backbone\.backbone\.(blocks\.\d+)\.attn\.rel_pos_w$", r"backbone.\1.attn.position.tables.2"),
    (r"backbone\.backbone\.(blocks\.\d+)\.attn\.project\.0\.", r"backbone.\1.attn.project."),
    (r"backbone\.backbone\.(blocks\.\d+)\.attn\.(pool_[qkv])\.pool\.", r"backbone.\1.attn.\2."),
    (r"backbone\.backbone\.(blocks\.\d+)\.attn\.(pool_[qkv])\.norm_act\.0\.", r"backbone.\1.attn.\2.norm."),
    (r"backbone\.backbone\.(blocks\.\d+)\.mlp\.3\.", r"backbone.\1.mlp.2."),
    (r"backbone\.backbone\.", "backbone."),
    (r"backbone\.PANLayer\.", "pyramid.reduce."),
    (r"backbone\.CatConv\.", "pyramid.fuse."),
    (r"backbone\.WaveLifts\.xa_norm\.", "ladm.norm_S."),
    (r"backbone\.WaveLifts\.xd_norm\.", "ladm.norm_D."),
    (r"backbone\.WaveLifts\.q_a\.", "ladm.updater.query."),
    (r"backbone\.WaveLifts\.kv_d\.", "ladm.updater.key_value."),
    (r"backbone\.WaveLifts\.project_a\.0\.", "ladm.updater.project."),
    (r"backbone\.WaveLifts\.q_d\.", "ladm.predictor.query."),
    (r"backbone\.WaveLifts\.kv_a\.", "ladm.predictor.key_value."),
    (r"backbone\.WaveLifts\.project_d\.0\.", "ladm.predictor.project."),
    (r"backbone\.WaveLifts\.out_norm1\.", "ladm.refine.norm1."),
    (r"backbone\.WaveLifts\.out_norm2\.", "ladm.refine.norm2."),
    (r"backbone\.WaveLifts\.qkv\.", "ladm.refine.qkv."),
    (r"backbone\.WaveLifts\.project\.0\.", "ladm.refine.project."),
    (r"backbone\.WaveLifts\.mlp\.0\.", "ladm.refine.mlp.0."),
    (r"backbone\.WaveLifts\.mlp\.3\.", "ladm.refine.mlp.2."),
    (r"backbone\.WaveLifts\.project_compress\.", "head.pooling."),
    (r"head\.head\.1\.", "head.classify."),
]

SPLIT = "backbone.WaveLifts.adapt_split."
"""What the keys of a released split begin with."""

OFFSETS = {"offset_project_approx.0.": "offsets_S.", "offset_project_detail.0.": "offsets_D."}

SPLITS: dict[str, dict[str, str]] = {
    "index": OFFSETS | {"dim_project.0.": "tokenizer.project.", "time_project.": ""},  # "": stored and never used
    "offset": OFFSETS | {"dim_pool.0.": "narrow.", "hwd_project.0.": "reduce.", "time_project.0.": "score."},
    "weight": {"dim_project.0.": "project."},
}
"""Released names of a split's keys → ours. Top-k and even-odd have none."""

TRACES = {"index": "issm.tokenizer.project.weight", "offset": "issm.score.weight", "weight": "issm.project.weight"}
"""The key of ours that tells a split."""


def rename_reference(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename a released state dict to our keys; dead keys are dropped, unknown ones kept under their own name."""
    plain: dict[str, Tensor] = {}
    for key, value in state_dict.items():
        name = key
        while (wrapper := next((w for w in WRAPPERS if name.startswith(w)), None)) is not None:
            name = name.removeprefix(wrapper)
        if not DEAD.search(name):
            plain[name] = value
    split = SPLITS.get(_split_of(plain), {})
    renamed = {_rename(name, split): value for name, value in plain.items()}
    renamed.pop("", None)
    if (pooling := renamed.get("head.pooling.weight")) is not None:
        renamed["head.pooling.weight"] = pooling.reshape(-1)
    return renamed


def _rename(name: str, split: Mapping[str, str]) -> str:
    if name.startswith(SPLIT):
        part = name.removeprefix(SPLIT)
        for theirs, ours in split.items():
            if part.startswith(theirs):
                return ours and f"issm.{ours}{part.removeprefix(theirs)}"
    for pattern, replacement in RULES:
        if re.match(pattern, name):
            return re.sub(pattern, replacement, name, count=1)
    return name


def _split_of(names: Mapping[str, Tensor]) -> str:
    """The split that keys under their released names belong to."""
    project = names.get(f"{SPLIT}dim_project.0.weight")
    if project is not None:
        return "weight" if project.dim() == 2 else "index"
    return "offset" if f"{SPLIT}dim_pool.0.weight" in names else "even-odd"


def from_reference(state_dict: Mapping[str, Tensor], **overrides: Any) -> VideoModel:
    """Build a released network (`MFViT_XS` or `MFViT_S`) from its state dict, with the same logits (preset `reference`).

    Backbone, stages, number of classes, split, whether there is a lift, and branch norms are read off names and shapes; what
    leaves no trace (split="topk", order of the lift, frames, size, offset_range, preset) comes from the caller and is else as
    released.

    Raises:
        InputError: another number of blocks, or keys that do not fit, which it lists: missing, surplus, of another shape.

    >>> import torch
    >>> from_reference({"fc.weight": torch.zeros(7, 512)})
    Traceback (most recent call last):
    ifdd.errors.InputError: not a released IFDD state dict: it has no key 'head.head.1.bias', but fc.weight
    """
    renamed = rename_reference(state_dict)
    classifier = renamed.get("head.classify.bias")
    if classifier is None:
        names = ", ".join(list(state_dict)[:3]) + (", …" if len(state_dict) > 3 else "")
        raise InputError(f"not a released IFDD state dict: it has no key 'head.head.1.bias', but {names}")
    lifts = any(key.startswith("ladm.") for key in renamed)
    found = {
        "preset": "reference",
        "split": next((name for name, key in TRACES.items() if key in renamed), "even-odd"),
        "lift": "update-first" if lifts else "none",
        "branch_norms": "ladm.norm_S.weight" in renamed or not lifts,
        "stages": tuple(range(3 - sum(key.startswith("pyramid.reduce.") for key in renamed), 4)),
        "num_classes": len(classifier),
    }
    model = create_model(f"ifdd-{_backbone_of(renamed)}", **found | overrides)
    load_exactly(model, renamed)
    return model.eval()


def _backbone_of(renamed: Mapping[str, Tensor]) -> str:
    """The backbone with as many blocks."""
    blocks = len({key.split(".")[2] for key in renamed if key.startswith("backbone.blocks.")})
    for name in ("mvit-xs", "mvit-s"):
        if sum(MVIT_SPECS[name].depths) == blocks:
            return name
    raise InputError(f"the state dict has {blocks} blocks; known are mvit-xs with 10 and mvit-s with 16")

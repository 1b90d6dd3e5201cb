"""Names of splits, lifts and poolings in a ModelConfig → how to build them.

One entry here and one word in `config` make a variant. Each builder takes the configuration and C, the channels of X.
"""

from collections.abc import Callable
from functools import partial

from torch import nn

from ifdd.models.config import ModelConfig
from ifdd.models.ifdd.presets import PRESETS
from ifdd.modules.backbones import BACKBONES
from ifdd.modules.head import AttentionPooling, MeanPooling, RefinedPooling
from ifdd.modules.issm import EvenOddSplit, IndexSplit, Split
from ifdd.modules.ladm import LADM, CrossLift, NoLift, PredictFirstLADM, Refinement
from ifdd.modules.splits import ConstantSplit, OffsetSplit, TopKSplit, WeightSplit


def _index(config: ModelConfig, dim: int) -> Split:
    preset = PRESETS[config.preset]
    split = IndexSplit(
        dim, config.feature_frames, offset_range=config.offset_range, correlation_scale=1 / dim, read_at=preset.read_at
    )
    if preset.scale_by_width:
        split.correlation_scale = split.tokenizer.width**-0.5
    return split


def _constant(config: ModelConfig, dim: int) -> Split:
    return ConstantSplit(config.feature_frames, offset_range=config.offset_range, read_at=PRESETS[config.preset].read_at)


def _offset(config: ModelConfig, dim: int) -> Split:
    return OffsetSplit(dim, config.feature_frames, offset_range=config.offset_range, read_at=PRESETS[config.preset].read_at)


SPLITS: dict[str, Callable[[ModelConfig, int], Split]] = {
    "even-odd": lambda config, dim: EvenOddSplit(config.feature_frames),
    "constant": _constant,
    "index": _index,
    "topk": lambda config, dim: TopKSplit(config.feature_frames),
    "weight": lambda config, dim: WeightSplit(dim, config.feature_frames),
    "offset": _offset,
}
"""Every split but "none"."""


def _heads(config: ModelConfig) -> int:
    return BACKBONES[config.backbone].heads[-1]  # as released: 8 heads of 96


def _refinement(config: ModelConfig, dim: int) -> Refinement:
    preset = PRESETS[config.preset]
    skip = preset.mlp_skip if config.mlp_skip is None else config.mlp_skip
    dropped = config.drop_path if preset.mlp_drop_path else 0.0
    return Refinement(dim, _heads(config), drop_path=config.drop_path, mlp_drop_path=dropped, mlp_skip=skip)


def _lift(kind: type[LADM], config: ModelConfig, dim: int) -> LADM:
    combine = PRESETS[config.preset].combine
    update, predict = (CrossLift(dim, _heads(config), combine=combine) for _ in range(2))
    norm = nn.LayerNorm if config.branch_norms else nn.Identity
    return kind(dim, update=update, predict=predict, refine=_refinement(config, dim), norm=norm)


LIFTS: dict[str, Callable[[ModelConfig, int], LADM | NoLift]] = {
    "none": lambda config, dim: NoLift(),
    "update-first": partial(_lift, LADM),
    "predict-first": partial(_lift, PredictFirstLADM),
}


POOLINGS: dict[str, Callable[[ModelConfig, int], nn.Module]] = {
    "mean": lambda config, dim: MeanPooling(),
    "attention": lambda config, dim: AttentionPooling(dim, config.feature_frames),
    "refined": lambda config, dim: RefinedPooling(dim, _positions(config), refine=_refinement(config, dim)),
}
"""How a baseline pools X."""


def _positions(config: ModelConfig) -> int:
    return config.feature_frames * config.grid[0] * config.grid[1]

"""Models by name: every family is one record here."""

from typing import Any

from ifdd.errors import InputError
from ifdd.models.base import DFERModel
from ifdd.models.config import ModelConfig, model_names
from ifdd.models.ifdd.model import _build
from ifdd.models.ifdd.parts import LIFTS, POOLINGS, SPLITS


def create_model(model: str | ModelConfig, **overrides: Any) -> DFERModel:
    """Build a model, randomly initialised, from a short name (`ifdd-mvit-xs`, `mvit-xs-baseline`) or a ModelConfig.

    Keyword arguments replace fields of the configuration.
    Raises: InputError for an unknown name or field, or an impossible combination.
    """
    if isinstance(model, str):
        return _build(named_config(model, **overrides))
    if not isinstance(model, ModelConfig):
        raise InputError(f"the model is given by its name or a ModelConfig, not as {model!r}; known: {', '.join(model_names())}")
    return _build(ModelConfig.parse(model.model_dump() | overrides, "ModelConfig"))


def named_config(name: str, **overrides: Any) -> ModelConfig:
    """What a short name stands for, with fields replaced.

    Raises: InputError for an unknown name or field, or an impossible combination.
    """
    names = model_names()
    if name not in names:
        raise InputError(f"unknown model {name!r}; known: {', '.join(names)}")
    return ModelConfig.parse(names[name] | overrides, name)


def variants(name: str) -> dict[str, ModelConfig]:
    """Every baseline, split and lift on the backbone of a named model.

    Raises: InputError for an unknown name.
    """
    config = named_config(name)
    rows: dict[str, dict[str, Any]] = {f"{how} pooling": {"split": "none", "lift": "none", "pooling": how} for how in POOLINGS}
    rows |= {f"{split}, {lift}": {"split": split, "lift": lift} for split in SPLITS for lift in LIFTS}
    shared = {"backbone": config.backbone, "size": config.size}
    return {row: ModelConfig.parse(shared | values, row) for row, values in rows.items()}

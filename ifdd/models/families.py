"""Models by name: every family is one record here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, SerializeAsAny
from torch import nn

from ifdd.documents import shown
from ifdd.errors import InputError
from ifdd.losses import ifdd_loss
from ifdd.models.base import VideoModel
from ifdd.models.config import ModelConfig, VideoConfig, model_names
from ifdd.models.ifdd import model as ifdd
from ifdd.models.ifdd.parts import LIFTS, POOLINGS, SPLITS


@dataclass(frozen=True)
class Family:
    """All that the workbench has to know of a family of models.

    `config` is the class of its configurations, whose field `family` has the family's name as default; `build` makes a model of
    one; `loss` makes, of a configuration and a recipe's section `loss`, a module that takes an Output and targets (class indexes
    (B,) or probabilities (B, classes)) and returns its terms by name, their sum as `loss`. `names` are short names of
    configurations, with the fields that they stand for.
    """

    config: type[VideoConfig]
    build: Callable[[Any], VideoModel]
    loss: Callable[[Any, Any], nn.Module]
    names: Callable[[], Mapping[str, dict[str, Any]]] = dict


FAMILIES: dict[str, Family] = {"ifdd": Family(ModelConfig, ifdd.build, ifdd_loss, model_names)}


def family_of(config: VideoConfig) -> Family:
    """The family of a configuration.

    Raises: InputError for one that nobody knows.
    """
    if config.family not in FAMILIES:
        raise InputError(f"unknown family {shown(config.family)}; known: {', '.join(FAMILIES)}")
    return FAMILIES[config.family]


def _by_family(values: Any) -> Any:
    """Values of a section `model` → the configuration of the family that they name; without a name, of ifdd."""
    if not isinstance(values, dict):
        return values
    name = values.get("family", "ifdd")
    if not isinstance(name, str) or name not in FAMILIES:
        raise ValueError(f"unknown family {shown(name)}; known: {', '.join(FAMILIES)}")
    return FAMILIES[name].config.model_validate(values)


AnyConfig = Annotated[SerializeAsAny[VideoConfig], BeforeValidator(_by_family)]
"""A configuration of any family, as it stands in a card or a recipe."""


def create_model(model: str | VideoConfig, **overrides: Any) -> VideoModel:
    """Build a model, randomly initialised, from a short name (`ifdd-mvit-xs`, `mvit-xs-baseline`) or a configuration.

    Keyword arguments replace fields of the configuration.
    Raises: InputError for an unknown name, family or field, or an impossible combination.
    """
    if isinstance(model, str):
        config = named_config(model, **overrides)
    elif isinstance(model, VideoConfig):
        config = type(model).parse(model.model_dump() | overrides, type(model).__name__)
    else:
        raise InputError(f"the model is given by its name or a ModelConfig, not as {model!r}; known: {', '.join(short_names())}")
    return family_of(config).build(config)


def short_names() -> dict[str, tuple[Family, dict[str, Any]]]:
    """Every short name that `create_model` takes: its family, and the fields that it stands for."""
    return {name: (family, fields) for family in FAMILIES.values() for name, fields in family.names().items()}


def named_config(name: str, **overrides: Any) -> Any:
    """What a short name stands for, with fields replaced.

    Raises: InputError for an unknown name or field, or an impossible combination.
    """
    names = short_names()
    if name not in names:
        raise InputError(f"unknown model {name!r}; known: {', '.join(names)}")
    family, fields = names[name]
    return family.config.parse(fields | overrides, name)


def variants(name: str) -> dict[str, ModelConfig]:
    """Every baseline, split and lift on the backbone of a named model.

    Raises: InputError for an unknown name.
    """
    config = named_config(name)
    if not isinstance(config, ModelConfig):
        raise InputError(f"{name} is of the family {config.family}, which has no variants")
    rows: dict[str, dict[str, Any]] = {f"{how} pooling": {"split": "none", "lift": "none", "pooling": how} for how in POOLINGS}
    rows |= {f"{split}, {lift}": {"split": split, "lift": lift} for split in SPLITS for lift in LIFTS}
    shared = {"backbone": config.backbone, "size": config.size}
    return {row: ModelConfig.parse(shared | values, row) for row, values in rows.items()}

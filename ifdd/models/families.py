"""Models by name: every family is one record here. A network is loaded when one is built: a card is read without torch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Self

import pydantic

from ifdd.documents import shown
from ifdd.errors import InputError
from ifdd.models.config import ModelConfig, StrictModel, VideoConfig, model_names
from ifdd.models.ous.config import OUSConfig
from ifdd.models.ous.config import model_names as ous_names
from ifdd.own_code import load_named

if TYPE_CHECKING:
    from torch import nn

    from ifdd.models.base import VideoModel


@dataclass(frozen=True)
class Family:
    """All that the workbench has to know of a family of models.

    `config` is the class of its configurations, whose field `family` has the family's name as default; `build` makes a model of
    one; `loss` makes, of a configuration and a recipe's section `loss`, a module that takes an Output and targets (class indexes
    (B,) or probabilities (B, classes)) and returns its terms by name, their sum as `loss`. `names` are short names of
    configurations, with the fields that they stand for.
    """

    config: type[VideoConfig]
    build: "Callable[[Any], VideoModel]"
    loss: "Callable[[Any, Any], nn.Module]"
    names: Callable[[], Mapping[str, dict[str, Any]]] = dict


DEFAULT = "ifdd"
"""The family of cards and recipes that name none."""


class Families(dict[str, Family]):
    """Families by name, of which none takes another one's place; the same one may be registered again, as a notebook does."""

    def __setitem__(self, name: str, family: Family) -> None:
        """Register a family. Raises: InputError for a name that is taken, or is not that of its configurations."""
        if (field := family.config.model_fields["family"].default) != name:
            raise InputError(f"the family {name!r} has a config whose field family is {field!r}; give both the same name")
        if name in self and _class(self[name]) != _class(family):
            raise InputError(f"the family {name!r} is there already, of {_class(self[name])}; give yours another name")
        super().__setitem__(name, family)


def _class(family: Family) -> str:
    return f"{family.config.__module__}.{family.config.__qualname__}"


def _ifdd(config: ModelConfig) -> "VideoModel":
    from ifdd.models.ifdd.model import build

    return build(config)


def _ifdd_loss(config: ModelConfig, loss: Any) -> "nn.Module":
    from ifdd.models.ifdd.losses import ifdd_loss

    return ifdd_loss(config, loss)


def _ous(config: OUSConfig) -> "VideoModel":
    from ifdd.models.ous.model import build

    return build(config)


def _ous_loss(config: OUSConfig, loss: Any) -> "nn.Module":
    from ifdd.models.ous.losses import ous_loss

    return ous_loss(config, loss)


FAMILIES = Families(
    {
        "ifdd": Family(ModelConfig, _ifdd, _ifdd_loss, model_names),
        "ous": Family(OUSConfig, _ous, _ous_loss, ous_names),
    }
)


def families() -> dict[str, Family]:
    """All families: `FAMILIES`, after the modules of `--import` have added theirs. Raises: InputError as `load_named`."""
    load_named()
    return FAMILIES


def family_of(config: VideoConfig) -> Family:
    """The family of a configuration.

    Raises: InputError for one that nobody knows.
    """
    if config.family not in families():
        raise InputError(_unknown(config.family))
    return FAMILIES[config.family]


def _unknown(name: Any) -> str:
    return f"unknown family {shown(name)}; known: {', '.join(FAMILIES)}; give the module of another one with --import"


class OfAnyFamily(StrictModel):
    """A file whose section `model` has the keys of the family that it names; of ifdd, where it names none.

    A class of such files has a field `model`.
    """

    @classmethod
    def parse(cls, values: dict[str, Any], source: str) -> Self:
        """As `StrictModel.parse`, with the configuration of the family. Raises: InputError, also for an unknown family."""
        section = values.get("model") if isinstance(values, dict) else None
        name = section.get("family", DEFAULT) if isinstance(section, dict) else DEFAULT
        if not isinstance(name, str) or name not in families():
            raise InputError(f"{source}: model.family: {_unknown(name)}")
        return cls.parse_as(FAMILIES[name].config, values, source)

    @classmethod
    def parse_as(cls, config: type[VideoConfig], values: dict[str, Any], source: str) -> Self:
        """As `parse`, of a family that is known, registered or not. Raises: InputError."""
        return super(OfAnyFamily, cls.of(config)).parse(values, source)

    @classmethod
    def of(cls, config: type[VideoConfig]) -> type[Self]:
        """The same class, for models of one family."""
        return cls if cls.model_fields["model"].annotation is config else _of(cls, config)


@cache
def _of(cls: Any, config: type[VideoConfig]) -> Any:
    return pydantic.create_model(cls.__name__, __base__=cls, __module__=cls.__module__, __doc__=cls.__doc__, model=(config, ...))


def create_model(model: str | VideoConfig, **overrides: Any) -> "VideoModel":
    """Build a model, randomly initialised, from a short name (`ifdd-mvit-xs`, `mvit-xs-baseline`) or a configuration.

    Keyword arguments replace fields of the configuration.

    Raises:
        InputError: an unknown name, family or field, or an impossible combination.

    >>> model = create_model("ifdd-mvit-tiny", frames=8, size=(32, 32))
    >>> model.inputs, model.branches
    ({'clip': (3, 8, 32, 32)}, {'D': 'ladm.Y_D', 'S': 'ladm.Y_S'})
    """
    if isinstance(model, str):
        config = named_config(model, **overrides)
    elif isinstance(model, VideoConfig):
        config = type(model).parse(model.model_dump() | overrides, type(model).__name__)
    else:
        raise InputError(f"the model is given by its name or a ModelConfig, not as {model!r}; known: {', '.join(short_names())}")
    return family_of(config).build(config)


def short_names() -> dict[str, tuple[Family, dict[str, Any]]]:
    """Every short name that `create_model` takes: its family, and the fields that it stands for.

    Raises: InputError for a name that two families have.
    """
    found: dict[str, tuple[Family, dict[str, Any]]] = {}
    for family in families().values():
        for name, fields in family.names().items():
            if name in found:
                raise InputError(f"{_class(found[name][0])} and {_class(family)} both have a model {name!r}; rename yours")
            found[name] = family, fields
    return found


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
    from ifdd.models.ifdd.parts import LIFTS, POOLINGS, SPLITS

    config = named_config(name)
    if not isinstance(config, ModelConfig):
        raise InputError(f"{name} is of the family {config.family}, which has no variants")
    rows: dict[str, dict[str, Any]] = {f"{how} pooling": {"split": "none", "lift": "none", "pooling": how} for how in POOLINGS}
    rows |= {f"{split}, {lift}": {"split": split, "lift": lift} for split in SPLITS for lift in LIFTS}
    shared = {"backbone": config.backbone, "size": config.size}
    return {row: ModelConfig.parse(shared | values, row) for row, values in rows.items()}

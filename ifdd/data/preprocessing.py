"""How a source becomes a clip."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from pydantic import TypeAdapter

from ifdd.documents import checked
from ifdd.errors import InputError

CROPS = ("face", "center", "none")
_RULES = {"sampling": "segment-centres", "padding": "repeat-last"}


@dataclass(frozen=True)
class Preprocessing:
    """How a source becomes a clip; part of a checkpoint's card.

    `frames` is T; `size` is (H, W); `crop` is "face" (the tracked face), "center" (the largest centred square) or "none"
    (the whole frame); `margin` widens a face box on each side, as a fraction of its side. Frames are sampled at the centres
    of T equal segments; where there are fewer than T, the last one is repeated.

    Raises:
        InputError: an impossible value.
    """

    frames: int = 16
    size: tuple[int, int] = (112, 112)
    crop: str = "face"
    margin: float = 0.15

    def __post_init__(self) -> None:
        if self.crop not in CROPS:
            raise InputError(f"crop {self.crop!r} is unknown; use one of {', '.join(CROPS)}")
        if self.frames < 1 or len(self.size) != 2 or min(self.size) < 1 or not 0 <= self.margin <= 2:
            raise InputError(f"impossible preprocessing {self}; need frames and size of at least 1, a margin between 0 and 2")

    def to_dict(self) -> dict[str, Any]:
        """The fields and the rules, as JSON types."""
        return asdict(self) | {"size": list(self.size)} | _RULES

    @classmethod
    def by_input(cls, values: dict[str, Any], inputs: Iterable[str]) -> dict[str, Self]:
        """That of each input by its name: `values` are by input, too, or those of the only one.

        Raises:
            InputError: as `from_dict`; values of other inputs.
        """
        names = list(inputs)
        if len(names) == 1 and set(values) != set(names):
            values = {names[0]: values}
        if set(values) != set(names) or not all(isinstance(part, dict) for part in values.values()):
            raise InputError(f"preprocessing is of {', '.join(values)}; the model reads {', '.join(names)}")
        return {name: cls.from_dict(values[name]) for name in names}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Inverse of `to_dict`; keys may be left out.

        Raises:
            InputError: a key that nobody knows, a rule other than ours, an impossible value.
        """
        known = {field.name for field in fields(cls)}
        for key, value in values.items():
            if key not in known and _RULES.get(key) != value:
                raise InputError(f"preprocessing {key}: {value!r} is unknown; known are {', '.join(sorted(known))} and {_RULES}")
        kept = {key: value for key, value in values.items() if key in known}
        return checked(TypeAdapter(cls), kept, "preprocessing", "save the checkpoint again")


def as_written(inputs: Mapping[str, Preprocessing]) -> dict[str, Any]:
    """Inverse of `Preprocessing.by_input`: by input, but of a single one the fields alone."""
    written = {name: read.to_dict() for name, read in inputs.items()}
    return next(iter(written.values())) if len(written) == 1 else written

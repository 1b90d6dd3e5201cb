"""How a source becomes a clip."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

from pydantic import TypeAdapter

from ifdd.documents import checked
from ifdd.errors import InputError

READING = 6
"""Raised when the same files come out as other pixels: what an earlier version has decoded or collected is read anew."""
CROPS = ("face", "center", "none")
STREAMS = ("clip", "scene")
HIDDEN = ("kept", "blurred", "masked")
"""What becomes of faces in a scene."""
_OF_SCENES = ("stream", "face")
"""Fields that are written where a scene is read."""
_RULES = {"sampling": "segment-centres", "padding": "repeat-last"}


@dataclass(frozen=True)
class Preprocessing:
    """How a source becomes a clip; part of a checkpoint's card.

    `frames` is T; `size` is (H, W); `crop` is "face" (the tracked face), "center" (the largest centred square) or "none"
    (the whole frame); `margin` widens a face box on each side, as a fraction of its side. Frames are sampled at the centres
    of T equal segments; where there are fewer than T, the last one is repeated. `stream` is "clip" or "scene": what is around the
    person, in the very frames of the clip; there `face` tells what becomes of faces, "kept", "blurred" or "masked".

    Raises:
        InputError: an impossible value.
    """

    frames: int = 16
    size: tuple[int, int] = (112, 112)
    crop: str = "face"
    margin: float = 0.15
    stream: str = "clip"
    face: str = "kept"

    def __post_init__(self) -> None:
        if self.crop not in CROPS:
            raise InputError(f"crop {self.crop!r} is unknown; use one of {', '.join(CROPS)}")
        if self.stream not in STREAMS:
            raise InputError(f"stream {self.stream!r} is unknown; use clip or scene")
        if self.face not in HIDDEN:
            raise InputError(f"face {self.face!r} is unknown; use one of {', '.join(HIDDEN)}")
        if self.stream == "clip" and self.face != "kept":
            raise InputError(f"face {self.face!r} goes with stream scene; a clip shows the face")
        if self.stream == "scene" and self.crop == "face":
            raise InputError("crop 'face' of stream scene leaves nothing around the face; use none or center")
        if self.frames < 1 or len(self.size) != 2 or min(self.size) < 1 or not 0 <= self.margin <= 2:
            raise InputError(f"impossible preprocessing {self}; need frames and size of at least 1, a margin between 0 and 2")

    def of_row(self, crop: str, *, several: bool) -> Self:
        """How a clip of that `crop` is read, as its row of a list says.

        "none" is a crop already; of `several` inputs each cuts as it asks for. A scene is read so whatever the clip is.
        """
        return self if self.stream == "scene" or (several and crop != "none") else replace(self, crop=crop)

    def to_dict(self) -> dict[str, Any]:
        """The fields and the rules, as JSON types."""
        scene = {name: getattr(self, name) for name in _OF_SCENES}
        fields = {name: value for name, value in asdict(self).items() if name not in scene}
        return fields | {"size": list(self.size)} | _RULES | (scene if self.stream == "scene" else {})

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

"""What a model is made of, as one checked, frozen description."""

import difflib
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from ifdd.documents import one_line, shown
from ifdd.errors import InputError
from ifdd.labels import class_key
from ifdd.modules.backbones import BACKBONES
from ifdd.timing import feature_frames

Backbone = Literal[
    "mvit-tiny",
    "mvit-xs",
    "mvit-s",
    "r3d-tiny",
    "r3d18",
    "r2plus1d18",
]
SplitName = Literal[
    "none",
    "even-odd",
    "constant",
    "index",
    "topk",
    "weight",
    "offset",
]
LiftName = Literal[
    "none",
    "update-first",
    "predict-first",
]
PresetName = Literal["paper", "reference"]
Pooling = Literal["mean", "attention", "refined"]
Seed = Annotated[int, Field(ge=0, lt=2**32)]  # what NumPy and PyTorch both take
Side = Annotated[int, Field(ge=1, le=4096)]  # pixels
MAX_CLIP = 2**25
"""Pixels of a clip, all frames together: 32 of 1024²."""


def _different(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse class names that a table, a page or a file name could not tell apart."""
    for label in labels:
        if not label.strip() or label != label.strip() or not label.isprintable():
            raise ValueError(f"the label {label!r} must be visible text without spaces around it")
    keys = [class_key(label) for label in labels]
    if twice := next((label for label, key in zip(labels, keys, strict=True) if keys.count(key) > 1), None):
        raise ValueError(f"the label {twice!r} is there twice, but for case and space; every class needs its own different name")
    return labels


def _no_nul(path: Path) -> Path:
    if "\0" in str(path):
        raise ValueError("a path cannot hold a NUL character")
    return path


Labels = Annotated[tuple[str, ...], AfterValidator(_different)]
"""Class names in the order of the logits."""
FilePath = Annotated[Path, AfterValidator(_no_nul)]


class StrictModel(BaseModel):
    """Base of every configuration: frozen, and a key that nobody knows is an error with a suggestion."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def parse(cls, values: dict[str, Any], source: str) -> Self:
        """Validate `values`, which came from `source` (a file name, for the message).

        Raises: InputError with one line for the first thing that is wrong.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = _path_in(values, first["loc"]) or "config"
            if first["type"] == "extra_forbidden":
                hint = _hint(cls, where)
                raise InputError(f"{source}: unknown key {shown(where)}; {hint}") from None
            given = "" if first["type"] in ("missing", "value_error") else f" (given: {shown(first['input'])})"
            message = one_line(ValueError(first["msg"].removeprefix("Value error, ")))
            raise InputError(f"{source}: {where}: {message}{given}") from None


def _hint(model: type[StrictModel], where: str) -> str:
    """What may be meant by the unknown key at the dotted path `where`: first in its own section, then anywhere."""
    section, _, key = where.rpartition(".")
    fields = _all_fields(model)
    inside = {path: names for path, names in fields.items() if path.rpartition(".")[0] == section}
    for some in (inside, fields):
        paths = {name: path for path, names in some.items() for name in names}
        if near := difflib.get_close_matches(key, paths, n=1):
            return f"did you mean {paths[near[0]]!r}?"
    known = sorted(path.rpartition(".")[2] for path in inside or dict.fromkeys(model.model_fields))
    return f"known keys{f' of {section}' if inside and section else ''}: {', '.join(known)}"


def _all_fields(model: type[BaseModel], prefix: str = "") -> dict[str, list[str]]:
    """Dotted path of every field of a model and its sections → the names that lead to it."""
    paths = {prefix + name: [name] for name in model.model_fields}
    for other, name in getattr(model, "also_called", {}).items():
        paths[prefix + name].append(other)
    for name, field in model.model_fields.items():
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                paths |= _all_fields(part, f"{prefix}{name}.")
    return paths


def _path_in(values: Any, location: tuple[int | str, ...]) -> str:
    """Dotted path of an error as it stands in the file: without the tags that pydantic puts in for a choice of sections."""
    parts = []
    for i, part in enumerate(location):
        inside = isinstance(values, dict) and part in values
        if inside or i == len(location) - 1 or not isinstance(values, dict):
            parts.append(str(part))
            values = values[part] if inside else None
    return ".".join(parts)


class VideoConfig(StrictModel):
    """What the configuration of a model of any family tells: whose it is, its classes and inputs, and what can be asked of it."""

    family: str
    num_classes: Annotated[int, Field(ge=2, le=10_000)] = 7

    @property
    def inputs(self) -> dict[str, tuple[int, int, int, int]]:
        """Name of each input → shape of one clip (3, T, H, W)."""
        raise NotImplementedError

    @property
    def scenes(self) -> frozenset[str]:
        """Names of the inputs that read what is around the person, the scene stream of the data; the others read the clip."""
        return frozenset()

    @property
    def capabilities(self) -> frozenset[str]:
        """What can be asked of a model beyond logits and maps.

        "split": its frames are read in two groups, S and D (`workbench.analysis.splits`); "lift": the groups are lifted;
        "stages": its backbone can be kept as it is (`freeze`), and its stages cached; "oracle": its split can be given the
        frames to read. A model that has activations of the role "offset" also tells "offsets": they can be set to zero.
        """
        return frozenset()

    @property
    def summary(self) -> str:
        """The model in a few words."""
        return self.family

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """Of a model that reads the names of its classes: those, which labels have to be; None where it knows numbers only."""
        return None


class ModelConfig(VideoConfig):
    """One model of the ifdd family. Impossible combinations are refused by name.

    `frames` and `size` (H, W) are fixed when the model is built. `offset_range` is L in feature frames. `drop_path` is the
    largest stochastic-depth rate, `dropout` that before the classifier. `mlp_skip` overrides the preset's refinement;
    `branch_norms` are the LayerNorms on the lift's two inputs. `pooling` is the baseline's: over all positions, by attention
    over time, or refined as IFDD's Y_D is; with a split a learned weight for each position pools.
    """

    family: Literal["ifdd"] = "ifdd"
    backbone: Backbone = "mvit-xs"
    split: SplitName = "index"
    lift: LiftName = "update-first"
    pooling: Pooling = "mean"
    preset: PresetName = "paper"
    frames: Annotated[int, Field(ge=4, le=1024)] = 16
    size: tuple[Side, Side] = (224, 224)
    stages: tuple[int, ...] = (2, 3)
    offset_range: Literal[1, 2, 4] = 2
    normalise: Literal["none", "kinetics"] = "none"
    num_classes: Annotated[int, Field(le=10_000)] = 7
    drop_path: float = 0.2
    dropout: float = 0.5
    mlp_skip: bool | None = None
    branch_norms: bool = True

    @model_validator(mode="after")
    def _possible(self) -> Self:
        feature_frames(self.frames)
        stride = BACKBONES[self.backbone].stage_strides[-1]
        if min(self.size) < stride or any(side % stride for side in self.size):
            raise ValueError(f"size {self.size} must be positive multiples of {stride}, the total stride of {self.backbone}")
        if self.split == "none" and self.lift != "none":
            raise ValueError(f"lift={self.lift!r} needs two groups to lift, and split='none' makes none; choose a split")
        if self.split != "none" and self.pooling != "mean":
            raise ValueError(f"pooling={self.pooling!r} is a baseline's; with split={self.split!r} learned weights pool")
        if self.stages not in ((3,), (2, 3), (1, 2, 3)):
            raise ValueError(f"stages={self.stages} cannot be aggregated; the pyramid reads (3,), (2, 3) or (1, 2, 3)")
        if self.num_classes < 2:
            raise ValueError(f"num_classes={self.num_classes} must be at least 2")
        if self.frames * self.size[0] * self.size[1] > MAX_CLIP:
            raise ValueError(f"a clip of {self.frames} frames of size {self.size} has more than {MAX_CLIP} pixels")
        for name in ("drop_path", "dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must lie in [0, 1)")
        return self

    @property
    def inputs(self) -> dict[str, tuple[int, int, int, int]]:
        """One clip."""
        return {"clip": (3, self.frames, *self.size)}

    @property
    def capabilities(self) -> frozenset[str]:
        """As in VideoConfig."""
        able = {"stages"}
        if self.split != "none":
            able |= {"split"}
            able |= {"oracle"} if self.split == "even-odd" else set()
        return frozenset(able | ({"lift"} if self.lift != "none" else set()))

    @property
    def summary(self) -> str:
        """Backbone, split, lift, preset, clip."""
        kind = "baseline" if self.split == "none" else f"split {self.split}, lift {self.lift}, preset {self.preset}"
        return f"{self.backbone} · {kind} · {self.frames} frames of {self.size[1]} × {self.size[0]}"

    @property
    def feature_frames(self) -> int:
        """T'."""
        return feature_frames(self.frames)

    @property
    def grid(self) -> tuple[int, int]:
        """Height and width of X."""
        stride = BACKBONES[self.backbone].stage_strides[-1]
        return self.size[0] // stride, self.size[1] // stride


def check_labels(labels: tuple[str, ...], model: VideoConfig) -> None:
    """Labels are those that the model was told, in its order. Raises: ValueError."""
    if model.class_names is not None and model.class_names != labels:
        raise ValueError(
            f"set model.classes to the labels: they are {', '.join(labels)}, the model's prompts {', '.join(model.class_names)}"
        )


def model_names() -> dict[str, dict[str, Any]]:
    """Every short name that `create_model` takes, with the fields that it stands for."""
    names: dict[str, dict[str, Any]] = {}
    for backbone in get_args(Backbone):
        stride = BACKBONES[backbone].stage_strides[-1]
        side = next((side for side in (112, 224) if side % stride == 0), stride * max(1, 224 // stride))
        size = (side, side)
        names[f"ifdd-{backbone}"] = {"backbone": backbone, "size": size}
        names[f"{backbone}-baseline"] = {"backbone": backbone, "size": size, "split": "none", "lift": "none"}
    return names

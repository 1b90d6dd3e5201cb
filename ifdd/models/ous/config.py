"""What a model of the ous family is made of."""

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from ifdd.labels import EMOTIONS, polarity_of
from ifdd.models.config import MAX_CLIP, Labels, Side, VideoConfig

EncoderName = Literal["vit-tiny", "clip-b32", "clip-l14"]
PresetName = Literal["paper", "released"]
Stream = Literal["face", "scene"]
Weight = Annotated[float, Field(ge=0)]
EARLY = 4
"""Blocks of the encoder that the Polarity Encoder reads."""
WORDS, LENGTH = 49408, 77
"""Of CLIP's vocabulary, and of a text."""


@dataclass(frozen=True)
class Encoder:
    """Sizes of a vision encoder, of what follows it, and of CLIP's text encoder (None: a learnt vector for each class)."""

    size: tuple[int, int]
    patch: int
    width: int
    layers: int
    heads: int
    dim: int
    depth: int
    """Blocks of the Frame Encoder and of the fusion."""
    fusion_heads: int
    text: tuple[int, int, int] | None = None
    """Width, blocks and heads."""
    clip: str = ""
    """open_clip's name, without weights."""


ENCODERS: dict[str, Encoder] = {
    "vit-tiny": Encoder((112, 112), 16, 64, 6, 4, 64, 2, 4),
    "clip-b32": Encoder((224, 224), 32, 768, 12, 12, 512, 12, 8, (512, 12, 8), "ViT-B-32"),
    "clip-l14": Encoder((224, 224), 14, 1024, 24, 16, 768, 12, 8, (768, 12, 12), "ViT-L-14"),
}


@dataclass(frozen=True)
class Preset:
    """Where paper and released code part ways."""

    lstm: Literal["time", "type", "none"]
    align: bool
    scene_projection: bool
    polarity: bool
    queries: Literal["shared", "per-block"]
    query_std: float | None
    """Of the Gaussian that queries are drawn from; None: ones."""
    position_std: float
    similarity_weight: float
    polarity_weight: float
    global_weight: float


PRESETS: dict[str, Preset] = {
    "paper": Preset("time", True, False, True, "shared", 1.0, 0.02, 0.1, 0.5, 0.1),
    "released": Preset("type", False, True, False, "per-block", None, 1.0, 0.0, 0.0, 0.0),
}


class OUSConfig(VideoConfig):
    """One model of the ous family. Impossible combinations are refused by name.

    `classes` are the words of the prompts, in the order of the labels. `streams` leaves one out; `fusion` "late" keeps them apart
    until the mean of their logits, the control that the fusion has to beat. `lstm`, `queries` and the weights of the losses (0:
    off) override the preset's. `context` is the number of learnt words before that of the class, `gelu` that of CLIP's weights
    (OpenAI's have quick-gelu). `train_encoder` null: a small ViT is trained, CLIP is kept as it is.
    """

    family: Literal["ous"] = "ous"
    encoder: EncoderName = "vit-tiny"
    preset: PresetName = "paper"
    classes: Labels = EMOTIONS
    frames: Annotated[int, Field(ge=2, le=1024)] = 16
    size: tuple[Side, Side] = (112, 112)
    streams: tuple[Stream, ...] = ("face", "scene")
    fusion: Literal["type", "late"] = "type"
    lstm: Literal["time", "type", "none"] | None = None
    queries: Literal["shared", "per-block"] | None = None
    similarity_weight: Weight | None = None
    polarity_weight: Weight | None = None
    global_weight: Weight | None = None
    context: Annotated[int, Field(ge=1, le=LENGTH)] = 32
    gelu: Literal["quick-gelu", "gelu"] = "quick-gelu"
    train_encoder: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _counted(cls, values: Any) -> Any:
        """As many classes as are named."""
        if isinstance(values, dict) and "num_classes" not in values and isinstance(values.get("classes"), list | tuple):
            return values | {"num_classes": len(values["classes"])}
        return values

    @model_validator(mode="after")
    def _possible(self) -> Self:
        encoder = ENCODERS[self.encoder]
        if len(self.classes) != self.num_classes:
            raise ValueError(
                f"num_classes={self.num_classes}, and {len(self.classes)} classes are named ({', '.join(self.classes)}); "
                "name them all with classes, in the order of the labels"
            )
        if any(side % encoder.patch or side < encoder.patch for side in self.size):
            raise ValueError(f"size {self.size} must be positive multiples of {encoder.patch}, the patch of {self.encoder}")
        if self.streams not in (("face", "scene"), ("face",), ("scene",)):
            raise ValueError(f"streams={self.streams} must be face, scene, or both in this order")
        if self.frames * self.size[0] * self.size[1] > MAX_CLIP:
            raise ValueError(f"a clip of {self.frames} frames of size {self.size} has more than {MAX_CLIP} pixels")
        if self.lstm == "type" and not self.fused:
            raise ValueError("lstm='type' goes from face to scene, which one stream has not, and late fusion keeps apart")
        if self.queries and not self.fused:
            raise ValueError(f"queries={self.queries!r} are the fusion's; with one stream, or fusion='late', there are none")
        for name in ("similarity_weight", "global_weight"):
            if getattr(self, name) and len(self.streams) == 1:
                raise ValueError(f"{name} compares the scene with the face; this model reads the {self.streams[0]} alone")
        if self.polarity_weight and not self.parts.polarity:
            raise ValueError("polarity_weight trains the Polarity Encoder, which preset='paper' with both streams fused has")
        return self

    @property
    def fused(self) -> bool:
        """Whether attention goes from stream to stream."""
        return self.fusion == "type" and len(self.streams) == 2

    @property
    def parts(self) -> Preset:
        """The preset with what replaces it; without a fusion also without alignment, polarity and their losses."""
        chosen = PRESETS[self.preset]
        if not self.fused:
            lstm: Literal["time", "none"] = "none" if chosen.lstm == "type" else "time"
            chosen = replace(
                chosen, lstm=lstm, align=False, polarity=False, similarity_weight=0.0, polarity_weight=0.0, global_weight=0.0
            )
        own = {name: getattr(self, name) for name in ("lstm", "queries", "similarity_weight", "polarity_weight", "global_weight")}
        return replace(chosen, **{name: value for name, value in own.items() if value is not None})

    @property
    def encoder_is_trained(self) -> bool:
        """Whether the encoder learns."""
        return self.encoder == "vit-tiny" if self.train_encoder is None else self.train_encoder

    @property
    def polarities(self) -> tuple[str | None, ...]:
        """The polarity of each class."""
        return tuple(polarity_of(name) for name in self.classes)

    @property
    def inputs(self) -> dict[str, tuple[int, int, int, int]]:
        """A clip of each stream."""
        return dict.fromkeys(self.streams, (3, self.frames, *self.size))

    @property
    def scenes(self) -> frozenset[str]:
        """The input that reads what is around the person."""
        return frozenset({"scene"}) & frozenset(self.streams)

    @property
    def capabilities(self) -> frozenset[str]:
        """Its encoder can be kept as it is; its maps lie on two streams, if it has both."""
        return frozenset({"stages", "streams"}) if len(self.streams) == 2 else frozenset({"stages"})

    @property
    def class_names(self) -> tuple[str, ...]:
        """The words of the prompts: they are the labels."""
        return self.classes

    @property
    def summary(self) -> str:
        """Encoder, streams, fusion, preset, clip."""
        kind = f"{' + '.join(self.streams)}{', fused late' if len(self.streams) == 2 and not self.fused else ''}"
        return f"OUS {self.encoder} · {kind} · preset {self.preset} · {self.frames} frames of {self.size[1]} × {self.size[0]}"


def model_names() -> dict[str, dict[str, Any]]:
    """Every short name that `create_model` takes, with the fields that it stands for."""
    return {f"ous-{name}": {"encoder": name, "size": encoder.size} for name, encoder in ENCODERS.items()}

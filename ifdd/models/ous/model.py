"""The ous family: a shared encoder, a stream for the face and one for the scene, their fusion, prompts."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ifdd.hooks import HookPoint
from ifdd.inputs import Clips
from ifdd.models.base import Normalise, Output, VideoModel
from ifdd.models.ous.config import EARLY, ENCODERS, LENGTH, WORDS, OUSConfig
from ifdd.models.ous.fusion import LateFusion, TypeFusion
from ifdd.models.ous.parts import LSTMS, Alignment, BesideMean, FrameEncoder, FramesMean, NoLSTM, PolarityEncoder
from ifdd.models.ous.text import ClassVectors, Prompts
from ifdd.modules.vit import TextTransformer, VisionTransformer

CLIP_COLOURS = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
"""Mean and standard deviation of the pictures that CLIP was trained on."""
MOST = math.log(100)
"""Of the logarithm of the scale of the logits, as in CLIP."""


@dataclass(frozen=True, eq=False)
class OUSOutput(Output):
    """Output of the ous family.

    `V_ft`, `V_st` (B, C): face and scene before their fusion, None for a stream that is not read; `polarity` (B, 3): logits of
    positive, negative, neutral, None without a Polarity Encoder; `text` (classes, C): the prompts.
    """

    V_ft: Tensor | None
    V_st: Tensor | None
    polarity: Tensor | None
    text: Tensor


class FaceStream(nn.Module):
    """Frames of the face (B, T, C) → V_ft (B, C)."""

    def __init__(self, align: nn.Module, frame_encoder: FrameEncoder) -> None:
        super().__init__()
        self.map = HookPoint("B C T H W", "face", "branch", clock="clip frames", input="face")
        self.V_f = HookPoint("B T C", "face", "stage", clock="clip frames", input="face")
        self.align = align
        self.frame_encoder = frame_encoder
        self.V_ft = HookPoint("B C", "face", "stage", input="face")

    def forward(self, x: Tensor) -> Tensor:
        """V_ft."""
        out: Tensor = self.V_ft(self.frame_encoder(self.align(x)))
        return out

    def see(self, features: Tensor) -> Tensor:
        """V_f by its name."""
        return self.V_f(features)


class SceneStream(nn.Module):
    """Frames of the scene (B, T, C) → V_st (B, C)."""

    def __init__(self, align: nn.Module, frames_mean: FramesMean) -> None:
        super().__init__()
        self.map = HookPoint("B C T H W", "scene", "branch", clock="clip frames", input="scene")
        self.V_s = HookPoint("B T C", "scene", "stage", clock="clip frames", input="scene")
        self.align = align
        self.frames_mean = frames_mean
        self.V_st = HookPoint("B C", "scene", "stage", input="scene")

    def forward(self, x: Tensor) -> Tensor:
        """V_st."""
        out: Tensor = self.V_st(self.frames_mean(self.align(x)))
        return out

    def see(self, features: Tensor) -> Tensor:
        """V_s by its name."""
        return self.V_s(features)


class Head(nn.Module):
    """Embedding and prompts → logits, their scaled products; an embedding is at most of length 1, a prompt is made so."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = HookPoint("B C", role="embedding")
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        self.logits = HookPoint("B classes", role="logits")

    def forward(self, embedding: Tensor, text: Tensor) -> tuple[Tensor, Tensor]:
        """Embedding (B, C) and logits (B, classes)."""
        embedding = self.embedding(embedding)
        scale = self.logit_scale.clamp(max=MOST).exp()
        return embedding, self.logits(scale * embedding @ nn.functional.normalize(text, dim=1).T)


class OUSModel(VideoModel):
    """{"face": clips, "scene": clips}, each (B, 3, T, H, W), or one of them → OUSOutput.

        face  ─► encoder ─► V_f ─┐       ┌─► align ─► Frame Encoder ─► V_ft ─┐
                  (shared)       ├─ LSTM ┤                                    ├─► fusion ─► embedding ─┐
        scene ─► encoder ─► V_s ─┘       └─► align ─► Frames Mean ───► V_st ─┤                         ├─► logits
                    └ first four blocks ───► Polarity Encoder ─► polarity ───┘        classes ─► prompts ┘

    Activations (T frames of the clip): `face.map`, `scene.map` (B, width, T, h, w), the places that the encoder's last block
    reads · `face.V_f`, `scene.V_s` (B, T, C) · `face.V_ft`, `scene.V_st` (B, C) · `polarity` (B, 3), logits of positive,
    negative, neutral · `fusion.queries`, `fusion.attention`, see `TypeFusion` · `head.embedding` (B, C) ·
    `head.logits` (B, classes). A model of one stream, or fused late, has those that it computes.
    """

    config: OUSConfig
    started_from = ("encoder", "text_encoder")
    kept_part = "encoder"

    def __init__(
        self,
        config: OUSConfig,
        *,
        normalise: nn.Module,
        encoder: VisionTransformer,
        streams: Mapping[str, FaceStream | SceneStream],
        lstm: nn.Module,
        polarity_encoder: PolarityEncoder | None,
        fusion: TypeFusion | LateFusion,
        text_encoder: TextTransformer | None,
        prompts: Prompts | ClassVectors,
    ) -> None:
        super().__init__(config)
        self.normalise = normalise
        self.encoder = encoder
        for name, stream in streams.items():
            self.add_module(name, stream)
        self.lstm = lstm
        self.polarity_encoder = polarity_encoder
        if polarity_encoder is not None:
            self.polarity = HookPoint("B polarities", "scene", "detail", input="scene")
        self.fusion = fusion
        self.text_encoder = text_encoder
        self.prompts = prompts
        self.head = Head()
        self.branches = {name: f"{name}.map" for name in streams}

    @property
    def streams(self) -> dict[str, FaceStream | SceneStream]:
        """Those that it reads, by name."""
        return {name: self.get_submodule(name) for name in self.config.streams}  # type: ignore[misc]

    @property
    def default_activations(self) -> tuple[str, ...]:
        """Besides what every collection keeps, what is asked of OUS: both streams before the fusion, and the polarity."""
        return tuple(
            name
            for name in (*super().default_activations, "face.V_ft", "scene.V_st", "polarity")
            if name in self.activation_names
        )

    @property
    def normed_branches(self) -> bool:
        """The encoder's last block norms each place of the maps before anything reads it."""
        return True

    def forward(self, clips: Clips) -> OUSOutput:
        """Run the whole model.

        Raises: InputError for another shape or an integer type, or a stream that is missing.
        """
        return self.go_on(self.read_kept(clips))

    @property
    def kept_depends_on(self) -> str:
        """The encoder, what it is shown, and whether the polarity is read off its first blocks."""
        config = self.config
        return f"{config.encoder} {config.gelu} {config.inputs} {self.polarity_encoder is not None}"

    def read_kept(self, clips: Clips) -> tuple[Tensor, ...]:
        """Features (B, T, C) of each stream's frames, then what the Polarity Encoder reads of the scene, if there is one."""
        given = self.check_clips(clips)
        features, early = [], []
        for name, stream in self.streams.items():
            reads = name == "scene" and self.polarity_encoder is not None
            found, means = self._encode(given[name], stream.map, EARLY if reads else 0)
            features.append(found)
            early += [means] * reads
        return *features, *early

    def go_on(self, kept: tuple[Tensor, ...]) -> OUSOutput:
        """All that follows the encoder."""
        fused = self.lstm([stream.see(found) for stream, found in zip(self.streams.values(), kept, strict=False)])
        types = {name: stream(x) for (name, stream), x in zip(self.streams.items(), fused, strict=True)}
        read, polarity = list(types.values()), None
        if self.polarity_encoder is not None:
            polarity = self.polarity(self.polarity_encoder(kept[-1]))
            read.append(self.polarity_encoder.token(polarity))
        text = self.prompts(self.text_encoder)
        embedding, logits = self.head(self.fusion(read), text)
        return OUSOutput(logits, embedding, types.get("face"), types.get("scene"), polarity, text)

    def _encode(self, clips: Tensor, point: HookPoint, early: int) -> tuple[Tensor, Tensor]:
        """Clips (B, 3, T, H, W) → features (B, T, C) of frames, and the clip's means after the first blocks (B, early, width)."""
        batch, _, frames = clips.shape[:3]

        def see(places: Tensor) -> Tensor:
            volume = places.unflatten(0, (batch, frames)).unflatten(2, self.encoder.grid).permute(0, 4, 1, 2, 3)
            return point(volume).permute(0, 2, 3, 4, 1).flatten(2, 3).flatten(0, 1)

        features, means = self.encoder(self.normalise(clips).transpose(1, 2).flatten(0, 1), see, early)
        return features.unflatten(0, (batch, frames)), means.unflatten(0, (batch, frames)).mean(1)


def build(config: OUSConfig) -> OUSModel:
    """The model of a configuration, randomly initialised.

    Raises: InputError for a prompt that is too long, or for CLIP without the package of its vocabulary.
    """
    spec, parts = ENCODERS[config.encoder], config.parts
    dim, small = spec.dim, spec.text is None
    encoder = VisionTransformer(
        config.size,
        patch=spec.patch,
        width=spec.width,
        layers=spec.layers,
        heads=spec.heads,
        dim=dim,
        gelu=config.gelu,
        convolutions=small,
        channels=6 if small else 3,
    )
    encoder.requires_grad_(config.encoder_is_trained)
    text_encoder: TextTransformer | None = None
    prompts: Prompts | ClassVectors
    if spec.text is None:
        prompts = ClassVectors(config.num_classes, dim)
    else:
        width, layers, heads = spec.text
        prompts = Prompts(config.classes, config.context, width)
        text_encoder = TextTransformer(
            words=WORDS, length=LENGTH, width=width, layers=layers, heads=heads, dim=dim, gelu=config.gelu
        )
        text_encoder.requires_grad_(config.encoder_is_trained)

    def align() -> nn.Module:
        return Alignment(dim) if parts.align else nn.Identity()

    streams: dict[str, FaceStream | SceneStream] = {}
    if "face" in config.streams:
        frame_encoder = FrameEncoder(dim, config.frames, spec.depth, spec.fusion_heads, parts.position_std)
        streams["face"] = FaceStream(align(), frame_encoder)
    if "scene" in config.streams:
        projection = nn.Linear(dim, dim) if parts.scene_projection else nn.Identity()
        streams["scene"] = SceneStream(align(), FramesMean(projection))
    fusion: TypeFusion | LateFusion = LateFusion()
    if config.fused:
        fusion = TypeFusion(
            dim,
            spec.depth,
            spec.fusion_heads,
            len(streams) + parts.polarity,
            shared=parts.queries == "shared",
            query_std=parts.query_std,
            position_std=parts.position_std,
        )
    lstm = LSTMS[parts.lstm]
    model = OUSModel(
        config,
        normalise=BesideMean() if small else Normalise(*CLIP_COLOURS),
        encoder=encoder,
        streams=streams,
        lstm=NoLSTM() if lstm is None else lstm(dim),
        polarity_encoder=PolarityEncoder(EARLY, spec.width, dim) if parts.polarity else None,
        fusion=fusion,
        text_encoder=text_encoder,
        prompts=prompts,
    )
    model.head.logit_scale.requires_grad_(small)
    return model

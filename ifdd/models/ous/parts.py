"""What happens to each stream, and between the streams before they are fused."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ifdd.labels import POLARITIES
from ifdd.modules.vit import Block


class TimeLSTM(nn.Module):
    """x + LSTM(x) over the frames of each stream, the same LSTM for all."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(dim, dim, batch_first=True)

    def forward(self, streams: Sequence[Tensor]) -> list[Tensor]:
        """Streams (B, T, C)."""
        return [x + self.lstm(x)[0] for x in streams]


class TypeLSTM(nn.Module):
    """x + LSTM(x) over the streams, face → scene, at each frame by itself: the scene is told of the face, not the other way."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(dim, dim, batch_first=True)

    def forward(self, streams: Sequence[Tensor]) -> list[Tensor]:
        """Streams (B, T, C)."""
        batch = streams[0].shape[:2]
        x = torch.stack(list(streams), 2).flatten(0, 1)
        fused: Tensor = (x + self.lstm(x)[0]).unflatten(0, batch)
        return list(fused.unbind(2))


class NoLSTM(nn.Module):
    """Streams as they are."""

    def forward(self, streams: Sequence[Tensor]) -> list[Tensor]:
        """Streams (B, T, C)."""
        return list(streams)


LSTMS: dict[str, type[TimeLSTM | TypeLSTM] | None] = {"time": TimeLSTM, "type": TypeLSTM, "none": None}


class Alignment(nn.Module):
    """x + FC(relu(convolution(x))) over the frames of one stream (B, T, C), into the space that both share."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(dim, dim, 3, padding=1)
        self.linear = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        out: Tensor = x + self.linear(self.convolution(x.transpose(1, 2)).relu().transpose(1, 2))
        return out


class FrameEncoder(nn.Module):
    """Frames of the face (B, T, C) → V_ft (B, C): attention over time, a skip around all of it, the mean."""

    def __init__(self, dim: int, frames: int, layers: int, heads: int, position_std: float) -> None:
        super().__init__()
        self.positions = nn.Parameter(position_std * torch.randn(frames, dim))
        self.blocks = nn.Sequential(*(Block(dim, heads) for _ in range(layers)))

    def forward(self, x: Tensor) -> Tensor:
        """V_ft."""
        return (x + self.blocks(x + self.positions)).mean(1)


class FramesMean(nn.Module):
    """Frames of the scene (B, T, C), which hardly vary, → V_st (B, C): their mean, projected where the preset has it."""

    def __init__(self, projection: nn.Module) -> None:
        super().__init__()
        self.projection = projection

    def forward(self, x: Tensor) -> Tensor:
        """V_st."""
        projected: Tensor = self.projection(x.mean(1))
        return projected


class BesideMean(nn.Module):
    """Each frame beside its difference from the mean frame: clips (B, 3, T, H, W) → (B, 6, T, H, W).

    An encoder without training on pictures of the world takes very long to see an expression in a face that it does not know; in
    what moves it is plain. A scene that stands still differs from its mean by nothing.
    """

    GAIN = 4.0  # differences are then about as large as frames

    def forward(self, clips: Tensor) -> Tensor:
        """Pixels of the frame, then of the difference."""
        return torch.cat([clips, self.GAIN * (clips - clips.mean(2, keepdim=True))], 1)


class PolarityEncoder(nn.Module):
    """Texture, colour and atmosphere, the means of the encoder's first blocks (B, blocks, width), → the scene's polarity.

    `forward` gives its logits (B, 3), positive, negative, neutral; `token` what the fusion reads of them (B, C): the mean of a
    learnt vector for each, by their probabilities, so that nothing else of those blocks gets past the polarity.
    """

    def __init__(self, blocks: int, width: int, dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(blocks * width, width), nn.GELU(), nn.Linear(width, len(POLARITIES)))
        self.vectors = nn.Parameter(torch.randn(len(POLARITIES), dim) * dim**-0.5)

    def forward(self, early: Tensor) -> Tensor:
        """Logits."""
        logits: Tensor = self.mlp(self.norm(early).flatten(1))
        return logits

    def token(self, logits: Tensor) -> Tensor:
        """What the fusion reads."""
        return logits.softmax(1) @ self.vectors

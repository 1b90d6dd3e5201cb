"""Depthwise 3×3×3 convolution over tokens that lie channel-last, as three 3×3 convolutions over frames.

Libraries have fast kernels for depthwise convolutions in two dimensions and slow ones in three (the gradients above all), so
the sum over the three taps in time is written out: out[t] = w₋ * x[t−1] + w₀ * x[t] + w₊ * x[t+1].
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F


def depthwise(volume: Tensor, weight: Tensor, stride: int) -> Tensor:
    """(B, T, H, W, C), weight (C, 1, 3, 3, 3) → (B, T, H', W', C): padding 1, `stride` in space, 1 in time.

    Equal to `conv3d(…, groups=C)`; computes in autocast's type where that is on.
    """
    kind = volume.device.type
    if torch.is_autocast_enabled(kind):
        dtype = torch.get_autocast_dtype(kind)
        volume, weight = volume.to(dtype), weight.to(dtype)
    result: Tensor = _Depthwise.apply(volume, weight, stride)
    return result


class _Depthwise(torch.autograd.Function):
    """The sum over time taps; its backward makes each tap's two gradients at once."""

    @staticmethod
    def forward(ctx: Any, volume: Tensor, weight: Tensor, stride: int) -> Tensor:
        batch, time = volume.shape[:2]
        frames = _frames(volume)
        ctx.save_for_backward(frames, weight)
        ctx.stride, ctx.shape = stride, volume.shape
        before, now, after = (
            F.conv2d(frames, tap, stride=stride, padding=1, groups=len(weight)).permute(0, 2, 3, 1).unflatten(0, (batch, time))
            for tap in weight.unbind(2)
        )
        now[:, 1:] += before[:, :-1]
        now[:, :-1] += after[:, 1:]
        return now

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        frames, weight = ctx.saved_tensors
        (gradient,) = gradients
        total, taps = None, []
        for tap in range(3):
            # the gradient of output frame t lies beside the input frame that this tap read
            beside = gradient if tap == 1 else torch.zeros_like(gradient, memory_format=torch.contiguous_format)
            if tap == 0:
                beside[:, :-1] = gradient[:, 1:]
            elif tap == 2:
                beside[:, 1:] = gradient[:, :-1]
            of_frames, of_tap, _ = torch.ops.aten.convolution_backward(
                _frames(beside),
                frames,
                weight[:, :, tap],
                None,
                [ctx.stride] * 2,
                [1, 1],
                [1, 1],
                False,
                [0, 0],
                len(weight),
                [True, True, False],
            )
            total = of_frames if total is None else total.add_(of_frames)
            taps.append(of_tap)
        return total.permute(0, 2, 3, 1).view(ctx.shape), torch.stack(taps, 2), None


def _frames(volume: Tensor) -> Tensor:
    """(B, T, H, W, C) → (B·T, C, H, W), channel-last in memory."""
    return volume.contiguous().flatten(0, 1).permute(0, 3, 1, 2)

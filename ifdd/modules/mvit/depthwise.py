"""Projection and depthwise 3×3×3 pooling of tokens that lie channel-last, for little time and memory.

Libraries have fast kernels for depthwise convolutions in two dimensions and slow ones in three (the gradients above all), so
the sum over the three taps in time is written out: out[t] = w₋ * x[t−1] + w₀ * x[t] + w₊ * x[t+1]. The projected tokens, three
times as many numbers as the tokens, are not kept for the backward pass but made again there.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ifdd.modules.precision import autocast_type


def project_and_pool(places: Tensor, weight: Tensor, bias: Tensor, kernel: Tensor, stride: int) -> Tensor:
    """(B, T, H, W, C_in) → (B, T, H', W', C): a linear layer, then a convolution of each channel with its kernel (C, 1, 3, 3, 3).

    The convolution has padding 1, `stride` in space and 1 in time. Computes in autocast's type where that is on.
    """
    tensors: tuple[Tensor, ...] = (places, weight, bias, kernel)
    if (dtype := autocast_type(places)) is not None:
        tensors = tuple(tensor.to(dtype) for tensor in tensors)
    result: Tensor = _ProjectAndPool.apply(*tensors, stride)
    return result


class _ProjectAndPool(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, places: Tensor, weight: Tensor, bias: Tensor, kernel: Tensor, stride: int) -> Tensor:
        ctx.save_for_backward(places, weight, bias, kernel)
        ctx.stride = stride
        return _convolve(F.linear(places, weight, bias), kernel, stride)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        places, weight, bias, kernel = ctx.saved_tensors
        of_projected, of_kernel = _gradients(gradients[0], F.linear(places, weight, bias), kernel, ctx.stride)  # as the arguments
        rows = of_projected.flatten(0, -2)  # (B·T·H·W, C)
        of_places = (rows @ weight).view(places.shape)  # (B, T, H, W, C_in)
        return of_places, rows.t() @ places.flatten(0, -2), rows.sum(0), of_kernel, None


def _convolve(volume: Tensor, kernel: Tensor, stride: int) -> Tensor:
    frames, times = _frames(volume), volume.shape[:2]  # (B·T, C, H, W), (B, T)
    before, now, after = (  # each (B, T, H', W', C)
        F.conv2d(frames, tap, stride=stride, padding=1, groups=len(kernel)).permute(0, 2, 3, 1).unflatten(0, times)
        for tap in kernel.unbind(2)
    )
    now[:, 1:] += before[:, :-1]
    now[:, :-1] += after[:, 1:]
    return now


def _gradients(gradient: Tensor, volume: Tensor, kernel: Tensor, stride: int) -> tuple[Tensor, Tensor]:
    """Gradients of the volume and of the kernel; the two of one tap come from one call."""
    frames = _frames(volume)  # (B·T, C, H, W)
    total, taps = torch.zeros_like(volume), []  # (B, T, H, W, C)
    for shift, tap in zip((1, 0, -1), kernel.unbind(2), strict=True):
        of_frames, of_tap, _ = torch.ops.aten.convolution_backward(
            _frames(_later(gradient, shift)),
            frames,
            tap,
            None,
            [stride, stride],
            [1, 1],  # padding
            [1, 1],  # dilation
            False,
            [0, 0],
            len(kernel),
            [True, True, False],
        )
        total += of_frames.permute(0, 2, 3, 1).view(volume.shape)  # of (B·T, C, H, W)
        taps.append(of_tap)  # (C, 1, 3, 3)
    return total, torch.stack(taps, 2)  # (B, T, H, W, C), (C, 1, 3, 3, 3)


def _later(gradient: Tensor, shift: int) -> Tensor:
    """The gradient of output frame t + shift at t: beside the input frame that the tap read."""
    if shift == 0:
        return gradient
    kept = gradient[:, 1:] if shift > 0 else gradient[:, :-1]
    return F.pad(kept, (0, 0, 0, 0, 0, 0, 0, 1) if shift > 0 else (0, 0, 0, 0, 0, 0, 1, 0))


def _frames(volume: Tensor) -> Tensor:
    """(B, T, H, W, C) → (B·T, C, H, W), channel-last in memory."""
    return volume.contiguous().flatten(0, 1).permute(0, 3, 1, 2)

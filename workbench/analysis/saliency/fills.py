"""What stands in for a part of a clip that is taken away: nothing is no picture, so every such result names its fill."""

from typing import Literal, get_args

import torch
from torch import Tensor

from ifdd.errors import InputError
from workbench.analysis.saliency.cam import check_choice

Fill = Literal["black", "gray", "mean", "blur"]
"""0; one half; the clip's own mean colour; each frame blurred until no feature of a face is left."""


def fill_of(clips: Tensor, fill: Fill) -> Tensor:
    """What stands in for every pixel of clips (B, 3, T, H, W): the same shape.

    Raises: InputError for an unknown fill, or clips of another shape.
    """
    check_choice("fill", fill, get_args(Fill))
    check_shape(clips)
    if fill == "black":
        return torch.zeros_like(clips)
    if fill == "gray":
        return torch.full_like(clips, 0.5)
    if fill == "mean":
        return clips.mean((2, 3, 4), keepdim=True).expand_as(clips).contiguous()
    from torchvision.transforms.v2.functional import gaussian_blur  # brings torch's compiler: a second and more

    height, width = clips.shape[-2:]
    sigma = max(height, width) / 10
    size = min(2 * round(3 * sigma) + 1, 2 * (min(height, width) - 1) - 1)  # padding by reflection bounds it
    blurred: Tensor = gaussian_blur(clips.transpose(1, 2).flatten(0, 1), [size, size], [sigma, sigma])
    return blurred.unflatten(0, (len(clips), -1)).transpose(1, 2).contiguous()


def check_shape(clips: Tensor) -> None:
    """Raise InputError unless clips are floats (B, 3, T, H, W), one clip or more."""
    if clips.dim() != 5 or not len(clips) or not clips.is_floating_point():
        raise InputError(f"clips are {clips.dtype} of shape {tuple(clips.shape)}; pass floats (clips, 3, T, H, W) in [0, 1]")

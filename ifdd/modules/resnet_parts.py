"""Parts of torchvision's 3-D residual networks (BSD-3-Clause), with its names of weights and its order of random numbers.

Written out, for importing torchvision brings torch's compiler with it: four seconds, and 200 MB. Source: Tran et al., "A closer
look at spatiotemporal convolutions" (arXiv 1711.11248); torchvision, models/video/resnet.py.
"""

from torch import Tensor, nn


def joint(dim_in: int, dim: int, between: int, stride: int = 1) -> nn.Module:
    """A convolution over space and time at once (R3D); `between` is of the other kind."""
    return nn.Conv3d(dim_in, dim, 3, stride, 1, bias=False)


def factorised(dim_in: int, dim: int, between: int, stride: int = 1) -> nn.Module:
    """One over space to `between` channels, then one over time (R(2+1)D)."""
    return nn.Sequential(
        nn.Conv3d(dim_in, between, (1, 3, 3), (1, stride, stride), (0, 1, 1), bias=False),
        nn.BatchNorm3d(between),
        nn.ReLU(inplace=True),
        nn.Conv3d(between, dim, (3, 1, 1), (stride, 1, 1), (1, 0, 0), bias=False),
    )


def joint_stem() -> nn.Sequential:
    """The first layer of R3D: 64 channels."""
    return nn.Sequential(nn.Conv3d(3, 64, (3, 7, 7), (1, 2, 2), (1, 3, 3), bias=False), nn.BatchNorm3d(64), nn.ReLU(inplace=True))


def factorised_stem() -> nn.Sequential:
    """The first layer of R(2+1)D: 64 channels, by way of 45."""
    return nn.Sequential(
        nn.Conv3d(3, 45, (1, 7, 7), (1, 2, 2), (0, 3, 3), bias=False),
        nn.BatchNorm3d(45),
        nn.ReLU(inplace=True),
        nn.Conv3d(45, 64, (3, 1, 1), 1, (1, 0, 0), bias=False),
        nn.BatchNorm3d(64),
        nn.ReLU(inplace=True),
    )


class Block(nn.Module):
    """Two convolutions, `joint` or `factorised`, around which the input skips, through `skip` where its shape is another."""

    def __init__(self, dim_in: int, dim: int, is_joint: bool, stride: int, skip: nn.Module | None) -> None:
        super().__init__()
        convolution = joint if is_joint else factorised
        between = (dim_in * dim * 27) // (dim_in * 9 + 3 * dim)  # as many weights as the joint one has
        self.conv1 = nn.Sequential(convolution(dim_in, dim, between, stride), nn.BatchNorm3d(dim), nn.ReLU(inplace=True))
        self.conv2 = nn.Sequential(convolution(dim, dim, between), nn.BatchNorm3d(dim))
        self.relu = nn.ReLU(inplace=True)
        self.downsample = skip

    def forward(self, features: Tensor) -> Tensor:
        """(B, dim_in, T, H, W) → (B, dim, T', H', W')."""
        residual = features if self.downsample is None else self.downsample(features)
        found = self.conv2(self.conv1(features))
        found += residual
        return self.relu(found)

"""Parts of the small backbone: convolutions before its blocks, and a reading of each frame place by place beside them."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

EVEN = 1e-2
"""What every place is taken to add to a sum: a frame in which next to nothing changes is handed back evenly."""


class EarlyConvolutions(nn.Sequential):
    """Clip (B, 3, T, H, W) → (B, 64, T', H/8, W/8), T' = T / `stride`.

    Three strided convolutions with batch norm learn from fewer clips than one large patch projection (Xiao et al., arXiv
    2106.14881).
    """

    channels = 64

    def __init__(self, stride: int) -> None:
        super().__init__(
            nn.Conv3d(3, 16, 3, (stride, 2, 2), 1, bias=False),
            nn.BatchNorm3d(16),
            nn.ReLU(),
            nn.Conv3d(16, 32, (1, 3, 3), (1, 2, 2), (0, 1, 1), bias=False),
            nn.BatchNorm3d(32),
            nn.ReLU(),
            nn.Conv3d(32, self.channels, (1, 3, 3), (1, 2, 2), (0, 1, 1), bias=False),
            nn.BatchNorm3d(self.channels),
            nn.ReLU(),
        )


class PlaceReading(nn.Module):
    """What changes in a clip, read with weights of each place of the frame and handed back to the places it came from.

    In a tracked face a place means a part of the face; mean pooling forgets places, and equal weights for all of them have to
    be learnt away. One weight per channel and place (the global depthwise convolution of MobileFaceNets, arXiv 1804.07573)
    sums the deviation of each frame from the clip's mean, so identity, hair and background cancel. Each rectified sum returns
    to the places that added to it, in proportion to what they added, so that maps over places keep their meaning.
    """

    def __init__(self, channels: int, dim: int, grid: tuple[int, int]) -> None:
        super().__init__()
        wide = 3 * channels // 2
        self.reduce = nn.Conv3d(channels, wide, (1, 3, 3), (1, 2, 2), (0, 1, 1), bias=False)
        self.norm = nn.BatchNorm3d(wide)
        self.weight = nn.Parameter(torch.randn(2, wide, *grid) / (grid[0] * grid[1]) ** 0.5)
        self.norm_sums = nn.BatchNorm1d(2 * wide)
        self.project = nn.Linear(2 * wide, dim, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, T', 2h, 2w) → (B, dim, T', h, w)."""
        parts = F.relu(self.norm(self.reduce(features)))  # (B, wide, T', h, w)
        changes = parts - parts.mean(2, keepdim=True)  # (B, wide, T', h, w)
        added = (changes[:, None] * self.weight[:, :, None]).flatten(1, 2)  # (B, 2 wide, T', h, w)
        sums = F.relu(self.norm_sums(added.sum((3, 4))))  # (B, 2 wide, T')
        gains = F.relu(added) + EVEN
        shares = gains / gains.mean((3, 4), keepdim=True)  # (B, 2 wide, T', h, w)
        return torch.einsum("bkthw,dk->bdthw", sums[..., None, None] * shares, self.project.weight)

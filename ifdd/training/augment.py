"""Random changes of training clips: the same for all frames of a clip, mixing for a whole batch."""

import torch
from torch import Tensor, nn
from torchvision import tv_tensors
from torchvision.transforms import v2

from ifdd.training.recipe import AugmentConfig


def to_clips(pixels: Tensor) -> Tensor:
    """Pixels (B, T, H, W, 3) uint8 → clips (B, 3, T, H, W) float in [0, 1]."""
    return pixels.permute(0, 4, 1, 2, 3).float().div_(255)


class ClipAugment:
    """Flip, random resized crop, colour jitter and erasing: pixels (B, T, H, W, 3) uint8 → the same, each clip by itself.

    Left and right may be swapped: no expression of the label set depends on the side. Draws from torch's global generator.
    """

    def __init__(self, config: AugmentConfig, size: tuple[int, int]) -> None:
        steps: list[nn.Module] = []
        if config.crop < 1:
            steps.append(v2.RandomResizedCrop(size, scale=(config.crop, 1.0), ratio=(0.9, 1 / 0.9), antialias=True))
        if config.flip:
            steps.append(v2.RandomHorizontalFlip(config.flip))
        if config.jitter:
            steps.append(v2.ColorJitter(config.jitter, config.jitter, config.jitter))
        if config.erase:
            steps.append(v2.RandomErasing(config.erase, scale=(0.02, 0.15)))
        self.apply = v2.Compose(steps) if steps else nn.Identity()

    def __call__(self, pixels: Tensor) -> Tensor:
        """Change every clip of a batch."""
        frames = pixels.movedim(-1, 2)
        return torch.stack([self.apply(tv_tensors.Video(clip)).as_subclass(Tensor) for clip in frames]).movedim(2, -1)


class Mix:
    """Mixup or cutmix of a batch: clips (B, 3, T, H, W), classes (B,) → clips, probabilities (B, classes).

    One ratio for the batch and, for cutmix, one box for all frames; a clip is mixed with the one before it in the batch.
    Source: mixup (arXiv 1710.09412), cutmix (arXiv 1905.04899), as torchvision has them.
    """

    def __init__(self, config: AugmentConfig, classes: int) -> None:
        self.config = config
        self.mixup = v2.MixUp(alpha=config.mixup, num_classes=classes) if config.mixup else None
        self.cutmix = v2.CutMix(alpha=config.cutmix, num_classes=classes) if config.cutmix else None

    @property
    def active(self) -> bool:
        """Whether any batch is ever mixed."""
        return self.config.mix > 0 and (self.mixup is not None or self.cutmix is not None)

    def __call__(self, clips: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Mix, with the probability of the recipe; otherwise hand both back."""
        if not self.active or torch.rand(()) >= self.config.mix:
            return clips, target
        cut = self.mixup is None or (self.cutmix is not None and bool(torch.rand(()) < self.config.switch))
        chosen = self.cutmix if cut else self.mixup
        assert chosen is not None
        # torchvision mixes batches of videos along the first axis and cuts along the last two, whatever lies between
        mixed, probabilities = chosen(tv_tensors.Video(clips), target)
        return mixed.as_subclass(Tensor), probabilities

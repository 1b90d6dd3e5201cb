"""Random changes of training clips: the same for all frames of a clip, mixing for a whole batch."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torchvision import tv_tensors
from torchvision.transforms import v2

from ifdd.inputs import Clips, each, of_input, rows_of
from ifdd.training.recipe import AugmentConfig


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Inside the block torch's generator of the CPU, from which all changes are drawn, begins at `seed`; then it is as before."""
    state = torch.get_rng_state()
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(state)


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


class InputAugment:
    """`ClipAugment` of each input by its name; left and right are swapped for all inputs of a clip together."""

    def __init__(self, config: AugmentConfig, sizes: Mapping[str, tuple[int, int]]) -> None:
        self.flip = config.flip if len(sizes) > 1 else 0.0
        self.parts = {
            name: ClipAugment(config.model_copy(update={"flip": 0.0}) if len(sizes) > 1 else config, size)
            for name, size in sizes.items()
        }

    def __call__(self, pixels: Clips) -> Clips:
        """Change every clip of a batch."""
        if not isinstance(pixels, Mapping):
            return next(iter(self.parts.values()))(pixels)
        swapped = torch.rand(len(of_input(pixels, None))) < self.flip
        found = {}
        for name, part in pixels.items():
            turned = torch.where(swapped.to(part.device).view(-1, 1, 1, 1, 1), part.flip(3), part)
            found[name] = self.parts[name](turned)
        return found

    def each_by(self, pixels: Clips, seeds: Sequence[int]) -> Clips:
        """Change every clip of a batch by draws of its own seed, whatever other clips are in the batch."""
        changed = []
        for i, seed in enumerate(seeds):
            with seeded(seed):
                changed.append(self(rows_of(pixels, slice(i, i + 1))))
        if isinstance(pixels, Mapping):
            return {name: torch.cat([of_input(clip, name) for clip in changed]) for name in pixels}
        return torch.cat([of_input(clip, None) for clip in changed])


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

    def __call__(self, clips: Clips, target: Tensor) -> tuple[Clips, Tensor]:
        """Mix, with the probability of the recipe; otherwise hand both back. Several inputs are mixed alike."""
        if not self.active or torch.rand(()) >= self.config.mix:
            return clips, target
        cut = self.mixup is None or (self.cutmix is not None and bool(torch.rand(()) < self.config.switch))
        chosen = self.cutmix if cut else self.mixup
        assert chosen is not None
        state, probabilities = torch.get_rng_state(), target

        def mixed(part: Tensor) -> Tensor:
            nonlocal probabilities
            torch.set_rng_state(state)  # the same ratio for every input
            # torchvision mixes batches of videos along the first axis and cuts along the last two, whatever lies between
            video, probabilities = chosen(tv_tensors.Video(part), target)
            return video.as_subclass(Tensor)

        return each(clips, mixed), probabilities

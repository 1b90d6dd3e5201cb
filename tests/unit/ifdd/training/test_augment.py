import pytest
import torch

from ifdd.inputs import to_clips
from ifdd.training.augment import ClipAugment, Mix
from ifdd.training.recipe import AugmentConfig

NOTHING = {"flip": 0, "crop": 1, "jitter": 0, "erase": 0, "mixup": 0, "cutmix": 0}


def pixels(batch: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (batch, 4, 16, 16, 3), dtype=torch.uint8, generator=generator)


def test_to_clips_moves_channels_first_and_divides():
    clips = to_clips(pixels())
    assert clips.shape == (3, 3, 4, 16, 16)
    assert clips[1, 2, 3, 5, 7] == pixels()[1, 3, 5, 7, 2].float() / 255


def test_nothing_asked_nothing_changed():
    config = AugmentConfig(**NOTHING)
    assert torch.equal(ClipAugment(config, (16, 16))(pixels()), pixels())
    clips, target = Mix(config, 7)(to_clips(pixels()), torch.tensor([0, 1, 2]))
    assert torch.equal(clips, to_clips(pixels()))
    assert torch.equal(target, torch.tensor([0, 1, 2]))


def test_a_sure_flip_mirrors_columns():
    flipped = ClipAugment(AugmentConfig(**NOTHING | {"flip": 1}), (16, 16))(pixels())
    assert torch.equal(flipped, pixels().flip(3))


@pytest.mark.parametrize("change", [{"crop": 0.5}, {"jitter": 0.4}, {"erase": 1.0}, {"flip": 0.5}])
def test_all_frames_of_a_clip_change_alike_and_clips_differ(change: dict[str, float]):
    torch.manual_seed(0)
    still = pixels(1)[:, :1].expand(8, 4, -1, -1, -1).contiguous()
    changed = ClipAugment(AugmentConfig(**NOTHING | change), (16, 16))(still)
    assert changed.dtype == torch.uint8
    assert changed.shape == still.shape
    assert torch.equal(changed, changed[:, :1].expand_as(changed))
    assert not torch.equal(changed[0], changed[1]) or not torch.equal(changed[1], changed[2])


def test_mixup_is_the_same_blend_of_clips_and_classes():
    torch.manual_seed(1)
    clips, target = to_clips(pixels()), torch.tensor([0, 3, 6])
    mixed, probabilities = Mix(AugmentConfig(**NOTHING | {"mixup": 0.8}), 7)(clips, target)
    ratio = probabilities[0, 0]
    assert 0 < ratio < 1
    expected = torch.zeros(3, 7)
    expected[torch.arange(3), target] = ratio
    expected[torch.arange(3), target.roll(1)] = 1 - ratio
    torch.testing.assert_close(probabilities, expected)
    torch.testing.assert_close(mixed, ratio * clips + (1 - ratio) * clips.roll(1, 0))


def test_cutmix_pastes_one_box_into_all_frames_and_weighs_classes_by_area():
    torch.manual_seed(2)
    base = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1, 1).expand(2, 3, 4, 16, 16)
    mixed, probabilities = Mix(AugmentConfig(**NOTHING | {"cutmix": 1.0}), 7)(base, torch.tensor([2, 5]))
    pasted = mixed[0] == 1  # (3, T, H, W)
    assert torch.equal(pasted, pasted[:1, :1].expand_as(pasted))
    rows, columns = pasted[0, 0].any(1).sum(), pasted[0, 0].any(0).sum()
    assert rows * columns == pasted[0, 0].sum() > 0  # a rectangle
    assert probabilities[0, 5].item() == pytest.approx(pasted.float().mean().item(), abs=1e-6)
    assert probabilities[0, 2].item() == pytest.approx(1 - pasted.float().mean().item(), abs=1e-6)
    assert torch.equal(mixed[1], 1 - mixed[0])


@pytest.mark.parametrize(("switch", "cut"), [(0.0, False), (1.0, True)])
def test_switch_chooses_between_both(switch: float, cut: bool):
    base = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1, 1).expand(2, 3, 4, 16, 16)
    mix = Mix(AugmentConfig(**NOTHING | {"mixup": 0.8, "cutmix": 1.0, "switch": switch}), 7)
    for seed in range(5):
        torch.manual_seed(seed)
        values = mix(base, torch.tensor([0, 1]))[0].unique()
        assert (set(values.tolist()) <= {0.0, 1.0}) == cut


def test_mixing_happens_in_the_given_share_of_batches():
    torch.manual_seed(0)
    mix = Mix(AugmentConfig(**NOTHING | {"mixup": 0.8, "mix": 0.25}), 7)
    clips = torch.rand(2, 3, 1, 2, 2)
    mixed = sum(mix(clips, torch.tensor([0, 1]))[1].dim() == 2 for _ in range(400))
    assert 70 <= mixed <= 130  # 100 ± 3.5 standard deviations

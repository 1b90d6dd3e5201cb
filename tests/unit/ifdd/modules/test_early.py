"""The small backbone's stem against sums written out by hand, and stochastic depth against torchvision's."""

import pytest
import torch
from torchvision.ops import stochastic_depth

import ifdd
from ifdd.modules.drop import StochasticDepth
from ifdd.modules.mvit.early import EarlyConvolutions, PlaceReading


def plain_reading(reading: PlaceReading, features: torch.Tensor) -> torch.Tensor:
    """One channel, one weight and one place at a time."""
    parts = torch.relu(reading.norm(reading.reduce(features)))
    changes = parts - parts.mean(2, keepdim=True)
    batch, channels, steps, height, width = changes.shape
    added = torch.stack([changes[:, c] * reading.weight[k, c] for k in range(2) for c in range(channels)], 1)
    sums = torch.relu(reading.norm_sums(added.sum((3, 4))))
    gains = torch.relu(added) + 0.01
    out = torch.zeros(batch, reading.project.out_features, steps, height, width, dtype=features.dtype)
    for y in range(height):
        for x in range(width):
            for k in range(2 * channels):
                share = gains[:, k, :, y, x] / gains[:, k].mean((2, 3))
                out[..., y, x] += reading.project.weight[:, k][None, :, None] * (sums[:, k] * share)[:, None]
    return out


def test_reading_equals_the_plain_sums_with_gradients() -> None:
    torch.manual_seed(0)
    reading = PlaceReading(4, 3, (2, 3)).double()
    features = torch.randn(2, 4, 5, 4, 6, dtype=torch.float64, requires_grad=True)
    fast, plain = reading(features), plain_reading(reading, features)
    torch.testing.assert_close(fast, plain)
    weight = torch.randn_like(fast)
    parameters = [features, reading.weight, reading.project.weight]
    ours, theirs = (torch.autograd.grad(value, parameters, weight) for value in (fast, plain))
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b)


def test_what_stands_still_is_not_read() -> None:
    """A clip of one frame repeated has no changes: every place gets the same constant in every frame."""
    torch.manual_seed(0)
    reading = PlaceReading(4, 3, (2, 2)).eval()
    still = torch.randn(1, 4, 1, 4, 4).expand(-1, -1, 6, -1, -1)
    other = torch.randn(1, 4, 1, 4, 4).expand(-1, -1, 6, -1, -1)
    torch.testing.assert_close(reading(still), reading(other))
    moving = torch.randn(1, 4, 6, 4, 4)
    assert not torch.allclose(reading(moving), reading(other), atol=1e-3)


def test_a_sum_returns_to_the_place_that_changed() -> None:
    torch.manual_seed(0)
    reading = PlaceReading(4, 3, (4, 4)).eval()
    features = torch.zeros(1, 4, 6, 8, 8)
    features[..., 3, 2:4, 4:6] = 5.0  # one frame, one place, whose 3×3 reading reaches the next ones
    written = (reading(features) - reading(torch.zeros_like(features))).abs().sum((0, 1))
    inside = written[3, 1:3, 2:].sum() / written[3].sum()
    assert inside > 0.9


def test_what_is_read_joins_the_last_stage() -> None:
    model = ifdd.create_model("mvit-tiny-baseline", size=(32, 48)).eval()
    clips = torch.rand(1, 3, 16, 32, 48)
    read = []
    model.backbone.places.register_forward_hook(lambda _m, _i, out: read.append(out))
    last = model.encode(clips)[-1]
    model.backbone.places.register_forward_hook(lambda _m, _i, out: torch.zeros_like(out))
    torch.testing.assert_close(last - model.encode(clips)[-1], read[0])


def test_mean_over_places_is_the_sum_read() -> None:
    """Shares average to one, so a mean over places sees each sum once, wherever it was read."""
    torch.manual_seed(0)
    reading = PlaceReading(4, 3, (2, 2)).double()
    seen = []
    reading.norm_sums.register_forward_hook(lambda _m, _i, out: seen.append(torch.relu(out)))
    out = reading(torch.randn(2, 4, 6, 4, 4, dtype=torch.float64))
    expected = torch.einsum("bkt,dk->bdt", seen[0], reading.project.weight)
    torch.testing.assert_close(out.mean((3, 4)), expected)


@pytest.mark.parametrize("stride", [1, 2])
def test_stem_has_stride_eight_and_keeps_other_shapes_than_squares(stride: int) -> None:
    stem = EarlyConvolutions(stride).eval()
    assert stem(torch.rand(1, 3, 8, 32, 48)).shape == (1, stem.channels, 8 // stride, 4, 6)


def test_stochastic_depth_equals_torchvision_and_keeps_the_mean() -> None:
    drop, branch = StochasticDepth(0.25), torch.ones(20_000, 2)
    out = drop(branch)
    assert out.unique().tolist() == pytest.approx([0, 1 / 0.75])
    assert bool((out[:, 0] == out[:, 1]).all())  # a whole sample goes
    assert out.mean() == pytest.approx(float(stochastic_depth(branch, 0.25, "row").mean()), abs=0.04)
    assert out.mean() == pytest.approx(1, abs=0.03)
    assert drop.eval()(branch) is branch

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ifdd.modules.issm import EvenOddSplit, IndexSplit, read_as_released, read_exact, sampling_weights


def ramp(steps: int = 8) -> torch.Tensor:
    """Features (1, 2, T', 1, 1) whose value is their own time."""
    return torch.arange(float(steps)).view(1, 1, steps, 1, 1).expand(1, 2, steps, 1, 1)


@given(st.lists(st.floats(0, 7, width=32), min_size=1, max_size=6))
def test_a_time_ramp_is_read_exactly(positions: list[float]) -> None:
    sample = torch.tensor([positions], dtype=torch.float64)
    weights = sampling_weights(sample, 8)
    torch.testing.assert_close(weights.sum(-1), torch.ones_like(sample))
    torch.testing.assert_close(weights @ torch.arange(8, dtype=torch.float64), sample)
    assert (weights >= 0).all()
    assert ((weights > 0).sum(-1) <= 2).all()


def test_gradient_is_the_slope_between_neighbours() -> None:
    sample = torch.tensor([[0.0, 2.5, 7.0]], dtype=torch.float64, requires_grad=True)
    values = torch.tensor([0, 1, 4, 9, 16, 25, 36, 49], dtype=torch.float64)
    (gradient,) = torch.autograd.grad((sampling_weights(sample, 8) @ values).sum(), sample)
    assert gradient.tolist() == [[1, 5, 13]]


def test_released_reading() -> None:
    """Source: measured on the released code (shared FACTS, defect 1)."""
    even = read_as_released(torch.tensor([0.0, 2.0, 4.0, 6.0]), 8)
    odd = read_as_released(torch.tensor([1.0, 3.0, 5.0, 7.0]), 8)
    torch.testing.assert_close(even, torch.tensor([0.0, 1.7857, 4.0714, 6.3571]), atol=1e-4, rtol=0)
    torch.testing.assert_close(odd, torch.tensor([0.6429, 2.9286, 5.2143, 7.0]), atol=1e-4, rtol=0)
    assert read_exact(torch.tensor([-1.0, 3.25, 9.0]), 8).tolist() == [0, 3.25, 7]


def test_even_odd() -> None:
    static, dynamic = EvenOddSplit(8)(ramp())
    assert static[0, 0, :, 0, 0].tolist() == [0, 2, 4, 6]
    assert dynamic[0, 1, :, 0, 0].tolist() == [1, 3, 5, 7]


def build(**changes) -> IndexSplit:
    torch.manual_seed(0)
    return IndexSplit(4, 8, **{"offset_range": 2, "correlation_scale": 0.1, "read_at": read_exact} | changes)


def test_zero_offsets_are_the_even_odd_split() -> None:
    split = build()
    torch.nn.init.zeros_(split.offsets_S.weight)
    torch.nn.init.zeros_(split.offsets_D.weight)
    features = torch.randn(2, 4, 8, 7, 7)
    for ours, theirs in zip(split(features), EvenOddSplit(8)(features), strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("limit", [1, 2, 4])
def test_offsets_stay_within_their_range_and_depend_on_the_clip(limit: int) -> None:
    split = build(offset_range=limit, correlation_scale=1.0)
    caught = []
    split.offset_D.register_forward_hook(lambda _m, _i, out: caught.append(out))
    with torch.no_grad():
        split.offsets_D.weight.mul_(50)
        split(torch.randn(3, 4, 8, 14, 14))
    (offsets,) = caught
    assert offsets.abs().max() <= limit
    assert offsets.std(0).max() > 1e-4


def test_gradcheck() -> None:
    split = build().double()
    features = torch.randn(1, 4, 8, 7, 7, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: split(x)[1].sum((3, 4)), (features,), fast_mode=True)


def test_a_position_that_is_nan_has_weights_that_are() -> None:
    weights = sampling_weights(torch.tensor([[float("nan"), 1.25]]), 4)
    assert weights[0, 0].isnan().any()  # never a frame that nobody asked for
    torch.testing.assert_close(weights[0, 1], torch.tensor([0.0, 0.75, 0.25, 0.0]))

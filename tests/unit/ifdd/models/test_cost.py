"""Counting of parameters and multiply-adds."""

import pytest

from ifdd import create_model
from ifdd.models.cost import cost


def test_released_network_has_its_parameters() -> None:
    """FACTS: 37.58 M stored, about 37.53 M of them used; MACs of the released code are 47.86 G."""
    assert cost("ifdd-mvit-s").parameters / 1e6 == pytest.approx(48.31 - 0.05, abs=0.02)
    found = cost("ifdd-mvit-xs")
    assert found.parameters / 1e6 == pytest.approx(37.53, abs=0.01)
    assert found.flops == 2 * found.macs
    # fused attention carries the relative position in extra dimensions, which are multiplied, too
    assert 47.86 <= found.macs / 1e9 <= 1.1 * 47.86


def test_a_model_without_data_counts_as_one_with() -> None:
    model = create_model("mvit-tiny-baseline")
    assert cost("mvit-tiny-baseline").parameters == sum(p.numel() for p in model.parameters())
    half = cost(model.config.model_copy(update={"size": (112, 224)}))
    assert 1.8 < half.macs / cost(model.config).macs < 2.6

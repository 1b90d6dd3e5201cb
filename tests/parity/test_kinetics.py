"""Backbones against torchvision's `mvit_v2_s`, randomly filled: its own weights cannot be had here."""

import pytest
import torch
from torch import Tensor
from torchvision.models.video import mvit_v2_s

from ifdd import InputError
from ifdd.model import Normalise
from ifdd.weights import from_kinetics


@pytest.fixture(scope="module")
def theirs() -> torch.nn.Module:
    torch.manual_seed(0)
    model = mvit_v2_s(weights=None).eval()
    with torch.no_grad():
        for name, value in model.named_parameters():
            if "rel_pos" in name or "class_token" in name:
                value.normal_(std=0.2)
    return model


def tokens_before_head(model: torch.nn.Module, norm: torch.nn.Module, clips: Tensor) -> Tensor:
    caught: list[Tensor] = []
    handle = norm.register_forward_hook(lambda _m, _i, out: caught.append(out))
    with torch.no_grad():
        model(clips)
    handle.remove()
    return caught[-1]


def test_all_tokens_of_mvit_s(theirs: torch.nn.Module) -> None:
    ours = from_kinetics(theirs.state_dict(), "mvit-s-baseline", normalise="none")
    clips = torch.rand(1, 3, 16, 224, 224)
    expected = tokens_before_head(theirs, theirs.norm, clips)
    found = tokens_before_head(ours, ours.backbone.norm, clips)
    assert found.shape == expected.shape == (1, 1 + 8 * 7 * 7, 768)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_blocks_of_mvit_xs(theirs: torch.nn.Module) -> None:
    weights = theirs.state_dict()
    ours = from_kinetics(weights)
    assert isinstance(ours.normalise, Normalise)
    assert ours.config.split == "index"
    for mine, source in ((0, 0), (7, 7), (8, 14), (9, 15)):
        torch.testing.assert_close(ours.backbone.blocks[mine].attn.qkv.weight, weights[f"blocks.{source}.attn.qkv.weight"])


def test_what_does_not_fit_is_told(theirs: torch.nn.Module) -> None:
    weights = dict(theirs.state_dict())
    with pytest.raises(InputError, match="backbone mvit-tiny has no Kinetics weights; choose mvit-s or mvit-xs"):
        from_kinetics(weights, "mvit-tiny-baseline")
    with pytest.raises(InputError, match=r"position\.tables\.1 is \(111, 96\), expected"):
        from_kinetics(weights, size=(128, 128))
    del weights["norm.bias"]
    with pytest.raises(InputError, match=r"missing backbone\.norm\.bias"):
        from_kinetics(weights)

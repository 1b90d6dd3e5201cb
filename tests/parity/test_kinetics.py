"""Backbones against torchvision's `mvit_v2_s`, randomly filled: its own weights cannot be had here."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torchvision.models.video import mvit_v2_s, r2plus1d_18, r3d_18
from torchvision.models.video.resnet import BasicBlock, BasicStem, Conv2Plus1D, Conv3DSimple, R2Plus1dStem

from ifdd import InputError
from ifdd.models.base import Normalise
from ifdd.modules.resnet3d import ResNet3D
from ifdd.modules.resnet_parts import Block, factorised_stem, joint_stem
from ifdd.modules.resnet_specs import RESNET_SPECS
from ifdd.weights.kinetics import from_kinetics


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


@pytest.mark.parametrize(("name", "build"), [("r3d18", r3d_18), ("r2plus1d18", r2plus1d_18)])
def test_residual_networks(name: str, build: Callable[..., torch.nn.Module]) -> None:
    torch.manual_seed(0)
    theirs = build(weights=None).eval()
    ours = ResNet3D(RESNET_SPECS[name], 16, temporal_strides="torchvision").eval()
    ours.load_state_dict({key: value for key, value in theirs.state_dict().items() if not key.startswith("fc.")})
    clips = torch.rand(1, 3, 16, 56, 56)
    expected = theirs.stem(clips)
    with torch.no_grad():
        for i, stage in enumerate(ours(clips)):
            expected = theirs.get_submodule(f"layer{i + 1}")(expected)
            torch.testing.assert_close(stage, expected)
    model = from_kinetics(theirs.state_dict(), f"ifdd-{name}")
    torch.testing.assert_close(model.backbone.layer4[1].conv2[1].weight, theirs.layer4[1].conv2[1].weight)
    torch.testing.assert_close(model.normalise.mean.flatten(), torch.tensor([0.43216, 0.394666, 0.37645]))


@pytest.mark.parametrize("is_joint", [True, False])
def test_parts_of_residual_networks_begin_with_the_same_random_numbers(is_joint: bool) -> None:
    """So a training from scratch, and every checkpoint of ours, is what it was with torchvision's own parts."""
    for stride in (1, 2):
        made = []
        for block, convolution in ((BasicBlock, Conv3DSimple if is_joint else Conv2Plus1D), (Block, is_joint)):
            torch.manual_seed(stride)
            skip = torch.nn.Conv3d(8, 16, 1, stride)
            made.append(block(8, 16, convolution, stride, skip))
        for key, value in made[0].state_dict().items():
            assert torch.equal(value, made[1].state_dict()[key]), key
        clips = torch.rand(1, 8, 4, 6, 6)
        assert torch.equal(made[0](clips), made[1](clips))
    for build, theirs in ((joint_stem, BasicStem), (factorised_stem, R2Plus1dStem)):
        torch.manual_seed(3)
        expected = theirs().state_dict()
        torch.manual_seed(3)
        assert all(torch.equal(value, expected[key]) for key, value in build().state_dict().items())


def test_what_does_not_fit_is_told(theirs: torch.nn.Module) -> None:
    weights = dict(theirs.state_dict())
    with pytest.raises(InputError, match="backbone mvit-tiny has no Kinetics weights; choose mvit-s, mvit-xs, r3d18, r2plus1d18"):
        from_kinetics(weights, "mvit-tiny-baseline")
    with pytest.raises(InputError, match=r"position\.tables\.1 is \(111, 96\), expected"):
        from_kinetics(weights, size=(128, 128))
    del weights["norm.bias"]
    with pytest.raises(InputError, match=r"missing backbone\.norm\.bias"):
        from_kinetics(weights)

"""Parts of somebody's own: what a split or a backbone may do, and what it is told where it does something else."""

from typing import get_args

import pytest
import torch
from torch import Tensor

import ifdd
from ifdd import InputError
from ifdd.hooks import HookPoint
from ifdd.models import config
from ifdd.models.config import model_names
from ifdd.models.ifdd.parts import SPLITS
from ifdd.modules.backbones import BACKBONES
from ifdd.modules.issm import EvenOddSplit, Split, read_exact
from ifdd.modules.resnet3d import ResNet3D
from ifdd.modules.resnet_specs import RESNET_SPECS, ResNet3DSpec

TINY = {"frames": 8, "size": (32, 32)}
CLIPS = torch.rand(2, 3, 8, 32, 32)


class Still(Split):
    """Offsets of its own, all zero."""

    def __init__(self, steps: int) -> None:
        super().__init__(steps)
        self.offset_S, self.offset_D = (HookPoint("B K", group, "offset") for group in "SD")

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        zero = features.new_zeros(len(features), self.steps // 2)
        return self.read_with(features, self.offset_S(zero), self.offset_D(zero), read_exact)


def test_a_split_with_offsets_of_its_own_can_have_them_set_to_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SPLITS, "even-odd", lambda config, dim: Still(config.feature_frames))
    model = ifdd.create_model("ifdd-r3d-tiny", split="even-odd", **TINY)
    assert "offsets" in model.capabilities
    monkeypatch.undo()
    assert "offsets" not in ifdd.create_model("ifdd-r3d-tiny", split="even-odd", **TINY).capabilities


class Short(EvenOddSplit):
    """A step less in D."""

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        static, dynamic = super().forward(features)
        return static, dynamic[:, :, :-1]


class One(EvenOddSplit):
    """One group."""

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(features)[0]


@pytest.mark.parametrize("lift", ["none", "update-first", "predict-first"])
@pytest.mark.parametrize("split", [Short, One])
def test_groups_of_another_size_are_told(split: type[Split], lift: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SPLITS, "even-odd", lambda config, dim: split(config.feature_frames))
    model = ifdd.create_model("ifdd-r3d-tiny", split="even-odd", lift=lift, **TINY)
    with pytest.raises(InputError, match=r"split even-odd: .*, not X_S and X_D of \(2, 64, 4, 2, 2\)$"):
        model(CLIPS)


class Wrong(ResNet3D):
    """Stages that its spec does not tell."""

    def __init__(self, how: str) -> None:
        super().__init__(RESNET_SPECS["r3d-tiny"], 8)
        self.how = how

    def forward(self, clips: Tensor) -> tuple[Tensor, ...]:
        *stages, last = super().forward(clips)
        return {"frames": (*stages, last[:, :, :-1]), "channels": (*stages, last[:, 1:]), "missing": tuple(stages)}[self.how]


@pytest.mark.parametrize("how", ["frames", "channels", "missing"])
@pytest.mark.parametrize("name", ["ifdd-r3d-tiny", "r3d-tiny-baseline"])
def test_stages_of_another_shape_are_told(name: str, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = ifdd.create_model(name, **TINY)
    model.backbone = Wrong(how)
    with pytest.raises(InputError, match=r"backbone r3d-tiny: stage 3 is .*, its spec and ifdd.timing say \(2, 64, 8, 2, 2\)$"):
        model(CLIPS)


@pytest.mark.parametrize(
    "spec", [ResNet3DSpec("r3d", (8, 16, 32), (1, 1, 1)), ResNet3DSpec("r3d", (8, 16, 32, 64), (1, 1, 1, 3))]
)
def test_an_impossible_spec_is_told(spec: ResNet3DSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BACKBONES, "r3d-tiny", spec)
    with pytest.raises(InputError, match=r"backbone r3d-tiny: .* an entry for each of four stages"):
        ifdd.create_model("ifdd-r3d-tiny", **TINY)


@pytest.mark.parametrize(("stride", "side"), [(8, 112), (16, 112), (28, 112), (32, 224), (48, 192), (256, 256)])
def test_a_short_name_has_a_size_that_its_backbone_can_read(stride: int, side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    strides = (stride // 8, stride // 4, stride // 2, stride)
    monkeypatch.setitem(BACKBONES, "r3d-tiny", ResNet3DSpec("r3d", (8, 16, 32, 64), (1, 1, 1, 2), stage_strides=strides))
    assert model_names()["ifdd-r3d-tiny"]["size"] == (side, side)
    assert config.ModelConfig(**model_names()["ifdd-r3d-tiny"]).grid == (side // stride,) * 2


def test_every_backbone_has_its_two_names() -> None:
    assert set(model_names()) == {name for b in get_args(config.Backbone) for name in (f"ifdd-{b}", f"{b}-baseline")}

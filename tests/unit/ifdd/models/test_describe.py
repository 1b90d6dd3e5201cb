"""Activations describe themselves, and a model tells what it can do."""

import pytest
import torch

import ifdd
from ifdd.activations import Activation, with_roles
from ifdd.models.base import VideoModel
from ifdd.models.ifdd.parts import SPLITS

TINY = {"frames": 8, "size": (64, 64)}
ROLES = {
    "pyramid.X": "X",
    "issm.X_S": "read",
    "issm.X_D": "read",
    "ladm.Y_S": "branch",
    "ladm.detail": "detail",
    "ladm.Y_D": "branch",
    "head.embedding": "embedding",
}


@pytest.fixture(scope="module")
def model() -> VideoModel:
    return ifdd.create_model("ifdd-mvit-tiny", **TINY).eval()


@pytest.mark.parametrize("name", ["ifdd-mvit-tiny", "mvit-tiny-baseline", "ifdd-r3d-tiny"])
def test_axes_and_clocks_are_those_of_the_tensors(name: str) -> None:
    model = ifdd.create_model(name, **TINY).eval()
    with torch.no_grad():
        _, cache = model.run_with_cache(torch.rand(2, *model.inputs["clip"]))
    steps = {"feature frames": model.config.feature_frames, "steps": model.config.feature_frames // 2, "clip frames": 8}
    for activation, tensor in cache.items():
        told = model.describe(activation)
        assert len(told.axes) == tensor.dim(), activation
        assert told.input == "clip"
        for axis, size in zip(told.axes, tensor.shape, strict=True):
            if axis in ("T", "K"):
                assert size == steps[told.clock or ""], activation
            if axis == "KHW":
                height, width = told.grid or (0, 0)
                assert size == steps["steps"] * height * width, activation


def test_every_split_describes_what_it_has() -> None:
    for split in SPLITS:
        model = ifdd.create_model("ifdd-mvit-tiny", split=split, lift="none", **TINY)
        assert all(model.describe(name).axes for name in model.activation_names)
        assert model.with_roles("sample") == ("issm.sample_S", "issm.sample_D")
        assert ("offsets" in model.capabilities) == bool(model.with_roles("offset"))


def test_a_group_tells_where_it_was_read(model: VideoModel) -> None:
    assert {model.describe(name).sample for name in ("ladm.Y_D", "ladm.detail", "issm.X_D")} == {"issm.sample_D"}
    assert model.describe("ladm.update").group == "S"
    assert model.describe("pyramid.X").sample is None


def test_roles_come_in_the_order_of_the_computation(model: VideoModel) -> None:
    assert model.with_roles("embedding", "X", "read", "branch", "detail") == tuple(ROLES)
    assert {name: model.describe(name).role for name in ROLES} == ROLES
    assert model.default_activations == (
        "head.logits",
        "head.embedding",
        "issm.offset_S",
        "issm.offset_D",
        "issm.position_S",
        "issm.position_D",
        "issm.sample_S",
        "issm.sample_D",
        "issm.correlation",
    )


def test_maps_are_offered_of_what_the_logits_depend_on(model: VideoModel) -> None:
    assert [name for name in model.spatial_activations if name.startswith("backbone")] == ["backbone.stage2", "backbone.stage3"]
    cnn = ifdd.create_model("r3d-tiny-baseline", **TINY)
    assert cnn.spatial_activations == (*(f"backbone.stage{i}" for i in range(4)), "pyramid.X")


def test_capabilities(model: VideoModel) -> None:
    assert model.capabilities == {"stages", "split", "offsets", "lift"}
    assert ifdd.create_model("mvit-tiny-baseline", **TINY).capabilities == {"stages"}
    assert ifdd.ModelConfig(split="even-odd", lift="none").capabilities == {"stages", "split", "oracle"}


def test_an_unknown_activation_names_those_there_are(model: VideoModel) -> None:
    with pytest.raises(ifdd.InputError, match=r"unknown activation 'ladm.Y' .*ladm\.Y_D"):
        model.describe("ladm.Y")


def test_a_description_survives_a_file(model: VideoModel) -> None:
    for name in model.activation_names:
        told = model.describe(name)
        assert Activation.from_dict(name, told.to_dict()) == told
    told = model.describe("ladm.Y_D").pooled()
    assert (told.spatial, told.role) == (False, "branch")
    assert Activation.from_dict("ladm.Y_D", told.to_dict()) == told


def test_roles_of_descriptions_alone() -> None:
    told = [Activation.of("out", "B classes", role="logits"), Activation.of("a", "B C T H W", role="branch", clock="clip frames")]
    assert with_roles(told, "logits", "branch") == ("a", "out")
    assert [item.clock for item in told] == [None, "clip frames"]


def test_the_mean_over_places_follows_from_the_axes() -> None:
    maps, tokens = torch.rand(2, 3, 4, 5, 6), torch.rand(2, 12, 3)
    volume, rows = Activation.of("x", "B C T H W"), Activation.of("y", "B KHW C")
    torch.testing.assert_close(volume.mean(maps), maps.mean((2, 3, 4)))
    torch.testing.assert_close(volume.mean(maps, time=False), maps.mean((3, 4)))
    torch.testing.assert_close(rows.mean(tokens), tokens.mean(1))
    torch.testing.assert_close(rows.mean(tokens, time=False), tokens.mean(1))  # steps and places lie along one axis
    assert volume.mean(maps.half()).dtype == torch.float32
    square = torch.rand(2, 4, 4)
    assert Activation.of("z", "B T T").mean(square) is square

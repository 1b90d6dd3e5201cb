import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

from ifdd import InputError, create_model
from workbench.analysis import saliency
from workbench.analysis.saliency import cam, rendering
from workbench.analysis.splits.inspection import inspect_split

CLIPS = torch.rand(2, 3, 8, 32, 32, generator=torch.Generator().manual_seed(0))


def build(name: str = "ifdd-mvit-tiny", **overrides):
    torch.manual_seed(0)
    return create_model(name, frames=8, size=(32, 32), **overrides).eval()


def test_hand_computed_map() -> None:
    features = torch.tensor([[1.0, 2.0], [3.0, -1.0]]).view(1, 2, 2, 1, 1)  # two channels, two steps, one place
    gradient = torch.tensor([[1.0, 3.0], [0.0, -2.0]]).view(1, 2, 2, 1, 1)
    # global weights: 2 and -1;  per step: (1, 0) and (3, -2)
    assert cam.class_map(features, gradient, "global").flatten().tolist() == [2 * 1 - 3, 2 * 2 + 1]
    assert cam.class_map(features, gradient, "per-step").flatten().tolist() == [1, 3 * 2 + 2]


class Logits(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        return self.model(clips).logits


@pytest.mark.parametrize("name", ["pyramid.X", "ladm.Y_D", "ladm.Y_S"])
def test_global_weights_equal_the_grad_cam_package(name: str) -> None:
    model = build()
    targets = [2, 5]

    class Raw(GradCAM):  # its map before ReLU and scaling
        def compute_cam_per_layer(self, input_tensor, targets, eigen_smooth):
            activations, grads = self.activations_and_grads.activations[0], self.activations_and_grads.gradients[0]
            return [self.get_cam_image(input_tensor, None, targets, activations.numpy(), grads.numpy(), eigen_smooth)]

        def aggregate_multi_layers(self, cams):
            return cams[0]

    def reshape(tokens: torch.Tensor) -> torch.Tensor:
        return tokens if tokens.dim() == 5 else tokens.transpose(1, 2).unflatten(2, (-1, *model.config.grid))

    with Raw(Logits(model), [model.get_submodule(name)], reshape_transform=reshape) as cam:
        theirs = cam(CLIPS.clone(), [ClassifierOutputTarget(target) for target in targets])
    ours = saliency.gradcam(model, CLIPS, name, target=targets)
    np.testing.assert_allclose(ours.raw, theirs, atol=1e-6, rtol=1e-4)


def test_both_branches_at_once_equal_one_at_a_time() -> None:
    model = build()
    both = saliency.gradcam_branches(model, CLIPS, target=1, weights="per-step")
    assert set(both) == {"D", "S"}
    for branch, result in both.items():
        alone = saliency.gradcam(model, CLIPS, model.branches[branch], target=1, weights="per-step")
        np.testing.assert_allclose(result.raw, alone.raw, rtol=1e-5, atol=1e-8)
        assert result.raw.shape == (2, 4, 2, 2)
        assert result.frames.shape == (2, 8, 32, 32)


@pytest.mark.parametrize(
    "name", ["backbone.stage0", "backbone.stage2", "backbone.stage3", "issm.X_S", "ladm.update", "ladm.detail"]
)
def test_gradients_are_those_of_the_whole_model(name: str) -> None:
    """The shortcut past the backbone changes nothing."""
    model = build()
    output, cache = model.run_with_cache(CLIPS, names=name)
    (gradient,) = torch.autograd.grad(output.logits[:, 3].sum(), cache[name], allow_unused=True)
    if gradient is None:  # the pyramid does not read this stage
        gradient = torch.zeros_like(cache[name])
    expected = cam.class_map(rendering.as_volume(cache[name].detach(), (2, 2)), rendering.as_volume(gradient, (2, 2)), "global")
    ours = saliency.gradcam(model, CLIPS, name, target=3).raw
    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-7)


def test_a_stage_that_nothing_reads_is_told_and_not_offered() -> None:
    result = saliency.gradcam(build(), CLIPS, "backbone.stage0", normalise="none")
    assert not result.frames.any()
    assert "do not depend on backbone.stage0" in result.notes[0]
    offered = build().spatial_activations
    assert "backbone.stage0" not in offered
    assert {"backbone.stage2", "backbone.stage3", "ladm.Y_D"} <= set(offered)


@pytest.mark.parametrize("target", [3, np.int64(3), torch.tensor(3), [3, 3]])
def test_a_target_may_be_any_kind_of_number(target: object) -> None:
    assert saliency.gradcam(build(), CLIPS, target=target).target.tolist() == [3, 3]


def test_steps_are_rectified_before_they_are_spread() -> None:
    """Two steps that read the same frames: what speaks against the class in one hides nothing of the other."""
    model = build()
    with model.hooks({"issm.sample_D": lambda sample: torch.full_like(sample, 3.25)}):
        result = saliency.gradcam(model, CLIPS, normalise="none")
    positive = torch.tensor(result.raw).clamp(min=0).sum(1)
    pixels = torch.nn.functional.interpolate(positive[:, None], size=(32, 32), mode="bilinear")[:, 0]
    np.testing.assert_allclose(result.frames.sum(1), 1 * pixels, rtol=1e-4, atol=1e-7)


def test_nothing_is_left_behind() -> None:
    model = build()
    model.head.dropout.train()
    modes = [module.training for module in model.modules()]
    saliency.gradcam_branches(model, CLIPS)
    assert [module.training for module in model.modules()] == modes
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.parameters())
    assert not any(module._forward_hooks for module in model.modules())
    with pytest.raises(InputError):
        saliency.gradcam(model, CLIPS, "ladm.Y_X")
    assert not any(module._forward_hooks for module in model.modules())
    assert torch.is_grad_enabled()
    with torch.no_grad():  # as an app may call it
        saliency.gradcam(model, CLIPS)
        assert not torch.is_grad_enabled()


@given(st.lists(st.floats(0, 7, width=32), min_size=4, max_size=4))
def test_spreading_is_the_adjoint_of_sampling(sample: list[float]) -> None:
    raw = torch.tensor([1.0, -2.0, 3.0, 0.5]).view(1, 4, 1, 1)
    spread, read = rendering.spread_steps(raw, build().describe("ladm.Y_D"), {"issm.sample_D": torch.tensor([sample])})
    assert spread.sum().item() == pytest.approx(raw.sum().item(), abs=1e-4)
    touched = {int(s) for s in sample} | {min(int(s) + 1, 7) for s in sample if s % 1}
    assert set(torch.nonzero(read[0]).flatten().tolist()) == touched
    assert not spread[~read].any()


def test_unread_frames_follow_the_split() -> None:
    model = build(split="even-odd")
    result = saliency.gradcam_branches(model, CLIPS)
    assert result["D"].read.tolist() == [[False, True] * 4] * 2
    assert result["S"].read.tolist() == [[True, False] * 4] * 2
    assert not result["D"].frames[:, ::2].any()


def test_normalisation_is_what_it_says() -> None:
    maps = torch.tensor([1.0, 4.0, -2.0, 0.0]).view(1, 4, 1, 1).expand(1, 4, 2, 2)
    by = {how: rendering.render_frames(maps.clamp(min=0), maps, 8, (4, 4), how)[0] for how in ("none", "clip", "frame")}
    assert by["none"][0, :, 0, 0].tolist() == [1, 1, 4, 4, 0, 0, 0, 0]
    assert by["clip"][0, :, 0, 0].tolist() == [0.25, 0.25, 1, 1, 0, 0, 0, 0]
    assert by["frame"][0, :, 0, 0].tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
    frames, notes = rendering.render_frames(torch.zeros_like(maps), -maps.abs(), 8, (4, 4), "clip")
    assert not frames.any()
    assert "no positive evidence" in notes[0]


def test_baseline_has_one_branch() -> None:
    result = saliency.gradcam_branches(build("mvit-tiny-baseline"), CLIPS)
    assert set(result) == {"X"}
    assert result["X"].read.all()
    assert result["X"].raw.shape == (2, 8, 2, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"activation": "head.logits"}, "head.logits has no places"),
        ({"target": 7}, "target 7"),
        ({"target": [1]}, r"target \[1\]"),
        ({"weights": "local"}, "choose one of global, per-step"),
        ({"normalise": "max"}, "choose one of clip, frame, none"),
    ],
)
def test_bad_requests(options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        saliency.gradcam(build(), CLIPS, **options)


def test_inspect_split() -> None:
    model = build(preset="reference")
    result = inspect_split(model, CLIPS)
    np.testing.assert_allclose(result.position_D, result.initial_D + result.offset_D)
    np.testing.assert_allclose(result.sample_D, np.clip(result.position_D * 8 / 7 - 0.5, 0, 7), rtol=1e-5)
    np.testing.assert_allclose(result.weights_S @ np.arange(8), result.sample_S, rtol=1e-5, atol=1e-6)
    assert result.correlation.shape == (2, 8, 8)
    np.testing.assert_allclose(result.input_frames()["S"], result.sample_S)  # 8 frames: feature frame = clip frame
    assert inspect_split(build(split="even-odd"), CLIPS).correlation is None
    with pytest.raises(InputError, match="baseline"):
        inspect_split(build("mvit-tiny-baseline"), CLIPS)

"""Interventions on models whose answer is known."""

import numpy as np
import pytest
import torch

from ifdd import InputError, create_model
from workbench.analysis.counterfactuals.interventions import (
    WHOLE,
    order_sensitivity,
    patch_between_clips,
    split_stability,
    temporal_mixing,
)

CLIPS = torch.rand(4, 3, 8, 32, 32, generator=torch.Generator().manual_seed(0))


def tiny(name: str = "ifdd-mvit-tiny", **overrides):
    torch.manual_seed(0)
    model = create_model(name, frames=8, size=(32, 32), **overrides).eval()
    with torch.no_grad():
        model.head.classify.weight *= 30
    return model


def test_a_clip_of_equal_frames_has_no_order() -> None:
    model = tiny()
    still = CLIPS[:, :, :1].expand(-1, -1, 8, -1, -1)
    for effect in order_sensitivity(model, still):
        assert effect.change.value == pytest.approx(0, abs=1e-5)
        assert effect.flips.value == 0
    moving = {effect.name: effect.change.value for effect in order_sensitivity(model, CLIPS)}
    assert set(moving) == {"shuffle", "reverse", "freeze"}
    assert min(moving.values()) > 1e-4
    assert order_sensitivity(model, CLIPS, batch=3) == order_sensitivity(model, CLIPS, batch=3)


def test_patching_what_the_head_reads_replaces_the_prediction() -> None:
    model = tiny(lift="none")  # the head reads X_D and nothing else
    effects = {effect.name: effect for effect in patch_between_clips(model, CLIPS, batch=3)}
    assert set(effects) == {"issm.X_S", "issm.X_D", WHOLE}
    assert effects["issm.X_S"].change.value == 0
    with torch.no_grad():
        before = model(CLIPS).logits.softmax(-1)
    order = np.random.default_rng(0).permutation(4)
    taken = dict(zip(order.tolist(), np.roll(order, 1).tolist(), strict=True))
    expected = np.mean([0.5 * (before[taken[i]] - before[i]).abs().sum().item() for i in range(4)])
    assert effects["issm.X_D"].change.value == pytest.approx(expected, abs=1e-5)
    assert "ladm.Y_S" in {effect.name for effect in patch_between_clips(tiny(), CLIPS)}
    assert [effect.name for effect in patch_between_clips(tiny("mvit-tiny-baseline"), CLIPS)] == [WHOLE]
    with pytest.raises(InputError, match="at least two clips"):
        patch_between_clips(model, CLIPS[:1])


def test_mixing_is_one_for_a_backbone_that_looks_at_single_frames() -> None:
    model = tiny("mvit-tiny-baseline")

    class Frames(torch.nn.Module):
        def forward(self, clips):
            stages = ((32, 8), (32, 8), (32, 8), (64, 16))  # channels and stride of mvit-tiny's
            pooled = {stride: torch.nn.functional.avg_pool3d(clips, (1, stride, stride)) for _, stride in stages}
            return tuple(pooled[stride].repeat_interleave(22, 1)[:, :channels] for channels, stride in stages)

    class Everything(Frames):
        def forward(self, clips):
            return tuple(stage.sum(2, keepdim=True).expand_as(stage) for stage in super().forward(clips))

    model.pyramid = torch.nn.Module()
    model.pyramid.X = tiny().pyramid.X
    model.pyramid.forward = lambda stages: model.pyramid.X(stages[-1])
    for backbone, expected in ((Frames(), 1.0), (Everything(), 1 / 8)):
        model.backbone = backbone
        np.testing.assert_allclose(temporal_mixing(model, CLIPS[:2]), expected, atol=1e-5)
    real = temporal_mixing(tiny(), CLIPS[:1])
    assert real.shape == (1, 8)
    assert ((real > 0) & (real < 1)).all()


def test_places_read_move_only_where_offsets_depend_on_the_clip() -> None:
    constant = split_stability(tiny(split="constant"), CLIPS)
    assert set(constant.moved) == {"mirrored", "brighter", "half the frame rate"}
    assert [interval.value for interval in constant.moved.values()] == [0, 0, 0]
    assert constant.between == 0
    model = tiny()
    with torch.no_grad():
        for offsets in (model.issm.offsets_S, model.issm.offsets_D):
            offsets.weight.normal_(std=3)
    moving = split_stability(model, CLIPS, batch=3)
    assert min(interval.value for interval in moving.moved.values()) > 0
    assert moving.between > 0
    still = split_stability(model, CLIPS[:, :, :1].expand(-1, -1, 8, -1, -1))
    assert still.moved["half the frame rate"].value == pytest.approx(0, abs=1e-6)
    with pytest.raises(InputError, match="has no split"):
        split_stability(tiny("mvit-tiny-baseline"), CLIPS)

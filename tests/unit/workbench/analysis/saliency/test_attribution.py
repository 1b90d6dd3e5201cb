"""Attribution of pixels and frames against closed forms, Captum and finite sums."""

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from ifdd import InputError, create_model
from workbench.analysis.saliency.attribution import AttributionRequest, attribute
from workbench.analysis.saliency.fills import fill_of
from workbench.analysis.saliency.regions import face_rectangles, region_budget
from workbench.analysis.saliency.temporal import FrameRequest, frame_importance

T, H, W = 4, 8, 8
CLIPS = torch.rand(2, 3, T, H, W, generator=torch.Generator().manual_seed(0))


class Linear(nn.Module):
    """logit_1 = Σ weight · pixel, logit_0 = 0: every method's answer is known."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, T, H, W, generator=torch.Generator().manual_seed(1)))

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        one = (clips * self.weight).sum((1, 2, 3, 4))
        return torch.stack([torch.zeros_like(one), one], 1)


class Curved(Linear):
    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        return torch.tanh(super().forward(clips) / 5) * 3


def test_closed_forms_of_a_linear_model() -> None:
    model = Linear()
    weight = model.weight.detach()
    exact = (weight * CLIPS).sum(1).numpy()
    found = attribute(model, CLIPS, "integrated-gradients", 1, request=AttributionRequest(steps=3))
    np.testing.assert_allclose(found.raw, exact, atol=1e-5)
    np.testing.assert_allclose(found.residue, 0, atol=1e-4)
    np.testing.assert_allclose(attribute(model, CLIPS, "saliency", 1).raw[1], weight.abs().amax(0), atol=1e-6)
    grains = attribute(model, CLIPS, "occlusion", 1, request=AttributionRequest(window=(1, 1, 1), stride=(1, 1, 1), batch=64))
    np.testing.assert_allclose(grains.raw, exact, atol=1e-4)
    blocks = attribute(model, CLIPS, "occlusion", 1, request=AttributionRequest(window=(2, 4, 4), stride=(2, 4, 4), batch=3))
    sums = torch.from_numpy(exact).unfold(1, 2, 2).unfold(2, 4, 4).unfold(3, 4, 4).sum((-1, -2, -3))
    np.testing.assert_allclose(blocks.raw[:, ::2, ::4, ::4], sums, atol=1e-4)
    assert found.activation == "input"
    assert found.read.all()


def test_integrated_gradients_equal_captums_and_the_riemann_sum() -> None:
    model = create_model("r3d-tiny-baseline", frames=8, size=(32, 32), num_classes=3).eval()
    clips = torch.rand(2, 3, 8, 32, 32, generator=torch.Generator().manual_seed(2))
    ours = attribute(model, clips, "integrated-gradients", [0, 2], request=AttributionRequest(steps=8, batch=3))
    theirs = IntegratedGradients(lambda c: model(c).logits).attribute(clips, target=torch.tensor([0, 2]), n_steps=8)
    expected = theirs.sum(1).detach().numpy()
    np.testing.assert_allclose(ours.raw, expected, atol=1e-5 * np.abs(expected).max())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.parameters())
    curved = Curved()
    alphas = (torch.arange(400) + 0.5) / 400
    leaf = (alphas.view(-1, 1, 1, 1, 1) * CLIPS[:1]).requires_grad_()
    (slope,) = torch.autograd.grad(curved(leaf)[:, 1].sum(), leaf)
    by_hand = (slope.mean(0) * CLIPS[0]).sum(0)
    np.testing.assert_allclose(attribute(curved, CLIPS[:1], target=1).raw[0], by_hand, atol=2e-4)


@pytest.mark.parametrize("batch", [1, 7])
def test_chunks_change_nothing(batch: int) -> None:
    few, all_at_once = (AttributionRequest(window=(2, 4, 4), batch=b) for b in (batch, 50))
    for method in ("integrated-gradients", "occlusion"):
        one, many = (attribute(Curved(), CLIPS, method, 1, request=request).raw for request in (few, all_at_once))  # type: ignore[arg-type]
        np.testing.assert_allclose(one, many, rtol=1e-4, atol=1e-6)


def test_completeness_is_measured_and_too_few_steps_are_told() -> None:
    steep = Curved()
    with torch.no_grad():
        steep.weight *= 20
    coarse = attribute(steep, CLIPS, target=1, request=AttributionRequest(steps=2))
    assert coarse.score is not None
    assert np.abs(coarse.residue).max() > 0.05 * np.abs(coarse.score).max()
    assert any("take more than 2 steps" in note for note in coarse.notes)
    fine = attribute(steep, CLIPS, target=1, request=AttributionRequest(steps=300))
    assert np.abs(fine.residue).max() < 0.01 * np.abs(coarse.score).max()
    assert not fine.notes


def test_a_contrast_adds_up() -> None:
    two, one = (attribute(Curved(), CLIPS, target=1, against=against).raw for against in (0, None))
    np.testing.assert_allclose(two, one, rtol=1e-5)  # logit 0 is constant


def test_fills() -> None:
    assert not fill_of(CLIPS, "black").any()
    np.testing.assert_allclose(fill_of(CLIPS, "mean")[1, 2], CLIPS[1, 2].mean(), rtol=1e-6)
    flat = torch.full((1, 3, 2, 16, 16), 0.3)
    np.testing.assert_allclose(fill_of(flat, "blur"), flat, rtol=1e-5)
    noise = torch.rand(1, 3, 1, 64, 64, generator=torch.Generator().manual_seed(3))
    assert fill_of(noise, "blur").std() < 0.1 * noise.std()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "guided-backprop"}, "method='guided-backprop' is unknown"),
        ({"fill": "noise"}, "fill='noise' is unknown; choose one of black, gray, mean, blur"),
        ({"window": (9, 1, 1)}, r"window \(9, 1, 1\) does not fit clips of 4 frames"),
        ({"window": (2, 2, 2), "stride": (3, 1, 1)}, "pixels are left out"),
        ({"steps": 0}, "steps is 0"),
        ({"batch": 0}, "batch is 0"),
        ({"target": 2}, "target 2 is no class"),
    ],
)
def test_bad_requests(options: dict, message: str) -> None:
    named = {name: options[name] for name in ("method", "target") if name in options}
    request = AttributionRequest(**{name: value for name, value in options.items() if name not in named})
    with pytest.raises(InputError, match=message):
        attribute(Linear(), CLIPS, **named, request=request)


def test_frames_of_a_linear_model() -> None:
    model = Linear()
    weight = model.weight.detach()
    black = frame_importance(model, CLIPS, "occlude", 1, FrameRequest(fill="black", batch=3))
    np.testing.assert_allclose(black.drop, (weight * CLIPS).sum((1, 3, 4)), atol=1e-4)
    frozen = frame_importance(model, CLIPS, "freeze", 1)
    before = CLIPS[:, :, [1, 0, 1, 2]]
    np.testing.assert_allclose(frozen.drop, (weight * (CLIPS - before)).sum((1, 3, 4)), atol=1e-4)
    logits = torch.stack([torch.zeros(4), (weight * CLIPS[0]).sum() - torch.tensor(black.drop[0].tolist())], 1)
    sure = model(CLIPS[:1]).softmax(1)[0, 1] - logits.softmax(1)[:, 1]
    np.testing.assert_allclose(black.probability_drop[0], sure.detach(), atol=1e-5)
    assert (black.low <= black.mean).all()
    assert (black.mean <= black.high).all()
    assert np.isnan(frame_importance(model, CLIPS[:1], target=1).low).all()


def test_a_still_clip_loses_nothing_when_it_is_frozen() -> None:
    still = CLIPS[:, :, :1].expand(-1, -1, T, -1, -1).contiguous()
    assert not frame_importance(Linear(), still, "freeze", 1).drop.any()
    with pytest.raises(InputError, match="1 frame"):
        frame_importance(Linear(), CLIPS[:, :, :1])


@given(st.integers(0, 100))
def test_a_uniform_map_has_ratio_one_everywhere(seed: int) -> None:
    rng = np.random.default_rng(seed)
    regions = rng.integers(0, 3, (4, 2, 5, 5))
    budget = region_budget(np.full(regions.shape, 0.7), regions, ("a", "b", "c"), source="test")
    for row in budget.regions:
        assert row.ratio.value == pytest.approx(1)
        np.testing.assert_allclose(row.over_time * 2, row.area_over_time)
    assert sum(row.share.value for row in budget.regions) == pytest.approx(1)


def test_a_budget_by_hand() -> None:
    regions = np.zeros((2, 2, 2, 2), int)
    regions[:, :, 0, 0] = 1
    maps = np.zeros((2, 2, 2, 2))
    maps[0, 0, 0, 0], maps[0, 1, 1, 1] = 3.0, 1.0
    budget = region_budget(maps, regions, ("rest", "mouth", "absent"), source="test")
    assert [row.name for row in budget.regions] == ["rest", "mouth"]
    mouth = budget.region("mouth")
    assert (budget.clips, budget.empty) == (1, 1)
    assert (mouth.share.value, mouth.area.value, mouth.ratio.value) == (0.75, 0.25, 3.0)
    assert mouth.over_time.tolist() == [0.75, 0.0]
    assert np.isnan(budget.by_clip[1]).all()
    for bad, message in ((-maps, "negative"), (maps * 0, "every map is zero"), (maps[0], "both must be")):
        with pytest.raises(InputError, match=message):
            region_budget(bad, regions, ("rest", "mouth"), source="test")
    with pytest.raises(InputError, match="whole numbers from 0 to 0"):
        region_budget(maps, regions, ("rest",), source="test")


def test_rectangles_of_a_face_lie_where_a_face_has_them() -> None:
    regions, names = face_rectangles((100, 100))
    where = {name: np.argwhere(regions == i).mean(0) for i, name in enumerate(names)}
    assert where["brows"][0] < where["eyes"][0] < where["nose"][0] < where["mouth"][0]
    for name in ("brows", "eyes", "nose", "mouth", "face"):
        assert where[name][1] == pytest.approx(49.5, abs=0.5)
    wide, _ = face_rectangles((130, 130), margin=0.15)
    np.testing.assert_array_equal(wide[15:115, 15:115], regions)

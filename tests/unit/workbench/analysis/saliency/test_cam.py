"""Class activation maps against closed forms, Captum, the SlowFast formula and the grad-cam package."""

import numpy as np
import pytest
import torch
from captum.attr import LayerGradCam
from hypothesis import given
from hypothesis import strategies as st
from pytorch_grad_cam import GradCAMPlusPlus, LayerCAM, XGradCAM
from torch import nn

from ifdd import InputError, create_model
from workbench.analysis import saliency
from workbench.analysis.saliency.cam import beyond_slopes, class_map, singular_share
from workbench.analysis.saliency.pooling import learned_pooling

CLIPS = torch.rand(2, 3, 8, 32, 32, generator=torch.Generator().manual_seed(0))


def build(name: str = "ifdd-mvit-tiny", **overrides):
    torch.manual_seed(0)
    model = create_model(name, frames=8, size=(32, 32), **overrides).eval()
    with torch.no_grad():
        model.head.classify.weight *= 40
        model.head.classify.bias += torch.linspace(-1, 1, 7)
    return model


class Logits(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        return self.model(clips).logits


def assert_same_map(ours: np.ndarray, theirs: np.ndarray) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5 * np.abs(theirs).max())


CASES = [
    ("ifdd-mvit-tiny", "pyramid.X"),
    ("ifdd-r3d-tiny", "pyramid.X"),
    ("ifdd-r3d-tiny", "backbone.stage2"),
    ("r3d-tiny-baseline", "backbone.stage3"),
]


@pytest.mark.parametrize(("name", "activation"), CASES)
def test_global_weights_equal_captum(name: str, activation: str) -> None:
    model = build(name)
    theirs = LayerGradCam(Logits(model), model.get_submodule(activation)).attribute(CLIPS, target=2)[:, 0].detach()
    assert_same_map(saliency.gradcam(model, CLIPS, activation, 2).raw, theirs.numpy())


@pytest.mark.parametrize(("name", "activation"), CASES)
def test_weights_per_step_equal_the_slowfast_formula(name: str, activation: str) -> None:
    model = build(name)
    output, cache = model.run_with_cache(CLIPS, names=activation)
    features = cache[activation]
    (gradients,) = torch.autograd.grad(output.logits[:, 2].sum(), features)
    b, c, steps, _, _ = gradients.shape  # slowfast/visualization/gradcam_utils.py
    weights = torch.mean(gradients.view(b, c, steps, -1), dim=3).view(b, c, steps, 1, 1)
    theirs = torch.sum(weights * features, dim=1).detach()
    assert_same_map(saliency.gradcam(model, CLIPS, activation, 2, weights="per-step").raw, theirs.numpy())


@pytest.mark.parametrize(("method", "package"), [("gradcam++", GradCAMPlusPlus), ("xgradcam", XGradCAM), ("layercam", LayerCAM)])
def test_other_formulas_equal_the_grad_cam_package(method: str, package: type) -> None:
    rng = np.random.default_rng(0)
    features, gradient = rng.random((2, 5, 4, 3, 3)), rng.normal(size=(2, 5, 4, 3, 3))
    theirs = package.get_cam_image(package.__new__(_bare(package)), None, None, None, features, gradient, False)
    ours = class_map(torch.from_numpy(features), torch.from_numpy(gradient), method=method)  # type: ignore[arg-type]
    np.testing.assert_allclose(ours, theirs, atol=1e-3)  # the package adds 1e-6 below the fraction


def _bare(package: type) -> type:
    return type("Bare", (package,), {"__init__": lambda self: None, "__del__": lambda self: None})


def test_hand_computed_maps() -> None:
    features = torch.tensor([[1.0, 3.0], [2.0, 0.0]]).view(1, 2, 2, 1, 1)  # two channels, two steps
    gradient = torch.tensor([[1.0, -1.0], [0.5, 2.0]]).view(1, 2, 2, 1, 1)
    by_hand = {
        # alpha: 1/(2+4·1) at the first, relu(g) = 0 at the second;  1/(2+2·0.5) and 1/(2+2·2)
        "gradcam++": ((1 / 6) * 1 + 2 * (0.5 / 3 + 2 / 6), (1 / 6) * 3),
        "xgradcam": ((1 - 3) / 4 * 1 + (1 + 0) / 2 * 2, (1 - 3) / 4 * 3),
        "layercam": (1 * 1 + 0.5 * 2, 0.0),
        "hirescam": (1 * 1 + 0.5 * 2, -3.0),
    }
    for method, expected in by_hand.items():
        found = class_map(features, gradient, method=method).flatten().tolist()  # type: ignore[arg-type]
        assert found == pytest.approx(expected, abs=1e-6), method


@given(st.integers(0, 1000))
def test_xgradcam_and_hirescam_have_one_sum(seed: int) -> None:
    """Conservation: weights from Σ g·A / Σ A give back Σ g·A, over all positions and over each step's own."""
    features, gradient = torch.randn(2, 3, 4, 4, 3, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    exact = class_map(features, gradient, method="hirescam")
    torch.testing.assert_close(class_map(features, gradient, "global", "xgradcam").sum((1, 2, 3)), exact.sum((1, 2, 3)))
    torch.testing.assert_close(class_map(features, gradient, "per-step", "xgradcam").sum((2, 3)), exact.sum((2, 3)))


def test_grad_cam_plus_plus_tells_where_its_formula_breaks() -> None:
    gradient = torch.full((1, 2, 2, 1, 1), 1.0)
    rectified, signed = torch.ones(1, 2, 2, 1, 1), torch.tensor([1.0, 1.0, -2.0, -2.0]).view(1, 2, 2, 1, 1)
    assert singular_share(rectified, gradient, "global").item() == 0
    assert singular_share(signed, gradient, "global").item() == 0.5
    assert torch.isfinite(class_map(signed / 2, gradient, method="gradcam++")).all()  # 2 + 1·(−2) = 0


def test_xgradcam_tells_what_comes_from_weights_beyond_all_slopes() -> None:
    """Channel 0, of one sign: weight (1·3 + 2·1) / 4 = 1.25; channel 1: (1·3 − 1·(−2)) / 1 = 5, beyond its slopes 1 and −1."""
    features = torch.tensor([3.0, 1.0, 3.0, -2.0]).view(1, 2, 2, 1, 1)
    gradient = torch.tensor([1.0, 2.0, 1.0, -1.0]).view(1, 2, 2, 1, 1)
    of_the_first, of_the_second = 1.25 * 4, 5 * 5
    share = beyond_slopes(features, gradient, "global").item()
    assert share == pytest.approx(of_the_second / (of_the_first + of_the_second))
    assert beyond_slopes(features, gradient, "per-step").item() == 0  # a place by itself has its own slope
    assert beyond_slopes(torch.zeros_like(features), gradient, "global").item() == 0
    layer = nn.Conv3d(3, 2, 1)
    model = nn.Sequential(layer, nn.ReLU(), nn.AdaptiveAvgPool3d((2, 1, 1)), nn.Flatten(), nn.Linear(4, 2))
    torch.manual_seed(0)
    clips = torch.randn(1, 3, 2, 3, 3)
    assert not saliency.gradcam(model, clips, "1", 0, method="xgradcam").notes  # rectified
    with torch.no_grad():  # a bias that brings each sum next to nothing
        layer.bias -= layer(clips).mean((0, 2, 3, 4)) - 1e-4
    for found in (
        saliency.gradcam(model, clips, "0", 0, method="xgradcam"),
        saliency.package_cam(model, clips, "0", "xgradcam", 0),
    ):
        assert "of the map of 0 comes from channels whose weight is beyond all their slopes" in found.notes[0]


@pytest.mark.parametrize("lift", ["update-first", "none"])
@pytest.mark.parametrize("against", [None, 4])
def test_hirescam_of_the_pooled_branch_sums_to_logit_minus_bias(lift: str, against: int | None) -> None:
    model = build(lift=lift)
    with torch.no_grad():
        model.head.pooling.weight.normal_(0.01, 0.1)
        if lift == "none":
            model.head.pooling.bias.fill_(0.3)
    name = model.branches["D"]
    result = saliency.gradcam(model, CLIPS, name, [1, 6], against=against, method="hirescam")
    logits, (weight, bias) = model(CLIPS).logits.detach(), (model.head.classify.weight, model.head.classify.bias)
    shift = bias + (0 if model.head.pooling.bias is None else model.head.pooling.bias * weight.sum(1))
    explained = (logits - shift).detach()
    expected = explained[[0, 1], [1, 6]] - (0 if against is None else explained[:, against])
    np.testing.assert_allclose(result.raw.sum((1, 2, 3)), expected, atol=1e-5 * max(1, float(expected.abs().max())))
    np.testing.assert_allclose(result.residue, 0, atol=1e-5 * max(1, float(expected.abs().max())))
    assert np.isnan(saliency.gradcam(model, CLIPS, name, 1).residue).all()


def test_averaged_weights_forget_the_pooling_and_turn_with_its_sign() -> None:
    """On Y_D global Grad-CAM is Σw/N times the classifier's map, whatever w is."""
    model = build()
    tokens = model.run_with_cache(CLIPS, names="ladm.Y_D")[1]["ladm.Y_D"].detach()
    classifier = (tokens @ model.head.classify.weight[3].detach()).unflatten(1, (4, 2, 2))
    for shift in (1.0, -1.0):
        with torch.no_grad():
            model.head.pooling.weight.copy_(torch.linspace(-1, 1, 16) + shift / 4)
        result = saliency.gradcam(model, CLIPS, "ladm.Y_D", 3)
        np.testing.assert_allclose(result.raw, shift / 4 * classifier, rtol=1e-4, atol=1e-5)
        assert result.pooling is not None
        assert result.pooling.total == pytest.approx(4 * shift)
        np.testing.assert_array_equal(result.pooling.weights.ravel(), model.head.pooling.weight.detach())
        warned = [note for note in result.notes if "read HiResCAM" in note]
        assert bool(warned) == (shift < 0)
        per_step = saliency.gradcam(model, CLIPS, "ladm.Y_D", 3, "per-step")
        assert any("step 0" in note for note in per_step.notes)
        hires = saliency.gradcam(model, CLIPS, "ladm.Y_D", 3, method="hirescam")
        assert not any("HiResCAM" in note for note in hires.notes)


def test_two_stages_of_a_cnn_at_once() -> None:
    """The graph starts at the first one; a later one does not cut it."""
    model = build("r3d-tiny-baseline")
    names = ("backbone.stage1", "backbone.stage3", "pyramid.X")
    together = saliency.class_maps(model, CLIPS, names, 2)
    for name in names:
        assert_same_map(together[name].raw, saliency.gradcam(model, CLIPS, name, 2).raw)
        assert together[name].raw.any()


def test_only_a_weighted_sum_has_pooling_weights() -> None:
    assert learned_pooling(build("mvit-tiny-baseline")) is None
    assert learned_pooling(build("mvit-tiny-baseline", pooling="refined")) is None
    assert saliency.gradcam(build(), CLIPS, "pyramid.X").pooling is None


def test_the_static_branch_reads_as_context() -> None:
    results = saliency.gradcam_branches(build(), CLIPS, 2)
    assert "context that the predictor subtracts" in results["S"].reading
    assert not results["D"].reading
    unread = saliency.gradcam(build(lift="predict-first"), CLIPS, "ladm.Y_S", 2)
    assert not unread.reading  # nothing reads it there
    assert "do not depend on ladm.Y_S" in unread.notes[0]


@pytest.mark.parametrize("method", ["gradcam", "xgradcam", "hirescam"])
def test_a_contrast_is_the_difference_of_two_maps(method: str) -> None:
    model = build()
    happy, sad, both = (
        saliency.gradcam(model, CLIPS, "pyramid.X", 0, **kind, method=method)  # type: ignore[arg-type]
        for kind in ({}, {"against": None}, {"against": 1})
    )
    assert happy == sad
    other = saliency.gradcam(model, CLIPS, "pyramid.X", 1, method=method)  # type: ignore[arg-type]
    np.testing.assert_allclose(both.raw, happy.raw - other.raw, atol=1e-5 * np.abs(happy.raw).max())
    assert both.against is not None
    assert both.against.tolist() == [1, 1]
    logits = model(CLIPS).logits.detach().numpy()
    np.testing.assert_allclose(both.score, logits[:, 0] - logits[:, 1], rtol=1e-5)


class Strange(nn.Module):
    """A network of somebody else: logits as a plain tensor, a convolution by another name."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv3d(3, 4, 3, stride=(2, 4, 4), padding=1)
        self.fc = nn.Linear(4, 3)

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        return self.fc(self.layer(clips).relu().mean((2, 3, 4)))


def test_any_network_and_any_layer() -> None:
    torch.manual_seed(0)
    model = Strange().train()
    result = saliency.gradcam(model, CLIPS, "layer", 2)
    theirs = LayerGradCam(model, model.layer).attribute(CLIPS, target=2)[:, 0].detach().numpy()
    assert_same_map(result.raw, theirs)
    assert result.frames.shape == (2, 8, 32, 32)
    assert result.read.all()
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not model.layer._forward_hooks
    with pytest.raises(InputError, match="no sub-module 'layer9'"):
        saliency.gradcam(model, CLIPS, "layer9")
    with pytest.raises(InputError, match=r"fc returns \(2, 3\)"):
        saliency.gradcam(model, CLIPS, "fc")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "scorecam"}, "method='scorecam' is unknown; choose one of gradcam, gradcam"),
        ({"method": "hirescam", "weights": "per-step"}, "means nothing to hirescam"),
        ({"target": 1, "against": 1}, "against 1 is the target of clip 0"),
        ({"against": 9}, "against 9 is no class"),
        ({"target": 1.5}, "target 1.5 is no class"),
    ],
)
def test_bad_requests(options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        saliency.gradcam(build(), CLIPS, **options)


def test_undefined_clips_are_named() -> None:
    clips = CLIPS.clone()
    clips[1, 0, 0, 0, 0] = float("nan")
    with pytest.raises(InputError, match="of clip 1 holds NaN"):
        saliency.gradcam(build("r3d-tiny-baseline"), clips, "pyramid.X")

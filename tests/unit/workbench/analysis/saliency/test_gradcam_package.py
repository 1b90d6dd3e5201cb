import numpy as np
import pytest
import torch

from ifdd import InputError, create_model
from workbench.analysis import saliency
from workbench.analysis.saliency.gradcam_package import OFFERED, REFUSED, package_cam

CLIPS = torch.rand(2, 3, 8, 32, 32, generator=torch.Generator().manual_seed(0))


def build(name: str = "ifdd-mvit-tiny"):
    torch.manual_seed(0)
    model = create_model(name, frames=8, size=(32, 32)).eval()
    with torch.no_grad():
        model.head.classify.weight *= 40
    return model


@pytest.mark.parametrize("method", ["gradcam", "xgradcam", "layercam", "hirescam"])
@pytest.mark.parametrize("activation", ["ladm.Y_D", "ladm.Y_S", "pyramid.X"])
def test_the_same_formula_gives_the_same_map(method: str, activation: str) -> None:
    model = build()
    theirs = package_cam(model, CLIPS, activation, method, [1, 3], against=2)
    ours = saliency.gradcam(model, CLIPS, activation, [1, 3], against=2, method=method)  # type: ignore[arg-type]
    if method == "xgradcam":  # the package adds 1e-7 below a sum that may be small
        assert np.corrcoef(theirs.raw.ravel(), ours.raw.ravel())[0, 1] > 0.999
    else:
        np.testing.assert_allclose(theirs.raw, ours.raw, atol=1e-5 * np.abs(ours.raw).max())
    np.testing.assert_array_equal(theirs.read, ours.read)


@pytest.mark.parametrize("method", OFFERED)
def test_every_offered_method_leaves_the_model_as_it_was(method: str) -> None:
    model = build("mvit-tiny-baseline").train()
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    result = package_cam(model, CLIPS, "pyramid.X", method, 1)
    assert result.raw.shape == (2, 8, 2, 2)
    assert np.isfinite(result.raw).all()
    assert result.raw.any()
    assert model.training
    assert all(parameter.requires_grad and bool((parameter.grad == 1).all()) for parameter in model.parameters())
    assert not any(module._forward_hooks for module in model.modules())


def plus_plus(features: torch.Tensor, slope: torch.Tensor, added: float) -> torch.Tensor:
    """Chattopadhay et al. 2018, eq. 19 and 7, with something added below the fraction."""
    total = features.sum((2, 3, 4), keepdim=True)
    alpha = slope**2 / (2 * slope**2 + total * slope**3 + added)
    return ((alpha * slope.clamp(min=0)).sum((2, 3, 4), keepdim=True) * features).sum(1)


@pytest.mark.parametrize(("steep", "told"), [(1e-3, True), (30.0, False)])
def test_what_the_package_adds_to_grad_cam_plus_plus_is_told(steep: float, told: bool) -> None:
    """One channel a class, read by its mean over 32 positions: every slope is steep / 32."""
    layer, mean = torch.nn.Conv3d(3, 2, 1).double(), torch.nn.AdaptiveAvgPool3d(1)
    model = torch.nn.Sequential(layer, torch.nn.ReLU(), mean, torch.nn.Flatten(), torch.nn.Linear(2, 2).double()).eval()
    with torch.no_grad():
        layer.bias += 1
        model[4].weight.copy_(steep * torch.eye(2))
    clips = torch.rand(1, 3, 2, 4, 4, dtype=torch.float64)
    features = layer(clips).relu().detach()
    slope = torch.zeros_like(features)
    slope[:, 1] = steep / 32
    theirs = package_cam(model, clips, "1", "gradcam++", 1)
    ours = saliency.gradcam(model, clips, "1", 1, method="gradcam++")
    np.testing.assert_allclose(theirs.raw, plus_plus(features, slope, 1e-6), rtol=1e-4)
    exact = torch.where(slope > 0, slope**2 / (2 * slope**2 + features.sum((2, 3, 4), keepdim=True) * slope**3), 0)
    np.testing.assert_allclose(ours.raw, ((exact * slope).sum((2, 3, 4), keepdim=True) * features).sum(1), rtol=1e-5)
    assert bool(theirs.notes) is told
    if told:
        assert "at 100% of the positive slopes" in theirs.notes[0]
        assert theirs.raw.max() < 0.01 * ours.raw.max()
    else:
        np.testing.assert_allclose(theirs.raw, ours.raw, rtol=1e-4)


def test_shapley_equals_its_formula() -> None:
    """On a linear read-out the second derivative is zero, and what is left is Grad-CAM."""
    model = build("r3d-tiny-baseline")
    ours = saliency.gradcam(model, CLIPS, "pyramid.X", 1).raw
    np.testing.assert_allclose(package_cam(model, CLIPS, "pyramid.X", "shapleycam", 1).raw, ours, atol=1e-5 * np.abs(ours).max())


def test_a_map_that_ignores_the_class_says_so() -> None:
    model = build("mvit-tiny-baseline")
    one, other = (package_cam(model, CLIPS, "pyramid.X", "fem", target) for target in (0, 5))
    np.testing.assert_array_equal(one.raw, other.raw)
    assert "same for every target" in one.notes[0]
    assert any("sign" in note for note in package_cam(model, CLIPS, "pyramid.X", "eigencam", 0).notes)


@pytest.mark.parametrize("method", REFUSED)
def test_what_is_wrong_for_clips_is_refused_with_the_reason(method: str) -> None:
    with pytest.raises(InputError, match="not right for clips: "):
        package_cam(build(), CLIPS, "pyramid.X", method)


def test_bad_requests() -> None:
    with pytest.raises(InputError, match="method='magic' is unknown; the grad-cam package gives gradcam"):
        package_cam(build(), CLIPS, "pyramid.X", "magic")
    with pytest.raises(InputError, match="shapleycam multiplies tokens"):
        package_cam(build(), CLIPS, "ladm.Y_D", "shapleycam")
    big = create_model("r3d-tiny-baseline", frames=16, size=(96, 96)).eval()
    with pytest.raises(InputError, match=r"eigencam of 4608 positions asks for a matrix of 0.1 GB"):
        package_cam(big, torch.rand(1, 3, 16, 96, 96), "backbone.stage1", "eigencam")

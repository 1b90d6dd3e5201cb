"""Further maps from the grad-cam package (Gil and contributors, MIT), those that are right for clips, as `SaliencyResult`s.

Only its formulas are used: hooks, modes, gradients of the parameters and scaling stay ours. Methods that would give a wrong
map of a clip are refused with the reason (seen in version 1.5.7).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from ifdd.errors import InputError
from ifdd.inputs import Clips, each, of_input
from workbench.analysis._models import (
    Classes,
    Contrast,
    arrays_of,
    check_finite,
    choose_contrast,
    describe,
    evaluating,
    frozen,
    logits_of,
)
from workbench.analysis.saliency.activations import run_to
from workbench.analysis.saliency.cam import WORTH_TELLING, cautions
from workbench.analysis.saliency.rendering import SignedMaps, as_volume, render
from workbench.analysis.saliency.results import Normalisation, SaliencyResult
from workbench.results.provenance import record

OFFERED = {
    "gradcam": "GradCAM",
    "gradcam++": "GradCAMPlusPlus",
    "xgradcam": "XGradCAM",
    "layercam": "LayerCAM",
    "hirescam": "HiResCAM",
    "elementwise": "GradCAMElementWise",
    "shapleycam": "ShapleyCAM",
    "fem": "FEM",
    "eigencam": "EigenCAM",
    "eigengradcam": "EigenGradCAM",
}
"""Methods by name → the package's class."""

REFUSED = {
    "scorecam": "it upsamples with UpsamplingBilinear2d and multiplies masks without a time axis",
    "ablationcam": "it repeats activations over four dimensions, and puts a layer of its own into the model",
    "fullgrad": "it reads the biases of Conv2d and BatchNorm2d alone; a network of clips has none",
    "kpcacam": "its kernel matrix has one row for each position, and its sign means nothing",
    "segeigencam": "it is made for segmentation, and turns the sign of a map by its largest value",
    "randomcam": "it draws without a seed; use the control 'random' of the faithfulness tests",
    "finercam": "it is a target and no method; give the other class as against",
    "guided-backprop": "it replaces ReLU modules; these networks have GELU, or functional ReLU",
    "refinecam": "it multiplies maps of several layers, whose steps need not be the same frames",
    "sess": "it resizes and slides over two dimensions",
    "aug_smooth": "its horizontal flip is x.flip(3), which of a clip is the height: faces are turned upside down",
    "road": "its masks are (H, W); use workbench.analysis.faithfulness.judging",
}
"""Methods by name → why they are not offered."""

WITHOUT_CLASS = ("fem", "eigencam")
"""These look at the activation alone: their map is the same for every class."""

ADDED = 1e-6
"""What the package adds below the fraction of Grad-CAM++."""
OUTWEIGHED = (
    "the package adds 1e-6 below Grad-CAM++'s fraction, which is more than the fraction's own at {share:.0%} of the positive"
    " slopes; such a map is not the paper's, that of gradcam++ without package: is"
)

POSITIONS = 4096
"""Most positions for an eigenvector: the package asks for the full square matrix of them (4096² × 4 bytes are 67 MB)."""


def package_cam(
    model: nn.Module,
    clips: Clips,
    activation: str,
    method: str,
    target: Classes = None,
    normalise: Normalisation = "clip",
    *,
    against: Classes = None,
) -> SaliencyResult:
    """One of the package's maps of `activation`, before its ReLU and scaling; arguments as `saliency.gradcam`.

    Source: the grad-cam package (Gildenblat and contributors 2021), which names the papers.

    Raises:
        InputError: a method that is wrong for clips, with the reason, or unknown; too many positions for an eigenvector; tokens
            in ShapleyCAM; the package missing.

    >>> import ifdd, torch
    >>> model = ifdd.create_model("ifdd-mvit-tiny", frames=8, size=(32, 32)).eval()
    >>> package_cam(model, torch.rand(1, 3, 8, 32, 32), "ladm.Y_D", "layercam", target=0).frames.shape
    (1, 8, 32, 32)
    """
    if reason := REFUSED.get(method.lower()):
        raise InputError(f"{method} of the grad-cam package is not right for clips: {reason}")
    if method not in OFFERED:
        raise InputError(f"method={method!r} is unknown; the grad-cam package gives {', '.join(OFFERED)}")
    try:
        import pytorch_grad_cam
    except ImportError as error:
        raise InputError('the grad-cam package is not installed; pip install "ifdd-workbench[cam]"') from error
    logits, cache = run_to(model, clips, (activation,))
    check_finite(logits.detach(), "the logits")
    contrast = choose_contrast(model, target, against, logits.detach())
    features = cache[activation].detach()
    told = describe(model, activation)
    volume = as_volume(features, told.grid)
    _check_fit(method, features, volume)
    reshape = None if features.dim() == 5 else lambda tokens: as_volume(tokens, told.grid)
    # a second derivative of what is linear in the activation exists only where the weights take part; no .grad is written there
    quiet = evaluating if method == "shapleycam" else frozen
    with quiet(model), torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):  # the only attention with a second derivative
        kind = _raw(getattr(pytorch_grad_cam, OFFERED[method]))
        shown = each(clips, lambda part: part.detach().clone().requires_grad_())
        of = told.input if isinstance(shown, Mapping) and told.input in shown else None  # whose slope reaches the activation
        cam = kind(_Logits(model, shown, of), [model.get_submodule(activation)], reshape_transform=reshape)
        try:
            raw = cam(of_input(shown, of), [_Score(contrast, i) for i in range(len(logits))])
        finally:
            _release(cam.activations_and_grads)
    notes: tuple[str, ...] = ()
    if method in ("hirescam", "gradcam++", "xgradcam"):
        with torch.enable_grad():
            total = contrast.score(logits).sum()
        (gradient,) = torch.autograd.grad(total, cache[activation], allow_unused=True)
        if gradient is not None:
            slope = as_volume(gradient, told.grid)
            notes = cautions(method, volume, slope, "global", activation)
            if method == "gradcam++" and (share := outweighed(volume, slope)) >= WORTH_TELLING:
                notes = (*notes, OUTWEIGHED.format(share=share))
        if method == "hirescam" and notes:
            raw = np.zeros_like(np.array(raw))
    if method in WITHOUT_CLASS:
        notes = (f"{method} does not look at the class: the map is the same for every target",)
    if method.startswith("eigen"):
        notes = (*notes, "the sign of an eigenvector means nothing: strong and weak may be exchanged")
    parameters = {"activation": activation, "method": method, "normalise": normalise}
    inputs = arrays_of(clips) | {"target": contrast.classes.cpu().numpy()}
    maps = SignedMaps(
        torch.from_numpy(np.array(raw, np.float32)).to(features.device),
        told,
        contrast,
        contrast.score(logits.detach()),
        f"{method} (grad-cam package)",
        "global" if method in ("gradcam", "gradcam++", "xgradcam", "shapleycam", "fem") else "position",
        record("grad-cam package", parameters, inputs, ("grad-cam", "torch")),
        cache,
        notes=notes,
    )
    return render(maps, clips, normalise)


def outweighed(features: Tensor, slope: Tensor) -> float:
    """Share of the positive slopes, both (B, C, T, h, w), where the package's addition is most of Grad-CAM++'s denominator.

    Its α is g² / (2g² + g³ · ΣA + 1e-6); without the addition that is eq. 19 of Chattopadhay et al. (2018).
    """
    below = (2 * slope**2 + slope**3 * features.sum((2, 3, 4), keepdim=True)).abs()[slope > 0]
    return float((below < ADDED).float().mean()) if len(below) else 0.0


def _check_fit(method: str, features: Tensor, volume: Tensor) -> None:
    positions = int(np.prod(volume.shape[2:]))
    if method.startswith("eigen") and positions > POSITIONS:
        size = positions**2 * 4 / 1e9
        raise InputError(f"{method} of {positions} positions asks for a matrix of {size:.1f} GB; choose a later activation")
    if method == "shapleycam" and features.dim() != 5:
        raise InputError("shapleycam multiplies tokens as they come, without their places; choose pyramid.X or a stage")


def _release(held: Any) -> None:
    """The package's own release detaches in place first, which fails for views and leaves the hooks where they are."""
    for handle in held.handles:
        handle.remove()
    held.handles.clear()
    held.activations, held.gradients = [], []


def _raw(kind: type) -> Any:
    """The package's class, stopped before ReLU, scaling and zooming, which would hide the sign and the size."""

    def compute(self: Any, input_tensor: Tensor, targets: list[Any], eigen_smooth: bool) -> Any:
        held = self.activations_and_grads
        kept, slopes = (values[0] if values else None for values in (held.activations, held.gradients))
        if self.detach:
            kept, slopes = (None if tensor is None else tensor.cpu().numpy() for tensor in (kept, slopes))
        return self.get_cam_image(input_tensor, self.target_layers[0], targets, kept, slopes, eigen_smooth)

    return type(
        f"Raw{kind.__name__}", (kind,), {"compute_cam_per_layer": compute, "aggregate_multi_layers": lambda self, maps: maps}
    )


class _Logits(nn.Module):
    """The model as the package wants it, of one input, the first: others are as they are. Its parameters are reached, its modes
    are not.
    """

    def __init__(self, model: nn.Module, given: Clips, of: str | None) -> None:
        super().__init__()
        self.of = of
        self.own = [model]  # a list hides it from eval() and zero_grad()
        self.given = given
        self.place = nn.Parameter(torch.zeros((), device=next(model.parameters()).device), requires_grad=False)

    def forward(self, clips: Tensor) -> Tensor:
        if isinstance(self.given, Mapping):
            return logits_of(self.own[0], {**self.given, self.of or next(iter(self.given)): clips})
        return logits_of(self.own[0], clips)


class _Score:
    """Score of clip `i`, from its logits alone, as the package asks for it."""

    def __init__(self, contrast: Contrast, i: int) -> None:
        self.contrast = contrast.of_clip(i, 1)

    def __call__(self, logits: Tensor) -> Tensor:
        return self.contrast.score(logits[None])[0]

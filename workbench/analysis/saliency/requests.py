"""Which maps to make of a checkpoint's clips, by any method."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from ifdd.checkpoints import Bundle
from ifdd.errors import InputError
from ifdd.inputs import Clips
from ifdd.models.base import VideoModel
from workbench.analysis._models import target_index
from workbench.analysis.saliency import attribution, cam
from workbench.analysis.saliency.attribution import INPUT, AttributionRequest, attribute
from workbench.analysis.saliency.fills import Fill
from workbench.analysis.saliency.gradcam_package import OFFERED, REFUSED, package_cam
from workbench.analysis.saliency.maps import class_maps
from workbench.analysis.saliency.results import Normalisation, SaliencyResult, Weights

CAMS: tuple[str, ...] = get_args(cam.CamMethod)


ON_INPUT: tuple[str, ...] = get_args(attribution.Method)


PACKAGE = "package:"
"""Before the name of a method of the grad-cam package."""


@dataclass(frozen=True)
class Request:
    """Which maps to make: a method of ours, of Captum, or `package:` and one of the grad-cam package; classes by name.

    `activations` None stands for the model's branches.
    """

    method: str = "gradcam"
    activations: tuple[str, ...] | None = None
    target: str | None = None
    against: str | None = None
    weights: Weights = "global"
    normalise: Normalisation = "clip"
    fill: Fill = "black"
    steps: int = 50

    def check(self, bundle: Bundle) -> None:
        """Refuse what cannot be done, before minutes are spent. Raises: InputError."""
        for name in (self.target, self.against):
            target_index(name, bundle.labels)
        plain = self.method.removeprefix(PACKAGE)
        if self.method not in (*CAMS, *ON_INPUT) and not (self.method.startswith(PACKAGE) and plain in (*OFFERED, *REFUSED)):
            known = ", ".join((*CAMS, *ON_INPUT, *(f"{PACKAGE}{name}" for name in OFFERED if name not in CAMS)))
            raise InputError(f"method {self.method!r} is unknown; choose one of {known}")
        if self.method in ON_INPUT and self.activations:
            raise InputError(f"{self.method} is a map of the clip itself; leave --activation out")
        if self.weights != "global" and (self.method not in CAMS or self.method in cam.BY_POSITION):
            by_weights = ", ".join(name for name in CAMS if name not in cam.BY_POSITION)
            raise InputError(f"weights={self.weights!r} means nothing to {self.method}, only to {by_weights}; leave it out")
        if self.method in CAMS or self.method.startswith(PACKAGE):
            bundle.model.select_activations(self.activations or tuple(bundle.model.branches.values()))


def make_maps(
    bundle: Bundle,
    clips: Clips,
    request: Request,
    target: Sequence[int] | None = None,
    model: VideoModel | None = None,
) -> dict[str, SaliencyResult]:
    """Maps of clips (B, 3, T, H, W) by branch (or activation, or `input`); `target` class indexes win over the request's.

    Of a model with several inputs clips are by name, and so are maps of their pixels.
    `model` stands in for the checkpoint's own, e.g. one that has forgotten its weights.
    Raises: InputError as the methods.
    """
    network = bundle.model if model is None else model
    chosen: Any = target if target is not None else target_index(request.target, bundle.labels)
    against = target_index(request.against, bundle.labels)
    if request.method in ON_INPUT:
        method: Any = request.method
        asked = AttributionRequest(fill=request.fill, steps=request.steps)
        parts = tuple(clips) if isinstance(clips, Mapping) else (None,)
        return {
            of or INPUT: attribute(network, clips, method, chosen, request.normalise, asked, against=against, of=of)
            for of in parts
        }
    names = request.activations or tuple(bundle.model.branches.values())
    if request.method.startswith(PACKAGE):
        plain = request.method.removeprefix(PACKAGE)
        results = {name: package_cam(network, clips, name, plain, chosen, request.normalise, against=against) for name in names}
    else:
        cam_method: Any = request.method
        results = class_maps(
            network, clips, names, chosen, request.weights, request.normalise, against=against, method=cam_method
        )
    short = {name: branch for branch, name in bundle.model.branches.items()}
    return {short.get(name, name): result for name, result in results.items()}

"""Which maps the app offers, by name; and what of a choice a model can do."""

from dataclasses import replace
from typing import get_args

from ifdd.checkpoints import Bundle
from workbench.analysis.saliency.cam import BY_POSITION, CamMethod
from workbench.analysis.saliency.displays.heat import METHODS as NAMES
from workbench.analysis.saliency.gradcam_package import OFFERED
from workbench.analysis.saliency.requests import PACKAGE
from workbench.explain.task import TESTED, Options

_CAMS: tuple[str, ...] = get_args(CamMethod)
METHODS: dict[str, str] = (
    {TESTED: "Tested, where any is"}
    | {name: title if name in _CAMS else f"Pixels: {title}" for name, title in NAMES.items()}
    | {f"{PACKAGE}{name}": f"{kind} (grad-cam package)" for name, kind in OFFERED.items() if name not in _CAMS}
)
"""Methods as Options takes them → as the app calls them."""

BY_WEIGHTS = tuple(name for name in _CAMS if name not in BY_POSITION)
"""Methods that the convention for channel weights is about."""

SLOW = "occlusion"
"""A method that runs the model thousands of times for one clip."""


def fitting(options: Options, bundle: Bundle) -> Options:
    """The options with those of the asked activations that a model has; of none of them it shows its branches."""
    if options.activations is None:
        return options
    known = tuple(name for name in options.activations if name in bundle.model.spatial_activations)
    return replace(options, activations=known or None)

"""Heat over the pixels of a clip, the words that state how it was made, and the badge of its verdict.

The heat is drawn over a gray picture, so that every colour in it means evidence. A frame that no step of a group reads has a
hatched edge: nothing is known there, which is not the same as no evidence.
"""

from collections.abc import Iterable, Mapping
from functools import cache

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from ifdd.errors import InputError
from workbench.analysis.saliency.results import SaliencyResult, Verdict

COLOURMAP = "inferno"
STRENGTH = 0.75
"""Opacity of the strongest heat."""
HATCH = (90, 230)
"""Gray values of the stripes."""
METHODS = {
    "gradcam": "Grad-CAM",
    "gradcam++": "Grad-CAM++",
    "xgradcam": "XGrad-CAM",
    "layercam": "LayerCAM",
    "hirescam": "HiResCAM",
    "saliency": "gradient saliency",
    "integrated-gradients": "integrated gradients",
    "occlusion": "occlusion",
}
"""Names of methods as papers write them."""

_WEIGHTS = {
    "global": "channel weights averaged over all positions",
    "per-step": "channel weights averaged per time step",
    "position": "each position by itself",
}
_NORMALISED = {"clip": "scaled by the clip's maximum", "frame": "each frame scaled by its own maximum", "none": "not scaled"}


Pictures = np.ndarray | Mapping[str, np.ndarray]
"""The frames of a clip, (T, H, W, 3) uint8; of a model with several inputs those of each by its name."""


def by_input(pictures: Pictures) -> Mapping[str, np.ndarray]:
    """The frames of each input, a single one called "input"."""
    return pictures if isinstance(pictures, Mapping) else {"input": pictures}


def below(pictures: Pictures, result: SaliencyResult) -> np.ndarray:
    """The frames that a map lies on. Raises: InputError for pictures of other inputs."""
    if not isinstance(pictures, Mapping):
        return pictures
    if result.input not in pictures:
        raise InputError(
            f"{result.activation} is a map of {result.input or 'the only input'}, pictures are of {', '.join(pictures)}"
        )
    return pictures[result.input]


def peak_of(results: Mapping[str, SaliencyResult], clip: int = 0) -> float:
    """The value drawn in the strongest colour: 1 for scaled maps, else the largest value, one for all branches."""
    if all(result.normalise != "none" for result in results.values()):
        return 1.0
    return max(float(result.frames[clip].max()) for result in results.values()) or 1.0


def overlay(pixels: np.ndarray, result: SaliencyResult, clip: int = 0, peak: float = 1.0) -> np.ndarray:
    """Draw a clip's maps over its pixels (T, H, W, 3) uint8; unread frames have a hatched edge. Returns (T, H, W, 3) uint8.

    `peak` is the value that gets the strongest colour, see `peak_of`.
    Raises: InputError if pixels and maps are not of one shape.
    """
    heat = result.frames[clip]
    if pixels.shape != (*heat.shape, 3) or pixels.dtype != np.uint8:
        raise InputError(f"pixels {pixels.shape} {pixels.dtype} do not fit maps {heat.shape}; pass the clip that the maps are of")
    gray = np.repeat(_luminance(pixels)[..., None], 3, -1)
    share = np.clip(heat / peak, 0, 1)
    alpha = STRENGTH * share[..., None]
    colours = _colour_table()[np.rint(share * 255).astype(np.uint8)]
    drawn = np.rint(gray * (1 - alpha) + colours * alpha).astype(np.uint8)
    unread = ~result.read[clip]
    drawn[unread] = hatch(gray[unread])
    return drawn


def hatch(images: np.ndarray) -> np.ndarray:
    """Gray pictures (…, H, W, 3) with a hatched lower edge: a small sign that leaves the face alone."""
    height, width = images.shape[-3:-1]
    edge = max(4, height // 14)
    stripes = np.add.outer(np.arange(edge), np.arange(width)) // max(2, edge // 2) % 2 == 0
    drawn = images.astype(np.uint8)
    drawn[..., height - edge :, :, :] = np.where(stripes[..., None], *HATCH)
    return drawn


def conventions(results: Mapping[str, SaliencyResult], label: str | None) -> str:
    """One sentence that states how the maps were made; `label` None where each row speaks for a class of its own."""
    first = next(iter(results.values()))
    named = "the class of the row" if label is None else f"“{label}”"
    names = " and ".join(result.activation for result in results.values())
    method = METHODS.get(first.method, first.method)
    return f"{method} of {names} for {named}; {_WEIGHTS[first.weights]}, {_NORMALISED[first.normalise]}"


def scaling(results: Mapping[str, SaliencyResult]) -> str:
    """How maps are scaled before they are drawn, in words."""
    return f"maps {_NORMALISED[next(iter(results.values())).normalise]}"


def remarks_on(result: SaliencyResult) -> tuple[str, ...]:
    """What a reader must know of a map: what it shows, and what the learned pooling does to it."""
    remarks = [result.reading] if result.reading else []
    if result.pooling is not None:
        remarks.append(f"learned pooling of {row_name(result)}: Σw = {result.pooling.total:.3g}")
        remarks += [note for note in result.notes if "learned pooling" in note]
    return tuple(remarks)


def badges_note(verdicts: Iterable[Verdict]) -> str:
    """On which clips badges were tested, as a sentence; empty where there are none."""
    places = dict.fromkeys((verdict.tested_on, verdict.elsewhere) for verdict in verdicts if verdict.tested_on)
    return " ".join(f"Badges: tested on {clips}{', not on what is shown here' if other else ''}." for clips, other in places)


def badge_colour(verdict: Verdict) -> str:
    """Colour of a verdict's badge."""
    if not verdict.passes:
        return "#B00020"
    return "#9A6700" if verdict.matched else "#00704F"  # dark enough for white letters


def draw_badge(axes: Axes, verdict: Verdict) -> None:
    """Write the verdict above the pictures, at their left edge."""
    box = {"boxstyle": "round,pad=0.25", "facecolor": badge_colour(verdict), "edgecolor": "none"}
    axes.annotate(
        verdict.badge,
        (0, 1),
        (3, 5),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="left",
        va="bottom",
        color="white",
        fontsize=9,
        bbox=box,
        annotation_clip=False,
    )


def row_name(result: SaliencyResult) -> str:
    """The paper's symbol of an activation: `ladm.Y_D` → Y_D; "pixels" for a map of the clip itself.

    Maps of one of several inputs are called by it, too: `face.map` → face map, its pixels → face pixels.
    """
    last = "pixels" if of_pixels(result) else result.activation.rpartition(".")[2]
    return f"{result.input} {last}".strip()


def of_pixels(result: SaliencyResult) -> bool:
    """Whether a map is of the clip itself, not of an activation."""
    return result.activation.partition(".")[0] == "input"


def ramp() -> np.ndarray:
    """The colour scale as it looks over a medium gray, (1, 256, 3) uint8."""
    alpha = STRENGTH * np.linspace(0, 1, 256)[:, None]
    return np.rint(160 * (1 - alpha) + _colour_table() * alpha).astype(np.uint8)[None]


def _luminance(pixels: np.ndarray) -> np.ndarray:
    return pixels @ np.array([0.299, 0.587, 0.114], np.float32)


@cache
def _colour_table() -> np.ndarray:
    """(256, 3) float32, 0 to 255."""
    return np.asarray(mpl.colormaps[COLOURMAP](np.arange(256))[:, :3] * 255, np.float32)

"""Maps of a checkpoint's clips by any method: what `workbench saliency` and `workbench faithfulness` are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ifdd.checkpoints import Bundle
from ifdd.data.manifest import of_each_class, read_manifest
from ifdd.data.persons import person_ids
from ifdd.errors import InputError
from ifdd.io import check_new
from ifdd.models.base import VideoModel
from ifdd.scripted import REGIONS
from workbench.analysis._models import target_index
from workbench.analysis.saliency import attribution, cam
from workbench.analysis.saliency.attribution import INPUT, AttributionRequest, attribute
from workbench.analysis.saliency.fills import Fill
from workbench.analysis.saliency.gradcam_package import OFFERED, REFUSED, package_cam
from workbench.analysis.saliency.maps import class_maps
from workbench.analysis.saliency.regions import face_rectangles
from workbench.analysis.saliency.results import Normalisation, SaliencyResult, Weights
from workbench.store.collecting import named_as, read_row
from workbench.store.sources import SourceOptions, preprocessing_of, read_source
from workbench.store.truth import has_regions, true_regions

CAMS: tuple[str, ...] = get_args(cam.CamMethod)
ON_INPUT: tuple[str, ...] = get_args(attribution.Method)
PACKAGE = "package:"
"""Before the name of a method of the grad-cam package."""


@dataclass(frozen=True, eq=False)
class Shown:
    """One clip as the model reads it: `tensor` (3, T, H, W), `seconds` (T,), the folder it is written to, its label if known."""

    name: str
    tensor: Tensor
    seconds: np.ndarray
    label: str | None = None
    subject: str | None = None

    @property
    def pixels(self) -> np.ndarray:
        """The clip as pixels (T, H, W, 3) uint8."""
        return (self.tensor.permute(1, 2, 3, 0) * 255).round().to(torch.uint8).cpu().numpy()


def from_videos(bundle: Bundle, videos: Sequence[Path], options: SourceOptions, names: dict[Path, str]) -> list[Shown]:
    """Read videos as the checkpoint does. Raises: InputError as `read_source`."""
    preprocessing = preprocessing_of(bundle, options)
    clips = [(names[video], read_source(video, preprocessing, options).clip()) for video in videos]
    return [Shown(name, clip.tensor(), clip.seconds) for name, clip in clips]


def from_manifest(bundle: Bundle, manifest: Path, count: int, out: Path | None = None) -> tuple[pd.DataFrame, list[Shown]]:
    """Some clips of a manifest, those of each class alike, and their rows.

    Raises: InputError for classes that the checkpoint does not know, clips that have their folder in `out`, or broken clips.
    """
    table, _ = named_as(read_manifest(manifest), bundle.labels, manifest)
    rows = of_each_class(table, count)
    if out is not None:
        for name in rows["clip_id"]:
            check_new(out / str(name))
    found = []
    for row in rows.to_dict("records"):
        clip = read_row(table, row, bundle)
        (subject,) = person_ids([row.get("subject")]).tolist()
        found.append(Shown(str(row["clip_id"]), clip.tensor(), clip.seconds, str(row["label_name"]), subject or None))
    return rows, found


def regions_of(bundle: Bundle, rows: pd.DataFrame | None, count: int, margin: float) -> tuple[np.ndarray, tuple[str, ...], str]:
    """Regions (n, T, H, W) of clips, their names and where they come from: the truth of scripted clips, else rectangles."""
    if rows is not None and has_regions(rows):
        return true_regions(rows, bundle.model.frames, bundle.model.size), REGIONS, "truth of scripted clips"
    plane, names = face_rectangles(bundle.model.size, margin)
    source = "rectangles of an aligned face crop, no landmarks"
    return np.broadcast_to(plane, (count, bundle.model.frames, *bundle.model.size)), names, source


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
    clips: Tensor,
    request: Request,
    target: Sequence[int] | None = None,
    model: VideoModel | None = None,
) -> dict[str, SaliencyResult]:
    """Maps of clips (B, 3, T, H, W) by branch (or activation, or `input`); `target` class indexes win over the request's.

    `model` stands in for the checkpoint's own, e.g. one that has forgotten its weights.
    Raises: InputError as the methods.
    """
    network = bundle.model if model is None else model
    chosen: Any = target if target is not None else target_index(request.target, bundle.labels)
    against = target_index(request.against, bundle.labels)
    if request.method in ON_INPUT:
        method: Any = request.method
        asked = AttributionRequest(fill=request.fill, steps=request.steps)
        return {INPUT: attribute(network, clips, method, chosen, request.normalise, asked, against=against)}
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


def stack(results: Sequence[SaliencyResult], what: Literal["frames", "raw"]) -> np.ndarray:
    """Arrays of several batches as one."""
    return np.concatenate([getattr(result, what) for result in results])

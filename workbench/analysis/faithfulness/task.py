"""Are a checkpoint's maps true? The tests of `analysis.faithfulness` over a manifest, as files, and read back as verdicts.

<out>/  faithfulness.json   faithfulness.md   curves.png   channels.png   randomisation.png
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from ifdd.checkpoints import Bundle
from ifdd.data.manifest import FILE_NAME, data_hash, read_manifest
from ifdd.errors import InputError
from ifdd.inputs import Clips, each, rows_of, stack
from ifdd.io import filled_folder, write_text
from ifdd.models.base import VideoModel
from ifdd.models.config import ModelConfig
from workbench.analysis._models import in_chunks
from workbench.analysis.faithfulness.channels import perturb_channels
from workbench.analysis.faithfulness.curves import CurveRequest
from workbench.analysis.faithfulness.displays import PerturbationDisplay, RandomisationDisplay, markdown
from workbench.analysis.faithfulness.judging import judge
from workbench.analysis.faithfulness.perturbation import RemovalRequest, perturb_clips
from workbench.analysis.faithfulness.randomisation import parameter_randomisation
from workbench.analysis.faithfulness.results import FaithfulnessReport
from workbench.analysis.saliency.fills import Fill
from workbench.analysis.saliency.likeness import similarity
from workbench.analysis.saliency.requests import ON_INPUT, Request, make_maps
from workbench.analysis.saliency.results import SaliencyResult
from workbench.analysis.saliency.shown import from_manifest
from workbench.analysis.saliency.verdicts import FILE
from workbench.plotting.base import NamedDisplay
from workbench.results.passport import PYTHON_CALL, Context

AT_ONCE = 4
"""Clips of which maps are made in one pass."""


@dataclass(frozen=True)
class FaithfulnessRequest:
    """Which maps are tested, and how.

    `activations` None stands for the model's branches; `clips` are taken of each class alike; `fill` stands in for what is taken
    away, at `steps` points of a curve; `independent` also forgets each block alone.
    """

    methods: tuple[str, ...] = ("gradcam", "hirescam", "saliency")
    activations: tuple[str, ...] | None = None
    clips: int = 28
    fill: Fill = "mean"
    steps: int = 10
    independent: bool = True
    seed: int = 0

    def maps(self) -> list[Request]:
        """One request for maps a method. Raises: InputError where nothing is left to test."""
        if self.clips < 2 or not self.methods:
            given = f"{self.clips} clips and {len(self.methods)} methods"
            raise InputError(f"{given} leave nothing to test; take two clips and one method or more")
        return [
            Request(method, None if method in ON_INPUT else self.activations, normalise="none", steps=25)
            for method in dict.fromkeys(self.methods)
        ]


@dataclass(frozen=True, eq=False)
class _Tested:
    """One map of the clips as the tests see it: how it is made again, and what it was of the trained network."""

    request: Request
    key: str
    activation: str
    input: str
    target: list[int]
    frames: np.ndarray
    raw: np.ndarray

    @property
    def name(self) -> str:
        if self.request.method in ON_INPUT:
            return f"{self.request.method} {self.input}".strip()
        place, _, short = self.activation.rpartition(".")
        return f"{self.request.method} {self.activation if place == self.input else short}"

    def again(self, bundle: Bundle) -> Callable[[nn.Module, Clips], np.ndarray]:
        """Makes this map, for the same classes, of another network."""
        alone = None if self.request.method in ON_INPUT else (bundle.model.branches.get(self.key, self.key),)
        request = replace(self.request, activations=alone)

        def explain(model: nn.Module, clips: Clips) -> np.ndarray:
            assert isinstance(model, VideoModel)  # a copy of the checkpoint's own, or one of its architecture
            return np.concatenate([found[self.key].raw for found in _maps(bundle, clips, request, self.target, model)])

        return explain


def _maps(
    bundle: Bundle, clips: Clips, request: Request, target: list[int], model: VideoModel | None = None
) -> Iterator[dict[str, SaliencyResult]]:
    """Maps of a few clips at a time: a graph of all of them may be large."""
    for first in range(0, len(target), AT_ONCE):
        rows = slice(first, first + AT_ONCE)
        yield make_maps(bundle, rows_of(clips, rows), request, target[rows], model)


def _tested(bundle: Bundle, clips: Clips, request: Request, target: list[int]) -> list[_Tested]:
    parts = list(_maps(bundle, clips, request, target))
    return [
        _Tested(
            request,
            key,
            found.activation,
            found.input,
            target,
            np.concatenate([part[key].frames for part in parts]),
            np.concatenate([part[key].raw for part in parts]),
        )
        for key, found in parts[0].items()
    ]


def run(
    bundle: Bundle, manifest: str | Path, request: FaithfulnessRequest | None = None, shuffled: Bundle | None = None
) -> FaithfulnessReport:
    """Test the maps for the predicted class of some clips of `manifest`; intervals draw people.

    `shuffled` is a checkpoint of the same architecture trained on shuffled labels.

    Raises:
        InputError: unknown methods or activations, fewer than two clips, a `shuffled` of other labels or another size.
    """
    request = request or FaithfulnessRequest()
    wanted = request.maps()
    for maps in wanted:
        maps.check(bundle)
    if shuffled is not None and (shuffled.labels != bundle.labels or _layers(shuffled) != _layers(bundle)):
        raise InputError(f"{shuffled.name} is another architecture than {bundle.name}, or has other labels; train the same one")
    rows, shown = from_manifest(bundle, Path(manifest), request.clips)
    model, seed = bundle.model, request.seed
    device = next(model.parameters()).device
    clips = each(stack([clip.tensor for clip in shown]), lambda part: part.to(device))
    people = [clip.subject for clip in shown]
    groups = None if None in people else np.array(people)
    target = in_chunks(bundle.predict, clips, AT_ONCE).argmax(1).tolist()
    tested = [test for maps in wanted for test in _tested(bundle, clips, maps, target)]
    in_time = {test.name: test.frames.mean((2, 3)) for test in tested}
    removal = RemovalRequest(steps=request.steps, fill=request.fill)
    pixels = {
        of: perturb_clips(model, clips, _in_space(tested, of), target, removal, of=of or None, groups=groups, seed=seed)
        for of in dict.fromkeys(test.input for test in tested)
    }
    frames = perturb_clips(model, clips, in_time, target, replace(removal, unit="frames"), groups=groups, seed=seed)
    curves = CurveRequest(steps=request.steps)
    channels = {
        branch: perturb_channels(model, clips, name, target, curves, groups=groups, seed=seed)
        for branch, name in model.branches.items()
    }
    randomisation, at_random, verdicts = {}, {}, []
    for test in tested:
        name, explain = test.name, test.again(bundle)
        randomisation[name] = parameter_randomisation(
            model, clips, explain, name, independent=request.independent, groups=groups, seed=seed
        )
        if shuffled is not None:
            shuffled.model.to(device)
            at_random[name] = similarity(name, test.raw, explain(shuffled.model, clips), groups=groups, seed=seed)
        method, activation = test.request.method, test.activation
        verdicts.append(
            judge(method, activation, pixels[test.input], randomisation[name], name=name, labels_at_random=at_random.get(name))
        )
    return FaithfulnessReport(
        checkpoint=bundle.name,
        sha256=bundle.card.sha256,
        data_hash=data_hash(rows),
        clips=len(shown),
        verdicts=tuple(verdicts),
        pixels=next(iter(pixels.values())),
        frames=frames,
        channels=channels,
        randomisation=randomisation,
        labels_at_random=at_random,
        by_input=pixels if len(bundle.inputs) > 1 else {},
        manifest=_manifest_name(manifest),
        manifest_hash=data_hash(read_manifest(manifest)),
    )


def write(report: FaithfulnessReport, out: Path, context: Context = PYTHON_CALL) -> list[Path]:
    """Write the report into a folder, which is made if it is not there; files of an older one are replaced."""
    pictures: dict[str, NamedDisplay[Any]] = {
        "curves.png": PerturbationDisplay.from_result(report.removed),
        "channels.png": PerturbationDisplay.from_result(report.channels),
        "randomisation.png": RandomisationDisplay.from_result(report.randomisation),
    }
    with filled_folder(out, last=FILE) as work:
        for name, display in pictures.items():
            display.save(work / name, context=context)
        write_text(work / "faithfulness.md", markdown(report))
        write_text(work / FILE, json.dumps(report.to_dict(), indent=1, ensure_ascii=False) + "\n")
        names = [file.name for file in work.iterdir()]
    return sorted(out / name for name in names)


def _in_space(tested: Sequence[_Tested], of: str) -> dict[str, np.ndarray]:
    """The maps that lie on one input, by name."""
    return {test.name: test.frames for test in tested if test.input == of}


def _manifest_name(path: str | Path) -> str:
    """A name for people: that of its folder where the file has the usual one."""
    file = Path(path).resolve()
    return file.parent.name if file.name == FILE_NAME else file.name


def _layers(bundle: Bundle) -> ModelConfig:
    """What computes: dropout belongs to the training."""
    return bundle.model.config.model_copy(update={"dropout": 0.0, "drop_path": 0.0})

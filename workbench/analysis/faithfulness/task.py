"""Are a checkpoint's maps true? The tests of `analysis.faithfulness` over a manifest, as files, and read back as verdicts.

<out>/  faithfulness.json   faithfulness.md   curves.png   channels.png   randomisation.png
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ifdd.checkpoints import Bundle
from ifdd.data.manifest import FILE_NAME, data_hash, read_manifest
from ifdd.errors import InputError
from ifdd.io import filled_folder, write_text
from ifdd.models.config import ModelConfig
from workbench.analysis.faithfulness.channels import perturb_channels
from workbench.analysis.faithfulness.curves import CurveRequest
from workbench.analysis.faithfulness.displays import PerturbationDisplay, RandomisationDisplay, verdict_table
from workbench.analysis.faithfulness.judging import judge
from workbench.analysis.faithfulness.perturbation import RemovalRequest, perturb_clips
from workbench.analysis.faithfulness.randomisation import parameter_randomisation
from workbench.analysis.faithfulness.results import FaithfulnessReport
from workbench.analysis.faithfulness.verdicts import FILE
from workbench.analysis.saliency.attribution import INPUT
from workbench.analysis.saliency.fills import Fill
from workbench.analysis.saliency.likeness import similarity
from workbench.analysis.saliency.task import ON_INPUT, Request, from_manifest, make_maps
from workbench.plotting.text import interval_text, markdown_table
from workbench.results.passport import PYTHON_CALL, Context

DEFAULT_METHODS = ("gradcam", "hirescam", "saliency")


def make_report(
    bundle: Bundle,
    manifest: str | Path,
    *,
    methods: Sequence[str] = DEFAULT_METHODS,
    activations: Sequence[str] | None = None,
    clips: int = 28,
    fill: Fill = "mean",
    steps: int = 10,
    shuffled: Bundle | None = None,
    independent: bool = True,
    seed: int = 0,
) -> FaithfulnessReport:
    """Test the maps for the predicted class of some clips of `manifest`, each class alike; intervals draw people.

    `shuffled` is a checkpoint of the same architecture trained on shuffled labels.
    Raises: InputError for unknown methods or activations, fewer than two clips, or a `shuffled` of other labels or another size.
    """
    if clips < 2 or not methods:
        raise InputError(f"{clips} clips and {len(methods)} methods leave nothing to test; take two clips and one method or more")
    requests = [
        Request(m, None if m in ON_INPUT or activations is None else tuple(activations), normalise="none", steps=25)
        for m in dict.fromkeys(methods)
    ]
    for request in requests:
        request.check(bundle)
    if shuffled is not None and (shuffled.labels != bundle.labels or _layers(shuffled) != _layers(bundle)):
        raise InputError(f"{shuffled.name} is another architecture than {bundle.name}, or has other labels; train the same one")
    rows, shown = from_manifest(bundle, Path(manifest), clips)
    device = next(bundle.model.parameters()).device
    tensors = torch.stack([clip.tensor for clip in shown]).to(device)
    people = [clip.subject for clip in shown]
    groups = None if None in people else np.array(people)
    target = bundle.predict(tensors).argmax(1).tolist()
    maps, raw, where = {}, {}, {}
    for request in requests:
        for key, result in make_maps(bundle, tensors, request, target).items():
            name = _name(request.method, result.activation)
            maps[name], raw[name], where[name] = result.frames, result.raw, (request, key, result.activation)
    removal = RemovalRequest(steps=steps, fill=fill)
    pixels = perturb_clips(bundle.model, tensors, maps, target, removal, groups=groups, seed=seed)
    in_time = {name: values.mean((2, 3)) for name, values in maps.items()}
    frames = perturb_clips(bundle.model, tensors, in_time, target, replace(removal, unit="frames"), groups=groups, seed=seed)
    channels = {
        branch: perturb_channels(bundle.model, tensors, name, target, CurveRequest(steps=steps), groups=groups, seed=seed)
        for branch, name in bundle.model.branches.items()
    }
    randomisation, at_random, verdicts = {}, {}, []
    for name, (request, key, activation) in where.items():

        def explain(model: nn.Module, some: Tensor, request: Request = request, key: str = key) -> np.ndarray:
            alone = replace(request, activations=None if key == INPUT else (bundle.model.branches.get(key, key),))
            return make_maps(bundle, some, alone, target, model)[key].raw  # type: ignore[arg-type]

        randomisation[name] = parameter_randomisation(
            bundle.model, tensors, explain, name, independent=independent, groups=groups, seed=seed
        )
        if shuffled is not None:
            shuffled.model.to(device)
            at_random[name] = similarity(name, raw[name], explain(shuffled.model, tensors), groups=groups, seed=seed)
        verdicts.append(
            judge(request.method, activation, pixels, randomisation[name], name=name, labels_at_random=at_random.get(name))
        )
    return FaithfulnessReport(
        checkpoint=bundle.name,
        sha256=bundle.card.sha256,
        data_hash=data_hash(rows),
        clips=len(shown),
        verdicts=tuple(verdicts),
        pixels=pixels,
        frames=frames,
        channels=channels,
        randomisation=randomisation,
        labels_at_random=at_random,
        manifest=_manifest_name(manifest),
        manifest_hash=data_hash(read_manifest(manifest)),
    )


def write_report(report: FaithfulnessReport, out: Path, context: Context = PYTHON_CALL) -> Path:
    """Write the report into a folder, which is made if it is not there; files of an older one are replaced."""
    with filled_folder(out, last=FILE) as work:
        PerturbationDisplay.from_result({"pixels": report.pixels, "frames": report.frames}).save(
            work / "curves.png", context=context
        )
        PerturbationDisplay.from_result(report.channels).save(work / "channels.png", context=context)
        RandomisationDisplay.from_result(report.randomisation).save(work / "randomisation.png", context=context)
        write_text(work / "faithfulness.md", markdown(report))
        write_text(work / FILE, json.dumps(report.to_dict(), indent=1, ensure_ascii=False) + "\n")
    return out


def markdown(report: FaithfulnessReport) -> str:
    """The verdicts and the areas as tables."""
    table = verdict_table(report.verdicts)
    about = f"{report.clips} clips, maps for the predicted class. Square brackets hold 95 % intervals over people"
    about += ", or over clips if not everybody is named."
    lines = [f"# Are the maps of {report.checkpoint} true?", "", about, ""]
    lines += markdown_table(list(table[0]), [list(row.values()) for row in table])
    for result in (report.pixels, report.frames, *report.channels.values()):
        lines += ["", f"## Deletion and insertion of {result.unit}", ""]
        lines += [
            f"{result.kind.capitalize()} with all {result.whole:.3f}, with none {result.nothing:.3f}; fill: {result.fill}.",
            "",
        ]
        cells = []
        for row in result.scores:
            figures = (row.deletion, row.insertion, row.gap, row.beyond_random)
            cells.append([row.name, *map(interval_text, figures)])
        lines += markdown_table(["order", "deletion", "insertion", "gap", "gap beyond random"], cells)
    return "\n".join(lines) + "\n"


def _manifest_name(path: str | Path) -> str:
    """A name for people: that of its folder where the file has the usual one."""
    file = Path(path).resolve()
    return file.parent.name if file.name == FILE_NAME else file.name


def _layers(bundle: Bundle) -> ModelConfig:
    """What computes: dropout belongs to the training."""
    return bundle.model.config.model_copy(update={"dropout": 0.0, "drop_path": 0.0})


def _name(method: str, activation: str) -> str:
    return method if activation == INPUT else f"{method} {activation.rsplit('.', 1)[-1]}"

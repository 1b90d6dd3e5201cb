"""Maps of a checkpoint's clips by any method: what `workbench saliency` finds and writes.

<out>/<clip>/  film_strip.png   saliency.json   maps/<activation>.npy (raw, signed)   frames.png (on request)
               difference.png (two maps, or two checkpoints)
<out>/         regions.png   regions.json   pooling.png (of an IFDD model)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ifdd.checkpoints import Bundle
from ifdd.errors import InputError
from ifdd.inputs import Clips, batch_of
from ifdd.io import check_new, filled_folder, write_json
from ifdd.progress import tqdm
from workbench.analysis._models import target_index
from workbench.analysis.saliency.attribution import INPUT
from workbench.analysis.saliency.differences import difference
from workbench.analysis.saliency.displays.attribution import FrameImportanceDisplay, RegionBudgetDisplay
from workbench.analysis.saliency.displays.differences import DifferenceStrip, PoolingDisplay
from workbench.analysis.saliency.displays.heat import METHODS, below, row_name
from workbench.analysis.saliency.displays.strip import FilmStrip
from workbench.analysis.saliency.pooling import learned_pooling
from workbench.analysis.saliency.regions import region_budget
from workbench.analysis.saliency.requests import Request, make_maps
from workbench.analysis.saliency.results import (
    DifferenceResult,
    FrameImportance,
    How,
    PoolingResult,
    RegionBudget,
    SaliencyResult,
    ShownClip,
    Verdict,
)
from workbench.analysis.saliency.shown import Shown, on_the_face, regions_of
from workbench.analysis.saliency.temporal import frame_importance
from workbench.analysis.saliency.verdicts import verdicts_on
from workbench.analysis.splits.inspection import inspect_split
from workbench.analysis.splits.results import SplitResult
from workbench.results.passport import PYTHON_CALL, Context
from workbench.results.result import Result

Verdicts = Mapping[tuple[str, str], Verdict]


@dataclass(frozen=True, eq=False)
class ClipMaps(Result):
    """What was found of one clip: `probabilities` (classes,), maps and their verdicts by branch or activation.

    `differences` by the name of their file; None of maps that were scaled frame by frame, which cannot be compared.
    """

    clip: ShownClip
    probabilities: NDArray[np.float32]
    target: int
    maps: dict[str, SaliencyResult]
    split: SplitResult | None
    verdicts: dict[str, Verdict]
    differences: dict[str, DifferenceResult | None]
    frames: dict[How, FrameImportance]


@dataclass(frozen=True, eq=False)
class MapsReport(Result):
    """Maps of some clips of a checkpoint; `regions` by branch or activation, over all clips.

    `versus` is the name and sha256 of the checkpoint whose maps were subtracted; `notes` tell what was left out.
    """

    checkpoint: str
    sha256: str
    labels: tuple[str, ...]
    request: Request
    clips: tuple[ClipMaps, ...]
    regions: dict[str, RegionBudget]
    pooling: PoolingResult | None
    versus: tuple[str, str] | None
    notes: tuple[str, ...]

    def label(self, found: ClipMaps) -> str:
        """What the maps of a clip speak for, in words."""
        return self.labels[found.target] + (f" rather than {self.request.against}" if self.request.against else "")

    def lines(self, out: Path | None) -> list[str]:
        """One line for each clip, written into its folder in `out` where it has one, and one for what is left out."""
        told = []
        method = METHODS.get(self.request.method, self.request.method)
        for found in self.clips:
            name, probability = found.clip.name, found.probabilities[found.target]
            line = f"{name}: {method} for {self.label(found)} ({probability:.1%})" + (f" -> {out / name}" if out else "")
            bad = [
                f"{row_name(found.maps[key])} {verdict.badge}" for key, verdict in found.verdicts.items() if not verdict.passes
            ]
            told.append("; ".join([line, *bad]))
        return [*told, *self.notes]


def run(
    bundle: Bundle,
    shown: Sequence[Shown],
    request: Request,
    *,
    rows: pd.DataFrame | None = None,
    margin: float = 0.0,
    verdicts: Verdicts | None = None,
    versus: Bundle | None = None,
    frames: bool = False,
) -> MapsReport:
    """Explain clips.

    `rows` of the manifest that they are from, for the truth of their regions; else regions follow landmarks, and where these are
    not known they are rectangles, with `margin` of the face crop. `versus` is another checkpoint, whose maps are subtracted;
    `frames` asks for the importance of each frame.

    Raises:
        InputError: as `make_maps`, or a `versus` that reads other clips or classes, or has no map to compare with.
    """
    request.check(bundle)
    if versus is not None and (versus.labels, versus.inputs) != (bundle.labels, bundle.inputs):
        raise InputError(
            f"{versus.name} reads clips, or names classes, in another way than {bundle.name}; compare like with like"
        )
    bar = tqdm(shown, desc=METHODS.get(request.method, request.method), unit="clip", disable=None, leave=False)
    found = tuple(_explain(bundle, clip, request, verdicts or {}, versus, frames) for clip in bar)
    notes: tuple[str, ...] = ()
    regions: dict[str, RegionBudget] = {}
    if request.normalise == "frame":
        notes = ("regions: left out, maps scaled frame by frame have lost how frames compare; use normalise clip or none",)
    else:
        regions = _budgets(bundle, found, shown, rows, margin)
    return MapsReport(
        checkpoint=bundle.name,
        sha256=bundle.card.sha256,
        labels=bundle.labels,
        request=request,
        clips=found,
        regions=regions,
        pooling=learned_pooling(bundle.model),
        versus=None if versus is None else (versus.name, versus.card.sha256),
        notes=notes,
    )


def write(report: MapsReport, out: Path, context: Context = PYTHON_CALL, *, summary: bool = False) -> list[Path]:
    """Write a folder for each clip, and what is said of all of them, into the folder `out`: all of it or nothing.

    `summary`: only what is said of all of them.
    Raises: InputError for a clip that has its folder there.
    """
    clips = () if summary else report.clips
    for found in clips:
        check_new(out / found.clip.name)
    with filled_folder(out, last="regions.json") as work:
        for found in tqdm(clips, desc="draw", unit="clip", disable=None, leave=False):
            (work / found.clip.name / "maps").mkdir(parents=True)
            _write_clip(report, found, work / found.clip.name, context)
        if report.regions:
            RegionBudgetDisplay.from_result(report.regions).save(work / "regions.png", context=context)
            write_json(work / "regions.json", {key: budget.to_dict() for key, budget in report.regions.items()})
        if report.pooling is not None:
            PoolingDisplay.from_result(report.pooling).save(work / "pooling.png", context=context)
        names = [path.relative_to(work) for path in work.rglob("*") if path.is_file()]
    return sorted(out / name for name in names)


def _explain(bundle: Bundle, clip: Shown, request: Request, verdicts: Verdicts, versus: Bundle | None, frames: bool) -> ClipMaps:
    """Maps of one clip and what belongs to them."""
    tensor = _batch(bundle, clip)
    maps = make_maps(bundle, tensor, request)
    target = int(next(iter(maps.values())).target[0])
    against = target_index(request.against, bundle.labels)
    differences: dict[str, DifferenceResult | None] = {}
    if versus is not None:
        differences = _versus(bundle, versus, clip, maps, request)
    elif len(maps) == 2 and len({result.input for result in maps.values()}) == 1:
        first, second = maps.items()
        differences = {"difference": _difference(first, second)}
    return ClipMaps(
        clip=clip.shown,
        probabilities=bundle.predict(tensor)[0].cpu().numpy(),
        target=target,
        maps=maps,
        split=inspect_split(bundle.model, tensor) if "split" in bundle.model.capabilities else None,
        verdicts=verdicts_on(verdicts, maps, request.method),
        differences=differences,
        frames={how: frame_importance(bundle.model, tensor, how, target, against=against) for how in get_args(How)}
        if frames
        else {},
    )


def _batch(bundle: Bundle, clip: Shown) -> Clips:
    return batch_of(clip.tensor, next(bundle.model.parameters()).device)


def _budgets(
    bundle: Bundle, found: Sequence[ClipMaps], shown: Sequence[Shown], rows: pd.DataFrame | None, margin: float
) -> dict[str, RegionBudget]:
    """Budgets of the regions by branch or activation; none of maps that are all zero. Relative to the clip: shares count.

    Regions are those of the face, so that maps over a scene have none.
    """
    regions, names, source = regions_of(bundle, rows, [clip.landmarks for clip in shown], margin)
    people = np.array([item.clip.subject or item.clip.name for item in found])
    keys = [key for key, result in (found[0].maps if found else {}).items() if on_the_face(bundle, result)]
    stacked = {key: np.stack([item.maps[key].frames[0] for item in found]) for key in keys}
    return {key: region_budget(maps, regions, names, source=source, groups=people) for key, maps in stacked.items() if maps.any()}


def _versus(
    bundle: Bundle, other: Bundle, clip: Shown, maps: Mapping[str, SaliencyResult], request: Request
) -> dict[str, DifferenceResult | None]:
    """Differences to another checkpoint's maps for the same class; its only branch stands against each of ours."""
    tensor = _batch(other, clip)
    theirs = make_maps(other, tensor, request, [int(next(iter(maps.values())).target[0])])
    found = {}
    for key, result in maps.items():
        match = theirs.get(key) or (next(iter(theirs.values())) if len(theirs) == 1 else None)
        if match is None:
            raise InputError(
                f"{other.name} has no map of {result.activation} to compare with; name one --activation that both have"
            )
        pair = (f"{bundle.name} {row_name(result)}", result), (f"{other.name} {row_name(match)}", match)
        found[f"difference_{key}"] = _difference(*pair)
    return found


def _difference(first: tuple[str, SaliencyResult], second: tuple[str, SaliencyResult]) -> DifferenceResult | None:
    """Difference of two named maps; None where maps scaled frame by frame cannot be compared."""
    if "frame" in (first[1].normalise, second[1].normalise):
        return None
    one, two = (row_name(result) if len(name) == 1 else name for name, result in (first, second))
    return difference(first[1], second[1], (one, two))


def _write_clip(report: MapsReport, found: ClipMaps, folder: Path, context: Context) -> None:
    clip, request = found.clip, report.request
    for result in found.maps.values():
        np.save(folder / "maps" / f"{result.activation}.npy", result.raw[0])
    predicted = int(found.probabilities.argmax())
    title = f"{report.labels[predicted]} {found.probabilities[predicted]:.1%}  ·  {clip.name}  ·  {report.checkpoint}"
    strip = FilmStrip.from_results(
        clip.pictures,
        clip.seconds,
        found.maps,
        label=report.label(found),
        title=title,
        split=found.split if INPUT not in found.maps else None,
        verdicts=found.verdicts,
    )
    strip.save(folder / "film_strip.png", dpi=120, context=context)
    for name, between in found.differences.items():
        if between is not None:
            of = found.maps.get(name.removeprefix("difference_")) or next(iter(found.maps.values()))
            lies_on = below(clip.pictures, of)
            picture = DifferenceStrip.from_difference(lies_on, clip.seconds, between, title=clip.name)
            picture.save(folder / f"{name}.png", dpi=120, context=context)
    if found.frames:
        FrameImportanceDisplay.from_result({str(how): item for how, item in found.frames.items()}).save(
            folder / "frames.png", context=context
        )
    write_json(folder / "saliency.json", _about_clip(report, found, request))


def _about_clip(report: MapsReport, found: ClipMaps, request: Request) -> dict[str, Any]:
    """What saliency.json says of a clip."""
    clip = found.clip
    about: dict[str, Any] = {
        "clip": clip.name,
        "checkpoint": report.checkpoint,
        "sha256": report.sha256,
        "labels": list(report.labels),
        "probabilities": found.probabilities.tolist(),
        "true": clip.label,
        "target": report.labels[found.target],
        "against": request.against,
        "seconds": clip.seconds.tolist(),
        "method": request.method,
        "normalise": request.normalise,
        "maps": {key: _about_map(result, found.verdicts.get(key)) for key, result in found.maps.items()},
    }
    told = {name: _about_difference(result) for name, result in found.differences.items()}
    if report.versus is not None:
        name, sha256 = report.versus
        by_key = {key.removeprefix("difference_"): values for key, values in told.items()}
        about["versus"] = {"checkpoint": name, "sha256": sha256, "difference": by_key}
    elif told:
        about["difference"] = told["difference"]
    if found.frames:
        about["frames"] = {how: importance.to_dict() for how, importance in found.frames.items()}
    return about


def _about_map(result: SaliencyResult, verdict: Verdict | None) -> dict[str, Any]:
    residue = float(result.residue[0])
    return {
        "activation": result.activation,
        "weights": result.weights,
        "file": f"maps/{result.activation}.npy",
        "score": None if result.score is None else float(result.score[0]),
        "sum": float(result.raw[0].sum(dtype=np.float64)),
        "residue": None if np.isnan(residue) else residue,
        "pooling_sum": None if result.pooling is None else result.pooling.total,
        "reading": result.reading,
        "notes": list(result.notes),
        "verdict": None if verdict is None else verdict.to_dict(),
        "provenance": None if result.provenance is None else result.provenance.to_dict(),
    }


def _about_difference(found: DifferenceResult | None) -> dict[str, Any] | None:
    if found is None:
        return None
    rank = None if np.isnan(found.rank[0]) else float(found.rank[0])
    return {"names": list(found.names), "overlap": float(found.overlap[0]), "rank": rank}

"""Write maps as files.

<out>/<clip>/  film_strip.png   saliency.json   maps/<activation>.npy (raw, signed)   frames.png (on request)
               difference.png (two maps, or two checkpoints)
<out>/         regions.png   regions.json   pooling.png (of an IFDD model)
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd

from ifdd.checkpoints import Bundle
from ifdd.errors import InputError
from ifdd.io import new_folder, write_json
from workbench.analysis._models import target_index
from workbench.analysis.faithfulness.results import Verdict
from workbench.analysis.faithfulness.verdicts import verdicts_on
from workbench.analysis.saliency.attribution import INPUT
from workbench.analysis.saliency.differences import difference
from workbench.analysis.saliency.displays.attribution import FrameImportanceDisplay, RegionBudgetDisplay
from workbench.analysis.saliency.displays.differences import DifferenceStrip, PoolingDisplay
from workbench.analysis.saliency.displays.heat import METHODS, row_name
from workbench.analysis.saliency.displays.strip import FilmStrip
from workbench.analysis.saliency.pooling import learned_pooling
from workbench.analysis.saliency.regions import region_budget
from workbench.analysis.saliency.results import How, RegionBudget, SaliencyResult
from workbench.analysis.saliency.task import Request, Shown, make_maps, regions_of
from workbench.analysis.saliency.temporal import frame_importance
from workbench.analysis.splits.inspection import inspect_split
from workbench.results.passport import PYTHON_CALL, Context

Verdicts = Mapping[tuple[str, str], Verdict]


def write_maps(
    bundle: Bundle,
    shown: Sequence[Shown],
    request: Request,
    out: Path,
    *,
    rows: pd.DataFrame | None = None,
    margin: float = 0.0,
    verdicts: Verdicts | None = None,
    versus: Bundle | None = None,
    frames: bool = False,
    context: Context = PYTHON_CALL,
) -> list[str]:
    """Explain clips and write them into the folder `out`; returns one line for each clip, and one for what is left out.

    `rows` of the manifest that they are from, for the truth of their regions; else regions are rectangles, with `margin` of the
    face crop. `versus` is another checkpoint, whose maps are subtracted; `frames` asks for the importance of each frame.
    Raises: InputError as `make_maps`, for a folder that exists, or a `versus` that reads other clips or classes.
    """
    request.check(bundle)
    if versus is not None and (versus.labels, versus.preprocessing) != (bundle.labels, bundle.preprocessing):
        raise InputError(
            f"{versus.name} reads clips, or names classes, in another way than {bundle.name}; compare like with like"
        )
    for clip in shown:
        if (out / clip.name).exists():
            raise InputError(f"{out / clip.name} exists; choose another --out or remove it")
    regions, names, source = regions_of(bundle, rows, len(shown), margin)
    kept: dict[str, list[np.ndarray]] = {}
    lines = []
    for clip in shown:
        with new_folder(out / clip.name) as folder:
            results, line, bad = _write_clip(bundle, clip, request, folder, verdicts or {}, versus, frames, context)
        lines.append("; ".join([f"{line} -> {out / clip.name}", *bad]))
        for key, result in results.items():
            # relative to the clip: regions compare shares
            kept.setdefault(key, []).append(result.frames[0])
    people = np.array([clip.subject or clip.name for clip in shown])
    budgets: dict[str, RegionBudget] = {}
    if request.normalise == "frame":
        lines.append("regions: left out, maps scaled frame by frame have lost how frames compare; use normalise clip or none")
        kept = {}
    for key, maps in kept.items():
        stacked = np.stack(maps)
        if stacked.any():
            budgets[key] = region_budget(stacked, regions, names, source=source, groups=people)
    if budgets:
        RegionBudgetDisplay.from_result(budgets).save(out / "regions.png", context=context)
        write_json(out / "regions.json", {key: budget.to_dict() for key, budget in budgets.items()})
    pooling = learned_pooling(bundle.model)
    if pooling is not None:
        PoolingDisplay.from_result(pooling).save(out / "pooling.png", context=context)
    return lines


def _write_clip(
    bundle: Bundle,
    clip: Shown,
    request: Request,
    folder: Path,
    verdicts: Verdicts,
    versus: Bundle | None,
    frames: bool,
    context: Context,
) -> tuple[dict[str, SaliencyResult], str, list[str]]:
    tensor = clip.tensor[None].to(next(bundle.model.parameters()).device)
    probabilities = bundle.predict(tensor)[0].cpu().numpy()
    results = make_maps(bundle, tensor, request)
    target = int(next(iter(results.values())).target[0])
    (folder / "maps").mkdir()
    for result in results.values():
        np.save(folder / "maps" / f"{result.activation}.npy", result.raw[0])
    label = bundle.labels[target] + (f" rather than {request.against}" if request.against else "")
    title = f"{bundle.labels[int(probabilities.argmax())]} {probabilities.max():.1%}  ·  {clip.name}  ·  {bundle.name}"
    split = inspect_split(bundle.model, tensor) if "split" in bundle.model.capabilities else None
    tested = verdicts_on(verdicts, results, request.method)
    marks = split if INPUT not in results else None
    strip = FilmStrip.from_results(clip.pixels, clip.seconds, results, label=label, title=title, split=marks, verdicts=tested)
    strip.save(folder / "film_strip.png", dpi=120, context=context)
    about: dict[str, Any] = {
        "clip": clip.name, "checkpoint": bundle.name, "sha256": bundle.card.sha256, "labels": list(bundle.labels),
        "probabilities": probabilities.tolist(), "true": clip.label, "target": bundle.labels[target], "against": request.against,
        "seconds": clip.seconds.tolist(), "method": request.method, "normalise": request.normalise,
        "maps": {key: _about(result, tested.get(key)) for key, result in results.items()},
    }  # fmt: skip
    if versus is not None:
        about["versus"] = _write_versus(bundle, versus, clip, results, request, target, folder, context)
    elif len(results) == 2:
        first, second = results.items()
        about["difference"] = _write_difference(clip, first, second, folder / "difference.png", context)
    if frames:
        other = target_index(request.against, bundle.labels)
        importance = {how: frame_importance(bundle.model, tensor, how, target, against=other) for how in get_args(How)}
        FrameImportanceDisplay.from_result(importance).save(folder / "frames.png", context=context)
        about["frames"] = {how: found.to_dict() for how, found in importance.items()}
    write_json(folder / "saliency.json", about)
    bad = [f"{row_name(results[key])} {verdict.badge}" for key, verdict in tested.items() if not verdict.passes]
    line = f"{clip.name}: {METHODS.get(request.method, request.method)} for {label} ({probabilities[target]:.1%})"
    return results, line, bad


def _about(result: SaliencyResult, verdict: Verdict | None) -> dict[str, Any]:
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


def _write_versus(
    bundle: Bundle,
    other: Bundle,
    clip: Shown,
    results: dict[str, SaliencyResult],
    request: Request,
    target: int,
    folder: Path,
    context: Context,
) -> dict[str, Any]:
    """Maps of another checkpoint for the same class; its only branch, where it has one, stands against each of ours."""
    tensor = clip.tensor[None].to(next(other.model.parameters()).device)
    theirs = make_maps(other, tensor, request, [target])
    found = {}
    for key, result in results.items():
        match = theirs.get(key) or (next(iter(theirs.values())) if len(theirs) == 1 else None)
        if match is None:
            raise InputError(
                f"{other.name} has no map of {result.activation} to compare with; name one --activation that both have"
            )
        pair = (f"{bundle.name} {row_name(result)}", result), (f"{other.name} {row_name(match)}", match)
        found[key] = _write_difference(clip, *pair, folder / f"difference_{key}.png", context)
    return {"checkpoint": other.name, "sha256": other.card.sha256, "difference": found}


def _write_difference(
    clip: Shown, first: tuple[str, SaliencyResult], second: tuple[str, SaliencyResult], file: Path, context: Context
) -> dict[str, Any] | None:
    """Strip of a difference and its figures; None where maps scaled frame by frame cannot be compared."""
    if "frame" in (first[1].normalise, second[1].normalise):
        return None
    names = tuple(row_name(result) if len(name) == 1 else name for name, result in (first, second))
    found = difference(first[1], second[1], (names[0], names[1]))
    DifferenceStrip.from_difference(clip.pixels, clip.seconds, found, title=clip.name).save(file, dpi=120, context=context)
    return {
        "names": list(names),
        "overlap": float(found.overlap[0]),
        "rank": None if np.isnan(found.rank[0]) else float(found.rank[0]),
    }

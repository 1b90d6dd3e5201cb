"""The pictures of an explanation, and what explain.json says of it."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ifdd.data.video import file_sha256
from workbench.analysis.saliency.displays.heat import (
    badge_colour,
    badges_note,
    below,
    by_input,
    conventions,
    overlay,
    peak_of,
    row_name,
)
from workbench.analysis.saliency.displays.strip import FilmStrip
from workbench.analysis.splits.displays.timeline import GROUP_NAMES
from workbench.analysis.splits.results import SplitResult
from workbench.explain.results import Explanation
from workbench.plotting.images import FilmPanel, side_by_side, write_film
from workbench.plotting.timeline import TimelineDisplay
from workbench.results.passport import Context


def write_pictures(explanation: Explanation, folder: Path, film_format: str, context: Context) -> dict[str, str]:
    """Overlay, film strip and, with windows, the time line; returns their names by purpose."""
    clip, label = explanation.clip, explanation.labels[explanation.target]
    peak = peak_of(explanation.saliency)
    panels = [FilmPanel(name, pixels) for name, pixels in by_input(explanation.pictures).items()]
    for branch, result in explanation.saliency.items():
        name = f"{row_name(result)}, {GROUP_NAMES[branch]}" if branch in GROUP_NAMES else row_name(result)
        verdict = explanation.verdicts.get(branch)
        badge = None if verdict is None else (verdict.badge, badge_colour(verdict))
        drawn = overlay(below(explanation.pictures, result), result, 0, peak)
        panels.append(FilmPanel(name, drawn, badge, ~result.read[0]))
    footer = [f"frame {index}  ·  {second:.2f} s" for index, second in zip(clip.video_index, clip.seconds, strict=True)]
    captions = [f"{explanation.verdict()}  ·  maps for “{label}”", f"{explanation.video.name}  ·  {explanation.checkpoint}"]
    captions += filter(None, [badges_note(explanation.verdicts.values())])
    files = {"overlay": f"overlay.{film_format}"}
    write_film(folder / files["overlay"], side_by_side(panels, captions, footer))
    title = f"{explanation.verdict()}  ·  {explanation.video.name}  ·  {explanation.checkpoint}"
    strip = FilmStrip.from_results(
        explanation.pictures,
        clip.seconds,
        explanation.saliency,
        label=label,
        title=title,
        split=explanation.split,
        verdicts=explanation.verdicts,
    )
    for suffix in ("png", "svg"):
        files[f"film_strip_{suffix}"] = f"film_strip.{suffix}"
        with _without_glyph_warnings():
            strip.save(folder / f"film_strip.{suffix}", dpi=120, context=context)
    if explanation.timeline is not None:
        line = explanation.timeline
        display = TimelineDisplay.from_result(line.start, line.end, line.probabilities, explanation.labels, line.chosen)
        for suffix in ("png", "svg"):
            files[f"timeline_{suffix}"] = f"timeline.{suffix}"
            display.save(folder / f"timeline.{suffix}", dpi=150, context=context)
    return files


@contextmanager
def _without_glyph_warnings() -> Iterator[None]:
    """A file may be named in a script that matplotlib's font lacks: boxes in the title then, the name is in the JSON."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        yield


def to_dict(explanation: Explanation, files: dict[str, str]) -> dict[str, Any]:
    """An explanation as explain.json has it; `files` by purpose, relative to the folder."""
    clip, first = explanation.clip, next(iter(explanation.saliency.values()))
    line = explanation.timeline
    return {
        "video": str(explanation.video),
        "sha256": explanation.sha256,
        "scene": None if (scene := explanation.scene) is None else {"path": str(scene), "sha256": file_sha256(scene)},
        "checkpoint": explanation.checkpoint,
        "labels": list(explanation.labels),
        "probabilities": explanation.probabilities.tolist(),
        "target": explanation.labels[explanation.target],
        "faces": {
            "count": clip.faces,
            "found": clip.found.tolist(),
            "share": clip.share,
            "boxes": clip.boxes.tolist(),
            "cuts": list(clip.cuts),
        },
        "frames": {"video_index": clip.video_index.tolist(), "seconds": clip.seconds.tolist()},
        "split": None if explanation.split is None else split_dict(explanation.split, clip.seconds),
        "saliency": {
            "method": first.method,
            "activation": {branch: result.activation for branch, result in explanation.saliency.items()},
            "weights": first.weights,
            "normalise": first.normalise,
            "verdicts": {branch: verdict.to_dict() for branch, verdict in explanation.verdicts.items()},
            "files": files,
        },
        "conventions": conventions(explanation.saliency, explanation.labels[explanation.target]),
        "preprocessing": explanation.preprocessing,
        "windows": None
        if line is None
        else [
            {"start": start, "end": end, "probabilities": row, "explained": i == line.chosen}
            for i, (start, end, row) in enumerate(
                zip(line.start.tolist(), line.end.tolist(), line.probabilities.tolist(), strict=True)
            )
        ],
        "warnings": list(explanation.warnings),
    }


def split_dict(split: SplitResult, seconds: np.ndarray, clip: int = 0) -> dict[str, dict[str, list[float]]]:
    """The split of one clip: feature frames, clip frames (`sample_input`), and seconds between the clip's own time stamps."""
    result = {}
    for group, sample in split.input_frames().items():
        times = np.interp(sample[clip], np.arange(split.frames), seconds)
        values = {name: getattr(split, f"{name}_{group}")[clip] for name in ("initial", "offset", "position")}
        values |= {
            "sample_feature": getattr(split, f"sample_{group}")[clip],
            "sample_input": sample[clip],
            "sample_seconds": times,
        }
        result[group] = {name: value.tolist() for name, value in values.items()}
    return result

"""Write an explanation as files.

<out>/<name of the video>/  overlay.mp4 (or .gif)   film_strip.png   film_strip.svg   explain.json
                            timeline.png   timeline.svg   (with windows)
"""

import json
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ifdd.errors import InputError
from ifdd.io import check_folder, new_folder
from workbench.analysis.saliency.displays.heat import badge_colour, badges_note, conventions, overlay, peak_of, row_name
from workbench.analysis.saliency.displays.strip import FilmStrip
from workbench.analysis.splits.displays.timeline import GROUP_NAMES
from workbench.analysis.splits.results import SplitResult
from workbench.explain.task import Explanation
from workbench.plotting.images import FilmPanel, can_write_mp4, side_by_side, write_film
from workbench.plotting.timeline import TimelineDisplay
from workbench.results.passport import PYTHON_CALL, Context

FORMATS = ("mp4", "gif")


def output_names(videos: Sequence[str | Path]) -> dict[Path, str]:
    """Videos → names of the folders that they are explained in: the file's name without its suffix.

    Raises: InputError if two would get the same name.
    """
    names = {Path(video): _name(Path(video)) for video in videos}
    twice = [name for name, count in Counter(names.values()).items() if count > 1]
    if twice:
        both = " and ".join(str(video) for video, name in names.items() if name == twice[0])
        raise InputError(f"{both} would both be written to {twice[0]}; explain them into different --out folders")
    return names


def check_untaken(out: Path, names: Iterable[str]) -> None:
    """Refuse clips of which each has its folder in `out` already, before a model is loaded.

    Raises: InputError.
    """
    check_folder(out)
    folders = [out / name for name in names]
    if folders and all(folder.exists() for folder in folders):
        more = f" and {len(folders) - 1} more exist" if len(folders) > 1 else " exists"
        raise InputError(f"{folders[0]}{more}; choose another --out or remove {'them' if len(folders) > 1 else 'it'}")


def _name(video: Path) -> str:
    video = video if video.name else video.resolve()
    return video.name if video.is_dir() else video.stem


def write_explanation(
    explanation: Explanation, folder: str | Path, film_format: str | None = None, context: Context = PYTHON_CALL
) -> Path:
    """Write an explanation to the new folder `folder`, all of it or nothing; `film_format` mp4 or gif, by default what can be.

    Raises: InputError if `folder` exists, the format is unknown, or the disk refuses.
    """
    folder = Path(folder)
    film_format = check_format(film_format)
    with new_folder(folder) as work:
        files = _write_pictures(explanation, work, film_format, context)
        text = json.dumps(to_dict(explanation, files), indent=2, ensure_ascii=False, allow_nan=False)
        (work / "explain.json").write_text(text + "\n", encoding="utf-8")
    return folder


def check_format(film_format: str | None) -> str:
    """The format of the overlay film.

    Raises: InputError for an unknown one, or mp4 where this FFmpeg has no H.264 encoder.
    """
    if film_format is None:
        return "mp4" if can_write_mp4() else "gif"
    if film_format not in FORMATS:
        raise InputError(f"unknown format {film_format!r}; choose {' or '.join(FORMATS)}")
    if film_format == "mp4" and not can_write_mp4():
        raise InputError("this build of PyAV has no H.264 encoder; use --format gif")
    return film_format


def _write_pictures(explanation: Explanation, folder: Path, film_format: str, context: Context) -> dict[str, str]:
    clip, label = explanation.clip, explanation.labels[explanation.target]
    peak = peak_of(explanation.saliency)
    panels = [FilmPanel("input", clip.pixels)]
    for branch, result in explanation.saliency.items():
        name = f"{row_name(result)}, {GROUP_NAMES[branch]}" if branch in GROUP_NAMES else row_name(result)
        verdict = explanation.verdicts.get(branch)
        badge = None if verdict is None else (verdict.badge, badge_colour(verdict))
        panels.append(FilmPanel(name, overlay(clip.pixels, result, 0, peak), badge, ~result.read[0]))
    footer = [f"frame {index}  ·  {second:.2f} s" for index, second in zip(clip.video_index, clip.seconds, strict=True)]
    captions = [f"{explanation.verdict()}  ·  maps for “{label}”", f"{explanation.video.name}  ·  {explanation.checkpoint}"]
    captions += filter(None, [badges_note(explanation.verdicts.values())])
    files = {"overlay": f"overlay.{film_format}"}
    write_film(folder / files["overlay"], side_by_side(panels, captions, footer))
    title = f"{explanation.verdict()}  ·  {explanation.video.name}  ·  {explanation.checkpoint}"
    strip = FilmStrip.from_results(
        clip.pixels, clip.seconds, explanation.saliency,
        label=label, title=title, split=explanation.split, verdicts=explanation.verdicts,
    )  # fmt: skip
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

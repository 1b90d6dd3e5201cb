"""Explain what a checkpoint makes of a video: class, maps of its branches, frames that ISSM reads; as a folder of files.

<out>/<name of the video>/  overlay.mp4 (or .gif)   film_strip.png   film_strip.svg   explain.json
                            timeline.png   timeline.svg   (with windows)
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from ifdd.checkpoints import Bundle
from ifdd.data.clips import Clip, Source, as_clips
from ifdd.data.preprocessing import as_written
from ifdd.data.video import file_sha256
from ifdd.errors import InputError
from ifdd.inputs import batch_of, each, stack
from ifdd.io import new_folder
from workbench.analysis._models import target_index
from workbench.analysis.saliency.fills import Fill
from workbench.analysis.saliency.requests import ON_INPUT, Request, make_maps
from workbench.analysis.saliency.results import Normalisation, Weights
from workbench.analysis.saliency.verdicts import known_verdicts, tested_maps, verdicts_on
from workbench.analysis.splits.inspection import inspect_split
from workbench.explain.files import to_dict, write_pictures
from workbench.explain.results import Explanation, Timeline
from workbench.plotting.images import can_write_mp4
from workbench.results.passport import PYTHON_CALL, Context
from workbench.store.sources import SourceOptions, all_inputs, inputs_of, leading, preprocessing_of, read_source

FORMATS = ("mp4", "gif")
TESTED = "tested"
"""Instead of a method: the first that passes its tests, on the branches on which it does."""
BATCH = 4
"""Windows that are in memory at a time."""


@dataclass(frozen=True)
class Options(SourceOptions):
    """How a video is read and explained; `target` a class by name, None for the predicted one.

    `method`, `activations`, `against`, `weights`, `normalise`, `fill`, `steps`: which maps, as in a `Request`; the method
    `TESTED` stands for those that pass the tests of `workbench faithfulness`. `listed` is the `data_hash` of the list of clips
    that the video is of, if it is of one: badges say whether their tests were made on those clips.
    """

    target: str | None = None
    method: str = "gradcam"
    activations: tuple[str, ...] | None = None
    against: str | None = None
    weights: Weights = "global"
    normalise: Normalisation = "clip"
    fill: Fill = "black"
    steps: int = 50
    badges: bool = True
    """Whether maps show the verdicts of `workbench faithfulness` that are known."""
    listed: str | None = None

    def request(self, bundle: Bundle) -> Request:
        """Which maps to make of a checkpoint. Raises: InputError for what it cannot do."""
        names = ("method", "activations", "target", "against", "weights", "normalise", "fill", "steps")
        request = Request(**{name: getattr(self, name) for name in names})
        if self.method == TESTED:
            # HiResCAM sums to the score where the pooling is linear, and to nothing behind a norm
            first = "gradcam" if bundle.model.normed_branches else "hirescam"
            method, passing = tested_maps(known_verdicts(bundle), tuple(bundle.model.branches.values()), first)
            names_of = None if method in ON_INPUT else self.activations or passing
            request = replace(request, method=method, activations=names_of, weights="global")  # as tests make them
        request.check(bundle)
        return request


def run(bundle: Bundle, video: str | Path, options: Options | None = None) -> Explanation:
    """Read a video (or a folder of frames) as the checkpoint does, and explain the prediction.

    With `options.window` every window is predicted, and the one with the highest probability of the target is explained;
    without a target that is the class with the highest mean probability. Memory does not grow with the video's length.
    Raises: InputError for an unknown class, method or activation, a video that cannot be read, no face, impossible times.
    """
    options = options or Options()
    options.request(bundle)  # before minutes are spent on the video
    return explain_source(bundle, read_source(video, preprocessing_of(bundle, video, options), options), options)


def explain_source(bundle: Bundle, source: Source, options: Options) -> Explanation:
    """`run` of a source that is read already, as `preprocessing_of` this checkpoint wants it.

    Raises: InputError for an unknown class, method or activation, windows that are impossible, or a scene that does not fit.
    """
    request = options.request(bundle)
    target = target_index(options.target, bundle.labels)
    timeline = None
    if options.window is None:
        shown = all_inputs(bundle, source.clip(), options)
    else:
        windows = (all_inputs(bundle, clip, options) for clip in source.windows(options.window, options.stride or options.window))
        shown, target, timeline = _choose_window(bundle, windows, target)
    clips = batch_of(as_clips(shown), _device(bundle))
    probabilities = bundle.predict(clips)[0].cpu().numpy()
    target = int(probabilities.argmax()) if target is None else target
    maps = make_maps(bundle, clips, request, [target])
    split = inspect_split(bundle.model, clips) if "split" in bundle.model.capabilities else None
    return Explanation(
        video=source.path,
        sha256=file_sha256(source.path),
        checkpoint=bundle.name,
        labels=bundle.labels,
        probabilities=probabilities,
        target=target,
        clip=leading(bundle, shown),
        clips=shown,
        preprocessing=as_written(inputs_of(bundle, options)),
        saliency=maps,
        split=split,
        timeline=timeline,
        scenes=bundle.scenes,
        verdicts=verdicts_on(known_verdicts(bundle, shown=options.listed), maps, request.method) if options.badges else {},
    )


def write(
    explanation: Explanation, folder: str | Path, context: Context = PYTHON_CALL, film_format: str | None = None
) -> list[Path]:
    """Write an explanation to the new folder `folder`, all of it or nothing; `film_format` mp4 or gif, by default what can be.

    Raises: InputError if `folder` exists, the format is unknown, or the disk refuses.
    """
    folder = Path(folder)
    film_format = check_format(film_format)
    with new_folder(folder) as work:
        files = write_pictures(explanation, work, film_format, context)
        text = json.dumps(to_dict(explanation, files), indent=2, ensure_ascii=False, allow_nan=False)
        (work / "explain.json").write_text(text + "\n", encoding="utf-8")
    return sorted(folder.iterdir())


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


Shown = dict[str, Clip]


def _choose_window(bundle: Bundle, windows: Iterable[Shown], target: int | None) -> tuple[Shown, int, Timeline]:
    """Predict all windows; of each class (or the target) only the most probable one is kept in memory."""
    wanted = range(len(bundle.labels)) if target is None else [target]
    best: dict[int, tuple[float, int, Shown]] = {}
    rows: list[np.ndarray] = []
    start: list[float] = []
    end: list[float] = []
    for batch in _batched(windows):
        for shown, row in zip(batch, _predict(bundle, batch), strict=True):
            for c in wanted:
                if c not in best or row[c] > best[c][0]:
                    best[c] = (float(row[c]), len(rows), shown)
            rows.append(row)
            clip = leading(bundle, shown)
            start.append(clip.start)
            end.append(clip.end)
    probabilities = np.stack(rows)
    target = int(probabilities.mean(0).argmax()) if target is None else target
    _, chosen, shown = best[target]
    return shown, target, Timeline(np.array(start), np.array(end), probabilities, chosen)


def _batched(windows: Iterable[Shown]) -> Iterable[list[Shown]]:
    batch: list[Shown] = []
    for shown in windows:
        batch.append(shown)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _predict(bundle: Bundle, clips: Sequence[Shown]) -> np.ndarray:
    batch = stack([as_clips(shown) for shown in clips])
    return bundle.predict(each(batch, lambda part: part.to(_device(bundle)))).cpu().numpy()


def _device(bundle: Bundle) -> torch.device:
    return next(bundle.model.parameters()).device

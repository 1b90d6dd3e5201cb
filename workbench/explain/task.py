"""Explain what a checkpoint makes of a video: class, maps of its branches, frames that ISSM reads; as a folder of files.

<out>/<name of the video>/  overlay.mp4 (or .gif)   film_strip.png   film_strip.svg   explain.json
                            timeline.png   timeline.svg   (with windows)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ifdd.checkpoints import Bundle
from ifdd.data.clips import Clip, Source, analyse, check_windows
from ifdd.data.preprocessing import Preprocessing
from ifdd.data.video import file_sha256
from ifdd.errors import InputError, NoFaceError
from workbench.analysis.faithfulness.results import Verdict
from workbench.analysis.faithfulness.verdicts import known_verdicts, verdicts_on
from workbench.analysis.saliency.displays.heat import row_name
from workbench.analysis.saliency.maps import gradcam_branches
from workbench.analysis.saliency.results import Normalisation, SaliencyResult, Weights
from workbench.analysis.splits.inspection import inspect_split
from workbench.analysis.splits.results import SplitResult

BATCH = 4
"""Windows that are in memory at a time."""


@dataclass(frozen=True)
class Options:
    """How a video is read and explained; times in seconds.

    `target` a class by name, None for the predicted one; `crop` None for the checkpoint's own way; `face` from 1, None for
    the largest; `window` and `stride` cut the stretch from `start` to `end` into windows; `fps` of a folder of frames.
    """

    target: str | None = None
    crop: str | None = None
    face: int | None = None
    start: float | None = None
    end: float | None = None
    window: float | None = None
    stride: float | None = None
    fps: float | None = None
    weights: Weights = "global"
    normalise: Normalisation = "clip"
    badges: bool = True
    """Whether maps show the verdicts of `workbench faithfulness` that are known."""


@dataclass(frozen=True, eq=False)
class Timeline:
    """Windows of a video: `start`, `end` (n,) seconds, `probabilities` (n, classes); `chosen` is the one that is explained."""

    start: np.ndarray
    end: np.ndarray
    probabilities: np.ndarray
    chosen: int


@dataclass(frozen=True, eq=False)
class Explanation:
    """One clip and what the model made of it; batches of one in `saliency` (by branch) and `split` (None for a baseline)."""

    video: Path
    sha256: str
    checkpoint: str
    labels: tuple[str, ...]
    probabilities: np.ndarray  # (classes,)
    target: int
    clip: Clip
    preprocessing: dict[str, Any]
    saliency: dict[str, SaliencyResult]
    split: SplitResult | None
    timeline: Timeline | None
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    """By branch, where a report of `workbench faithfulness` lies beside the checkpoint."""

    @property
    def predicted(self) -> int:
        """The most probable class."""
        return int(self.probabilities.argmax())

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader should know about the clip and its maps."""
        notes = (f"{row_name(result)}: {note.split(': ', 1)[-1]}" for result in self.saliency.values() for note in result.notes)
        return (*self.clip.warnings, *notes)

    def verdict(self) -> str:
        """The predicted class, and the target where it is another one, with their probabilities."""
        chosen = dict.fromkeys((self.predicted, self.target))
        return "  ·  ".join(f"{self.labels[c]} {self.probabilities[c]:.1%}" for c in chosen)


def target_index(target: str | None, labels: Sequence[str]) -> int | None:
    """Index of a class.

    Raises: InputError for a name that is not in `labels`, with those that are.
    """
    if target is not None and target not in labels:
        raise InputError(f"unknown class {target!r}; this checkpoint knows {', '.join(labels)}")
    return None if target is None else list(labels).index(target)


def preprocessing_of(bundle: Bundle, options: Options) -> Preprocessing:
    """How the checkpoint reads a source, with the crop that the options ask for.

    Raises: InputError for a checkpoint that reads several inputs, whose maps lie on different pictures.
    """
    if len(bundle.inputs) > 1:
        raise InputError(
            f"{bundle.name} reads {' and '.join(bundle.inputs)}; this shows one picture: call saliency.gradcam from Python"
        )
    return bundle.preprocessing if options.crop is None else replace(bundle.preprocessing, crop=options.crop)


def read_source(video: str | Path, preprocessing: Preprocessing, options: Options) -> Source:
    """Stream the video once: its time stamps and the track of the face.

    Raises: InputError for a video that cannot be read, no face, impossible times or options.
    """
    if options.face is not None and preprocessing.crop != "face":
        raise InputError(f"{video}: --face {options.face} needs --crop face, not {preprocessing.crop}")
    if options.stride is not None and options.window is None:
        raise InputError(f"{video}: a stride of {options.stride:g} s needs windows; give --window as well")
    if options.window is not None:
        check_windows(video, options.window, options.stride or options.window)  # before the face is looked for
    try:
        return analyse(video, preprocessing, face=options.face, start=options.start, end=options.end, fps=options.fps)
    except NoFaceError as error:
        raise NoFaceError(error.finding, NoFaceError.OPTIONS) from None


def explain_video(bundle: Bundle, video: str | Path, options: Options | None = None) -> Explanation:
    """Read a video (or a folder of frames) as the checkpoint does, and explain the prediction.

    With `options.window` every window is predicted, and the one with the highest probability of the target is explained;
    without a target that is the class with the highest mean probability. Memory does not grow with the video's length.
    Raises: InputError for an unknown class, a video that cannot be read, no face, impossible times.
    """
    options = options or Options()
    target_index(options.target, bundle.labels)  # before minutes are spent on the video
    return explain_source(bundle, read_source(video, preprocessing_of(bundle, options), options), options)


def explain_source(bundle: Bundle, source: Source, options: Options) -> Explanation:
    """`explain_video` of a source that is read already, as `preprocessing_of` this checkpoint wants it.

    Raises: InputError for an unknown class, or windows that are impossible.
    """
    target = target_index(options.target, bundle.labels)
    timeline = None
    if options.window is None:
        clip = source.clip()
    else:
        windows = source.windows(options.window, options.stride or options.window)
        clip, target, timeline = _choose_window(bundle, windows, target)
    clips = clip.tensor()[None].to(_device(bundle))
    probabilities = bundle.predict(clips)[0].cpu().numpy()
    target = int(probabilities.argmax()) if target is None else target
    maps = gradcam_branches(bundle.model, clips, target, options.weights, options.normalise)
    split = inspect_split(bundle.model, clips) if "split" in bundle.model.capabilities else None
    return Explanation(
        video=source.path,
        sha256=file_sha256(source.path),
        checkpoint=bundle.name,
        labels=bundle.labels,
        probabilities=probabilities,
        target=target,
        clip=clip,
        preprocessing=source.preprocessing.to_dict(),
        saliency=maps,
        split=split,
        timeline=timeline,
        verdicts=verdicts_on(known_verdicts(bundle), maps) if options.badges else {},
    )


def _choose_window(bundle: Bundle, windows: Iterable[Clip], target: int | None) -> tuple[Clip, int, Timeline]:
    """Predict all windows; of each class (or the target) only the most probable one is kept in memory."""
    wanted = range(len(bundle.labels)) if target is None else [target]
    best: dict[int, tuple[float, int, Clip]] = {}
    rows: list[np.ndarray] = []
    start: list[float] = []
    end: list[float] = []
    for batch in _batched(windows):
        for clip, row in zip(batch, _predict(bundle, batch), strict=True):
            for c in wanted:
                if c not in best or row[c] > best[c][0]:
                    best[c] = (float(row[c]), len(rows), clip)
            rows.append(row)
            start.append(clip.start)
            end.append(clip.end)
    probabilities = np.stack(rows)
    target = int(probabilities.mean(0).argmax()) if target is None else target
    _, chosen, clip = best[target]
    return clip, target, Timeline(np.array(start), np.array(end), probabilities, chosen)


def _batched(windows: Iterable[Clip]) -> Iterable[list[Clip]]:
    batch: list[Clip] = []
    for clip in windows:
        batch.append(clip)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _predict(bundle: Bundle, clips: Sequence[Clip]) -> np.ndarray:
    return bundle.predict(torch.stack([clip.tensor() for clip in clips]).to(_device(bundle))).cpu().numpy()


def _device(bundle: Bundle) -> torch.device:
    return next(bundle.model.parameters()).device

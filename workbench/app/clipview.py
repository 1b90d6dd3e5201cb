"""One clip seen through one or several models: what a page of the app shows, computed in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ifdd.data.manifest import VOTES
from ifdd.data.video import read_frames
from ifdd.errors import InputError
from ifdd.scripted.render import store
from workbench.analysis.saliency.displays.player import Track, input_group, map_group, player_data, split_track, video_group
from workbench.analysis.saliency.displays.strip import FilmStrip
from workbench.analysis.splits.displays.timeline import CorrelationDisplay, SplitTimelineDisplay
from workbench.explain.results import Explanation
from workbench.plotting.probabilities import Probabilities, ProbabilityDisplay
from workbench.plotting.timeline import TimelineDisplay
from workbench.store.collection import Collection

if TYPE_CHECKING:
    from workbench.app.every_frame import EveryFrame

    ReadStretch = Callable[[Path, float, float], EveryFrame]  # source, start and end in seconds

THUMBNAIL = 96  # pixels, longest side


@dataclass(frozen=True, eq=False)
class Truth:
    """What is known about a clip: its class by name, if it has one; of a scripted one the intensity (n,) in [0, 1] by frame."""

    label: str | None
    intensity: np.ndarray | None = None

    def intensity_of(self, video_index: np.ndarray) -> np.ndarray | None:
        """Intensity of the frames with these indexes (T,); None where it is not known."""
        return None if self.intensity is None else self.intensity[video_index]


@dataclass(frozen=True, eq=False)
class ClipView:
    """Explanations of one clip by the model's name, in the order in which they are shown, and the truth, if known.

    `others` are models of whom nothing is known but what they said.
    """

    explanations: Mapping[str, Explanation]
    truth: Truth | None = None
    others: Mapping[str, Probabilities] = field(default_factory=dict)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader should know; each sentence once, with the model where it concerns only some of several."""
        notes: dict[str, list[str]] = {}
        for name, item in self.explanations.items():
            for note in item.warnings:
                notes.setdefault(note, []).append(name)
        everywhere = len(self.explanations)
        return tuple(note if len(names) == everywhere else f"{', '.join(names)}: {note}" for note, names in notes.items())

    def players(self, whole: ReadStretch | None = None) -> list[dict[str, Any]]:
        """Data for a frame player: the input, then the branches of every model.

        One player where all models read the same stretch of the video; else (windows) one for each stretch. `whole` reads every
        frame of a stretch: the player then steps through those, and each map is that of the frame nearest in time.
        """
        stretches: dict[tuple[float, float], list[str]] = {}
        for name, item in self.explanations.items():
            stretches.setdefault((item.clip.start, item.clip.end), []).append(name)
        return [self._player(names, whole) for names in stretches.values()]

    def _player(self, names: list[str], whole: ReadStretch | None) -> dict[str, Any]:
        """The slider steps through the frames of the model that reads most of them, or through all."""
        item = max((self.explanations[name] for name in names), key=lambda item: (len(item.clip.seconds), len(item.clips)))
        clip = item.clip
        index, clock, stretch = clip.video_index, clip.seconds, f"{clip.start:.2f} – {clip.end:.2f} s"
        groups = [input_group(item.pictures, clock, stretch)]
        if whole is not None:
            every = whole(clip.source, clip.start, clip.end)
            index, clock = every.index, every.seconds
            groups = [video_group(every.pixels, clock, f"{stretch}, {every.words}"), *groups]
        tracks: list[Track] = []
        for name in names:
            item = self.explanations[name]
            said = f"{item.labels[item.predicted]} {100 * item.probabilities[item.predicted]:.0f} %"
            label = item.labels[item.target]
            groups.append(map_group(name, said, item.pictures, item.clip.seconds, item.saliency, label, verdicts=item.verdicts))
            if item.split is not None:
                tracks.append(split_track(name, item.split, item.clip.seconds, clock))
        intensity = None if self.truth is None else self.truth.intensity_of(index)
        return player_data(groups, index, intensity, tracks)

    def probabilities(self) -> ProbabilityDisplay:
        """Bars of all models."""
        results = {name: Probabilities(item.probabilities, item.labels) for name, item in self.explanations.items()}
        results |= self.others
        return ProbabilityDisplay(results, None if self.truth is None else self.truth.label)

    def windowed_models(self) -> tuple[str, ...]:
        """Names of the models that read the clip in windows."""
        return tuple(name for name, item in self.explanations.items() if item.timeline is not None)

    def windows(self, model: str) -> TimelineDisplay:
        """Probabilities of one model over the windows of a video.

        Raises: InputError for a clip that was read as a whole.
        """
        item, line = self.explanations[model], self.explanations[model].timeline
        if line is None:
            raise InputError(f"{item.video} was read as a whole; choose a window")
        return TimelineDisplay(line.start, line.end, line.probabilities, item.labels, line.chosen)

    def split_models(self) -> tuple[str, ...]:
        """Names of the models that split the clip."""
        return tuple(name for name, item in self.explanations.items() if item.split is not None)

    def timeline(self, model: str) -> SplitTimelineDisplay:
        """Where the groups of a model read, over thumbnails and the true intensity.

        Raises: InputError for a model without a split.
        """
        item = self.explanations[model]
        if item.split is None:
            raise InputError(f"{model} reads all frames alike and has no split to display; choose an IFDD model")
        seconds = item.clip.seconds
        return SplitTimelineDisplay(
            item.split,
            seconds=seconds,
            thumbnails=np.stack([shrink(image) for image in item.clip.pixels]),
            intensity=None if self.truth is None else self.truth.intensity_of(item.clip.video_index),
        )

    def correlation(self, model: str) -> CorrelationDisplay | None:
        """Correlation between feature frames, None for a model whose split has none."""
        split = self.explanations[model].split
        return None if split is None or split.correlation is None else CorrelationDisplay(split)

    def film_strip(self, model: str) -> FilmStrip:
        """The film strip of one model, for a file."""
        item = self.explanations[model]
        label, title = item.labels[item.target], f"{item.verdict()}  ·  {item.video.name}  ·  {item.checkpoint}"
        return FilmStrip.from_results(
            item.pictures,
            item.clip.seconds,
            item.saliency,
            label=label,
            title=title,
            split=item.split,
            verdicts=item.verdicts,
        )


def said_of(collection: Collection, clip_id: str) -> Probabilities | None:
    """What a collection says of one clip; None for a clip that it lacks."""
    rows = np.flatnonzero(collection.predictions["clip_id"] == clip_id)
    return Probabilities(collection.probs[rows[0]], collection.labels) if len(rows) else None


def votes_of(clip: Mapping[Any, Any]) -> Probabilities | None:
    """Shares of the votes of people for each class, from a clip's row of a list; None where nobody voted."""
    votes = {str(name).removeprefix(VOTES): float(clip[name]) for name in clip if str(name).startswith(VOTES)}
    counts = np.nan_to_num(np.array(list(votes.values())))
    return Probabilities(counts / counts.sum(), tuple(votes)) if counts.sum() > 0 else None


def read_truth(label: str | None, file: Path | None = None) -> Truth:
    """The truth of a clip, with the intensity from a truth file of ScriptedFaces, if there is one.

    Raises: InputError for a file that cannot be read.
    """
    if file is None:
        return Truth(label)
    renew = "remove the folder of the clips and make it again"
    return Truth(label, *store.read_truth(file, "intensity", renew=renew))


def thumbnail(path: str | Path, share: float = 0.5, frames: int | None = None) -> np.ndarray:
    """One small frame of a clip, (h, w, 3) uint8, at a share in [0, 1) of its `frames` frames; the first if they are unknown.

    Raises: InputError for a clip that cannot be read.
    """
    index = 0 if frames is None else min(max(int(share * frames), 0), frames - 1)
    for frame in read_frames(path, keep={index}):
        return shrink(frame.image)
    raise InputError(f"{path} has no frame {index}; its manifest says {frames}: make the manifest again")


def shrink(image: np.ndarray, side: int = THUMBNAIL) -> np.ndarray:
    """A picture (H, W, 3) uint8 with at most `side` pixels on its longest side."""
    from PIL import Image

    picture = Image.fromarray(image)
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    return np.asarray(picture)

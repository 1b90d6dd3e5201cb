"""From a source to what a model reads: find the crop boxes, sample T frames, crop and resize them.

Two passes over the source keep memory independent of its length: `analyse` streams all frames and keeps only time stamps
and boxes; cutting streams them again and keeps only the crops of the sampled frames.
"""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

import numpy as np
import torch

from ifdd.data.faces.alignment import steady
from ifdd.data.faces.boxes import centre_box, crop, in_crops, widen
from ifdd.data.faces.face import Detector
from ifdd.data.faces.hiding import hide
from ifdd.data.faces.tracking import FaceTrack, FaceTracker
from ifdd.data.preprocessing import Preprocessing
from ifdd.data.scenes import NO_SCENE, SCENE_WAY_OUT, same_length
from ifdd.data.video import left_out, left_to_show, read_frames, read_times, stretch_name
from ifdd.data.video.transport import doubts
from ifdd.errors import InputError, NoFaceError
from ifdd.inputs import Clips
from ifdd.progress import tqdm

LONG = 10.0
"""Seconds above which a clip without windows is warned about: 16 frames say little about it."""
HIDING_MARGIN = 0.4
"""How far a box that hides a face reaches beyond its brows and chin, on each side, as a fraction of its side."""
MOST_CUTS = 8
"""Cuts that a warning tells."""

WHOLE = 0.6
"""A face that fills this share of a picture leaves little around it."""


@dataclass(frozen=True, eq=False)
class Clip:
    """T sampled, cropped frames of a stretch of a source.

    `pixels` (T, H, W, 3) uint8 RGB; `video_index` (T,) indexes of the decoded frames; `seconds` (T,) their time stamps;
    `boxes` (T, 4) the crop boxes in upright pixels, which may reach beyond the frame; `found` (T,) whether a detection
    supports the frame (False throughout without a face crop). `share` is that of all frames of the stretch, sampled or not
    (None without a face crop); `faces` counts the faces among which one was chosen. `start` and `end` are seconds. `cuts`: where
    the picture cuts to another one in the stretch that was asked for, in seconds; a clip shows one shot of it. `landmarks`
    (T, 5, 2) in pixels of the clip, gaps bridged, where the detector of a face crop tells any. `total`: frames of the stretch
    that was asked for, of which the clip may show a shot.
    """

    pixels: np.ndarray
    video_index: np.ndarray
    seconds: np.ndarray
    boxes: np.ndarray
    found: np.ndarray
    share: float | None
    faces: int
    source: Path
    start: float
    end: float
    warnings: tuple[str, ...]
    cuts: tuple[float, ...] = ()
    landmarks: np.ndarray | None = None
    total: int = 0

    def tensor(self) -> torch.Tensor:
        """(3, T, H, W) float32 in [0, 1]."""
        return torch.from_numpy(self.pixels).permute(3, 0, 1, 2).contiguous().float() / 255


@dataclass(frozen=True, eq=False)
class Source:
    """All that has to be known of a stretch of n frames before clips are cut from it; made by `analyse`.

    `first` is the index of its first frame; `seconds` (n,), `boxes` (n, 4), `found` (n,) and `held` (n,) are per frame
    (`held`: the face is lost and its last box stands in). A stretch for a face crop is one shot: `cuts` (seconds) are those of
    what was asked for, which a warning of every clip tells. `scores` (n,) and `landmarks` (n, 5, 2) of a face crop are those of
    its detector, NaN where it did not find the face, or tells none. `total` as that of `Clip`; `hidden` (n,): boxes (k, 4) of the
    faces that a frame of a scene does not show.
    """

    path: Path
    preprocessing: Preprocessing
    first: int
    seconds: np.ndarray
    boxes: np.ndarray
    found: np.ndarray
    held: np.ndarray
    faces: int
    start: float
    end: float
    fps: float | None = None
    cuts: tuple[float, ...] = ()
    warnings: tuple[str, ...] = ()
    scores: np.ndarray | None = None
    landmarks: np.ndarray | None = None
    total: int = 0
    hidden: tuple[np.ndarray, ...] = ()

    def clip(self) -> Clip:
        """One clip of the whole stretch."""
        length, frames = self.end - self.start, self.preprocessing.frames
        warnings = (f"{frames} frames stand for {length:.1f} s; use --window to read it piece by piece",) if length > LONG else ()
        return next(self._cut([(self.start, self.end)], warnings))

    def windows(self, window: float, stride: float) -> Iterator[Clip]:
        """Clips of `window` seconds that begin every `stride` seconds, in order, each as soon as its frames are read.

        Only whole windows are cut; a stretch shorter than one gives one clip, with a warning. A window in which no frame
        begins shows the frame before it.

        Raises:
            InputError: `window` or `stride` is shorter than a frame, and than 10 ms.
        """
        check_windows(self.path, window, stride)
        frame = float(np.median(np.diff(self.seconds)))
        for name, value in (("window", window), ("stride", stride)):
            if value < min(frame, 0.01):
                raise InputError(
                    f"{self.path}: a {name} of {value:g} s is shorter than a frame, which lasts {frame:.3g} s; "
                    f"give --{name} {frame:.3g} or more"
                )
        length = self.end - self.start
        fits = window <= length + frame / 2  # half a frame must not cost a window that ends with the video
        warnings = () if fits else (f"the stretch of {length:.2f} s is shorter than the window of {window:g} s",)
        count = max(1, int((length + frame / 2 - window) / stride) + 1) if fits else 1
        starts = self.start + stride * np.arange(count)
        rest = self.end - float(starts[-1]) - window
        if rest > frame:
            warnings = (f"the last {rest:.2f} s are in no window; choose another --stride to read them",)
        return self._cut([(start, min(start + window, self.end)) for start in starts.tolist()], warnings)

    def crops(self, wanted: Container[int] | None = None) -> Iterator[tuple[int, np.ndarray]]:
        """Indexes into the frames of the stretch and their crops (H, W, 3) uint8, in order, of all frames or of the wanted ones.

        Raises:
            InputError: as `read_frames`.
        """
        keep = range(self.first, self.first + len(self.seconds))
        chosen = keep if wanted is None else {index for index in keep if index - self.first in wanted}
        for frame in read_frames(self.path, fps=self.fps, keep=chosen):
            at = frame.index - self.first
            yield at, self._crop(frame.image, at)

    def _crop(self, image: np.ndarray, at: int) -> np.ndarray:
        shown = hide(image, self.hidden[at], self.preprocessing.face) if self.hidden else image
        return crop(shown, self.boxes[at], self.preprocessing.size)

    def lost(self, frames: slice = slice(None)) -> tuple[str, ...]:
        """A warning that tells where the face is lost, if it is."""
        if self.preprocessing.crop != "face" or not self.held[frames].any():
            return ()
        runs = ", ".join(f"{a:.2f}–{b:.2f} s" for a, b in _runs(self.seconds[frames], self.held[frames]))
        share = f"the face was found in {self._share(frames):.0%} of the frames"
        return (f"{share}; where it is lost ({runs}) its last box is held",)

    def _share(self, frames: slice) -> float | None:
        return float(self.found[frames].mean()) if self.preprocessing.crop == "face" else None

    def _cut(self, spans: list[tuple[float, float]], warnings: tuple[str, ...]) -> Iterator[Clip]:
        """Clips of the spans, (start, end) in seconds in order of time; crops live no longer than a span needs them."""
        stretches = [self._frames_of(*span) for span in spans]
        picks = [
            low + frames_shown(self.seconds[low:high], *span, self.preprocessing.frames)
            for span, (low, high) in zip(spans, stretches, strict=True)
        ]
        wanted = {self.first + index for pick in picks for index in pick.tolist()}
        crops: dict[int, np.ndarray] = {}
        done = 0
        for frame in read_frames(self.path, fps=self.fps, keep=wanted):
            at = frame.index - self.first
            crops[at] = self._crop(frame.image, at)
            while picks[done][-1] <= at:
                yield self._clip(spans[done], stretches[done], picks[done], crops, warnings)
                done += 1
                if done == len(picks):
                    return
                crops = {index: image for index, image in crops.items() if index >= picks[done][0]}
        raise InputError(f"{self.path}: changed while it was being read; try again")

    def _frames_of(self, start: float, end: float) -> tuple[int, int]:
        low, high = np.searchsorted(self.seconds, (start - 1e-9, end - 1e-9)).tolist()
        begins = self.seconds[low] if low < len(self.seconds) else self.end
        if low and (low >= high or left_to_show(self.seconds[low - 1], begins, start)):
            low -= 1
        return low, max(high, low + 1)

    def _clip(
        self,
        span: tuple[float, float],
        stretch: tuple[int, int],
        pick: np.ndarray,
        crops: dict[int, np.ndarray],
        warnings: tuple[str, ...],
    ) -> Clip:
        frames = slice(*stretch)
        count = stretch[1] - stretch[0]
        share = self._share(frames)
        warnings = (*self.warnings, *warnings, *self.lost(frames), *too_short(count, len(pick)))
        return Clip(
            pixels=np.stack([crops[index] for index in pick.tolist()]),
            video_index=self.first + pick,
            seconds=self.seconds[pick],
            boxes=self.boxes[pick],
            found=self.found[pick],
            share=share,
            faces=self.faces,
            source=self.path,
            start=span[0],
            end=span[1],
            warnings=warnings,
            cuts=self.cuts,
            landmarks=self._landmarks(pick),
            total=self.total,
        )

    def _landmarks(self, pick: np.ndarray) -> np.ndarray | None:
        if self.landmarks is None or not np.isfinite(self.landmarks).any():
            return None
        return in_crops(steady(self.landmarks)[pick], self.boxes[pick], self.preprocessing.size)


def too_short(count: int, frames: int) -> tuple[str, ...]:
    """A warning where a stretch has fewer frames than a clip takes."""
    return (f"{count} frame{'s' * (count != 1)} for {frames}; the last one is repeated",) if count < frames else ()


def analyse(
    path: str | Path,
    preprocessing: Preprocessing | None = None,
    *,
    face: int | None = None,
    start: float | None = None,
    end: float | None = None,
    fps: float | None = None,
    detector: Detector | None = None,
) -> Source:
    """Stream a source once: time stamps of its frames and, for a face crop, the track of one face.

    Args:
        path: video file or folder of frames.
        preprocessing: the default one if left out.
        face: number of the face, from 1, largest first (area summed over time); by default the largest.
        start: seconds, inclusive.
        end: seconds, exclusive.
        fps: frame rate of a folder of frames.
        detector: finds faces; by default the cascades, as a checkpoint's card means it.

    Raises:
        InputError: as `read_frames`; no face; no face of that number; fewer than two frames in the stretch.

    Where the picture cuts, a source for a face crop is the shot of the stretch that shows the face.
    """
    path, preprocessing = Path(path), preprocessing or Preprocessing()
    if preprocessing.crop == "face":
        return find_faces(path, start=start, end=end, fps=fps, detector=detector).source(preprocessing, face)
    if preprocessing.face != "kept":
        return find_faces(path, start=start, end=end, fps=fps, detector=detector).scene(preprocessing)
    stretch = read_times(path, start, end, fps=fps, on_show=True)
    count = len(stretch.seconds)
    warnings = _doubts(path, stretch.seconds, start, end)
    last = stretch.end if end is None else min(end, stretch.end)
    boxes = _whole((stretch.width, stretch.height), preprocessing, count)
    never = np.zeros(count, bool)
    begin, seconds = start or 0.0, stretch.seconds
    return Source(
        path, preprocessing, stretch.first, seconds, boxes, never, never, 0, begin, last, fps, warnings=warnings, total=count
    )


def _whole(size: tuple[int, int], preprocessing: Preprocessing, count: int) -> np.ndarray:
    """Boxes (count, 4) of whole frames of a size (width, height), or of their middles."""
    box = np.array([0, 0, *size], np.float32)
    return np.tile(centre_box(box, preprocessing.size) if preprocessing.crop == "center" else box, (count, 1))


@dataclass(frozen=True, eq=False)
class Faces:
    """All faces of a stretch of a source, from one pass over it: a source for each of them needs no other; made by `find_faces`.

    `first`, `seconds` (n,), `start`, `end`, `fps` and `warnings` are of the stretch that was asked for, as in `Source`.
    """

    path: Path
    tracker: FaceTracker
    first: int
    seconds: np.ndarray
    start: float
    end: float
    fps: float | None
    warnings: tuple[str, ...]

    def tracks(self) -> list[FaceTrack]:
        """The faces, largest first: number 1 is the first. Raises: NoFaceError for none."""
        largest = self.tracker.result(source=self.path)
        return [largest, *(self.tracker.result(face, source=self.path) for face in range(2, largest.faces + 1))]

    def source(self, preprocessing: Preprocessing, face: int | None = None) -> Source:
        """What is read of one face, by default of the largest: its shot of the stretch.

        Raises: InputError for no face, or none of that number.
        """
        track = self.tracker.result(face, margin=preprocessing.margin, source=self.path)
        source = _face_source(self, preprocessing, track, chosen=face is not None)
        return replace(source, warnings=self.warnings + source.warnings, total=len(self.seconds))

    def scene(self, preprocessing: Preprocessing) -> Source:
        """The whole stretch, its faces blurred or masked, all that were followed, each in its shot.

        Raises: InputError where no face is found: whoever is in the picture would be seen.
        """
        count = len(self.seconds)
        hidden: list[list[np.ndarray]] = [[] for _ in range(count)]
        try:
            faces = len(self.tracks())
        except NoFaceError as error:
            raise InputError(
                f"{error.finding}, that could be {preprocessing.face} in the scene; read scenes with face=kept, or leave it out"
            ) from None
        for face in range(1, faces + 1):
            track = self.tracker.result(face, margin=HIDING_MARGIN, source=self.path)
            for at in range(*track.shot):
                hidden[at].append(track.boxes[at])
        boxes = _whole(self.tracker.size, preprocessing, count)
        found = np.array([bool(there) for there in hidden])
        return Source(
            self.path,
            preprocessing,
            self.first,
            self.seconds,
            boxes,
            found,
            ~found,
            faces,
            self.start,
            self.end,
            self.fps,
            warnings=self.warnings,
            total=count,
            hidden=tuple(np.array(there).reshape(-1, 4) for there in hidden),
        )


def find_faces(
    path: str | Path,
    *,
    start: float | None = None,
    end: float | None = None,
    fps: float | None = None,
    detector: Detector | None = None,
) -> Faces:
    """Stream a source once and follow all of its faces; arguments and errors as `analyse`, but that no face is none here."""
    path, tracker, first, last = Path(path), FaceTracker(detector), 0, 0.0
    times: list[float] = []
    frames = read_frames(path, start, end, fps=fps, on_show=True)
    for frame in tqdm(frames, desc="find the face", unit="frame", delay=2, leave=False, disable=None):
        first = first if times else frame.index
        times.append(frame.seconds)
        last = frame.end
        tracker.update(frame.image)
    seconds = np.array(times)
    warnings = _doubts(path, seconds, start, end)
    return Faces(path, tracker, first, seconds, start or 0.0, last if end is None else min(end, last), fps, warnings)


def _doubts(path: Path, seconds: np.ndarray, start: float | None, end: float | None) -> tuple[str, ...]:
    """What is doubtful about a stretch whose frames begin at `seconds` (n,). Raises: InputError for fewer than two frames."""
    count = len(seconds)
    if count < 2:
        raise InputError(
            f"{path}: {count} frame{'s' * (count != 1)} from {stretch_name(start, end)}; a clip needs 2: choose a longer stretch"
        )
    warnings = doubts(path, seconds, to_end=end is None)
    if path.is_dir() and (others := left_out(path)):
        told = ", ".join(others[:4]) + (" …" if len(others) > 4 else "")
        warnings += (f"left out, as no numbered frame: {told}",)
    return warnings


def _face_source(faces: Faces, preprocessing: Preprocessing, track: FaceTrack, *, chosen: bool) -> Source:
    """The part of the stretch of `faces` in which the face was followed: all of it, or one shot where it cuts.

    Of several faces that nobody has `chosen` from, the largest is read, which a warning tells.
    """
    seconds = faces.seconds
    cuts: tuple[float, ...] = tuple(seconds[list(track.cuts)].tolist())
    warnings: tuple[str, ...] = ()
    low, high = track.shot
    start, end = seconds[low] if low else faces.start, seconds[high] if high < len(seconds) else faces.end
    if cuts:
        told = ", ".join(f"{cut:.2f}" for cut in cuts[:MOST_CUTS]) + (" …" if len(cuts) > MOST_CUTS else "")
        others = f"--face 1 to {track.faces} or --start and --end" if track.faces > 1 else "--start and --end"
        warnings = (
            f"the picture cuts to another one at {told} s; a face is followed within one shot, so {start:.2f}–{end:.2f} s are "
            f"read: {others} choose another",
        )
    elif track.faces > 1 and not chosen:
        others = "--face 2 reads the other" if track.faces == 2 else f"--face 2 to {track.faces} read the others"
        warnings = (f"{track.faces} faces are there and the largest is read; {others}",)
    part = slice(low, high)
    boxes = widen(track.boxes, preprocessing.size)[part]
    return Source(
        faces.path,
        preprocessing,
        faces.first + low,
        seconds[part],
        boxes,
        track.found[part],
        track.held[part],
        track.faces,
        float(start),
        float(end),
        faces.fps,
        cuts,
        warnings,
        track.scores[part],
        track.landmarks[part],
    )


def load_clip(
    path: str | Path,
    preprocessing: Preprocessing | None = None,
    *,
    face: int | None = None,
    start: float | None = None,
    end: float | None = None,
    fps: float | None = None,
    detector: Detector | None = None,
) -> Clip:
    """One clip of a source, or of the stretch from `start` to `end`; arguments and errors as `analyse`."""
    return analyse(path, preprocessing, face=face, start=start, end=end, fps=fps, detector=detector).clip()


def load_inputs(
    path: str | Path,
    inputs: Mapping[str, Preprocessing],
    *,
    scene: str | Path | None = None,
    face: int | None = None,
    start: float | None = None,
    end: float | None = None,
    fps: float | None = None,
) -> dict[str, Clip]:
    """One clip of a source for each input of a model; where one follows a face, all show the stretch in which it is seen.

    An input of scenes shows the very frames of the clip, as they are in `scene`, or in the source itself where that shows more
    than the clip, which is cropped.

    Raises: as `analyse`, for a scene of another length than the source, or none.
    """
    check_scene(path, inputs, scene, start, end)
    clip = load_clip(path, lead_of(inputs), face=face, start=start, end=end, fps=fps)
    return inputs_with(clip, inputs, scene=scene, fps=fps)


def check_scene(
    path: str | Path,
    inputs: Mapping[str, Preprocessing],
    scene: str | Path | None = None,
    start: float | None = None,
    end: float | None = None,
) -> None:
    """Refuse a scene that cannot be read, before faces are looked for.

    Raises: InputError for an input of scenes where there is none, or a scene of its own for a stretch from `start` to `end`.
    """
    if scene is not None and (start is not None or end is not None):
        raise InputError(f"{scene}: a scene of its own is as long as its clip; leave out --start and --end, or cut both before")
    streams = {read.stream for read in inputs.values()}
    if scene is None and streams == {"clip", "scene"} and lead_of(inputs).crop == "none":
        raise InputError(f"{path}: {NO_SCENE}; {SCENE_WAY_OUT}")


def inputs_with(
    clip: Clip, inputs: Mapping[str, Preprocessing], *, scene: str | Path | None = None, fps: float | None = None
) -> dict[str, Clip]:
    """The clip of the leading input (`lead_of`), and what all inputs show of its stretch. Raises: as `load_inputs`."""
    lead = lead_of(inputs)
    found: dict[str, Clip] = {}
    for name, read in inputs.items():
        if read.stream == "scene":
            found[name] = scene_clip(Path(scene or clip.source), read, clip, fps)
        else:
            found[name] = clip if read == lead else load_clip(clip.source, read, start=clip.start, end=clip.end, fps=fps)
    return found


def lead_of(inputs: Mapping[str, Preprocessing]) -> Preprocessing:
    """The input whose clip tells which frames all show: one that follows a face, else the first; of scenes alone, all frames."""
    clips = [read for read in inputs.values() if read.stream == "clip"]
    if not clips:
        return replace(next(iter(inputs.values())), stream="clip", face="kept", crop="none")
    return next((read for read in clips if read.crop == "face"), clips[0])


def _seen_twice(clip: Clip, whole: np.ndarray) -> tuple[str, ...]:
    """What is to be said where a clip's own video is its scene and shows hardly more than the face; boxes (n, 4) of frames."""
    share = float(np.median(_area(clip.boxes) / np.maximum(_area(whole), 1)))
    if share < WHOLE:
        return ()
    told = (
        f"the video itself is taken as the scene, and the face fills {100 * min(share, 1):.0f} % of it, so that it is read twice"
    )
    return (f"{told}; give what is around it as a scene of its own (--scene)",)


def _area(boxes: np.ndarray) -> np.ndarray:
    found: np.ndarray = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return found


def scene_clip(place: Path, preprocessing: Preprocessing, clip: Clip, fps: float | None = None) -> Clip:
    """The frames of a clip as they are in the scene around it; `fps` of a folder of frames.

    Raises: InputError as `analyse`, or for a scene of another length than the clip's source.
    """
    if place == clip.source:
        source = analyse(place, preprocessing, start=clip.start, end=clip.end, fps=fps)
    else:
        source = analyse(place, preprocessing, fps=fps if place.is_dir() else None)
        same_length(place, source.total, clip.source, clip.total)
    shown = clip.video_index - source.first
    crops = dict(source.crops(set(shown.tolist())))
    if missing := set(shown.tolist()) - set(crops):
        frame = source.first + min(missing)
        raise InputError(f"{place}: has no frame {frame}, which the clip {clip.source} shows; give the scene of the whole video")
    return replace(
        clip,
        pixels=np.stack([crops[at] for at in shown.tolist()]),
        boxes=source.boxes[shown],
        source=place,
        warnings=source.warnings if place != clip.source else _seen_twice(clip, source.boxes[shown]),
        landmarks=None,
    )


def as_clips(found: Mapping[str, Clip]) -> Clips:
    """Clips by input as a model takes them, without a batch axis: of a single one the tensor alone."""
    tensors = {name: clip.tensor() for name, clip in found.items()}
    return tensors if len(tensors) > 1 else next(iter(tensors.values()))


def load_windows(
    path: str | Path,
    preprocessing: Preprocessing | None = None,
    *,
    window: float,
    stride: float,
    face: int | None = None,
    start: float | None = None,
    end: float | None = None,
    fps: float | None = None,
) -> Iterator[Clip]:
    """Clips of `window` seconds every `stride` seconds; arguments and errors as `analyse` and `Source.windows`."""
    check_windows(path, window, stride)  # before minutes of looking for faces
    return analyse(path, preprocessing, face=face, start=start, end=end, fps=fps).windows(window, stride)


def check_windows(path: str | Path, window: float, stride: float) -> None:
    """Raises: InputError for seconds that no video can be cut by: not above 0, endless, below a millisecond."""
    if not 0 < window < inf or not 0 < stride < inf:
        raise InputError(f"{path}: window {window:g} s, stride {stride:g} s: both must be above 0")
    if min(window, stride) < 1e-3:
        raise InputError(f"{path}: window {window:g} s, stride {stride:g} s: shorter than a frame; give seconds")


def frames_shown(seconds: np.ndarray, start: float, end: float, frames: int, at: float | np.ndarray = 0.5) -> np.ndarray:
    """(frames,) indexes into frames that begin at `seconds` (n,): those on show at the centres of equal segments of time.

    `at`: another moment than the centre, from 0 to 1, of all segments or (frames,) of each. Fewer frames than segments: each
    once, then the last one repeated.
    """
    count, steps = len(seconds), np.arange(frames)
    if count < frames:
        return np.minimum(steps, count - 1)
    moments = start + (end - start) * (steps + at) / frames
    grace = 1e-3 * (end - start) / count  # time stamps are rounded, to milliseconds at worst
    return np.clip(np.searchsorted(seconds, moments + grace, side="right") - 1, 0, count - 1)


def _runs(seconds: np.ndarray, flags: np.ndarray) -> list[tuple[float, float]]:
    """Seconds of the first and last frame of every run of set flags."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]])))
    return [(float(seconds[first]), float(seconds[after - 1])) for first, after in edges.reshape(-1, 2).tolist()]

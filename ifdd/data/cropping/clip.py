"""One video made into a face clip: followed in a first pass, cropped in a second one."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from ifdd.data.clips import Source, analyse, find_faces
from ifdd.data.cropping.options import CropOptions, Format
from ifdd.data.cropping.tracks import Track
from ifdd.data.faces.alignment import box_transforms, follow, placed, steady, transforms, warp
from ifdd.data.faces.boxes import crop
from ifdd.data.faces.detectors import Detector, make_detector
from ifdd.data.faces.hiding import hide
from ifdd.data.preprocessing import Preprocessing
from ifdd.data.video import FOLDER_FPS, read_frames
from ifdd.errors import InputError

JPEG_QUALITY = 95
UNEVEN = 1.5
"""Times the usual step that a step between two frames may last before a warning tells that the rate changes."""


@lru_cache(maxsize=2)
def _detector(name: str, model: Path | None) -> Detector:
    return make_detector(name, model)  # one for each process


def follow_face(path: Path, options: CropOptions, fps: float | None = None) -> tuple[Source, Track, Source | None]:
    """The largest face of a source, how it is cropped, and the scene around it if asked for; `fps` of a folder of frames.

    Raises: InputError as `analyse`: no face, a source that cannot be read.
    """
    size = (options.size, options.size)
    if options.detector == "precropped":
        source = analyse(path, Preprocessing(2, size, "none", options.margin), fps=fps)
        return source, _track(source, options), None
    faces = find_faces(path, fps=fps, detector=_detector(options.detector, options.model))
    source = faces.source(Preprocessing(2, size, "face", options.margin))
    scene = faces.scene(Preprocessing(2, size, "none", stream="scene", face=options.scene)) if options.scene else None
    return source, _track(source, options), scene


def _track(source: Source, options: CropOptions) -> Track:
    kept = slice(0, None, options.every)
    count = len(source.seconds)
    if len(source.seconds[kept]) < 2:
        raise InputError(
            f"{source.path}: of {count} frames --every {options.every} keeps one; a clip needs 2: give a smaller number"
        )
    landmarks = np.full((count, 5, 2), np.nan) if source.landmarks is None else source.landmarks.astype(np.float64)
    known = bool(np.isfinite(landmarks).all((1, 2)).any())
    if options.align and known:
        maps = transforms(follow(landmarks), options.size, options.margin)
    else:
        maps = box_transforms(source.boxes, options.size)
    seconds = source.seconds[kept]
    steps = np.diff(seconds)
    usual = float(np.median(steps))
    warnings = source.warnings
    if steps.max() > UNEVEN * usual:
        warnings = (*warnings, f"frames last {steps.min():.3f} to {steps.max():.3f} s; a folder of frames shows each as long")
    scores = np.full(count, np.nan) if source.scores is None else source.scores
    return Track(
        video_index=(source.first + np.arange(count))[kept],
        seconds=seconds,
        box=source.boxes[kept],
        score=scores[kept].astype(np.float32),
        found=source.found[kept],
        held=source.held[kept],
        landmarks=landmarks[kept].astype(np.float32),
        transform=maps[kept],
        crop_landmarks=placed(maps, steady(landmarks))[kept].astype(np.float32),
        faces=source.faces,
        size=options.size,
        fps=float((len(seconds) - 1) / (seconds[-1] - seconds[0])) if seconds[-1] > seconds[0] else FOLDER_FPS,
        warnings=warnings,
    )


def crops(source: Source, track: Track, aligned: bool) -> Iterator[np.ndarray]:
    """The frames of a track, cropped: (size, size, 3) uint8 RGB each.

    Raises: InputError if the source has changed since it was followed.
    """
    size = (track.size, track.size)
    wanted = {int(index): at for at, index in enumerate(track.video_index)}
    count = 0
    for frame in read_frames(source.path, fps=source.fps, keep=set(wanted)):
        at = wanted.get(frame.index)
        if at is not None:
            yield warp(frame.image, track.transform[at], track.size) if aligned else crop(frame.image, track.box[at], size)
            count += 1
        if count == len(wanted):
            return
    raise InputError(f"{source.path}: changed while it was being read; try again")


def scenes(scene: Source, track: Track, longer: int) -> Iterator[np.ndarray]:
    """The frames of a track as whole pictures (H, W, 3) uint8 RGB, at most `longer` pixels on their longer side, faces hidden.

    Raises: InputError if the source has changed since it was followed.
    """
    wanted = {int(index) for index in track.video_index}
    for count, frame in enumerate(read_frames(scene.path, fps=scene.fps, keep=wanted), start=1):
        image = hide(frame.image, scene.hidden[frame.index - scene.first], scene.preprocessing.face)
        height, width = image.shape[:2]
        scale = min(1.0, longer / max(height, width))
        size = max(1, round(scale * height)), max(1, round(scale * width))
        yield crop(image, np.array([0, 0, width, height], np.float32), size)
        if count == len(wanted):
            return
    raise InputError(f"{scene.path}: changed while it was being read; try again")


def write_frame(image: np.ndarray, file: Path, kind: Format) -> None:
    """Write RGB pixels as PNG, or as JPEG of a high quality without shared colours."""
    chosen = [cv2.IMWRITE_PNG_COMPRESSION, 3]
    if kind == "jpg":
        chosen = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    done, data = cv2.imencode(f".{kind}", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), chosen)
    if not done:
        raise OSError(f"{file}: the frame could not be encoded")
    file.write_bytes(data.tobytes())

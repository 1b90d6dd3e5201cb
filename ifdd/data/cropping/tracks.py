"""What is known of the face of a clip, frame by frame, as a file of arrays."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ifdd.documents import read_arrays
from ifdd.errors import InputError

_SHAPES = {
    "video_index": (),
    "seconds": (),
    "box": (4,),
    "score": (),
    "found": (),
    "held": (),
    "landmarks": (5, 2),
    "transform": (2, 3),
    "crop_landmarks": (5, 2),
}
_RENEW = "crop the clip again with `ifdd data crop`"


@dataclass(frozen=True, eq=False)
class Track:
    """The face of a clip of n frames, and how it was cropped to `size` pixels.

    `video_index`, `seconds` (n,) of the source's frames; `box` (n, 4) the square around the face, smoothed; `score` (n,) and
    `landmarks` (n, 5, 2) the detector's own, in upright pixels, NaN where it did not find the face or tells none; `found` and
    `held` (n,) as `FaceTrack`; `transform` (n, 2, 3) from upright pixels to those of the crop; `crop_landmarks` (n, 5, 2) the
    landmarks in the crop, gaps bridged and smoothed; `faces`: how many there were to choose from; `fps`: that of the frames.
    """

    video_index: np.ndarray
    seconds: np.ndarray
    box: np.ndarray
    score: np.ndarray
    found: np.ndarray
    held: np.ndarray
    landmarks: np.ndarray
    transform: np.ndarray
    crop_landmarks: np.ndarray
    faces: int
    size: int
    fps: float
    warnings: tuple[str, ...] = ()

    @property
    def has_landmarks(self) -> bool:
        """Whether the detector told any."""
        return bool(np.isfinite(self.crop_landmarks).all())


def write_track(track: Track, file: Path) -> None:
    """Write a track as .npz."""
    arrays = {name: getattr(track, name) for name in _SHAPES}
    arrays |= {"about": np.array([track.faces, track.size, track.fps], np.float64)}
    arrays |= {"warnings": np.frombuffer("\n".join(track.warnings).encode(), np.uint8)}
    with file.open("wb") as stream:
        np.savez_compressed(stream, **arrays)


def read_track(file: Path) -> Track:
    """The track of a clip.

    Raises: InputError for a file that is missing, damaged, or holds no track.
    """
    *found, about, warnings = read_arrays(file, *_SHAPES, "about", "warnings", renew=_RENEW)
    arrays = dict(zip(_SHAPES, found, strict=True))
    count = len(arrays["seconds"]) if arrays["seconds"].ndim else 0
    for name, values in arrays.items():
        if values.shape != (count, *_SHAPES[name]) or not count:
            raise InputError(f"{file}: {name} has shape {values.shape}, which is no track of a clip; {_RENEW}")
    if about.shape != (3,) or not np.isfinite(about).all() or about[1] < 1 or about[2] <= 0:
        raise InputError(f"{file}: size and frame rate are {about.tolist()[:3]}, which is no track of a clip; {_RENEW}")
    lines = warnings.astype(np.uint8).tobytes().decode(errors="replace").split("\n")
    arrays |= {name: arrays[name].astype(bool) for name in ("found", "held")}
    return Track(**arrays, faces=int(about[0]), size=int(about[1]), fps=float(about[2]), warnings=tuple(filter(None, lines)))

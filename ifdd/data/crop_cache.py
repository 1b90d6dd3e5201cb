"""Cropped frames of one clip on disk, without loss: what a face detector and a video decoder are needed for once."""

import hashlib
import json
import zipfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np

from ifdd.data.clips import Source
from ifdd.data.preprocessing import READING, Preprocessing
from ifdd.data.video import image_files
from ifdd.documents import read_arrays
from ifdd.errors import InputError
from ifdd.io import write_whole

PNG_LEVEL = 1
"""Of 9: higher ones take several times as long for some per cent less."""
_PARTS = ("png", "ends", "seconds", "span", "warnings", "place")


@dataclass(frozen=True, eq=False)
class Crops:
    """All n cropped frames of a stretch: `png` has their files in a row (bytes,), which end at `ends` (n,).

    The first of them is frame `first` of `total` of the source.
    """

    png: np.ndarray
    ends: np.ndarray
    seconds: np.ndarray
    start: float
    end: float
    warnings: tuple[str, ...]
    first: int = 0
    total: int = 0

    def frames(self, pick: np.ndarray) -> np.ndarray:
        """(len(pick), H, W, 3) uint8 RGB."""
        begins = np.concatenate([[0], self.ends[:-1]])
        found: dict[int, np.ndarray] = {}
        for i in set(pick.tolist()):
            image = cv2.imdecode(self.png[begins[i] : self.ends[i]], cv2.IMREAD_COLOR_RGB)
            assert image is not None  # the file's check sum was right
            found[i] = image
        return np.stack([found[i] for i in pick.tolist()])


def crop_file(cache: Path, path: Path, preprocessing: Preprocessing, fps: float | None) -> Path:
    """Where the crops of a clip are kept: named after a hash of all that their pixels depend on.

    Raises: InputError, OSError for a clip that is not there.
    """
    files = image_files(path) if path.is_dir() else [path]
    about = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    read = [preprocessing.crop, preprocessing.size, preprocessing.margin if preprocessing.crop == "face" else 0, fps]
    if preprocessing.face != "kept":
        read.append(preprocessing.face)
    code = [READING, version("av"), version("opencv-python-headless"), version("pillow")]
    key = hashlib.sha256(json.dumps([str(path.resolve()), about, read, code]).encode()).hexdigest()
    return cache / "crops" / key[:2] / f"{key[2:26]}.npz"


def read_crops(file: Path) -> Crops | None:
    """The crops in a file; None where it is not there, or damaged."""
    if not file.is_file():
        return None
    try:
        png, ends, seconds, span, told, place = read_arrays(file, *_PARTS, renew="remove it")
        warnings = tuple(json.loads(told.tobytes()))
        return Crops(png, ends, seconds, float(span[0]), float(span[1]), warnings, int(place[0]), int(place[1]))
    except (InputError, ValueError, IndexError, zipfile.BadZipFile):
        return None


def write_crops(file: Path, source: Source) -> Crops:
    """Decode a stretch, crop all its frames and keep them, whole or not at all.

    Raises: InputError as `Source.frames_at`, or when the disk refuses.
    """
    coded = []
    for _, image in source.crops():
        good, data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, PNG_LEVEL])
        assert good
        coded.append(data)
    crops = Crops(
        np.concatenate(coded),
        np.cumsum([len(data) for data in coded]),
        source.seconds,
        source.start,
        source.end,
        (*source.warnings, *source.lost()),
        source.first,
        source.total,
    )
    told = np.frombuffer(json.dumps(crops.warnings).encode(), np.uint8)
    span, place = np.array([crops.start, crops.end]), np.array([crops.first, crops.total])

    def write(part: Path) -> None:
        with part.open("wb") as stream:
            np.savez(stream, png=crops.png, ends=crops.ends, seconds=crops.seconds, span=span, warnings=told, place=place)

    write_whole(file, write)
    return crops

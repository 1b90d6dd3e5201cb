"""Videos of the reader's own: what is accepted, which faces they show, and the clips of the dataset that are nearest to them."""

import hashlib
import re
import tempfile
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from ifdd.checkpoints import Bundle
from ifdd.data.clips import Faces as Faces
from ifdd.data.clips import find_faces as find_faces
from ifdd.data.faces.boxes import crop
from ifdd.data.video import read_frames
from ifdd.data.video.extent import extent_of
from ifdd.errors import InputError, NoFaceError
from ifdd.inputs import Clips, batch_of
from workbench.analysis.embedding.task import vectors
from workbench.app.limits import LIMITS, Limits, clock
from workbench.store.collection import Collection
from workbench.store.workspace import upload_name

FACE_SIDE = 96  # pixels of a face to choose from
MOST_FACES = 12  # that are offered
MOST_KEPT = 24  # results of one visitor
TYPICAL = 300  # clips whose own nearest neighbour is looked for, to tell what is near


def check_source(
    path: str | Path, start: float | None = None, end: float | None = None, fps: float | None = None, limits: Limits = LIMITS
) -> None:
    """See by its container whether a source is small and short enough to be read while somebody waits; no picture is decoded.

    Raises: InputError for what is no video, pictures that are too large, or a stretch that is too long, with what to give.
    """
    found = extent_of(path, fps=fps, at_most=limits.until)
    if found.width * found.height > limits.width * limits.height:
        raise InputError(
            f"{path}: pictures of {found.width}x{found.height}, up to {limits.width}x{limits.height} are read here; "
            "make the video smaller first, or use workbench explain"
        )
    begin, stop = start or 0.0, end if end is not None else found.seconds
    if stop is not None and stop - begin > limits.seconds:
        lasts = f"the video lasts {clock(stop)}" if end is None and not begin else f"that is a stretch of {clock(stop - begin)}"
        raise InputError(
            f"{path}: {lasts}, {clock(limits.seconds)} are read here at most; give Start and End, under How it is read"
        )
    if stop is not None and stop > limits.until:
        raise InputError(
            f"{path}: a stretch that ends {clock(stop)} into the video: all before it has to be decoded, so End may be "
            f"{clock(limits.until)} at most here; cut the video first, or use workbench explain"
        )
    share = 1.0 if not found.seconds or stop is None else min(1.0, (stop - begin) / found.seconds)
    if found.frames * share > limits.frames:
        raise InputError(
            f"{path}: {found.frames * share:,.0f} frames, {limits.frames:,} are read here at most; "
            "give Start and End, under How it is read"
        )


@dataclass(frozen=True, eq=False)
class FoundFace:
    """A face to choose: its `number` from 1 (largest first), a `picture` (side, side, 3) uint8, and when it is seen, in seconds.

    `share` of the frames of its shot show it.
    """

    number: int
    picture: np.ndarray
    begin: float
    end: float
    share: float


def found_faces(faces: Faces, most: int = MOST_FACES) -> list[FoundFace]:
    """The faces of a stretch, largest first, each where it is largest; the video is read once more for their pictures.

    Raises: NoFaceError for none.
    """
    try:
        tracks = faces.tracks()[:most]
    except NoFaceError as error:
        raise NoFaceError(error.finding, NoFaceError.OPTIONS) from None
    sizes = [np.where(track.found, track.boxes[:, 2] - track.boxes[:, 0], -1) for track in tracks]
    best = [int(size.argmax()) for size in sizes]
    wanted = {faces.first + at for at in best}
    pictures = {frame.index - faces.first: frame.image for frame in read_frames(faces.path, fps=faces.fps, keep=wanted)}
    found = []
    for number, (track, at) in enumerate(zip(tracks, best, strict=True), 1):
        seen = faces.seconds[track.found]
        picture = crop(pictures[at], track.boxes[at], (FACE_SIDE, FACE_SIDE))
        low, high = track.shot
        share = float(track.found[low:high].mean())
        found.append(FoundFace(number, picture, float(seen[0]), float(seen[-1]), share))
    return found


def vector_of(bundle: Bundle, clip: Clips, activation: str) -> np.ndarray:
    """One activation of a clip (3, T, H, W) as a row (d,) float32, as `embedding.task.vectors` has those of a collection."""
    device = next(bundle.model.parameters()).device
    with torch.inference_mode():
        _, cache = bundle.model.eval().run_with_cache(batch_of(clip, device), names=(activation,))
        values = bundle.model.describe(activation).mean(cache[activation])
    return values.float().cpu().numpy().reshape(-1)


@dataclass(frozen=True, eq=False)
class Nearest:
    """Clips of a collection by their distance from another one: `rows` of its predictions, `distances` (k,), nearest first.

    `typical`: the median distance from a clip of the collection to the one nearest to it.
    """

    rows: np.ndarray
    distances: np.ndarray
    typical: float

    @property
    def words(self) -> str:
        """How near the nearest is, in a sentence."""
        ratio = float(self.distances[0]) / self.typical if self.typical else float("inf")
        told = "as near as clips of the dataset are to each other" if ratio <= 1.5 else "further than they are from each other"
        told = "far from all of them: what was learnt from them may not hold here" if ratio > 4 else told
        return f"The nearest is {ratio:.1f} times as far as a clip of the dataset is from its own nearest one: {told}."


def nearest(collection: Collection, activation: str, vector: np.ndarray, rows: np.ndarray, count: int = 24) -> Nearest:
    """The clips nearest to a `vector` (d,) among `rows` (n,) of a collection, by Euclidean distance of an activation.

    Raises: InputError for an activation that was not kept, or a vector of another length.
    """
    values = vectors(collection, activation)[rows]
    if values.shape[1:] != vector.shape:
        raise InputError(
            f"{activation} of {collection.name} has {values.shape[1]} values, the video's has {len(vector)}; read the clips again"
        )
    distances = np.linalg.norm(values - vector, axis=1)
    order = np.argsort(distances, kind="stable")[:count]
    return Nearest(rows[order], distances[order], typical_distance(values))


def typical_distance(values: np.ndarray) -> float:
    """Median distance (n, d) from a row to the one nearest to it, over `TYPICAL` rows that lie evenly in the list."""
    some = np.unique(np.linspace(0, len(values) - 1, TYPICAL).astype(int))
    squares = (values**2).sum(1)
    found = squares[some, None] + squares - 2 * values[some] @ values.T
    found[np.arange(len(some)), some] = np.inf
    return float(np.median(np.sqrt(np.maximum(found.min(1), 0)))) if len(values) > 1 else 0.0


T = TypeVar("T")


@dataclass(frozen=True)
class OwnVideo:
    """A video of a visitor: its `name` to show, where it lies, and a `key` that another content does not have."""

    name: str
    path: Path
    key: str


class OwnVideos:
    """The videos of one visitor and what was made of them, in memory and in a folder that go when nobody holds this any more."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.limits = limits
        self.videos: dict[str, OwnVideo] = {}
        place = tempfile.TemporaryDirectory(prefix="ifdd-own-", ignore_cleanup_errors=True)
        self.folder = Path(place.name)
        """Where the files lie."""
        self._results: OrderedDict[tuple[str, Hashable], object] = OrderedDict()
        weakref.finalize(self, place.cleanup)  # also when the server ends

    def add(self, name: str, content: memoryview | bytes) -> OwnVideo:
        """Keep a file; the same once. Raises: InputError for one too many or too large, OSError where the disk refuses."""
        plain = upload_name(name)
        if len(content) > self.limits.megabytes * 2**20:
            raise InputError(f"{plain}: {len(content) / 2**20:.0f} MB; up to {self.limits.megabytes} MB are taken")
        key = hashlib.sha256(content).hexdigest()[:16]
        self._check_room(key, plain)
        place = self.folder / key / plain
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(content)
        return self.videos.setdefault(key, OwnVideo(plain, place, key))

    def add_path(self, path: Path) -> OwnVideo:
        """Keep in mind a video, or a folder of frames, that lies on this computer. Raises: InputError for one too many."""
        key = f"{path} {path.stat().st_mtime_ns}"
        self._check_room(key, path.name)
        return self.videos.setdefault(key, OwnVideo(path.name, path, key))

    def _check_room(self, key: str, name: str) -> None:
        if key not in self.videos and len(self.videos) >= self.limits.files:
            raise InputError(f"{name}: {self.limits.files} videos are here already; remove one of them first")

    def remove(self, key: str) -> None:
        """Forget a video and what was made of it, and delete its file if it was given as one."""
        gone = self.videos.pop(key)
        if gone.path.is_relative_to(self.folder):
            gone.path.unlink(missing_ok=True)
        for known in [known for known in self._results if known[0] == key]:
            del self._results[known]

    def plain(self, text: str) -> str:
        """A message as the visitor may read it: a file by its name, not by where it lies."""
        return re.sub(rf"{re.escape(str(self.folder))}/[0-9a-f]{{16}}/", "", text)

    def once(self, video: OwnVideo, what: Hashable, make: Callable[[], T]) -> T:
        """What `make` returns of a video, made once; the results asked for last are kept."""
        key = (video.key, what)
        if key not in self._results:
            self._results[key] = make()
        self._results.move_to_end(key)
        while len(self._results) > MOST_KEPT:
            self._results.popitem(last=False)
        return self._results[key]  # type: ignore[return-value]

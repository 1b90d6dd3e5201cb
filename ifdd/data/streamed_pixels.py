"""Clips that are read from their files each time they are asked for: memory does not grow with their number."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ifdd.data.clips import analyse, too_short
from ifdd.data.crop_cache import crop_file, read_crops, write_crops
from ifdd.data.faces.boxes import centre_box, crop
from ifdd.data.preprocessing import Preprocessing
from ifdd.data.sampling import CENTRES, RULE, Rule, Take, frames_taken
from ifdd.data.video import FOLDER_FPS, image_files
from ifdd.data.video.images import read_image
from ifdd.errors import InputError

REMEMBERED = 1024
"""Clips whose frames are remembered, for the scenes around them that are read next."""


@dataclass(frozen=True, eq=False)
class StreamedPixels:
    """Stands for pixels (n, T, H, W, 3) uint8 that are read from `paths` (n,) when they are asked for.

    `crop` (n,) and `fps` (n,) are of the clips; `numbers` (n,) name each of them for `rule`, whatever list it stands in. With
    `cache` all cropped frames of videos and of face crops are kept there, without loss. `told` gathers what was warned of,
    `shown` by number the frames that were read last, for the scenes around them, and some of a set share it with all.
    """

    paths: tuple[str, ...]
    crop: tuple[str, ...]
    fps: tuple[float | None, ...]
    numbers: np.ndarray
    preprocessing: Preprocessing
    rule: Rule = RULE
    cache: Path | None = None

    shown: dict[int, tuple[Take, np.ndarray, int]] = field(default_factory=dict, repr=False)

    told: dict[int, tuple[str, ...]] = field(default_factory=dict, init=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, T, H, W, 3)."""
        return (len(self.paths), self.preprocessing.frames, *self.preprocessing.size, 3)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: Sequence[int]) -> np.ndarray:
        return self.taken(index, CENTRES)

    def taken(self, index: Sequence[int], take: Take) -> np.ndarray:
        """Pixels (len(index), T, H, W, 3) of some clips, in the frames that `take` asks for.

        Raises: one of `bad_clips.UNREADABLE`.
        """
        return np.stack([self._read(int(i), take) for i in index])

    def chosen(self, rows: np.ndarray) -> "StreamedPixels":
        """Some of the clips."""
        return replace(
            self,
            paths=tuple(self.paths[i] for i in rows),
            crop=tuple(self.crop[i] for i in rows),
            fps=tuple(self.fps[i] for i in rows),
            numbers=self.numbers[rows],
        )

    def frames_of(self, i: int, take: Take) -> tuple[np.ndarray, int]:
        """Indexes (T,) of the source's frames that a clip shows for `take`, and how many there are in the source.

        Raises: one of `bad_clips.UNREADABLE`.
        """
        number = int(self.numbers[i])
        if number not in self.shown or self.shown[number][0] != take:
            self._read(i, take)
        _, frames, total = self.shown[number]
        return frames, total

    def _read(self, i: int, take: Take) -> np.ndarray:
        path, read = Path(self.paths[i]), replace(self.preprocessing, crop=self.crop[i])
        frames, number = read.frames, int(self.numbers[i])

        def pick(seconds: np.ndarray, start: float, end: float, warnings: tuple[str, ...], first: int, total: int) -> np.ndarray:
            if told := (*warnings, *too_short(len(seconds), frames)):
                self.told[i] = told
            found = frames_taken(seconds, start, end, frames, self.rule, take, number)
            if len(self.shown) >= REMEMBERED:
                self.shown.clear()
            self.shown[number] = (take, first + found, total)
            return found

        if path.is_dir() and read.crop != "face":
            files = image_files(path)
            if len(files) < 2:
                raise InputError(f"{path}: holds {len(files)} frame; a clip needs at least 2: give a longer video")
            rate = self.fps[i] or FOLDER_FPS
            chosen = pick(np.arange(len(files)) / rate, 0.0, len(files) / rate, (), 0, len(files))
            wanted = sorted(set(chosen.tolist()))
            images = dict(zip(wanted, read_files(files, wanted, read), strict=True))
            return np.stack([images[at] for at in chosen.tolist()])
        if self.cache is None:
            source = analyse(path, read, fps=self.fps[i])
            told = (*source.warnings, *source.lost())
            chosen = pick(source.seconds, source.start, source.end, told, source.first, source.total)
            images = dict(source.crops(set(chosen.tolist())))
            if len(images) < len(set(chosen.tolist())):
                raise InputError(f"{path}: changed while it was being read; try again")
            return np.stack([images[at] for at in chosen.tolist()])
        file = crop_file(self.cache, path, read, self.fps[i])
        crops = read_crops(file) or write_crops(file, analyse(path, read, fps=self.fps[i]))
        return crops.frames(pick(crops.seconds, crops.start, crops.end, crops.warnings, crops.first, crops.total))


def read_files(files: Sequence[Path], wanted: Sequence[int], read: Preprocessing) -> Iterator[np.ndarray]:
    """Crops of some files of a folder; the others are not opened."""
    first: tuple[int, int] | None = None
    for at in wanted:
        width, height, picture = read_image(files[at])
        first = first or (width, height)
        if (width, height) != first:
            raise InputError(
                f"{files[at].parent}: frames of different sizes: {files[wanted[0]].name} is {first[0]}x{first[1]}, "
                f"{files[at].name} is {width}x{height}; make them one size"
            )
        box = np.array([0, 0, width, height], np.float32)
        yield crop(picture(), centre_box(box, read.size) if read.crop == "center" else box, read.size)

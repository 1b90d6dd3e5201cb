"""The clips of a manifest, read from their files each time they are asked for: memory does not grow with their number."""

import hashlib
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from ifdd.data.bad_clips import OnError, left_out, settle
from ifdd.data.clips import analyse, too_short
from ifdd.data.clipset import ClipSet, joined
from ifdd.data.crop_cache import crop_file, read_crops, write_crops
from ifdd.data.faces.boxes import centre_box, crop
from ifdd.data.manifest import clip_path, crop_notes, crop_of, data_hash, files_hash, fps_of, need_labels
from ifdd.data.preprocessing import Preprocessing
from ifdd.data.sampling import CENTRES, RULE, Rule, Take, frames_taken
from ifdd.data.video import FOLDER_FPS, image_files
from ifdd.data.video.images import read_image
from ifdd.errors import InputError
from ifdd.labels import match_labels


@dataclass(frozen=True, eq=False)
class StreamedPixels:
    """Stands for pixels (n, T, H, W, 3) uint8 that are read from `paths` (n,) when they are asked for.

    `crop` (n,) and `fps` (n,) are of the clips; `numbers` (n,) name each of them for `rule`, whatever list it stands in. With
    `cache` all cropped frames of videos and of face crops are kept there, without loss. `told` gathers what was warned of.
    """

    paths: tuple[str, ...]
    crop: tuple[str, ...]
    fps: tuple[float | None, ...]
    numbers: np.ndarray
    preprocessing: Preprocessing
    rule: Rule = RULE
    cache: Path | None = None

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

    def _read(self, i: int, take: Take) -> np.ndarray:
        path, read = Path(self.paths[i]), replace(self.preprocessing, crop=self.crop[i])
        frames, number = read.frames, int(self.numbers[i])

        def pick(seconds: np.ndarray, start: float, end: float, warnings: tuple[str, ...]) -> np.ndarray:
            if told := (*warnings, *too_short(len(seconds), frames)):
                self.told[i] = told
            return frames_taken(seconds, start, end, frames, self.rule, take, number)

        if path.is_dir() and read.crop != "face":
            files = image_files(path)
            if len(files) < 2:
                raise InputError(f"{path}: holds {len(files)} frame; a clip needs at least 2: give a longer video")
            rate = self.fps[i] or FOLDER_FPS
            chosen = pick(np.arange(len(files)) / rate, 0.0, len(files) / rate, ())
            wanted = sorted(set(chosen.tolist()))
            images = dict(zip(wanted, _images(files, wanted, read), strict=True))
            return np.stack([images[at] for at in chosen.tolist()])
        if self.cache is None:
            source = analyse(path, read, fps=self.fps[i])
            chosen = pick(source.seconds, source.start, source.end, (*source.warnings, *source.lost()))
            images = dict(source.crops(set(chosen.tolist())))
            if len(images) < len(set(chosen.tolist())):
                raise InputError(f"{path}: changed while it was being read; try again")
            return np.stack([images[at] for at in chosen.tolist()])
        file = crop_file(self.cache, path, read, self.fps[i])
        crops = read_crops(file) or write_crops(file, analyse(path, read, fps=self.fps[i]))
        return crops.frames(pick(crops.seconds, crops.start, crops.end, crops.warnings))


def _images(files: Sequence[Path], wanted: Sequence[int], read: Preprocessing) -> Iterator[np.ndarray]:
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


def streamed(
    path: Path,
    frame: pd.DataFrame,
    inputs: Mapping[str, Preprocessing],
    labels: Sequence[str],
    *,
    rule: Rule = RULE,
    cache: Path | None = None,
    on_error: OnError = "stop",
    way_out: str = "--on-error skip",
) -> ClipSet:
    """A set of the clips of a manifest that was read, as `decoded.from_inputs` makes it, but for what is in memory.

    Clips that are missing or empty are found at once, others that cannot be read when they are.

    Raises: InputError for clips without labels, a class that is not in `labels`, or missing clips (`bad_clips.settle`).
    """
    need_labels(frame, path, "training and scoring")
    way_to_map = f"ifdd data index {shlex.quote(str(path))} --out NEW.parquet --map"
    meant, notes = match_labels(frame["label_name"], labels, path, way_out=way_to_map, model="the model")
    places = [str(clip_path(frame, row)) for row in frame.itertuples()]
    bad = {clip: why for clip, place in zip(frame["clip_id"], places, strict=True) if (why := _missing(place))}
    first = next(iter(inputs.values()))
    notes += (*crop_notes(frame, first.crop), *settle(bad, len(frame), path, on_error, way_out))
    kept = np.flatnonzero(~frame["clip_id"].isin(list(bad)).to_numpy())
    rows = frame.iloc[kept]
    records = rows.to_dict("records")

    def pixels(read: Preprocessing) -> StreamedPixels:
        own = [crop_of(row) for row in records]
        return StreamedPixels(
            tuple(places[i] for i in kept),
            tuple(read.crop if len(inputs) > 1 and crop != "none" else crop for crop in own),
            tuple(fps_of(row) for row in records),
            np.array([number_of(clip) for clip in rows["clip_id"]], np.uint64),
            read,
            rule,
            cache,
        )

    about = {"source": "manifest", "manifest": Path(path).name, "clips": len(kept), "data_hash": data_hash(frame)}
    clips = ClipSet(
        pixels=pixels(first),
        target=rows["label_name"].map(meant).map(list(labels).index).to_numpy(np.int64),
        clip_ids=tuple(rows["clip_id"]),
        subjects=tuple(rows["subject"]),
        folds=tuple(rows["fold"].tolist()),
        about=about | {"files_hash": files_hash(frame)} | left_out(bad, len(frame)),
        files=tuple(os.path.realpath(places[i]) for i in kept),
        notes=notes,
    )
    return joined({name: replace(clips, pixels=pixels(read)) for name, read in inputs.items()})


def number_of(clip: str) -> int:
    """A number that stands for a clip's id, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(clip.encode(), digest_size=8).digest(), "big")


def _missing(place: str) -> str | None:
    """Why a clip cannot be read, as far as its folder tells: it is not there, or one of its files is empty."""
    try:
        if not Path(place).is_dir():
            return None if Path(place).stat().st_size else "the file is empty"
        with os.scandir(place) as entries:
            files = [entry for entry in entries if not entry.name.startswith(".") and entry.is_file()]
        if not files:
            return "the folder is empty"
        empty = sorted(entry.name for entry in files if not entry.stat().st_size)
        return f"{empty[0]} is empty" if empty else None
    except FileNotFoundError:
        return "no such file or folder"
    except OSError as error:
        return error.strerror or str(error)

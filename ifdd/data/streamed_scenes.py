"""Scenes around streamed clips, read from their files in the very frames that the clips show."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ifdd.data.clips import analyse
from ifdd.data.crop_cache import crop_file, read_crops, write_crops
from ifdd.data.preprocessing import Preprocessing
from ifdd.data.sampling import CENTRES, Take
from ifdd.data.scenes import same_length
from ifdd.data.streamed_pixels import StreamedPixels, read_files
from ifdd.data.video import image_files
from ifdd.errors import InputError


@dataclass(frozen=True, eq=False)
class StreamedScenes:
    """Stands for pixels (n, T, H, W, 3) uint8 of the scenes at `places` (n,), "" where the clip's own source shows the scene.

    `lead` are the clips, which tell the frames; `hidden` (n,): what becomes of faces; the rest as `StreamedPixels`.
    """

    places: tuple[str, ...]
    hidden: tuple[str, ...]
    lead: StreamedPixels
    preprocessing: Preprocessing
    cache: Path | None = None

    told: dict[int, tuple[str, ...]] = field(default_factory=dict, init=False)

    @property
    def paths(self) -> tuple[str, ...]:
        """Where the clips lie (n,)."""
        return self.lead.paths

    @property
    def numbers(self) -> np.ndarray:
        """(n,) as the clips'."""
        return self.lead.numbers

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, T, H, W, 3)."""
        return (len(self.places), self.preprocessing.frames, *self.preprocessing.size, 3)

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: Sequence[int]) -> np.ndarray:
        return self.taken(index, CENTRES)

    def taken(self, index: Sequence[int], take: Take) -> np.ndarray:
        """Pixels (len(index), T, H, W, 3) of the scenes of some clips, in the frames that these show for `take`.

        Raises: one of `bad_clips.UNREADABLE`; InputError for a scene of another length than its clip.
        """
        return np.stack([self._read(int(i), take) for i in index])

    def chosen(self, rows: np.ndarray) -> "StreamedScenes":
        """Those of some of the clips."""
        return replace(
            self,
            places=tuple(self.places[i] for i in rows),
            hidden=tuple(self.hidden[i] for i in rows),
            lead=self.lead.chosen(rows),
        )

    def _read(self, i: int, take: Take) -> np.ndarray:
        clip = Path(self.lead.paths[i])
        place, read = Path(self.places[i] or clip), replace(self.preprocessing, face=self.hidden[i])
        shown, total = self.lead.frames_of(i, take)
        fps = self.lead.fps[i] if place.is_dir() else None
        wanted = sorted(set(shown.tolist()))
        if place.is_dir() and read.face == "kept":
            files = image_files(place)
            same_length(place, len(files), clip, total)
            images = dict(zip(wanted, read_files(files, wanted, read), strict=True))
        elif self.cache is None:
            source = analyse(place, read, fps=fps)
            same_length(place, source.total, clip, total)
            images = dict(source.crops(set(wanted)))
            if len(images) < len(wanted):
                raise InputError(f"{place}: changed while it was being read; try again")
        else:
            file = crop_file(self.cache, place, read, fps)
            crops = read_crops(file) or write_crops(file, analyse(place, read, fps=fps))
            same_length(place, crops.total, clip, total)
            return crops.frames(shown)
        return np.stack([images[at] for at in shown.tolist()])

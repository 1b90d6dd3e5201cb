"""Clips as a model reads them, of videos or of a manifest, and the regions of their faces."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ifdd.checkpoints import Bundle
from ifdd.data.clips import as_clips
from ifdd.data.faces.regions import PARTS, landmark_regions
from ifdd.data.manifest import of_each_class, read_manifest, with_ids
from ifdd.data.persons import person_ids
from ifdd.data.row_clips import check_scenes
from ifdd.inputs import Clips, to_pixels
from ifdd.io import check_new
from ifdd.scripted import REGIONS
from workbench.analysis.saliency.regions import face_rectangles
from workbench.analysis.saliency.results import SaliencyResult, ShownClip
from workbench.store.collecting import read_inputs
from workbench.store.columns import named_as
from workbench.store.sources import SourceOptions, all_inputs, leading, preprocessing_of, read_source
from workbench.store.truth import has_regions, known_landmarks, true_regions


@dataclass(frozen=True, eq=False)
class Shown:
    """One clip as the model reads it: `tensor` (3, T, H, W), `seconds` (T,), the folder it is written to, its label if known.

    Of a model with several inputs `tensor` holds that of each by its name.
    """

    name: str
    tensor: Clips
    seconds: np.ndarray
    label: str | None = None
    subject: str | None = None
    landmarks: np.ndarray | None = None
    """(T, 5, 2) in pixels of the clip, where they are known."""

    @property
    def shown(self) -> ShownClip:
        """The clip as a result keeps it."""
        pixels = to_pixels(self.tensor)
        inputs = pixels if isinstance(pixels, dict) else {}
        first = next(iter(inputs.values())) if isinstance(pixels, dict) else pixels
        return ShownClip(self.name, first, self.seconds, self.label, self.subject, inputs)


def from_videos(bundle: Bundle, videos: Sequence[Path], options: SourceOptions, names: dict[Path, str]) -> list[Shown]:
    """Read videos as the checkpoint does. Raises: InputError as `read_source`."""
    found = []
    for video in videos:
        clip = read_source(video, preprocessing_of(bundle, video, options), options).clip()
        tensor = as_clips(all_inputs(bundle, clip, options))
        found.append(Shown(names[video], tensor, clip.seconds, landmarks=clip.landmarks))
    return found


def from_manifest(
    bundle: Bundle, manifest: Path, count: int, out: Path | None = None, clip_ids: Sequence[str] | None = None
) -> tuple[pd.DataFrame, list[Shown]]:
    """Some clips of a manifest, those with the ids, else `count` of them, those of each class alike; and their rows.

    Raises: InputError for unknown ids, classes that the checkpoint does not know, clips that have their folder in `out`, or
    broken clips.
    """
    table, _ = named_as(read_manifest(manifest), bundle.labels, manifest)
    check_scenes(table, manifest, bundle.inputs)
    rows = of_each_class(table, count) if clip_ids is None else with_ids(table, clip_ids)
    if out is not None:
        for name in rows["clip_id"]:
            check_new(out / str(name))
    found = []
    for row in rows.to_dict("records"):
        inputs = read_inputs(table, row, bundle)
        clip = leading(bundle, inputs)
        (subject,) = person_ids([row.get("subject")]).tolist()
        label = str(row["label_name"]) or None
        landmarks = known_landmarks(table, row, clip)
        found.append(Shown(str(row["clip_id"]), as_clips(inputs), clip.seconds, label, subject or None, landmarks))
    return rows, found


def on_the_face(bundle: Bundle, result: SaliencyResult) -> bool:
    """Whether a map lies on a clip of the face, not on a scene."""
    return (result.input or next(iter(bundle.inputs))) not in bundle.scenes


def regions_of(
    bundle: Bundle, rows: pd.DataFrame | None, landmarks: Sequence[np.ndarray | None], margin: float
) -> tuple[np.ndarray, tuple[str, ...], str]:
    """Regions (n, T, H, W) of clips, their names and where they come from.

    That is the truth of scripted clips, else `landmarks` (T, 5, 2) where they are known of all n clips, else rectangles.
    """
    frames, size = bundle.model.frames, bundle.model.size
    if rows is not None and has_regions(rows):
        return true_regions(rows, frames, size), REGIONS, "truth of scripted clips"
    known = [points for points in landmarks if points is not None]
    if known and len(known) == len(landmarks):
        return np.stack([landmark_regions(points, size) for points in known]), PARTS, "landmarks of a detector, in each frame"
    plane, names = face_rectangles(size, margin)
    lack = f"no landmarks of {len(landmarks) - len(known)} of {len(landmarks)} clips" if known else "no landmarks"
    return np.broadcast_to(plane, (len(landmarks), frames, *size)), names, f"rectangles of an aligned face crop, {lack}"

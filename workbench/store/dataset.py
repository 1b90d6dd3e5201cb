"""A dataset of a workspace: its clips, and what each checkpoint said about them."""

import shlex
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ifdd.card import Card
from ifdd.data.manifest import clip_path, crop_of, data_hash, fps_of, has_labels, length, read_manifest, scene_path
from ifdd.data.manifest.columns import cells_of
from ifdd.data.preprocessing import Preprocessing
from ifdd.errors import InputError
from workbench.store.collection import MANIFEST, PREDICTIONS, Collection, open_collection
from workbench.store.columns import named_as
from workbench.store.identity import content_of, reading_hash, same_content

if TYPE_CHECKING:
    from ifdd.checkpoints import Bundle
    from ifdd.models.base import VideoModel

KEPT = ("stage", "X", "read", "branch", "detail", "embedding", "position", "sample")
"""Roles of the activations that a workspace's collections keep: those of figures, films over the stages, and scorecards."""


@dataclass(frozen=True)
class Dataset:
    """Clips, listed in `manifest`, and the folder that holds a collection of them for each checkpoint, by its name."""

    name: str
    manifest: Path
    collections: Path
    _opened: dict[tuple[object, ...], Collection] = field(default_factory=dict, init=False, repr=False, compare=False)
    _turn: RLock = field(default_factory=RLock, init=False, repr=False, compare=False)

    @cached_property
    def clips(self) -> pd.DataFrame:
        """The manifest with `clip_id` as index.

        Raises: InputError as `read_manifest`.
        """
        return read_manifest(self.manifest).set_index("clip_id", drop=False)

    @cached_property
    def has_labels(self) -> bool:
        """Whether the clips have labels: all of them, or none."""
        return has_labels(self.clips)

    @cached_property
    def hashes(self) -> tuple[str, str]:
        """Of the list, and of the clips' files, by name, size and date, and how they are read: as collections keep them."""
        return data_hash(self.clips), reading_hash(self.clips)

    @cached_property
    def contents(self) -> dict[str, str]:
        """Hash of what each clip holds, by id; a clip that cannot be read has none."""
        return {clip: content_of(self.path(clip), scene_path(self.clips, self.clips.loc[clip])) for clip in self.clips.index}

    def collected(self) -> tuple[str, ...]:
        """Names of the checkpoints that have a collection here."""
        if not self.collections.is_dir():
            return ()
        places = self.collections.iterdir()
        return tuple(sorted(place.name for place in places if place.is_dir() and not place.name.startswith(".")))

    def collect(self, bundle: "Bundle", name: str) -> Collection:
        """Read the clips with a checkpoint and keep `kept_of` its model. Raises: InputError as `collecting.collect`."""
        from workbench.store.collecting import collect  # brings torch with it

        return collect(bundle, self.manifest, self.collections / name, kept_of(bundle.model), "mean")

    def collection(self, bundle: "Bundle | Card | None", name: str | None = None) -> Collection:
        """What a checkpoint, told by its card, said about the clips; None: whichever it was.

        `name` is its name in the workspace, by default that of its folder. Clips are the same by content, whatever their ids: in
        the result they have those of the list.
        Raises: InputError if there is none, if another checkpoint made it, or if it is about other clips.
        """
        card = bundle if bundle is None or isinstance(bundle, Card) else bundle.card
        if not name and bundle is not None:
            name = bundle.name if isinstance(bundle, Card) else bundle.path.name
        name = name or ""
        asked = (name, None if card is None else (card.sha256, *card.labels))
        with self._turn:  # a page asks for the same ones again and again, and several readers at once
            stamps = tuple(_stamp(self.collections / name / file) for file in (MANIFEST, PREDICTIONS))
            found = self._opened.get((asked, stamps))
            if found is None:
                found = self._checked(card, name)
                for old in [key for key in self._opened if key[0] == asked]:
                    del self._opened[old]
                self._opened[asked, stamps] = found
        return found

    def _checked(self, card: Card | None, name: str) -> Collection:
        """A collection of the checkpoint of this card, opened, that is about these clips."""
        again = f"read the clips again: the app asks, or {self.collect_line(name)}"
        try:
            collection = open_collection(self.collections / name, card)
        except InputError as error:
            what = str(error).rpartition("; ")[0]
            raise InputError(f"{what}; remove that folder and {again}") from error
        if (told := collection.meta.get("imported")) is not None:
            again = f"import the predictions again: {self.import_line(name, told['file'])}"
        if collection.has_labels != self.has_labels:
            was, now = ("no labels", "has") if self.has_labels else ("labels", "has none")
            raise InputError(
                f"{collection.folder} was collected when {self.manifest} had {was}, which it {now} now; "
                f"remove the folder and {again}"
            )
        about = collection.meta["data"]
        if (about["hash"], about.get("reading")) != self.hashes:  # other clips, or the same ones with other ids or dates
            try:
                collection = same_content(collection, self.contents, self.manifest)
            except InputError as error:
                raise InputError(f"{str(error).rpartition('; ')[0]}; remove that folder and {again}") from error
            if self.has_labels and (relabelled := self._relabelled(collection)):
                raise InputError(
                    f"{len(relabelled)} of {len(self.clips)} clips of {self.manifest} have another label now, e.g. "
                    f"{relabelled[0]}, than in {collection.folder}; remove the folder and {again}"
                )
        known = {*cells_of(collection.predictions["clip_id"]), *collection.left_out}
        if missing := [clip for clip in cells_of(self.clips.index) if clip not in known]:
            raise InputError(
                f"{collection.folder} lacks {len(missing)} of {len(self.clips)} clips of {self.manifest}, e.g. {missing[0]}; "
                f"remove the folder and {again}"
            )
        return collection

    def _relabelled(self, collection: Collection) -> list[str]:
        """Clips whose class in the list is another one than when they were collected."""
        now = named_as(self.clips, collection.labels, self.manifest)[0]["label_name"]
        then = collection.predictions.set_index("clip_id")["label_name"]
        return [str(clip) for clip in now.index.intersection(then.index) if now[clip] != then[clip]]

    def collect_line(self, name: str) -> str:
        """What a person types to have the clips read by a checkpoint."""
        return shlex.join(["workbench", "collect", name, "--dataset", self.name, "--workspace", str(self.collections.parents[1])])

    def import_line(self, name: str, file: str) -> str:
        """What a person types to have a file of predictions imported."""
        place = str(self.collections.parents[1])
        return shlex.join(["workbench", "import", file, "--name", name, "--dataset", self.name, "--workspace", place])

    def without_checkpoint(self, known: Container[str]) -> dict[str, str]:
        """Collections here that no checkpoint on disk made, but for those whose name is `known`: name → where it comes from."""
        found: dict[str, str] = {}
        for name in self.collected():
            if name in known:
                continue
            try:
                origin = open_collection(self.collections / name).origin
            except InputError:  # of a checkpoint that is gone, or of an older form
                continue
            found |= {name: origin} if origin else {}
        return found

    def path(self, clip_id: str) -> Path:
        """Video, or folder of frames, of a clip."""
        return clip_path(self.clips, self.clips.loc[clip_id])

    def reading(self, clip_id: str, inputs: Mapping[str, Preprocessing]) -> dict[str, Any]:
        """How the `inputs` of a model read a clip: the `crop` that the manifest asks for, the `fps` of a folder of frames.

        Of several inputs each crops as it does, unless the clip is a crop already; one that reads scenes is told the `scene`
        around the clip, and what is hidden of faces in it (`scene_face`).
        """
        row = self.clips.loc[clip_id]
        crop = crop_of(row)
        found = {"crop": crop if len(inputs) == 1 or crop == "none" else None, "fps": fps_of(row)}
        if (scene := scene_path(self.clips, row)) is None or all(read.stream == "clip" for read in inputs.values()):
            return found
        hidden = row.get("scene_face")
        return found | {"scene": scene, "scene_face": hidden if isinstance(hidden, str) else "kept"}

    def frames(self, clip_id: str) -> int:
        """How many frames a clip has. Raises: InputError for one that is not listed with its length, and cannot be read."""
        return length(self.clips, self.clips.loc[clip_id])[0]

    def truth_file(self, clip_id: str) -> Path | None:
        """File with what is known about a scripted clip, None if there is none."""
        name = self.clips.loc[clip_id].get("truth")
        return self.manifest.parent / name if isinstance(name, str) and name else None

    def apex(self, clip_id: str) -> float:
        """Share of the clip, in [0, 1], at which the expression is strongest; the middle where that is not known."""
        row = self.clips.loc[clip_id]
        apex, seconds = row.get("apex_s"), row["n_frames"] / row["fps"] if row["fps"] else np.nan
        share = apex / seconds if isinstance(apex, int | float) and pd.notna(apex) and seconds > 0 else 0.5
        return float(np.clip(share, 0, 1))


def kept_of(model: "VideoModel") -> tuple[str, ...]:
    """What a workspace's collections keep, as pages and commands need it: all that is small, and of feature maps the means."""
    return tuple(dict.fromkeys([*model.default_activations, *model.with_roles(*KEPT)]))


def _stamp(file: Path) -> tuple[int, ...]:
    """What changes when a file is written anew; nothing for one that is not there."""
    try:
        about = file.stat()
    except OSError:
        return ()
    return about.st_ino, about.st_size, about.st_mtime_ns

"""What lies on disk for the app: the clips, the checkpoints, and what each checkpoint said about the clips."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ifdd.card import Card
from ifdd.checkpoints import Bundle, checkpoint_folders, list_checkpoints, read_card
from ifdd.data.manifest import clip_path, crop_of, data_hash, fps_of, length, read_manifest
from ifdd.documents import read_json, user_path
from ifdd.errors import InputError
from workbench.store.collecting import content_of, reading_hash
from workbench.store.collection import Collection, open_collection
from workbench.store.identity import same_content

BENCHMARK = "benchmark.json"


def checkpoints() -> dict[str, Path]:
    """Checkpoints that the app offers, name → folder: those in $IFDD_CHECKPOINTS, else all that are known by name."""
    given = os.environ.get("IFDD_CHECKPOINTS")
    return {name: folder for name, folder in list_checkpoints().items() if not given or folder.parent == user_path(given)}


def of_the_same_suite(names: Sequence[str], manifest: Path) -> list[str]:
    """Checkpoints that were tested on the kind of clips that lie beside `manifest`; none where that is not known.

    A checkpoint whose card cannot be read is kept: the app shows what is wrong with it.
    """
    try:
        about = read_json(manifest.parent / "suite.json")
    except (OSError, InputError):
        return []
    config = about.get("config") if isinstance(about, dict) else None
    kind = config.get("difficulty") if isinstance(config, dict) else None
    if not isinstance(kind, str):
        return []
    folders, chosen = checkpoints(), []
    for name in names:
        try:
            if read_card(folders[name]).data.get("test", {}).get("difficulty") == kind:
                chosen.append(name)
        except InputError:
            chosen.append(name)
    return chosen


def first_in_view(names: Sequence[str], library: "Library") -> list[str]:
    """Checkpoints that the app shows unasked: of those that have read the clips, the ones tested on their kind, else all."""
    collected = library.collected()
    read = [name for name in names if name in collected]
    return [name for name in of_the_same_suite(names, library.manifest) if name in read] or read


def benchmark_file() -> Path | None:
    """What `workbench benchmark` measured of the checkpoints that are offered, kept beside them; None where there is no file."""
    given = os.environ.get("IFDD_CHECKPOINTS")
    folders = [user_path(given)] if given else checkpoint_folders()
    return next((folder / BENCHMARK for folder in folders if (folder / BENCHMARK).is_file()), None)


def demo_folder() -> Path:
    """Where `workbench demo` writes: $IFDD_DEMO, else `demo` beside the package."""
    given = os.environ.get("IFDD_DEMO")
    return user_path(given) if given else Path(__file__).resolve().parents[2] / "demo"


def upload_name(name: str) -> str:
    """A file name for what a browser calls `name`, whatever that is: no folders, nothing invisible, not too long."""
    seen = "".join(letter for letter in name.replace("\\", "/").rpartition("/")[2] if letter.isprintable()).strip(" .")
    stem, dot, suffix = seen.rpartition(".")
    if not dot:
        stem, suffix = seen, ""
    return f"{stem[:60] or 'upload'}{dot}{suffix[:12]}"


@dataclass(frozen=True)
class Library:
    """A folder with `clips/clips.parquet` and `collections/<checkpoint>/`."""

    folder: Path

    @property
    def manifest(self) -> Path:
        """The list of the clips."""
        return self.folder / "clips" / "clips.parquet"

    @cached_property
    def clips(self) -> pd.DataFrame:
        """The manifest with `clip_id` as index.

        Raises: InputError if there are no clips, with the command that makes them.
        """
        if not self.manifest.is_file():
            raise InputError(f"{self.manifest} is missing; stop the app and run make app, which makes clips and collections")
        return read_manifest(self.manifest).set_index("clip_id", drop=False)

    @cached_property
    def hashes(self) -> tuple[str, str]:
        """Of the list, and of the clips' files, by name, size and date, and how they are read: as collections keep them."""
        return data_hash(self.clips), reading_hash(self.clips)

    @cached_property
    def contents(self) -> dict[str, str]:
        """Hash of what each clip holds, by id; a clip that cannot be read has none."""
        return {clip: content_of(self.path(clip)) for clip in self.clips.index}

    def collected(self) -> tuple[str, ...]:
        """Names of the checkpoints that have a collection here."""
        folder = self.folder / "collections"
        if not folder.is_dir():
            return ()
        return tuple(sorted(place.name for place in folder.iterdir() if place.is_dir() and not place.name.startswith(".")))

    def collection(self, bundle: Bundle) -> Collection:
        """What a checkpoint said about the clips.

        Clips are the same by content, whatever their ids: in the result they have those of the list.
        Raises: InputError if there is none, if another checkpoint made it, or if it is about other clips.
        """
        try:
            collection = open_collection(self.folder / "collections" / bundle.path.name, bundle)
        except InputError as error:
            what = str(error).rpartition("; ")[0]
            raise InputError(f"{what}; stop the app and run make app, which collects anew") from error
        about = collection.meta["data"]
        if (about["hash"], about.get("reading")) != self.hashes:  # other clips, or the same ones with other ids or dates
            collection = same_content(collection, self.contents, self.manifest)
        known = set(collection.predictions["clip_id"])
        missing = [clip for clip in self.clips.index if clip not in known and clip not in collection.left_out]
        if missing:
            raise InputError(
                f"{collection.folder} lacks {len(missing)} of {len(self.clips)} clips of {self.manifest}, e.g. {missing[0]}; "
                f"stop the app, remove the folder and run make app"
            )
        return collection

    def path(self, clip_id: str) -> Path:
        """Video, or folder of frames, of a clip."""
        return clip_path(self.clips, self.clips.loc[clip_id])

    def reading(self, clip_id: str) -> dict[str, Any]:
        """How a clip has to be read: the `crop` that the manifest asks for, and the `fps` of a folder of frames."""
        row = self.clips.loc[clip_id]
        return {"crop": crop_of(row), "fps": fps_of(row)}

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


def test_data(card: Card) -> str:
    """The data that a card's figures were measured on: name and difficulty, or manifest."""
    about = card.data.get("test", {})
    return " · ".join(str(about[key]) for key in ("name", "manifest", "difficulty") if about.get(key))


def describe(card: Card) -> str:
    """A model in one line: of the ifdd family backbone, split, lift, preset, clip."""
    return card.model.summary
